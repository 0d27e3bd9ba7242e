"""Dates as people and programs write them: 31.03.2024, 3/31/24 2:05 PM, 3. März 2024, 2024-W13-7.

Which of day and month comes first is taken from the column: a number above 12 tells it. Where none
does, nobody can know, and it is asked for. Forms may be mixed as long as each date tells. Years of
two digits lie from 1969 to 2068; they stand first where the dates then lie much closer together.
Dates with an offset from UTC or a named zone are instants.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache, partial
from typing import Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from nme_core.study.time.calendar_words import MONTHS, is_weekday, plain

#: What comes first in a date: day, month or year.
Order = Literal["dmy", "mdy", "ymd"]
ORDERS: tuple[Order, ...] = get_args(Order)

_CENTURY = 69
#: Characters of a cell that may be a time; longer ones are text.
LONGEST = 100
_WORD = r"[^\W\d_]"
_HALF = r"(?:\s*(?P<half>[ap])\.?\s?m\b\.?)?"
_CLOCKS = tuple(
    re.compile(pattern + _HALF + r"(?:\s*uhr\b)?", re.IGNORECASE)
    for pattern in (
        r"(?:(?<![\d:])|(?<=\d{4}:))(?P<hour>\d{1,2})[:h](?P<minute>\d{2})"
        r"(?::(?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?(?![\d:])",
        r"(?<=[\s,T])(?P<hour>\d{1,2})\.(?P<minute>\d{2})(?:\.(?P<second>\d{2}))?(?=$|\s*uhr|\s*[ap])",
        r"(?<=[\s,T])(?P<hour>\d{1,2})(?=\s*(?:uhr|[ap]\.?\s?m))",
        r"(?<=\d{8}[T _-])(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?$",
        r"(?<=\d[T _])(?P<hour>\d{2})-(?P<minute>\d{2})-(?P<second>\d{2})$",
    )
)
#: Between a date and its clock: "T", "at", "um", "à", "om".
_BETWEEN = re.compile(
    r"(?:\s+(?:at|um|à|om|a las|às|alle(?:\s+ore)?|ore|kl|klokken|o)\.?)?[\s,T_:-]*$", re.IGNORECASE
)
_OFFSET = re.compile(
    r"(?<=[\d.\s])(?:(?:UTC|GMT)\s*)?(?P<sign>[+\u2212-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?"
    r"\s*(?:\[[^\]]+\]|\([^)]*\)|[A-Z]{2,5})?$"
)
_ZONE = re.compile(r"(?:(?<=\d)|\s+)\[?(?P<zone>Z|[A-Z]{3,5}|[A-Z][A-Za-z]+/[A-Za-z_/]+)\]?$")
#: Hours from UTC of zones by the letters that people write.
_LETTERS = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "BST": 1, "WEST": 1, "CET": 1, "MEZ": 1, "CEST": 2,
    "MESZ": 2, "EET": 2, "EEST": 3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7,
    "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
_NUMBERS = re.compile(
    r"(?P<a>\d{1,4})(?P<mark>[./-])\s?(?P<b>\d{1,2})(?P=mark)\s?(?P<c>\d{1,4})\.?"
)
_COMPACT = re.compile(r"(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})")
_MONTH = re.compile(r"(?P<year>\d{4})[/-](?P<month>\d{1,2})|(?P<m>\d{1,2})[/.](?P<y>\d{4})")
_WEEK = re.compile(
    r"(?P<year>\d{4})[\s-]*(?:W|KW|S)\s*(?P<week>\d{1,2})(?:-?(?P<day>[1-7]))?"
    r"|(?:W|KW|week|woche|semaine|semana)\.?\s*(?P<w>\d{1,2})[\s,/-]+(?P<y>\d{4})",
    re.IGNORECASE,
)
_QUARTER = re.compile(r"(\d{4})[\s/-]*Q([1-4])|Q([1-4])[\s/-]*(\d{4})", re.IGNORECASE)
_NAMED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<day>\d{{1,2}})(?:\.|st|nd|rd|th|er|º)?[\s-]*(?:de\s+)?(?P<month>{_WORD}{{3,12}})\.?"
        r"(?:\s+del?|,)?[\s-]*(?P<year>\d{4}|\d{2})",
        rf"(?P<month>{_WORD}{{3,12}})\.?[\s-]+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?[\s-]+(?P<year>\d{{4}})",
        rf"(?P<year>\d{{4}})[\s-]+(?P<month>{_WORD}{{3,12}})\.?[\s-]+(?P<day>\d{{1,2}})",
        rf"(?P<month>{_WORD}{{3,12}})\.?[\s,]+(?P<year>\d{{4}})",
        r"(?P<year>\d{4})\s?[年년]\s?(?P<month>\d{1,2})\s?[月월]\s?(?P<day>\d{1,2})\s?[日일]",
    )
)
#: Forms of whole columns that are read at once, without taking cells apart.
_ISO = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?"
_AT_ONCE = {
    _ISO: "ISO8601",
    r"\d{2}\.\d{2}\.\d{4}": "%d.%m.%Y",
    r"\d{2}\.\d{2}\.\d{4} \d{2}:\d{2}": "%d.%m.%Y %H:%M",
    r"\d{2}\.\d{2}\.\d{4} \d{2}:\d{2}:\d{2}": "%d.%m.%Y %H:%M:%S",
}
_ISO_ZONED = _ISO + r"\s?(Z|[+-]\d{2}:?\d{2})"


#: Dates with two digits for each number, and how many times closer together the right ones lie.
_SHORT = re.compile(r"(\d{2})/(\d{2})/(\d{2})(?![\d/])")
_FEWEST_DATES, _CLOSER = 3, 10


class AmbiguousDatesError(ValueError):
    """Day and month cannot be told apart in `cells`."""

    def __init__(self, cells: Sequence[str]) -> None:
        super().__init__(", ".join(cells[:5]))
        self.cells = tuple(cells)


class MixedZonesError(ValueError):
    """Some dates say how far from UTC they are, others do not: one cell of each, and why."""

    def __init__(self, with_zone: str, without: str | None) -> None:
        super().__init__(with_zone)
        self.with_zone, self.without = with_zone, without


@dataclass(frozen=True)
class _Cell:
    """One distinct cell: its possible days by order, its clock and its zone."""

    text: str
    days: dict[Order, date]
    mark: str
    clock: timedelta | None
    zone: timezone | ZoneInfo | None

    @property
    def tells(self) -> bool:
        return len(set(self.days.values())) < 2


def parse_dates(texts: pd.Series, order: Order | None = None) -> pd.Series:
    """Text as date-times; NaT where a cell is none.

    Parameters
    ----------
    texts : Series of text
        The column.
    order : "dmy", "mdy" or "ymd", optional
        What comes first. Default: day where dots part the numbers, else as the column tells.

    Returns
    -------
    Series of datetime64
        Without a zone where no cell has one. Else instants, on the clock of the commonest offset.

    Raises
    ------
    AmbiguousDatesError
        The column does not tell, and no order is given.
    MixedZonesError
        Some dates have a zone and others have none, or an hour that occurs twice has none.
    """
    codes, distinct = pd.factorize(texts)
    cells = pd.Series(distinct, dtype="object").map(lambda cell: str(cell).strip()).astype("str")
    times = _at_once(cells) if len(cells) else None
    order = order or _year_first(cells)
    if times is None or times.isna().any():
        times = _assembled([_read(cell, order) for cell in cells], order)
    spread = times.reindex([*range(len(times)), -1]).array[codes]  # code -1 (missing): NaT
    return pd.Series(spread, index=texts.index, name=texts.name)


def _at_once(cells: pd.Series) -> pd.Series | None:
    """Cells that all have one of the commonest forms as date-times; None where they do not."""
    first = cells.iloc[0]
    for form, how in _AT_ONCE.items():
        if re.fullmatch(form, first) and cells.str.fullmatch(form).all():
            return pd.to_datetime(cells, format=how, errors="coerce")
    if not (re.fullmatch(_ISO_ZONED, first) and cells.str.fullmatch(_ISO_ZONED).all()):
        return None
    offsets = cells.str.extract(_ISO_ZONED, expand=False).value_counts().sort_index()
    usual = _take_zone(f"2000-01-01 00:00{offsets.idxmax()}")[1]
    return pd.to_datetime(cells, format="ISO8601", utc=True, errors="coerce").dt.tz_convert(usual)


def order_of(texts: pd.Series) -> Order | None:
    """What comes first in dates of which only others in the column tell it; None without any."""
    distinct = [str(cell).strip() for cell in pd.factorize(texts)[1]]
    if (order := _year_first(distinct)) is not None:
        return order
    read = [_read(cell, None) for cell in distinct]
    found = [cell for cell in read if cell is not None]
    decided = _orders(found)
    return next((decided[cell.mark] for cell in found if not cell.tells), None)


def _year_first(cells: Iterable[str]) -> Order | None:
    """Whether dates such as 24/03/01 begin with the year: read so, they lie much closer together.

    Else the day would stay the same from year to year.
    """
    found: dict[Order, list[int]] = {order: [] for order in ORDERS}
    for cell in cells:
        match = _SHORT.match(cell)
        if match is None:
            return None
        for order, days in _of_numbers(match[1], match[2], match[3], "-", None).items():
            found[order].append(days.toordinal())
    length = len(found["ymd"])
    spans = {order: max(days) - min(days) for order, days in found.items() if len(days) == length}
    if length < _FEWEST_DATES or max(map(len, found.values())) > length or len(spans) < 2:
        return None
    first = spans.pop("ymd")
    return "ymd" if first * _CLOSER < min(spans.values()) else None


def _read(cell: str, order: Order | None) -> _Cell | None:
    """Take one cell apart; None where it is no date."""
    if len(cell) > LONGEST:
        return None
    if not cell.isascii():
        cell = unicodedata.normalize("NFKC", _plain_digits(cell))
    day, zone = _take_zone(cell)
    rest, clock = _take_clock(day)
    if rest is None:
        return None
    days, mark = _days(rest, order)
    words = rest.split(maxsplit=1)
    if not days and len(words) == 2 and is_weekday(plain(words[0]).rstrip(".,")):
        days, mark = _days(words[1], order)
    return _Cell(cell, days, mark, clock, zone) if days else None


def _plain_digits(cell: str) -> str:
    return "".join(str(int(one)) if one.isdecimal() else one for one in cell)


def _take_zone(cell: str) -> tuple[str, timezone | ZoneInfo | None]:
    """A cell without its zone at the end, and the zone."""
    timed = re.search(r"\d[:h]\d{2}|T\d{2}", cell) is not None
    match = _OFFSET.search(cell) if timed else None
    if match:
        minutes = 60 * int(match["hours"]) + int(match["minutes"] or 0)
        sign = 1 if match["sign"] == "+" else -1
        return cell[: match.start()], timezone(timedelta(minutes=sign * min(minutes, 1439)))
    match = _ZONE.search(cell) if timed else None
    if match is None:
        match = re.search(r"(?<=\d)\s+(?P<zone>[A-Z]{3,5})(?=\s+\d{4}$)", cell) if timed else None
        if match is None or match["zone"] not in _LETTERS:
            return cell, None
        offset = timezone(timedelta(hours=_LETTERS[match["zone"]]))
        return cell[: match.start()] + cell[match.end() :], offset
    if match["zone"] in _LETTERS:
        return cell[: match.start()], timezone(timedelta(hours=_LETTERS[match["zone"]]))
    try:
        return cell[: match.start()], ZoneInfo(match["zone"])
    except (ZoneInfoNotFoundError, ValueError):
        return cell, None


def _take_clock(cell: str) -> tuple[str | None, timedelta | None]:
    """A cell without its clock time, and that time since midnight; (None, None): it is none."""
    match = next((found for clock in _CLOCKS if (found := clock.search(cell))), None)
    if match is None:
        return cell.strip(), None
    clock = clock_time(match)
    if clock is None:
        return None, None
    before = _BETWEEN.sub("", cell[: match.start()])
    return f"{before} {cell[match.end() :].strip(' ,')}".strip(), clock


def clock_time(match: re.Match[str]) -> timedelta | None:
    """A match of hour, minute, second, part and half as time since midnight; 24:00 is the end."""
    given = match.groupdict()
    hour, half = int(given["hour"]), (given.get("half") or "").lower()
    minute, second = int(given.get("minute") or 0), int(given.get("second") or 0)
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    if minute > 59 or second > 59 or hour > 24 or (hour == 24 and (minute or second)):
        return None
    part = float(f"0.{given.get('part') or 0}")
    return timedelta(hours=hour, minutes=minute, seconds=second + part)


@lru_cache(maxsize=100_000)
def _days(text: str, order: Order | None) -> tuple[dict[Order, date], str]:
    """The days that a date may mean, by what comes first, and the mark between its numbers."""
    match = _NUMBERS.fullmatch(text)
    if match:
        a, b, c, mark = match["a"], match["b"], match["c"], match["mark"]
        return _of_numbers(a, b, c, mark, order), "" if len(a) == 4 else mark
    week = _WEEK.fullmatch(text)
    if week:
        year, number = week["year"] or week["y"], week["week"] or week["w"]
        return _only(partial(date.fromisocalendar, int(year), int(number), int(week["day"] or 1)))
    quarter = _QUARTER.fullmatch(text)
    if quarter:
        year, number = quarter[1] or quarter[4], quarter[2] or quarter[3]
        return _only(partial(date, int(year), 3 * int(number) - 2, 1))
    for pattern in (_COMPACT, _MONTH, *_NAMED):
        match = pattern.fullmatch(text)
        if match:
            given = match.groupdict()
            word = plain(given["month"] or given.get("m") or "")
            month = int(word) if word.isdigit() else MONTHS.get(word, 0)
            year, day = _year(given["year"] or given.get("y") or ""), int(given.get("day") or 1)
            return _only(partial(date, year, month, day))
    return {}, ""


def _only(day: Callable[[], date]) -> tuple[dict[Order, date], str]:
    """The day that a function gives, whatever the order; nothing where there is none."""
    try:
        return {"ymd": day()}, ""
    except ValueError:
        return {}, ""


def _of_numbers(a: str, b: str, c: str, mark: str, order: Order | None) -> dict[Order, date]:
    """The valid days of three numbers, by the orders that they can be in."""
    if len(a) == 4:
        orders: tuple[Order, ...] = ("ymd",)
    elif order is not None:
        orders = (order,)
    elif int(a) > 31:
        orders = ("ymd",)
    elif mark == ".":
        orders = ("dmy",)
    else:
        orders = ORDERS if mark == "-" and len(a) == len(c) == 2 else ("dmy", "mdy")
    days: dict[Order, date] = {}
    for one in orders:
        digits = dict(zip(one, (a, b, c), strict=True))
        try:
            days[one] = date(_year(digits["y"]), int(digits["m"]), int(digits["d"]))
        except ValueError:
            continue
    return days


def _year(text: str) -> int:
    if len(text) == 2:
        return int(text) + (1900 if int(text) >= _CENTURY else 2000)
    return int(text) if len(text) == 4 else 0


def _orders(cells: Sequence[_Cell]) -> dict[str, Order]:
    """What comes first in dates that do not tell, by the mark between their numbers."""
    found: dict[str, Order] = {}
    for mark in {cell.mark for cell in cells if not cell.tells}:
        alike = [cell for cell in cells if cell.mark == mark]
        told = {next(iter(cell.days)) for cell in alike if len(cell.days) == 1}
        open_cells = [cell for cell in alike if not cell.tells]
        if len(told) != 1 or any(told.isdisjoint(cell.days) for cell in open_cells):
            raise AmbiguousDatesError([cell.text for cell in open_cells])
        found[mark] = told.pop()
    return found


def _assembled(read: list[_Cell | None], order: Order | None) -> pd.Series:
    """Date-times of cells that were taken apart."""
    cells = [cell for cell in read if cell is not None]
    decided = {} if order else _orders(cells)
    zoned = [cell for cell in cells if cell.zone is not None]
    plainly = [cell for cell in cells if cell.zone is None]
    if zoned and plainly:
        raise MixedZonesError(zoned[0].text, plainly[0].text)
    moments = [None if cell is None else _moment(cell, decided.get(cell.mark)) for cell in read]
    if not zoned:
        return pd.Series(np.array(moments, dtype="datetime64[us]"))
    offsets = Counter(moment.utcoffset() for moment in moments if moment is not None)
    usual = min(offsets, key=lambda offset: (-offsets[offset], offset or timedelta()))
    instants = [
        None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
        for moment in moments
    ]
    column = pd.Series(np.array(instants, dtype="datetime64[us]")).dt.tz_localize("UTC")
    return column.dt.tz_convert(timezone(usual or timedelta()))


def _moment(cell: _Cell, order: Order | None) -> datetime:
    """The date-time of a cell, with its zone where it has one."""
    day = next(iter(cell.days.values())) if cell.tells or order is None else cell.days[order]
    try:
        moment = datetime(day.year, day.month, day.day) + (cell.clock or timedelta())
    except OverflowError:
        moment = datetime.max
    if not isinstance(cell.zone, ZoneInfo):
        return moment.replace(tzinfo=cell.zone)
    first, second = (moment.replace(tzinfo=cell.zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        raise MixedZonesError(cell.text, None)
    return first
