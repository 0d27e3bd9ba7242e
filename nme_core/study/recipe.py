"""How a table became a study: one object, stored whole, applied alike to old rows and new ones."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from nme_core.exceptions import DataError, NMEError, OptionError
from nme_core.study.clean.privacy import dates_of, deidentify
from nme_core.study.clean.remedies import (
    Remedy,
    apply_remedies,
    for_new_rows,
    make_long,
    of_second_table,
    source_columns,
)
from nme_core.study.clean.remedy_files import as_records
from nme_core.study.columns import OutcomeKind, is_number
from nme_core.study.formats.result import HowRead, Reading
from nme_core.study.formats.source import fingerprint
from nme_core.study.reading import has_sheets, read_any, read_second
from nme_core.study.recipe_json import ROLES, VERSION, Kept, arguments_of, damaged
from nme_core.study.time.dates import ORDERS
from nme_core.study.time.gaps import DAYS, NEVER
from nme_core.study.time.time_numbers import LEAST_DIGITS


@dataclass(frozen=True)
class Recipe:
    """Everything that was done and said to make a study from a file.

    Attributes
    ----------
    person, outcome, time, sequence, groups, features, exclude, outcome_kind
        Roles of the columns, as `Study.from_frame` takes them; features None: all that fit.
    covariates : tuple of str or None
        Columns of the covariate table or of the long table that are covariates; None: all of the
        covariate table, and those of the long table that are constant within person.
    remedies : tuple of Remedy
        Changes to the tables, in order.
    max_gap : str or None
        Longest gap in time within a sequence (see `Study.from_frame`).
    missing : str
        What is done about missing features (see `nme_core.study.clean.missing`).
    reading, second : HowRead or None
        How the long table and the covariate table were read.
    kept : Kept or None
        What was done to the tables before they were stored; None where the files themselves are
        read.
    """

    person: str
    outcome: str
    time: str | None = None
    sequence: str | None = None
    groups: tuple[str, ...] = ()
    features: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    covariates: tuple[str, ...] | None = None
    outcome_kind: OutcomeKind | None = None
    remedies: tuple[Remedy, ...] = ()
    max_gap: str | None = None
    missing: str = "indicator"
    reading: HowRead | None = None
    second: HowRead | None = None
    kept: Kept | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """Columns of the long table whose cells are ids and stay text."""
        return tuple(name for name in (self.person, self.sequence, *self.groups) if name)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that rows have a use for: those with a role, but for covariates."""
        timed = () if self.time is None else (self.time,)
        return (*self.ids, *timed, self.outcome, *(self.features or ()))

    @property
    def steps(self) -> tuple[Remedy, ...]:
        """All changes, those included that were made before the tables were stored."""
        return (*(() if self.kept is None else self.kept.remedies), *self.remedies)

    @property
    def time_unit(self) -> str | None:
        """Unit of times that are numbers, where it is known."""
        return DAYS if self.kept is not None and self.time in self.kept.days else None

    # -- reading ------------------------------------------------------------------------------

    def is_stored(self, path: str | os.PathLike[str]) -> bool:
        """Whether a file is the long table as it was stored."""
        known = None if self.kept is None else self.kept.sha256
        return known is not None and fingerprint(path) == known

    def read(
        self, source: str | os.PathLike[str] | bytes, *, stored: bool = False, **said: Any
    ) -> Reading:
        """Read a long table as the first one was, as far as that was said; else as recognised.

        What `read_any` takes goes before what was said then, which does not concern a table that
        was `stored` since.
        """
        how = {} if stored else _given(self.reading, source)
        return read_any(source, text=self.ids, columns=self.columns, **{**how, **_present(said)})

    def read_second(
        self, path: str | os.PathLike[str], *, stored: bool = False, **said: Any
    ) -> Reading:
        """Read a covariate table likewise."""
        how = {} if stored else _given(self.second, path)
        return read_second(path, self.person, **{**how, **_present(said)})

    # -- applying -----------------------------------------------------------------------------

    def apply(
        self, long: pd.DataFrame, covariates: pd.DataFrame | None, *, stored: bool = False
    ) -> tuple[pd.DataFrame, pd.DataFrame | None, tuple[str, ...]]:
        """Make all changes to both tables; `stored` where those before storing are made already.

        Returns
        -------
        long, covariates : DataFrame
            The tables.
        notes : tuple of str
            In words, what was done.
        """
        notes: tuple[str, ...] = ()
        if self.kept is not None and stored:
            notes = self.kept.notes
        elif self.kept is not None:
            long, covariates, done = self._mend(self.kept.remedies, long, covariates)
            clean = self._deidentify(long, covariates)
            long, covariates, notes = clean.long, clean.covariates, (*done, *clean.notes)
        long, covariates, done = self._mend(self.remedies, long, covariates)
        return long, covariates, (*notes, *done)

    def apply_to_new_rows(self, table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
        """Make new rows what the rows of the study became; rows that are that already stay so.

        A wide table becomes long, cells are changed as they were, dates become days where they did,
        high ages one group. Rows are neither left out nor are ids replaced.

        Returns
        -------
        table : DataFrame
            The rows, in their order.
        notes : tuple of str
            In words, what was done.

        Raises
        ------
        DataError
            The table is wide, but the study's was not; or a date cannot be read.
        """
        table, notes = self.lengthen(table)
        if self.kept is not None:
            table, _ = apply_remedies(table, _possible(self.kept.remedies, table, self.columns))
            mine = table[[name for name in self.columns if name in table.columns]]
            if self.person in mine:
                clean = self._deidentify(mine, None)
                table, notes = table.assign(**clean.long), (*notes, *clean.notes)
        table, _ = apply_remedies(table, _possible(self.remedies, table, self.columns))
        return table, notes

    def lengthen(self, table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
        """Make new rows long where they are wide, as the study's were; and what was done.

        Raises
        ------
        DataError
            The table is wide, but the study's was not.
        """
        long = make_long(table, self.steps, needed=source_columns(self.features or (), self.steps))
        if long is table:
            return table, ()
        return long, (_LENGTHENED.format(a=len(table), b=len(long)),)

    def _mend(
        self, remedies: Iterable[Remedy], long: pd.DataFrame, covariates: pd.DataFrame | None
    ) -> tuple[pd.DataFrame, pd.DataFrame | None, tuple[str, ...]]:
        second = [] if covariates is None else list(covariates.columns)
        first, rest = of_second_table(remedies, long.columns, second)
        long, notes = apply_remedies(long, first, person=self.person)
        if covariates is not None:
            covariates, of_table = apply_remedies(covariates, rest, person=self.person)
            notes += tuple(
                note for one, note in zip(rest, of_table, strict=True) if one not in first
            )
        return long, covariates, notes

    def _deidentify(self, long: pd.DataFrame, covariates: pd.DataFrame | None) -> Any:
        """Days and ages as they were made; ids stay, for the key is not kept."""
        assert self.kept is not None
        timed = self.time if self.time in self.kept.days and self.time in long else None
        return deidentify(
            long,
            covariates,
            replace(self.kept.privacy, codes=False, dates=bool(self.kept.days)),
            person=self.person,
            time=timed,
            sequence=self.sequence if self.sequence in self.kept.days else None,
        )

    # -- storing ------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Content of ``recipe.json``."""
        kept, steps = self.kept, self.steps
        before = 0 if kept is None else len(kept.remedies)
        return {
            "version": VERSION,
            "reading": None if self.reading is None else self.reading.as_dict(),
            "reshaping": as_records([one for one in steps if one.kind == "wide_to_long"]),
            "remedies": as_records(steps),
            "privacy": None
            if kept is None
            else {
                **asdict(kept.privacy),
                "days": list(kept.days),
                "notes": list(kept.notes),
                "remedies_before_storing": before,
                "sha256_stored": kept.sha256,
            },
            "roles": {
                name: list(value) if isinstance(value, tuple) else value
                for name in ROLES
                for value in [getattr(self, name)]
            },
            "gap": self.max_gap,
            "missing": self.missing,
            "covariates": {"reading": None if self.second is None else self.second.as_dict()},
        }

    @classmethod
    def from_json(cls, content: Any) -> Recipe:
        """A recipe from what `to_json` gave.

        Raises
        ------
        DataError
            It is damaged, or of a later version.
        """
        if not isinstance(content, dict) or not isinstance(content.get("version"), int):
            raise damaged("it is no recipe")
        if content["version"] > VERSION:
            raise DataError(
                "recipe.json is of a later version of this software.",
                remedy="Update Neural Mixed Effects.",
            )
        try:
            return cls(**arguments_of(content))
        except NMEError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise damaged(str(error)) from error


_LENGTHENED = "The wide table of {a} rows became {b} rows, one per occasion."


def _given(how: HowRead | None, source: str | os.PathLike[str] | bytes) -> dict[str, Any]:
    """What the user said of how a file is read, as far as it can be true of another one."""
    said = {} if how is None else {name: getattr(how, name) for name in how.given}
    if how is not None and how.instrument is not None:  # it could be another one in other rows
        said["instrument"] = how.instrument
    if "sheet" in said and not has_sheets(source):
        del said["sheet"]
    return said


def _present(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}


#: Remedies that make something else of text, and that columns which are that do not need.
_FROM_TEXT = ("read_dates", "read_numbers", "indicators")


def _possible(
    remedies: Iterable[Remedy], table: pd.DataFrame, columns: Iterable[str]
) -> tuple[Remedy, ...]:
    """Changes of cells that new rows can need: in columns that they have, dates where not read."""
    given, columns = tuple(remedies), tuple(columns)
    wanted = [*columns, *source_columns(columns, given)]
    made = []
    for one in for_new_rows(given, [name for name in wanted if name in table.columns]):
        left = one.columns
        if one.kind in _FROM_TEXT:
            left = tuple(name for name in left if not _is_read(table[name], str(one.to)))
        made += [replace(one, columns=left)] if left else []
    return tuple(made)


def _is_read(column: pd.Series, form: str) -> bool:
    """Whether dates in a form are read already: as date-times, or as days."""
    short = is_number(column) and not column.max() >= LEAST_DIGITS
    return is_datetime64_any_dtype(column.dtype) or (form in ORDERS and short)


def recipe_of(base: Recipe | None = None, **given: Any) -> Recipe:
    """A recipe from what `Study.from_frame` takes (None: not given), in place of what `base` says.

    Raises
    ------
    OptionError
        The person or the outcome is not given.
    """
    given = {("groups" if name == "group" else name): value for name, value in given.items()}
    known = {name: value for name, value in given.items() if value is not None}
    for name in ("person", "outcome"):
        if name not in known and base is None:
            raise OptionError(
                f"Missing option '--{name}'.", remedy="Name its column; `nme check` proposes one."
            )
    for name in ("groups", "features", "exclude", "covariates", "remedies"):
        if name in known:
            known[name] = tuple(known[name])
    if isinstance(known.get("max_gap"), int | float):
        known["max_gap"] = format(known["max_gap"], "g")
    return Recipe(**known) if base is None else replace(base, **known)


def read_recipe(path: str | os.PathLike[str]) -> Recipe:
    """A recipe from a file; DataError where it is missing, damaged or of a later version."""
    name = os.path.basename(path)
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except FileNotFoundError:
        raise DataError(f"The file {path} was not found.", remedy="Check the path.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"{name} is no recipe.", remedy="Give recipe.json of a run folder."
        ) from error
    return Recipe.from_json(content)


def columns_in_days(
    before: Iterable[pd.DataFrame | None], after: Iterable[pd.DataFrame | None]
) -> tuple[str, ...]:
    """Columns of tables that held dates before and hold numbers after."""
    return tuple(
        str(name)
        for old, new in zip(before, after, strict=True)
        if old is not None and new is not None
        for name in new.columns
        if name in old and is_number(new[name]) and dates_of(old[name]) is not None
    )


def resolved(recipe: Recipe, **found: Any) -> Recipe:
    """A recipe with what was decided in following it, so that following it again decides nothing.

    No limit of gaps is then ``"none"``.
    """
    limit = found.pop("max_gap")
    return replace(recipe, max_gap=NEVER if limit is None else limit, **found)
