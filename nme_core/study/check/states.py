"""States of an outcome: those with few visits, moves that nobody makes, and no moves at all."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from nme_core.study.check.report import Finding
from nme_core.study.clean.no_answer import means_no_answer
from nme_core.study.clean.remedies import Remedy
from nme_core.study.study import Study
from nme_core.vocabulary.language import tr

#: A state is rare where it has fewer visits, or a smaller share of all, or of the people.
RARE_VISITS, RARE_SHARE, RARE_PERSONS = 20, 0.01, 0.1

#: With fewer moves than this, of whatever kind, transitions cannot be learned.
FEW_MOVES = 10

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
            tr("The outcome {name!r} has {visits} different states.").format(
                name=name, visits=len(visits)
            ),
            name,
            tr("Is it a class? Few states with many visits can be learned best."),
        )
        return
    persons = _persons_of(study)
    total = int(visits.sum())
    moves = count_moves(study)
    for state in study.classes:
        n_visits, seen_in = int(visits[state]), int(persons[state])
        rare = n_visits < RARE_VISITS or n_visits / total < RARE_SHARE
        if rare or seen_in / study.n_persons < RARE_PERSONS:
            yield Finding(
                "look",
                tr(
                    "State {state!r} has few visits: {n_visits}, in {seen_in} of {n_persons} "
                    "people."
                ).format(
                    state=state, n_visits=n_visits, seen_in=seen_in, n_persons=study.n_persons
                ),
                name,
                tr("Its transitions are mostly guesses; think of joining it with another state."),
                _join(name, state, visits, moves),
            )
    yield from _find_few_moves(study, moves)
    yield from _find_unseen(name, moves)


def _persons_of(study: Study) -> pd.Series:
    """Number of persons who are ever in each state."""
    codes, states = pd.factorize(study.y)
    known = codes >= 0
    pairs = np.unique(study.blocks.codes[known] * len(states) + codes[known])
    return pd.Series(np.bincount(pairs % len(states), minlength=len(states)), index=states)


def count_moves(study: Study) -> pd.DataFrame:
    """How often each state follows each within a sequence, from × to; missing labels break."""
    states = list(study.classes)
    codes = pd.Index(states).get_indexer(pd.Index(study.y))
    to = study.sequence_blocks.steps()
    to = to[(codes[to] >= 0) & (codes[to - 1] >= 0)]
    moves = np.bincount(codes[to - 1] * len(states) + codes[to], minlength=len(states) ** 2)
    counted = moves.reshape(len(states), len(states))
    return pd.DataFrame(
        counted, index=pd.Index(states, name="from"), columns=pd.Index(states, name="to")
    )


def _join(name: str, state: str, visits: pd.Series, moves: pd.DataFrame) -> tuple[Remedy, ...]:
    """Proposals of states to join a rare one with: those it most often stands beside."""
    if len(visits) < 3:
        return ()  # joining one of two states would leave a constant outcome
    others = visits.drop([one for one in visits.index if one == state or means_no_answer(one)])
    beside = (moves.loc[state] + moves[state]).reindex(others.index)
    order = pd.DataFrame({"beside": beside, "visits": others}).sort_values(
        ["beside", "visits"], ascending=False, kind="stable"
    )
    return tuple(Remedy("merge_states", (name,), (state,), str(to)) for to in order.index[:2])


def _find_few_moves(study: Study, moves: pd.DataFrame) -> Iterable[Finding]:
    """Say where there are no moves, or hardly any, for a model of sequences to learn from."""
    made = int(moves.to_numpy().sum())
    if made >= FEW_MOVES:
        return
    how_many = (
        tr("no moves")
        if made == 0
        else tr("1 move")
        if made == 1
        else tr("only {made} moves").format(made=made)
    )
    names, rows = study.sequence_blocks.names, study.sequence_blocks.sizes
    longest = tr("1 row") if rows.max() == 1 else tr("{max} rows").format(max=rows.max())
    why = tr("{names} sequences of {longest} at most").format(names=len(names), longest=longest)
    yield Finding(
        "look",
        tr(
            "There {which} {how_many} from one row to the next within a sequence ({why}): a "
            "model of sequences (nme-crf) has nothing to learn transitions from."
        ).format(which=tr("is") if made == 1 else tr("are"), how_many=how_many, why=why),
        study.roles.sequence or study.roles.outcome,
        tr("Name another column as the sequence, or none; or take nme-mlp, which needs no moves."),
    )


def _find_unseen(name: str, moves: pd.DataFrame) -> Iterable[Finding]:
    """Name the moves between states that no sequence makes."""
    if not moves.to_numpy().any():
        return
    unseen = [
        tr("{start!r} to {end!r}").format(start=start, end=end)
        for start in moves.index
        for end in moves
        if moves.at[start, end] == 0
    ]
    if unseen:
        more = tr(" and {unseen} more").format(unseen=len(unseen) - 5) if len(unseen) > 5 else ""
        verb = tr("is") if len(unseen) == 1 else tr("are")
        yield Finding(
            "info",
            tr(
                "{unseen} of {size} moves between states {verb} never seen: {unseen_2}{more}."
            ).format(
                unseen=len(unseen),
                size=moves.size,
                verb=verb,
                unseen_2=", ".join(unseen[:5]),
                more=more,
            ),
            name,
            tr("What a model says about them comes from the population and its prior alone."),
        )
