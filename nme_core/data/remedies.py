"""Remedies: small changes to a table, applied in order, that a file records and that can be undone.

The table itself is never written again: leaving a remedy out of the list undoes it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from nme_core.data.columns import as_labels, is_number, place
from nme_core.data.dates import check_order, parse_dates
from nme_core.data.wide import proposal_of, propose_wide, reshape
from nme_core.exceptions import DataError, MissingColumnError, OptionError


@dataclass(frozen=True)
class Remedy:
    """One change to a table.

    Attributes
    ----------
    kind : str
        ``"drop_duplicates"``: of rows alike in all `columns`, keep the last.
        ``"set_missing"``: empty the cells of `columns` that hold one of `values`.
        ``"merge_states"``: write `to` where `columns` hold one of `values`.
        ``"exclude_persons"``: leave out the rows whose person column (`columns`) is in `values`.
        ``"drop_empty"``: leave out the rows in which one of `columns` is empty.
        ``"exclude_columns"``: leave out `columns`.
        ``"read_dates"``: read the dates of `columns` as `to` says: ``"dmy"``, ``"mdy"``, ``"ymd"``.
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
        if self.kind not in _APPLY:
            raise OptionError(
                f"There is no remedy {self.kind!r}.", remedy=f"Choose one of {', '.join(_APPLY)}."
            )
        needs_values = self.kind in _WITH_VALUES
        if (
            not self.columns
            or needs_values != bool(self.values)
            or (self.kind in _WITH_TO) != (self.to is not None)
        ):
            raise OptionError(
                f"The remedy {self.kind!r} has not the entries that it needs.",
                remedy=f"All need columns; {', '.join(_WITH_VALUES)} need values, the others have "
                f"none; only {' and '.join(_WITH_TO)} need to.",
            )
        if self.kind == "read_dates":
            check_order(self.to or "")

    def __str__(self) -> str:
        """What it does, as an order in a few words."""
        columns = " and ".join(repr(name) for name in self.columns)
        if self.kind == "drop_duplicates":
            return f"Keep the last of the rows alike in {columns}"
        if self.kind == "drop_empty":
            return f"Leave out the rows without {columns}"
        if self.kind == "exclude_columns":
            return f"Leave out {columns}"
        if self.kind == "read_dates":
            return f"Read the dates in {columns} as {_ORDER_WORDS[self.to or '']}"
        if self.kind == "wide_to_long":
            first, last = self.columns[0], self.columns[-1]
            return f"Make one row of each occasion ({first} … {last})"
        if self.kind == "set_missing":
            return f"Treat {_some(self.values)} in {columns} as missing"
        if self.kind == "merge_states":
            return f"Join {_some(self.values)} with {self.to!r}"
        return f"Leave out {'person' if len(self.values) == 1 else 'persons'} {_some(self.values)}"


