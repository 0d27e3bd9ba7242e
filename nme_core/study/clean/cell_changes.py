"""What remedies do to cells: missing, numbers with words beside them, words as 0 and 1."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nme_core.exceptions import DataError
from nme_core.study.clean.change_words import names_of, some_of
from nme_core.study.clean.no_answer import means_no_answer
from nme_core.study.columns import as_labels, cells_of, is_number, is_text, place
from nme_core.study.formats.cells import convert
from nme_core.study.formats.numerals import find_numerals, has_number, is_limit, label_of

if TYPE_CHECKING:
    from nme_core.study.clean.remedies import Remedy

#: The entry `to` of "indicators" where a cell may hold several words, and what parts them.
SEVERAL = "several"
_PARTS = r"\s*[;|,/+]\s*"


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
            f"{some_of(parts)} in {column.name!r} is part of a scale, not a missing value.",
            remedy="Use the remedy read_numbers, which keeps its number.",
            column=str(column.name),
        )


def set_missing(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    """Empty cells."""
    emptied = filled = 0
    for name in remedy.columns:
        _refuse_part_of_scale(table[name], remedy)
        cells = as_labels(table[name]).isin(remedy.values)
        emptied += int(cells.sum())
        filled += int(table[name].notna().sum())
        table[name] = table[name].mask(cells)
    return table, (
        f"{names_of(remedy.values)} in {names_of(remedy.columns)} means missing; "
        f"{cells_of(emptied)} emptied, {filled - emptied:,} of {filled:,} remain"
    )


def fill_missing(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    """Write a word into empty cells."""
    filled = 0
    for name in remedy.columns:
        labels = as_labels(table[name])
        filled += int(labels.isna().sum())
        table[name] = labels.fillna(remedy.to)
    return table, (
        f"{remedy.to!r} was written into the empty cells of {names_of(remedy.columns)}; "
        f"{cells_of(filled)} filled"
    )


def fill_down(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    """Write the value above into empty cells."""
    filled = 0
    for name in remedy.columns:
        labels = as_labels(table[name])
        empty = labels.isna() | (labels == "")
        down = table[name].mask(empty).ffill()
        filled += int((empty & down.notna()).sum())
        table[name] = down
    return table, (
        f"the empty cells of {names_of(remedy.columns)} took the value above them; "
        f"{cells_of(filled)} filled"
    )


def _number(cell: str) -> float:
    """A number as Python reads it; missing where it does not."""
    try:
        return float(cell)
    except (TypeError, ValueError):
        return float("nan")


def read_numbers(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    """Read numbers with words beside them."""
    shown: dict[str, str] = {}
    limits = 0
    for name in remedy.columns:
        column = table[name]
        if is_number(column):
            continue
        cells = as_labels(column)
        distinct = cells.dropna().drop_duplicates()
        found = find_numerals(distinct, alike=False)
        numbers = (
            None if found is None else convert(found.numbers, decimal=None, commas=True).values
        )
        if found is None or numbers is None or not is_number(numbers):
            position = next(
                (k for k, cell in enumerate(cells) if pd.notna(cell) and not has_number(cell)), 0
            )
            raise DataError(
                f"The cells of {name!r} cannot be read as numbers: {place(cells.index, position)} "
                f"holds {str(cells.iloc[position])!r}.",
                remedy="Treat such cells as missing first, or leave out the remedy read_numbers.",
                column=name,
            )
        if not is_number(numbers):  # zeros in front, as of ids: 007
            points = numbers.str.replace(",", ".", regex=False)
            numbers = pd.Series([_number(cell) for cell in points], dtype="float64")
        known = dict(zip(distinct, numbers, strict=True))
        table[name] = cells.map(known).astype("float64")
        limits += int(cells.isin(distinct[distinct.map(is_limit)]).sum())
        shown |= {cell: f"{number:g}" for cell, number in known.items() if cell != f"{number:g}"}
    told = ", ".join(f"{cell!r} is {number}" for cell, number in list(shown.items())[:5])
    told += f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    lost = f"; {cells_of(limits)} with a limit became the limit itself" if limits else ""
    return table, f"{names_of(remedy.columns)} was read as numbers: {told or 'as they are'}{lost}"


def past_midnight(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    """Count times of day before noon on after midnight."""
    changed = 0
    for name in remedy.columns:
        hours = table[name].astype("float64")
        early = hours < 12
        changed += int(early.sum())
        table[name] = hours + 24 * early
    return table, (
        f"times of day before noon in {names_of(remedy.columns)} count on after midnight, so that "
        f"0:30 is 24.5; {cells_of(changed)} changed"
    )


def indicators(table: pd.DataFrame, remedy: Remedy) -> tuple[pd.DataFrame, str]:
    """Make columns of 0 and 1 of words."""
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
            f"{some_of(remedy.values)}.",
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
    return table, f"{name!r} became {len(made)} columns of 0 and 1: {some_of(made)}{rest}"


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
