"""Which column says who a row belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from nme_core.study.clean.personal import find_personal
from nme_core.study.columns import is_number
from nme_core.study.roles.clues import (
    in_blocks,
    lies_within,
    looks_like_codes,
    may_tell_persons,
)
from nme_core.study.roles.role_names import SURE, is_no_person, person_score
from nme_core.study.time.times import UndecidedDatesError, times_of
from nme_core.vocabulary.language import tr

if TYPE_CHECKING:
    from nme_core.study.roles.proposal import Proposal

#: Name scores: surely of a person; of a unit of a few people.
_SURE, _UNIT = SURE, 3


@dataclass(frozen=True)
class PersonFound:
    """The person's column, why it is, and what is not sure about it."""

    name: str | None
    why: str = ""
    questions: tuple[str, ...] = ()


def find_person(
    long: pd.DataFrame, covariates: pd.DataFrame | None, known: str | None
) -> PersonFound:
    """The column that both tables have, one with the name of an id, or one that stands in blocks.

    Of ids that lie within each other (a person in a couple, a pupil in a class) it is the finest
    that repeats.
    """
    names = [str(name) for name in long.columns]
    if known is not None:
        return PersonFound(known, _why(long, known))
    shared = _shared(long, covariates)
    if shared is not None:
        return PersonFound(shared, _why(long, shared))
    able = [name for name in names if may_tell_persons(long[name])]
    scores = {name: score for name in able if (score := person_score(name)) > 0}
    if scores:
        return _of_names(long, scores)
    unnamed = [name for name in able if not is_no_person(name)]
    blocks = [name for name in unnamed if in_blocks(long[name])]
    codes = [name for name in unnamed if name not in blocks and looks_like_codes(long[name])]
    if not (blocks or codes):
        constant = [n for n in names if person_score(n) >= _SURE and long[n].nunique() == 1]
        return PersonFound(constant[0], _why(long, constant[0])) if constant else PersonFound(None)
    private = {one.column for one in find_personal(long[[*blocks, *codes]])}
    first, *rest = sorted([*blocks, *codes], key=private.__contains__)  # codes before addresses
    how = tr("it stands in blocks of rows") if first in blocks else tr("it holds codes that repeat")
    next_one = _next([name for name in rest if name not in private])
    question = tr("Is {first!r} the person? Its name does not say so, but {how}{next_one}.").format(
        first=first, how=how, next_one=next_one
    )
    return PersonFound(first, _why(long, first), (question,))


def _shared(long: pd.DataFrame, covariates: pd.DataFrame | None) -> str | None:
    """The id that the covariate table has once per person."""
    if covariates is None:
        return None
    both = [str(name) for name in long.columns if name in covariates.columns]
    unique = [name for name in both if covariates[name].is_unique]
    return max(unique, key=person_score) if unique else None


def _of_names(long: pd.DataFrame, scores: dict[str, int]) -> PersonFound:
    best = max(scores.values())
    first = next(name for name, score in scores.items() if score == best)
    rivals: list[str] = []
    for name, score in scores.items():
        if name == first or score < min(best, _UNIT):
            continue
        if lies_within(long, first, name):
            continue  # `name` is the same, or a group that people lie in
        if score == best and lies_within(long, name, first):
            first, rivals = name, [one for one in rivals if one != name]
        else:
            rivals.append(name)
    return PersonFound(first, _why(long, first), tuple(_questions(long, first, best, rivals)))


def _questions(long: pd.DataFrame, first: str, score: int, rivals: Sequence[str]) -> list[str]:
    again = [name for name in rivals if long.groupby(name)[first].nunique().min() > 1]
    if again:
        return [
            tr(
                "Is {first!r} the person? The same values come again in several {first_2!r}: "
                "where they are other people there, {first!r} and {first_2!r} have to be one "
                "id."
            ).format(first=first, first_2=again[0])
        ]
    if rivals:
        return [tr("Is {first!r} the person{next}?").format(first=first, next=_next(rivals))]
    if score < _UNIT:
        return [
            tr("Is {first!r} the person? Its name does not say so, but its values repeat.").format(
                first=first
            )
        ]
    return []


def _next(names: Sequence[str]) -> str:
    return f", or {names[0]!r}" if names else ""


def _why(long: pd.DataFrame, name: str) -> str:
    counts = long[name].value_counts()
    if not len(counts):
        return tr("person: its name is that of an id.")
    values = (
        tr("1 value")
        if len(counts) == 1
        else tr("{counts} different values").format(counts=len(counts))
    )
    return tr("person: it repeats; {values}, {median:g} rows each in the median.").format(
        values=values, median=counts.median()
    )


def one_person(long: pd.DataFrame, proposal: Proposal) -> bool:
    """Whether a table seems to hold the rows of one person only.

    Its person column has one value; or there is none, and the times go on from row to row without
    one coming again.
    """
    if proposal.person is not None:
        return long[proposal.person].nunique() == 1 and len(long) > 1
    if proposal.time is None or len(long) < 3:
        return False
    try:
        times = times_of(long[proposal.time])
    except UndecidedDatesError:
        return False
    if times is None or (is_number(times) and not times.is_monotonic_increasing):
        return False
    return bool(times.nunique() > 0.8 * len(long))