def apply_remedies(
    table: pd.DataFrame, remedies: Iterable[Remedy]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Apply remedies in order to a copy of a table.

    Returns
    -------
    table : DataFrame
        The index (lines of the file) of the rows that remain is kept.
    notes : tuple of str
        One sentence per remedy, with how many rows or cells it changed.

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
            if isinstance(table[name], pd.DataFrame):
                raise DataError(
                    f"The table has the column {name!r} more than once.",
                    remedy="Give every column a name of its own.",
                    column=name,
                )
        table, note = _APPLY[remedy.kind](table, remedy)
        notes.append(note)
    return table, tuple(notes)


def of_second_table(
    remedies: Iterable[Remedy], long: Iterable[str], second: Iterable[str]
) -> tuple[tuple[Remedy, ...], tuple[Remedy, ...]]:
    """Sort remedies into those of the long table and those of the covariate table.

    To the covariate table belong those of cells or columns that stand only there.
    """
    only_there = set(second) - set(long)
    of_cells = ("set_missing", "merge_states", "exclude_columns", "read_dates")
    theirs = [one for one in remedies if set(one.columns) <= only_there and one.kind in of_cells]
    return tuple(one for one in remedies if one not in theirs), tuple(theirs)


def split_remedies(
    remedies: Iterable[Remedy], kind: str
) -> tuple[tuple[Remedy, ...], tuple[Remedy, ...]]:
    """Remedies of other kinds, and those of this kind."""
    given = tuple(remedies)
    return (
        tuple(one for one in given if one.kind != kind),
        tuple(one for one in given if one.kind == kind),
    )


def left_out_columns(remedies: Iterable[Remedy]) -> set[str]:
    """Columns that remedies leave out."""
    return {
        name for remedy in remedies if remedy.kind == "exclude_columns" for name in remedy.columns
    }


def read_remedies(path: str | os.PathLike[str]) -> tuple[Remedy, ...]:
    """Read remedies from a JSON file: a list of objects with the entries of `Remedy`.

    Raises
    ------
    DataError
        The file is missing or does not hold such a list.
    OptionError
        A remedy does not exist or lacks an entry.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"There is no file {path}.", remedy="Check the path.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"{Path(path).name} is not a JSON file.", remedy="Give a list of remedies."
        ) from error
    return as_remedies(content)


def as_remedies(content: Any) -> tuple[Remedy, ...]:
    """Remedies from what JSON holds; DataError where it is something else."""
    if not isinstance(content, list) or not all(_is_record(entry) for entry in content):
        raise DataError(
            "These are not remedies.",
            remedy='Give a list of objects such as {"kind": "set_missing", "columns": ["mood"], '
            '"values": ["-99"]}.',
        )
    return tuple(
        Remedy(
            entry["kind"],
            tuple(entry["columns"]),
            tuple(entry.get("values", ())),
            entry.get("to"),
        )
        for entry in content
    )


def as_records(remedies: Sequence[Remedy]) -> list[dict[str, Any]]:
    """Remedies as JSON can hold them; `as_remedies` reads them back."""
    return [
        {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(remedy).items()
        }
        for remedy in remedies
    ]


def as_json(remedy: Remedy) -> str:
    """One remedy as a line of the JSON file that `read_remedies` reads."""
    return json.dumps(
        {name: value for name, value in as_records([remedy])[0].items() if value},
        ensure_ascii=False,
    )


def for_new_rows(remedies: Iterable[Remedy], columns: Iterable[str]) -> tuple[Remedy, ...]:
    """What also has to be done to new rows: the remedies of cells in these columns."""
    wanted = set(columns)
    kept = []
    for remedy in remedies:
        shared = tuple(name for name in remedy.columns if name in wanted)
        if shared and remedy.kind in ("set_missing", "merge_states", "read_dates"):
            kept.append(replace(remedy, columns=shared))
    return tuple(kept)


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
    if proposal is None or not set(lacking) <= set(proposal.measures):
        return table
    if all(remedy.kind != "wide_to_long" for remedy in remedies):
        raise DataError(
            f"{proposal.sentence} The run was fitted on a table with one row per occasion.",
            remedy="Give the new rows in the same form.",
            column=lacking[0],
        )
    return reshape(table, proposal)[0]


def _is_record(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and set(entry) <= {"kind", "columns", "values", "to"}
        and isinstance(entry.get("kind"), str)
        and _is_texts(entry.get("columns"))
        and _is_texts(entry.get("values", []))
        and isinstance(entry.get("to"), str | None)
    )


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _drop_duplicates(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    repeated = table.duplicated(list(remedy.columns), keep="last")
    alike = " and ".join(repr(name) for name in remedy.columns)
    return table[~repeated], (
        f"Remedy: of rows alike in {alike} the last was kept; {_count(repeated, 'row')} left out."
    )


def _set_missing(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    emptied = 0
    for name in remedy.columns:
        cells = as_labels(table[name]).isin(remedy.values)
        emptied += int(cells.sum())
        table[name] = _numbers_again(table[name], cells)
    noun = "cell" if emptied == 1 else "cells"
    return table, (
        f"Remedy: {_names(remedy.values)} in {_names(remedy.columns)} means missing; "
        f"{emptied} {noun} emptied."
    )


def _numbers_again(column: pd.Series, emptied: pd.Series) -> pd.Series:
    """The column without these cells; as numbers where only their text kept it from being numeric.

    Ids that look like numbers stay text: "007" does not become 7.
    """
    rest = column.mask(emptied)
    if is_number(column) or not rest.notna().any():
        return rest
    numbers = pd.to_numeric(column, errors="coerce")
    had_words = bool((numbers.isna() & column.notna()).any())
    return numbers.mask(emptied) if had_words and numbers[rest.notna()].notna().all() else rest


def _merge_states(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    changed = 0
    for name in remedy.columns:
        labels = as_labels(table[name])
        cells = labels.isin(remedy.values)
        changed += int(cells.sum())
        merged = labels.mask(cells, remedy.to)
        table[name] = _as_before(merged) if is_number(table[name]) else merged
    noun = "cell" if changed == 1 else "cells"
    return table, (
        f"Remedy: {_names(remedy.values)} in {_names(remedy.columns)} became {remedy.to!r}; "
        f"{changed} {noun} changed."
    )


def _as_before(labels: pd.Series) -> pd.Series:
    """Labels of a numeric column as numbers, unless a merged state has a word as its name."""
    numbers = pd.to_numeric(labels, errors="coerce")
    return numbers if numbers.notna().equals(labels.notna()) else labels


def _exclude_persons(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    out = pd.Series(False, index=table.index)
    for name in remedy.columns:
        out |= as_labels(table[name]).isin(remedy.values)
    return table[~out], (
        f"Remedy: {_names(remedy.values)} of {_names(remedy.columns)} excluded; "
        f"{_count(out, 'row')} left out."
    )


def _drop_empty(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    empty = pd.Series(False, index=table.index)
    for name in remedy.columns:
        labels = as_labels(table[name])
        empty |= labels.isna() | (labels == "")
    return table[~empty], (
        f"Remedy: rows without {_names(remedy.columns)} left out; {_count(empty, 'row')}."
    )


def _exclude_columns(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    kept = table.drop(columns=list(remedy.columns))
    return kept, f"Remedy: {_names(remedy.columns)} left out."


def _count(rows: pd.Series, noun: str) -> str:
    count = int(rows.sum())
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _names(texts: Sequence[str]) -> str:
    return ", ".join(repr(text) for text in texts)


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return _names(texts[:3]) + more


def _wide_to_long(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    long, note = reshape(table, proposal_of(table, remedy.columns))
    return long, f"Remedy: {note[0].lower()}{note[1:]}"


def _read_dates(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    n_read = 0
    for name in remedy.columns:
        column = table[name]
        if is_number(column) or is_datetime64_any_dtype(column.dtype):
            raise DataError(
                f"The column {name!r} holds no dates that are written as text.",
                remedy="Leave out the remedy read_dates.",
                column=name,
            )
        times = parse_dates(column, remedy.to)  # type: ignore[arg-type]
        unread = column[times.isna() & column.notna()]
        if len(unread):
            raise DataError(
                f"{str(unread.iloc[0])!r} in column {name!r} ({place(unread.index, 0)}) is no date "
                f"when read as {_ORDER_WORDS[remedy.to or '']}.",
                remedy="Choose another order, or correct the cell.",
                column=name,
            )
        table[name] = times
        n_read += int(times.notna().sum())
    return table, (
        f"Remedy: dates in {_names(remedy.columns)} were read as "
        f"{_ORDER_WORDS[remedy.to or '']}; {n_read} cells."
    )


_APPLY: dict[str, Callable[[pd.DataFrame, Remedy], tuple[pd.DataFrame, str]]] = {
    "drop_duplicates": _drop_duplicates,
    "set_missing": _set_missing,
    "merge_states": _merge_states,
    "exclude_persons": _exclude_persons,
    "drop_empty": _drop_empty,
    "exclude_columns": _exclude_columns,
    "read_dates": _read_dates,
    "wide_to_long": _wide_to_long,
}

_WITH_TO = ("merge_states", "read_dates")
_ORDER_WORDS = {
    "dmy": "day, month, year",
    "mdy": "month, day, year",
    "ymd": "year, month, day",
}
_WITH_VALUES = ("set_missing", "merge_states", "exclude_persons")
