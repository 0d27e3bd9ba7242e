"""Charts of transitions between states."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from dashboard.plots import theme
from dashboard.plots.charts import LONGEST_LABEL, Chart, Layer, Matrix, Panel
from dashboard.plots.labels import cell, count, number
from dashboard.plots.matrices import CELL_NAMES
from dashboard.plots.summaries import difference_limit, value_limits

#: Moves that are rarer are not drawn as arrows.
RAREST = 0.02
_SMALL, _LARGE = 230, 300


def transition_multiples(
    matrices: Mapping[str, pd.DataFrame], *, readout: str, notes: Mapping[str, str]
) -> Chart:
    """One small matrix for each person, in the order given, on one scale.

    ``notes`` says something about a person beside the name, such as the value of a covariate.
    """
    values = [matrix.to_numpy(dtype=float) for matrix in matrices.values()]
    limits = value_limits(readout, *values)
    panels = [
        Panel(
            title=f"{person} {notes.get(person, '')}".strip(),
            matrix=_matrix(matrix, readout, limits, written=False, who=f"person {person}"),
            # Names stand at the left and under the last matrix of each column only.
            y_ticks=None if i % 4 == 0 else (),
            x_ticks=None if i + 4 >= len(matrices) else (),
        )
        for i, (person, matrix) in enumerate(matrices.items())
    ]
    rows = -(-len(panels) // 4)
    return Chart(
        "Transitions, person by person", panels, _long(matrices, "person"), n_columns=4,
        height=90 + _SMALL * rows,
    )  # fmt: skip


def group_transitions(
    groups: Mapping[str, tuple[int, pd.DataFrame]], *, readout: str, covariate: str
) -> Chart:
    """Mean matrix of each group, and the first (lowest) group's minus the last one's."""
    names = list(groups)
    between = f"{names[0]} minus {names[-1]}"
    means = {name: matrix for name, (_, matrix) in groups.items()}
    limits = value_limits(readout, *(m.to_numpy(dtype=float) for m in means.values()))
    panels = [
        Panel(
            title=f"{name} ({count(n, 'person')})", y_title="from" if i == 0 else "",
            matrix=_matrix(matrix, readout, limits, written=True, who=f"mean of {name}"),
            y_ticks=None if i % 3 == 0 else (),
        )
        for i, (name, (n, matrix)) in enumerate(groups.items())
    ]  # fmt: skip
    difference = means[names[0]] - means[names[-1]]
    reach = difference_limit(difference.to_numpy(dtype=float))
    panels.append(
        Panel(
            title="Difference (first − last)", y_ticks=None if len(groups) % 3 == 0 else (),
            matrix=Matrix(
                difference.to_numpy(dtype=float), list(difference.index),
                list(difference.columns), theme.DIVERGING, (-reach, reach), "difference",
                texts=[cell(v, sign=True) for v in difference.to_numpy(dtype=float).ravel()],
                hover=_hover(difference, between),
            ),
        )
    )  # fmt: skip
    columns = min(len(panels), 3)
    return Chart(
        f"Transitions by {covariate}", panels, _long(means, "group"), n_columns=columns,
        height=90 + _LARGE * -(-len(panels) // columns),
    )  # fmt: skip


def transition_arrows(matrices: Mapping[str, pd.DataFrame]) -> Chart:
    """States on a circle: arrows as wide as a move is probable, circles as large as staying is."""
    panels = [_arrow_panel(name, matrix) for name, matrix in matrices.items()]
    return Chart(
        "Moves between states", panels, _long(matrices, "who"), n_columns=len(panels), height=430
    )


def dwell_times(table: pd.DataFrame) -> Chart:
    """Mean number of steps in each state before it is left.

    ``table`` has the columns state, who, steps, low, high; the last two may be empty.
    """
    states = list(dict.fromkeys(table["state"]))
    colours = dict(zip(dict.fromkeys(table["who"]), _WHO_COLOURS, strict=False))
    layers = []
    for i, (who, rows) in enumerate(table.groupby("who", sort=False)):
        at = np.array([states.index(state) for state in rows["state"]], dtype=float)
        known = rows["low"].notna().all()
        layers.append(
            Layer(
                "points", at + 0.16 * (i - (len(colours) - 1) / 2), rows["steps"].to_numpy(),
                str(who), colours[who], size=10,
                low=rows["low"].to_numpy() if known else None,
                high=rows["high"].to_numpy() if known else None,
                hover=[_dwell_text(row) for row in rows.to_dict("records")],
            )
        )  # fmt: skip
    top = float(np.nanmax(table[["steps", "high"]].to_numpy(dtype=float)))
    panel = Panel(
        x_title="state", y_title="steps", layers=layers, x_range=(-0.5, len(states) - 0.5),
        y_range=(0, 1.08 * top), x_ticks=[(i, state) for i, state in enumerate(states)],
    )  # fmt: skip
    return Chart("Time spent in a state before it is left", [panel], table)


def state_ribbon(rows: pd.DataFrame, *, person: str, states: list[str]) -> Chart:
    """One person's states over the steps of a sequence, and the model's probabilities.

    ``rows`` has the columns time, observed, predicted and one ``p_<state>`` for each state.
    """
    colours = theme.state_colours(states)
    codes = {state: i for i, state in enumerate(states)}
    strips = {"observed": rows["observed"], "predicted": rows["predicted"]}
    values = np.array([[codes.get(label, np.nan) for label in strip] for strip in strips.values()])
    legend = [(state, colours[state]) for state in states]
    steps = np.arange(1, len(rows) + 1, dtype=float)
    hover = [
        f"step {step:.0f}: {name} {label or 'missing'}"
        for name, strip in strips.items()
        for step, label in zip(steps, strip, strict=True)
    ]
    every = _round_step(len(rows) / 10)
    marks = [(step, f"{step:.0f}") for step in steps if step % every == 0 or len(rows) < 3]
    ribbon = Matrix(
        values, list(strips), [dict(marks).get(step, "") for step in steps],
        theme.SEQUENTIAL, (0, len(states) - 1), "state", hover=hover, legend=legend,
    )  # fmt: skip
    lines = [
        Layer(
            "line", steps, rows[f"p_{state}"].to_numpy(dtype=float), state, colours[state],
            hover=[
                f"step {step:.0f}: {state} {number(value, 2)}"
                for step, value in zip(steps, rows[f"p_{state}"], strict=True)
            ],
            legend=False,
        )
        for state in states
    ]  # fmt: skip
    panels = [
        Panel(f"Person {person}", matrix=ribbon),
        Panel(
            "Probability of each state", "step", "probability", lines, y_range=(0, 1.02),
            x_range=(0.5, len(rows) + 0.5), x_ticks=marks,
        ),
    ]  # fmt: skip
    return Chart("States over time", panels, rows, height=460)


def _round_step(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50, … that is not below ``least``."""
    power = 10 ** max(math.floor(math.log10(max(least, 1.0))), 0)
    return next(int(step * power) for step in (1, 2, 5, 10) if step * power >= least)


