"""Figures for the screen (plotly). Show them with ``theme=None`` and `theme.PLOTLY_CONFIG`.

`printed` has the same functions for paper, `tables` the numbers that both draw.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nme_core.figures import tables, theme
from nme_core.figures.labels import all_for_screen, for_screen, parameter_words
from nme_core.figures.screen_curves import group_curves, loss_curves, response_curves
from nme_core.figures.screen_matrix import transition_comparison
from nme_core.figures.screen_missing import missing_values
from nme_core.figures.summaries import (
    LEAST_BOXED,
    Box,
    Histogram,
    box,
    group_order,
    histogram,
    least_squares,
    normal_curve,
    padded,
    random_effect_bins,
    share_ticks,
    spread,
    whole_step,
)
from nme_core.vocabulary.language import tr, written
from nme_core.vocabulary.numbers import number, p_phrase
from nme_core.vocabulary.text import count

__all__ = [
    "covariate_scatter", "group_curves", "hsic_null", "loss_curves", "missing_values",
    "observations_per_person", "outcome_overview", "random_effect_distribution", "response_curves",
    "transition_comparison",
]  # fmt: skip

_TITLE = 70


def random_effect_distribution(
    estimates: pd.Series, variance: float, *, parameter: str
) -> go.Figure:
    """Histogram of the persons' estimates with the model's N(0, variance), one tick per person.

    Parameters
    ----------
    estimates : Series
        One parameter's estimate per person (index); NaN is left out.
    variance : float
        The model's variance of this random effect; 0 draws no curve.
    parameter : str
        Name of the parameter, as shown.
    """
    table = tables.random_effect_distribution(estimates, variance, parameter=parameter)
    bins = random_effect_bins(table["estimate"], variance)
    figure = theme.plotly_figure(
        tr("Random effect {parameter}").format(
            parameter=for_screen(parameter_words(parameter), _TITLE)
        )
    )
    name = tr("estimates of {table}").format(table=count(len(table), "person"))
    if variance == 0:
        name += ", the model's variance is 0"
    figure.add_trace(_bars(bins, tr("people"), name))
    if variance > 0:
        x, y = normal_curve(variance, bins, len(table))
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines",
            line={"color": theme.INK, "width": 2, "simplify": False},
            name=tr("model's distribution, SD {variance}").format(
                variance=number(variance**0.5, 2)
            ),
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=table["estimate"], y=np.zeros(len(table)), mode="markers", showlegend=False,
        marker={"symbol": "line-ns-open", "size": 9, "color": theme.INK, "line": {"width": 1}},
        customdata=all_for_screen(table["person"]), cliponaxis=False,
        hovertemplate=tr("person %{customdata}<br>estimate %{x:.3g}<extra></extra>"),
    )  # fmt: skip
    figure.update_xaxes(title_text=tr("estimate (difference from the population)"))
    figure.update_yaxes(
        title_text=tr("people"), rangemode="tozero", dtick=whole_step(bins.counts.max())
    )
    return figure


def hsic_null(null: np.ndarray, statistic: float, p: float, *, covariate: str) -> go.Figure:
    """Permuted HSIC statistics as a histogram, the observed statistic as a line with its p."""
    table = tables.hsic_null(null, statistic, p, covariate=covariate)
    bins = histogram(table["null_statistic"], whole_numbers=False)
    figure = theme.plotly_figure(
        tr("HSIC with {covariate}").format(covariate=for_screen(covariate, _TITLE))
    )
    name = tr("{table:,} permutations (no dependence)").format(table=len(table))
    figure.add_trace(_bars(bins, tr("permutations"), name))
    figure.add_scatter(
        x=[statistic, statistic],
        y=[0, bins.counts.max() * 1.08],
        mode="lines",
        line={"color": theme.PERSON, "width": 3},
        name=tr("observed {statistic}, {p}").format(
            statistic=number(statistic), p=for_screen(p_phrase(p))
        ),
        hovertemplate=tr("observed %{x:.3g}<extra></extra>"),
    )
    ends = padded(min(bins.edges[0], statistic), max(bins.edges[-1], statistic))
    figure.update_xaxes(title_text=tr("HSIC statistic"), range=ends)
    figure.update_yaxes(title_text=tr("permutations"), rangemode="tozero")
    return figure


def covariate_scatter(
    values: pd.Series,
    covariate: pd.Series,
    *,
    parameter: str,
    covariate_name: str,
    bands: pd.Series | None = None,
) -> go.Figure:
    """One point per person: parameter against covariate; boxes where it is categorical.

    A covariate with two values is categorical; groups of fewer than five persons have no box.

    Parameters
    ----------
    values, covariate : Series
        Both with the person as index; only persons known in both are drawn.
    parameter, covariate_name : str
        Axis titles.
    bands : Series, optional
        Each person's band of a number, which colours the point.
    """
    table = tables.covariate_scatter(
        values, covariate, parameter=parameter, covariate_name=covariate_name, bands=bands
    )
    name = for_screen(covariate_name, _TITLE)
    figure = theme.plotly_figure(
        tr("{parameter} and {covariate_name}").format(
            parameter=for_screen(parameter_words(parameter), 50),
            covariate_name=for_screen(covariate_name, 40),
        )
    )
    figure.update_layout(showlegend=False, margin_t=48)
    figure.update_yaxes(title_text=for_screen(parameter_words(parameter), 40))
    if pd.api.types.is_numeric_dtype(table["covariate_value"]):
        x, y = table["covariate_value"].to_numpy(), table["value"].to_numpy()
        line = least_squares(x, y)
        if line is not None:
            figure.add_scatter(
                x=np.concatenate([line.x, line.x[::-1]]),
                y=np.concatenate([line.high, line.low[::-1]]), fill="toself", mode="none",
                fillcolor=theme.faded(theme.PERSONS), name=tr("95 % interval of the line"),
                hoverinfo="skip",
            )  # fmt: skip
            figure.add_scatter(
                x=line.x, y=line.y, mode="lines", line={"color": theme.INK, "width": 1.5},
                name=tr("least-squares line"), hoverinfo="skip",
            )  # fmt: skip
            figure.update_layout(showlegend=True, margin_t=76)
        if "band" not in table:
            figure.add_trace(_persons(table, x, name))
        for band, colour in theme.band_colours(table).items():
            rows = table[table["band"] == band]
            points = _persons(rows, rows["covariate_value"].to_numpy(), name)
            points.update(name=for_screen(band, 36), showlegend=True, marker_color=colour)
            figure.add_trace(points)
        figure.update_xaxes(title_text=name)
        return figure
    groups = group_order(table["covariate_value"])
    for i, group in enumerate(groups):
        rows = table[table["covariate_value"] == group]
        own = rows["value"].to_numpy()
        if len(own) >= LEAST_BOXED:
            figure.add_trace(_boxed(box(own), i))
        order = np.argsort(own, kind="stable")
        rows = rows.iloc[order]
        figure.add_trace(_persons(rows, i + spread(len(rows)), name, for_screen(group)))
    many = len(groups) > 5
    sizes = table["covariate_value"].value_counts()
    figure.update_xaxes(
        title_text=name, tickvals=list(range(len(groups))), range=[-0.6, len(groups) - 0.4],
        ticktext=[
            for_screen(group, 18) + (f" ({sizes[group]})" if many else f"<br>n = {sizes[group]}")
            for group in groups
        ], showgrid=False, tickangle=-45 if many else 0,
    )  # fmt: skip
    return figure


def observations_per_person(n_obs: pd.Series) -> go.Figure:
    """Histogram of the number of observations per person (index), with the median."""
    table = tables.observations_per_person(n_obs)
    bins = histogram(table["n_obs"])
    median = float(table["n_obs"].median())
    figure = theme.plotly_figure(tr("Observations per person"))
    figure.add_trace(_bars(bins, tr("people"), count(len(table), "person"), whole=True))
    figure.add_scatter(
        x=[median, median], y=[0, bins.counts.max() * 1.08], mode="lines",
        line={"color": theme.INK, "width": 2, "dash": "dash"},
        name=tr("median {median:,g}").format(median=median), hoverinfo="skip",
    )  # fmt: skip
    ends = padded(bins.edges[0], bins.edges[-1], least=8)
    figure.update_xaxes(
        title_text=tr("observations"),
        tickformat=",d",
        range=ends,
        dtick=whole_step(ends[1] - ends[0]),
    )
    figure.update_yaxes(
        title_text=tr("people"), rangemode="tozero", dtick=whole_step(bins.counts.max())
    )
    return figure


def outcome_overview(y: pd.Series, kind: str) -> go.Figure:
    """The outcome's histogram (``kind="number"``) or the share of every state (``"class"``)."""
    table = tables.outcome_overview(y, kind)
    name, n = for_screen(y.name, 50), int(table["count"].sum())
    figure = theme.plotly_figure(f"{name} ({count(n, 'observation')})")
    figure.update_layout(showlegend=False, margin_t=48)
    if kind == "number":
        bins = histogram(y)
        figure.add_trace(_bars(bins, tr("observations"), name))
        figure.update_xaxes(title_text=name)
        figure.update_yaxes(title_text=tr("observations"), rangemode="tozero")
        return figure
    colours = theme.state_colours(table["state"])
    figure.add_bar(
        y=list(range(len(table))), x=table["share"], orientation="h", width=0.7,
        marker={"color": [colours[state] for state in table["state"]]},
        text=[written(f"{100 * s:.1f} % ({c:,})") for s, c in zip(table["share"], table["count"],
                                                         strict=True)],
        textposition="outside", cliponaxis=False, customdata=all_for_screen(table["state"]),
        hovertemplate="%{customdata}<br>%{text}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(
        title_text=tr("share of observations"), tickformat=".0%",
        range=[0, float(table["share"].max()) * 1.5],
        tickvals=share_ticks(float(table["share"].max())),
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(table))), ticktext=[for_screen(s, 24) for s in table["state"]],
        range=[len(table) - 0.4, -0.6], showgrid=False,
    )  # fmt: skip
    figure.update_layout(height=120 + 34 * max(len(table), 3))
    return figure


