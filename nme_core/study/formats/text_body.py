"""The rows of delimited text below its header, by Arrow where they are all alike, else singly."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv

from nme_core.exceptions import DataError
from nme_core.study.formats.cells import MISSING_CODES
from nme_core.study.formats.dialect import Dialect
from nme_core.study.progress import Told, tell

_BLOCK = 1 << 22
#: Bytes that are read in one thread.
_SMALL = 4 * _BLOCK
_ROWS_AT_ONCE = 50_000
#: Part of the way on which the rows are read; on the rest they become columns.
PART = (0.0, 0.6)
#: How often a column may turn out to be something else than its first rows promised.
_CHANGES = 6
_SEEN = re.compile(rb"\S")
_COMMENT_LINE = re.compile(rb"[\r\n][ \t]*#")
_AT_COLUMN = re.compile(r"In CSV column #(\d+)")


@dataclass(eq=False)
class Body:
    """Columns below the header, and the line of each row in the file."""

    columns: list[pa.ChunkedArray]
    lines: pd.Index


def read_body(name: str, content: bytes, dialect: Dialect, types: dict[str, pa.DataType]) -> Body:
    """Columns by Arrow's reader where every row is as wide as the header, else row by row."""
    start = dialect.header_bytes
    commented = dialect.comment_lines and _COMMENT_LINE.search(content, max(start - 2, 0))
    if not (commented or dialect.skip) and _SEEN.search(content, start):
        columns = _by_arrow(name, content, dialect, types)
        if columns is not None and len(columns[0]) == _count_lines(content, start):
            first = dialect.header_lines + 1
            lines = pd.RangeIndex(first, first + len(columns[0]), name="line")
            return Body(columns, lines)
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
                Told(pa.BufferReader(body), body.size, f"Reading {name}", PART),
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


def _row_by_row(name: str, content: bytes, dialect: Dialect, width: int) -> Body:
    """All columns as text, with the line of every row; blank and comment lines are left out."""
    parts: list[list[pa.Array]] = [[] for _ in range(width)]
    lines: list[np.ndarray] = []
    for rows, numbers in _batches(name, content, dialect, width):
        for part, cells in zip(parts, zip(*rows, strict=True), strict=True):
            part.append(pa.array(cells, pa.string()))
        lines.append(np.array(numbers, dtype=np.int64))
    columns = [pa.chunked_array(part, pa.string()) for part in parts]
    index = np.concatenate(lines) if lines else np.empty(0, dtype=np.int64)
    return Body(columns, pd.Index(index, name="line"))


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
            tell(f"Reading {name}", PART[1] * min(1.0, number / n_lines))
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
