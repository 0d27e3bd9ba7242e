"""States of an outcome: those with few visits, and moves that nobody makes."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from nme_core.data.remedies import Remedy
from nme_core.data.report import Finding
from nme_core.data.study import Study

#: A state is rare where it has fewer visits, or a smaller share of all, or of the persons.
RARE_VISITS, RARE_SHARE, RARE_PERSONS = 20, 0.01, 0.1

#: More states than this are doubted as a whole.
MANY_STATES = 20


def find_states(study: Study, visits: pd.Series) -> Iterable[Finding]:
    """Look at the states of an outcome; nothing where it is a number."""
    if study.outcome_kind != "class":
        return
    name = study.roles.outcome
    if len(visits) > MANY_STATES:
        yield Finding(
            "look",
            f"The outcome {name!r} has {len(visits)} different states.",
            name,
            "Is it a class? Few states with many visits can be learned best.",
        )
        return
    persons = study.groups.groupby(study.y).nunique()
    total = int(visits.sum())
    moves = count_moves(study)
    for state in study.classes:
        n_visits, seen_in = int(visits[state]), int(persons[state])
        rare = n_visits < RARE_VISITS or n_visits / total < RARE_SHARE
        if rare or seen_in / study.n_persons < RARE_PERSONS:
            yield Finding(
                "look",
                f"State {state!r} has few visits: {n_visits}, in {seen_in} of "
                f"{study.n_persons} persons.",
                name,
                "Its transitions are mostly guesses; think of joining it with another state.",
                _join(name, state, visits, moves),
            )
    yield from _find_unseen(name, moves)


def count_moves(study: Study) -> pd.DataFrame:
    """How often each state follows each within a sequence, from × to; missing labels break."""
    before = study.y.groupby(study.sequence_ids, sort=False).shift()
    pairs = pd.DataFrame({"from": before, "to": study.y}).dropna()
    counted = pd.crosstab(pairs["from"], pairs["to"])
    states = list(study.classes)
    return counted.reindex(index=states, columns=states, fill_value=0)


def _join(name: str, state: str, visits: pd.Series, moves: pd.DataFrame) -> tuple[Remedy, ...]:
    """Proposals of states to join a rare one with: those it most often stands beside."""
    if len(visits) < 3:
        return ()  # joining one of two states would leave a constant outcome
    others = visits.drop(state)
    beside = (moves.loc[state] + moves[state]).drop(state)
    order = pd.DataFrame({"beside": beside, "visits": others}).sort_values(
        ["beside", "visits"], ascending=False, kind="stable"
    )
    return tuple(Remedy("merge_states", (name,), (state,), str(to)) for to in order.index[:2])


def _find_unseen(name: str, moves: pd.DataFrame) -> Iterable[Finding]:
    """Name the moves between states that no sequence makes."""
    if not moves.to_numpy().any():
        return
    unseen = [
        f"{start!r} to {end!r}"
        for start in moves.index
        for end in moves
        if moves.at[start, end] == 0
    ]
    if unseen:
        more = f" and {len(unseen) - 5} more" if len(unseen) > 5 else ""
        verb = "is" if len(unseen) == 1 else "are"
        yield Finding(
            "info",
            f"{len(unseen)} of {moves.size} moves between states {verb} never seen: "
            f"{', '.join(unseen[:5])}{more}.",
            name,
            "What a model says about them comes from the population and its prior alone.",
        )
