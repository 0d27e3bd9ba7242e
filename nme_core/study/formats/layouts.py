"""Layouts that need no mapping: known exports, m-Path's, and openESM's tables with metadata."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nme_core.exceptions import DataError
from nme_core.study.columns import is_number
from nme_core.study.formats.events import boris, elan
from nme_core.study.formats.exports import actigraphy, daylio, qualtrics, redcap
from nme_core.study.formats.result import Labels, Reading
from nme_core.study.formats.source import Source

_MPATH = frozenset({"connectionId", "questionListName", "timeStampSent"})
_STAMPS = (
    *("timeStampScheduled", "timeStampSent", "timeStampStart", "timeStampStop"),
    "originalTimeStampSent",
)
_TAG = re.compile(r"<[^<>]*>")
_VALUE = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*=\s*(.+?)\s*")
_LARGEST = 20 * 1024**2

#: Endings of a table's name, and those of the file beside it that explains its columns.
_BESIDE = (("_ts.tsv", "_metadata.json"), ("_basic.csv", "_meta.csv"))


def is_mpath(names: Iterable[str]) -> bool:
    """Whether these are the columns of an export of m-Path."""
    return set(names) >= _MPATH


def find_metadata(source: str | os.PathLike[str] | bytes) -> Path | None:
    """The file beside a table that explains its columns, by openESM's and m-Path's names."""
    if isinstance(source, bytes):
        return None
    path = Path(source)
    for ending, other in _BESIDE:
        if path.name.endswith(ending):
            beside = path.with_name(path.name.removesuffix(ending) + other)
            return beside if beside.is_file() else None
    return None


def apply_layout(reading: Reading, metadata: Source | None) -> Reading:
    """A reading with what its layout tells: roles, labels, answers as plain words.

    Raises
    ------
    DataError
        The metadata are neither m-Path's table of questions nor openESM's JSON.
    """
    mpath = is_mpath(map(str, reading.frame.columns))
    if mpath:
        reading = _mpath(reading)
    elif metadata is None and reading.frame.columns.is_unique:
        known = (layout(reading) for layout in (boris, elan, qualtrics, redcap, daylio, actigraphy))
        reading = next((one for one in known if one is not None), reading)
    if metadata is None:
        return reading
    if len(metadata.content) > _LARGEST:
        raise _no_metadata(metadata)
    features = _features(metadata)
    if features is not None:
        return _openesm(reading, features, metadata)
    return replace(reading, labels=_questions(reading, metadata))


def _mpath(reading: Reading) -> Reading:
    """Answers that m-Path writes as JSON become plain words; a time stamp of 0 is none."""
    frame = reading.frame.copy(deep=False)
    for name in frame.columns:
        if not is_number(frame[name]):
            frame[name] = _plain(frame[name])
    for name in _STAMPS:
        if name in frame.columns and is_number(frame[name]):
            frame[name] = frame[name].mask(frame[name] == 0)
    note = "The columns are those of m-Path; its time stamps are seconds, 0 among them is missing."
    return replace(
        reading,
        frame=frame,
        layout="m-Path",
        roles={"person": "connectionId", "time": "timeStampSent"},
        notes=(*reading.notes, note),
    )


def _plain(column: pd.Series) -> pd.Series:
    codes, distinct = pd.factorize(column)
    words = np.array([*(_answer(str(cell)) for cell in distinct), None], dtype=object)
    return pd.Series(words[codes], index=column.index, name=column.name, dtype="str")


def _answer(cell: str) -> str | None:
    """One answer or several, ``"Home"`` or ``"Home","Work"``, without their quotation marks."""
    if not (len(cell) > 1 and cell[0] == cell[-1] == '"'):
        return cell
    try:
        answers = json.loads(f"[{cell}]")
    except (ValueError, RecursionError):
        return cell
    return ", ".join(str(answer).strip() for answer in answers) or None


def _features(metadata: Source) -> list[dict[str, Any]] | None:
    """Entries of openESM's metadata; None where the file is no JSON."""
    if not metadata.content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return None
    try:
        content = json.loads(metadata.content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _no_metadata(metadata) from error
    features = content.get("features")
    if not isinstance(features, list):
        raise _no_metadata(metadata)
    return [entry for entry in features if isinstance(entry, dict) and _word(entry, "name")]


def _openesm(reading: Reading, features: Sequence[dict[str, Any]], metadata: Source) -> Reading:
    known = {_word(entry, "name"): entry for entry in features}
    names = [str(name) for name in reading.frame.columns]
    if not set(names) & set(known):
        raise DataError(
            f"{metadata.name} explains none of the columns of the table.",
            remedy="Give the metadata that belong to this table.",
        )
    labels, roles = reading.labels, {}
    columns, values = dict(labels.columns), dict(labels.values)
    for name in (name for name in names if name in known):
        entry = known[name]
        words = _word(entry, "details") or _word(entry, "description")
        if words:
            columns[name] = words
        meanings = _meanings(_word(entry, "labels") or _word(entry, "coding"))
        if meanings:
            values[name] = meanings
    if "id" in names:
        roles["person"] = "id"
    stamps = [n for n in names if _word(known.get(n, {}), "variable_type").lower() == "posixct"]
    time = next((name for name in (*stamps, "counter") if name in names), None)
    if time is not None:
        roles["time"] = time
    return replace(
        reading,
        labels=replace(labels, columns=columns, values=values),
        layout="openESM",
        roles=roles,
        notes=(*reading.notes, f"Columns are explained by {metadata.name} (openESM)."),
    )


def _word(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return " ".join(value.split(" ")).strip() if isinstance(value, str) else ""


def _meanings(text: str) -> dict[str, str]:
    """``1 = Not at all`` and so on, one a line."""
    matches = (_VALUE.fullmatch(line) for line in text.splitlines())
    return {match[1]: match[2] for match in matches if match}


def _questions(reading: Reading, metadata: Source) -> Labels:
    """Labels from m-Path's table of questions, without its markup."""
    from nme_core.study.formats.text import read_text

    name = metadata.name
    table = read_text(metadata, text=["columnName", "fullQuestion"]).frame
    if not {"columnName", "fullQuestion"} <= set(table.columns):
        raise _no_metadata(Source(name, b""))
    known = set(map(str, reading.frame.columns))
    columns = dict(reading.labels.columns)
    for column, question in zip(table["columnName"], table["fullQuestion"], strict=True):
        if column in known and isinstance(question, str):
            words = " ".join(html.unescape(_TAG.sub(" ", question)).split())
            columns[str(column)] = words or str(column)
    return replace(reading.labels, columns=columns)


def _no_metadata(metadata: Source) -> DataError:
    return DataError(
        f"{metadata.name} does not explain columns.",
        remedy="Give openESM's JSON file of metadata, or m-Path's file of questions (_meta.csv).",
    )
