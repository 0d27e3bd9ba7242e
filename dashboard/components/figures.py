"""A figure on the screen, the sentence under it, and its files for print."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pandas as pd
import streamlit as st

from dashboard.components.errors import guard
from dashboard.components.pins import pin_button
from dashboard.components.text import plain, sentences, slug
from dashboard.words.pages import EMPTY, NOTES
from dashboard.words.take_away import EXPORTED
from nme_core.figures import of_fit
from nme_core.figures.drawing import Paper
from nme_core.figures.of_study import A_PAGE
from nme_core.figures.run_figure import RunFigure
from nme_core.figures.theme import PLOTLY_CONFIG, PrintSize, darkened
from nme_core.vocabulary.language import kept, tr

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


def show(figure: RunFigure | None, otherwise: str = "") -> None:
    """The screen figure, the first of its sentences, and menus with the others and its files.

    Without a figure, what `EMPTY` says under the key `otherwise`, if anything.
    """
    if figure is None:
        if otherwise:
            st.info(tr(EMPTY)[otherwise])
        return
    key = slug(figure.title)
    drawn = figure.screen
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


def show_losses(history: pd.DataFrame) -> None:
    """How training went, epoch by epoch."""
    show(of_fit.losses(history))
    show(of_fit.variances(history))


def a_page(people: list[str], key: str) -> list[str]:
    """So many people as one figure holds, with a control for their pages."""
    pages = -(-len(people) // A_PAGE)
    page = st.pagination(pages, key=key) if pages > 1 else 1
    return people[(page - 1) * A_PAGE : page * A_PAGE]


def choose_paper(prefix: str = "") -> Paper:
    """Selectors for what a figure is printed on."""
    left, right = st.columns(2)
    dpi = left.selectbox(
        tr("PNG resolution"), (300, 600), key=f"{prefix}dpi", format_func="{} dpi".format
    )
    sizes: list[PrintSize | None] = [*_SIZES]
    size = right.selectbox(
        tr("Size"), sizes, key=f"{prefix}columns", format_func=tr(_SIZES).__getitem__
    )
    grey = st.checkbox(tr("Without colours"), key=f"{prefix}grey", help=tr(EXPORTED)["grey"])
    return Paper(size, grey, dpi)


def downloads(figure: RunFigure, *, prefix: str = "export_", paper: Paper | None = None) -> None:
    """Buttons for every file format; a file is drawn when its button is pressed."""
    chosen = paper or Paper()
    for kind, (label, mime) in FILES.items():
        st.download_button(
            f"{label}, {chosen.dpi} dpi" if kind == "png" else tr(label),
            data=kept(partial(figure.file, kind, chosen)),
            file_name=f"{slug(figure.title)}.{kind}",
            mime=mime,
            key=f"{prefix}{kind}",
            on_click="ignore",
        )


def preview(figure: RunFigure, paper: Paper) -> None:
    """The printed figure as an image on the page."""
    with guard():
        st.image(figure.file("png", replace(paper, dpi=200)), alt=figure.sentence)
