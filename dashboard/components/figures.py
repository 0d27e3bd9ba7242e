"""A figure on the screen, the sentence under it, and its files for print."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, overload

import pandas as pd
import streamlit as st

from dashboard.components.errors import guard
from dashboard.components.pins import pin_button
from dashboard.components.text import plain, sentences, slug
from dashboard.services.exports import spreadsheet
from dashboard.words.pages import NOTES
from dashboard.words.take_away import EXPORTED
from nme_core.figures import drawing
from nme_core.figures.drawing import Paper
from nme_core.figures.interactive import to_html
from nme_core.figures.theme import PLOTLY_CONFIG, PrintSize, darkened
from nme_core.vocabulary.language import MARKS, kept, language, tr

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from nme_core.figures.run_figure import RunFigure

#: Files of a figure: what the button says, and the type of the file.
FILES = {
    "png": ("PNG", "image/png"),
    "svg": ("SVG", "image/svg+xml"),
    "pdf": ("PDF", "application/pdf"),
    "csv": ("Numbers (CSV)", "text/csv"),
    "html": ("Interactive (HTML)", "text/html"),
}
_SIZES: dict[PrintSize | None, str] = {
    None: "as it suits",
    1: "one column (85 mm)",
    2: "two columns (170 mm)",
    "slide": "slide (254 mm)",
}


@dataclass(frozen=True)
class Figure:
    """A figure by name, drawn alike for the screen and for print.

    ``name`` is a function of ``nme_core.figures``; ``arguments`` are its keyword arguments;
    ``sentence`` is plain text that says what the figure shows and what it does not. Functions of
    `figures` make a chart; all others are there for the screen, for print and as a table.
    """

    name: str
    title: str
    sentence: str
    arguments: dict[str, Any] = field(repr=False)

    def numbers(self) -> pd.DataFrame:
        """The numbers that it shows."""
        return drawing.numbers(self.name, self.arguments)

    def on_screen(self) -> go.Figure:
        """The figure as plotly draws it."""
        return drawing.on_screen(self.name, self.arguments)

    def file(self, kind: str, paper: Paper) -> bytes:
        """The figure as one of `FILES`."""
        if kind == "csv":
            return spreadsheet(self.numbers())
        if kind == "html":
            return to_html(self.on_screen(), title=self.title, sentence=self.sentence)
        return drawing.file(drawing.on_paper(self.name, self.arguments, paper), kind, paper)


@overload
def as_shown(figure: RunFigure, title: str | None = None) -> Figure: ...


@overload
def as_shown(figure: RunFigure | None, title: str | None = None) -> Figure | None: ...


def as_shown(figure: RunFigure | None, title: str | None = None) -> Figure | None:
    """A figure of `nme_core.figures.described` on a page, by default under its own title."""
    if figure is None:
        return None
    return Figure(figure.name, title or figure.title, figure.sentence, figure.arguments)


def show(figure: Figure) -> None:
    """The screen figure, the first of its sentences, and menus with the others and its files."""
    key = slug(figure.title)
    drawn = figure.on_screen()
    if marks := MARKS.get(language()):
        drawn.update_layout(separators="".join(reversed(marks)))
    st.plotly_chart(
        darkened(drawn) if st.context.theme.type == "dark" else drawn,
        key=f"figure_{key}",
        theme=None,
        config=PLOTLY_CONFIG,
        alt=figure.sentence,
    )
    first, *others = sentences(figure.sentence)
    st.markdown(plain(first))
    with st.container(horizontal=True):
        if others:
            with st.popover(tr(NOTES), type="tertiary", key=f"notes_{key}"):
                st.markdown(plain(" ".join(others)))
        with st.popover(tr("Download this figure"), type="tertiary", key=f"files_{key}"):
            downloads(figure, prefix=f"{key}_")
        pin_button(figure, f"pin_{key}")


def choose_paper(prefix: str = "") -> Paper:
    """Selectors for what a figure is printed on."""
    left, right = st.columns(2)
    dpi = left.selectbox(
        tr("PNG resolution"), (300, 600), key=f"{prefix}dpi", format_func="{} dpi".format
    )
    size = right.selectbox(
        tr("Size"), list(_SIZES), key=f"{prefix}columns", format_func=tr(_SIZES).get
    )
    grey = st.checkbox(tr("Without colours"), key=f"{prefix}grey", help=tr(EXPORTED)["grey"])
    return Paper(size, grey, dpi)


def downloads(figure: Figure, *, prefix: str = "export_", paper: Paper | None = None) -> None:
    """Buttons for every file format; a file is drawn when its button is pressed."""
    chosen = paper or Paper()
    for kind, (label, mime) in FILES.items():
        st.download_button(
            f"{label}, {chosen.dpi} dpi" if kind == "png" else tr(label),
            data=kept(lambda kind=kind: figure.file(kind, chosen)),
            file_name=f"{slug(figure.title)}.{kind}",
            mime=mime,
            key=f"{prefix}{kind}",
            on_click="ignore",
        )


def preview(figure: Figure, paper: Paper) -> None:
    """The printed figure as an image on the page."""
    with guard():
        st.image(figure.file("png", replace(paper, dpi=200)), alt=figure.sentence)
