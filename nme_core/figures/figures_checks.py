"""Charts of model checks: simulated against observed, and calibration."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from nme_core.figures import theme
from nme_core.figures.charts import Chart, Layer, Matrix, Panel
from nme_core.figures.labels import cell
from nme_core.figures.summaries import MOST_PERSONS, difference_limit, lies_outside, padded
from nme_core.figures.words import PERSON_STATISTICS
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import number

#: Panels of the checks of numbers: title, and (check, statistic) with the label of each.
_OF_NUMBERS = {
    "Values": {
        ("distribution", "quantile 0.05"): "5 %",
        ("distribution", "quantile 0.25"): "25 %",
        ("distribution", "quantile 0.5"): "50 %",
        ("distribution", "quantile 0.75"): "75 %",
        ("distribution", "quantile 0.95"): "95 %",
        ("distribution", "mean"): "mean",
    },
    "Spread": {
        ("distribution", "sd"): "all",
        ("persons", "sd of means"): "between",
        ("persons", "mean of sds"): "within",
    },
    "Shape": {
        ("distribution", "skewness"): "skewness",
        ("autocorrelation", "lag 1"): "autocorrelation",
    },
}
_Y_TITLES = {"Values": "outcome", "Spread": "SD of the outcome", "Shape": "no unit"}


def check_numbers(checks: pd.DataFrame) -> Chart:
    """Quantiles, spreads, skewness and autocorrelation: observed, and as the model simulates them.

    ``checks`` has the columns of ``checks.csv``.
    """
    table = _together(checks)
    keyed = table.set_index(["check", "statistic"])
    panels = []
    for title, labels in _OF_NUMBERS.items():
        there = {key: label for key, label in labels.items() if key in keyed.index}
        rows = keyed.loc[list(there)]
        panels.append(_beside(rows, tr(list(there.values())), tr(title), tr(_Y_TITLES)[title]))
    return Chart(tr("Simulated and observed"), panels, table, n_columns=3, height=360)


def check_states(checks: pd.DataFrame) -> Chart:
    """Shares of states, their dwell times and persons' spread: observed and simulated."""
    table = _together(checks)
    titles = {
        "share": (tr("Share of occasions"), tr("share")),
        "dwell": (tr("Stay in a state"), tr("steps")),
        "persons": (tr("Spread between people"), tr("SD of people's shares")),
    }
    panels = []
    for check, (title, y_title) in titles.items():
        rows = table[table["check"] == check].set_index("statistic")
        labels = [str(name).removeprefix("sd of share of ") for name in rows.index]
        panels.append(_beside(rows, labels, title, y_title))
    return Chart(tr("Simulated and observed"), panels, table, n_columns=3, height=360)


def check_transitions(checks: pd.DataFrame) -> Chart:
    """Shares of the next state: observed, simulated, and their difference.

    Framed where the observed share lies outside the middle 95 % of the simulated ones.
    """
    table = _together(checks)
    states = table.loc[table["check"] == "share", "statistic"].tolist()
    rows = table[table["check"] == "transition"].set_index("statistic")
    rows = rows.loc[[f"transitions[{a},{b}]" for a in states for b in states]]
    shape = (len(states), len(states))
    outside = lies_outside(rows).to_numpy().reshape(shape)
    observed, simulated = (rows[name].to_numpy() for name in ("observed", "simulated_mean"))
    reach = difference_limit(observed - simulated)
    pairs = [f"{a} → {b}" for a in states for b in states]
    sides = [
        (tr("Observed"), observed, theme.SEQUENTIAL, (0.0, 1.0), tr("share")),
        (tr("Simulated"), simulated, theme.SEQUENTIAL, (0.0, 1.0), tr("share")),
        (tr("Observed minus simulated"), observed - simulated, theme.DIVERGING, (-reach, reach),
         tr("difference")),
    ]  # fmt: skip
    panels = [
        Panel(
            title, y_title=tr("from") if i == 0 else "", y_ticks=None if i == 0 else (),
            matrix=Matrix(
                values.reshape(shape), states, states, stops, limits, scale,
                texts=[cell(value, sign=i == 2) for value in values],
                marks=outside if i == 2 else None,
                hover=[f"{pair}: {_row_text(row)}" for pair, row in zip(
                    pairs, rows.to_dict("records"), strict=True)],
            ),
        )
        for i, (title, values, stops, limits, scale) in enumerate(sides)
    ]  # fmt: skip
    return Chart(tr("Transitions, simulated and observed"), panels, table, n_columns=3, height=390)


