"""A column as times: date-times, or numbers whose unit is known where the column tells it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from nme_core.exceptions import DataError, OptionError
from nme_core.study.columns import as_numbers, is_number, label, place, row_number
from nme_core.study.time.dates import (
    ORDERS,
    AmbiguousDatesError,
    MixedZonesError,
    order_of,
    parse_dates,
)
from nme_core.study.time.occasions import is_no_time, read_occasions, unreadable_occasion
from nme_core.study.time.time_numbers import (
    DIGITS,
    FORMS,
    NUMBER,
    form_words,
    is_pointed_clock,
    number_form,
    read_numbers,
    slips_of_digits,
    with_marks,
)

#: Share of a column's distinct cells that have to be dates for the others to be slips.
_MOSTLY = 0.5
#: Cells that a message names.
_NAMED = 3


class UndecidedDatesError(DataError):
    """Day and month of a column's dates cannot be told apart."""

    def __init__(self, column: pd.Series, cells: tuple[str, ...]) -> None:
        texts = column.astype("str").str.strip()
        rows = np.flatnonzero(texts.isin(cells))
        shown = ", ".join(map(repr, dict.fromkeys(texts.iloc[rows[:_NAMED]])))
        where = f" ({place(column.index, int(rows[0]))})" if len(rows) else ""
        more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
        super().__init__(
            f"In column {column.name!r} the dates {shown or ', '.join(cells[:_NAMED])}{where}{more}"
            " do not tell which number is the day and which the month.",
            remedy="Say it with a remedy (--remedy FILE.json): "
            f'{{"kind": "read_dates", "columns": ["{column.name}"], "to": "dmy"}}, or "mdy".',
            column=str(column.name),
            row=row_number(column.index, int(rows[0])) if len(rows) else None,
        )


@dataclass(frozen=True, eq=False)
class Times:
    """A column as times.

    Attributes
    ----------
    values : Series
        Date-times or numbers, one per row; missing where the cell is.
    unit : str or None
        Unit of numbers (a key of `nme_core.study.time.occasions.DAYS_OF`); None: a plain counter,
        or date-times.
    cycle : float or None
        After how many units numbers begin anew: times of day after 24 hours, weekdays after 7 days.
    form : str or None
        What new rows have to be told to be read alike (see the remedy ``read_dates``).
    notes : tuple of str
        In words, how the column was read, where that does not go without saying.
    """

    values: pd.Series
    unit: str | None = None
    cycle: float | None = None
    form: str | None = None
    notes: tuple[str, ...] = field(default=())


def as_time(column: pd.Series) -> pd.Series:
    """A column as times (see `read_times`), none of them missing.

    Raises
    ------
    UndecidedDatesError
        Day and month cannot be told apart.
    DataError
        A time is missing or cannot be read.
    """
    return complete_times(column).values


def times_of(column: pd.Series) -> pd.Series | None:
    """The cells of a column that are not empty as times; None where they are none.

    Raises
    ------
    UndecidedDatesError
        Day and month cannot be told apart.
    """
    present = column.dropna()
    if present.empty or str(column.dtype).startswith("bool"):
        return None
    if not is_number(column) and any(is_no_time(str(cell)) for cell in pd.unique(present)):
        return None
    try:
        return as_time(present)
    except UndecidedDatesError:
        raise
    except DataError:
        return None


def is_dated(column: pd.Series) -> bool:
    """Whether a time column holds date-times, be they written as numbers."""
    try:
        times = times_of(column)
    except UndecidedDatesError:
        return True
    return times is not None and is_datetime64_any_dtype(times.dtype)


def complete_times(column: pd.Series) -> Times:
    """Like `as_time`, with the unit and what there is to say."""
    times = read_times(column)
    missing = np.flatnonzero(times.values.isna())
    if len(missing):
        have = "1 row has" if len(missing) == 1 else f"{len(missing)} rows have"
        raise DataError(
            f"{have} no time in column {column.name!r}, "
            f"the first is {place(column.index, missing[0])}.",
            remedy="Fill in the times or remove these rows.",
            column=str(column.name),
            row=row_number(column.index, missing[0]),
        )
    return times


