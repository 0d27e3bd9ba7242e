"""Figures for print (matplotlib, seaborn): the functions of `screen`, with ``columns``.

They are as wide as one or two columns of a journal page, or laid out for a slide; they have no
title (a caption says what they show) and no text under 6 pt. `export` turns them into files. No
pyplot state is touched, and threads may draw at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from nme_core.figures import tables, theme
from nme_core.figures.labels import for_print, parameter_words
from nme_core.figures.printed_matrix import transition_comparison
from nme_core.figures.printed_missing import missing_values
from nme_core.figures.summaries import (
    LEAST_BOXED,
    LOSS_PARTS,
    Box,
    Histogram,
    box,
    group_order,
    histogram,
    is_logarithmic,
    least_squares,
    normal_curve,
    padded,
    parted,
    random_effect_bins,
    settling_range,
    share_ticks,
    spread,
)
from nme_core.vocabulary.language import tr, written
from nme_core.vocabulary.numbers import number, p_phrase, place
from nme_core.vocabulary.text import count

__all__ = [
    "covariate_scatter", "group_curves", "hsic_null", "loss_curves", "missing_values",
    "observations_per_person", "outcome_overview", "random_effect_distribution", "response_curves",
    "transition_comparison",
]  # fmt: skip

_HEIGHT_MM = 60.0
_DASH: dict[str, Any] = {"train": (0, (1, 1)), "validation": "solid"}


def random_effect_distribution(
    estimates: pd.Series, variance: float, *, parameter: str, columns: theme.PrintSize = 1
) -> Figure:
    """Histogram of the persons' estimates with the model's N(0, variance), one tick per person."""
    table = tables.random_effect_distribution(estimates, variance, parameter=parameter)
    bins = random_effect_bins(table["estimate"], variance)
    with theme.print_style():
        figure, axis = _figure(columns)
        name = tr("estimates of {table}").format(table=count(len(table), "person"))
        _bars(axis, table["estimate"], bins, name if variance else name + ", model variance 0")
        if variance > 0:
            x, y = normal_curve(variance, bins, len(table))
            name = tr("model's distribution, SD {variance}").format(
                variance=number(variance**0.5, 2)
            )
            sns.lineplot(x=x, y=y, ax=axis, color=theme.INK, estimator=None, label=name)
        sns.rugplot(x=table["estimate"], ax=axis, color=theme.INK, height=0.03, lw=0.4)
        axis.set(
            xlabel=tr("estimate of {parameter}").format(
                parameter=for_print(parameter_words(parameter), 44)
            ),
            ylabel=tr("people"),
        )
        if len(bins.counts) == 1 and variance == 0:
            axis.set_xlim(padded(*bins.edges, least=8 * bins.width))
        _counts_axis(axis)
        _legend(axis)
    return figure


def hsic_null(
    null: np.ndarray, statistic: float, p: float, *, covariate: str, columns: theme.PrintSize = 1
) -> Figure:
    """Permuted HSIC statistics as a histogram, the observed statistic as a line with its p."""
    table = tables.hsic_null(null, statistic, p, covariate=covariate)
    bins = histogram(table["null_statistic"], whole_numbers=False)
    with theme.print_style():
        figure, axis = _figure(columns)
        _bars(
            axis,
            table["null_statistic"],
            bins,
            tr("{table:,} permutations (no dependence)").format(table=len(table)),
        )
        said = tr("observed {statistic}, {p}").format(statistic=number(statistic), p=p_phrase(p))
        top = 1.08 * bins.counts.max()
        axis.vlines(statistic, 0, top, color=theme.PERSON, linewidth=1.5, label=said)
        axis.set(
            xlabel=tr("HSIC statistic, {covariate}").format(covariate=for_print(covariate, 40)),
            ylabel=tr("permutations"),
        )
        axis.set_xlim(padded(min(bins.edges[0], statistic), max(bins.edges[-1], statistic)))
        axis.xaxis.set_major_locator(MaxNLocator(6))
        _counts_axis(axis)
        _legend(axis)
    return figure


def covariate_scatter(
    values: pd.Series,
    covariate: pd.Series,
    *,
    parameter: str,
    covariate_name: str,
    bands: pd.Series | None = None,
    columns: theme.PrintSize = 1,
) -> Figure:
    """One point per person: parameter against covariate; boxes where it is categorical."""
    table = tables.covariate_scatter(
        values, covariate, parameter=parameter, covariate_name=covariate_name, bands=bands
    )
    with theme.print_style():
        figure, axis = _figure(columns)
        if pd.api.types.is_numeric_dtype(table["covariate_value"]):
            _scattered(axis, table)
        else:
            _grouped(axis, table)
        ylabel = for_print(parameter_words(parameter), 36)
        axis.set(xlabel=for_print(covariate_name, 50), ylabel=ylabel)
    return figure


def loss_curves(
    history: pd.DataFrame,
    *,
    names: Mapping[str, str] | None = None,
    columns: theme.PrintSize = 1,
) -> Figure:
    """Loss in training (dotted) and validation (solid) by epoch, one colour per model."""
    table = tables.loss_curves(history)
    colours = theme.model_colours(table["model"].unique())
    with theme.print_style():
        figure, axis = _figure(columns)
        for (model, part), found in table.groupby(["model", "part"], sort=False):
            rows = parted(found)
            axis.plot(
                rows["epoch"], rows["loss"], color=colours[str(model)], linestyle=_DASH[str(part)],
                marker="o" if len(rows) < 3 else None, markersize=3,
            )  # fmt: skip
        ends = settling_range(table)
        settled = table["loss"] if ends is None else table["loss"][table["loss"].between(*ends)]
        logarithmic = is_logarithmic(settled)
        if logarithmic:
            axis.set_yscale("log")
            axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: place(value)))
        loss = tr("loss (logarithmic axis)") if logarithmic else tr("loss")
        axis.set(xlabel=tr("epoch"), ylabel=loss)
        axis.set_xlim(0, max(table["epoch"].max(), 5) * 1.01)
        if ends is not None:
            limits = padded(*(np.log10(ends) if logarithmic else ends))
            axis.set_ylim(np.power(10.0, limits) if logarithmic else limits)
        axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        called = {model: (names or {}).get(model, model) for model in colours}
        entries = [
            Line2D([], [], color=colour, label=for_print(called[model], 30))
            for model, colour in colours.items()
        ]
        entries += [
            Line2D([], [], color=theme.INK, linewidth=0.8, linestyle=_DASH[str(part)],
                   label=tr(LOSS_PARTS)[str(part)])
            for part in table["part"].unique()
        ]  # fmt: skip
        _legend(axis, entries)
    return figure


def response_curves(
    curves: pd.DataFrame,
    *,
    feature: str,
    outcome: str,
    person: str | None,
    columns: theme.PrintSize = 1,
) -> Figure:
    """Draw what a feature does to the outcome: persons thin, population bold, one person marked."""
    table = tables.response_curves(curves, feature=feature, outcome=outcome, person=person)
    persons, own = table[table["level"] == "person"], table[table["highlighted"]]
    marked = [
        (table[table["level"] == "population"], tr("population"), theme.POPULATION, 1.8),
        (own, tr("person {person}").format(person=for_print(person, 30)), theme.PERSON, 1.4),
    ]
    with theme.print_style():
        figure, axis = _figure(columns)
        entries: list[Artist] = []
        if not persons.empty:
            # One line with gaps: a line for each of thousands of persons takes seconds.
            ids = persons["person"].to_numpy()
            cuts = np.flatnonzero(ids[1:] != ids[:-1]) + 1
            x, y = (np.insert(persons[name].to_numpy(), cuts, np.nan) for name in ("x", "value"))
            axis.plot(x, y, color=theme.PERSONS, linewidth=0.4, alpha=0.45)
            name = count(persons["person"].nunique(), "person")
            entries.append(Line2D([], [], color=theme.PERSONS, linewidth=0.6, label=name))
        if len(own) and own["ci_low"].notna().all():
            ends = own["ci_low"], own["ci_high"]
            style = {"color": theme.PERSON, "alpha": 0.2, "linewidth": 0}
            entries.append(axis.fill_between(own["x"], *ends, label=tr("95 % interval"), **style))
        for rows, name, colour, width in marked:
            if not rows.empty:
                sns.lineplot(
                    data=rows, x="x", y="value", estimator=None, ax=axis, color=colour,
                    linewidth=width, legend=False,
                )  # fmt: skip
                entries.append(Line2D([], [], color=colour, linewidth=width, label=name))
        axis.set(xlabel=for_print(feature, 50), ylabel=for_print(outcome, 36))
        axis.margins(x=0.01)
        _legend(axis, entries)
    return figure


def group_curves(
    curves: pd.DataFrame,
    *,
    feature: str,
    outcome: str,
    covariate_name: str,
    columns: theme.PrintSize = 1,
) -> Figure:
    """Mean response curves of groups of persons."""
    table = tables.group_curves(
        curves, feature=feature, outcome=outcome, covariate_name=covariate_name
    )
    with theme.print_style():
        figure, axis = _figure(columns)
        for i, (group, rows) in enumerate(table.groupby("group", sort=False)):
            name = f"{for_print(group, 44)} ({count(int(rows['n_persons'].iloc[0]), 'person')})"
            sns.lineplot(
                x=rows["x"], y=rows["value"], ax=axis, estimator=None, label=name, linewidth=1.4,
                color=theme.PALETTE[i % len(theme.PALETTE)],
                marker="o" if len(rows) < 3 else None,
            )  # fmt: skip
        axis.set(
            xlabel=for_print(feature, 50),
            ylabel=tr("mean {outcome}").format(outcome=for_print(outcome, 32)),
        )
        _legend(axis)
    return figure


def observations_per_person(n_obs: pd.Series, *, columns: theme.PrintSize = 1) -> Figure:
    """Histogram of the number of observations per person (index), with the median."""
    table = tables.observations_per_person(n_obs)
    bins = histogram(table["n_obs"])
    median = float(table["n_obs"].median())
    with theme.print_style():
        figure, axis = _figure(columns)
        _bars(axis, table["n_obs"], bins, count(len(table), "person"))
        axis.vlines(
            median, 0, bins.counts.max() * 1.08, color=theme.INK, linestyle="dashed",
            label=tr("median {median:,g}").format(median=median),
        )  # fmt: skip
        axis.set(xlabel=tr("observations"), ylabel=tr("people"))
        axis.set_xlim(padded(bins.edges[0], bins.edges[-1], least=8))
        axis.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        _counts_axis(axis)
        _legend(axis)
    return figure


def outcome_overview(y: pd.Series, kind: str, *, columns: theme.PrintSize = 1) -> Figure:
    """The outcome's histogram (``kind="number"``) or the share of every state (``"class"``)."""
    table = tables.outcome_overview(y, kind)
    with theme.print_style():
        if kind == "number":
            figure, axis = _figure(columns)
            _bars(axis, y.dropna(), histogram(y), tr("observations"))
            axis.set(xlabel=for_print(y.name, 50), ylabel=tr("observations"))
            _counts_axis(axis)
        else:
            figure, axis = _figure(columns, 16 + 6 * max(len(table), 2))
            _shares(axis, table)
    return figure


