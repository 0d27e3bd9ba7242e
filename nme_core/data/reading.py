"""Reading tables from files: what they are is recognised, ids stay text, and it is said how."""

from __future__ import annotations

import csv
import os
import re
import warnings
from collections.abc import Iterable
from io import BytesIO

import numpy as np
import pandas as pd

from nme_core.data.formats.encoding import to_utf8
from nme_core.data.formats.result import HowRead, Reading
from nme_core.data.formats.source import open_source
from nme_core.exceptions import DataError

#: Cells that mean "no value". The word None is not among them: it is a plausible state.
MISSING_CODES = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NAN", "NULL", "null", ".")

DELIMITERS = (",", ";", "\t")

#: Rows that are looked at to see whether a file holds numbers only.
_FIRST_ROWS = 200

_DECIMAL_COMMA = r"[+-]?\d+(?:,\d+)?"
_TRUTH = {"true": True, "false": False}


def read_any(
    source: str | os.PathLike[str] | bytes,
    name: str | None = None,
    *,
    sheet: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    text: Iterable[str] = (),
) -> Reading:
    """Read one file with a table, whatever its format; what is not given is recognised.

    A column becomes numeric where every cell that is not missing is a number; in text files that
    are not delimited by commas, ``1,5`` is a number too. Columns of ``true`` and ``false`` become
    boolean. All others are text. Rows without any cell are left out.

    Parameters
    ----------
    source : path or bytes
        The file, or its content.
    name : str, optional
        What messages call it, and what bytes are taken to be by its ending.
    sheet : str, optional
        Sheet of a workbook; default: the first with a table.
    encoding, delimiter, decimal : str, optional
        Of a text file, where they should not be recognised.
    text : iterable of str
        Columns that stay text whatever they look like ("007" stays "007").

    Raises
    ------
    DataError
        The file is missing, empty, too large, not a table, has no rows, repeats a column name, or
        has a row with more cells than the header.
    """
    file = open_source(source, name)
    content, encoding = to_utf8(file, encoding)
    header, delimiter = _read_header(file.name, content, delimiter)
    keep = set(text)
    frame = _read_numbers(content, header, delimiter, keep)
    if frame is None:
        frame = _read_text(file.name, content, header, delimiter, keep, decimal)
    how = HowRead("csv", encoding=encoding, delimiter=delimiter, quote='"', decimal=decimal)
    return Reading(frame, how)


def read_table(path: str | os.PathLike[str], *, text: Iterable[str] = ()) -> pd.DataFrame:
    """The table of a file; see `read_any`, which also says how it was read.

    Parameters
    ----------
    path : path
        The file.
    text : iterable of str
        Columns that stay text whatever they look like ("007" stays "007").

    Returns
    -------
    DataFrame
        Its index is named ``line`` and holds each row's line in the file (the header is line 1).

    Raises
    ------
    DataError
        What `read_any` says.
    """
    return read_any(path, text=text).frame


def _read_text(
    name: str,
    content: bytes,
    header: list[str],
    delimiter: str,
    keep: set[str],
    decimal: str | None,
) -> pd.DataFrame:
    cells = _read_cells(name, content, header, delimiter)
    cells.index = pd.RangeIndex(2, 2 + len(cells), name="line")
    cells = cells.dropna(how="all")
    if cells.empty:
        raise DataError(
            f"{name} has a header but no rows.",
            remedy="Give one row per occasion.",
        )
    comma = decimal == "," or (decimal is None and delimiter != ",")
    columns = {
        column: cells[column] if column in keep else _convert(cells[column], comma=comma)
        for column in header
    }
    return pd.DataFrame(columns, index=cells.index)


def _read_header(path: str, content: bytes, delimiter: str | None) -> tuple[list[str], str]:
    first = re.split(rb"[\r\n]", content, maxsplit=1)[0].decode()
    if not first.strip():
        raise DataError(
            f"The first line of {path} is empty.",
            remedy="The first line has to name the columns.",
        )
    marks = DELIMITERS if delimiter is None else (delimiter,)
    rows = {mark: next(csv.reader([first], delimiter=mark)) for mark in marks}
    delimiter = max(marks, key=lambda candidate: len(rows[candidate]))
    header = [name.strip() for name in rows[delimiter]]
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        unnamed = repeated[0] == ""
        raise DataError(
            f"{path} has several columns without a name."
            if unnamed
            else f"{path} has the column {repeated[0]!r} more than once.",
            remedy="Give every column a name of its own in the first line.",
            column=repeated[0],
        )
    return header, delimiter


def _read_numbers(
    content: bytes, header: list[str], delimiter: str, text: set[str]
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
                    BytesIO(content),
                    sep=delimiter,
                    header=None,
                    names=header,
                    skiprows=1,
                    nrows=n_rows,
                    index_col=False,
                    dtype={name: "str" for name in header if name in text},
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


def _read_cells(path: str, content: bytes, header: list[str], delimiter: str) -> pd.DataFrame:
    too_long = DataError(
        f"{path} has rows with more cells than its header has columns.",
        remedy="Put cells that contain the delimiter in quotation marks.",
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            cells = pd.read_csv(
                BytesIO(content),
                sep=delimiter,
                header=None,
                names=header,
                skiprows=1,
                index_col=False,
                dtype="str",
                keep_default_na=False,
                na_filter=False,
                skip_blank_lines=False,
            )
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
