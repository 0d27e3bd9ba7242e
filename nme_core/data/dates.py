"""Dates as people write them: 31.03.2024, 3/31/24, 31-MAR-2024 14:30, 3. März 2024.

Which of day and month comes first is taken from the column: a number above 12 tells it. Where none
does, nobody can know, and it is asked for. Years of two digits lie from 1969 to 2068.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

import numpy as np
import pandas as pd

from nme_core.exceptions import OptionError

#: What comes first in a date: day, month or year.
Order = Literal["dmy", "mdy", "ymd"]
ORDERS: tuple[Order, ...] = get_args(Order)

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan januar january jänner", "feb februar february", "mar mär mrz märz march maerz",
            "apr april", "may mai", "jun juni june", "jul juli july", "aug august",
            "sep sept september", "oct okt oktober october", "nov november",
            "dec dez dezember december",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_WEEKDAY = (
    r"(?:(?:mo|di|mi|do|fr|sa|so|mon|tue|wed|thu|fri|sat|sun)[a-zäöü]*[.,]*\s+)?"  # Mo, Montag
)
_CLOCK = (
    r"(?:(?:\s*[,T]\s*|\s+)(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?"
    r"\s*(?P<half>[ap]\.?m\.?)?(?:\s*uhr)?)?"
)
_NUMBERS = re.compile(
    rf"{_WEEKDAY}(?P<a>\d{{1,4}})(?P<mark>[./-])\s?(?P<b>\d{{1,2}})(?P=mark)\s?(?P<c>\d{{1,4}})"
    rf"{_CLOCK}",
    re.IGNORECASE,
)
_NAMED = tuple(
    re.compile(f"{_WEEKDAY}{pattern}{_CLOCK}", re.IGNORECASE)
    for pattern in (
        r"(?P<day>\d{1,2})(?:\.\s*|\s+|-)(?P<month>[a-zä]{3,9})\.?[\s,-]+(?P<year>\d{4}|\d{2})",
        r"(?P<month>[a-zä]{3,9})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})",
    )
)
_CENTURY = 69


class AmbiguousDatesError(ValueError):
    """Day and month of a column's dates cannot be told apart."""


def parse_dates(texts: pd.Series, order: Order | None = None) -> pd.Series:
    """Text as date-times; NaT where a cell is none.

    Parameters
    ----------
    texts : Series of text
        The column.
    order : "dmy", "mdy" or "ymd", optional
        What comes first. Default: day where dots part the numbers, else as the column tells.

    Raises
    ------
    AmbiguousDatesError
        The column does not tell, and no order is given.
    """
    codes, distinct = pd.factorize(texts)
    cells = [str(cell).strip() for cell in distinct]
    parts = [_parts(cell) for cell in cells]
    order = order or _order(parts)
    times = pd.to_datetime(
        pd.DataFrame([_fields(part, order) for part in parts], columns=[*_FIELDS]), errors="coerce"
    ).to_numpy()
    known = np.append(times, np.datetime64("NaT", "ns").astype(times.dtype))
    return pd.Series(known[codes], index=texts.index, name=texts.name)


def check_order(order: str) -> None:
    """Raise OptionError where there is no such order of day, month and year."""
    if order not in ORDERS:
        raise OptionError(
            f"There is no order of dates {order!r}.", remedy=f"Choose {', '.join(ORDERS)}."
        )


_FIELDS = ("year", "month", "day", "hour", "minute", "second")
_Parts = dict[str, str | None]


def _parts(cell: str) -> _Parts | None:
    for pattern in (_NUMBERS, *_NAMED):
        match = pattern.fullmatch(cell)
        if match:
            return match.groupdict()
    return None


def _order(parts: list[_Parts | None]) -> Order:
    """What comes first in dates of numbers, by those that tell."""
    found: set[Order] = set()
    asked = False
    for part in parts:
        if part is None or "a" not in part:
            continue
        first, second, last = part["a"] or "", part["b"] or "", part["c"] or ""
        short = part["mark"] == "-" and len(first) == len(last) == 2
        if short and max(int(first), int(last)) <= 31:
            asked = True  # 24-03-31 may begin with its day or its year
        elif len(first) == 4 or int(first) > 31:
            found.add("ymd")
        elif part["mark"] == "." or int(first) > 12:
            found.add("dmy")
        elif int(second) > 12:
            found.add("mdy")
        else:
            asked |= first != second or len(last) < 4
    if not found and not asked:
        return "dmy"
    if len(found) != 1:
        raise AmbiguousDatesError
    return found.pop()


def _fields(part: _Parts | None, order: Order) -> list[float]:
    if part is None:
        return [np.nan] * len(_FIELDS)
    if "a" in part:
        digits = dict(zip(order, (part["a"], part["b"], part["c"]), strict=True))
        if len(part["a"] or "") == 4:  # the year is seen to stand first
            digits = {"y": part["a"], "m": part["b"], "d": part["c"]}
        day, month, year = (_number(digits[key]) for key in "dmy")
        year_text = digits["y"] or ""
    else:
        day, year = _number(part["day"]), _number(part["year"])
        month = _MONTHS.get((part["month"] or "").lower(), np.nan)
        year_text = part["year"] or ""
    if len(year_text) == 2:
        year += 1900 if year >= _CENTURY else 2000
    elif len(year_text) != 4:
        year = np.nan
    hour = _number(part["hour"])
    half = (part["half"] or "").lower()[:1]
    if half:
        hour = np.nan if not 1 <= hour <= 12 else hour % 12 + (12 if half == "p" else 0)
    return [year, month, day, hour, _number(part["minute"]), _number(part["second"])]


def _number(text: str | None) -> float:
    return float(text) if text else 0.0