def _figure(columns: theme.PrintSize, height_mm: float = _HEIGHT_MM) -> tuple[Figure, Axes]:
    size = (theme.inches(theme.width_mm(columns)), theme.inches(height_mm))
    figure = Figure(figsize=size, layout="constrained")
    axis = figure.subplots()
    axis.grid(visible=True, color=theme.GRID, linewidth=0.5)
    return figure, axis


def _bars(axis: Axes, values: pd.Series, bins: Histogram, name: str) -> None:
    sns.histplot(
        x=values, bins=bins.edges, ax=axis, color=theme.BARS, alpha=1, edgecolor="white",
        linewidth=0.15, label=name, legend=False,
    )  # fmt: skip


def _counts_axis(axis: Axes) -> None:
    axis.grid(visible=False, axis="x")
    axis.set_ylim(bottom=0)
    axis.yaxis.set_major_locator(MaxNLocator(6, integer=True))


def _legend(axis: Axes, entries: list[Artist] | None = None) -> None:
    """Above the axes, left."""
    draw = partial(
        axis.legend, handles=entries or axis.get_legend_handles_labels()[0], loc="lower left",
        bbox_to_anchor=(0, 1), borderaxespad=0.2, handlelength=1.6, columnspacing=1.2,
    )  # fmt: skip
    figure: Any = axis.get_figure(root=True)
    figure.draw_without_rendering()  # only then it is known where the axes begin
    most, left = 1 if entries is None else 3, axis.get_window_extent().x0
    theme.legend_that_fits(figure, draw, most, left)


