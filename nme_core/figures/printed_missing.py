"""Where values are missing, for print (matplotlib)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from nme_core.figures import tables, theme
from nme_core.figures.grids import ROW_LABELS, edges, shown_rows
from nme_core.figures.labels import distinct, for_print

_HEIGHT_MM, _ROW_MM = 60.0, 3.0


def missing_values(
    grid: pd.DataFrame, *, by: str, time: str, columns: theme.PrintSize = 1
) -> Figure:
    """Share of missing cells over time, one row per person or column; grey has no rows."""
    tables.missing_values(grid, by=by, time=time)  # refuses what cannot be drawn
    names = [for_print(name) for name in distinct(list(grid.index.astype(str)), ROW_LABELS)]
    at = shown_rows(len(names))
    with theme.print_style():
        height = max(_HEIGHT_MM, 20 + _ROW_MM * min(len(names), 20))
        size = (theme.inches(theme.width_mm(columns)), theme.inches(height))
        figure = Figure(figsize=size, layout="constrained")
        axis = figure.subplots()
        axis.set_facecolor(theme.EMPTY)
        mesh = axis.pcolormesh(
            edges(grid.columns), np.arange(len(names) + 1) - 0.5, grid.to_numpy(dtype=float),
            cmap=theme.matplotlib_scale(theme.SEQUENTIAL), vmin=0, vmax=1,
        )  # fmt: skip
        axis.set_yticks(at, [names[i] for i in at])
        axis.invert_yaxis()
        axis.set(xlabel=for_print(time, 50), ylabel=f"{by}s" if len(at) < len(names) else "")
        bar = figure.colorbar(mesh, ax=axis, ticks=[0, 0.5, 1], format=PercentFormatter(1))
        bar.set_label("missing")
    return figure
