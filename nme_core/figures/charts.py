"""Charts: panels of layers and matrices, described once and drawn alike for screen and print.

A function of `figures` makes a `Chart` from tables; `charts_screen` draws it with plotly,
`charts_print` with matplotlib. A chart carries the numbers that it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from nme_core.figures import theme

#: Labels of points are cut to so many characters; further aside than this, they stand beside.
LONGEST_LABEL = 16
ASIDE = 0.3
#: Labels of arrows: share of the way along, and distance from the line.
_ALONG, _BESIDE = 0.28, 0.11

Range = tuple[float, float]


@dataclass(frozen=True)
class Layer:
    """Points, a line, bars, a band or arrows of one panel.

    ``low`` and ``high`` are ends of intervals, across the axis that ``across`` names; of a band
    they are its edges. ``hover`` is one text per point, ``colours`` one colour per point. Arrows
    lead from (x, y) to (low, high), their width in ``sizes``. ``outward`` labels of points around
    (0, 0) stand on the far side from there; ``hollow`` points have an edge only.
    """

    kind: Literal["points", "line", "bars", "band", "arrows"]
    x: np.ndarray
    y: np.ndarray
    name: str = ""
    colour: str = theme.PALETTE[0]
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    across: Literal["x", "y"] = "y"
    hover: Sequence[str] = ()
    labels: Sequence[str] = ()
    colours: Sequence[str] = ()
    sizes: np.ndarray | None = None
    size: float = 7.0
    width: float = 2.0
    dash: Literal["solid", "dot", "dash"] = "solid"
    legend: bool = True
    outward: bool = False
    hollow: bool = False

    @property
    def beside(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the labels of arrows stand: near their beginning, to their left."""
        assert self.low is not None
        assert self.high is not None
        dx, dy = self.low - self.x, self.high - self.y
        length = np.hypot(dx, dy)
        aside = _BESIDE / np.where(length > 0, length, 1.0)
        return self.x + _ALONG * dx - aside * dy, self.y + _ALONG * dy + aside * dx


@dataclass(frozen=True)
class Matrix:
    """Cells (rows × columns) in colour; with ``texts`` written in them, marked where ``marks``."""

    values: np.ndarray
    rows: Sequence[str]
    columns: Sequence[str]
    stops: tuple[str, ...]
    limits: Range
    scale: str
    texts: Sequence[str] = ()
    marks: np.ndarray | None = None
    hover: Sequence[str] = ()
    #: Colours of whole-numbered values, in place of a scale: what each number stands for.
    legend: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Panel:
    """One pair of axes."""

    title: str = ""
    x_title: str = ""
    y_title: str = ""
    layers: Sequence[Layer] = ()
    matrix: Matrix | None = None
    x_range: Range | None = None
    y_range: Range | None = None
    x_ticks: Sequence[tuple[float, str]] | None = None
    y_ticks: Sequence[tuple[float, str]] | None = None
    bare: bool = False


@dataclass(frozen=True)
class Chart:
    """Panels in a grid, ``n_columns`` wide, and the numbers that they show."""

    title: str
    panels: Sequence[Panel]
    numbers: pd.DataFrame = field(repr=False)
    n_columns: int = 1
    height: int = 380
    #: Whether the panels share one range of colours, so that one scale is drawn.
    shared_scale: bool = True
