"""The dialect of a text table: delimiter, quote, decimal mark, where its header stands."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from nme_core.exceptions import DataError, OptionError
from nme_core.study.formats.odd_rows import JUDGED, below_words, is_foot, lines_of, say
from nme_core.study.formats.rows import Row
from nme_core.study.formats.table import MOST_ABOVE, Table, find_table

#: In the order of preference among those that fit equally well; a space only where none fits.
DELIMITERS = (",", ";", "\t", "|")

#: Rows that are looked at.
SAMPLE_ROWS = 1000

#: Bytes at the end of a long file that are looked at.
_TAIL = 1 << 15

#: A key and its value in one cell: Serial Number: X1, Start Time 12:00:00.
_KEY = re.compile(r"(.*?[^\W\d_]\)?)(?::\s+|\s+(?=\d))([^\s:][^:]*|\d[\d:./-]*)")
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
        The cells of the header, as they stand; empty where there is none.
    header_lines : int
        Lines up to the end of the header.
    header_bytes : int
        UTF-8 bytes up to the end of the header.
    comment_lines, title_lines : int
        Lines that were skipped above the header.
    sample : tuple of rows
        The first rows below the header.
    header_line : int or None
        The line of the names; None where there is none.
    above : dict of key: value
        Rows of two cells above the table, or of a key and its value in one.
    labels : dict of place of a column: text
        What further header lines say of the columns.
    skip : set of int
        Lines of rows below the header that hold no data.
    end_bytes : int or None
        UTF-8 bytes up to the end of the table, where it ends before the file.
    notes : tuple of str
        What a person should know of all this.
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
    header_line: int | None
    above: dict[str, str] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    skip: frozenset[int] = frozenset()
    end_bytes: int | None = None
    notes: tuple[str, ...] = ()


def recognise(
    name: str,
    head: str,
    *,
    whole: bool,
    delimiter: str | None = None,
    decimal: str | None = None,
    header: str | None = None,
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
    delimiter, decimal, header : str, optional
        Where they are known; the header is the number of a line, or ``"none"``.

    Raises
    ------
    DataError
        The file is empty, or cannot be parted into cells.
    OptionError
        There is no such line.
    """
    lines = list(io.StringIO(head, newline=""))
    if not whole and len(lines) > 1:
        lines.pop()
    first, comments, said = _skip(lines)
    if first == len(lines):
        raise DataError(f"{name} is empty.", remedy="A line has to name the columns.")
    given = None if header in (None, "none") else _line(name, str(header), len(lines))
    commented = comments > 0 and _names_columns(lines[first - 1], lines[first:])
    if given is None and commented and header is None:
        first, comments = first - 1, comments - 1
    elif given is not None:
        comments -= given <= first
        first = given - 1
    sample = [lines[first].lstrip(" #"), *lines[first + 1 : first + SAMPLE_ROWS + MOST_ABOVE]]
    mark = delimiter or said or _choose_delimiter(sample)
    quote = _choose_quote(sample, mark)
    sample = [sample[0], *lines[first + 1 :]]
    rows = [row for row in _rows(sample, mark, quote, first) if not _is_comment(row, comments)]
    if not rows:
        raise DataError(
            f"The header of {name} cannot be read.",
            remedy="A line has to name the columns; look for a quotation mark that is not closed.",
        )
    table = find_table(rows, header=None if given is None else 0, none=header == "none")
    return _dialect(lines, rows, table, mark, quote, decimal, comments, first)


def _dialect(
    lines: Sequence[str],
    rows: Sequence[Row],
    table: Table,
    mark: str,
    quote: str,
    decimal: str | None,
    comments: int,
    first: int,
) -> Dialect:
    body = [row.cells for row in rows[table.body : table.end]][:SAMPLE_ROWS]
    start = rows[table.body - 1].end if table.body else first
    last = rows[table.end - 1].end
    whole = table.end == len(rows)
    mark_of_decimals = decimal or _choose_decimal(body, mark)
    doubts = [] if decimal or mark_of_decimals != "," else _doubt_commas(body)
    return Dialect(
        delimiter=mark,
        quote=quote,
        decimal=mark_of_decimals,
        header=table.names,
        header_lines=start,
        header_bytes=_bytes(lines[:start]),
        comment_lines=comments,
        title_lines=rows[table.top].line - 1 - first if table.top else 0,
        sample=tuple(tuple(row) for row in body),
        header_line=None if table.header is None else rows[table.header].line,
        above=dict(filter(None, map(_pair, rows[: table.top]))),
        labels=table.labels,
        skip=frozenset(rows[place].line for place in table.skip),
        end_bytes=None if whole else _bytes(lines[:last]),
        notes=(*table.notes, *doubts),
    )


def _pair(row: Row) -> tuple[str, str] | None:
    """A key above a table and its value; a line of words alone has none."""
    if row.width > 2:
        return None
    if row.width == 2:
        return row.words[0].rstrip(":"), row.words[1]
    match = _KEY.fullmatch(row.words[0])
    return (row.words[0], "") if match is None else (match[1], match[2])


