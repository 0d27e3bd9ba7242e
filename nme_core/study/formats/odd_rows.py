"""Rows of a table that hold no data: headers that repeat, remarks, totals and notes below it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from nme_core.study.formats.rows import Row, column, is_like

#: Rows above a total or note by which it is judged.
JUDGED = 40
#: Rows beside a remark by which it is judged.
_NEAR = 20

_COMMENT = re.compile(r"#|//|%|\*")
_TOTAL = re.compile(
    r"(?:grand |sub)?(?:total|sum|mean|average|median)s?(?: \(.*\))?\s*[:=]?"
    r"|insgesamt|gesamt|(?:zwischen|gesamt)?summe|mittelwert|durchschnitt|anzahl|gemiddelde|totaal"
    r"|totale?s?|moyenne|somme|promedio|(?:m|n|sd|std|min|max|count|mittel|media|suma|som)\s*[:=]",
    re.IGNORECASE,
)
#: Words for totals that may be names as well, so that they count apart from the table only.
_SHORT_TOTAL = re.compile(r"m|n|sd|std|min|max|count|mittel|media|suma|som|avg", re.IGNORECASE)


def odd_rows(
    rows: Sequence[Row], body: int, end: int, headers: set[tuple[str, ...]]
) -> tuple[tuple[int, ...], int, list[str]]:
    """Find rows that hold no data.

    Parameters
    ----------
    rows : sequence of Row
        All rows; those of the table are from `body` to before `end`.
    headers : set of keys
        The header lines.

    Returns
    -------
    skip : tuple of int
        Places of rows to leave out.
    end : int
        The end of the table without what stands below it.
    notes : list of str
        Words for both.
    """
    width = max((row.width for row in rows[body:end]), default=0)
    stop = end
    while stop - 1 > body and is_foot(rows[max(body, stop - JUDGED) : stop], width):
        stop -= 1
    again = [k for k in range(body, stop) if rows[k].key in headers]
    remarks = [k for k in range(body, stop) if k not in again and _is_remark(rows, body, stop, k)]
    notes = []
    if again:
        found = [rows[k].line for k in again]
        notes.append(f"{lines_of(found)} {say(found, 'repeats', 'repeat')} the header: left out.")
    if remarks:
        found = [rows[k].line for k in remarks]
        notes.append(f"{lines_of(found)} {say(found, 'is a remark', 'are remarks')}: left out.")
    if stop < end:
        notes.append(below_words([row.line for row in rows[stop:end]]))
    return (*again, *remarks), stop, notes


def is_foot(rows: Sequence[Row], width: int) -> bool:
    """Whether the last of the rows of a table is a total or a note."""
    row, above = rows[-1], rows[:-1]
    first = next(place for place, word in enumerate(row.words) if word)
    word = row.words[first]
    if width == 1 or row.kind(first) != "w" or is_like(word, column(above, first)):
        return False
    apart = any(two.line - one.end > 1 for one, two in pairwise(rows[-_NEAR:]))
    if _TOTAL.fullmatch(word) or (apart and _SHORT_TOTAL.fullmatch(word)):
        return True
    if 2 * row.filled > width or width < 3:
        return False
    alone = row.filled == 1 and not any(" " in other for other in column(above, first))
    return apart or (alone and bool(re.search(r"\S\s+\S|[:=]$", word) or _COMMENT.match(word)))


def _is_remark(rows: Sequence[Row], body: int, end: int, place: int) -> bool:
    """Whether a row between others is a remark: by its mark, or one cell of several words."""
    row = rows[place]
    word = row.words[0]
    if row.kind(0) != "w" or not (_COMMENT.match(word) or " " in word):
        return False
    near = [*rows[max(body, place - _NEAR) : place], *rows[place + 1 : min(end, place + _NEAR)]]
    others = column(near, 0)
    if not others:
        return False
    if _COMMENT.match(word):
        return not any(_COMMENT.match(other) for other in others)
    alone = row.filled == 1 and max(one.width for one in near) > 2
    return alone and not any(" " in other for other in others)


def above_words(rows: Sequence[Row], line: int) -> str:
    """Words for rows above the line of a table, without a full stop; no value of theirs is told."""
    pairs = [row for row in rows if row.width == 2 and row.kind(0) == "w"]
    keys = [row.words[0].rstrip(":")[:40] for row in pairs]
    found = range(rows[0].line, line)
    said = f" ({', '.join(keys[:10])})" if keys else ""
    return f"{lines_of(found)} above the table{said} {say(found, 'was', 'were')} left out"


def below_words(lines: Sequence[int]) -> str:
    """A sentence for lines below a table."""
    return f"{lines_of(lines)} below the table (totals or notes): left out."


def lines_of(numbers: Sequence[int]) -> str:
    """``Line 4``, ``Lines 4 to 7`` or ``Lines 4, 9 and 12``."""
    found = list(numbers)
    if len(found) == 1:
        return f"Line {found[0]}"
    if found[-1] - found[0] == len(found) - 1 and len(found) > 2:
        return f"Lines {found[0]} to {found[-1]}"
    if len(found) > 10:
        return f"{len(found)} lines (the first is line {found[0]})"
    return f"Lines {', '.join(map(str, found[:-1]))} and {found[-1]}"


def say(found: Sequence[int], one: str, several: str) -> str:
    """One of two words, by the number of lines."""
    return one if len(found) == 1 else several