def _points(axis: Axes, x: np.ndarray, y: np.ndarray, *, color: str = theme.PALETTE[0]) -> None:
    sns.scatterplot(
        x=x, y=y, ax=axis, color=color, s=9, alpha=0.65, linewidth=0.2, legend=False,
        zorder=3,
    )  # fmt: skip


def _scattered(axis: Axes, table: pd.DataFrame) -> None:
    x, y = table["covariate_value"].to_numpy(), table["value"].to_numpy()
    if "band" not in table:
        _points(axis, x, y)
    entries: list[Artist] = []
    for band, colour in theme.band_colours(table).items():
        own = (table["band"] == band).to_numpy()
        _points(axis, x[own], y[own], color=colour)
        name = for_print(band, 36)
        entries.append(Line2D([], [], color=colour, label=name, marker="o", ls="", markersize=3))
    line = least_squares(x, y)
    if line is not None:
        axis.fill_between(line.x, line.low, line.high, color=theme.PERSONS, alpha=0.2, lw=0)
        sns.lineplot(x=line.x, y=line.y, ax=axis, color=theme.INK, zorder=4)
        name = tr("least-squares line, 95 % interval")
        entries.append(Line2D([], [], color=theme.INK, linewidth=0.8, label=name))
    if entries:
        _legend(axis, entries)


