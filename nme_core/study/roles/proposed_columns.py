"""Outcome, features, groups and covariates among the columns that are neither person nor time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from nme_core.study.clean.personal import find_personal, holds_dates, is_free_text
from nme_core.study.clean.words import is_scale
from nme_core.study.column_types import is_numbers
from nme_core.study.columns import is_number
from nme_core.study.roles.clues import (
    counts_within,
    fingerprint,
    is_whole,
    looks_like_codes,
    numbers_the_rows,
)
from nme_core.study.roles.names import word_set
from nme_core.study.roles.proposed_person import PersonFound
from nme_core.study.roles.proposed_time import Order
from nme_core.study.roles.role_names import (
    is_age,
    is_calendar_word,
    is_end,
    is_id,
    is_place,
    is_split,
    is_time,
    is_unit,
    outcome_tier,
)
from nme_core.study.time.time_numbers import slips_of_digits
from nme_core.vocabulary.language import tr

#: A place such as a clinic is a further group where there are so many of them, and a unit of
#: people such as a couple where there are so many; fewer are compared as a covariate.
FEWEST_PLACES, FEWEST_UNITS = 5, 3

#: A column with so many words or fewer may be states.
_MOST_STATES = 12
#: Words of which each of so many people has one of their own tell nothing of others.
_MOST_LABELS = 5


#: What becomes of a prompt or a questionnaire: no state of a person.
_ADMINISTRATIVE = word_set(
    "complete completed finished submitted expired missed ignored dismissed blocked cancelled "
    "canceled pending delivered sent opened incomplete unfinished partial timeout skipped "
    "unanswered answered scheduled abgeschlossen abgelaufen verpasst ignoriert beantwortet "
    "expiré terminé manqué complété voltooid gemist verlopen completado perdido caducado"
)


@dataclass
class Columns:
    """The columns of a long table on their way to roles.

    Attributes
    ----------
    free : list of str
        Columns that have neither a role nor a reason to have none.
    varying : set of str
        Columns that vary within a person, or all where there is no person.
    """

    long: pd.DataFrame
    free: list[str]
    varying: set[str]
    personal: dict[str, str]
    reasons: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, long: pd.DataFrame, people: PersonFound) -> Columns:
        """Sort out what has a role already, and what cannot have one."""
        names = [str(name) for name in long.columns]
        varying = set(names)
        if people.name is not None:
            spread = long.groupby(people.name, sort=False).nunique().max()
            varying = {str(name) for name, most in spread.items() if most > 1}
        personal = {one.column: one.kind for one in find_personal(long)}
        columns = cls(long, list(names), varying, personal)
        columns.give(people.why, people.name)
        for name in names:
            if is_split(name):
                columns.give(tr("no role: its name is that of a part of the data."), name)
            elif name in personal and name != people.name:
                columns.give(
                    tr("no role: it holds {personal}.").format(personal=personal[name]), name
                )
            elif long[name].nunique() < 2 and len(long) > 1:
                columns.give(tr("no role: it is the same in every row."), name)
        return columns

    def give(self, reason: str, *names: str | None) -> None:
        """Say what columns are, and take them from those that are free."""
        for name in names:
            if name is not None and name in self.free:
                self.reasons[name] = reason
                self.free.remove(name)


def find_outcome(columns: Columns) -> tuple[str | None, list[str]]:
    """The outcome, and a question where only its values speak for it."""
    long = columns.long
    possible = [name for name in columns.free if name in columns.varying and not is_id(name)]
    possible = [name for name in possible if not holds_dates(long[name])]
    words = [name for name in possible if not is_numbers(long[name])]
    text = {name for name in words if long[name].nunique() > _MOST_STATES or _is_other(long[name])}
    possible = [name for name in possible if name not in text]
    tiers = {name: tier for name in possible if (tier := outcome_tier(name)) is not None}
    if tiers:
        best = min(tiers, key=tiers.__getitem__)
        why = tr("outcome: its name is that of an outcome, and it varies within people.")
        columns.give(why, best)
        return best, []
    numbers = [
        name for name in possible
        if name not in words and not is_time(name) and not numbers_the_rows(long[name])
    ]  # fmt: skip
    states = [name for name in words if name not in text]
    several = len(columns.varying) < len(long.columns)  # there is a person
    asked = [*states, *numbers] if several else states
    if not asked:
        return None, []
    first = asked[0]
    why = (
        tr("outcome: the first column with a few words, which vary within people.")
        if first in states
        else tr("outcome: the first column of numbers that vary within people.")
    )
    columns.give(why, first)
    others = tr("; {asked!r} would be the next").format(asked=asked[1]) if len(asked) > 1 else ""
    return first, [
        tr("Is {first!r} the outcome? No column has the name of one{others}.").format(
            first=first, others=others
        )
    ]


def _is_other(column: pd.Series) -> bool:
    """Whether a text column is no state: weekdays, yes and no, fates of prompts, sentences."""
    cells = column.dropna().drop_duplicates().head(100).astype("str")
    administrative = cells.str.casefold().isin(_ADMINISTRATIVE).mean() > 0.5
    return administrative or bool(cells.map(is_calendar_word).mean() > 0.5) or is_free_text(column)


def find_groups(columns: Columns, people: PersonFound) -> list[str]:
    """Further groups: units of people and places that persons lie in."""
    long, found = columns.long, []
    if people.name is None:
        return []
    n_people = long[people.name].nunique()
    for name in [n for n in columns.free if n not in columns.varying]:
        fewest = FEWEST_UNITS if is_unit(name) else FEWEST_PLACES
        if not (is_unit(name) or is_place(name)) or long[name].isna().any():
            continue
        if fewest <= long[name].nunique() <= n_people / 2 and is_whole_or_text(long[name]):
            columns.give(tr("group: people lie in it, several in most."), name)
            found.append(name)
    return found


def is_whole_or_text(column: pd.Series) -> bool:
    """Whether a column can be the name of a group."""
    return is_whole(column) or not is_number(column)


_COUNTER = "no role: it counts the rows of each person, as the time orders them."


def find_features(
    columns: Columns, outcome: str | None, order: Order, person: str | None
) -> list[str]:
    """Numbers that vary within persons, but no ids, no count of the rows and no copies."""
    long, counters = columns.long, list[str]()
    found: list[str] = []
    seen = {} if outcome is None else {fingerprint(long[outcome]): outcome}
    states = outcome is not None and not is_number(long[outcome])
    several = len(columns.varying) < len(long.columns)  # there is a person
    for name in [n for n in columns.free if n in columns.varying]:
        column = long[name]
        if is_id(name):
            columns.give(tr("no role: an id is no feature."), name)
        elif is_number(column) and len(slips_of_digits(column)):
            columns.give(
                tr("no role: all but a few of its numbers are dates in eight digits."), name
            )
        elif numbers_the_rows(column):
            columns.give(tr("no role: it counts the rows of the table."), name)
        elif order.time is not None and counts_within(long, person, name):
            counters.append(name)
            columns.give(_COUNTER, name)
        elif order.time is not None and (is_end(name) or (order.dated and _says_when(column))):
            columns.give(tr("no role: it says when, as the time does."), name)
        elif (twin := _twin(seen, column, states)) is not None:
            columns.give(tr("no role: it is a copy of {twin!r}.").format(twin=twin), name)
        elif is_numbers(column) or (several and _is_yes_no(column)):
            columns.give(_why_feature(column), name)
            seen.setdefault(fingerprint(column), name)
            found.append(name)
        elif is_scale(column):
            columns.give(
                tr("no role: each number has a word beside it. Name it as a feature to "
"choose: the numbers of a scale, or a column of each word."), name,
            )  # fmt: skip
        else:
            columns.give(tr("no role: words that vary within a person."), name)
    if not found and counters:
        found = counters[:1]
        columns.reasons[found[0]] = tr(
            "feature: the only one, a trend over the rows that it counts."
        )
    if not found and outcome is not None and order.counts:
        found = [str(order.time)]
        columns.reasons[found[0]] += tr(" It is the only feature, too: a trend over time.")
    return found


def _says_when(column: pd.Series) -> bool:
    """Whether a column of numbers is another time beside the dates: a day of the study, a clock."""
    if not is_number(column) or not is_time(str(column.name)):
        return False
    clock = column.attrs.get("units", {}).get(column.name) == "hours"
    return outcome_tier(str(column.name)) is None and (clock or is_whole(column))


def _twin(seen: Mapping[bytes, str], column: pd.Series, states: bool) -> str | None:
    """The column that this one is a copy of, be it as the numbers of its labels."""
    found = seen.get(fingerprint(column))
    return seen.get(fingerprint(column, labels=True)) if found is None and states else found


def _is_yes_no(column: pd.Series) -> bool:
    cells = column.dropna().drop_duplicates()
    return len(cells) == 2 and bool(cells.astype("str").map(is_calendar_word).all())


def _why_feature(column: pd.Series) -> str:
    if is_number(column):
        return tr("feature: numbers that vary within people.")
    if _is_yes_no(column):
        return tr("feature: yes or no, which varies within people.")
    return tr("feature: mostly numbers that vary within people; its words have to be treated.")


def find_covariates(columns: Columns, person: str | None) -> list[str]:
    """What is constant within every person, but for ids."""
    found = []
    n_people = 0 if person is None else columns.long[person].nunique()
    for name in list(columns.free):
        column = columns.long[name]
        own = column.nunique() == n_people and not is_number(column)
        if own and (looks_like_codes(column) or n_people >= _MOST_LABELS):
            columns.give(tr("no role: another id, each person has one of their own."), name)
        elif is_id(name) and not is_age(name):
            columns.give(tr("no role: another id."), name)
        else:
            columns.give(tr("covariate: constant within every person."), name)
            found.append(name)
    return found


def covariates_of(
    columns: Columns, covariates: pd.DataFrame | None, person: str | None
) -> list[str]:
    """Columns of the covariate table that can be covariates."""
    if covariates is None:
        return []
    theirs = {one.column: one.kind for one in find_personal(covariates)}
    found = []
    for name in [str(name) for name in covariates.columns if name != person]:
        if name in theirs:
            columns.reasons[name] = tr("no role: it holds {theirs}.").format(theirs=theirs[name])
        elif covariates[name].isna().all():
            columns.reasons[name] = tr("no role: it is empty.")
        else:
            columns.reasons[name] = tr("covariate: from the table with one row per person.")
            found.append(name)
    return found
