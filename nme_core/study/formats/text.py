"""Delimited text, by Arrow's reader where its rows are all alike, else row by row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.types import is_numeric_dtype
from pyarrow import compute
from pyarrow import csv as arrow_csv

from nme_core.exceptions import DataError
from nme_core.study.formats.beside import own_columns
from nme_core.study.formats.cells import (
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
from nme_core.study.progress import Told, tell

#: Cells that a table may have.
MOST_CELLS = 500_000_000

_HEAD = 1 << 18
_BLOCK = 1 << 22
#: Bytes that are read in one thread.
_SMALL = 4 * _BLOCK
_ROWS_AT_ONCE = 50_000
#: Rows below which a column is read cell by cell.
_FEW = 50
#: Part of the way on which the rows are read; on the rest they become columns.
_BODY = (0.0, 0.6)
#: How often a column may turn out to be something else than its first rows promised.
_CHANGES = 6

_MISSING = pa.array(MISSING_CODES)
_INTEGER = re.compile(r"-?\d{1,18}")
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_SEEN = re.compile(rb"\S")
_COMMENT_LINE = re.compile(rb"[\r\n][ \t]*#")
_AT_COLUMN = re.compile(r"In CSV column #(\d+)")


@dataclass(eq=False)
class _Body:
    """Columns below the header, and the line of each row in the file."""

    columns: list[pa.ChunkedArray]
    lines: pd.Index


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
    body = _read_body(name, content, dialect, types)
    body.columns = body.columns[own]
    del content
    collected = Collected()
    decimals, thousands = set(), set()
    ids: dict[str, pd.Series] = {}
    for place, column in enumerate(names):
        tell(f"Reading {name}: {column}", _BODY[1] + (1 - _BODY[1]) * place / len(names))
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


def _read_body(name: str, content: bytes, dialect: Dialect, types: dict[str, pa.DataType]) -> _Body:
    """Columns by Arrow's reader where every row is as wide as the header, else row by row."""
    start = dialect.header_bytes
    commented = dialect.comment_lines and _COMMENT_LINE.search(content, max(start - 2, 0))
    if not (commented or dialect.skip) and _SEEN.search(content, start):
        columns = _by_arrow(name, content, dialect, types)
        if columns is not None and len(columns[0]) == _count_lines(content, start):
            first = dialect.header_lines + 1
            lines = pd.RangeIndex(first, first + len(columns[0]), name="line")
            return _Body(columns, lines)
    return _row_by_row(name, content, dialect, len(types))


def _count_lines(content: bytes, start: int) -> int:
    """Lines below the header, without blank ones at the end."""
    end = len(content)
    while content[end - 1] in b"\r\n":
        end -= 1
    breaks = content.count(b"\n", start, end)
    return 1 + (breaks or content.count(b"\r", start, end))


def _by_arrow(
    name: str, content: bytes, dialect: Dialect, types: dict[str, pa.DataType]
) -> list[pa.ChunkedArray] | None:
    """None where the rows are not all alike."""
    types = dict(types)
    quoted = dialect.quote.encode() in content
    body = pa.py_buffer(content).slice(dialect.header_bytes)
    for _ in range(_CHANGES):
        try:
            table = arrow_csv.read_csv(
                Told(pa.BufferReader(body), body.size, f"Reading {name}", _BODY),
                arrow_csv.ReadOptions(
                    column_names=list(types),
                    block_size=_BLOCK,
                    encoding="utf8",
                    use_threads=len(content) > _SMALL,
                ),
                arrow_csv.ParseOptions(
                    delimiter=dialect.delimiter,
                    quote_char=dialect.quote if quoted else False,
                    newlines_in_values=quoted,
                ),
                arrow_csv.ConvertOptions(
                    column_types=types,
                    null_values=list(MISSING_CODES),
                    decimal_point=dialect.decimal or ".",
                ),
            )
        except pa.ArrowInvalid as error:
            found = _AT_COLUMN.search(str(error))
            if found is None:
                return None
            changed = list(types)[int(found[1])]
            if types[changed] == pa.string():
                return None
            types[changed] = pa.float64() if types[changed] == pa.int64() else pa.string()
        else:
            return list(table.columns)
    return None


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


def _row_by_row(name: str, content: bytes, dialect: Dialect, width: int) -> _Body:
    """All columns as text, with the line of every row; blank and comment lines are left out."""
    parts: list[list[pa.Array]] = [[] for _ in range(width)]
    lines: list[np.ndarray] = []
    for rows, numbers in _batches(name, content, dialect, width):
        for part, cells in zip(parts, zip(*rows, strict=True), strict=True):
            part.append(pa.array(cells, pa.string()))
        lines.append(np.array(numbers, dtype=np.int64))
    columns = [pa.chunked_array(part, pa.string()) for part in parts]
    index = np.concatenate(lines) if lines else np.empty(0, dtype=np.int64)
    return _Body(columns, pd.Index(index, name="line"))


def _batches(
    name: str, content: bytes, dialect: Dialect, width: int
) -> Iterator[tuple[list[list[str]], list[int]]]:
    rows: list[list[str]] = []
    numbers: list[int] = []
    at_once, n_lines = max(_ROWS_AT_ONCE // width, 1), 1 + content.count(b"\n")
    for cells, number in _rows(name, content, dialect):
        if len(cells) < width:
            cells += [""] * (width - len(cells))
        elif len(cells) > width:
            if any(cell.strip() for cell in cells[width:]):
                raise _too_long(name, number, len(cells), width)
            del cells[width:]
        rows.append(cells)
        numbers.append(number)
        if len(rows) == at_once:
            yield rows, numbers
            rows, numbers = [], []
            tell(f"Reading {name}", _BODY[1] * min(1.0, number / n_lines))
    if rows:
        yield rows, numbers


def _rows(name: str, content: bytes, dialect: Dialect) -> Iterator[tuple[list[str], int]]:
    """Rows below the header, each with the line that it begins on."""
    body = io.BytesIO(content)
    body.seek(dialect.header_bytes)
    lines = io.TextIOWrapper(body, encoding="utf-8", newline="")
    reader = csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote)
    unpaired = content.count(dialect.quote.encode()) % 2 == 1
    before = first = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            if unpaired and before > first + 1:
                raise _not_closed(name, dialect.header_lines + first + 1, "has no end") from None
            return
        except csv.Error as error:
            line = dialect.header_lines + before + 1
            raise _not_closed(name, line, f"cannot be read: {error}") from error
        comment = dialect.comment_lines and cells and cells[0].lstrip().startswith("#")
        line = dialect.header_lines + before + 1
        if not comment and line not in dialect.skip and any(cell.strip() for cell in cells):
            yield cells, line
        first, before = before, reader.line_num


def _not_closed(name: str, number: int, what: str) -> DataError:
    return DataError(
        f"A cell in line {number} of {name} {what}.",
        remedy="Look for a quotation mark that is not closed.",
        row=number,
    )


def _too_long(name: str, number: int, cells: int, width: int) -> DataError:
    return DataError(
        f"{name} has rows with more cells than its header has columns: line {number} has "
        f"{cells}, the header {width}.",
        remedy="Put cells that contain the delimiter in quotation marks.",
        row=number,
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
    if len(cells) < _FEW:  # there may be thousands of columns
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
