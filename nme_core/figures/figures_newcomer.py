"""Charts of a new person: a curve with its band, and how intervals narrow."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nme_core.figures import theme
from nme_core.figures.charts import Chart, Layer, Panel
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import number


def newcomer_curve(
    own: pd.DataFrame, population: pd.DataFrame, *, person: str, feature: str, outcome: str
) -> Chart:
    """Expected outcome along a feature with its interval, over the population's.

    Both tables have the columns x and value, ``own`` also ci_low and ci_high (may be empty).
    """
    own, population = (table.sort_values("x") for table in (own, population))
    x = own["x"].to_numpy(dtype=float)
    low, high = own["ci_low"].to_numpy(dtype=float), own["ci_high"].to_numpy(dtype=float)
    band = [Layer("band", x, x, tr("95 % interval"), theme.PERSON, low, high)]
    layers = [
        *(band if np.isfinite(low + high).all() else []),
        _curve(population, tr("population"), theme.POPULATION),
        _curve(own, tr("person {person}").format(person=person), theme.PERSON),
    ]
    panel = Panel("", feature, outcome, layers)
    numbers = pd.concat([own.assign(level="person"), population.assign(level="population")])
    return Chart(
        tr("Response of {outcome} to {feature}").format(outcome=outcome, feature=feature),
        [panel],
        numbers,
    )


def narrowing(
    table: pd.DataFrame, *, population: dict[str, float], value_name: str, probability: bool
) -> Chart:
    """A value with its interval against the number of outcomes that it rests on.

    ``table`` has the columns what (a panel each), k, value, ci_low, ci_high; ``population`` the
    population's value for each ``what``, drawn as a dashed line. Panels share their range, 0 to 1
    for probabilities.
    """
    names = list(dict.fromkeys(table["what"]))
    values = [*table["value"], *table["ci_low"], *table["ci_high"], *population.values()]
    finite = [value for value in values if np.isfinite(value)]
    room = 0.05 * (max(finite) - min(finite)) or 0.1
    ends = (0.0, 1.0) if probability else (min(finite) - room, max(finite) + room)
    steps = sorted(set(table["k"]))
    panels = [
        _narrowing_panel(table[table["what"] == what], what, population[what], steps, ends,
                         value_name if i % 4 == 0 else "")
        for i, what in enumerate(names)
    ]  # fmt: skip
    rows = -(-len(panels) // 4)
    return Chart(
        tr("How the interval narrows"), panels, table, n_columns=4 if len(panels) > 1 else 1,
        height=110 + 230 * rows,
    )  # fmt: skip


def _narrowing_panel(
    rows: pd.DataFrame, what: str, shared: float, steps: list[int],
    ends: tuple[float, float], y_title: str,
) -> Panel:  # fmt: skip
    at = np.array([steps.index(k) for k in rows["k"]], dtype=float)
    known = rows[["ci_low", "ci_high"]].notna().all(axis=None)
    layers = [
        Layer("line", np.array([-0.5, len(steps) - 0.5]), np.full(2, shared), tr("population"),
              theme.POPULATION, width=1.5, dash="dash"),
        Layer(
            "points", at, rows["value"].to_numpy(dtype=float), tr("this person"), theme.PERSON,
            low=rows["ci_low"].to_numpy(dtype=float) if known else None,
            high=rows["ci_high"].to_numpy(dtype=float) if known else None, size=9,
            hover=[
                f"after {row['k']}: {number(row['value'])} "
                f"({number(row['ci_low'])} to {number(row['ci_high'])})"
                for row in rows.to_dict("records")
            ],
        ),
    ]  # fmt: skip
    return Panel(
        what, tr("outcomes"), y_title, layers, x_range=(-0.5, len(steps) - 0.5), y_range=ends,
        x_ticks=[(i, str(k)) for i, k in enumerate(steps)],
    )  # fmt: skip


def _curve(rows: pd.DataFrame, name: str, colour: str) -> Layer:
    x, value = rows["x"].to_numpy(dtype=float), rows["value"].to_numpy(dtype=float)
    hover = [f"{name}: {number(a)} → {number(b)}" for a, b in zip(x, value, strict=True)]
    return Layer("line", x, value, name, colour, width=3, hover=hover)
