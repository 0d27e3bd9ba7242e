"""Tables that were chosen but not loaded yet: read, proposed roles, what stands in the way."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property

import pandas as pd

from dashboard.services.caching import per_session
from dashboard.services.files import AS_RECOGNISED, TABLES, TEXTS, ReadAs
from dashboard.services.roles import OutcomeKind, Proposal, propose_roles
from nme_core.exceptions import DataError
from nme_core.io import durable
from nme_core.simulate import sample_study
from nme_core.study import Finding, HowRead, Labels, Recipe, Remedy, read_any
from nme_core.study.check.problems import problems_of as find_problems
from nme_core.study.clean.people import find_people, tells_apart
from nme_core.study.clean.remedies import apply_remedies, of_ids, of_second_table
from nme_core.study.clean.wide import WideProposal, propose_wide
from nme_core.study.columns import is_text, one_form
from nme_core.study.covariates import covariates_from_columns
from nme_core.study.formats.result import Reading
from nme_core.study.formats.steps import check_step, in_steps
from nme_core.study.reading import people_sheet, read_second

__all__ = [
    "REMEDIED", "TABLES", "TEXTS",
    "ChosenRoles", "Draft", "Finding", "HowRead", "ReadAs", "Remedy",
    "chosen_tables", "covariate_columns", "draft_sample", "draft_upload", "people_of",
    "problems_of",
]  # fmt: skip

#: Notes of a study that begin so say what a remedy did.
REMEDIED = "Remedy: "

#: What messages call a second table whose file has no name; its content says what it is.
_SECOND = "the covariate table"


@dataclass(frozen=True)
class Draft:
    """Tables that were chosen but not loaded yet, with a proposal for the roles.

    Attributes
    ----------
    name : str
        What the study is called where nobody names it; empty where that is not known, as a
        file's own name may tell who its people are.
    file : str
        Name of the long table's file.
    read : pair of Reading
        Both files as they were read, the second None where there is none.
    read_as : ReadAs
        What the user chose of how the long table is read.
    sheets : tuple of str
        Sheets of the file.
    step : str or None
        Length of the steps that its events could become, where it holds events.
    instruments : tuple of str
        What the rows of an export of REDCap belong to; the occasions are those of one of them.
    second_file : str or None
        Name of the second table's file.
    how : tuple of str
        In words, how the files were read and what was changed in doing so.
    labels : Labels
        Words that came with the columns of both files.
    wide : WideProposal or None
        How the file's table would become long, where it has one column per occasion.
    reshaped : tuple of str
        In words, how it was made long; empty where it was not.
    reading, second : HowRead or None
        How both files were read.
    second_sheets : tuple of str
        Sheets that can be the second table: of its file, or of the long table's.
    """

    name: str
    source: str
    file: str
    long_bytes: bytes
    covariate_bytes: bytes | None
    read: tuple[Reading, Reading | None] = field(repr=False)
    long: pd.DataFrame
    covariates: pd.DataFrame | None
    guess: Proposal
    model: str | None = None
    read_as: ReadAs = AS_RECOGNISED
    sheets: tuple[str, ...] = ()
    step: str | None = None
    instruments: tuple[str, ...] = ()
    second_file: str | None = None
    how: tuple[str, ...] = ()
    labels: Labels = field(default_factory=Labels)
    wide: WideProposal | None = None
    reshaped: tuple[str, ...] = ()
    reading: HowRead | None = None
    second: HowRead | None = None
    second_sheets: tuple[str, ...] = ()

    @property
    def before(self) -> tuple[Remedy, ...]:
        """What was done to the long table before anything else."""
        if not self.reshaped or self.wide is None:
            return ()
        return (Remedy("wide_to_long", self.wide.columns),)

    @cached_property
    def token(self) -> str:
        """Fingerprint of the two files and of how they are read."""
        content = self.long_bytes + b"|" + (self.covariate_bytes or b"")
        return hashlib.sha256(content + f"{self.read_as}|{self.reshaped}".encode()).hexdigest()


@dataclass(frozen=True)
class ChosenRoles:
    """The roles that a user asks for on the page *Study*, as `recipe_of_roles` gives them on.

    What a study uses in the end – some columns may be left out or become several – are its `Roles`.
    Without an outcome kind, `Study` decides.
    """

    person: str
    outcome: str
    time: str | None
    sequence: str | None
    features: tuple[str, ...]
    covariates: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    outcome_kind: OutcomeKind | None = None
    group: str | None = None

    @property
    def columns(self) -> list[str]:
        """Columns of the long table that have a role of their own there."""
        named = (self.person, self.group, self.sequence, self.time, self.outcome, *self.features)
        return list(dict.fromkeys(name for name in named if name is not None))


@per_session(4)
def draft_sample(name: str) -> Draft:
    """One sample study, with the roles it was made with."""
    sample = sample_study(name)
    with durable.scratch() as temporary:
        sample.write(temporary)
        long_bytes = (temporary / "long.csv").read_bytes()
        covariate_bytes = (temporary / "covariates.csv").read_bytes()
    draft = draft_upload("long.csv", long_bytes, covariate_bytes)
    roles = sample.roles
    guess = replace(
        draft.guess, person=roles.get("person"), time=roles.get("time"),
        sequence=roles.get("sequence"), outcome=roles.get("outcome"),
        features=list(roles.get("features") or draft.guess.features),
    )  # fmt: skip
    return replace(draft, name=name, source="sample", guess=guess, model=roles.get("model"), how=())


@per_session(4)
def draft_upload(
    name: str,
    long_bytes: bytes,
    covariate_bytes: bytes | None,
    read_as: ReadAs = AS_RECOGNISED,
    second_name: str | None = None,
    reshaped: bool = False,
) -> Draft:
    """Read uploaded tables and propose roles; DataError where a table cannot be read.

    With `reshaped`, a table with one column per occasion is made long.
    """
    long = _read_long(name, long_bytes, read_as)
    person = propose_roles(long.frame, None, long.roles).person
    sheet = read_as.covariates_sheet
    if covariate_bytes is None and long.sheets and sheet is None and person is not None:
        ids = long.frame[person]
        sheet = people_sheet(long_bytes, name, person, ids, but=long.how.sheet)
    if covariate_bytes is None and sheet:
        covariate_bytes, second_name = long_bytes, name
    second = None
    if covariate_bytes is not None:
        second = _read_people(covariate_bytes, person, second_name or _SECOND, sheet or None)
    covariates = None if second is None else second.frame
    how = [long.how.words(), *long.notes]
    frame, wide = long.frame, propose_wide(long.frame, long.roles)
    made: tuple[str, ...] = ()
    if reshaped and wide is not None:
        frame, made = apply_remedies(frame, [Remedy("wide_to_long", wide.columns)])
        how += [sentence(note) for note in made]
    if second is not None:
        how += [f"Second table: {second.how.words()}", *second.notes]
    labels = long.labels if second is None else _joined(second.labels, long.labels)
    return Draft(
        name="",
        source="upload",
        file=name,
        long_bytes=long_bytes,
        covariate_bytes=covariate_bytes,
        read=(long, second),
        long=frame,
        covariates=covariates,
        guess=propose_roles(frame, covariates, long.roles),
        read_as=read_as,
        sheets=long.sheets,
        step=None if long.events is None else long.events.step,
        instruments=long.instruments,
        second_file=second_name,
        how=tuple(how),
        labels=labels,
        wide=wide,
        reshaped=made,
        reading=long.how,
        second=None if second is None else second.how,
        second_sheets=long.sheets if second is None else second.sheets,
    )


def _read_long(name: str, content: bytes, read_as: ReadAs) -> Reading:
    """The long table's file, its events made steps where a length of them is given."""
    whole = _parsed(name, content, replace(read_as, step=None))
    return whole if read_as.step is None else in_steps(whole, check_step(read_as.step))


