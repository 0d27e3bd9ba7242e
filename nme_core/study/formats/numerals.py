"""Numbers with something beside them: 7 h, 85 %, 1 (not at all), 3 – often, never (0), < 5."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

#: Signs that typography uses for a minus.
_MINUS = re.compile(r"^[\u2010-\u2013\u2212\ufe63\uff0d](?=\s?[\d.,])\s?")

_NUMBER = r"[+-]?\d+(?:[.,'’ \u00a0\u202f]\d+)*(?:[eE][+-]?\d+)?"
#: Letters, but no fractions and raised digits: 7½ is no 7 with a unit.
_LETTERS = r"[^\W\d_¼-¾²³¹⅐-⅞⁰-₉]"
_UNIT = rf"(?:[%‰°€$£]|[*†‡§]{{1,3}}|°?{_LETTERS}{{1,12}})(?:[/²³^.]{_LETTERS}{{0,8}}\d?)*"
_LIMIT = re.compile(rf"(?P<sign><=|>=|[<>≤≥])\s*(?P<number>{_NUMBER})\s*(?P<words>{_UNIT})?")
#: The top of a scale that is open: 10+.
_OPEN = re.compile(rf"(?P<number>{_NUMBER})\s*\+")
_WITH_UNIT = re.compile(rf"(?P<number>{_NUMBER})\s*(?P<words>{_UNIT})")
_CURRENCY = re.compile(rf"(?P<words>[€$£])\s*(?P<number>{_NUMBER})")
#: What parts a number from its label; digits may stand in the label behind all but the plain ones.
_LABELS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\(?(?P<number>{_NUMBER})\)?\s*[(\[](?P<words>.*{_LETTERS}.*)[)\]]",
        rf"[(\[](?P<number>{_NUMBER})[)\]]\s*(?P<words>\S.*)",
        rf"(?P<number>{_NUMBER})\)?\s*(?:=|:\s|\s[-–—]\s)\s*(?P<words>{_LETTERS}.*)",
        rf"(?P<number>{_NUMBER})(?:[)\].]?\s+|\s*[-–—:.)]\s*)(?P<words>{_LETTERS}[^\d]*)",
        rf"(?P<words>.*{_LETTERS}.*?)\s*[(\[](?P<number>{_NUMBER})[)\]]",
        rf"(?P<words>{_LETTERS}.*?)\s*(?:=|:|\s[-–—])\s*(?P<number>{_NUMBER})",
    )
)
#: Units of which a column holds one: 500 mg beside 1 g is no label.
_UNITS = re.compile(
    "[nµμm]?g|kg|[mcd]?l|[mcdk]?m|h|hrs?|hour|std|stunde|min|minute|minuten|s|sec|second|sek|sekunde"
    "|ms|d|day|tag|week|woche|month|monat|year|jahr|°[cf]|%|[kc]?cal|kj|bpm|iu|ie|mmol|[€$£]"
)
#: Letters that stand for digits by mistake: 1O.
_LIKE_DIGITS = ("O", "o", "I")
#: Labels of a scale are few.
_MOST_LABELS = 25
#: Characters of a cell with a number and some more; longer ones are text.
_LONGEST = 300


@dataclass(frozen=True)
class Numerals:
    """The numbers in the distinct cells of a column, as text, and what stands beside them.

    Attributes
    ----------
    numbers : Series of text
        The number of each cell.
    unit : str or None
        What stands behind several of the numbers.
    labels : dict of number: text
        What single numbers are called, by the number as text.
    limits : int
        Distinct cells that give a limit (< 5) instead of a number.
    bare : bool
        Whether some cell is a number alone.
    """

    numbers: pd.Series
    unit: str | None
    labels: dict[str, str]
    limits: int
    bare: bool

    @property
    def certain(self) -> bool:
        """Whether the cells can only be numbers: no limits, and labels at some numbers only."""
        return not self.limits and (not self.labels or self.bare)


def with_plain_minus(cells: pd.Series) -> pd.Series:
    """Cells with a hyphen in place of a typographic minus sign before a number."""
    if not any(map(_MINUS.match, cells)):
        return cells
    return cells.str.replace(_MINUS, "-", regex=True)


def find_numerals(cells: pd.Series, *, alike: bool = True) -> Numerals | None:
    """The numbers in distinct cells, all of which hold one and some more; None for other cells.

    A unit stands behind several numbers; a label belongs to one number, and, where they are to be
    `alike`, the number to it.
    """
    parted = []
    written = [str(cell).strip() for cell in with_plain_minus(cells)]
    ends = _ends_of_scale(written)
    for cell in written:
        parts = ends.get(cell) or _part(cell)
        if parts is None:
            return None
        parted.append(parts)
    worded = [(number, words, limit) for number, words, limit in parted if words]
    if not worded and not any(limit for _, _, limit in parted):
        return None
    units = {_singular(words) for _, words, _ in worded}
    numbers_of = {number for number, _, _ in worded}
    unit = worded[0][1] if len(units) == 1 and _is_unit(worded[0][1], numbers_of) else None
    labels: dict[str, str] = {}
    if unit is None:
        if sum(bool(_UNITS.fullmatch(words)) for words in units) > 1:
            return None
        if len(worded) > _MOST_LABELS or any(map(_attached, cells)):
            return None
        for number, words, _ in worded:
            if labels.setdefault(number, words) != words and alike:
                return None
        if alike and len({words.casefold() for words in labels.values()}) < len(labels):
            return None
    numbers = pd.Series([number for number, _, _ in parted], index=cells.index, dtype="str")
    return Numerals(
        numbers,
        unit,
        labels,
        sum(limit for _, _, limit in parted),
        any(not words and not limit for _, words, limit in parted),
    )


def has_number(cell: str) -> bool:
    """Whether a cell is a number, alone or with a unit, a label or as a limit."""
    return _part(_MINUS.sub("-", cell.strip())) is not None


def is_limit(cell: str) -> bool:
    """Whether a cell says that its number is more, or less: < 5, ≥ 10, 10+."""
    parts = _part(_MINUS.sub("-", cell.strip()))
    return parts is not None and parts[2]


def is_slip(cell: str) -> bool:
    """Whether a cell that is no plain number was meant as one: 1O, 12.5.1."""
    return _attached(cell) or bool(re.fullmatch(_NUMBER, cell))


def label_of(cell: str) -> str | None:
    """What a cell calls its number: "not at all" in "1 (not at all)"; None for other cells."""
    parts = _part(_MINUS.sub("-", cell.strip()))
    return parts[1] or None if parts is not None else None


def _part(cell: str) -> tuple[str, str, bool] | None:
    """Number, words, and whether it is a limit."""
    if len(cell) > _LONGEST:
        return None
    if re.fullmatch(_NUMBER, cell):
        return cell, "", False
    if found := _OPEN.fullmatch(cell):
        return found["number"], "", True
    if found := _LIMIT.fullmatch(cell):
        return found["number"], found["words"] or "", True
    for pattern in (_WITH_UNIT, _CURRENCY, *_LABELS):
        if found := pattern.fullmatch(cell):
            return found["number"], found["words"].strip(), False
    return None


def _ends_of_scale(cells: Iterable[str]) -> dict[str, tuple[str, str, bool]]:
    """Number and words of cells such as "very much 5", at both ends of plain whole numbers."""
    known = [(cell, re.fullmatch(r"(?:(.*\D)\s+)?(\d{1,3})", cell)) for cell in cells]
    plain = [int(found[2]) for _, found in known if found is not None and found[1] is None]
    named = {cell: found for cell, found in known if found is not None and found[1] is not None}
    at = sorted(int(found[2]) for found in named.values())
    if len(at) != 2 or not plain or not at[0] < min(plain) <= max(plain) < at[1]:
        return {}
    return {cell: (found[2], found[1].strip(), False) for cell, found in named.items()}


def _attached(cell: str) -> bool:
    """Whether a word stands at its number without a space or mark: 3a, 1st."""
    return bool(re.fullmatch(rf"{_NUMBER}{_LETTERS}+", cell))


def _is_unit(words: str, numbers: Iterable[str]) -> bool:
    """Whether words that stand alike behind these numbers are their unit."""
    if words in _LIKE_DIGITS or not re.fullmatch(_UNIT, words):
        return False
    return len(set(numbers)) > 1 or not words[0].isalpha()


def _singular(words: str) -> str:
    """Words without what makes a plural: day and days, Tag and Tage, Stunde and Stunden."""
    return re.sub(r"(?<=\w\w)(s|e|en|n)\.?$", "", words.casefold().rstrip("."))
