"""Remedies: small changes to a table, applied in order, that a file records and that can be undone.

The table itself is never written again: leaving a remedy out of the list undoes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from nme_core.exceptions import DataError, MissingColumnError, NMEError, OptionError
from nme_core.study.clean.cell_changes import SEVERAL, indicator_columns
from nme_core.study.clean.changes import KINDS
from nme_core.study.clean.wide import propose_wide, reshape
from nme_core.study.columns import as_labels, is_text
from nme_core.study.formats.cells import convert
from nme_core.study.time.times import check_form


@dataclass(frozen=True)
class Remedy:
    """One change to a table.

    Attributes
    ----------
    kind : str
        ``"drop_duplicates"``: of rows alike in all `columns`, keep the last.
        ``"keep_one"``: of rows alike in all `columns` but the last, keep the one that holds `to` in
        the last (a clinic, a visit), or else the first; also in the covariate table.
        ``"set_missing"``: empty the cells of `columns` that hold one of `values`.
        ``"merge_states"``: write `to` where `columns` hold one of `values`.
        ``"write_alike"``: write the cells of `columns` that differ from one of `values` only in
        capitals, spaces, marks or leading zeros (see `core`) like it; in both tables.
        ``"join_columns"``: the first of `columns` becomes all of them together (ids that are
        numbered anew in each clinic); in both tables.
        ``"keep_apart"``: what looks alike in `columns` is different; changes nothing.
        ``"as_labels"``: the cells of `columns` are labels, even where they look like numbers.
        ``"exclude_persons"``: leave out the rows whose person column (`columns`) is in `values`.
        ``"drop_rows"``: leave out the rows in which one of `columns` holds one of `values`.
        ``"fill_missing"``: write `to` into the empty cells of `columns`: a state that was read as
        missing.
        ``"fill_down"``: write the value above into the empty cells of `columns`.
        ``"read_numbers"``: read the numbers of cells such as 1 (not at all), 7 h or < 5.
        ``"indicators"``: columns of 0 and 1 of the words of one column; `values` are all its words,
        the first the one that the others are compared with. Two words: the column itself. `to` is
        ``"several"`` where a cell may hold several words.
        ``"drop_empty"``: leave out the rows in which one of `columns` is empty.
        ``"exclude_columns"``: leave out `columns`.
        ``"read_dates"``: read the dates of `columns` as `to` says: ``"dmy"``, ``"mdy"``, ``"ymd"``,
        or a form of numbers, such as ``"unix_s"`` or ``"excel"``; ``"number"``: they are none.
        ``"join_times"``: the first of `columns` and the second are one time, as `to` says: for
        example ``"date+clock"``, ``"clock+date"``, ``"week+weekday"``.
        ``"count_on"``: the first of `columns` runs in a circle; count it on where it falls within
        the others, in hours (`to` ``"h"``), days of the week (``"d"``) or months (``"mo"``).
        ``"past_midnight"``: times of day before noon, as hours, count on after midnight: 0:30 is
        24.5.
        ``"wide_to_long"``: one row per occasion, from `columns` such as mood_1, mood_2, mood_3.
    columns : tuple of str
        The columns it looks at.
    values : tuple of str
        Cells as text, whole numbers without decimals.
    to : str or None
        The state that others are merged into, or what comes first in dates.
    """

    kind: str
    columns: tuple[str, ...]
    values: tuple[str, ...] = ()
    to: str | None = None

    def __post_init__(self) -> None:
        kind = KINDS.get(self.kind)
        if kind is None:
            raise OptionError(
                f"No remedy is called {self.kind!r}.", remedy=f"Choose one of {', '.join(KINDS)}."
            )
        if (
            not self.columns
            or kind.values != bool(self.values)
            or (kind.to is not None and kind.to != (self.to is not None))
        ):
            needed = ["columns", *(entry for entry in ("values", "to") if getattr(kind, entry))]
            raise OptionError(
                f"The remedy {self.kind!r} does not have the entries that it needs.",
                remedy=f"It needs {', '.join(needed)}, and no others.",
            )
        if self.kind == "read_dates":
            check_form(self.to or "")
        if self.kind == "indicators" and (
            len(self.columns) > 1 or len(self.values) < 2 or self.to not in (None, SEVERAL)
        ):
            raise OptionError(
                "The remedy 'indicators' is about the words of one column.",
                remedy=f"Give one column and all of its words; 'to' is {SEVERAL!r} or left out.",
            )

    def __str__(self) -> str:
        """What it does, as an order in a few words."""
        return KINDS[self.kind].words(self)


def apply_remedies(
    table: pd.DataFrame, remedies: Iterable[Remedy], *, person: str | None = None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Apply remedies in order to a copy of a table.

    After each, the columns are looked at anew: one that only the text of cells or rows kept from
    being numbers, which are gone now, becomes what it holds.

    Parameters
    ----------
    table : DataFrame
        The table.
    remedies : iterable of Remedy
        What to do.
    person : str, optional
        The person column; the notes then count people, too.

    Returns
    -------
    table : DataFrame
        The index (lines of the file) of the rows that remain is kept.
    notes : tuple of str
        One sentence per remedy: what it changed, and what is left of what there was.

    Raises
    ------
    MissingColumnError
        A remedy names a column that the table does not have.
    DataError
        A remedy names a column that the table has more than once.
    """
    table, notes = table.copy(deep=False), []
    for remedy in remedies:
        for name in remedy.columns:
            if name not in table.columns:
                raise MissingColumnError(name, map(str, table.columns))
            if not table.columns.is_unique and isinstance(table[name], pd.DataFrame):
                raise DataError(
                    f"The table has the column {name!r} more than once.",
                    remedy="Give every column a name of its own.",
                    column=name,
                )
        before = table
        table, note = KINDS[remedy.kind].change(before.copy(deep=False), remedy)
        notes.append(f"Remedy: {note}{_what_remains(before, table, remedy, person)}.")
        table = _typed_anew(before, table, remedy)
    return table, tuple(notes)