@per_session(2)
def _parsed(name: str, content: bytes, read_as: ReadAs) -> Reading:
    """The long table's file, parsed once whatever else changes on the page."""
    return read_any(content, name, **read_as.of_long)


@per_session(2)
def _read_people(content: bytes, person: str | None, name: str, sheet: str | None) -> Reading:
    """The second table's file, likewise."""
    return read_second(content, person, name, sheet=sheet)


def sentence(note: str) -> str:
    """What a remedy did, without saying that it was one."""
    words = note.removeprefix(REMEDIED)
    return f"{words[:1].upper()}{words[1:]}"


def _joined(first: Labels, last: Labels) -> Labels:
    """Labels of two tables; where both know a column, those of the last."""
    return Labels(
        **{one.name: getattr(first, one.name) | getattr(last, one.name) for one in fields(first)}
    )


def covariate_columns(draft: Draft, person: str | None) -> list[str]:
    """Columns that can be covariates: the second table's, and those constant within a person."""
    extra = [] if draft.covariates is None else [str(c) for c in draft.covariates.columns]
    own = []
    if person is not None:
        spread = draft.long.groupby(person, sort=False).nunique().max()
        own = [str(name) for name, most in spread.items() if most <= 1]
    return [name for name in dict.fromkeys([*extra, *own]) if name != person]


def _whole(draft: Draft, roles: ChosenRoles) -> pd.DataFrame:
    """All columns of the long table, ids as the text that stands in the file."""
    ids = [name for name in (roles.person, roles.sequence, roles.group) if name is not None]
    if all(is_text(draft.long[name]) for name in ids if name in draft.long):
        return draft.long
    return apply_remedies(draft.read[0].with_ids(ids), draft.before)[0]


