"""Frames around cells of a matrix on the screen."""

from __future__ import annotations

from collections.abc import Iterable

import plotly.graph_objects as go

from nme_core.figures import theme


def add_frames(figure: go.Figure, cells: Iterable[tuple[int, int]], axis: str) -> None:
    """Frame these cells (row, column) of the matrix on axes "" (the first), "2", "3", …

    All at once: each shape that is added by itself has all others looked at again.
    """
    figure.layout.shapes += tuple(
        go.layout.Shape(
            type="rect", x0=column - 0.46, x1=column + 0.46, y0=row - 0.46, y1=row + 0.46,
            xref=f"x{axis}", yref=f"y{axis}", line={"color": theme.INK, "width": 2.5},
        )
        for row, column in cells
    )  # fmt: skip
