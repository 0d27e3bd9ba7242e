"""SPSS files (.sav, .zsav): numbers and text, with the labels of variables and values."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat

from nme_core.data.columns import label
from nme_core.data.formats.cells import Converted, from_text
from nme_core.data.formats.collect import Collected
from nme_core.data.formats.columns import assemble, clean_names
from nme_core.data.formats.result import HowRead, Labels, Reading
from nme_core.data.formats.source import Source
from nme_core.data.formats.text import MOST_CELLS
from nme_core.exceptions import DataError

#: SPSS counts seconds from the beginning of the Gregorian calendar.
_EPOCH = np.datetime64("1582-10-14T00:00:00", "s")
_DATES = ("DATE", "ADATE", "EDATE", "SDATE", "JDATE", "DATETIME", "YMDHMS", "MOYR", "QYR", "WKYR")
_DURATIONS = ("TIME", "DTIME", "MTIME")

#: Years that pandas's date-times reach.
_EARLIEST, _LATEST = np.datetime64("1678-01-01", "s"), np.datetime64("2262-01-01", "s")


def read_spss(file: Source, *, text: Iterable[str] = ()) -> Reading:
    """Read an SPSS file; see `nme_core.data.read_any`.

    Cells keep their codes; what the codes mean is in the labels. Values that the file declares as
    missing are missing.

    Raises
    ------
    DataError
        The file is damaged, too large or has no rows.
    """
    try:
        # What is declared as missing is only told where it is kept, hence the file is read twice.
        _, meta = _read(file, metadataonly=True, user_missing=True)
        known = len(meta.column_names) * max(meta.number_rows or 0, 0)
        if known > MOST_CELLS:
            raise DataError(
                f"{file.name} has more than {MOST_CELLS:,} cells.",
                remedy="Leave out variables that are not needed.",
            )
        table, _ = _read(file)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, ValueError, OSError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{file.name} is damaged: it is no SPSS file that can be read.",
            remedy="Open it in SPSS and save it again, or export it as CSV.",
        ) from error
    if table.empty:
        raise DataError(f"{file.name} has no rows.", remedy="Give one row per person and occasion.")
    originals = [str(name) for name in table.columns]
    names, notes = clean_names(file.name, originals)
    keep = set(text)
    collected = Collected()
    for original, name in zip(originals, names, strict=True):
        form = str(meta.original_variable_types.get(original, "")).rstrip("0123456789.")
        converted = _convert(table[original], form, text=name in keep)
        collected.add(name, converted)
    frame = assemble(collected.columns, pd.RangeIndex(1, 1 + len(table), name="row"))
    how = HowRead(
        "sav", compression=file.compression, member=file.member, encoding=meta.file_encoding
    )
    labels = _labels(meta, dict(zip(originals, names, strict=True)), collected.labels)
    if labels.missing:
        declared = ", ".join(repr(name) for name in labels.missing)
        notes.append(f"Values that the file declares as missing are empty: {declared}.")
    return Reading(frame, how, labels, (*notes, *collected.told()))


def _read(file: Source, **options: Any) -> tuple[pd.DataFrame, Any]:
    table, meta = pyreadstat.read_sav(
        io.BytesIO(file.content), disable_datetime_conversion=True, **options
    )
    return table, meta


def _convert(column: pd.Series, form: str, *, text: bool) -> Converted:
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return from_text(column.astype("str"), text=True)
    numbers = column.to_numpy(dtype=np.float64)
    if form in _DATES:
        return Converted(pd.Series(_dates(numbers)))
    if form in _DURATIONS:
        return Converted(pd.Series(numbers / 3600), unit="hours", clock=True)
    if text:
        words = [None if np.isnan(number) else label(number) for number in numbers]
        return Converted(pd.Series(words, dtype="str"))
    whole = bool(((numbers % 1 == 0) & (np.abs(numbers) < 2**53)).all())
    return Converted(pd.Series(numbers.astype(np.int64) if whole else numbers))


def _dates(seconds: np.ndarray) -> np.ndarray:
    """Seconds since SPSS's epoch as date-times to the second; missing where out of reach."""
    known = np.isfinite(seconds) & (np.abs(seconds) < 1e11)
    dates = np.full(len(seconds), np.datetime64("NaT", "s"))
    dates[known] = _EPOCH + np.round(seconds[known]).astype("timedelta64[s]")
    dates[~((dates >= _EARLIEST) & (dates <= _LATEST))] = np.datetime64("NaT", "s")
    return dates


def _labels(meta: Any, names: dict[str, str], found: Labels) -> Labels:
    columns = {
        names[name]: words.strip()
        for name, words in meta.column_names_to_labels.items()
        if words and words.strip() and name in names
    }
    values = {
        names[name]: {label(code): words for code, words in codes.items()}
        for name, codes in meta.variable_value_labels.items()
        if name in names
    }
    missing = {
        names[name]: tuple(_range(entry) for entry in ranges)
        for name, ranges in meta.missing_ranges.items()
        if name in names
    }
    return replace(found, columns=columns, values=values, missing=missing)


def _range(entry: Any) -> str:
    if not isinstance(entry, dict):
        return label(entry)
    low, high = label(entry["lo"]), label(entry["hi"])
    return low if low == high else f"{low} to {high}"
