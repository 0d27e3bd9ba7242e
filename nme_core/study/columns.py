"""Single columns of a table as ids, numbers, labels and times, with errors that say where."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

from nme_core.exceptions import DataError, OptionError
from nme_core.study.clean.labels import written

#: Cells of a table of features from which on it is held in single precision.
LARGE = 20_000_000
#: Numbers above this stay in double precision whatever the size of the table: their squares, too,
#: must be numbers.
LARGEST_SINGLE = 1e15

OutcomeKind = Literal["number", "class"]

#: A whole number that is written with decimals.
_WHOLE = re.compile(r"(\d+)[.,]0+")

#: Different values up to which a number with decimals may be a class.
_MOST_FRACTIONS = 20


def place(index: pd.Index, position: int) -> str:
    """Words for one row: its line in the file it was read from, else its index label."""
    return f"{index.name or 'row'} {index[position]}"


def row_number(index: pd.Index, position: int) -> int:
    """The row's line in its file, else its label where that is a number, else its position."""
    label = index[position]
    return int(label) if isinstance(label, int | np.integer) else position


def is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers (or true/false, which count as 1 and 0)."""
    return bool(is_numeric_dtype(column.dtype) or is_bool_dtype(column.dtype))


def is_text(column: pd.Series) -> bool:
    """Whether a column holds neither numbers nor date-times."""
    return not is_number(column) and not is_datetime64_any_dtype(column.dtype)


def label(value: Any) -> str:
    """A cell as text: whole numbers without decimals, everything else as it is."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def as_labels(column: pd.Series) -> pd.Series:
    """A column as text; missing stays missing."""
    codes, values = pd.factorize(column)
    if isinstance(column.dtype, pd.StringDtype):
        given = list(values.to_numpy(dtype=object))
        if all(text == text.strip() for text in given):
            return column.astype("str")  # nothing to build anew
    texts = np.array([*map(label, values), None], dtype=object)  # code -1 (missing): the last one
    return pd.Series(texts[codes], index=column.index, name=column.name, dtype="str")


def one_form(column: pd.Series) -> pd.Series:
    """Ids as text, each in one form; missing stays missing.

    Spaces, Unicode forms and characters that are not seen are evened out (see `written`), and
    ``1.0`` is ``1`` where the ids are whole numbers. `respelled` says what that changed.
    """
    codes, values = pd.factorize(column)
    texts = _id_texts(values)
    if isinstance(column.dtype, pd.StringDtype) and texts == list(values.to_numpy(dtype=object)):
        return column.astype("str")  # nothing to build anew
    spread = np.array([*texts, None], dtype=object)[codes]  # code -1 (missing): the last one
    return pd.Series(spread, index=column.index, name=column.name, dtype="str")


def as_ids(column: pd.Series, *, role: str, table: str = "") -> pd.Series:
    """Ids as `one_form` gives them; `table` says which table an error is about.

    Raises
    ------
    DataError
        A row has no id.
    """
    ids = one_form(column)
    missing = np.flatnonzero(ids.isna() | (ids == ""))
    if len(missing):
        raise DataError(
            f"{_rows_have(len(missing))} no {role} in column {column.name!r}{table}, "
            f"the first is {place(column.index, missing[0])}.",
            remedy=f"Fill in the {role} or remove these rows.",
            column=str(column.name),
            row=row_number(column.index, missing[0]),
        )
    return ids


def respelled(column: pd.Series) -> dict[str, str]:
    """Ids that `as_ids` changes, as they stand in a column of text: what each becomes."""
    if is_number(column) or is_datetime64_any_dtype(column.dtype):
        return {}
    values = pd.factorize(column)[1]
    pairs = zip(map(str, values), _id_texts(values), strict=True)
    return {raw: text for raw, text in pairs if raw != text}


def _id_texts(values: Iterable[Any]) -> list[str]:
    """The one form of each id."""
    texts = [written(label(value)) for value in values]
    if all(_WHOLE.fullmatch(text) for text in texts if "." in text or "," in text):
        texts = [_WHOLE.sub(r"\1", text) for text in texts]
    return texts


def as_categories(ids: pd.Series) -> pd.Series:
    """Ids as categories in order of appearance, 4 bytes a row; as they are where they are that."""
    if isinstance(ids.dtype, pd.CategoricalDtype):
        return ids
    codes, levels = pd.factorize(ids)
    values = pd.Categorical.from_codes(codes, levels)
    return pd.Series(values, index=ids.index, name=ids.name)


def cells_of(count: int) -> str:
    """A number of cells."""
    return "1 cell" if count == 1 else f"{count:,} cells"


def _rows_have(count: int) -> str:
    return "1 row has" if count == 1 else f"{count:,} rows have"


