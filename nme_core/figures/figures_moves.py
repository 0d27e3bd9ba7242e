"""Charts of how states follow each other: arrows, dwell times, states over time."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd

from nme_core.figures import theme
from nme_core.figures.charts import ASIDE, Chart, Layer, Matrix, Panel, Range
from nme_core.figures.figures_transitions import long_table
from nme_core.figures.labels import distinct
from nme_core.figures.matrices import LABEL_LENGTH
from nme_core.figures.summaries import round_step
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import fixed, number

#: Moves that are rarer are not drawn as arrows.
RAREST = 0.02
#: Up to so many states every other move is an arrow, with its number beside it.
MOST_WHOLE = 5
#: How far names stand aside from the middle of their circle.
_ASIDE = 0.36
#: Names beside circles are cut to so many characters.
_NAME = 12
#: Intervals of dwell times are drawn up to so many times the longest stay.
_HIGHEST = 2.5
_WHO_COLOURS = (theme.PERSON, theme.POPULATION)

#: How a dwell time is known.
_HOW = {"expected": "expected", "observed": "observed"}


def rarest_drawn(matrices: Mapping[str, pd.DataFrame]) -> float:
    """Probability from which moves are drawn as arrows.

    Of many states, so high that in no matrix more than two arrows leave a state on average.
    """
    k = max(len(matrix) for matrix in matrices.values())
    if k <= MOST_WHOLE:
        return RAREST
    moves = [matrix.to_numpy(dtype=float)[~np.eye(k, dtype=bool)] for matrix in matrices.values()]
    steps = (hundredth / 100 for hundredth in range(round(100 * RAREST), 101))
    return next(least for least in steps if all((m >= least).sum() <= 2 * k for m in moves))


def transition_arrows(matrices: Mapping[str, pd.DataFrame]) -> Chart:
    """States on a circle: arrows as wide as a move is probable, circles as large as staying is."""
    rarest = rarest_drawn(matrices)
    panels = [_arrow_panel(name, matrix, rarest) for name, matrix in matrices.items()]
    many = max(len(matrix) for matrix in matrices.values()) > MOST_WHOLE
    return Chart(
        tr("Moves between states"), panels, long_table(matrices, "who"), n_columns=len(panels),
        height=500 if many else 430,
    )  # fmt: skip


def dwell_times(table: pd.DataFrame) -> Chart:
    """Mean number of steps in each state before it is left.

    ``table`` has the columns state, who, steps, low, high; the last two may be empty. Where it has
    a column how, what was ``observed`` is hollow, in the colour of whom it belongs to.
    """
    states = list(dict.fromkeys(table["state"]))
    colours = dict(zip(dict.fromkeys(table["who"]), _WHO_COLOURS, strict=False))
    table = table if "how" in table else table.assign(how="")
    series = list(table.groupby(["who", "how"], sort=False))
    layers = []
    for i, ((who, how), rows) in enumerate(series):
        at = np.array([states.index(state) for state in rows["state"]], dtype=float)
        known = rows[["low", "high"]].notna().any(axis=None)
        layers.append(
            Layer(
                "points", at + 0.15 * (i - (len(series) - 1) / 2), rows["steps"].to_numpy(),
                f"{who}, {tr(_HOW).get(how, how)}" if how else str(who), colours[who], size=10,
                low=rows["low"].to_numpy() if known else None,
                high=rows["high"].to_numpy() if known else None,
                hover=[_dwell_text(row) for row in rows.to_dict("records")],
                hollow=how == "observed",
            )
        )  # fmt: skip
    longest = float(np.nanmax(table["steps"].to_numpy(dtype=float), initial=1.0))
    # An interval without end, of a state that was hardly ever left, leaves room for the others.
    top = float(np.nanmax(table["high"].to_numpy(dtype=float), initial=longest))
    panel = Panel(
        x_title=tr("state"), y_title=tr("steps"), layers=layers, x_range=(-0.5, len(states) - 0.5),
        y_range=(0, 1.08 * min(top, _HIGHEST * longest)),
        x_ticks=[(i, state) for i, state in enumerate(distinct(states, LABEL_LENGTH))],
    )  # fmt: skip
    return Chart(tr("Time spent in a state before it is left"), [panel], table)


def state_ribbon(rows: pd.DataFrame, *, person: str, states: list[str]) -> Chart:
    """One person's states over the steps, and the model's probabilities.

    ``rows`` has the columns time, observed, predicted and one ``p_<state>`` for each state; with
    sequence, lines stand between sequences; with split, where the rows of the fit end.
    """
    colours = theme.state_colours(states)
    codes = {state: i for i, state in enumerate(states)}
    strips = {tr("observed"): rows["observed"], tr("predicted"): rows["predicted"]}
    values = np.array([[codes.get(label, np.nan) for label in strip] for strip in strips.values()])
    legend = [(state, colours[state]) for state in states]
    steps = np.arange(1, len(rows) + 1, dtype=float)
    where = _step_names(rows)
    hover = [
        f"{at}: {name} {label or tr('missing')}"
        for name, strip in strips.items()
        for at, label in zip(where, strip, strict=True)
    ]
    every = round(round_step(max(len(rows) / 10, 1.0)))
    marks = [(step, f"{step:.0f}") for step in steps if step % every == 0 or len(rows) < 3]
    starts = _sequence_starts(rows)
    ribbon = Matrix(
        values, list(strips), [dict(marks).get(step, "") for step in steps],
        theme.SEQUENTIAL, (0, len(states) - 1), tr("state"), hover=hover, legend=legend,
    )  # fmt: skip
    lines = [
        Layer(
            "line", np.insert(steps, starts, np.nan),
            np.insert(rows[f"p_{state}"].to_numpy(dtype=float), starts, np.nan), state,
            colours[state],
            hover=np.insert(
                np.array(
                    [f"{at}: {state} {number(value, 2)}"
                     for at, value in zip(where, rows[f"p_{state}"], strict=True)],
                    dtype=object,
                ),
                starts, "",
            ).tolist(),
            legend=False,
        )
        for state in states
    ]  # fmt: skip
    panels = [
        # Cells stand around whole numbers from 0, steps are counted from 1.
        Panel(
            tr("Person {person}").format(person=person),
            matrix=ribbon,
            layers=_borders(rows, -0.5, (-0.5, 1.5), theme.INK),
        ),
        Panel(
            tr("Probability of each state"),
            tr("step"),
            tr("probability"),
            [*_borders(rows, 0.5, (0.0, 1.0), theme.MUTED), *lines],
            y_range=(0, 1.02),
            x_range=(0.5, len(rows) + 0.5),
            x_ticks=marks,
        ),
    ]
    return Chart(tr("States over time"), panels, rows, height=460)


def _step_names(rows: pd.DataFrame) -> list[str]:
    """What each row is, in words: its step, its sequence where there are several, its part."""
    names = [tr("step {i}").format(i=i) for i in range(1, len(rows) + 1)]
    if len(_sequence_starts(rows)):
        names = [
            tr("{name}, sequence {sequence}").format(name=name, sequence=sequence)
            for name, sequence in zip(names, rows["sequence"], strict=True)
        ]
    if "split" not in rows:
        return names
    fitted = (rows["split"] == "train").tolist()
    return [
        name if own else tr("{name}, not fitted").format(name=name)
        for name, own in zip(names, fitted, strict=True)
    ]


def _sequence_starts(rows: pd.DataFrame) -> np.ndarray:
    """Places of the rows that begin another sequence than the row before."""
    if "sequence" not in rows:
        return np.empty(0, dtype=int)
    names = rows["sequence"].to_numpy()
    return np.flatnonzero(names[1:] != names[:-1]) + 1


def _borders(rows: pd.DataFrame, shift: float, ends: Range, dotted: str) -> list[Layer]:
    """Thin lines between sequences, and a dotted one where the rows of the fit end."""
    layers = []
    starts = _sequence_starts(rows) + shift
    if len(starts):
        x = np.column_stack([starts, starts, np.full(len(starts), np.nan)]).ravel()
        y = np.tile([*ends, np.nan], len(starts))
        layers.append(Layer("line", x, y, colour=theme.PERSONS, width=1, legend=False))
    fitted = int((rows["split"] == "train").sum()) if "split" in rows else 0
    if 0 < fitted < len(rows):
        x = np.full(2, fitted + shift)
        layers.append(
            Layer(
                "line", x, np.array(ends), tr("not fitted from here"), dotted, width=2, dash="dot"
            )
        )
    return layers


def _arrow_panel(name: str, matrix: pd.DataFrame, rarest: float) -> Panel:
    states, values = list(matrix.index), matrix.to_numpy(dtype=float)
    k = len(states)
    angle = np.pi / 2 - 2 * np.pi * np.arange(k) / k
    x, y = np.cos(angle), np.sin(angle)
    start, end = np.nonzero(~np.eye(k, dtype=bool) & (np.nan_to_num(values) >= rarest))
    # Two arrows between the same states run side by side, and end before the circles.
    dx, dy = x[end] - x[start], y[end] - y[start]
    length = np.hypot(dx, dy)
    side_x, side_y = -dy / length * 0.06, dx / length * 0.06
    from_x, from_y = x[start] + 0.26 * dx / length + side_x, y[start] + 0.26 * dy / length + side_y
    to_x, to_y = x[end] - 0.26 * dx / length + side_x, y[end] - 0.26 * dy / length + side_y
    moves = values[start, end]
    colours = theme.state_colours(states)
    staying = np.nan_to_num(np.diag(values))
    shown, beside = distinct([str(state) for state in states], _NAME), np.abs(x) > ASIDE
    layers = [
        Layer(
            "arrows",
            from_x,
            from_y,
            low=to_x,
            high=to_y,
            sizes=8 * moves,
            colour=theme.PERSONS,
            labels=[fixed(move, 2) if move >= 0.1 and k <= MOST_WHOLE else "" for move in moves],
            hover=[
                f"{states[i]} → {states[j]}: {number(move, 2)}"
                for i, j, move in zip(start, end, moves, strict=True)
            ],
        ),
        Layer(
            "points",
            x,
            y,
            colours=[colours[state] for state in states],
            sizes=(26 + 34 * staying) / (1 if k <= MOST_WHOLE else 1.5),
            legend=False,
            hover=[
                tr("{s} stays with {p}").format(s=s, p=number(p, 2))
                for s, p in zip(states, staying, strict=True)
            ],
        ),
        Layer(
            "points",
            np.where(beside, x + _ASIDE * np.sign(x), x),
            np.where(beside, 1.1, 1.36) * y,
            labels=shown,
            size=0.1,
            legend=False,
            outward=True,
        ),
    ]
    # The longest name beside a circle has to find room, however narrow that makes the circle.
    longest = max(len(name) for name in shown)
    reach = max(1.7, (1 + _ASIDE) / (1 - 0.042 * longest))
    return Panel(name, layers=layers, x_range=(-reach, reach), y_range=(-1.75, 1.75), bare=True)


def _dwell_text(row: Mapping[Hashable, object]) -> str:
    whose = f"{row['who']}, {row['how']}" if row["how"] else row["who"]
    text = tr("{state}, {whose}: {float} steps").format(
        state=row["state"], whose=whose, float=number(float(str(row["steps"])))
    )
    low, high = float(str(row["low"])), float(str(row["high"]))
    return (
        tr("{text} ({low} to {high})").format(text=text, low=number(low), high=number(high))
        if np.isfinite(low + high)
        else text
    )
