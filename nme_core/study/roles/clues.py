"""What the values of a column tell about its role: whether they repeat, vary, rise or are dates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_datetime64_any_dtype, is_float_dtype

from nme_core.study.columns import is_number
from nme_core.study.roles.role_names import is_calendar_word

#: Distinct cells of a column that are looked at.
_LOOKED_AT = 500

#: In fewer rows columns may be alike by chance.
_ROWS_OF_COPY = 8


def may_tell_persons(column: pd.Series) -> bool:
    """Whether a column repeats as ids do: no fractions, no dates, no words of a calendar."""
    n_present, n_values = column.count(), column.nunique()
    if n_present < 0.8 * len(column) or n_values < 2 or n_values > 0.7 * n_present:
        return False
    present = column.dropna()
    if is_datetime64_any_dtype(column.dtype):
        return False
    if is_number(column):
        return bool((present % 1 == 0).all()) and not str(column.dtype).startswith("bool")
    cells = present.drop_duplicates().head(_LOOKED_AT).astype("str")
    if cells.map(is_calendar_word).mean() > 0.5:
        return False
    return bool(cells.str.contains(r"\w").mean() > 0.5)  # a smiley is no id


def in_blocks(column: pd.Series) -> bool:
    """Whether equal values all stand together, in three blocks or more of three rows or more."""
    if column.isna().any():
        return False
    n_values = column.nunique()
    n_blocks = int((column != column.shift()).sum())
    return 3 <= n_values == n_blocks and n_values <= len(column) / 3


def looks_like_codes(column: pd.Series) -> bool:
    """Whether a text column holds codes, such as P01 or XK-7."""
    if is_number(column) or column.isna().any():
        return False
    cells = column.drop_duplicates().head(_LOOKED_AT).astype("str")
    return len(cells) >= 3 and bool(cells.str.fullmatch(r"\w*\d+\w*([-_. ]\w+)*").mean() > 0.8)


def rises(long: pd.DataFrame, person: str, name: str) -> bool:
    """Whether a column of numbers rises from row to row within every person."""
    if not is_number(long[name]) or long[name].isna().any():
        return False
    steps = long[name].astype("float64").groupby(long[person], sort=False).diff().dropna()
    return len(steps) > 0 and bool((steps > 0).all())


def has_clock(times: pd.Series) -> bool:
    """Whether date-times tell the time of day, too."""
    return is_datetime64_any_dtype(times.dtype) and bool((times != times.dt.normalize()).any())


def tells_rows_apart(long: pd.DataFrame, columns: Sequence[str]) -> bool:
    """Whether no two rows are alike in these columns."""
    return not long[list(columns)].dropna().duplicated().any()


def rows_per(long: pd.DataFrame, columns: Sequence[str]) -> float:
    """Mean number of rows that are alike in these columns."""
    rows = long[list(columns)].dropna()
    return len(rows) / max(1, len(rows.drop_duplicates()))


def numbers_the_rows(column: pd.Series) -> bool:
    """Whether a column counts the rows of the table."""
    if not is_number(column) or column.isna().any() or len(column) < 3:
        return False
    numbers = column.to_numpy(dtype=np.float64)
    return bool((numbers == numbers[0] + np.arange(len(numbers))).all())


def lies_within(long: pd.DataFrame, inner: str, outer: str) -> bool:
    """Whether every value of `inner` goes with one value of `outer`."""
    return bool((long.groupby(inner, sort=False)[outer].nunique() <= 1).all())


def fingerprint(column: pd.Series, *, labels: bool = False) -> bytes:
    """The same bytes for columns that are copies of each other, in whatever unit or direction.

    Text, and with `labels` numbers too, is the same where one stands for the other one to one.
    """
    if labels or not is_number(column):
        codes, values = pd.factorize(column)
        kind = b"labels" if len(values) < len(column) / 2 else str(column.name).encode()
        return kind + bytes(codes.astype(np.int32).tobytes())
    numbers: NDArray[np.float64] = np.asarray(column.astype("float64"))
    known = numbers[np.isfinite(numbers)]
    if len(known) < _ROWS_OF_COPY or not known.std() > 0:
        return str(column.name).encode()
    scaled = (numbers - known.mean()) / known.std()
    far = scaled[np.abs(scaled) > 1e-3]
    return bytes((np.round(scaled * np.sign(far[0]), 5) + 0.0).astype(np.float32).tobytes())


def counts_within(long: pd.DataFrame, person: str | None, name: str) -> bool:
    """Whether a column counts the rows of each person: 1, 2, 3, and so on."""
    if person is None or not is_whole(long[name]) or long[name].isna().any():
        return False
    steps = long[name].astype("float64").groupby(long[person], sort=False).diff().dropna()
    return len(steps) > 0 and bool((steps == 1).all())


def is_whole(column: pd.Series) -> bool:
    """Whether a column of numbers has no fractions."""
    if not is_number(column):
        return False
    return not is_float_dtype(column.dtype) or bool((column.dropna() % 1 == 0).all())
