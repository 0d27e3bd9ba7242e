"""Charts of a study's rows before anything is modelled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from nme_core.figures import theme
from nme_core.figures.charts import Chart, Layer, Matrix, Panel, Range
from nme_core.figures.labels import cell
from nme_core.figures.summaries import padded
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import number

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def raw_series(
    rows: Mapping[str, pd.DataFrame], *, outcome: str, states: Sequence[str] = (), time: str = ""
) -> Chart:
    """Each person's own rows in order of time: a line of numbers, or a ribbon of states.

    Parameters
    ----------
    rows : mapping from person to DataFrame
        Columns ``at`` (a number) and ``value``.
    outcome : str
        Name of the outcome.
    states : sequence of str
        All states, where the outcome is one.
    time : str
        What ``at`` is.
    """
    alone, columns = len(rows) == 1, 1 if len(rows) == 1 else 2 if states else 3
    ends = None if states else _common_range(rows.values())
    panels = []
    for i, (person, own) in enumerate(rows.items()):
        x_title = time if i + columns >= len(rows) else ""
        y_title = outcome if i % columns == 0 and not states else ""
        panels.append(
            _ribbon(person, own, x_title, states)
            if states
            else _line(person, own, (x_title, y_title), ends)
        )
    table = pd.concat([own.assign(person=person) for person, own in rows.items()])
    each = (170 if states else 320) if alone else (92 if states else 190)
    down = -(-len(panels) // columns)
    return Chart(
        tr("{outcome} over time").format(outcome=outcome),
        panels,
        table,
        n_columns=columns,
        height=110 + each * down,
    )


def distributions(table: pd.DataFrame) -> Chart:
    """Histograms, one panel per column; ``table`` has the columns column, centre and count."""
    panels = [
        Panel(
            str(name), "", tr("rows") if i % 3 == 0 else "",
            [Layer("bars", own["centre"].to_numpy(float), own["count"].to_numpy(float),
                   colour=theme.BARS)],
        )
        for i, (name, own) in enumerate(table.groupby("column", sort=False))
    ]  # fmt: skip
    down = -(-len(panels) // 3)
    return Chart(tr("Distributions"), panels, table, n_columns=3, height=90 + 200 * down)


def correlations_apart(within: pd.DataFrame, between: pd.DataFrame) -> Chart:
    """Correlations within people and of people's means, side by side."""
    panels = [
        Panel(tr("Within people"), matrix=_correlations(within)),
        Panel(tr("Between people"), matrix=_correlations(between), y_ticks=()),
    ]
    numbers = pd.concat(
        [
            table.rename_axis(index="column").melt(
                ignore_index=False, var_name="column_2", value_name="correlation"
            ).reset_index().assign(level=level)
            for level, table in (("within", within), ("between", between))
        ]
    )  # fmt: skip
    return Chart(
        tr("Correlations"), panels, numbers, n_columns=2, height=min(220 + 30 * len(within), 720)
    )


def by_moment(table: pd.DataFrame, *, outcome: str) -> Chart:
    """The outcome by hour of the day and day of the week, with 95 % intervals over people."""
    states = [state for state in dict.fromkeys(table["state"]) if state]
    colours = theme.state_colours(states) if states else {"": theme.PALETTE[0]}
    panels = []
    for unit, own in table.groupby("unit", sort=False):
        layers = [
            Layer(
                "points", part["at"].to_numpy(float), part["value"].to_numpy(float), str(state),
                colours[str(state)], low=part["ci_low"].to_numpy(float),
                high=part["ci_high"].to_numpy(float), size=7,
                hover=[tr("{value} ({n:,} rows)").format(value=number(row['value']), n=row['n'])
                       for row in part.to_dict("records")],
            )
            for state, part in own.groupby("state", sort=False)
        ]  # fmt: skip
        weekday = unit == "weekday"
        ticks = [*enumerate(tr(_DAYS))] if weekday else [(h, f"{h}:00") for h in range(0, 24, 4)]
        panels.append(
            Panel(
                tr("Day of the week") if weekday else tr("Hour of the day"), "",
                tr("share of the rows") if states else outcome, layers,
                x_range=(-0.5, 6.5) if weekday else (-0.5, 23.5),
                x_ticks=[(float(at), label) for at, label in ticks],
            )
        )  # fmt: skip
    return Chart(
        tr("{outcome} by time").format(outcome=outcome), panels, table, n_columns=2, height=360
    )


def _line(person: str, own: pd.DataFrame, titles: tuple[str, str], ends: Range | None) -> Panel:
    at, value = own["at"].to_numpy(float), own["value"].to_numpy(float)
    layers = [
        Layer("line", at, value, colour=theme.PERSON, width=1.2, legend=False),
        Layer(
            "points", at, value, colour=theme.PERSON, size=4, legend=False,
            hover=[f"{number(a)}: {number(v)}" for a, v in zip(at, value, strict=True)],
        ),
    ]  # fmt: skip
    return Panel(
        tr("Person {person}").format(person=person), *titles, layers, y_range=ends,
        x_range=padded(float(at.min()), float(at.max()), least=0.5),
    )  # fmt: skip


def _ribbon(person: str, own: pd.DataFrame, x_title: str, states: Sequence[str]) -> Panel:
    codes, colours = {state: i for i, state in enumerate(states)}, theme.state_colours(states)
    values = np.array([[codes.get(label, np.nan) for label in own["value"]]])
    every = max(1, len(own) // 6)
    ticks = [_tick(at) if i % every == 0 else "" for i, at in enumerate(own["at"])]
    matrix = Matrix(
        values, [""], ticks, theme.SEQUENTIAL, (0, max(len(states) - 1, 1)), "state",
        hover=[f"{_tick(at)}: {label or 'missing'}"
               for at, label in zip(own["at"], own["value"], strict=True)],
        legend=[(state, colours[state]) for state in states],
    )  # fmt: skip
    return Panel(tr("Person {person}").format(person=person), x_title, matrix=matrix)


def _tick(at: float) -> str:
    return f"{round(at, 2):,g}" if abs(at) < 1e6 else number(at)


def _correlations(table: pd.DataFrame) -> Matrix:
    values = table.to_numpy(float)
    few = len(table) <= 12
    names = [str(name) for name in table.index]
    return Matrix(
        values, names, names, theme.DIVERGING, (-1.0, 1.0), tr("correlation"),
        texts=[cell(value, sign=True) for value in values.ravel()] if few else (),
        hover=[tr("{a} and {b}: {values}").format(a=a, b=b, values=number(values[i, k], 2))
               for i, a in enumerate(names) for k, b in enumerate(names)],
    )  # fmt: skip


def _common_range(tables: Iterable[pd.DataFrame]) -> Range:
    values = np.concatenate([own["value"].to_numpy(float) for own in tables])
    known = values[np.isfinite(values)]
    if not len(known):
        return (0.0, 1.0)
    return padded(float(known.min()), float(known.max()), least=1e-9)