def read_times(column: pd.Series) -> Times:
    """Read a column as times; missing cells stay missing.

    Numbers are date-times where all of them are dates in their digits, seconds since 1970 or the
    like (see `number_form`), else as they are. Text is read as date-times (see `parse_dates`), or
    as occasions such as ``Day 3`` (see `read_occasions`).

    Raises
    ------
    UndecidedDatesError
        Day and month cannot be told apart.
    DataError
        A cell cannot be read, or it cannot be told what instant it is.
    """
    if is_datetime64_any_dtype(column.dtype):
        return Times(column)
    if is_number(column):
        as_numbers(column, role="time", needed=True)
        form = number_form(column)
        if form is None and is_pointed_clock(column):
            note = f"Numbers in {column.name!r}, such as 21.30, were read as times of day: 21:30."
            return Times(column // 1 + (column % 1) / 0.6, "h", 24, notes=(note,))
        if form is None:
            _refuse_slip(column)
            return Times(column)
        return _of_numbers(column, form)
    return _of_text(column)


def _refuse_slip(column: pd.Series) -> None:
    """Raise DataError where nearly all numbers are dates in eight digits, and a few are none."""
    slips = slips_of_digits(column)
    if not len(slips):
        return
    name, more = column.name, "" if len(slips) == 1 else f" ({len(slips)} cells in all)"
    raise DataError(
        f"{label(slips.iloc[0])!r} in column {name!r} ({place(slips.index, 0)}) is no date, but "
        f"the others are: year, month and day in eight digits{more}.",
        remedy="Correct it, leave the row out, or say that the numbers are no dates.",
        column=str(name),
        row=row_number(slips.index, 0),
    )


def check_form(form: str) -> None:
    """Raise OptionError where there is no such order of day, month and year, nor other form."""
    if form not in (*ORDERS, *DIGITS, *FORMS, NUMBER):
        raise OptionError(
            f"No order of dates is called {form!r}.",
            remedy=f"Choose {', '.join(ORDERS)}; for numbers also {', '.join([*DIGITS, *FORMS])}, "
            f"or {NUMBER} where they are plain numbers.",
        )


def order_words(form: str) -> str:
    """An order of day, month and year, or another form, in words."""
    if form in ORDERS:
        return ", ".join(_LETTERS[letter] for letter in form)
    return "plain numbers" if form == NUMBER else form_words(form)


_LETTERS = {"d": "day", "m": "month", "y": "year"}


def read_as(column: pd.Series, form: str) -> pd.Series:
    """A column as date-times of a form, NaT where a cell is none; or as plain numbers."""
    if is_datetime64_any_dtype(column.dtype):
        return column
    texts = column.astype("str").where(column.notna())
    numbers = pd.to_numeric(texts, errors="coerce")
    if form in ORDERS and not numbers.notna().equals(column.notna()):
        return parse_dates(texts, form)
    return numbers if form == NUMBER else read_numbers(numbers, form)


def _of_numbers(column: pd.Series, form: str) -> Times:
    if form == "ddmmyyyy":
        order = _order(with_marks(column), column)
        return _told(read_numbers(column, order or form), column, form_words(form), order)
    return _told(read_numbers(column, form), column, form_words(form), form)


def _told(values: pd.Series, column: pd.Series, words: str, form: str | None) -> Times:
    example = _example(column, values, int(np.argmax(column.notna())))
    note = f"The numbers in {column.name!r} were read as {words}: {example}."
    return Times(values, form=form, notes=(note,))


def _example(column: pd.Series, values: pd.Series, at: int) -> str:
    cell = column.iloc[at]
    text = f"{cell:.10g}" if isinstance(cell, float | np.floating) and cell % 1 else cell
    text = int(cell) if isinstance(cell, float | np.floating) and cell % 1 == 0 else text
    return f"{text} is {_moment(values.iloc[at])}"


def _moment(value: pd.Timestamp) -> str:
    midnight = value == value.normalize()
    return f"{value:%Y-%m-%d}" if midnight else f"{value:%Y-%m-%d %H:%M}"


def _order(texts: pd.Series, column: pd.Series) -> str | None:
    try:
        return order_of(texts)
    except AmbiguousDatesError as error:
        raise UndecidedDatesError(column, error.cells) from error


def _of_text(column: pd.Series) -> Times:
    texts = column.astype("str").where(column.notna()).str.strip()
    present = texts.dropna()
    if present.empty:
        return Times(pd.Series(pd.NaT, index=column.index, name=column.name))
    try:
        values = parse_dates(texts)
    except AmbiguousDatesError as error:
        raise UndecidedDatesError(column, error.cells) from error
    except MixedZonesError as error:
        raise _undecided_zone(column, error) from error
    unread = values.isna() & texts.notna()
    if not unread.any():
        return _of_dates(values, texts, column)
    cells = list(dict.fromkeys(present))
    numbers = pd.to_numeric(texts, errors="coerce")
    if numbers.notna().equals(texts.notna()):
        return read_times(numbers)
    occasions = read_occasions(cells)
    if occasions is not None:
        numbers = present.map(dict(zip(cells, occasions.numbers, strict=True))).astype("float64")
        note = f"Times in {column.name!r}, such as {cells[0]!r}, were read as {occasions.words}."
        return Times(numbers.reindex(column.index), occasions.unit, occasions.cycle, notes=(note,))
    return _with_serials(values, texts, unread, column)


def _of_dates(values: pd.Series, texts: pd.Series, column: pd.Series) -> Times:
    """Dates that were all read, and what there is to say of them."""
    notes, order = [], None
    slashed = texts.str.contains(r"^\D*\d{1,2}[/.-]\s?\d{1,2}[/.-]", regex=True, na=False)
    if slashed.any():
        order = order_of(texts)
        if order is not None:
            notes.append(f"Dates in {column.name!r} were read as {order_words(order)}.")
        elif slashed.sum() < texts.notna().sum():
            other = texts[~slashed].dropna().iloc[0]
            both = f"{texts[slashed].iloc[0]!r} and {other!r}"
            notes.append(f"Dates in {column.name!r} have several forms, such as {both}; all tell.")
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        offset = values.dropna().iloc[0].strftime("%z")
        notes.append(
            f"Times in {column.name!r} say how far from UTC they are: they are instants, shown on "
            f"the clock of {offset[:3]}:{offset[3:]}."
        )
    clocked = texts.str.contains(r"\d[:h]\d{2}|T\d{2}", regex=True, na=False)
    without = int((texts.notna() & ~clocked).sum())
    if clocked.any() and without and (values[~clocked] == values[~clocked].dt.normalize()).any():
        cells, verb = ("1 date", "counts") if without == 1 else (f"{without} dates", "count")
        notes.append(f"{cells} in {column.name!r} without a time of day {verb} as 00:00.")
    return Times(values, form=order, notes=tuple(notes))


def _with_serials(
    values: pd.Series, texts: pd.Series, unread: pd.Series, column: pd.Series
) -> Times:
    """Dates some of which a spreadsheet turned into the numbers that it counts days with."""
    numbers = pd.to_numeric(texts[unread].str.replace(",", "."), errors="coerce")
    known = values[~unread].dropna()
    if numbers.notna().all() and len(known) and not isinstance(values.dtype, pd.DatetimeTZDtype):
        dates = read_numbers(numbers, "excel")
        apart = pd.Timedelta(days=366)
        if dates.between(known.min() - apart, known.max() + apart).all():
            whole = values.astype("datetime64[ms]").mask(unread, dates.reindex(values.index))
            row = numbers.index[0]
            shown = f"{texts[row]} is {_moment(dates.iloc[0])}"
            count = "1 cell" if len(numbers) == 1 else f"{len(numbers)} cells"
            verb = "holds" if len(numbers) == 1 else "hold"
            note = f"{count} in {column.name!r} {verb} a spreadsheet's number of a date: {shown}."
            return Times(whole, notes=(note,))
    raise _unreadable(column, texts, unread)


def _unreadable(column: pd.Series, texts: pd.Series, unread: pd.Series) -> DataError:
    cells = list(dict.fromkeys(texts.dropna()))
    words = texts.notna() & pd.to_numeric(texts, errors="coerce").isna()
    if words.sum() < _MOSTLY * texts.notna().sum():
        unread = words  # numbers with a slip
    dates = unread.sum() < _MOSTLY * texts.notna().sum()
    odd = None if dates else unreadable_occasion(cells)
    bad = np.flatnonzero(unread if odd is None else texts == odd)
    row = int(bad[0])
    more = "" if len(bad) == 1 else f" ({len(bad)} cells in all)"
    return DataError(
        f"The time {str(column.iloc[row])!r} in column {column.name!r}, "
        f"{place(column.index, row)}, cannot be read{more}.",
        remedy="Correct the cell, or leave the row out."
        if dates or odd is not None
        else "Write times as numbers, like 2024-03-31 14:30, or like Day 1.",
        column=str(column.name),
        row=row_number(column.index, row),
    )


def _undecided_zone(column: pd.Series, error: MixedZonesError) -> DataError:
    texts = column.astype("str").str.strip()
    cell = error.with_zone if error.without is None else error.without
    row = int(np.flatnonzero(texts == cell)[0])
    where = place(column.index, row)
    if error.without is None:
        message = (
            f"The time {cell!r} in column {column.name!r}, {where}, occurs twice, or never, because"
            " the clocks change in that hour."
        )
        remedy = "Write how far it is from UTC, such as 2024-10-27 02:30+02:00."
    else:
        message = (
            f"Some times in column {column.name!r} say how far from UTC they are "
            f"({error.with_zone!r}), others do not ({cell!r}, {where})."
        )
        remedy = "Write the offset of all of them, or of none."
    return DataError(
        message, remedy=remedy, column=str(column.name), row=row_number(column.index, row)
    )