def foretell(table: pd.DataFrame, remedy: Remedy, person: str) -> str:
    """What a remedy would do to a table, in numbers; empty where it cannot be done."""
    wanted = {person, *remedy.columns}
    some = remedy.kind == "wide_to_long" or not wanted <= set(table.columns)
    try:
        _, (note,) = apply_remedies(
            table if some else table[list(dict.fromkeys([person, *remedy.columns]))],
            [remedy],
            person=person,
        )
    except NMEError:
        return ""
    return note.removeprefix("Remedy: ")


def _what_remains(
    before: pd.DataFrame, after: pd.DataFrame, remedy: Remedy, person: str | None
) -> str:
    """Words for the rows and people that are left, where rows were left out."""
    if len(after) >= len(before):
        return ""
    words = f"; {len(after):,} of {len(before):,} rows remain"
    if person is None or person not in after or person not in before:
        return words
    people, all_people = (as_labels(one[person]).nunique() for one in (after, before))
    return f"{words}, of {people:,} of {all_people:,} people"


def _typed_anew(before: pd.DataFrame, after: pd.DataFrame, remedy: Remedy) -> pd.DataFrame:
    """The table with columns that are numbers now that some of their words are gone.

    Ids that look like numbers stay text: "007" does not become 7.
    """
    cells = KINDS[remedy.kind].cells
    looked_at = remedy.columns if cells else after.columns if len(after) < len(before) else ()
    ids = remedy.columns if remedy.kind == "exclude_persons" else ()
    for name in [name for name in looked_at if name in after.columns and name not in ids]:
        column, was = after[name], before.get(name)
        if not isinstance(column, pd.Series) or not isinstance(was, pd.Series):
            continue
        if is_text(column) and is_text(was):
            gone = was.drop_duplicates()
            gone = gone[~gone.isin(column)].dropna().astype("str")
            if pd.to_numeric(gone, errors="coerce").isna().any():
                after[name] = convert(as_labels(column), decimal=None, commas=False).values
    return after


def of_second_table(
    remedies: Iterable[Remedy], long: Iterable[str], second: Iterable[str]
) -> tuple[tuple[Remedy, ...], tuple[Remedy, ...]]:
    """Sort remedies into those of the long table and those of the covariate table.

    To the covariate table belong those of columns that only it has all of; to both changes of ids,
    and people who are left out.
    """
    given, in_long, there = tuple(remedies), set(long), set(second)
    theirs = [one for one in given if set(one.columns) <= there]
    only = [one for one in theirs if not set(one.columns) <= in_long]
    both = tuple(one for one in theirs if one in only or KINDS[one.kind].both)
    return tuple(one for one in given if one not in only), both


def of_ids(remedies: Iterable[Remedy], person: str) -> tuple[Remedy, ...]:
    """Remedies that write the ids of people in another way."""
    return tuple(
        one
        for one in remedies
        if KINDS[one.kind].cells and KINDS[one.kind].both and person in one.columns
    )


