"""Files of SPSS, Stata and SAS: numbers and text, with the labels of variables and values."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat

from nme_core.exceptions import DataError
from nme_core.study.columns import label
from nme_core.study.formats.cells import Converted, from_text
from nme_core.study.formats.collect import Collected
from nme_core.study.formats.columns import assemble, clean_names
from nme_core.study.formats.result import HowRead, Labels, Reading
from nme_core.study.formats.source import Source
from nme_core.study.formats.text import MOST_CELLS

#: SPSS counts seconds from the beginning of the Gregorian calendar; Stata and SAS from 1960.
_GREGORIAN = np.datetime64("1582-10-14T00:00:00", "s")
_1960 = np.datetime64("1960-01-01T00:00:00", "s")
_DAY = 86_400.0

_MOMENTS = ("DATETIME", "YMDHMS", "DATEAMPM", "MDYAMPM", "E8601DT", "B8601DT", "IS8601DT")
_DAYS = (
    *("DATE", "ADATE", "EDATE", "SDATE", "JDATE", "MOYR", "QYR", "WKYR", "DDMMYY", "MMDDYY"),
    *("YYMMDD", "DDMMYYP", "MMDDYYS", "YYMMDDD", "YYMMDDN", "E8601DA", "B8601DA", "WEEKDATE"),
    *("WORDDATE", "MONYY", "JULIAN", "EURDFDD", "EURDFDE", "DEUTSCH", "NLDATE"),
)
_CLOCKS = ("TIME", "DTIME", "MTIME", "HHMM", "TOD", "E8601TM", "TIMEAMPM")

_DAMAGE = (ValueError, OSError, OverflowError, TypeError, KeyError, IndexError, MemoryError)

#: Years that pandas's date-times reach.
_EARLIEST, _LATEST = np.datetime64("1678-01-01", "s"), np.datetime64("2262-01-01", "s")


_SPSS = dict.fromkeys((*_MOMENTS, *_DAYS), (_GREGORIAN, 1.0))
_SAS = dict.fromkeys(_MOMENTS, (_1960, 1.0)) | dict.fromkeys(_DAYS, (_1960, _DAY))
_STATA = {"tc": (_1960, 0.001), "tC": (_1960, 0.001), "td": (_1960, _DAY), "d": (_1960, _DAY)}


@dataclass(frozen=True)
class _Kind:
    """Files of a program: how they are read, from when on and in which seconds dates count."""

    program: str
    read: Callable[..., tuple[pd.DataFrame, Any]]
    dates: Mapping[str, tuple[np.datetime64, float]]
    declares_missing: bool = True


_KINDS = {
    "sav": _Kind("SPSS", pyreadstat.read_sav, _SPSS),
    "por": _Kind("SPSS", pyreadstat.read_por, _SPSS, declares_missing=False),
    "dta": _Kind("Stata", pyreadstat.read_dta, _STATA),
    "sas7bdat": _Kind("SAS", pyreadstat.read_sas7bdat, _SAS),
    "xpt": _Kind("SAS", pyreadstat.read_xport, _SAS, declares_missing=False),
}


def read_statistics(file: Source, kind: str, *, text: Iterable[str] = ()) -> Reading:
    """Read a file of SPSS, Stata or SAS; see `nme_core.study.read_any`.

    Cells keep their codes; what the codes mean is in the labels. Values that the file declares as
    missing are missing.

    Raises
    ------
    DataError
        The file is damaged, too large or has no rows.
    """
    known = _KINDS[kind]
    try:
        _survive(file, known)
        table, meta = _read(file, known)
    except (*_DAMAGE, pyreadstat.ReadstatError, pyreadstat.PyreadstatError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{file.name} is damaged: it is no {known.program} file that can be read.",
            remedy=f"Open it in {known.program} and save it again, or export it as CSV.",
        ) from error
    if table.empty:
        raise DataError(f"{file.name} has no rows.", remedy="Give one row per person and occasion.")
    originals = [str(name) for name in table.columns]
    names, notes = clean_names(file.name, originals)
    keep = set(text)
    collected = Collected()
    for original, name in zip(originals, names, strict=True):
        form = str(meta.original_variable_types.get(original) or "")
        converted = _convert(table[original], form, known, text=name in keep)
        collected.add(name, converted)
    frame = assemble(collected.columns, pd.RangeIndex(1, 1 + len(table), name="row"))
    how = HowRead(
        kind, compression=file.compression, member=file.member, encoding=meta.file_encoding
    )
    labels = _labels(meta, dict(zip(originals, names, strict=True)), collected.labels)
    if labels.missing:
        declared = ", ".join(repr(name) for name in labels.missing)
        notes.append(f"Values that the file declares as missing are empty: {declared}.")
    return Reading(frame, how, labels, (*notes, *collected.told()))


#: Reads a file as `_read` does, in a process that it may kill; what is raised is raised there too.
_TRIAL = """
import io, sys, pyreadstat
content, read = sys.stdin.buffer.read(), getattr(pyreadstat, sys.argv[1])
try:
    read(io.BytesIO(content), metadataonly=True)
    read(io.BytesIO(content), row_limit=int(sys.argv[2]), disable_datetime_conversion=True)
