"""Delimited text, by Arrow's reader where its rows are all alike, else row by row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.types import is_numeric_dtype
from pyarrow import compute

from nme_core.exceptions import DataError
from nme_core.study.formats.beside import own_columns
from nme_core.study.formats.cells import (
    FEW,
    MISSING_CODES,
    PADDED,
    Converted,
    from_text,
    is_padded,
    present,
)
from nme_core.study.formats.collect import Collected
from nme_core.study.formats.columns import assemble, clean_names
from nme_core.study.formats.dialect import Dialect, beyond_head, recognise
from nme_core.study.formats.encoding import to_utf8
from nme_core.study.formats.layouts import is_mpath
from nme_core.study.formats.result import HowRead, Reading
from nme_core.study.formats.source import Source
from nme_core.study.formats.text_body import PART, read_body
from nme_core.study.progress import tell

#: Cells that a table may have.
MOST_CELLS = 500_000_000

_HEAD = 1 << 18

_MISSING = pa.array(MISSING_CODES)
_INTEGER = re.compile(r"-?\d{1,18}")
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def read_text(
    file: Source,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    header: str | None = None,
    text: Iterable[str] = (),
) -> Reading:
    """Read a text table; see `nme_core.study.read_any`.

    Raises
    ------
    DataError
        The text has no rows, repeats a column name, or has rows that do not fit the header.
    OptionError
        There is no line that was given as the header.
    """
    name = file.name
    content, encoding = to_utf8(file, encoding)
    file.forget()
    dialect = _recognise(name, content, delimiter, decimal, header)
    content = content[: dialect.end_bytes]
    _refuse_too_many(name, content, dialect)
    cells, trailing = _without_trailing(dialect)
    _refuse_one_less(name, dialect, len(cells))
    own, beside = own_columns(cells, dialect.sample, header=bool(dialect.header))
    names, notes = clean_names(name, cells[own])
    notes = [*dialect.notes, *beside, *(notes if dialect.header else [])]
    mpath = is_mpath(names)
    if mpath:  # there 1,3 are two answers
        dialect = replace(dialect, decimal=".")
    keep = set(text)
    zeros = _has_zeros(content, dialect)
    as_text = [False] * (len(cells) + trailing)
    as_text[own] = [column in keep for column in names]
    types = _types(dialect, as_text, zeros)
    body = read_body(name, content, dialect, types)
    body.columns = body.columns[own]
    del content
    collected = Collected()
    decimals, thousands = set(), set()
    ids: dict[str, pd.Series] = {}
    for place, column in enumerate(names):
        tell(f"Reading {name}: {column}", PART[1] + (1 - PART[1]) * place / len(names))
        cells = body.columns.pop(0)
        converted = _to_pandas(
            cells, dialect, text=column in keep, commas=not mpath and decimal != "."
        )
        if zeros and is_numeric_dtype(converted.values) and _may_be_ids(cells):
            ids[column] = present(cells.to_pandas()).set_axis(body.lines)
        del cells
        pa.default_memory_pool().release_unused()  # else it is kept for later
        collected.add(column, converted)
        decimals.add(converted.decimal)
        thousands.add(converted.thousands)
    collected.labels.codes.update(_codes_among_numbers(dialect, types))
    frame = assemble(collected.columns, body.lines)
    frame = _without_blank_rows(frame)
    if frame.empty:
        raise DataError(
            f"{name} has a header but no rows.", remedy="Give one row per person and occasion."
        )
    how = HowRead(
        "csv",
        compression=file.compression,
        member=file.member,
        encoding=encoding,
        delimiter=dialect.delimiter if len(names) > 1 else None,
        quote=dialect.quote,
        decimal=_one(decimals) or dialect.decimal,
        thousands=_one(thousands),
        comment_lines=dialect.comment_lines,
        title_lines=dialect.title_lines,
        header=str(dialect.header_line or "none"),
    )
    meanings = {
        column: dialect.labels[place]
        for place, column in enumerate(names, own.start)
        if place in dialect.labels
    }
    labels = replace(collected.labels, columns=meanings)
    told = (*notes, *collected.told())
    return Reading(frame, how, labels, told, above=dialect.above, written=ids)


def _recognise(
    name: str, content: bytes, delimiter: str | None, decimal: str | None, header: str | None
) -> Dialect:
    head = content[:_HEAD].decode("utf-8", errors="ignore")
    whole = len(content) <= _HEAD
    dialect = recognise(
        name, head, whole=whole, delimiter=delimiter, decimal=decimal, header=header
    )
    return dialect if whole or dialect.end_bytes is not None else beyond_head(content, dialect)


def _refuse_too_many(name: str, content: bytes, dialect: Dialect) -> None:
    if content.count(b"\n") * len(dialect.header) > MOST_CELLS:
        raise DataError(
            f"{name} has more than {MOST_CELLS:,} cells.",
            remedy="Leave out columns that are not needed, or split the file by person.",
        )


def _without_trailing(dialect: Dialect) -> tuple[list[str], int]:
    """The header without empty cells at its end that no row fills, and how many those are."""
    header = list(dialect.header) or [""] * max(map(len, dialect.sample))
    filled = max(
        (place for row in dialect.sample for place, cell in enumerate(row, 1) if cell.strip()),
        default=0,
    )
    end = len(header)
    while end > max(filled, 1) and not header[end - 1].strip():
        end -= 1
    return header[:end], len(header) - end


def _refuse_one_less(name: str, dialect: Dialect, width: int) -> None:
    """Raise DataError where every row lacks a cell: which column it is cannot be known."""
    widths = {len(row) for row in dialect.sample}
    if widths == {width - 1} and len(dialect.sample) > 2:
        raise DataError(
            f"Every row of {name} has one cell less than its header: the header (line "
            f"{dialect.header_line}) has {width} names, the rows have {width - 1} cells.",
            remedy="Take the name out of the header that no column belongs to.",
            row=dialect.header_line,
        )


def _codes_among_numbers(dialect: Dialect, types: dict[str, pa.DataType]) -> set[str]:
    """Words for missing in the first rows of columns of numbers, which Arrow does not tell."""
    numbers = [int(place) for place, kind in types.items() if kind != pa.string()]
    cells = {row[place].strip() for row in dialect.sample for place in numbers if place < len(row)}
    return (cells & set(MISSING_CODES)) - {""}


def _types(dialect: Dialect, text: Sequence[bool], zeros: bool) -> dict[str, pa.DataType]:
    """What each column seems to hold, by its first rows; keys are places.

    With `zeros` in front of numbers, whole numbers are read as text first.
    """
    types = {}
    for place, keep in enumerate(text):
        cells = {row[place].strip() for row in dialect.sample if len(row) > place}
        cells -= set(MISSING_CODES)
        if dialect.decimal == ",":
            cells = {cell.replace(",", ".") if "." not in cell else cell + "x" for cell in cells}
        if keep or is_padded(cells) or not all(map(_FLOAT.fullmatch, cells)):
            types[str(place)] = pa.string()
        elif cells and all(map(_INTEGER.fullmatch, cells)):
            types[str(place)] = pa.string() if zeros else pa.int64()
        else:
            types[str(place)] = pa.float64()
    return types


def _has_zeros(content: bytes, dialect: Dialect) -> bool:
    """Whether a cell is a number with a zero in front, such as 01."""
    start = max(dialect.header_bytes - 1, 0)
    end = rb"[\s" + re.escape(dialect.delimiter + dialect.quote).encode() + b"]"
    return re.compile(end + rb"0\d" + end).search(content, start) is not None


def _may_be_ids(cells: pa.ChunkedArray) -> bool:
    """Whether cells are whole numbers of which some have a zero in front."""
    if not pa.types.is_string(cells.type):
        return False
    trimmed = compute.utf8_trim_whitespace(cells)
    known = compute.if_else(compute.is_in(trimmed, _MISSING), None, trimmed)
    return bool(
        compute.any(compute.match_substring_regex(known, r"^0\d+$")).as_py()
        and compute.all(compute.match_substring_regex(known, r"^\d+$")).as_py()
    )


def _to_pandas(cells: pa.ChunkedArray, dialect: Dialect, *, text: bool, commas: bool) -> Converted:
    """A column as pandas holds it; what Arrow left as text is looked at once more."""
    if pa.types.is_string(cells.type):
        if not text and dialect.decimal != ",":
            numbers = _plain_numbers(cells)
            if numbers is not None:
                return Converted(pd.Series(numbers, copy=False), dialect.decimal)
        commas = commas and dialect.delimiter != ","
        return from_text(cells.to_pandas(), text=text, decimal=dialect.decimal, commas=commas)
    parts = [chunk.to_numpy(zero_copy_only=False) for chunk in cells.chunks]
    return Converted(pd.Series(np.concatenate(parts), copy=False))


def _plain_numbers(cells: pa.ChunkedArray) -> np.ndarray | None:
    """Cells that are all plain numbers or missing; much sooner done than what `convert` does."""
    if len(cells) < FEW:
        return _few_numbers(cells.to_pylist())
    trimmed = compute.utf8_trim_whitespace(cells)
    known = compute.if_else(compute.is_in(trimmed, _MISSING), None, trimmed)
    if compute.any(compute.match_substring_regex(known, PADDED)).as_py():
        return None
    try:
        if (
            not known.null_count
            and compute.all(compute.match_substring_regex(known, r"^\d{1,18}$")).as_py()
        ):
            return np.array(known.cast(pa.int64()).to_numpy())
        numbers = known.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    return np.array(numbers.to_numpy(), dtype=np.float64)


def _few_numbers(cells: Sequence[str | None]) -> np.ndarray | None:
    words = [
        None if cell is None or (word := cell.strip()) in MISSING_CODES else word for cell in cells
    ]
    given = [word for word in words if word is not None]
    if is_padded(given) or not all(map(_FLOAT.fullmatch, given)) or not "".join(given).isascii():
        return None
    return np.array([np.nan if word is None else float(word) for word in words])


def _without_blank_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows with at least one cell."""
    blank = np.ones(len(frame), dtype=bool)
    for name in frame.columns:
        blank &= frame[name].isna().to_numpy()
        if not blank.any():
            return frame
    return frame[~blank]


def _one(marks: set[str | None]) -> str | None:
    """The mark that all columns with decimals share; None where there is none or several."""
    found = marks - {None}
    return found.pop() if len(found) == 1 else None
