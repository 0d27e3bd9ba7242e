"""A figure on the screen, the sentence under it, and its files for print."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from dashboard.components.errors import guard
from dashboard.components.text import plain, slug
from dashboard.plots import charts_print, charts_screen, export, figures, printed, screen, tables
from dashboard.plots.charts import Chart
from dashboard.plots.theme import PLOTLY_CONFIG, darkened
from dashboard.services.exports import spreadsheet

if TYPE_CHECKING:
    import plotly.graph_objects as go

_FORMATS: dict[str, tuple[str, str, Callable[..., bytes]]] = {
    "png": ("PNG", "image/png", export.to_png),
    "svg": ("SVG", "image/svg+xml", export.to_svg),
    "pdf": ("PDF", "application/pdf", export.to_pdf),
}


@dataclass(frozen=True)
class Figure:
    """A figure by name, drawn alike for the screen and for print.

    ``name`` is a function of ``dashboard.plots``; ``arguments`` are its keyword arguments;
    ``sentence`` is plain text that says what the figure shows and what it does not. Functions of
    `figures` make a chart; all others are there for the screen, for print and as a table.
    """

    name: str
    title: str
    sentence: str
    arguments: dict[str, Any] = field(repr=False)

    def numbers(self) -> pd.DataFrame:
        """The numbers that it shows."""
        if (chart := self.chart()) is not None:
            return chart.numbers
        return getattr(tables, self.name)(**self.arguments)

    def chart(self) -> Chart | None:
        """The chart, where the figure is one."""
        make = getattr(figures, self.name, None)
        return None if make is None else make(**self.arguments)

    def on_screen(self) -> go.Figure:
        """The figure as plotly draws it."""
        chart = self.chart()
        if chart is not None:
            return charts_screen.draw(chart)
        return getattr(screen, self.name)(**self.arguments)

    def image(self, kind: str, dpi: int = 300, columns: int | None = None) -> bytes:
        """The printed figure as a file; ``dpi`` matters for png only.

        ``columns`` of a journal page that it fills; None: those that suit it.
        """
        chart, size = self.chart(), {} if columns is None else {"columns": columns}
        if chart is not None:
            drawn = charts_print.draw(chart, **size)
        else:
            drawn = getattr(printed, self.name)(**self.arguments, **size)
        if kind == "png":
            return export.to_png(drawn, dpi=dpi)
        return _FORMATS[kind][2](drawn)


def show(figure: Figure) -> None:
    """The screen figure, its sentence, and a small menu with its files."""
    key = slug(figure.title)
    drawn = figure.on_screen()
    st.plotly_chart(
        darkened(drawn) if st.context.theme.type == "dark" else drawn,
        key=f"figure_{key}",
        theme=None,
        config=PLOTLY_CONFIG,
        alt=figure.sentence,
    )
    st.markdown(plain(figure.sentence))
    with st.popover("Download this figure", type="tertiary", key=f"files_{key}"):
        downloads(figure, prefix=f"{key}_")


def choose_print() -> tuple[int, int | None]:
    """Selectors for the dots per inch of a PNG, and the columns of a page that a figure fills."""
    left, right = st.columns(2)
    dpi = left.selectbox("PNG resolution", (300, 600), key="dpi", format_func="{} dpi".format)
    names = {None: "as it suits", 1: "one column (85 mm)", 2: "two columns (170 mm)"}
    columns = right.selectbox("Width", list(names), key="columns", format_func=names.get)
    return dpi, columns


def downloads(
    figure: Figure, *, prefix: str = "export_", dpi: int = 300, columns: int | None = None
) -> None:
    """Buttons for every file format; a file is drawn when its button is pressed."""
    for kind, (label, mime, _) in _FORMATS.items():
        st.download_button(
            f"{label}, {dpi} dpi" if kind == "png" else label,
            data=lambda kind=kind: figure.image(kind, dpi, columns),
            file_name=f"{slug(figure.title)}.{kind}",
            mime=mime,
            key=f"{prefix}{kind}",
            on_click="ignore",
        )
    st.download_button(
        "Numbers (CSV)",
        data=lambda: spreadsheet(figure.numbers()),
        file_name=f"{slug(figure.title)}.csv",
        mime="text/csv",
        key=f"{prefix}csv",
        on_click="ignore",
    )


def preview(figure: Figure) -> None:
    """The printed figure as an image on the page."""
    with guard():
        st.image(figure.image("png", dpi=200), alt=figure.sentence)
