"""What each kind of remedy does to a table: one entry of `KINDS` per kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nme_core.exceptions import DataError, OptionError
from nme_core.study.clean.cell_changes import (
    fill_down,
    fill_missing,
    indicators,
    past_midnight,
    read_numbers,
    set_missing,
)
from nme_core.study.clean.change_words import columns_of, count_of, names_of, some_of
from nme_core.study.clean.labels import cores
from nme_core.study.clean.wide import proposal_of, reshape
from nme_core.study.columns import as_labels, cells_of, is_number, place, respelled
from nme_core.study.time.dates import ORDERS
from nme_core.study.time.time_numbers import LEAST_DIGITS, is_pointed_clock
from nme_core.study.time.time_parts import (
    CYCLES,
    JOINS,
    circle_words,
    count_on,
    join_times,
    joined_as,
)
from nme_core.study.time.times import order_words, read_as

if TYPE_CHECKING:
    from nme_core.study.clean.remedies import Remedy


@dataclass(frozen=True)
class Kind:
    """A kind of remedy.

    Attributes
    ----------
    change : callable
        Table and remedy to the changed table and a sentence; it may write into the columns of the
        table, which is a copy.
    words : callable
        What a remedy does, as an order in a few words.
    values, to : bool
        Whether it needs the entries of that name; None where it may have it.
    cells : bool
        Whether it changes cells, so that it may be about the covariate table.
    new_rows : bool
        Whether new rows need it too, where it changes cells.
    together : bool
        Whether its columns belong together: new rows need all of them.
    both : bool
        Whether it is done to both tables where both have its columns, as ids are.
    """

    change: Callable[[pd.DataFrame, Remedy], tuple[pd.DataFrame, str]]
    words: Callable[[Remedy], str]
    values: bool = False
    to: bool | None = False
    cells: bool = False
    new_rows: bool = True
    together: bool = False
    both: bool = False


def _drop_duplicates(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    repeated = table.duplicated(list(remedy.columns), keep="last")
    return table[~repeated], (
        f"of rows alike in {columns_of(remedy)} the last was kept; "
        f"{count_of(repeated, 'row')} left out"
    )


def _keep_one(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    *alike, name = remedy.columns
    other = (as_labels(table[name]) != remedy.to).to_numpy()
    if other.all():
        raise DataError(
            f"No cell of {name!r} holds {remedy.to!r}.",
            remedy=f"It holds {some_of(list(as_labels(table[name]).dropna().unique()))}.",
            column=name,
        )
    first = np.argsort(other, kind="stable")  # rows with the value, then the others
    out = np.zeros(len(table), dtype=bool)
    out[first] = table[alike].iloc[first].duplicated().to_numpy()
    return table[~out], (
        f"of rows alike in {' and '.join(map(repr, alike))} the one with {remedy.to!r} in {name!r} "
        f"was kept, or else the first; {count_of(pd.Series(out), 'row')} left out"
    )


def _merge_states(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    changed = 0
    for name in remedy.columns:
        labels = as_labels(table[name])
        cells = labels.isin(remedy.values)
        changed += int(cells.sum())
        merged = labels.mask(cells, remedy.to)
        table[name] = _as_before(merged) if is_number(table[name]) else merged
    return table, (
        f"{names_of(remedy.values)} in {names_of(remedy.columns)} became {remedy.to!r}; "
        f"{cells_of(changed)} changed"
    )


def _write_alike(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    joined: dict[str, str] = {}
    changed = 0
    for name in remedy.columns:
        labels = as_labels(table[name])
        known = cores([*remedy.values, *labels.dropna().unique()])
        wanted = {known[value]: value for value in remedy.values}
        to = {text: wanted.get(known[text], text) for text in labels.dropna().unique()}
        to = {text: new for text, new in to.items() if text != new}
        changed += int(labels.isin(list(to)).sum())
        table[name] = labels.map(lambda text, to=to: to.get(text, text)).astype("str")
        joined |= to
    pairs = "; ".join(f"{old!r} became {new!r}" for old, new in list(joined.items())[:5])
    pairs += f"; and {len(joined) - 5} more" if len(joined) > 5 else ""
    return table, (
        f"{names_of(remedy.columns)} written alike: {pairs or 'nothing to change'}; "
        f"{cells_of(changed)} changed"
    )


def _join_columns(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    first, *others = remedy.columns
    parts = [as_labels(table[name]) for name in (*others, first)]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + " " + part
    distinct = pd.concat(parts, axis=1, ignore_index=True)[joined.notna()].drop_duplicates()
    if joined.nunique() < len(distinct):
        raise DataError(
            f"{columns_of(remedy)} cannot be told apart once they are joined.",
            remedy="Write one of them without spaces.",
            column=first,
        )
    before, together = table[first].nunique(), " and ".join(map(repr, (*others, first)))
    table[first] = joined.astype("str")
    return table, f"{first!r} is now {together} together: {before} ids became {joined.nunique()}"


def _keep_apart(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    return table, f"what looks alike in {columns_of(remedy)} is different"


def _take_as_labels(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    for name in remedy.columns:
        table[name] = as_labels(table[name])
    return table, f"{columns_of(remedy)} taken as labels"


def _as_before(labels: pd.Series) -> pd.Series:
    """Labels of a numeric column as numbers, unless a merged state has a word as its name."""
    numbers = pd.to_numeric(labels, errors="coerce")
    return numbers if numbers.notna().equals(labels.notna()) else labels


def _exclude_persons(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    out = _holding(table, remedy)
    return table[~out], (
        f"{names_of(remedy.values)} of {names_of(remedy.columns)} excluded; "
        f"{count_of(out, 'row')} left out"
    )


def _drop_rows(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    out = _holding(table, remedy)
    return table[~out], (
        f"rows with {names_of(remedy.values)} in {names_of(remedy.columns)} left out; "
        f"{count_of(out, 'row')}"
    )


def _holding(table: pd.DataFrame, remedy: Remedy) -> pd.Series:
    """Whether each row holds one of the remedy's values in one of its columns."""
    found = pd.Series(False, index=table.index)
    for name in remedy.columns:
        labels = as_labels(table[name])
        one_form = {raw.strip(): text for raw, text in respelled(table[name]).items()}
        found |= labels.isin(remedy.values) | labels.map(one_form).isin(remedy.values)
    return found


