"""Transition matrices for print (matplotlib, seaborn)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from nme_core.figures import tables, theme
from nme_core.figures.labels import distinct, for_print, tally, title_lines
from nme_core.figures.matrices import (
    CELL_NAMES,
    LABEL_LENGTH,
    Panel,
    comparison_panels,
    marked,
    panel_titles,
)  # fmt: skip
from nme_core.vocabulary.language import tr


def transition_comparison(
    person: pd.DataFrame,
    population: pd.DataFrame,
    *,
    person_label: str,
    readout: str,
    counts: pd.DataFrame | None = None,
    limit: float | None = None,
    low: pd.DataFrame | None = None,
    high: pd.DataFrame | None = None,
    other: str | None = None,
    other_counts: pd.DataFrame | None = None,
    columns: theme.PrintSize = 2,
) -> Figure:
    """One person's transition matrix, the population's, and their difference.

    Arguments as in `screen.transition_comparison`; ``columns=2`` (170 mm) and
    ``"slide"`` put the panels side by side, ``columns=1`` (85 mm) one under the other.
    """
    table = tables.transition_comparison(
        person, population, person_label=person_label, readout=readout, counts=counts,
        low=low, high=high, other=other, other_counts=other_counts,
    )  # fmt: skip
    panels = comparison_panels(table, compact_from=6, limit=limit)
    shown = distinct(list(table["to"].unique()), LABEL_LENGTH)
    with theme.print_style():
        longest, k = max(len(label) for label in shown), len(shown)
        figure, side = _sheet(columns, longest, k)
        axes = list(np.ravel(figure.subplots(1, 3) if columns != 1 else figure.subplots(3, 1)))
        for i, (axis, panel, title) in enumerate(
            zip(axes, panels, panel_titles(table), strict=True)
        ):
            sns.heatmap(
                panel.values, ax=axis, vmin=panel.low, vmax=panel.high, cbar=False,
                cmap=theme.matplotlib_scale(panel.stops), linewidths=0.4, linecolor="white",
            )  # fmt: skip
            _write(axis, panel, tables.counts_of(table, i) if k <= 4 else None)
            axis.set_title(title_lines(title, side))
            for row, column in zip(*marked(table), strict=True) if i != 1 else ():
                axis.add_patch(
                    Rectangle((column + 0.04, row + 0.04), 0.92, 0.92, fill=False,
                              edgecolor=theme.INK, linewidth=1.2)
                )  # fmt: skip
            _label(axis, shown, rows=columns == 1 or i == 0, tilted=_tilted(longest, side, k))
        _colour_bar(figure, axes[:2], panels[0], tr(CELL_NAMES)[readout])
        _colour_bar(
            figure, axes[2:], panels[2], tr("difference") if other else tr("person − population")
        )
    return figure


def _sheet(columns: theme.PrintSize, longest: int, k: int) -> tuple[Figure, float]:
    """An empty figure that leaves each panel about as high as wide, and that width in mm."""
    width = theme.width_mm(columns)
    names = 1.2 * longest
    side = (width - names - 14) / 3 if columns != 1 else min(width - names - 12, 52)
    below = 0.85 * names if _tilted(longest, side, k) else 3
    height = side + below + 22 if columns != 1 else 3 * (0.9 * side + below + 9) + 24
    size = (theme.inches(width), theme.inches(height))
    layout = ConstrainedLayoutEngine(h_pad=0.04 if columns != 1 else 0.07)
    return Figure(figsize=size, layout=layout), side


def _tilted(longest: int, side: float, k: int) -> bool:
    return longest * 1.3 > side / k


def _write(axis: Axes, panel: Panel, counts: pd.Series | None) -> None:
    k = len(panel.values)
    axis.set_facecolor(theme.EMPTY)
    middle: dict[str, Any] = {"ha": "center", "va": "center"}
    for row, column in zip(*panel.empty, strict=True):
        axis.text(column + 0.5, row + 0.5, "\u2013", color=theme.MUTED, **middle)
    below = [] if counts is None or counts.isna().any() else [tally(n) for n in counts]
    for i, text in enumerate(panel.texts):
        row, column = divmod(i, k)
        if not np.isfinite(panel.values[row, column]):
            continue
        axis.text(
            column + 0.5, row + (0.38 if below else 0.5), text, color=panel.text_colours[i],
            fontsize=theme.PRINT_FONT if k <= 4 else theme.PRINT_SMALL, **middle,
        )  # fmt: skip
        if below:
            axis.text(
                column + 0.5, row + 0.68, f"n={below[i]}", color=panel.text_colours[i],
                fontsize=theme.PRINT_SMALL, **middle,
            )  # fmt: skip


def _label(axis: Axes, shown: list[str], *, rows: bool, tilted: bool) -> None:
    at, labels = np.arange(len(shown)) + 0.5, [for_print(label) for label in shown]
    turned: dict[str, Any] = (
        {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if tilted else {}
    )
    axis.set_xticks(at, labels, **{"rotation": 0, **turned})
    axis.set_yticks(at, labels if rows else [""] * len(shown), rotation=0)
    axis.set(xlabel=tr("to"), ylabel=tr("from") if rows else "")
    axis.tick_params(length=0, pad=2)


def _colour_bar(figure: Figure, axes: list[Axes], panel: Panel, title: str) -> None:
    mappable = ScalarMappable(Normalize(panel.low, panel.high), theme.matplotlib_scale(panel.stops))
    bar = figure.colorbar(
        mappable, ax=axes, location="bottom", shrink=0.75, aspect=20 * len(axes), pad=0.02,
        label=title, ticks=MaxNLocator(5),
    )  # fmt: skip
    bar.outline.set_linewidth(0.4)
    bar.ax.tick_params(length=2)
