"""Roles of columns, proposed from names, types and structure, each with its reason.

What is proposed can be read: every column with a role is what `Study` takes in that role. What is
not sure is a question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from nme_core.study.check.problems import find_problems
from nme_core.study.check.report import Finding
from nme_core.study.clean.given_once import fill_given_once
from nme_core.study.clean.people import find_parts, find_shared
from nme_core.study.clean.remedies import Remedy, apply_remedies
from nme_core.study.clean.wide import propose_wide
from nme_core.study.clean.words import find_scale
from nme_core.study.column_types import COLUMN_TYPES, ColumnType, column_type, is_numbers
from nme_core.study.roles.proposed_columns import (
    Columns,
    covariates_of,
    find_covariates,
    find_features,
    find_groups,
    find_outcome,
)
from nme_core.study.roles.proposed_person import find_person, one_person
from nme_core.study.roles.proposed_time import Order, find_order
from nme_core.study.roles.role_names import person_score
from nme_core.study.time.time_parts import join_of, within_of
from nme_core.vocabulary.language import tr

__all__ = [
    "COLUMN_TYPES", "ColumnType", "Proposal", "column_type", "is_numbers", "propose_roles",
    "propose_study",
]  # fmt: skip

#: Remedies that a proposal may hold: they cost no cell that could be used as it is.
_HARMLESS = ("set_missing", "drop_empty")


@dataclass(frozen=True)
class Proposal:
    """A proposed role for each column; None or empty where nothing fits.

    Attributes
    ----------
    person, time, sequence, outcome : str or None
        Columns of the long table.
    features : list of str
        Columns of the long table.
    covariates : list of str
        Columns of the covariate table, and columns of the long table.
    reasons : dict of column: sentence
        Why each column has its role, or none.
    groups : list of str
        Columns of the long table: further groups, in which persons lie.
    questions : list of str
        What is not sure, with what would be next.
    remedies : tuple of Remedy
        Changes without which the table could not be read in these roles.
    problem : Finding or None
        Why the table is no study of repeated observations of several people, and what can be done.
    """

    person: str | None
    time: str | None
    sequence: str | None
    outcome: str | None
    features: list[str]
    covariates: list[str]
    reasons: dict[str, str] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    remedies: tuple[Remedy, ...] = ()
    problem: Finding | None = None

    def options(self) -> list[str]:
        """The roles as options of the command ``nme``."""
        words: list[str] = []
        for role in ("person", "outcome", "time", "sequence"):
            if (name := getattr(self, role)) is not None:
                words += [f"--{role}", name]
        for name in self.groups:
            words += ["--group", name]
        return [*words, "--features", ",".join(self.features)] if self.features else words


def propose_roles(
    long: pd.DataFrame,
    covariates: pd.DataFrame | None = None,
    known: Mapping[str, str] | None = None,
) -> Proposal:
    """Propose roles from column names and from which columns repeat, vary and order.

    Parameters
    ----------
    long : DataFrame
        One row per person and occasion, as read (text or numbers).
    covariates : DataFrame, optional
        One row per person.
    known : dict of role: column, optional
        Roles (``person``, ``time``, ``sequence``, ``outcome``) that the layout of the file tells.
    """
    given = {role: name for role, name in (known or {}).items() if name in long.columns}
    long = long.loc[:, ~long.columns.duplicated()]
    empty = [str(name) for name in long.columns[long.isna().all()] if name not in given.values()]
    long = long.drop(columns=empty)
    people = find_person(long, covariates, given.get("person"))
    columns = Columns.of(long, people)
    columns.reasons |= dict.fromkeys(empty, tr("no role: it is empty."))
    order = find_order(
        long, people.name, [n for n in columns.free if n not in columns.personal],
        given.get("time"), columns.varying,
    )  # fmt: skip
    columns.give(tr("no role: it says when, as the time does."), *order.others)
    partner = _partner(long, order, people.name, [*columns.free, *order.others])
    columns.give(tr("no role: it is read together with the time, as one."), *partner)
    if order.sequence in partner:
        order = replace(order, sequence=None)
    columns.give(order.why_time, order.time)
    columns.give(order.why_sequence, order.sequence)
    if "sequence" in given:
        order = replace(order, sequence=given["sequence"])
        columns.give(tr("sequence: the layout of the file tells."), given["sequence"])
    outcome, asked = given.get("outcome"), list[str]()
    if outcome is not None:
        columns.give(tr("outcome: the layout of the file tells."), outcome)
    else:
        outcome, asked = find_outcome(columns)
        if outcome is not None and (scale := find_scale(long[outcome])) is not None:
            asked = [*asked, scale.message]
    groups = find_groups(columns, people)
    features = find_features(columns, outcome, order, people.name)
    own = find_covariates(columns, people.name)
    theirs = covariates_of(columns, covariates, people.name)
    proposal = Proposal(
        people.name, order.time, order.sequence, outcome, features,
        list(dict.fromkeys([*theirs, *own])), columns.reasons, groups,
        [*people.questions, *order.questions, *asked],
    )  # fmt: skip
    proposal = replace(proposal, problem=_no_people(long, proposal))
    if people.name is not None:
        but = [name for name in (outcome, *features) if name is not None]
        shared = find_shared(long, people.name, but=but)
        asked = [str(one) for one in shared if not proposal.questions]
        asked += map(str, find_parts(long, people.name, order.sequence))
        proposal = replace(proposal, questions=[*proposal.questions, *asked])
    return proposal if proposal.problem is not None else _settle(proposal, long, covariates, order)


def _partner(
    long: pd.DataFrame, order: Order, person: str | None, free: Sequence[str]
) -> list[str]:
    """The column that is one time with that of the order, such as a clock beside a date."""
    if order.time is None or person is None:
        return []
    others = [name for name in free if name not in (order.time, person)]
    join = join_of(long, order.time, others, within_of(long, [person]))
    return [] if join is None else [join[0]]


def propose_study(
    table: pd.DataFrame,
    covariates: pd.DataFrame | None = None,
    known: Mapping[str, str] | None = None,
) -> tuple[Proposal, pd.DataFrame, tuple[str, ...]]:
    """Propose roles for a table that may be wide; the long table, and what was said of it.

    The remedies that make a wide table long, or fill down an id that is given once, come first.
    """
    wide = propose_wide(table, known)
    if wide is None:
        table, filled = fill_given_once(table)
        proposal = propose_roles(table, covariates, known)
        return replace(proposal, remedies=(*filled, *proposal.remedies)), table, ()
    remedy = Remedy("wide_to_long", wide.columns)
    long, notes = apply_remedies(table, [remedy])
    proposal = propose_roles(long, covariates, {"time": wide.occasion_in(table), **(known or {})})
    proposal = replace(proposal, remedies=(remedy, *proposal.remedies))
    return proposal, long, (wide.sentence, *notes)


def _no_people(long: pd.DataFrame, proposal: Proposal) -> Finding | None:
    """What to say of a table of one person, or of one row per person."""
    ids = [str(n) for n in long.columns if person_score(str(n)) >= 3 and long[n].is_unique]
    if proposal.person is None and ids and len(long) > 1:
        return Finding(
            "stop",
            tr("Every row is another person: {first!r} has a value of its own in each.").format(
                first=ids[0]
            ),
            ids[0],
            tr(
                "Several rows of each person are needed, one per occasion. Name columns of "
                "occasions alike (mood_1, mood_2, mood_3), or add the other occasions as "
                "rows."
            ),
        )
    if one_person(long, proposal):
        where = proposal.person or proposal.time
        why = (
            tr("{person!r} has one value").format(person=proposal.person)
            if proposal.person
            else tr("no column repeats like an id, and {time!r} goes on from row to row").format(
                time=proposal.time
            )
        )
        return Finding(
            "stop",
            tr("The table seems to hold one person only: {why}.").format(why=why),
            where,
            tr(
                "Several people are needed. Put their tables below each other in one file, "
                "with a column that says who each row belongs to, and name that column as "
                "the person."
            ),
        )
    return None


def _settle(
    proposal: Proposal, long: pd.DataFrame, covariates: pd.DataFrame | None, order: Order
) -> Proposal:
    """Take back what `Study` would refuse, one finding after another, and say so."""
    if proposal.person is None or proposal.outcome is None:
        return proposal
    second = covariates if covariates is not None and proposal.person in covariates else None
    times = [name for name in order.others if name != proposal.time]
    for _ in range(len(long.columns) + 2):
        found = find_problems(long, effects=False, **_arguments(proposal, second))
        changes = (_without(proposal, one, long, times) for one in found)
        changed = next((new for new in changes if new is not None), None)
        if changed is None:
            refused = next((one for one in found if one.column is None and not one.fixes), None)
            return proposal if refused is None else replace(proposal, problem=refused)
        proposal = changed
    return proposal


def _arguments(proposal: Proposal, second: pd.DataFrame | None) -> dict[str, Any]:
    return {
        "person": proposal.person,
        "outcome": proposal.outcome,
        "time": proposal.time,
        "sequence": proposal.sequence,
        "group": proposal.groups,
        "features": proposal.features or None,
        "covariates": second,
        "remedies": proposal.remedies,
    }


def _is_harmless(fix: Remedy, long: pd.DataFrame) -> bool:
    """Whether a remedy costs nothing: rows that are alike in every column are one."""
    if fix.kind == "drop_duplicates" and set(fix.columns) <= set(long.columns):
        return int(long.duplicated(list(fix.columns)).sum()) == int(long.duplicated().sum())
    return fix.kind in _HARMLESS


def _without(
    proposal: Proposal, finding: Finding, long: pd.DataFrame, times: list[str]
) -> Proposal | None:
    """The proposal without what a finding is about, or with what would make it right.

    Instead of a time that is refused the next of `times` is taken.
    """
    name = finding.column
    if name is None:
        return None
    fix = next((one for one in finding.fixes if _is_harmless(one, long)), None)
    if fix is not None and fix not in proposal.remedies:
        return replace(proposal, remedies=(*proposal.remedies, fix))
    reasons = {**proposal.reasons, name: tr("no role: {message}").format(message=finding.message)}
    if name in (proposal.time, proposal.sequence):
        role = "time" if name == proposal.time else "sequence"
        new = times.pop(0) if role == "time" and times else None
        if new is not None:
            reasons[new] = tr("time: the next after {name!r}.").format(name=name)
            said = tr("So {new!r} is proposed as the time.").format(new=new)
        else:
            said = tr("So no {role} is proposed; rows stay in the order of the file.").format(
                role=role
            )
        taken: dict[str, Any] = {role: new}
        features = [one for one in proposal.features if one != name]
        questions = [*proposal.questions, f"{finding.message} {said}"]
        return replace(proposal, **taken, features=features, reasons=reasons, questions=questions)
    if name in proposal.groups:
        rest = [one for one in proposal.groups if one != name]
        return replace(proposal, groups=rest, reasons=reasons)
    if name in proposal.features and len(proposal.features) > 1:
        rest = [one for one in proposal.features if one != name]
        return replace(proposal, features=rest, reasons=reasons)
    return None