def _bars(bins: Histogram, what: str, name: str, *, whole: bool = False) -> go.Bar:
    if whole and bins.width == 1:
        ranges = [f"{edge + 0.5:.0f}" for edge in bins.edges[:-1]]
    else:
        inner = 0.5 if whole else 0.0
        edges = zip(bins.edges[:-1] + inner, bins.edges[1:] - inner, strict=True)
        ranges = [
            tr("{low} to {high}").format(low=number(low), high=number(high)) for low, high in edges
        ]
    return go.Bar(
        x=bins.centres, y=bins.counts, width=bins.width * 0.96, name=name, customdata=ranges,
        marker={"color": theme.BARS, "line": {"width": 0}},
        hovertemplate=f"%{{customdata}}<br>%{{y}} {what}<extra></extra>",
    )  # fmt: skip


def _boxed(five: Box, at: int) -> go.Box:
    return go.Box(
        x=[at], q1=[five.q1], median=[five.median], q3=[five.q3], lowerfence=[five.low],
        upperfence=[five.high], width=0.6, line={"color": theme.MUTED, "width": 1.5},
        fillcolor="rgba(143,179,204,0.25)", hoverinfo="skip", showlegend=False,
    )  # fmt: skip


def _persons(
    table: pd.DataFrame, x: np.ndarray, covariate: str, group: str | None = None
) -> go.Scatter:
    """Points with the person in the hover; `covariate` and `group` are ready for the screen."""
    cells = np.empty((len(table), 3), dtype=object)
    cells[:, 0], cells[:, 1], cells[:, 2] = all_for_screen(table["person"]), covariate, group
    value = "%{x:.4~g}" if group is None else "%{customdata[2]}"
    return go.Scatter(
        x=x, y=table["value"], mode="markers", showlegend=False, customdata=cells,
        marker={"color": theme.PALETTE[0], "size": 8, "opacity": 0.65,
                "line": {"color": "#FFFFFF", "width": 0.5}},
        hovertemplate=tr("person %{{customdata[0]}}<br>%{{customdata[1]}} "
"{value}<br>estimate %{{y:.3g}}<extra></extra>").format(value=value),
    )  # fmt: skip