def check_persons(checks: pd.DataFrame) -> Chart:
    """Persons in order of what is simulated for each: observed beside the middle 95 % of it.

    ``checks`` has the columns of ``checks.csv``. One panel per statistic; of very many persons
    every so-manieth is drawn; the numbers have all.
    """
    rows = checks[(checks["check"] == "person") & checks["observed"].notna()]
    table = rows.assign(outside=lies_outside(rows)).reset_index(drop=True)
    panels = []
    for i, (statistic, own) in enumerate(table.groupby("statistic", sort=False)):
        state = str(statistic).removeprefix("share of ")
        title = (
            tr("share of {state}").format(state=state)
            if state != statistic
            else tr(PERSON_STATISTICS).get(state, state)
        )
        panels.append(_persons(own, title, tr("people, in order") if i % 3 == 0 else ""))
    down = -(-len(panels) // 3)
    return Chart(
        tr("Simulated and observed, person by person"),
        panels,
        table,
        n_columns=min(len(panels), 3),
        height=90 + 380 * down,
    )


def _persons(rows: pd.DataFrame, title: str, y_title: str) -> Panel:
    ordered = rows.sort_values("simulated_mean", kind="stable")
    ordered = ordered.assign(rank=np.arange(1.0, len(ordered) + 1))
    drawn = ordered.iloc[:: math.ceil(len(ordered) / MOST_PERSONS)]
    layers = [
        Layer(
            "points", drawn["simulated_mean"].to_numpy(), drawn["rank"].to_numpy(),
            tr("simulated, with 95 %"), theme.PERSONS, low=drawn["simulated_low"].to_numpy(),
            high=drawn["simulated_high"].to_numpy(), across="x", size=3,
        )
    ]  # fmt: skip
    for outside, name, colour, size in (
        (False, tr("observed, inside"), theme.PALETTE[0], 4),
        (True, tr("observed, outside"), theme.PERSON, 7),
    ):
        own = drawn[drawn["outside"] == outside]
        if own.empty:
            continue
        hover = [
            tr("person {person}: {row_text}").format(person=row["person"], row_text=_row_text(row))
            for row in own.to_dict("records")
        ]
        x, y = own["observed"].to_numpy(), own["rank"].to_numpy()
        layers.append(Layer("points", x, y, name, colour, size=size, hover=hover))
    return Panel(
        title, tr("observed and simulated"), y_title, layers, y_range=(0.0, len(ordered) + 1.0),
        y_ticks=(),
    )  # fmt: skip


def calibration_curve(calibration: pd.DataFrame) -> Chart:
    """Observed share against predicted probability, one panel per class.

    ``calibration`` has the rows of one model of ``calibration.csv`` of the kind ``probability``.
    """
    panels = []
    for label, rows in calibration.groupby("class", sort=False):
        points = _with_limits(
            rows,
            "expected",
            [
                tr("{label}: predicted {expected}, observed {observed}").format(
                    label=label, expected=number(row["expected"], 2), observed=_observed(row)
                )
                for row in rows.to_dict("records")
            ],
        )
        panels.append(
            Panel(
                str(label),
                tr("predicted probability"),
                tr("observed share"),
                [_diagonal(), points],
                x_range=(-0.03, 1.03),
                y_range=(-0.03, 1.03),
            )
        )
    columns = min(len(panels), 3)
    rows_of = -(-len(panels) // columns)
    return Chart(
        tr("Calibration"), panels, calibration, n_columns=columns, height=90 + 270 * rows_of
    )


def calibration_numbers(calibration: pd.DataFrame) -> Chart:
    """Coverage of prediction intervals, and where in its distribution each outcome falls.

    ``calibration`` has the rows of one model of ``calibration.csv`` of the kinds ``interval`` and
    ``pit``.
    """
    intervals = calibration[calibration["kind"] == "interval"]
    pit = calibration[calibration["kind"] == "pit"]
    coverage = _with_limits(
        intervals,
        "expected",
        [
            tr("{expected:.0f} % intervals hold {observed}").format(
                expected=100 * row["expected"], observed=_observed(row)
            )
            for row in intervals.to_dict("records")
        ],
    )
    middle = ((pit["low"] + pit["high"]) / 2).to_numpy()
    bars = Layer(
        "bars",
        middle,
        pit["observed"].to_numpy(),
        tr("observed"),
        theme.BARS,
        legend=False,
        hover=[
            tr("{low} to {high}: {observed}").format(
                low=number(row["low"], 2), high=number(row["high"], 2), observed=_observed(row)
            )
            for row in pit.to_dict("records")
        ],
    )
    even = Layer(
        "line", np.array([0.0, 1.0]), np.repeat(pit["expected"].iloc[0], 2), tr("if calibrated"),
        theme.INK, width=1.2, dash="dash",
    )  # fmt: skip
    top = max(float(pit["observed"].max()), float(pit["expected"].max()))
    panels = [
        Panel(
            tr("Prediction intervals"), tr("intended share inside"), tr("share inside"),
            [_diagonal(), coverage], x_range=(0.0, 1.03), y_range=(0.0, 1.03),
        ),
        Panel(
            tr("Place in the predicted distribution"), tr("predicted probability of less"),
            tr("share of occasions"), [bars, even], x_range=(0.0, 1.0), y_range=(0.0, 1.1 * top),
        ),
    ]  # fmt: skip
    return Chart(tr("Calibration"), panels, calibration, n_columns=2, height=360)


def _together(checks: pd.DataFrame) -> pd.DataFrame:
    """Rows about all persons together."""
    table = checks[checks["person"] == ""].drop(columns="person").reset_index(drop=True)
    return table.assign(outside=lies_outside(table))


def _beside(rows: pd.DataFrame, labels: list[str], title: str, y_title: str) -> Panel:
    """Observed and simulated statistics of one unit side by side."""
    at = np.arange(len(rows), dtype=float)
    hover = [
        f"{label}: {_row_text(row)}"
        for label, row in zip(labels, rows.to_dict("records"), strict=True)
    ]
    layers = [
        Layer(
            "points", at - 0.1, rows["simulated_mean"].to_numpy(), tr("simulated, with 95 %"),
            theme.PERSONS, low=rows["simulated_low"].to_numpy(),
            high=rows["simulated_high"].to_numpy(), size=6, hover=hover,
        ),
        Layer(
            "points", at + 0.1, rows["observed"].to_numpy(), "observed", theme.PERSON, size=9,
            hover=hover,
        ),
    ]  # fmt: skip
    columns = ["observed", "simulated_low", "simulated_high"]
    values = rows[columns].to_numpy(dtype=float)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    ends = padded(low, high, least=1.2 * (high - low) or 1e-6)
    if title != "Values" and low >= 0:
        ends = (0.0, 1.12 * high or 1.0)
    return Panel(
        title, "", y_title, layers, x_range=(-0.6, len(rows) - 0.4),
        y_range=ends,
        x_ticks=list(zip(at, labels, strict=True)),
    )  # fmt: skip


def _row_text(row: dict[str, float]) -> str:
    low, high = number(row["simulated_low"], 2), number(row["simulated_high"], 2)
    return tr("observed {observed}, simulated {low} to {high}").format(
        observed=number(row["observed"], 2), low=low, high=high
    )


def _observed(row: dict[str, float]) -> str:
    low, high = number(row["ci_low"], 2), number(row["ci_high"], 2)
    return tr("{observed} ({low} to {high}, n = {n:,.0f})").format(
        observed=number(row["observed"], 2), low=low, high=high, n=row["n"]
    )


def _diagonal() -> Layer:
    ends = np.array([0.0, 1.0])
    return Layer("line", ends, ends, tr("if calibrated"), theme.INK, width=1.2, dash="dash")


def _with_limits(rows: pd.DataFrame, x: str, hover: list[str]) -> Layer:
    return Layer(
        "points",
        rows[x].to_numpy(),
        rows["observed"].to_numpy(),
        tr("observed, with 95 % interval"),
        theme.PALETTE[0],
        low=rows["ci_low"].to_numpy(),
        high=rows["ci_high"].to_numpy(),
        size=7,
        hover=hover,
    )
