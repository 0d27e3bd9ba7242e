"""Reading tables from CSV files: delimiter, decimal comma, missing codes, ids that stay text."""

from __future__ import annotations

import csv
import os
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from nme_core.exceptions import DataError

#: Cells that mean "no value". The word None is not among them: it is a plausible state.
MISSING_CODES = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NAN", "NULL", "null", ".")

DELIMITERS = (",", ";", "\t")

#: Rows that are looked at to see whether a file holds numbers only.
_FIRST_ROWS = 200

_DECIMAL_COMMA = r"[+-]?\d+(?:,\d+)?"
_TRUTH = {"true": True, "false": False}


def read_table(path: str | os.PathLike[str], *, text: Iterable[str] = ()) -> pd.DataFrame:
    """Read one CSV file (UTF-8, with or without BOM; comma, semicolon or tab).

    A column becomes numeric where every cell that is not missing is a number; in files that are
    not delimited by commas, ``1,5`` is a number too. Columns of ``true`` and ``false`` become
    boolean. All others are text. Rows without any cell are left out.

    Parameters
    ----------
    path : path
        The file; its first line names the columns.
    text : iterable of str
        Columns that stay text whatever they look like ("007" stays "007").

    Returns
    -------
    DataFrame
        Its index is named ``line`` and holds each row's line in the file (the header is line 1).

    Raises
    ------
    DataError
        The file is missing, empty, not UTF-8, has no rows, repeats a column name, or has a row
        with more cells than the header.
    """
    path = Path(path)
    header, delimiter = _read_header(path)
    keep = set(text)
    numbers = _read_numbers(path, header, delimiter, keep)
    if numbers is not None:
        return numbers
    cells = _read_cells(path, header, delimiter)
    cells.index = pd.RangeIndex(2, 2 + len(cells), name="line")
    cells = cells.dropna(how="all")
    if cells.empty:
        raise DataError(
            f"{path.name} has a header but no rows.",
            remedy="Give one row per occasion.",
        )
    columns = {
        name: cells[name] if name in keep else _convert(cells[name], comma=delimiter != ",")
        for name in header
    }
    return pd.DataFrame(columns, index=cells.index)


def _read_header(path: Path) -> tuple[list[str], str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
    except FileNotFoundError:
        raise DataError(f"There is no file {path}.", remedy="Check the path.") from None
    except UnicodeDecodeError as error:
        raise _not_utf8(path) from error
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}).", remedy="Give a CSV file."
        ) from error
    if not first.strip():
        raise DataError(
            f"{path.name} is empty." if not first else f"The first line of {path.name} is empty.",
            remedy="The first line has to name the columns.",
        )
    rows = {delimiter: next(csv.reader([first], delimiter=delimiter)) for delimiter in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda candidate: len(rows[candidate]))
    header = [name.strip() for name in rows[delimiter]]
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        unnamed = repeated[0] == ""
        raise DataError(
            f"{path.name} has several columns without a name."
            if unnamed
            else f"{path.name} has the column {repeated[0]!r} more than once.",
            remedy="Give every column a name of its own in the first line.",
            column=repeated[0],
        )
    return header, delimiter


def _read_numbers(
    path: Path, header: list[str], delimiter: str, text: set[str]
) -> pd.DataFrame | None:
    """Read a file whose columns are numbers, but for `text`: several times faster and smaller.

    None where any column is something else, or anything about the file is out of the ordinary: it
    is then read cell by cell, which tells what.
    """
    for n_rows in (_FIRST_ROWS, None):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                table = pd.read_csv(
                    path,
                    sep=delimiter,
                    header=None,
                    names=header,
                    skiprows=1,
                    nrows=n_rows,
                    index_col=False,
                    dtype={name: "str" for name in header if name in text},
                    encoding="utf-8-sig",
                    keep_default_na=False,
                    na_values=list(MISSING_CODES),
                    skip_blank_lines=False,
                )
        except (ValueError, Warning):
            return None
        numeric = table.drop(columns=[name for name in header if name in text]).dtypes
        if table.empty or not all(dtype.kind in "iuf" for dtype in numeric):
            return None
    for name in text & set(header):
        table[name] = table[name].str.strip()
    if table.isna().all(axis=1).any():
        return None
    table.index = pd.RangeIndex(2, 2 + len(table), name="line")
    return table


def _read_cells(path: Path, header: list[str], delimiter: str) -> pd.DataFrame:
    too_long = DataError(
        f"{path.name} has rows with more cells than its header has columns.",
        remedy="Put cells that contain the delimiter in quotation marks.",
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            cells = pd.read_csv(
                path,
                sep=delimiter,
                header=None,
                names=header,
                skiprows=1,
                index_col=False,
                dtype="str",
                encoding="utf-8-sig",
                keep_default_na=False,
                na_filter=False,
                skip_blank_lines=False,
            )
    except UnicodeDecodeError as error:
        raise _not_utf8(path) from error
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=header, dtype="str")
    except pd.errors.ParserWarning as warning:
        raise too_long from warning
    except pd.errors.ParserError as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise DataError(f"{too_long.message} ({reason})", remedy=too_long.remedy) from error
    stripped: pd.DataFrame = cells.apply(lambda column: column.str.strip())
    return stripped.mask(stripped.isin(MISSING_CODES))


def _convert(column: pd.Series, *, comma: bool) -> pd.Series:
    present = column.dropna()
    numbers = pd.to_numeric(present, errors="coerce")
    if numbers.notna().all():
        return numbers.reindex(column.index)
    if comma and present.str.fullmatch(_DECIMAL_COMMA).all():
        return pd.to_numeric(column.str.replace(",", "."))
    if present.str.lower().isin(list(_TRUTH)).all():
        truth = np.array([_TRUTH.get(str(cell).lower()) for cell in column], dtype=object)
        return pd.Series(truth, index=column.index, dtype="boolean")
    return column


def _not_utf8(path: Path) -> DataError:
    return DataError(
        f"{path.name} is not a UTF-8 text file.",
        remedy='Save it as "CSV UTF-8" (in Excel: Save as, CSV UTF-8).',
    )
