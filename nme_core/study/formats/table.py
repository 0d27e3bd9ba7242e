"""Where the table stands among the rows of a file: its header, further header lines, its end.

Observation id,session 3       above: a block of keys
id,day,sleep                   header
Person,Day of study,Hours      labels: a further header line
P01,1,6.5                      body
id,day,sleep                   skip: the header once more
Mean,,6.5                      behind its end
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, takewhile

from nme_core.study.formats.odd_rows import JUDGED, above_words, lines_of, odd_rows, say
from nme_core.study.formats.rows import Row, column, is_like, shape, share

#: Rows that may stand above a header.
MOST_ABOVE = 400
#: Rows among which a ruled line may close a block above the table.
_MOST_RULED = 60
#: Header lines below the first.
_MOST_LINES = 5
#: Share of the cells of a column that make it one of numbers or dates.
_MOSTLY = 0.5

_RULE = re.compile(r"[-=_*#~]{5,}")
_NAME = re.compile(r"[^\W\d]\w*(?:[.\-]\w+)*")


@dataclass(frozen=True)
class Table:
    """A table among rows; places count rows, from 0.

    Attributes
    ----------
    names : tuple of str
        Names of its columns, as they stand; empty where it has no header.
    header : int or None
        The row with the names.
    top, body, end : int
        Where its header lines begin, its first row, and the place behind its last.
    labels : dict of place of a column: text
        What further header lines say of the columns.
    skip : tuple of int
        Rows between that hold no data: repeated headers, comments.
    notes : tuple of str
        What a person should know.
    """

    names: tuple[str, ...]
    header: int | None
    top: int
    body: int
    end: int
    labels: dict[int, str] = field(default_factory=dict)
    skip: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def find_table(rows: Sequence[Row], *, header: int | None = None, none: bool = False) -> Table:
    """Find the table among rows that are not blank; the largest, where there are several.

    Parameters
    ----------
    rows : sequence of Row
        At least one.
    header : int, optional
        The place of the header, where it is known.
    none : bool
        Whether it is known that there is no header.
    """
    starts = [] if none else list(_headers(rows))
    if header is not None:
        starts = [header, *(start for start in starts if start > header + _MOST_LINES)]
    blocks = list(pairwise([*starts, len(rows)]))
    before = starts[0] if starts else len(rows)
    first = None if header is not None else _ruled(rows, _bare(rows[:before]))
    if header is not None:
        chosen = blocks[0]
    elif blocks:
        chosen = max(blocks, key=lambda block: _size(rows[block[0] + 1 : block[1]]))
        if first is not None and _size(rows[first:before]) > _size(rows[slice(*chosen)]):
            return _without_header(rows, first, before, none=none)
    else:
        return _without_header(rows, first or 0, before, none=none)
    others = [one for one in blocks if one > chosen or (one < chosen and _is_table(rows, *one))]
    return _with_header(rows, *chosen, [rows[start].line for start, _ in others])


def _is_table(rows: Sequence[Row], start: int, end: int) -> bool:
    """Whether what stands above the table is one as well, and no block of keys."""
    return end - start > 3 and rows[start].width > 2


def _headers(rows: Sequence[Row]) -> Iterator[int]:
    """Places of rows that name the columns of the rows below them."""
    last: int | None = None
    for place in range(_ruled(rows, 0) or 0, len(rows)):
        row = rows[place]
        if last is None and place > MOST_ABOVE:
            return
        if not row.wordy or (last is not None and row.key == rows[last].key):
            continue
        columns = _named_numbers(row, _below(rows, place))
        if not columns:
            continue
        above = rows[place - 1] if place else None
        moved = last is not None and sorted(row.key) == sorted(rows[last].key)
        if not moved and above is not None and row.line - above.end <= 1:
            if all(above.kind(c) == "n" for c in columns):
                continue  # a row of words among others
            further = last is not None and all(one.wordy for one in rows[last:place])
            if further and last is not None and row.width <= rows[last].width:
                continue  # a further header line
        yield place
        last = place


def _ruled(rows: Sequence[Row], place: int | None) -> int | None:
    """The place, or the one below a ruled line that closes a block above the table."""
    for number, row in reversed([*enumerate(rows[:_MOST_RULED])]):
        if row.width == 1 and _RULE.fullmatch(row.words[0]) and 1 < number < len(rows) - 2:
            return None if place is None else max(place, number + 1)
    return place


def _below(rows: Sequence[Row], place: int) -> list[Row]:
    """Rows that may belong to a header: no wider, or all of them by one cell (names of rows)."""
    row, following = rows[place], rows[place + 1 : place + 1 + JUDGED]
    if _has_row_names(row, following):
        return [one for one in following if one.width >= row.width]
    fitting = [one for one in following if one.width <= row.width]
    if 2 * len(fitting) < len(following):  # it stands above the table
        fitting = list(takewhile(lambda one: one.width <= row.width, following))
    return [one for one in fitting if one.key != row.key]


def _is_of_rows(
    row: Row, words: Sequence[int], numbers: Sequence[int], data: Sequence[Row], shift: int = 0
) -> bool:
    """Whether a row has an id or label of its column beside words where others have numbers.

    An id is written as none of the words over `numbers` is: P07 beside "k.A.", not V1 beside V2.
    """
    shapes = {shape(row.words[place]) for place in numbers}
    for place in set(words) - set(numbers):
        word, cells = row.words[place], column(data, place + shift)
        if is_like(word, cells) and (word in cells or shape(word) not in shapes):
            return True
    return False


def _named_numbers(row: Row, below: Sequence[Row]) -> list[int]:
    """Columns that hold numbers or dates below a word of a row; empty where it is no header."""
    widest = max((one.width for one in below), default=0)
    if not widest or (row.filled < 2 and widest > 1) or 2 * row.filled < row.width:
        return []
    shift = int(_has_row_names(row, below))
    words = [place for place in range(row.width) if row.kind(place) == "w"]
    found = [place for place in words if share(below, place + shift) >= _MOSTLY]
    data = [one for one in below if not one.wordy]
    if _is_of_rows(row, words, found, data, shift):
        return []
    return [place + shift for place in found]


def _size(rows: Sequence[Row]) -> int:
    return sum(row.filled for row in rows)


def _bare(rows: Sequence[Row]) -> int | None:
    """The first of the rows that are as wide as most."""
    widths = Counter(row.width for row in rows)
    width = max(widths, key=lambda one: (widths[one] > 1, widths[one] * one), default=0)
    return next((place for place, row in enumerate(rows) if row.width >= width), None)


def _without_header(rows: Sequence[Row], first: int, end: int, *, none: bool) -> Table:
    """A table whose first row is data, or names without a number below them."""
    if not none and not _is_data(rows[first], rows[first + 1 : end]):
        return _with_header(rows, first, end, [])
    if not none and _in_equal_steps(rows[first]) and not _in_equal_steps(rows[first + 1]):
        said = (
            f"The numbers in line {rows[first].line} are in equal steps and are taken for the "
            "names of the columns. If this line is data, say so (header none)."
        )
        table = _with_header(rows, first, end, [])
        return replace(table, notes=(said, *table.notes))
    skip, end, notes = odd_rows(rows, first, end, set())
    line = rows[first].line
    if not none:
        notes = [
            f"No line names the columns: line {line} is data like the lines below it. The columns "
            f"are called by their place. If line {line} does name them, say so (header {line}).",
            *notes,
        ]
    if first:
        notes = [f"{above_words(rows[:first], line)}.", *notes]
    return Table((), None, first, first, end, skip=skip, notes=tuple(notes))


def _in_equal_steps(row: Row) -> bool:
    """Whether the cells are whole numbers in equal steps, such as years."""
    if row.width < 3 or not all(word.isascii() and word.isdigit() for word in row.words):
        return False
    steps = {int(two) - int(one) for one, two in pairwise(row.words)}
    return len(steps) == 1 and steps != {0}


def _is_data(first: Row, below: Sequence[Row]) -> bool:
    """Whether a row is like those below it in every column, and no header.

    Names such as 1, 2, 3 beside a word that the column does not hold are those of occasions. Where
    all are words, one of them stands in its column as it is.
    """
    below = [one for one in below if one.key != first.key][:JUDGED]
    if not below:
        return False
    if "n" not in first.kinds and not any(
        word in column(below, place) for place, word in enumerate(first.words)
    ):
        return False
    for place, word in enumerate(first.words):
        cells = column(below, place)
        if not word or not cells:
            continue
        if first.kind(place) == "n":
            if share(below, place) < _MOSTLY:
                return False
        elif not is_like(word, cells):
            return False
    return True


def _with_header(rows: Sequence[Row], start: int, end: int, others: Sequence[int]) -> Table:
    lines, body = [start], start + 1
    if start and _is_group(rows[start - 1], rows[start]):
        lines, start = [start - 1, start], start - 1
    while body < end and len(lines) <= _MOST_LINES and _is_header_line(rows, lines, body, end):
        lines.append(body)
        body += 1
    names, labels, named = _names([rows[place] for place in lines])
    line = rows[lines[named]].line
    notes = (
        [f"{above_words(rows[:start], rows[start].line)}: the header is line {line}."]
        if start
        else []
    )
    if len(lines) > 1:
        joined = not set(names) <= {*rows[lines[named]].words}
        whose = "the names of all these lines" if joined else f"the names in line {line}"
        rest = [rows[place].line for place in lines if place != lines[named]]
        notes.append(
            f"{lines_of(rest)} {say(rest, 'explains', 'explain')} the columns and "
            f"{say(rest, 'holds', 'hold')} no data; the columns have {whose}."
        )
    if _has_row_names(rows[start], rows[body:end]):
        names, labels = ("", *names), {place + 1: text for place, text in labels.items()}
        notes.append(
            "Every row has one cell more than the header: the first column has no name (R writes "
            "the names of rows so)."
        )
    doubtful = _is_data(rows[start], rows[body:end])
    again = set() if doubtful else {rows[place].key for place in lines}
    skip, end, odd = odd_rows(rows, body, end, again)
    notes += odd
    if others:
        notes.append(
            f"{say(others, 'Another table begins', 'Other tables begin')} in "
            f"{lines_of(others).lower()}; {say(others, 'it was', 'they were')} not read. To read "
            f"{say(others, 'it', 'the first')}, say where its header is (header {others[0]})."
        )
    return Table(names, lines[named], start, body, end, labels, skip, tuple(notes))


def _is_group(above: Row, header: Row) -> bool:
    """Whether a row names groups of columns, whose own names do not suffice: Sleep, over am, pm."""
    names = header.words
    enough = "" not in names and len(set(names)) == len(names)
    near = header.line - above.end <= 1 and above.wordy
    return near and not enough and ("" in above.words or above.width < header.width)


def _has_row_names(header: Row, body: Sequence[Row]) -> bool:
    """Whether every row begins with a name of its own, one cell more than the header has.

    Footnotes may have fewer.
    """
    width = len(header.cells) + 1
    wide = [row for row in body if len(row.cells) == width]
    used = any(row.width == width for row in wide)
    alike = used and body[0] is wide[0] and len(wide) >= 0.9 * len(body)
    return alike and len({row.cells[0] for row in wide}) == len(wide)


def _is_header_line(rows: Sequence[Row], lines: Sequence[int], place: int, end: int) -> bool:
    """Whether a row below a header explains its columns: words where all others have numbers."""
    row, first = rows[place], rows[lines[0]]
    below = [one for one in rows[place + 1 : min(end, place + 1 + JUDGED)] if not one.wordy]
    if not row.wordy or not below or row.line - rows[place - 1].end > 1:
        return False
    if row.width > first.width or row.key == first.key:
        return False
    words = [c for c in range(row.width) if row.kind(c) == "w"]
    numbers = [c for c in words if share(below, c) > _MOSTLY]
    if not numbers or _is_of_rows(row, words, numbers, below):
        return False
    explains = any(re.search(r"[\s(){}\[\]/]", row.words[c]) for c in numbers)
    return explains or len(numbers) > 1 or row.filled == row.width == first.width


def _names(lines: Sequence[Row]) -> tuple[tuple[str, ...], dict[int, str], int]:
    """Names of columns from header lines, what the other lines say, and which of them names."""
    if len(lines) == 1:
        return tuple(lines[0].cells), {}, 0
    width = max(row.width for row in lines)
    padded = [tuple(row.words) + ("",) * (width - row.width) for row in lines]
    if len(lines) > 2 and width == 2 and not any("{" in "".join(row) for row in padded):
        return padded[-1], {}, len(lines) - 1  # keys above a table of two columns
    best = max(range(len(lines)), key=lambda k: (_naming(padded[k]), -k))
    names = padded[best]
    if len(set(names)) < len(names) or "" in names:
        joined = _joined(padded)
        if len(set(joined)) == len(joined):
            return joined, {}, best
    labels: dict[int, str] = {}
    for number, row in enumerate(padded):
        for place, word in enumerate(row):
            if number != best and word and word != names[place] and not word.startswith("{"):
                labels.setdefault(place, word)
    return names, labels, best


def _naming(cells: Sequence[str]) -> tuple[bool, bool]:
    """How much cells look like names: all there and different; short, each one word."""
    whole = "" not in cells and len(set(cells)) == len(cells)
    share = sum(bool(_NAME.fullmatch(cell)) for cell in cells) / len(cells)
    return whole and not any(cell.startswith("{") for cell in cells), share > 0.9


def _joined(lines: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Names of groups of columns, which stand above the first of each, with those below them."""
    names = list(lines[-1])
    for row in reversed(lines[:-1]):
        group = ""
        for place, word in enumerate(row):
            group = word or (group if names[place] else "")
            below, names[place] = names[place], f"{group} {names[place]}".strip()
            group = group if below else ""
    return tuple(names)