except Exception:
    pass
"""
_TRIAL_S = 120


def _survive(file: Source, kind: _Kind) -> None:
    """Raise ValueError for a file that makes the reader crash or never end; that costs .5 s.

    The library is written in C and some damaged files end its process, which would be the app's.
    """
    words = [sys.executable, "-c", _TRIAL, kind.read.__name__, str(MOST_CELLS)]
    try:
        subprocess.run(words, input=file.content, capture_output=True, check=True, timeout=_TRIAL_S)
    except subprocess.SubprocessError as error:
        raise ValueError("the reader does not come to an end") from error


def _read(file: Source, kind: _Kind) -> tuple[pd.DataFrame, Any]:
    """The table, and what the file says of it."""
    given = {"disable_datetime_conversion": True}
    # What is declared as missing is only told where it is kept, hence the file is read twice.
    kept = {"user_missing": True} if kind.declares_missing else {}
    _, meta = kind.read(io.BytesIO(file.content), metadataonly=True, **given, **kept)
    width = max(len(meta.column_names), 1)
    table, _ = kind.read(io.BytesIO(file.content), row_limit=MOST_CELLS // width + 1, **given)
    if len(table) * width > MOST_CELLS:
        raise DataError(
            f"{file.name} has more than {MOST_CELLS:,} cells.",
            remedy="Leave out variables that are not needed.",
        )
    return table, meta


def _convert(column: pd.Series, form: str, kind: _Kind, *, text: bool) -> Converted:
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return from_text(column.astype("str"), text=True)
    numbers = column.to_numpy(dtype=np.float64)
    if kind.dates is _STATA:
        form = next((part for part in _STATA if form.lstrip("%-").startswith(part)), "")
    else:
        form = re.sub(r"[\d.]+$", "", form.upper())
    if form in kind.dates:
        return Converted(pd.Series(_dates(numbers, *kind.dates[form])))
    if form in _CLOCKS:
        return Converted(pd.Series(numbers / 3600), unit="hours", clock=True)
    if text:
        words = [None if np.isnan(number) else label(number) for number in numbers]
        return Converted(pd.Series(words, dtype="str"))
    whole = bool(((numbers % 1 == 0) & (np.abs(numbers) < 2**53)).all())
    return Converted(pd.Series(numbers.astype(np.int64) if whole else numbers))


def _dates(numbers: np.ndarray, epoch: np.datetime64, unit: float) -> np.ndarray:
    """Units of seconds since an epoch as date-times to the second; missing where out of reach."""
    seconds = numbers * unit
    known = np.isfinite(seconds) & (np.abs(seconds) < 1e11)
    dates = np.full(len(seconds), np.datetime64("NaT", "s"))
    dates[known] = epoch + np.round(seconds[known]).astype("timedelta64[s]")
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
    for name, codes in meta.missing_user_values.items():
        if name in names and codes:
            missing[names[name]] = tuple(f".{code}" for code in codes)
    return replace(found, columns=columns, values=values, missing=missing)


def _range(entry: Any) -> str:
    if not isinstance(entry, dict):
        return label(entry)
    low, high = label(entry["lo"]), label(entry["hi"])
    return low if low == high else f"{low} to {high}"
