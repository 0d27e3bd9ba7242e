"""A figure by name and arguments: on the screen, as a table, for print, and as a file.

Functions of `figures` make a chart; all others stand in `screen`, `printed` and `tables`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from nme_core.figures import (
    charts_print,
    charts_screen,
    export,
    figures,
    greyscale,
    printed,
    screen,
    tables,
    theme,
)
from nme_core.figures.charts import Chart
from nme_core.vocabulary.language import MARKS, language, written

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: Formats of printed figures.
FORMATS = ("png", "svg", "pdf")


@dataclass(frozen=True)
class Paper:
    """What a figure is printed on.

    Attributes
    ----------
    size : 1, 2, "slide" or None
        Columns of a journal page, or a slide; None: the columns that suit the figure.
    grey : bool
        Whether it has to be understood without colours.
    dpi : int
        Dots per inch of a PNG.
    """

    size: theme.PrintSize | None = None
    grey: bool = False
    dpi: int = 300


class _Ticks(ScalarFormatter):
    """Numbers at an axis, as the language writes them."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return written(super().__call__(x, pos))


def chart_of(name: str, arguments: Mapping[str, Any]) -> Chart | None:
    """The chart, where the figure is one."""
    make = getattr(figures, name, None)
    return None if make is None else make(**arguments)


def numbers(name: str, arguments: Mapping[str, Any]) -> pd.DataFrame:
    """The numbers that a figure shows."""
    chart = chart_of(name, arguments)
    return getattr(tables, name)(**arguments) if chart is None else chart.numbers


def on_screen(name: str, arguments: Mapping[str, Any]) -> go.Figure:
    """The figure as plotly draws it."""
    chart = chart_of(name, arguments)
    drawn: go.Figure = (
        getattr(screen, name)(**arguments) if chart is None else charts_screen.draw(chart)
    )
    if marks := MARKS.get(language()):
        drawn.update_layout(separators="".join(reversed(marks)))
    return drawn


def on_paper(name: str, arguments: Mapping[str, Any], paper: Paper = Paper()) -> Figure:
    """The figure as matplotlib draws it."""
    size = {} if paper.size is None else {"columns": paper.size}
    chart = chart_of(name, arguments)
    if chart is None:
        drawn: Figure = getattr(printed, name)(**arguments, **size)
    else:
        drawn = charts_print.draw(chart, **size)
    for axes in drawn.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if type(axis.get_major_formatter()) is ScalarFormatter:
                axis.set_major_formatter(_Ticks())
    if paper.size == "slide":
        theme.fit_slide(drawn)
    if paper.grey:
        greyscale.grey(drawn)
    return drawn


def file(figure: Figure, kind: str, paper: Paper = Paper()) -> bytes:
    """A printed figure as ``png``, ``svg`` or ``pdf``."""
    enlarged = 1.0 if paper.size is None else theme.ENLARGED[paper.size]
    if kind == "png":
        return export.to_png(figure, paper.dpi, enlarged=enlarged)
    save = {"svg": export.to_svg, "pdf": export.to_pdf}[kind]
    return save(figure, enlarged=enlarged)
