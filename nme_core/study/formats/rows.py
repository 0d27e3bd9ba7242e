"""Rows of cells as text, and what kinds of cells they hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from nme_core.study.formats.cells import MISSING_CODES

_NUMBER = re.compile(
    r"[<>≤≥]?=?\s?[+\-\u2212]?(?:\d[\d.,'\u2019\u00a0\u202f ]*|[.,]\d+)(?:[eE][+-]?\d+)?"
    r"\s*[%*†‡§+]{0,3}"
)
_DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ,]\s*\d.*)?"
    r"|\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[ap]\.?m\.?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Row:
    """Cells of one row, and the lines that it begins and ends on."""

    cells: Sequence[str]
    line: int
    end: int

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The cells up to the last that is filled, without outer spaces."""
        cells = [cell.strip() for cell in self.cells]
        while cells and not cells[-1]:
            cells.pop()
        return tuple(cells)

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """``"n"`` for numbers and dates, ``"w"`` for words, ``""`` for missing cells."""
        return tuple(_kind(cell) for cell in self.words)

    @property
    def width(self) -> int:
        """Cells up to the last that is filled."""
        return len(self.words)

    @cached_property
    def filled(self) -> int:
        """Cells that are filled."""
        return sum(map(bool, self.words))

    @property
    def wordy(self) -> bool:
        """Whether no cell is a number or date, as in a header."""
        return "n" not in self.kinds and "w" in self.kinds

    @property
    def key(self) -> tuple[str, ...]:
        """The cells, without regard to capitals."""
        return tuple(word.casefold() for word in self.words)

    def kind(self, place: int) -> str:
        """The kind of one cell."""
        return self.kinds[place] if place < len(self.kinds) else ""


def _kind(cell: str) -> str:
    if cell in MISSING_CODES:
        return ""
    return "n" if _NUMBER.fullmatch(cell) or _DATE.fullmatch(cell) else "w"


def share(rows: Sequence[Row], place: int) -> float:
    """Share of numbers and dates among the filled cells of a column."""
    kinds = Counter(row.kind(place) for row in rows)
    return kinds["n"] / max(1, kinds["n"] + kinds["w"])


def column(rows: Sequence[Row], place: int) -> list[str]:
    """The filled cells of a column."""
    return [row.words[place] for row in rows if place < row.width and row.words[place]]


def is_like(word: str, cells: Sequence[str]) -> bool:
    """Whether a word is one of these cells, or written like all of them (P01, P02)."""
    if word in cells:
        return True
    shapes = {shape(cell) for cell in cells}
    return len(shapes) == 1 and "9" in next(iter(shapes)) and shape(word) in shapes


def shape(cell: str) -> str:
    """How a cell is written: A for letters, 9 for digits."""
    return re.sub(r"[^\W\d_]+", "A", re.sub(r"\d+", "9", cell))
