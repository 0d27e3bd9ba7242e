"""Columns of text as what they hold: numbers, true and false, durations, else text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import compress

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.study.formats.numerals import find_numerals, with_plain_minus

#: Cells that mean "no value". The word None is not among them: it is a plausible state.
MISSING_CODES = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NAN", "NULL", "null", ".")

#: Rows below which a column is read cell by cell: there may be thousands of columns.
FEW = 50

#: What a cell of anything but plain text has: a digit, or a word for a truth or for infinity.
_MORE_THAN_TEXT = re.compile(r"\d|inf|true|false", re.IGNORECASE)

#: Codes of answers that may be listed in one cell are no higher.
_MOST_CODES = 30

#: A column with more different words than this holds no states.
_MOST_STATES = 30

_TRUTH = {"true": True, "false": False}
_INFINITE = re.compile(r"[+-]?inf", re.IGNORECASE)
_CLOCK = re.compile(r"([+-]?)(\d{1,4}):([0-5]\d)(?::([0-5]\d(?:[.,]\d+)?))?")
#: The same with letters: 7h30, 7 h 30 min, 7 Std. 5 Min.; at least one cell tells minutes.
_LETTERED = re.compile(
    r"()(\d{1,4}) ?(?:h|hrs?|hours?|std|stunden?|heures?|uur|u|horas?)\.?"
    r"(?: ?([0-5]?\d) ?(?:m|mn|mins?|minuten?|minutes?|minutos?)?\.?)?()",
    re.IGNORECASE,
)
#: Digits of other scripts, and the marks that Arabic numbers have between them.
_OTHER_DIGITS = re.compile(r"(?![0-9])\d")
_ARABIC_MARKS = str.maketrans({"\u066b": ".", "\u066c": None})
#: Codes such as 007, which are no numbers.
PADDED = r"^0[0-9]{2,}$"
_PADDED = re.compile(PADDED)

_COMMA = r"[+-]?(?:\d+(?:,\d*)?|,\d+)(?:[eE][+-]?\d+)?"
#: Marks between groups of three digits that may stand beside each decimal mark.
_THOUSANDS = {
    ".": (",", "'", "’", " ", "\u00a0", "\u202f"),
    ",": (".", "'", "’", " ", "\u00a0", "\u202f"),
}


@dataclass(frozen=True, eq=False)
class Converted:
    """A column after conversion.

    Attributes
    ----------
    values : Series
        Numbers, booleans or text.
    decimal, thousands : str or None
        Marks that its numbers were written with, where they have any.
    unit : str or None
        ``"hours"`` where the cells were durations or times of day; what stood behind the numbers.
    clock : bool
        Whether the cells were durations or times of day, 7:30.
    labels : dict of number: text
        What stood beside single numbers: 1 (not at all).
    taken : dict of word: count
        Of a column of text: what was taken as missing, the empty cell included; only where words
        were.
    kept : dict of word: count
        Words for missing that were kept, as states.
    codes : set of str
        Words for missing in a column of numbers.
    comma : bool
        Whether a comma was taken as the decimal mark although the file does not tell.
    digits : bool
        Whether its numbers were written with the digits of another script.
    joined : int
        Values of a column of text that became another one of it without their outer spaces.
    """

    values: pd.Series
    decimal: str | None = None
    thousands: str | None = None
    unit: str | None = None
    clock: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    codes: frozenset[str] = frozenset()
    comma: bool = False
    digits: bool = False
    joined: int = 0


def from_text(
    column: pd.Series, *, text: bool, decimal: str | None = None, commas: bool = False
) -> Converted:
    """A column of text as it stands in a file, converted (see `convert`) or left as text."""
    cells = present(column)
    converted = Converted(cells) if text else convert(cells, decimal=decimal, commas=commas)
    missing = cells.isna().to_numpy()
    if isinstance(converted.values.dtype, pd.StringDtype):
        converted = replace(converted, joined=_n_joined(column, cells, missing))
    if not missing.any():
        return converted
    words = compress(column.tolist(), missing) if len(column) < FEW else column[missing].tolist()
    taken = dict(Counter(word.strip() if isinstance(word, str) else "" for word in words))
    if not set(taken) - {""}:
        return converted
    if not isinstance(converted.values.dtype, pd.StringDtype):
        return replace(converted, codes=frozenset(taken) - {""})
    word = _plain_state(cells, taken)
    if word is None:
        return replace(converted, taken=taken)
    kept = converted.values.mask(column.str.strip() == word, word)
    return replace(converted, values=kept, kept={word: taken[word]})


def _plain_state(cells: pd.Series, taken: dict[str, int]) -> str | None:
    """The code among the empty cells that is a state: NA beside PA, where cells are left blank too.

    A file that leaves cells blank has no need of a code for them.
    """
    codes = [word for word in taken if word.isalpha() and word.isupper()]
    if len(codes) != 1 or len(taken) != 2 or not taken.get(""):
        return None
    values = cells.dropna().drop_duplicates()
    alike = len(codes[0]) > 1 and values.str.fullmatch(rf"[A-Z]{{{len(codes[0])}}}").any()
    return codes[0] if len(values) <= _MOST_STATES and alike else None


def with_plain_digits(cells: pd.Series) -> pd.Series:
    """Cells with the digits 0 to 9 in place of those of other scripts: ٧٫٥ is 7.5."""
    texts = [str(cell) for cell in cells]
    if not any(_OTHER_DIGITS.search(text) for text in texts):
        return cells
    plain = [
        _OTHER_DIGITS.sub(lambda digit: str(int(digit[0])), text).translate(_ARABIC_MARKS)
        if _OTHER_DIGITS.search(text)
        else text
        for text in texts
    ]
    return pd.Series(plain, index=cells.index, dtype="str")


def present(column: pd.Series) -> pd.Series:
    """A column of text without outer spaces; missing codes are missing."""
    if len(column) < FEW:
        words = [word.strip() if isinstance(word, str) else None for word in column.tolist()]
        known = [None if word in MISSING_CODES else word for word in words]
        return pd.Series(known, index=column.index, name=column.name, dtype="str")
    stripped = column.str.strip()
    return stripped.mask(stripped.isin(MISSING_CODES))


def _n_joined(column: pd.Series, cells: pd.Series, missing: NDArray[np.bool_]) -> int:
    """Values of a column that became another one of it without their outer spaces."""
    if len(column) < FEW:
        before = set(compress(column.tolist(), ~missing))
        return len(before) - len({word.strip() for word in before})
    written, left = column[~missing], cells[~missing]
    if written.str.len().sum() == left.str.len().sum():  # much sooner known than what is distinct
        return 0
    return int(written.nunique() - left.nunique())


def is_padded(cells: Iterable[str]) -> bool:
    """Whether cells are codes such as 007: three digits or more, a zero in front."""
    return any(_PADDED.fullmatch(cell) for cell in cells)


def convert(column: pd.Series, *, decimal: str | None, commas: bool) -> Converted:
    """Convert a column of text, which `present` has cleaned.

    Parameters
    ----------
    column : Series of text
        Missing cells are missing.
    decimal : str or None
        Decimal mark of the file, where it is known.
    commas : bool
        Whether ``1,5`` may be a number where the file does not tell; it is one all the same where
        the column can hold nothing else.
    """
    if len(column) < FEW and not any(_MORE_THAN_TEXT.search(str(one)) for one in column.tolist()):
        return Converted(column)
    codes, distinct = pd.factorize(column)
    cells = with_plain_digits(with_plain_minus(pd.Series(distinct, dtype="str")))
    if is_padded(cells):
        return Converted(column)
    told = commas or decimal == ","
    commas = commas or ("," in "".join(cells) and _only_decimal(cells))
    for converted in _attempts(cells, decimal, commas):
        if converted is not None:
            guessed = converted.decimal == "," and not told
            values = _spread(converted.values, codes, column)
            digits = converted.digits or any(map(_OTHER_DIGITS.search, map(str, distinct)))
            comma = converted.comma or guessed
            return replace(converted, values=values, comma=comma, digits=digits)
    if commas or decimal == ",":
        pointed = _with_points(cells, np.bincount(codes[codes >= 0], minlength=len(cells)))
        if pointed is not None:
            return Converted(_spread(pointed, codes, column), comma=not told)
    return Converted(column)


def _only_decimal(cells: pd.Series) -> bool:
    """Whether commas in numbers can only be decimal marks: not all part thousands or list codes.

    Codes of a list (1,3 for the first and the third answer) rise, from 1 to a few.
    """
    if cells.str.fullmatch("[+-]?[1-9]\\d{0,2}(?:[.'’ \u00a0\u202f]\\d{3})+,\\d+").any():
        return True
    numbers = cells[cells.str.fullmatch(_COMMA)]
    pairs = numbers.str.extract(r"^[+-]?(\d+),(\d+)$").dropna()
    if pairs.empty or 2 * len(numbers) <= len(cells):
        return False
    before, after = pairs[0].astype(float), pairs[1].astype(float)
    thousands = (pairs[0].str.fullmatch("[1-9].{0,2}") & (pairs[1].str.len() == 3)).all()
    codes = ((before >= 1) & (before < after) & (after <= _MOST_CODES)).all()
    return not thousands and not codes


def _both_marks(cells: pd.Series) -> Converted | None:
    """Numbers of which some have a decimal point and some a decimal comma."""
    commas = cells.str.contains(",", regex=False)
    if not commas.any() or not cells.str.fullmatch(r"[+-]?\d+(?:[.,]\d+)?").all():
        return None
    if not _only_decimal(cells[commas]):
        return None
    return Converted(_parse(cells.str.replace(",", ".", regex=False)), ".", comma=True)


def _with_points(cells: pd.Series, counts: np.ndarray) -> pd.Series | None:
    """Text that is mostly numbers with a decimal comma, beside words such as "k.A.": the numbers
    are written with a point, so that they are read once the words are dealt with. None for others.
    """
    numbers = cells.str.fullmatch(_COMMA).to_numpy(dtype=bool)
    written = cells.str.contains(",", regex=False).to_numpy(dtype=bool)
    if not (numbers & written).any() or 2 * counts[numbers].sum() <= counts.sum():
        return None
    return cells.mask(numbers, cells.str.replace(",", ".", regex=False))


def _attempts(cells: pd.Series, decimal: str | None, commas: bool) -> Iterable[Converted | None]:
    if not re.search(r"\d", "".join(cells)):
        yield _numbers(cells, ".") if _INFINITE.match(next(iter(cells), "")) else None
        yield _truth(cells)
        return
    point, comma = _numbers(cells, "."), _numbers(cells, ",") if commas or decimal == "," else None
    if decimal == ",":
        yield comma
        yield _grouped(cells, ",")
        yield point
    else:
        yield point
        yield comma
        yield _grouped(cells, ".")
        if commas:
            yield _grouped(cells, ",")
    yield _both_marks(cells)
    yield _truth(cells)
    yield _hours(cells)
    yield _worded(cells, decimal, commas)


def _worded(cells: pd.Series, decimal: str | None, commas: bool) -> Converted | None:
    """Numbers with a unit, or with labels at some of them."""
    found = find_numerals(cells)
    if found is None or not found.certain:
        return None
    numbers = convert(found.numbers, decimal=decimal, commas=commas)
    if numbers.unit is not None or isinstance(numbers.values.dtype, pd.StringDtype):
        return None
    return replace(numbers, unit=found.unit, labels=found.labels)


def _spread(values: pd.Series, codes: np.ndarray, column: pd.Series) -> pd.Series:
    """Values of the distinct cells for all cells; code -1 is missing."""
    missing = codes < 0
    if not missing.any():
        spread = values.to_numpy()[codes] if len(values) else values
        return pd.Series(spread, index=column.index, name=column.name, dtype=values.dtype)
    if values.dtype == np.int64:
        values = values.astype(np.float64)
    spread = values.reindex([*range(len(values)), -1]).to_numpy()[codes]
    return pd.Series(spread, index=column.index, name=column.name, dtype=values.dtype)


def _numbers(cells: pd.Series, decimal: str) -> Converted | None:
    if decimal == ",":
        if not cells.str.fullmatch(_COMMA).all():
            return None
        seen = cells.str.contains(",", regex=False).any()
        numbers = _parse(cells.str.replace(",", ".", regex=False))
    else:
        numbers = _parse(cells)
        seen = cells.str.contains(".", regex=False).any()
    if numbers.isna().any():
        return None
    return Converted(numbers, decimal if seen else None)


def _parse(cells: pd.Series) -> pd.Series:
    return pd.to_numeric(cells.astype("object"), errors="coerce")


def _grouped(cells: pd.Series, decimal: str) -> Converted | None:
    """Numbers of which at least one has a mark between groups of three digits."""
    seen = set("".join(cells))
    for mark in [mark for mark in _THOUSANDS[decimal] if mark in seen]:
        within = cells.str.contains(mark, regex=False)
        groups = rf"[+-]?[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})+(?:{re.escape(decimal)}\d*)?"
        if not cells[within].str.fullmatch(groups).all():
            continue
        found = _numbers(cells.str.replace(mark, "", regex=False), decimal)
        if found is not None:
            return Converted(found.values, found.decimal, thousands=mark)
    return None


def _truth(cells: pd.Series) -> Converted | None:
    if not len(cells) or any(cell.lower() not in _TRUTH for cell in cells):
        return None
    return Converted(cells.str.lower().map(_TRUTH).astype("boolean"))


def _hours(cells: pd.Series) -> Converted | None:
    """Durations or times of day, 7:30, 07:30:15 or 7h30, as hours."""
    for form in (_CLOCK, _LETTERED):
        parts = [found.groups() for cell in cells if (found := form.fullmatch(cell))]
        if parts and len(parts) == len(cells) and any(minutes for _, _, minutes, _ in parts):
            hours = pd.Series([_to_hours(*groups) for groups in parts], dtype=np.float64)
            return Converted(hours, unit="hours", clock=True)
    return None


def _to_hours(sign: str, hours: str, minutes: str | None, seconds: str | None) -> float:
    rest = int(minutes or 0) / 60 + float((seconds or "0").replace(",", ".")) / 3600
    return (int(hours) + rest) * (-1 if sign == "-" else 1)
