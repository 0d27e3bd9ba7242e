"""The dialect of a text table: delimiter, quote, decimal mark, where its header stands."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nme_core.exceptions import DataError

#: In the order of preference among those that fit equally well; a space only where none fits.
DELIMITERS = (",", ";", "\t", "|")

#: Rows that are looked at.
SAMPLE_ROWS = 1000

#: Lines above the header that are taken for a title, at most.
_MOST_TITLES = 20

_COMMA = re.compile(r"[+-]?\d*,\d+")
_POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
_COMMA_GROUPS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+")
_POINT_GROUPS_COMMA = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+,\d+")
_NUMBER = re.compile(r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?")
_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Attributes
    ----------
    delimiter, quote : str
        One character each.
    decimal : str or None
        ``","`` or ``"."``; None where no cell of the sample has decimals.
    header : tuple of str
        The cells of the header, as they stand.
    header_lines : int
        Lines up to the end of the header.
    header_bytes : int
        UTF-8 bytes up to the end of the header.
    comment_lines, title_lines : int
        Lines that were skipped above the header.
    sample : tuple of rows
        The first rows below the header.
    """

    delimiter: str
    quote: str
    decimal: str | None
    header: tuple[str, ...]
    header_lines: int
    header_bytes: int
    comment_lines: int
    title_lines: int
    sample: tuple[tuple[str, ...], ...]


def recognise(
    name: str, head: str, *, whole: bool, delimiter: str | None = None, decimal: str | None = None
) -> Dialect:
    """Recognise the dialect from the beginning of a file.

    Parameters
    ----------
    name : str
        The file, for messages.
    head : str
        Its first lines; the last one may be cut off.
    whole : bool
        Whether this is the whole file.
    delimiter, decimal : str, optional
        Where they are known.

    Raises
    ------
    DataError
        There is no header.
    """
    lines = list(io.StringIO(head, newline=""))
    if not whole and len(lines) > 1:
        lines.pop()
    first, comments, said = _skip(lines)
    if first == len(lines):
        raise DataError(f"{name} is empty.", remedy="A line has to name the columns.")
    sample = lines[first : first + SAMPLE_ROWS + _MOST_TITLES]
    if comments and _names_columns(lines[first - 1], sample):
        first, comments = first - 1, comments - 1
        sample = [lines[first].lstrip(" #"), *sample]
    mark = delimiter or said or _choose_delimiter(sample)
    quote = _choose_quote(sample, mark)
    rows = list(_rows(sample, mark, quote))
    if not rows:
        raise DataError(
            f"The header of {name} cannot be read.",
            remedy="A line has to name the columns; look for a quotation mark that is not closed.",
        )
    titles = count_titles([cells for cells, _ in rows])
    before = rows[titles - 1][1] if titles else 0
    cells, end = rows[titles]
    body = [cells for cells, _ in rows[titles + 1 :]][:SAMPLE_ROWS]
    return Dialect(
        delimiter=mark,
        quote=quote,
        decimal=decimal or _choose_decimal(body, mark),
        header=tuple(cells),
        header_lines=first + end,
        header_bytes=sum(len(line.encode()) for line in lines[: first + end]),
        comment_lines=comments,
        title_lines=before,
        sample=tuple(tuple(row) for row in body),
    )


def _skip(lines: Sequence[str]) -> tuple[int, int, str | None]:
    """The first line that is neither blank, a comment nor ``sep=;``; comments; the separator."""
    comments, said = 0, None
    for number, line in enumerate(lines):
        separator = _SEPARATOR.fullmatch(line)
        if separator:
            said = separator[1]
        elif line.lstrip().startswith("#"):
            comments += 1
        elif line.strip(" \t\r\n,;"):
            return number, comments, said
    return len(lines), comments, said


def _names_columns(comment: str, below: Sequence[str]) -> bool:
    """Whether the last comment line is the header: ``#id,mood`` above rows with numbers."""
    names = comment.lstrip(" #")
    for mark in DELIMITERS:
        cells = next(csv.reader([names], delimiter=mark))
        first = next(csv.reader(below[:1], delimiter=mark))
        if len(cells) == len(first) > 1:
            numbers = any(_NUMBER.fullmatch(cell.strip()) for cell in first)
            return numbers and not any(_NUMBER.fullmatch(cell.strip()) for cell in cells)
    return False


def _rows(lines: Sequence[str], delimiter: str, quote: str) -> Iterator[tuple[list[str], int]]:
    """Rows that are not blank, each with the number of lines up to its end."""
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:  # a cell larger than the module allows: the reading itself says so
            return
        if any(cell.strip() for cell in cells):
            yield cells, reader.line_num


def _choose_delimiter(lines: Sequence[str]) -> str:
    found = {}
    for mark in (*DELIMITERS, " "):
        rows = [cells for cells, _ in _rows(lines, mark, '"')]
        widths = [len(cells) for cells in rows]
        width, count = Counter(widths).most_common(1)[0] if widths else (1, 0)
        if width > 1:
            found[mark] = (-widths.index(width), count / len(widths), width)
    if set(found) > {" "}:
        del found[" "]
    if found == {" ": found.get(" ")} and found[" "][:2] != (0, 1.0):
        found = {}
    if found:
        return max(found, key=lambda mark: found[mark])
    widest = {mark: len(next(csv.reader(lines[:1], delimiter=mark))) for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: widest[mark])


def _choose_quote(lines: Sequence[str], delimiter: str) -> str:
    """An apostrophe where cells stand in apostrophes and none in quotation marks."""
    if any('"' in line for line in lines):
        return '"'
    cells = [cell.strip() for line in lines for cell in line.strip("\r\n").split(delimiter)]
    quoted = sum(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in cells)
    return "'" if quoted and quoted >= len(lines) else '"'


def count_titles(rows: Sequence[Sequence[str]]) -> int:
    """Rows above the header: few cells each, then a row of names as wide as the rows below it."""
    width = Counter(map(len, rows)).most_common(1)[0][0]
    for number, cells in enumerate(rows[: _MOST_TITLES + 1]):
        if len(cells) == width:
            names = not any(_NUMBER.fullmatch(cell.strip()) for cell in cells)
            return number if names and number + 1 < len(rows) else 0
        if sum(bool(cell.strip()) for cell in cells) > 1:
            return 0
    return 0


def _choose_decimal(rows: Sequence[Sequence[str]], delimiter: str) -> str | None:
    cells = {cell.strip() for row in rows for cell in row}
    points = any(_POINT.fullmatch(cell) for cell in cells)
    if delimiter == ",":
        return "." if points else None
    if any(_POINT_GROUPS_COMMA.fullmatch(cell) for cell in cells):
        return ","
    commas = {cell for cell in cells if _COMMA.fullmatch(cell)}
    if points and all(_COMMA_GROUPS.fullmatch(cell) for cell in commas):
        return "."
    if commas and not points:
        return ","
    return "." if points else None
