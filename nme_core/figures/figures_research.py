"""Charts of the research tools."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nme_core.figures import theme
from nme_core.figures.charts import Chart, Layer, Panel
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import number
from nme_core.vocabulary.terms import metric_name, placement_name

_GENERIC = "generic"
#: Intervals of several placements stand so far beside each other, as a share of the axis.
_ASIDE = 0.02


def learning_curve(summary: pd.DataFrame) -> Chart:
    """Loss by rows a person, one line per placement, and its difference from one model for all.

    ``summary`` is ``ablation_summary.csv``; of several numbers of people the largest is drawn.
    """
    table = summary[summary["n_persons"] == summary["n_persons"].max()]
    own = table[table["reference"] == _GENERIC].sort_values("rows")
    names = list(dict.fromkeys(own["placement"]))
    colours = dict(zip(names, theme.PALETTE, strict=False))
    metric = metric_name(str(own["metric"].iloc[0]))
    shared = own.drop_duplicates("share")
    shared_x, shared_y = _floats(shared, "rows"), _floats(shared, "reference_loss")
    losses = [
        Layer("line", shared_x, shared_y, tr("one model for all"), theme.POPULATION, dash="dash",
              hover=_hover(tr("one model for all"), shared_x, shared_y))
    ]  # fmt: skip
    gains = [Layer("line", shared_x, np.zeros(len(shared_x)), "", theme.POPULATION, dash="dash",
                   legend=False)]  # fmt: skip
    for name in names:
        rows = own[own["placement"] == name]
        x, y, gain = _floats(rows, "rows"), _floats(rows, "loss"), _floats(rows, "difference")
        low, high = _floats(rows, "ci_low"), _floats(rows, "ci_high")
        aside = (names.index(name) - (len(names) - 1) / 2) * _ASIDE * float(np.ptp(shared_x))
        words = placement_name(name)
        losses.append(Layer("line", x, y, words, colours[name], hover=_hover(words, x, y)))
        gains.append(
            Layer(
                "line",
                x + aside,
                gain,
                name,
                colours[name],
                legend=False,
                hover=_hover(name, x, gain),
            )
        )
        if np.isfinite(low + high).all():
            gains.append(
                Layer("points", x + aside, gain, name, colours[name], low=low, high=high,
                      legend=False, hover=_hover(name, x, gain))
            )  # fmt: skip
    panels = [
        Panel("", tr("rows a person"), metric, losses),
        Panel(
            "",
            tr("rows a person"),
            tr("{metric}, less one model for all").format(metric=metric),
            gains,
        ),
    ]
    return Chart(tr("Where person-specific parameters pay"), panels, table, n_columns=2)


def specification_curve(worlds: pd.DataFrame, *, claim: str, null: float = 0.0) -> Chart:
    """Estimates of all worlds of ``multiverse.csv`` in order, over the choices they were made by.

    Worlds in which the claim holds are in colour; below, a point says which value of a choice a
    world has.
    """
    table = worlds[worlds["estimate"].notna()].sort_values("estimate", kind="stable")
    table = table.reset_index(drop=True)
    fixed = {"world", "estimate", "ci_low", "ci_high", "holds", "note"}
    choices = [name for name in table if name not in fixed and table[name].nunique() > 1]
    x = np.arange(1.0, len(table) + 1)
    holds = table["holds"].astype(str).str.lower().eq("true").to_numpy()
    hover = [
        f"world {row.world}: {number(row.estimate)} ({number(row.ci_low)} to {number(row.ci_high)})"
        for row in table.itertuples()
    ]
    layers = [Layer("line", np.array([0.5, len(table) + 0.5]), np.full(2, null), "",
                    theme.POPULATION, dash="dash", legend=False)]  # fmt: skip
    for name, which, colour in (
        (tr("the claim holds"), holds, theme.PALETTE[0]),
        (tr("it does not"), ~holds, theme.PERSONS),
    ):
        if which.any():
            rows = table[which]
            layers.append(
                Layer(
                    "points",
                    x[which],
                    _floats(rows, "estimate"),
                    name,
                    colour,
                    size=5,
                    low=_floats(rows, "ci_low"),
                    high=_floats(rows, "ci_high"),
                    hover=[text for text, one in zip(hover, which, strict=True) if one],
                )
            )
    values = [(name, value) for name in choices for value in dict.fromkeys(table[name].astype(str))]
    at = {pair: len(values) - k for k, pair in enumerate(values)}
    marks = [
        (x[i], at[name, str(table[name].iloc[i])], holds[i])
        for i in range(len(table)) for name in choices
    ]  # fmt: skip
    ends = (0.5, len(table) + 0.5)
    panels = [Panel("", tr("worlds, by estimate"), tr("estimate"), layers, x_range=ends)]
    if marks:
        across, up, kept = (np.array(one) for one in zip(*marks, strict=True))
        points = Layer(
            "points", across, up.astype(float), "", theme.PERSONS, size=3, legend=False,
            colours=[theme.PALETTE[0] if one else theme.PERSONS for one in kept],
        )  # fmt: skip
        ticks = [(float(place), f"{name}: {value}") for (name, value), place in at.items()]
        panels.append(
            Panel("", "", "", [points], x_range=ends, x_ticks=[], y_ticks=ticks,
                  y_range=(0.5, len(values) + 0.5))
        )  # fmt: skip
    return Chart(claim, panels, table, height=420 + 16 * len(values))


def power_curve(table: pd.DataFrame, *, test: str, wanted: float = 0.8) -> Chart:
    """Share of simulated studies that find an effect, by people; one line per effect and rows.

    ``table`` is ``power.csv``; one of its tests is drawn, with Wilson's intervals.
    """
    own = table[table["test"] == test]
    kinds = list(dict.fromkeys(own[["effect", "n_rows"]].itertuples(index=False, name=None)))
    people = sorted(own["n_persons"].unique())
    ends = (people[0] - 0.08 * (np.ptp(people) or 10), people[-1] + 0.08 * (np.ptp(people) or 10))
    layers = [
        Layer(
            "line",
            np.array(ends),
            np.full(2, wanted),
            tr("{wanted:.0f} % wanted").format(wanted=100 * wanted),
            theme.POPULATION,
            dash="dash",
        )
    ]
    for k, (effect, n_rows) in enumerate(kinds):
        rows = own[(own["effect"] == effect) & (own["n_rows"] == n_rows)].sort_values("n_persons")
        name, colour = (
            tr("effect {effect}, {n_rows} rows").format(effect=number(effect), n_rows=n_rows),
            theme.PALETTE[k % 8],
        )
        x, y = _floats(rows, "n_persons"), _floats(rows, "power")
        x = x + (k - (len(kinds) - 1) / 2) * 0.3 * _ASIDE * float(np.ptp(people))
        hover = [f"{name}, {one.n_persons} people: {number(one.power)} ({number(one.ci_low)} to "
                 f"{number(one.ci_high)})" for one in rows.itertuples()]  # fmt: skip
        layers += [
            Layer("line", x, y, name, colour, hover=hover),
            Layer("points", x, y, name, colour, low=_floats(rows, "ci_low"),
                  high=_floats(rows, "ci_high"), legend=False, hover=hover),
        ]  # fmt: skip
    panel = Panel("", tr("people"), tr("share of studies that find it"), layers, x_range=ends,
                  y_range=(-0.03, 1.03), x_ticks=[(float(n), str(n)) for n in people])  # fmt: skip
    return Chart(tr("Power"), [panel], own)


def study_coverage(
    table: pd.DataFrame, *, names: Mapping[str, str], band: tuple[float, float]
) -> Chart:
    """Share of 95 % intervals that held what was drawn, one row per quantity, with the band wanted.

    ``table`` is ``calibration_study.csv``, each quantity as a whole; ``names`` are its quantities'.
    """
    rows = table.iloc[::-1].reset_index(drop=True)
    y = np.arange(1.0, len(rows) + 1)
    low, high = _floats(rows, "ci_low"), _floats(rows, "ci_high")
    outside = rows["status"].eq("outside").to_numpy()
    ends = np.array([0.4, len(rows) + 0.6])
    layers = [
        Layer("line", np.full(2, edge), ends, "wanted" if edge == band[0] else "",
              theme.POPULATION, dash="dash", legend=edge == band[0])
        for edge in band
    ]  # fmt: skip
    for name, which, colour in (
        (tr("inside, or not told apart"), ~outside, theme.PALETTE[0]),
        ("outside", outside, theme.PALETTE[1]),
    ):
        if which.any():
            told = [
                f"{names[one.quantity]}: {number(one.coverage)} ({number(one.ci_low)} to "
                f"{number(one.ci_high)})" for one in rows[which].itertuples()
            ]  # fmt: skip
            layers.append(
                Layer("points", _floats(rows, "coverage")[which], y[which], name, colour,
                      low=low[which], high=high[which], across="x", hover=told)
            )  # fmt: skip
    ticks = [(float(at), names[one]) for at, one in zip(y, rows["quantity"], strict=True)]
    left = min(0.8, float(np.nanmin(low)) - 0.02)
    panel = Panel(
        "",
        tr("share of intervals that contain the truth"),
        "",
        layers,
        x_range=(left, 1.01),
        y_range=(0.4, len(rows) + 0.6),
        y_ticks=ticks,
    )
    return Chart(tr("Coverage in this study"), [panel], rows, height=200 + 34 * len(rows))


def replication(table: pd.DataFrame, *, names: Mapping[str, str]) -> Chart:
    """Effects of study A and of study B with their intervals, the strongest of A on top.

    ``table`` is ``replication.csv`` without HSIC; ``names`` are its parameters'.
    """
    rows = table.iloc[::-1].reset_index(drop=True)
    y = np.arange(1.0, len(rows) + 1)
    layers = [
        Layer("line", np.zeros(2), np.array([0.4, len(rows) + 0.6]), "", theme.POPULATION,
              dash="dash", legend=False),
    ]  # fmt: skip
    if rows["prediction_low"].notna().any():
        low, high = _floats(rows, "prediction_low"), _floats(rows, "prediction_high")
        layers.append(
            Layer("points", _floats(rows, "estimate_b"), y - 0.15, tr("where A lets B expect it"),
                  theme.PERSONS, low=low, high=high, across="x", size=1)
        )  # fmt: skip
    for side, aside, colour in (("a", 0.15, theme.PALETTE[0]), ("b", -0.15, theme.PALETTE[1])):
        low, high = _floats(rows, f"ci_low_{side}"), _floats(rows, f"ci_high_{side}")
        x = _floats(rows, f"estimate_{side}")
        told = [
            tr("{names}, study {side}: {a} ({b} to {c})").format(
                names=names[one], side=side.upper(), a=number(a), b=number(b), c=number(c)
            )
            for one, a, b, c in zip(rows["parameter"], x, low, high, strict=True)
        ]
        layers.append(
            Layer(
                "points",
                x,
                y + aside,
                tr("study {side}").format(side=side.upper()),
                colour,
                low=low,
                high=high,
                across="x",
                hover=told,
            )
        )
    ticks = [(float(at), names[one]) for at, one in zip(y, rows["parameter"], strict=True)]
    panel = Panel("", "effect", "", layers, y_range=(0.4, len(rows) + 0.6), y_ticks=ticks)
    return Chart(tr("Both studies"), [panel], rows, height=200 + 40 * len(rows))


def _floats(table: pd.DataFrame, column: str) -> np.ndarray:
    return table[column].to_numpy(dtype=float)


def _hover(name: str, x: np.ndarray, y: np.ndarray) -> list[str]:
    return [
        tr("{name}, {a} rows: {b}").format(name=name, a=number(a), b=number(b))
        for a, b in zip(x, y, strict=True)
    ]
