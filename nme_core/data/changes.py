"""What each kind of remedy does to a table: one entry of `KINDS` per kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nme_core.data.columns import as_labels, is_number, is_text, place, respelled
from nme_core.data.dates import ORDERS
from nme_core.data.formats.cells import convert
from nme_core.data.formats.numerals import find_numerals, has_number, label_of
from nme_core.data.labels import core
from nme_core.data.no_answer import means_no_answer
from nme_core.data.time_numbers import LEAST_DIGITS
from nme_core.data.time_parts import CYCLES, JOINS, circle_words, count_on, join_times, joined_as
from nme_core.data.times import order_words, read_as
from nme_core.data.wide import proposal_of, reshape
from nme_core.exceptions import DataError, OptionError

if TYPE_CHECKING:
    from nme_core.data.remedies import Remedy

#: The entry `to` of "indicators" where a cell may hold several words, and what parts them.
SEVERAL = "several"
_PARTS = r"\s*[;|,/+]\s*"


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
        f"of rows alike in {_columns(remedy)} the last was kept; {_count(repeated, 'row')} left out"
    )


def _set_missing(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    emptied = filled = 0
    for name in remedy.columns:
        _refuse_part_of_scale(table[name], remedy)
        cells = as_labels(table[name]).isin(remedy.values)
        emptied += int(cells.sum())
        filled += int(table[name].notna().sum())
        table[name] = table[name].mask(cells)
    return table, (
        f"{_names(remedy.values)} in {_names(remedy.columns)} means missing; "
        f"{_cells(emptied)} emptied, {filled - emptied} of {filled} remain"
    )


def _refuse_part_of_scale(column: pd.Series, remedy: Remedy) -> None:
    """Raise DataError where a cell that is to be missing is a number of a scale with its label."""
    if not is_text(column):
        return
    distinct = as_labels(column).dropna().drop_duplicates()
    steps = [
        cell
        for cell in distinct
        if cell in remedy.values and not means_no_answer(label_of(cell) or cell)
    ]
    found = find_numerals(distinct) if steps else None
    labelled = [] if found is None else list(found.labels.values())
    parts = [cell for cell in steps if label_of(cell) in labelled]
    if parts:
        raise DataError(
            f"{_some(parts)} in {column.name!r} is part of a scale, not a missing value.",
            remedy="Use the remedy read_numbers, which keeps its number.",
            column=str(column.name),
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
        f"{_names(remedy.values)} in {_names(remedy.columns)} became {remedy.to!r}; "
        f"{_cells(changed)} changed"
    )


def _write_alike(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    wanted = {core(value): value for value in remedy.values}
    joined: dict[str, str] = {}
    changed = 0
    for name in remedy.columns:
        labels = as_labels(table[name])
        to = {text: wanted.get(core(text), text) for text in labels.dropna().unique()}
        to = {text: new for text, new in to.items() if text != new}
        changed += int(labels.isin(list(to)).sum())
        table[name] = labels.map(lambda text, to=to: to.get(text, text)).astype("str")
        joined |= to
    pairs = "; ".join(f"{old!r} became {new!r}" for old, new in list(joined.items())[:5])
    pairs += f"; and {len(joined) - 5} more" if len(joined) > 5 else ""
    return table, (
        f"{_names(remedy.columns)} written alike: {pairs or 'nothing to change'}; "
        f"{_cells(changed)} changed"
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
            f"{_columns(remedy)} cannot be told apart once they are joined.",
            remedy="Write one of them without spaces.",
            column=first,
        )
    before, together = table[first].nunique(), " and ".join(map(repr, (*others, first)))
    table[first] = joined.astype("str")
    return table, f"{first!r} is now {together} together: {before} ids became {joined.nunique()}"


def _keep_apart(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    return table, f"what looks alike in {_columns(remedy)} is different"


def _take_as_labels(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    for name in remedy.columns:
        table[name] = as_labels(table[name])
    return table, f"{_columns(remedy)} taken as labels"


def _as_before(labels: pd.Series) -> pd.Series:
    """Labels of a numeric column as numbers, unless a merged state has a word as its name."""
    numbers = pd.to_numeric(labels, errors="coerce")
    return numbers if numbers.notna().equals(labels.notna()) else labels


def _exclude_persons(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    out = _holding(table, remedy)
    return table[~out], (
        f"{_names(remedy.values)} of {_names(remedy.columns)} excluded; "
        f"{_count(out, 'row')} left out"
    )


def _drop_rows(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    out = _holding(table, remedy)
    return table[~out], (
        f"rows with {_names(remedy.values)} in {_names(remedy.columns)} left out; "
        f"{_count(out, 'row')}"
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
        f"rows without {_names(remedy.columns)} left out; {_count(empty, 'row')}"
    )


def _exclude_columns(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    return table.drop(columns=list(remedy.columns)), f"{_names(remedy.columns)} left out"


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
    return table, f"dates in {_names(remedy.columns)} were read as {words}; {_cells(n_read)}"


def _join_times(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    name, *others = remedy.columns
    if not others or joined_as(str(remedy.to)) is None:
        raise OptionError(
            f"{remedy.to!r} is no way to join the columns {_names(remedy.columns)}.",
            remedy=f"Name two columns, and {', '.join(JOINS)} in their order.",
        )
    table[name] = join_times(table, remedy.columns, str(remedy.to))
    kinds = " and ".join(f"the {kind}" for kind in str(remedy.to).split("+"))
    return table.drop(columns=others), (
        f"{kinds} in {_columns(remedy)} became one time, {name!r}; "
        f"{_cells(int(table[name].notna().sum()))}"
    )


def _count_on(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    if remedy.to not in CYCLES:
        raise OptionError(
            f"Times cannot be counted on in {remedy.to!r}.",
            remedy=f"Choose one of {', '.join(CYCLES)}.",
        )
    name = remedy.columns[0]
    table[name], passed = count_on(table, remedy.columns, remedy.to)
    times = "once" if passed == 1 else f"{passed} times"
    return table, (
        f"times in {name!r} count on after {circle_words(remedy.to)}, which the rows pass {times}, "
        "in the order of the file"
    )


def _fill_missing(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    filled = 0
    for name in remedy.columns:
        labels = as_labels(table[name])
        filled += int(labels.isna().sum())
        table[name] = labels.fillna(remedy.to)
    return table, (
        f"{remedy.to!r} was written into the empty cells of {_names(remedy.columns)}; "
        f"{_cells(filled)} filled"
    )


def _read_numbers(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    shown: dict[str, str] = {}
    limits = 0
    for name in remedy.columns:
        column = table[name]
        if is_number(column):
            continue
        cells = as_labels(column)
        distinct = cells.dropna().drop_duplicates()
        found = find_numerals(distinct)
        if found is None:
            position = next(
                (k for k, cell in enumerate(cells) if pd.notna(cell) and not has_number(cell)), 0
            )
            raise DataError(
                f"The cells of {name!r} cannot be read as numbers: {place(cells.index, position)} "
                f"holds {str(cells.iloc[position])!r}.",
                remedy="Treat such cells as missing first, or leave out the remedy read_numbers.",
                column=name,
            )
        numbers = convert(found.numbers, decimal=None, commas=True).values
        known = dict(zip(distinct, numbers, strict=True))
        table[name] = cells.map(known).astype("float64")
        limits += int(cells.isin(distinct[[cell[0] in "<>≤≥" for cell in distinct]]).sum())
        shown |= {cell: f"{number:g}" for cell, number in known.items() if cell != f"{number:g}"}
    told = ", ".join(f"{cell!r} is {number}" for cell, number in list(shown.items())[:5])
    told += f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    lost = f"; {_cells(limits)} with a limit became the limit itself" if limits else ""
    return table, f"{_names(remedy.columns)} was read as numbers: {told or 'as they are'}{lost}"


def _indicators(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    (name,) = remedy.columns
    made, words = indicator_columns(remedy), [value.casefold() for value in remedy.values]
    several = remedy.to == SEVERAL
    codes, distinct = pd.factorize(as_labels(table[name]).str.casefold())
    answers = [set(re.split(_PARTS, cell)) if several else {cell} for cell in distinct]
    unknown = [code for code, given in enumerate(answers) if not given <= set(words)]
    if unknown:
        position = int(np.isin(codes, unknown).argmax())
        raise DataError(
            f"{str(table[name].iloc[position])!r} in column {name!r} "
            f"({place(table.index, position)}) is none of the words that are known: "
            f"{_some(remedy.values)}.",
            remedy="Correct the cell, or treat it as missing.",
            column=name,
        )
    columns = {
        new: np.array([*(float(word in given) for given in answers), np.nan])[codes]
        for new, word in zip(made, words[-len(made) :], strict=True)
    }
    at = list(table.columns).index(name)
    parts = table.iloc[:, :at], pd.DataFrame(columns, index=table.index), table.iloc[:, at + 1 :]
    table = pd.concat(parts, axis=1)
    if made == [name]:
        zero, one = remedy.values
        return table, f"{name!r} is 1 where it says {one!r}, and 0 where it says {zero!r}"
    rest = "" if several else f"; {remedy.values[0]!r} is 0 in all of them"
    return table, f"{name!r} became {len(made)} columns of 0 and 1: {_some(made)}{rest}"


def indicator_columns(remedy: Remedy) -> list[str]:
    """Names of the columns of 0 and 1 that the remedy "indicators" makes.

    The first word is what the others are compared with, and has no column, unless a cell may hold
    several words. Of two words the column keeps its name.
    """
    (name,) = remedy.columns
    if remedy.to != SEVERAL and len(remedy.values) == 2:
        return [name]
    words = remedy.values if remedy.to == SEVERAL else remedy.values[1:]
    return [f"{name} = {word}" for word in words]


def _columns(remedy: Remedy) -> str:
    return " and ".join(repr(name) for name in remedy.columns)


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def _count(rows: pd.Series, noun: str) -> str:
    count = int(rows.sum())
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _names(texts: Sequence[str]) -> str:
    return ", ".join(repr(text) for text in texts)


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return _names(texts[:3]) + more


KINDS: dict[str, Kind] = {
    "drop_duplicates": Kind(
        _drop_duplicates, lambda it: f"Keep the last of the rows alike in {_columns(it)}"
    ),
    "set_missing": Kind(
        _set_missing,
        lambda it: f"Treat {_some(it.values)} in {_columns(it)} as missing",
        values=True,
        cells=True,
    ),
    "merge_states": Kind(
        _merge_states,
        lambda it: f"Join {_some(it.values)} with {it.to!r}",
        values=True,
        to=True,
        cells=True,
    ),
    "write_alike": Kind(
        _write_alike,
        lambda it: f"Write {_columns(it)} alike: {_some(it.values)}",
        values=True,
        cells=True,
        both=True,
    ),
    "join_columns": Kind(
        _join_columns,
        lambda it: f"Tell people apart by {_columns(it)} together",
        cells=True,
        together=True,
        both=True,
    ),
    "keep_apart": Kind(
        _keep_apart, lambda it: f"Keep apart what looks alike in {_columns(it)}", both=True
    ),
    "as_labels": Kind(_take_as_labels, lambda it: f"Take {_columns(it)} as labels"),
    "exclude_persons": Kind(
        _exclude_persons,
        lambda it: f"Leave out {'person' if len(it.values) == 1 else 'people'} {_some(it.values)}",
        values=True,
        both=True,
    ),
    "drop_rows": Kind(
        _drop_rows,
        lambda it: f"Leave out the rows with {_some(it.values)} in {_columns(it)}",
        values=True,
    ),
    "drop_empty": Kind(_drop_empty, lambda it: f"Leave out the rows without {_columns(it)}"),
    "exclude_columns": Kind(_exclude_columns, lambda it: f"Leave out {_columns(it)}"),
    "read_dates": Kind(
        _read_dates,
        lambda it: f"Read the dates in {_columns(it)} as {order_words(it.to or '')}",
        to=True,
        cells=True,
    ),
    "join_times": Kind(
        _join_times,
        lambda it: f"Read {_columns(it)} as one time",
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
    "fill_missing": Kind(
        _fill_missing,
        lambda it: f"Write {it.to!r} into the empty cells of {_columns(it)}",
        to=True,
        cells=True,
        new_rows=False,
    ),
    "read_numbers": Kind(
        _read_numbers,
        lambda it: f"Read the numbers in {_columns(it)}, without the words beside them",
        cells=True,
    ),
    "indicators": Kind(
        _indicators,
        lambda it: f"Make columns of 0 and 1 of the words in {_columns(it)}",
        values=True,
        to=None,
        cells=True,
    ),
    "wide_to_long": Kind(
        _wide_to_long,
        lambda it: f"Make one row of each occasion ({it.columns[0]} … {it.columns[-1]})",
    ),
}