_WHO_COLOURS = (theme.PERSON, theme.POPULATION, theme.PALETTE[0], theme.PALETTE[2])


def _matrix(
    matrix: pd.DataFrame, readout: str, limits: tuple[float, float], *, written: bool, who: str
) -> Matrix:
    scores = readout == "scores"
    values = matrix.to_numpy(dtype=float)
    return Matrix(
        values, list(matrix.index), list(matrix.columns),
        theme.DIVERGING if scores else theme.SEQUENTIAL, limits, CELL_NAMES[readout],
        texts=[cell(v, sign=scores) for v in values.ravel()] if written else (),
        hover=_hover(matrix, who),
    )  # fmt: skip


def _hover(matrix: pd.DataFrame, who: str) -> list[str]:
    return [
        f"{start} → {end}: {number(float(matrix.loc[start, end]))}, {who}"
        for start in matrix.index
        for end in matrix.columns
    ]


def _long(matrices: Mapping[str, pd.DataFrame], key: str) -> pd.DataFrame:
    """One row per matrix and transition."""
    parts = [
        matrix.rename_axis(index="from", columns="to").stack().rename("value").reset_index()
        .assign(**{key: name})
        for name, matrix in matrices.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)[[key, "from", "to", "value"]]


def _arrow_panel(name: str, matrix: pd.DataFrame) -> Panel:
    states, values = list(matrix.index), matrix.to_numpy(dtype=float)
    k = len(states)
    angle = np.pi / 2 - 2 * np.pi * np.arange(k) / k
    x, y = np.cos(angle), np.sin(angle)
    start, end = np.nonzero(~np.eye(k, dtype=bool) & (np.nan_to_num(values) >= RAREST))
    # Two arrows between the same states run side by side, and end before the circles.
    dx, dy = x[end] - x[start], y[end] - y[start]
    length = np.hypot(dx, dy)
    side_x, side_y = -dy / length * 0.06, dx / length * 0.06
    from_x, from_y = x[start] + 0.26 * dx / length + side_x, y[start] + 0.26 * dy / length + side_y
    to_x, to_y = x[end] - 0.26 * dx / length + side_x, y[end] - 0.26 * dy / length + side_y
    moves = values[start, end]
    colours = theme.state_colours(states)
    staying = np.nan_to_num(np.diag(values))
    layers = [
        Layer(
            "arrows", from_x, from_y, low=to_x, high=to_y, sizes=8 * moves, colour=theme.PERSONS,
            labels=[f"{move:.2f}" if move >= 0.1 else "" for move in moves],
        ),
        Layer(
            "points", x, y, colours=[colours[state] for state in states],
            sizes=26 + 34 * staying, legend=False,
            hover=[
                f"{s} stays with {number(p, 2)}" for s, p in zip(states, staying, strict=True)
            ],
        ),
        Layer(
            "points", 1.24 * x, 1.24 * y, labels=states, size=0.1, legend=False, outward=True
        ),
    ]  # fmt: skip
    # The longest name beside a circle has to find room, however narrow that makes the circle.
    longest = max(min(len(state), LONGEST_LABEL) for state in states)
    reach = max(1.7, 1.3 / (1 - 0.0325 * longest))
    return Panel(name, layers=layers, x_range=(-reach, reach), y_range=(-1.6, 1.6), bare=True)


def _dwell_text(row: Mapping[str, object]) -> str:
    text = f"{row['state']}, {row['who']}: {number(float(str(row['steps'])))} steps"
    low, high = float(str(row["low"])), float(str(row["high"]))
    return f"{text} ({number(low)} to {number(high)})" if np.isfinite(low + high) else text
