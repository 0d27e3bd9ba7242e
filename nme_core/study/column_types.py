"""What a column holds: number, ordinal, category, state, date-time, duration or text."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype

from nme_core.study.clean.personal import holds_dates, is_free_text
from nme_core.study.columns import is_number

ColumnType = Literal["number", "ordinal", "category", "state", "date-time", "duration", "text"]
COLUMN_TYPES: tuple[ColumnType, ...] = (
    "number", "ordinal", "category", "state", "date-time", "duration", "text",
)  # fmt: skip

#: An ordinal column holds so many different whole numbers, at most so far apart.
ORDINAL_VALUES = (3, 11)

#: A text column is a feature with slips where this share of its cells are numbers.
MOSTLY_NUMBERS = 0.5

_DURATION = re.compile(
    r"(^|[_\W])(duration|dauer|latency|minutes?|hours?|seconds?|min|hrs?|sec|ms)($|[_\W\d])", re.I
)


def column_type(column: pd.Series, *, unit: str | None = None) -> ColumnType:
    """What a column holds, by its values and, for durations, its name or unit."""
    if is_datetime64_any_dtype(column.dtype):
        return "date-time"
    if not is_number(column):
        if holds_dates(column):
            return "date-time"
        return "text" if is_free_text(column) else "category"
    if is_bool_dtype(column.dtype):
        return "category"
    if unit is not None or _DURATION.search(str(column.name)):
        return "duration"
    values = column.dropna().unique().astype(np.float64)
    low, high = ORDINAL_VALUES
    whole = bool(np.all(values == np.round(values)))
    if whole and len(values) == 2:
        return "category"
    if whole and low <= len(values) <= high and values.max() - values.min() < high:
        return "ordinal"
    return "number"


def is_numbers(column: pd.Series) -> bool:
    """Whether a column holds numbers, or text that is mostly numbers."""
    if is_number(column):
        return True
    present = column.dropna()
    if present.empty or is_datetime64_any_dtype(column.dtype):
        return False
    numbers = pd.to_numeric(present.astype("str"), errors="coerce")
    return bool(numbers.notna().mean() > MOSTLY_NUMBERS)
