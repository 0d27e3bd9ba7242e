"""Where values are missing, for the screen (plotly)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nme_core.figures import tables, theme
from nme_core.figures.grids import ROW_LABELS, middles, shown_rows
from nme_core.figures.labels import distinct, for_screen
from nme_core.vocabulary.language import tr

_TITLES = {"person": "Missing values by person", "column": "Missing values by column"}
_HEIGHT, _ROW = 380, 22


def missing_values(grid: pd.DataFrame, *, by: str, time: str) -> go.Figure:
    """Share of missing cells over time, one row per person or column; grey has no rows.

    Parameters
    ----------
    grid : DataFrame
        Shares; one row per person or column, one column per step of time, named by its beginning.
    by : "person" or "column"
        What the rows are.
    time : str
        What the steps of time are, as shown.
    """
    tables.missing_values(grid, by=by, time=time)  # refuses what cannot be drawn
    values = grid.to_numpy(dtype=float)
    names = [for_screen(name) for name in distinct(list(grid.index.astype(str)), ROW_LABELS)]
    figure = go.Figure(layout={"template": theme.plotly_template(), "title_text": tr(_TITLES)[by]})
    figure.add_heatmap(
        z=values, x=middles(grid.columns), y=np.arange(len(names)), zmin=0, zmax=1,
        colorscale=theme.plotly_scale(theme.SEQUENTIAL), hoverongaps=False, ygap=0.5,
        customdata=np.tile(np.array(names, dtype=object)[:, None], (1, values.shape[1])),
        hovertemplate=tr("{by} %{{customdata}}<br>{time} %{{x:.3~g}}<br>%{{z:.0%}} "
"missing<extra></extra>").format(by=by, time=for_screen(time)),
        colorbar={"thickness": 12, "tickvals": [0, 0.5, 1],
                  "ticktext": ["0 %", "50 %", tr("100 %<br>missing")]},
    )  # fmt: skip
    at = shown_rows(len(names))
    figure.update_layout(
        height=max(_HEIGHT, 120 + _ROW * min(len(names), 20)), showlegend=False, margin_t=48,
        plot_bgcolor=theme.EMPTY,
    )  # fmt: skip
    figure.update_xaxes(title_text=for_screen(time), showgrid=False)
    figure.update_yaxes(
        autorange="reversed", tickvals=at, ticktext=[names[i] for i in at], showgrid=False,
        title_text=f"{by}s" if len(at) < len(names) else "",
    )  # fmt: skip
    return figure