def chosen_tables(
    draft: Draft, roles: ChosenRoles, remedies: Sequence[Remedy] = ()
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """What a study is made of: the columns that have a role, and those that ids are joined with.

    Returns
    -------
    long : DataFrame
        Person, group, sequence, time, outcome and features; the index holds the lines of the file.
    covariates : DataFrame or None
        The person column and the chosen covariates, from the second table and from columns of
        the first that are constant within person; None where none was chosen.

    Raises
    ------
    DataError
        A table cannot be read, the second lacks the person column, or a covariate of the long
        table is not constant within person.
    """
    whole, of_people = _whole(draft, roles), of_ids(remedies, roles.person)
    several = [*of_people, *(one for one in remedies if one.kind in ("join_times", "keep_one"))]
    joined = [name for one in several for name in one.columns if name != roles.person]
    long = whole[list(dict.fromkeys([*roles.columns, *(c for c in joined if c in whole)]))]
    if not roles.covariates:
        return long, None
    own = [c for c in roles.covariates if draft.covariates is None or c not in draft.covariates]
    table = None
    if own:
        known, _ = apply_remedies(whole[whole[roles.person].notna()], of_people)
        table = covariates_from_columns(known, one_form(known[roles.person]), own)
        table = table.rename_axis(roles.person).reset_index()
    if draft.covariates is None:
        return long, table
    people = draft.read[1]
    second = draft.covariates if people is None else people.with_ids([roles.person])
    if roles.person not in second.columns:
        raise DataError(
            f"The covariate table has no column {roles.person!r}.",
            remedy="Name the person column as in the long table.",
            column=roles.person,
        )
    kept = [name for name in (*roles.covariates, *joined) if name in second.columns]
    if table is None:
        return long, second[list(dict.fromkeys([roles.person, *kept]))]
    second, _ = apply_remedies(second, of_second_table(of_people, (), second.columns)[1])
    second = second[list(dict.fromkeys([roles.person, *(c for c in kept if c in second)]))]
    second = second.assign(**{roles.person: one_form(second[roles.person])})
    return long, second.merge(table, on=roles.person, how="outer", sort=False)


def problems_of(
    draft: Draft, roles: ChosenRoles, remedies: Sequence[Remedy] = ()
) -> tuple[Finding, ...]:
    """Everything that keeps the draft from being loaded, once `remedies` are applied."""
    return _problems(draft.token, draft, roles, tuple(remedies))


@per_session(8)
def _problems(
    token: str, _draft: Draft, roles: ChosenRoles, remedies: tuple[Remedy, ...]
) -> tuple[Finding, ...]:
    """`token` stands for the draft in the cache."""
    try:
        long, covariates = chosen_tables(_draft, roles, remedies)
    except DataError as error:
        return (Finding("stop", error.message, error.column, error.remedy),)
    if roles.time is not None:  # a column without a role may tell rows alike apart
        keys = [name for name in (roles.person, roles.sequence, roles.time) if name is not None]
        whole = _whole(_draft, roles)
        between = tells_apart(whole, keys, roles.columns)[:1]
        long = long.assign(**{name: whole[name] for name in between})
    return find_problems(recipe_of_roles(roles, remedies), long, covariates)


def people_of(
    draft: Draft, roles: ChosenRoles, remedies: Sequence[Remedy] = ()
) -> tuple[Finding, ...]:
    """What should be settled about the people of a draft before their ids are replaced."""
    return _people(draft.token, draft, roles, tuple(remedies))


@per_session(8)
def _people(
    token: str, _draft: Draft, roles: ChosenRoles, remedies: tuple[Remedy, ...]
) -> tuple[Finding, ...]:
    """`token` stands for the draft in the cache."""
    own = [one for one in remedies if roles.person in one.columns]
    groups = () if roles.group is None else (roles.group,)
    try:
        long, _ = apply_remedies(_whole(_draft, roles), own)
        second = _draft.covariates if roles.covariates else None
        if second is not None:
            second, _ = apply_remedies(second, of_second_table(own, (), second.columns)[1])
    except DataError:
        return ()  # `problems_of` says it
    found = find_people(
        long,
        roles.person,
        groups=groups,
        sequence=roles.sequence,
        covariates=second,
        remedies=remedies,
    )
    return tuple(found)


def recipe_of_roles(roles: ChosenRoles, remedies: Sequence[Remedy] = ()) -> Recipe:
    """How the tables of `chosen_tables` become a study."""
    return Recipe(
        roles.person,
        roles.outcome,
        roles.time,
        roles.sequence,
        () if roles.group is None else (roles.group,),
        features=roles.features,
        exclude=roles.exclude,
        covariates=roles.covariates,
        outcome_kind=roles.outcome_kind,
        remedies=tuple(remedies),
    )