def as_numbers(column: pd.Series, *, role: str, needed: bool = False) -> npt.NDArray[np.float64]:
    """A numeric column as float64, missing = NaN; of a `needed` one nobody is told to leave it out.

    Raises
    ------
    DataError
        The column is not numeric (names its first offending cell) or holds an infinite value.
    """
    if not is_number(column):
        raise _not_numeric(column, role, needed=needed)
    numbers = (
        column.to_numpy()
        if column.dtype == np.float64
        else column.to_numpy(dtype=np.float64, na_value=np.nan)
    )
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        raise DataError(
            f"The {role} {column.name!r} is infinite in {place(column.index, infinite[0])}.",
            remedy="Correct the value or leave the cell empty.",
            column=str(column.name),
            row=row_number(column.index, infinite[0]),
        )
    return numbers


def in_single_precision(columns: dict[str, npt.NDArray[np.float64]]) -> dict[str, npt.NDArray[Any]]:
    """Columns of a very large table as float32, where that leaves their differences as they are.

    A number is then off by less than 1e-4 of the column's standard deviation.
    """
    if sum(column.size for column in columns.values()) < LARGE:
        return dict(columns)
    return {
        name: column.astype(np.float32) if _may_be_single(column) else column
        for name, column in columns.items()
    }


def _may_be_single(column: npt.NDArray[np.float64]) -> bool:
    present = column[~np.isnan(column)]
    if not len(present):
        return True
    largest = max(present.max(), -present.min())
    return bool(largest <= LARGEST_SINGLE and largest <= 1000 * present.std())


def _not_numeric(column: pd.Series, role: str, *, needed: bool) -> DataError:
    position = _first_text(column)
    value = column.iloc[position]
    return DataError(
        f"The {role} {column.name!r} is not numeric: "
        f"{place(column.index, position)} holds {str(value)!r}.",
        remedy="Correct the cell, or leave it empty if the value is missing."
        + ("" if needed else " Or leave the column out (--exclude)."),
        column=str(column.name),
        row=row_number(column.index, position),
    )


def first_word(column: pd.Series) -> tuple[int, str]:
    """Position and content of the first cell that is neither missing nor a number."""
    position = _first_text(column)
    return position, str(column.iloc[position])


def _first_text(column: pd.Series) -> int:
    """Position of the first cell that is neither missing nor a number (0 where there is none)."""
    numbers = pd.to_numeric(column.astype("object"), errors="coerce")
    offending = np.flatnonzero(column.notna() & pd.isna(numbers))
    return int(offending[0]) if len(offending) else 0


def as_outcome(column: pd.Series, kind: OutcomeKind | None) -> tuple[pd.Series, OutcomeKind]:
    """The outcome as numbers or labels, and which of the two it is.

    Without a given kind, text and categories are classes, a number with exactly two distinct
    values is a class, and any other number is a number.

    Raises
    ------
    OptionError
        The kind does not exist.
    DataError
        The outcome is constant, missing everywhere, infinite, or text that mostly looks like
        numbers.
    """
    if kind not in (None, "number", "class"):
        raise OptionError(
            f"No kind of outcome is called {kind!r}.", remedy='Choose "number" or "class".'
        )
    if isinstance(column.dtype, pd.CategoricalDtype):
        kind = kind or "class"
        column = column.astype(column.cat.categories.dtype)
    distinct = int(column.nunique())
    if distinct < 2:
        state = "missing in every row" if distinct == 0 else f"constant ({column.dropna().iloc[0]})"
        raise DataError(
            f"The outcome {column.name!r} is {state}: there is nothing to predict.",
            remedy="Name another outcome column.",
            column=str(column.name),
        )
    numeric = is_number(column)
    if kind is None and not numeric:
        _refuse_broken_numbers(column)
    if kind is None:
        truth = is_bool_dtype(column.dtype)
        kind = "number" if numeric and not truth and distinct > 2 else "class"
    if numeric:
        numbers = as_numbers(column, role="outcome", needed=True)
        if kind == "number":
            return pd.Series(numbers, index=column.index, name=column.name), kind
        if distinct > _MOST_FRACTIONS and np.any(numbers % 1 > 0):
            raise DataError(
                f"The outcome {column.name!r} is a number ({distinct} different values, such as "
                f"{numbers[np.isfinite(numbers)][0]:g}), not a class or a state.",
                remedy="Take a model of numbers (nme-mlp, --outcome-kind number), or name a column "
                "with classes or states.",
                column=str(column.name),
            )
    elif kind == "number":
        raise _not_numeric(column, "outcome", needed=True)
    return as_labels(column), kind


def _refuse_broken_numbers(column: pd.Series) -> None:
    values = column.dropna().astype("str").drop_duplicates().str.replace(",", ".")
    if pd.to_numeric(values, errors="coerce").notna().mean() <= 0.5:
        return
    error = _not_numeric(column, "outcome", needed=True)
    raise DataError(
        f"Most values of the outcome {column.name!r} are numbers, but "
        f"{place(column.index, _first_text(column))} holds "
        f"{str(column.iloc[_first_text(column)])!r}.",
        remedy='Correct the cell, or say that the outcome is a class (outcome kind "class").',
        column=error.column,
        row=error.row,
    )
