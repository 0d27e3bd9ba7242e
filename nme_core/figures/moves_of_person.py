"""One person's moves beside the population's: the figure and its sentence, the same everywhere."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nme_core.analysis import Move, as_matrix, headline, moves_beside, n_apart, supported
from nme_core.figures.labels import cell
from nme_core.figures.run_figure import RunFigure
from nme_core.figures.words_moves import MOVES, OBSERVED_LIMIT, READOUT_NOTES, TRANSITION_LIMIT
from nme_core.vocabulary.language import span, tr
from nme_core.vocabulary.text import count, listed

#: Keys of `MOVES` for what an interval says.
_CERTAIN = {True: "apart", False: "chance", None: "no interval"}


def move_words(move: Move, readout: str = "conditional") -> str:
    """What a move is, beside the population's, with its interval and what that says; no subject."""
    staying = move.start == move.end
    if readout == "scores":
        what = (
            tr("staying in {end}").format(end=move.end)
            if staying
            else tr("moving from {start} to {end}").format(start=move.start, end=move.end)
        )
        way = tr("higher") if move.own > move.shared else tr("lower")
    else:
        what = (
            tr("stays in {end}").format(end=move.end)
            if staying
            else tr("moves from {start} to {end}").format(start=move.start, end=move.end)
        )
        way = tr("more often") if move.own > move.shared else tr("less often")
    return tr(MOVES)[readout].format(
        what=what, way=way, own=cell(move.own), shared=cell(move.shared),
        interval=_ends(move), certain=tr(MOVES)[_CERTAIN[move.apart]],
    )  # fmt: skip


def short_move(move: Move) -> str:
    """A move in a cell of a table: its value with its interval, and the population's."""
    return tr("{start} → {end}: {own}{ends}, population {shared}").format(
        start=move.start,
        end=move.end,
        own=cell(move.own),
        ends=_ends(move),
        shared=cell(move.shared),
    )


def _ends(move: Move) -> str:
    if not np.isfinite([move.low, move.high]).all():
        return ""
    return f" {span(cell(move.low), cell(move.high))}"


def observed_words(move: Move) -> str:
    """How often a move was observed; empty where that is not known."""
    if np.isnan(move.count):
        return ""
    return tr("It was observed {count:,.0f} of {visits}.").format(
        count=move.count, visits=count(int(move.visits), "time")
    )


def comparison(
    own: pd.DataFrame,
    shared: pd.DataFrame,
    *,
    label: str,
    title: str,
    readout: str = "conditional",
    limit: float | None = None,
    who: str | None = None,
) -> RunFigure:
    """A person's matrix beside the population's, with the finding in words.

    `own` and `shared` are rows of one read-out, as of the table ``transitions``; `own` may have
    the column count (see `person_rows`).
    """
    moves, who = (
        moves_beside(own, shared),
        tr("Person {label}").format(label=label) if who is None else who,
    )
    rows = supported(own)
    arguments = {
        "person": as_matrix(rows), "population": as_matrix(shared), "person_label": label,
        "readout": readout, "limit": limit,
    }  # fmt: skip
    if "count" in own and own["count"].notna().any():
        arguments["counts"] = as_matrix(own, "count")
    if rows["ci_low"].notna().any():
        arguments |= {"low": as_matrix(rows, "ci_low"), "high": as_matrix(rows, "ci_high")}
    parts = [*_finding(moves, who, readout), *_apart(moves, readout), never_words(own)]
    parts.append(tr(READOUT_NOTES).get(readout, ""))
    parts.append(tr(OBSERVED_LIMIT) if readout == "observed" else tr(TRANSITION_LIMIT))
    sentence = " ".join(part for part in parts if part)
    return RunFigure("transition_comparison", title, sentence, arguments, columns=2)


def _finding(moves: list[Move], who: str, readout: str) -> list[str]:
    first = headline(moves)
    if first is None:
        key = "alike" if any(move.leads for move in moves) else "rare"
        return [tr(MOVES)[key].format(who=who)]
    return [f"{who} {move_words(first, readout)}", observed_words(first)]


def _apart(moves: list[Move], readout: str) -> list[str]:
    found = n_apart(moves)
    if found is None:
        return []
    verb = "excludes" if found == 1 else "exclude"
    chance = tr(MOVES)[f"by chance, {readout}"]
    return [tr(MOVES)["framed"].format(n=found or tr("none"), verb=verb, chance=chance)]


def never_words(own: pd.DataFrame) -> str:
    """Of which states nothing is shown; empty where the person was in all."""
    known = supported(own).groupby("from", sort=False)["value"].count()
    never = [str(state) for state in known.index[known == 0]]
    return tr(MOVES)["never"].format(states=listed(never, "or")) if never else ""
