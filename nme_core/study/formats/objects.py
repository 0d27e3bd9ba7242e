"""Columns of Python values, as a workbook has them: numbers, dates, times, words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from nme_core.study.formats.cells import Converted, from_text

_NUMBERS = (int, float)


def from_values(values: Sequence[Any], *, text: bool) -> Converted:
    """A column of values, None where missing, as numbers, booleans, date-times or text."""
    kinds = {type(value) for value in values if value is not None}
    if text:
        words = pd.Series([_word(value) for value in values], dtype="str")
        return from_text(words, text=True)
    if not kinds:
        return Converted(pd.Series(np.full(len(values), np.nan)))
    if kinds == {bool}:
        return Converted(pd.Series(values, dtype="boolean"))
    if kinds <= {int, float}:
        numbers = pd.Series([np.nan if value is None else float(value) for value in values])
        whole = bool((numbers % 1 == 0).all()) and bool((numbers.abs() < 2**53).all())
        return Converted(numbers.astype(np.int64) if whole else numbers)
    if kinds <= {dt.datetime, dt.date}:
        return Converted(pd.Series(pd.to_datetime(list(values), errors="coerce")))
    if kinds <= {dt.time, dt.timedelta}:
        return Converted(pd.Series([_hours(value) for value in values]), unit="hours", clock=True)
    words = pd.Series([_word(value) for value in values], dtype="str")
    return from_text(words, text=False, commas=True)


def _hours(value: dt.time | dt.timedelta | None) -> float:
    if value is None:
        return np.nan
    if isinstance(value, dt.timedelta):
        return value.total_seconds() / 3600
    seconds = value.second + value.microsecond / 1e6
    return value.hour + value.minute / 60 + seconds / 3600


def _word(value: Any) -> str | None:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat(*[" "] if isinstance(value, dt.datetime) else [])
    return None if value is None else str(value)