def _grouped(axis: Axes, table: pd.DataFrame) -> None:
    groups = group_order(table["covariate_value"])
    codes = table["covariate_value"].map({group: i for i, group in enumerate(groups)})
    for i in range(len(groups)):
        own = np.sort(table["value"].to_numpy()[codes == i])
        if len(own) >= LEAST_BOXED:
            _boxed(axis, box(own), i)
        _points(axis, i + spread(len(own)), own)
    many = len(groups) > 3
    names = [
        for_print(group, 18) + (f" ({n})" if many else f"\nn = {n}")
        for group, n in zip(groups, np.bincount(codes), strict=True)
    ]
    turned: dict[str, Any] = (
        {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if many else {}
    )
    axis.set_xticks(range(len(groups)), names, **turned)
    axis.set_xlim(-0.6, len(groups) - 0.4)
    axis.grid(visible=False, axis="x")


def _boxed(axis: Axes, five: Box, at: int) -> None:
    line = {"color": theme.MUTED, "linewidth": 0.7}
    # seaborn 0.13's boxplot uses an argument that matplotlib 3.11 deprecates.
    axis.bxp(
        [{"med": five.median, "q1": five.q1, "q3": five.q3,
          "whislo": five.low, "whishi": five.high}],
        positions=[at], widths=0.6, showfliers=False, patch_artist=True, zorder=2,
        boxprops={"facecolor": "#E4EDF3", "edgecolor": theme.MUTED, "linewidth": 0.7},
        medianprops=line, whiskerprops=line, capprops=line, manage_ticks=False,
    )  # fmt: skip


def _shares(axis: Axes, table: pd.DataFrame) -> None:
    colours = theme.state_colours(table["state"])
    at = np.arange(len(table))
    sns.barplot(
        x=table["share"].to_numpy(), y=at, orient="h", hue=at, legend=False, ax=axis, width=0.7,
        palette=[colours[state] for state in table["state"]], saturation=1,
    )  # fmt: skip
    for i, (share, n) in enumerate(zip(table["share"], table["count"], strict=True)):
        axis.text(share, i, written(f" {100 * share:.1f} % ({n:,})"), va="center", fontsize=6)
    top = float(table["share"].max())
    axis.set_xlim(0, top * 1.35)
    ticks = share_ticks(top)
    axis.set_xticks(ticks, [f"{100 * tick:.0f} %" for tick in ticks])
    axis.set_yticks(at, [for_print(state, 24) for state in table["state"]])
    axis.set(xlabel=tr("share of observations"), ylabel="")
    axis.grid(visible=False, axis="y")