def beyond_head(content: bytes, dialect: Dialect) -> Dialect:
    """The dialect with what only the rest of a long file tells: its end, headers that repeat."""
    start = max(dialect.header_bytes, len(content) - _TAIL)
    start = content.find(b"\n", start) + 1
    tail = list(io.StringIO(content[start:].decode("utf-8", errors="ignore"), newline=""))
    rows = list(_rows(tail, dialect.delimiter, dialect.quote))
    width = max((len(row) for row in dialect.sample), default=0)
    kept = len(rows)
    while kept > 1 and is_foot(rows[max(0, kept - JUDGED) : kept], width):
        kept -= 1
    notes, above = [], content.count(b"\n", 0, start)
    end = None if kept == len(rows) else start + _bytes(tail[: rows[kept - 1].end])
    if kept < len(rows):
        notes.append(below_words([above + row.line for row in rows[kept:]]))
    skip = _repeats(content, dialect)
    if skip:
        verb = say(skip, "repeats", "repeat")
        notes.append(f"{lines_of(skip)} {verb} the header: left out.")
    return replace(
        dialect, end_bytes=end, skip=dialect.skip | {*skip}, notes=(*dialect.notes, *notes)
    )


def _repeats(content: bytes, dialect: Dialect) -> list[int]:
    """Lines behind the first rows that hold the header once more."""
    if dialect.header_line is None or dialect.header_lines != dialect.header_line:
        return []
    before = content.rstrip(b"\r\n")[: dialect.header_bytes].rstrip(b"\r\n")
    header = b"\n" + before[before.rfind(b"\n") + 1 :]
    found, place, line = [], dialect.header_bytes, dialect.header_lines
    while (next_ := content.find(header, place)) >= 0:
        line += content.count(b"\n", place, next_ + 1)
        place = next_ + 1
        if content[next_ + len(header) : next_ + len(header) + 1] in (b"\r", b"\n", b""):
            found.append(line + 1)
    return [line for line in found if line not in dialect.skip]


def _bytes(lines: Sequence[str]) -> int:
    return sum(len(line.encode()) for line in lines)


def _line(name: str, header: str, n_lines: int) -> int:
    """The number of a line that was given as the header."""
    line = int(header)
    if line > n_lines:
        raise OptionError(
            f"{name} has no line {line} that could be its header.",
            remedy="Give the number of the line that names the columns, or none.",
        )
    return line


def _is_comment(row: Row, comments: int) -> bool:
    return comments > 0 and row.cells[0].lstrip().startswith("#")


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


def _rows(lines: Sequence[str], delimiter: str, quote: str, first: int = 0) -> Iterator[Row]:
    """Rows that are not blank; `first` lines stand above them."""
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote)
    while True:
        line = first + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:  # a cell larger than the module allows: the reading itself says so
            return
        if any(cell.strip() for cell in cells):
            yield Row(cells, line, first + reader.line_num)


def _choose_delimiter(lines: Sequence[str]) -> str:
    found = {}
    for mark in (*DELIMITERS, " "):
        widths = [len(row.cells) for row in _rows(lines, mark, '"')]
        width, count = Counter(widths).most_common(1)[0] if widths else (1, 0)
        if width > 1:
            found[mark] = (-widths.index(width), count / len(widths), width)
    if set(found) > {" "}:
        del found[" "]
    if set(found) == {" "} and not _alike(lines, " "):
        found = {}
    if found:
        return max(found, key=lambda mark: found[mark])
    widest = {mark: len(next(csv.reader(lines[:1], delimiter=mark))) for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: widest[mark])


def _alike(lines: Sequence[str], mark: str) -> bool:
    """Whether all rows have as many cells, or all one more than the header (names of rows)."""
    header, *widths = [len(row.cells) for row in _rows(lines, mark, '"')]
    return set(widths) in ({header}, {header + 1}) if header > 1 else False


def _choose_quote(lines: Sequence[str], delimiter: str) -> str:
    """An apostrophe where cells stand in apostrophes and none in quotation marks."""
    if any('"' in line for line in lines):
        return '"'
    cells = [cell.strip() for line in lines for cell in line.strip("\r\n").split(delimiter)]
    quoted = sum(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in cells)
    return "'" if quoted and quoted >= len(lines) else '"'


def _doubt_commas(rows: Sequence[Sequence[str]]) -> list[str]:
    """What to say where commas stand before three digits only, as marks of thousands do."""
    commas = [cell.strip() for row in rows for cell in row if _COMMA.fullmatch(cell.strip())]
    if not commas or not all(_COMMA_GROUPS.fullmatch(cell) for cell in commas):
        return []
    read = commas[0].replace(",", ".")
    return [
        f"The comma was taken as the decimal mark: {commas[0]} is {read}. If it marks thousands, "
        "say that the decimal mark is a point (decimal .)."
    ]


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