#: Kinds of remedies that say how times are read.
OF_TIMES = ("read_dates", "join_times", "count_on")


def settled_first(
    remedies: Iterable[Remedy], person: str, *, codes: bool
) -> tuple[tuple[Remedy, ...], tuple[Remedy, ...]]:
    """Remedies that are settled before tables are stored, and those that can be undone later.

    How times are read is settled; and where ids become codes, all up to the last change of ids,
    which nobody could make once they are codes.
    """
    given = tuple(remedies)
    changed = of_ids(given, person) if codes else ()
    upto = max((k + 1 for k, one in enumerate(given) if one in changed), default=0)
    rest = tuple(one for one in given[upto:] if one.kind not in OF_TIMES)
    return (*given[:upto], *(one for one in given[upto:] if one.kind in OF_TIMES)), rest


def left_out_columns(remedies: Iterable[Remedy]) -> set[str]:
    """Columns that remedies leave out."""
    first = {"exclude_columns": 0, "join_times": 1}  # a joined time is in its first column
    return {
        name
        for remedy in remedies
        if remedy.kind in first
        for name in remedy.columns[first[remedy.kind] :]
    }


def renamed_columns(names: Iterable[str], remedies: Iterable[Remedy]) -> list[str]:
    """Names of columns after the remedies: those that were left out are gone, others replaced."""
    given = list(remedies)
    gone, kept = left_out_columns(given), list(names)
    for one in (one for one in given if one.kind == "indicators"):
        made = indicator_columns(one)
        kept = [new for name in kept for new in (made if name == one.columns[0] else [name])]
    return [name for name in kept if name not in gone]


def source_columns(names: Iterable[str], remedies: Iterable[Remedy]) -> list[str]:
    """Columns that a table needs to have these after the remedies: place for place = work."""
    made = {
        new: one.columns[0]
        for one in remedies
        if one.kind == "indicators"
        for new in indicator_columns(one)
    }
    return list(dict.fromkeys(made.get(name, name) for name in names))


def effect_names(remedies: Iterable[Remedy]) -> dict[str, str]:
    """What the effect of a column of 0 and 1 is called: that of the word that is 1."""
    return {
        one.columns[0]: f"{one.columns[0]} = {one.values[1]}"
        for one in remedies
        if one.kind == "indicators" and indicator_columns(one) == list(one.columns)
    }


def for_new_rows(remedies: Iterable[Remedy], columns: Iterable[str]) -> tuple[Remedy, ...]:
    """What also has to be done to new rows: the remedies of cells in these columns."""
    given = tuple(remedies)
    wanted, kept = {*columns, *source_columns(columns, given)}, []
    for remedy in given:
        shared = tuple(name for name in remedy.columns if name in wanted)
        kind = KINDS[remedy.kind]
        if shared and kind.cells and kind.new_rows:
            kept.append(remedy if kind.together else replace(remedy, columns=shared))
    return tuple(kept)


def restored(
    table: pd.DataFrame, taken: Mapping[str, Mapping[str, int]], remedies: Iterable[Remedy]
) -> pd.DataFrame:
    """New rows in which a state that was read as missing is one again, where no cell is blank.

    `taken` has the words for missing that each column of text held, and its blank cells.
    """
    table = table.copy(deep=False)
    for one in remedies:
        for name in one.columns if one.kind == "fill_missing" else ():
            if name in table.columns and set(taken.get(name, ())) == {one.to}:
                table[name] = as_labels(table[name]).fillna(one.to)
    return table


def make_long(
    table: pd.DataFrame, remedies: Iterable[Remedy], *, needed: Iterable[str]
) -> pd.DataFrame:
    """Make new rows long where they are wide, as the table was that the remedies are about.

    A table that has the `needed` columns is long already. Occasions may be others, and measures may
    lack (the outcome, where it is to be predicted).

    Raises
    ------
    DataError
        The table is wide, but the remedies' was not.
    """
    lacking = [name for name in needed if name not in table.columns]
    proposal = propose_wide(table) if lacking else None
    if proposal is None or not set(lacking) <= {*proposal.measures, proposal.occasion_in(table)}:
        return table
    if all(remedy.kind != "wide_to_long" for remedy in remedies):
        raise DataError(
            f"{proposal.sentence} The run was fitted on a table with one row per occasion.",
            remedy="Give the new rows in the same form.",
            column=lacking[0],
        )
    return reshape(table, proposal)[0]
