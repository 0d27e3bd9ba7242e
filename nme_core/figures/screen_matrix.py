"""Transition matrices for the screen (plotly)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nme_core.figures import tables, theme
from nme_core.figures.frames import add_frames
from nme_core.figures.labels import distinct, for_screen, tally
from nme_core.figures.matrices import (
    CELL_NAMES,
    LABEL_LENGTH,
    Panel,
    comparison_panels,
    marked,
    panel_titles,
)  # fmt: skip
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import number

_MATRIX, _TOP, _GAP = 290, 50, 0.024
#: Width of a panel on a narrow page, where names must not run into each other.
_NARROWEST = 160


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
) -> go.Figure:
    """One person's transition matrix, the population's, and their difference, side by side.

    From-states stand in rows, top to bottom in the population's order, to-states in columns.
    Probabilities have a fixed 0 to 1 colour scale; scores and the difference are centred at 0. A
    transition that was never observed (NaN) is grey with a dash.

    Parameters
    ----------
    person, population : DataFrame
        from × to.
    person_label : str
        The person as shown.
    readout : {"scores", "conditional", "expected", "observed"}
        Which matrix this is.
    counts : DataFrame, optional
        How often the person made each transition.
    limit : float, optional
        Largest absolute difference of any person: then all persons' differences share one scale.
    low, high : DataFrame, optional
        Ends of the intervals of the person's values; cells whose interval excludes the
        population have a frame.
    other : str, optional
        A second person, whose matrix stands in the population's place.
    other_counts : DataFrame, optional
        How often this one made each transition.

    Raises
    ------
    ValueError
        Unknown read-out, or states that do not agree.
    """
    table = tables.transition_comparison(
        person, population, person_label=person_label, readout=readout, counts=counts,
        low=low, high=high, other=other, other_counts=other_counts,
    )  # fmt: skip
    panels = comparison_panels(table, compact_from=7, limit=limit)
    names = distinct(list(table["to"].unique()), LABEL_LENGTH)
    shown, k = [for_screen(name) for name in names], len(names)
    hover, longest = _hover(table, k), max(len(name) for name in names)
    tilted = longest * 7.2 > _NARROWEST / k
    under = 22 + (5.4 * longest if tilted else 14) + 22
    figure = go.Figure(layout={"template": theme.plotly_template()})
    titles = [for_screen(title, 34) for title in panel_titles(table)]
    for i, (panel, title) in enumerate(zip(panels, titles, strict=True)):
        start = i * (1 + _GAP) / 3
        axis, stop = "" if i == 0 else str(i + 1), start + (1 - 2 * _GAP) / 3
        figure.add_heatmap(
            z=panel.values, x=np.arange(k), y=np.arange(k), xaxis=f"x{axis}", yaxis=f"y{axis}",
            coloraxis="coloraxis2" if i == 2 else "coloraxis", xgap=1, ygap=1, customdata=hover,
            hoverongaps=False, hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
        _write(figure, panel, axis, tables.counts_of(table, i) if k <= 5 else None)
        _mark_empty(figure, panel, hover, axis)
        if i != 1:
            add_frames(figure, zip(*marked(table), strict=True), axis)
        figure.update_layout(
            {
                f"xaxis{axis}": _axis(shown, start, stop, f"y{axis}") | {
                    "title": {"text": tr("to"), "standoff": 4}, "tickangle": -45 if tilted else 0,
                    "range": [-0.5, k - 0.5], "side": "bottom",
                },
                f"yaxis{axis}": _axis(shown, 0, 1, f"x{axis}") | {
                    "range": [k - 0.5, -0.5], "showticklabels": i == 0,
                    "title": {"text": tr("from") if i == 0 else "", "standoff": 6},
                },
            }
        )  # fmt: skip
        figure.add_annotation(
            text=f"<b>{title}</b>", x=start, y=1, xref="paper", yref="paper", xanchor="left",
            yanchor="bottom", showarrow=False, font={"size": 13}, yshift=5,
        )  # fmt: skip
    bar = -under / _MATRIX
    half = (1 - 2 * _GAP) / 3
    own, difference = panels[0], panels[2]
    figure.update_layout(
        coloraxis=_colours(own, tr(CELL_NAMES)[readout], half + _GAP / 2, bar, length=0.5),
        coloraxis2=_colours(
            difference, tr("difference") if other else tr("person − population"), 1 - half / 2,
            bar, length=half * 0.9,
        ),
        margin={"l": 54 + 7 * longest, "r": 12, "t": _TOP, "b": under + 66},
        height=_TOP + _MATRIX + under + 66, showlegend=False, plot_bgcolor=theme.EMPTY,
    )  # fmt: skip
    return figure


def _axis(shown: list[str], start: float, stop: float, anchor: str) -> dict[str, object]:
    return {
        "domain": [start, min(stop, 1)], "anchor": anchor, "tickvals": list(range(len(shown))),
        "ticktext": shown, "showgrid": False, "showline": False, "ticks": "",
        "fixedrange": True, "ticklabelstandoff": 3, "automargin": False, "type": "linear",
    }  # fmt: skip


def _colours(panel: Panel, title: str, x: float, y: float, *, length: float) -> dict[str, object]:
    return {
        "colorscale": theme.plotly_scale(panel.stops), "cmin": panel.low, "cmax": panel.high,
        "colorbar": {
            "orientation": "h", "x": x, "xanchor": "center", "y": y, "yanchor": "top",
            "len": length, "thickness": 10, "nticks": 6, "outlinewidth": 0.5,
            "outlinecolor": "#9AA3AD", "tickfont": {"size": 11}, "xpad": 0, "ypad": 0,
            "title": {"text": title, "side": "bottom", "font": {"size": 12}},
        },
    }  # fmt: skip


def _write(figure: go.Figure, panel: Panel, axis: str, counts: pd.Series | None) -> None:
    if not panel.texts:
        return
    texts = list(panel.texts)
    if counts is not None and counts.notna().any():
        texts = [
            f"{text}<br><span style='font-size:10px'>n={tally(n)}</span>"
            for text, n in zip(texts, counts, strict=True)
        ]
    k = len(panel.values)
    rows, columns = np.nonzero(np.isfinite(panel.values))
    chosen = rows * k + columns
    figure.add_scatter(
        x=columns, y=rows, mode="text", text=[texts[i] for i in chosen], hoverinfo="skip",
        textfont={"color": [panel.text_colours[i] for i in chosen], "size": _text_size(k)},
        xaxis=f"x{axis}", yaxis=f"y{axis}",
    )  # fmt: skip


def _text_size(k: int) -> int:
    return 14 if k <= 4 else 12 if k <= 6 else 11 if k == 7 else 10


def _hover(table: pd.DataFrame, k: int) -> np.ndarray:
    """Text for the hover of each cell, the same in all panels."""
    lines = []
    for row in table.to_dict("records"):
        beside = (
            tr("person {other} {other_value}").format(
                other=for_screen(row["other"], 20), other_value=number(row["other_value"])
            )
            if "other" in row
            else tr("population {population_value}").format(
                population_value=number(row["population_value"])
            )
        )
        who = (
            tr("person {person}").format(person=for_screen(row["person"], 20))
            if "other" in row
            else tr("person")
        )
        text = tr("{value} → {to}<br>{who} {value_2}, {beside}<br>difference {difference}").format(
            value=for_screen(row["from"]),
            to=for_screen(row["to"]),
            who=who,
            value_2=number(row["value"]),
            beside=beside,
            difference=number(row["difference"], sign=True),
        )
        if np.isfinite(row.get("ci_low", np.nan)):
            text += f"<br>95 % interval {number(row['ci_low'])} to {number(row['ci_high'])}"
            text += ", excludes the population" if row["beyond"] else ""
        if not np.isfinite(row["value"]):
            text += tr("<br>never in this state")
        if not pd.isna(row["count"]):
            whose = f"{who}: " if "other" in row else ""
            how = "observed" if float(row["count"]).is_integer() else "expected"
            text += tr("<br>{whose}{how} {count} times").format(
                whose=whose, how=how, count=tally(row["count"])
            )
        lines.append(text)
    return np.array(lines, dtype=object).reshape(k, k)


def _mark_empty(figure: go.Figure, panel: Panel, hover: np.ndarray, axis: str) -> None:
    rows, columns = panel.empty
    if len(rows) == 0:
        return
    axes = {"xaxis": f"x{axis}", "yaxis": f"y{axis}"}
    # A matrix of its own, as the hover of a text reaches only a few pixels around it.
    figure.add_heatmap(
        z=np.where(np.isfinite(panel.values), np.nan, 0.0), customdata=hover, xgap=1, ygap=1,
        colorscale=[(0, theme.EMPTY), (1, theme.EMPTY)], showscale=False, hoverongaps=False,
        hovertemplate="%{customdata}<extra></extra>", **axes,
    )  # fmt: skip
    figure.add_scatter(
        x=columns, y=rows, mode="text", text=["\u2013"] * len(rows), hoverinfo="skip",
        textfont={"color": theme.MUTED, "size": 14}, **axes,
    )  # fmt: skip