def _drop_empty(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    empty = pd.Series(False, index=table.index)
    for name in remedy.columns:
        labels = as_labels(table[name])
        empty |= labels.isna() | (labels == "")
    return table[~empty], (
        f"rows without {names_of(remedy.columns)} left out; {count_of(empty, 'row')}"
    )


def _exclude_columns(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    return table.drop(columns=list(remedy.columns)), f"{names_of(remedy.columns)} left out"


def _wide_to_long(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    long, note = reshape(table, proposal_of(table, remedy.columns))
    return long, f"{note[0].lower()}{note[1:]}".removesuffix(".")


def _read_dates(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    n_read, words = 0, order_words(remedy.to or "")
    for name in remedy.columns:
        column = table[name]
        if remedy.to in ORDERS and is_number(column) and not column.max() >= LEAST_DIGITS:
            raise DataError(
                f"The column {name!r} holds no dates that are written as text.",
                remedy="Leave out the remedy read_dates.",
                column=name,
            )
        times = read_as(column, remedy.to or "")
        unread = column[times.isna() & column.notna()]
        if len(unread):
            raise DataError(
                f"{str(unread.iloc[0])!r} in column {name!r} ({place(unread.index, 0)}) is no date "
                f"when read as {words}.",
                remedy="Choose another order, or correct the cell.",
                column=name,
            )
        table[name] = times
        n_read += int(times.notna().sum())
    return table, f"dates in {names_of(remedy.columns)} were read as {words}; {cells_of(n_read)}"


def _join_times(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    name, *others = remedy.columns
    if not others or joined_as(str(remedy.to)) is None:
        raise OptionError(
            f"{remedy.to!r} is no way to join the columns {names_of(remedy.columns)}.",
            remedy=f"Name two columns, and {', '.join(JOINS)} in their order.",
        )
    table[name] = join_times(table, remedy.columns, str(remedy.to))
    kinds = " and ".join(f"the {kind}" for kind in str(remedy.to).split("+"))
    return table.drop(columns=others), (
        f"{kinds} in {columns_of(remedy)} became one time, {name!r}; "
        f"{cells_of(int(table[name].notna().sum()))}"
    )


def _count_on(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    if remedy.to not in CYCLES:
        raise OptionError(
            f"Times cannot be counted on in {remedy.to!r}.",
            remedy=f"Choose one of {', '.join(CYCLES)}.",
        )
    name = remedy.columns[0]
    pointed = "; 21.30 is 21:30" if is_pointed_clock(table[name]) else ""
    table[name], passed = count_on(table, remedy.columns, remedy.to)
    times = "once" if passed == 1 else f"{passed} times"
    return table, (
        f"times in {name!r} count on after {circle_words(remedy.to)}, which the rows pass {times}, "
        f"in the order of the file{pointed}"
    )


KINDS: dict[str, Kind] = {
    "drop_duplicates": Kind(
        _drop_duplicates, lambda it: f"Keep the last of the rows alike in {columns_of(it)}"
    ),
    "keep_one": Kind(
        _keep_one,
        lambda it: (
            f"Of rows alike in {' and '.join(map(repr, it.columns[:-1]))}, keep the one with "
            f"{it.to!r} in {it.columns[-1]!r}"
        ),
        to=True,
    ),
    "set_missing": Kind(
        set_missing,
        lambda it: f"Treat {some_of(it.values)} in {columns_of(it)} as missing",
        values=True,
        cells=True,
    ),
    "merge_states": Kind(
        _merge_states,
        lambda it: f"Join {some_of(it.values)} with {it.to!r}",
        values=True,
        to=True,
        cells=True,
    ),
    "write_alike": Kind(
        _write_alike,
        lambda it: f"Write {columns_of(it)} alike: {some_of(it.values)}",
        values=True,
        cells=True,
        both=True,
    ),
    "join_columns": Kind(
        _join_columns,
        lambda it: f"Tell people apart by {columns_of(it)} together",
        cells=True,
        together=True,
        both=True,
    ),
    "keep_apart": Kind(
        _keep_apart, lambda it: f"Keep apart what looks alike in {columns_of(it)}", both=True
    ),
    "as_labels": Kind(_take_as_labels, lambda it: f"Take {columns_of(it)} as labels"),
    "exclude_persons": Kind(
        _exclude_persons,
        lambda it: (
            f"Leave out {'person' if len(it.values) == 1 else 'people'} {some_of(it.values)}"
        ),
        values=True,
        both=True,
    ),
    "drop_rows": Kind(
        _drop_rows,
        lambda it: f"Leave out the rows with {some_of(it.values)} in {columns_of(it)}",
        values=True,
    ),
    "drop_empty": Kind(_drop_empty, lambda it: f"Leave out the rows without {columns_of(it)}"),
    "exclude_columns": Kind(_exclude_columns, lambda it: f"Leave out {columns_of(it)}"),
    "read_dates": Kind(
        _read_dates,
        lambda it: f"Read the dates in {columns_of(it)} as {order_words(it.to or '')}",
        to=True,
        cells=True,
    ),
    "join_times": Kind(
        _join_times,
        lambda it: f"Read {columns_of(it)} as one time",
        to=True,
        cells=True,
        together=True,
    ),
    "count_on": Kind(
        _count_on,
        lambda it: f"Count {it.columns[0]!r} on after {circle_words(it.to or '')}",
        to=True,
        cells=True,
        together=True,
    ),
    "past_midnight": Kind(
        past_midnight,
        lambda it: f"Count {columns_of(it)} on after midnight (0:30 is 24.5)",
        cells=True,
    ),
    "fill_missing": Kind(
        fill_missing,
        lambda it: f"Write {it.to!r} into the empty cells of {columns_of(it)}",
        to=True,
        cells=True,
        new_rows=False,
    ),
    "fill_down": Kind(
        fill_down,
        lambda it: f"Fill the empty cells of {columns_of(it)} with the value above them",
        cells=True,
        both=True,
    ),
    "read_numbers": Kind(
        read_numbers,
        lambda it: f"Read the numbers in {columns_of(it)}, without the words beside them",
        cells=True,
    ),
    "indicators": Kind(
        indicators,
        lambda it: f"Make columns of 0 and 1 of the words in {columns_of(it)}",
        values=True,
        to=None,
        cells=True,
    ),
    "wide_to_long": Kind(
        _wide_to_long,
        lambda it: f"Make one row of each occasion ({it.columns[0]} … {it.columns[-1]})",
    ),
}
