"""JSON: a list of objects, or one object a line, as apps and watches export them; a row each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from nme_core.study.formats.cells import Converted, from_text
from nme_core.study.formats.collect import Collected
from nme_core.study.formats.columns import assemble, clean_names
from nme_core.study.formats.result import HowRead, Reading
from nme_core.study.formats.source import Source, too_large
from nme_core.study.formats.text import MOST_CELLS

_START = re.compile(rb"\s*(?:\[\s*\{|\{\s*\")")
#: Bytes of a file, since it is held as objects, and parts of a name such as sleep.deep.seconds.
_LARGEST, _DEEPEST = 256 * 1024**2, 6


def is_json(content: bytes) -> bool:
    """Whether these bytes begin as objects of JSON do."""
    return _START.match(content[:2000].removeprefix(b"\xef\xbb\xbf")) is not None


def read_records(file: Source, *, text: Iterable[str] = ()) -> Reading | None:
    """Read a file of JSON; None where it holds something else than objects of one kind.

    What stands in an object within an object is a column of its own, ``sleep.deep``; lists are left
    out.

    Raises
    ------
    DataError
        The file is too large.
    """
    if len(file.content) > _LARGEST:
        raise too_large(file.name, _LARGEST)
    records, of = _records(file.content)
    if not records:
        return None
    rows = [dict(_flat(one, ())) for one in records]
    found = list(dict.fromkeys(name for row in rows for name in row))
    if not found or len(found) * len(rows) > MOST_CELLS:
        return None
    names, notes = clean_names(file.name, found)
    notes += [f"The rows are the objects in {of!r}."] if of else []
    keep, collected, lists = set(text), Collected(), []
    for name, key in zip(names, found, strict=True):
        values = [row.get(key) for row in rows]
        if any(isinstance(value, list | dict) for value in values):
            lists.append(name)
        else:
            collected.add(name, _convert(values, text=name in keep))
    if lists:
        notes.append(f"Columns with lists were left out: {', '.join(map(repr, lists[:10]))}.")
    if not collected.columns:
        return None
    frame = assemble(collected.columns, pd.RangeIndex(1, 1 + len(rows), name="row"))
    how = HowRead("json", compression=file.compression, member=file.member)
    return Reading(frame, how, collected.labels, (*notes, *collected.told()))


def _records(content: bytes) -> tuple[list[dict[str, Any]], str]:
    """The objects of a file, and the key of the list that they stand in."""
    try:
        words = content.decode("utf-8-sig")
        try:
            parsed = json.loads(words)
        except json.JSONDecodeError:
            parsed = [json.loads(line) for line in words.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return [], ""
    key = ""
    if isinstance(parsed, dict):
        lists = [name for name, value in parsed.items() if _are_objects(value)]
        key = lists[0] if len(lists) == 1 else ""
        parsed = parsed[key] if key else []
    return (parsed, key) if _are_objects(parsed) else ([], "")


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _flat(record: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        where = (*path, str(key))
        if isinstance(value, dict) and value and len(where) < _DEEPEST:
            yield from _flat(value, where)
        else:
            yield ".".join(where), None if value == {} else value


def _convert(values: list[Any], *, text: bool) -> Converted:
    known = [value for value in values if value is not None]
    kinds = {type(value) for value in known}
    if not text and kinds == {bool}:
        return Converted(pd.Series(values, dtype="boolean"))
    if not text and kinds and kinds <= {int, float}:
        try:
            numbers = [None if value is None else float(value) for value in values]
        except OverflowError:
            pass
        else:
            if kinds == {int} and len(known) == len(values) and max(map(abs, known)) < 2**53:
                return Converted(pd.Series(values, dtype="int64"))
            return Converted(pd.Series(numbers, dtype="float64"))
    cells = pd.Series([None if value is None else _word(value) for value in values], dtype="str")
    return from_text(cells, text=text)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return str(int(value)) if whole else str(value)
