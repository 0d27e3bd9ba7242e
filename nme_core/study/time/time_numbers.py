"""Date-times that are written as plain numbers: 20240131, seconds since 1970, spreadsheet serials.

They are recognised by range and structure: every number has to be a date of this form, and what a
plain counter could be as well is left a counter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from nme_core.study.columns import is_number
from nme_core.study.time.calendar_words import plain
from nme_core.study.time.dates import Order, parse_dates

#: First and last year that numbers are taken for: far from these, a number is something else.
_FIRST, _LAST = pd.Timestamp("2000-01-01"), pd.Timestamp("2050-01-01")
#: Numbers of digits with the date in them lie between these years.
_YEARS = (1950, 2100)
#: Names of columns in which whole numbers may be days of a spreadsheet, or six digits a date.
_DATE_NAMES = re.compile(
    r"(^|[^a-z])(date|datum|dato|data|fecha|day|tag|dag|jour|dia)(s|um)?($|[^a-z])"
)
#: Words for a time of day, and how many different ones show that 21.30 is one.
_CLOCK_WORDS = (
    "clock time hour hours hh hhmm uhrzeit uhr zeit zeitpunkt stunde heure hora ora orario tijd "
    "uur tod klokken tidspunkt"
)
CLOCK_NAMES = frozenset(_CLOCK_WORDS.split())
_FEWEST_CLOCKS = 6
#: Longest time between the first and the last whole number that are days of a spreadsheet.
_LONGEST_DAYS = 3700


@dataclass(frozen=True)
class Form:
    """A way to write date-times as numbers of a unit since an origin.

    Attributes
    ----------
    words : str
        What the numbers are.
    origin : str
        When 0 is.
    seconds : float
        Of a unit.
    """

    words: str
    origin: str
    seconds: float

    def read(self, numbers: pd.Series) -> pd.Series:
        """Numbers as date-times, to a thousandth of a second; missing stays missing."""
        values = numbers.to_numpy(dtype=np.float64, na_value=np.nan) * self.seconds
        known = np.abs(values) < _MOST_SECONDS
        thousandths = np.round(np.where(known, values, 0) * 1000).astype(np.int64)
        times = np.datetime64(self.origin, "ms") + thousandths.astype("timedelta64[ms]")
        times[~known] = np.datetime64("NaT")
        return pd.Series(times, index=numbers.index, name=numbers.name)

    def bounds(self) -> tuple[float, float]:
        """Numbers of the first and the last moment that are taken for date-times."""
        origin = np.datetime64(self.origin, "s").astype(np.int64)
        ends = (pd.Timestamp(end).timestamp() - origin for end in (_FIRST, _LAST))
        low, high = (end / self.seconds for end in ends)
        return low, high


#: Seconds that can be counted in thousandths.
_MOST_SECONDS = 2**53

FORMS = {
    "unix_s": Form("seconds since 1970 (UTC)", "1970-01-01", 1),
    "unix_ms": Form("milliseconds since 1970 (UTC)", "1970-01-01", 1e-3),
    "unix_us": Form("microseconds since 1970 (UTC)", "1970-01-01", 1e-6),
    "unix_ns": Form("nanoseconds since 1970 (UTC)", "1970-01-01", 1e-9),
    "spss": Form("seconds since 1582, as SPSS counts", "1582-10-14", 1),
    "excel": Form("days since 30 December 1899, as spreadsheets count", "1899-12-30", 86_400),
    "excel_1904": Form("days since 1 January 1904, as old Macs count", "1904-01-01", 86_400),
    "matlab": Form("days since the year 0, as MATLAB counts", "-0001-12-31", 86_400),
}
_UNCOMMON = ("excel_1904",)
#: Days whose numbers a counter could reach: they need a time of day or the name of a date.
_OF_DAYS = ("excel", "matlab")

#: Digits: what they are, and how pandas reads them.
DIGITS = {
    "yyyymmdd": ("year, month and day in eight digits", "%Y%m%d"),
    "yyyymmddhh": ("year, month, day and hour in ten digits", "%Y%m%d%H"),
    "yyyymmddhhmm": ("year to minute in twelve digits", "%Y%m%d%H%M"),
    "yyyymmddhhmmss": ("year to second in fourteen digits", "%Y%m%d%H%M%S"),
    "yyyymm": ("year and month in six digits", "%Y%m"),
    "yyyyww": ("year and week in six digits", "%G%V%u"),
    "yymmdd": ("year, month and day in six digits", "%y%m%d"),
}
#: Share of dates in eight digits from which on a number that is none is a slip.
_MOST_DIGITS = 0.8
#: Numbers from here on may have day, month and year in their digits, in any order.
LEAST_DIGITS = 1_000_000
#: Numbers that stay numbers, where the user says so.
NUMBER = "number"


def number_form(column: pd.Series) -> str | None:
    """The form in which numbers are date-times; None where they are plain numbers."""
    values = np.unique(column.to_numpy(dtype=np.float64, na_value=np.nan))
    values = values[np.isfinite(values)]
    if not len(values) or values[0] < 10_000:
        return None
    whole = bool(np.all(values == np.floor(values)))
    dated = bool(_DATE_NAMES.search(plain(_split(str(column.name)))))
    if whole and (form := _digits(values, dated=dated)) is not None:
        return form
    for name, known in FORMS.items():
        low, high = known.bounds()
        if name not in _UNCOMMON and low <= values[0] and values[-1] < high:
            return name if name not in _OF_DAYS or _are_days(values, whole, dated) else None
    return None


def is_pointed_clock(column: pd.Series) -> bool:
    """Whether numbers are times of day with a point between hours and minutes: 21.30.

    The column is called a clock, its numbers go on to the afternoon, and none of many has two
    decimals from 60 on.
    """
    words = set(re.findall("[a-z]+", plain(_split(str(column.name)))))
    if not is_number(column) or not CLOCK_NAMES & words:
        return False
    values = np.unique(column.to_numpy(dtype=np.float64, na_value=np.nan))
    values = values[np.isfinite(values)]
    minutes = values * 100 % 100
    whole = np.abs(minutes - np.round(minutes)) < 1e-6
    if len(values) < _FEWEST_CLOCKS or values[0] < 0 or not 13 <= values[-1] < 24:
        return False
    fine = len(np.unique(np.round(minutes))) > _FEWEST_CLOCKS // 2
    return bool(whole.all() and fine and (np.round(minutes) < 60).all())


def slips_of_digits(column: pd.Series) -> pd.Series:
    """Numbers that are no date among others most of which are one in eight digits (20240131)."""
    whole = column.dropna()
    whole = whole[(whole >= 10**7) & (whole < 10**8) & (whole % 1 == 0)]
    if len(whole) < max(3, _MOST_DIGITS * column.notna().sum()):
        return whole.iloc[:0]
    times = read_numbers(whole, "yyyymmdd")
    dates = times.dt.year.between(_YEARS[0], _YEARS[1] - 1)
    return whole.iloc[:0] if dates.mean() < _MOST_DIGITS else whole[~dates]


def read_numbers(column: pd.Series, form: str) -> pd.Series:
    """Numbers in a form as date-times; NaT where a number is none.

    Besides those of `FORMS` and `DIGITS`, forms are ``dmy`` and ``mdy``: the year stands last.
    """
    if form in FORMS:
        return FORMS[form].read(column)
    if form in DIGITS:
        width = 6 if form == "yymmdd" else 0
        texts = _texts(column, width) + ("1" if form == "yyyyww" else "")  # the week's Monday
        return pd.to_datetime(texts, format=DIGITS[form][1], errors="coerce")
    order: Order | None = form if form in ("dmy", "mdy") else None  # type: ignore[assignment]
    return parse_dates(with_marks(column), order)


def with_marks(column: pd.Series) -> pd.Series:
    """Digits that end in the year (31012024) as text with marks between the numbers."""
    return _texts(column, 8).str.replace(r"^(\d{2})(\d{2})(\d{4})$", r"\1/\2/\3", regex=True)


def form_words(form: str) -> str:
    """What numbers in a form are."""
    if form in FORMS:
        return FORMS[form].words
    if form in DIGITS:
        return DIGITS[form][0]
    return "day, month and year in eight digits"


def _split(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)


def _texts(column: pd.Series, width: int) -> pd.Series:
    numbers = column.astype("Float64").round().astype("Int64")
    return numbers.astype("string").str.zfill(width).astype("str")


def _digits(values: npt.NDArray[np.float64], *, dated: bool) -> str | None:
    """The form of whole numbers all of which hold a date in their digits."""
    longest = {1: len(str(int(values[0]))), 2: len(str(int(values[-1])))}
    if longest[1] != longest[2] and longest[2] not in (6, 8):
        return None
    for form in DIGITS:
        width = len(form)
        if longest[2] != width or (longest[1] != width and form != "yymmdd"):
            continue
        if form == "yymmdd" and not dated:
            continue
        times = read_numbers(pd.Series(values), form)
        years = times.dt.year
        if times.isna().any() or years.min() < _YEARS[0] or years.max() >= _YEARS[1]:
            continue
        if form in ("yyyymm", "yyyyww") and years.nunique() < 2:
            continue  # as a counter it has the same distances
        return form
    if longest[2] != 8 or longest[1] < 7:
        return None
    years_last = values % 10_000
    if years_last.min() < _YEARS[0] or years_last.max() >= _YEARS[1]:
        return None
    first, second = values // 1_000_000, values // 10_000 % 100
    if ((np.minimum(first, second) >= 1) & (np.maximum(first, second) <= 31)).all():
        return "ddmmyyyy" if (np.minimum(first, second) <= 12).all() else None
    return None


def _are_days(values: npt.NDArray[np.float64], whole: bool, dated: bool) -> bool:
    """Whether days have times of day to the minute or second, or are days in a column of dates."""
    if whole:
        return dated and values[-1] - values[0] <= _LONGEST_DAYS
    minutes, seconds = values * 1440, values * 86_400
    return bool(
        np.all(np.abs(minutes - np.round(minutes)) < 0.01)
        or np.all(np.abs(seconds - np.round(seconds)) < 0.05)
    )
