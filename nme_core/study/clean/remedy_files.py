"""Remedies as JSON: a list of objects with kind, columns, values and to."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nme_core.exceptions import DataError
from nme_core.study.clean.remedies import Remedy


def read_remedies(path: str | os.PathLike[str]) -> tuple[Remedy, ...]:
    """Read remedies from a JSON file, or from JSON itself: a list of objects as `Remedy` has them.

    Raises
    ------
    DataError
        The file is missing or does not hold such a list.
    OptionError
        A remedy does not exist or lacks an entry.
    """
    inline = str(path).lstrip().startswith("[")
    try:
        content = json.loads(str(path) if inline else Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"The file {path} was not found.", remedy="Check the path.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            "The remedies are no JSON." if inline else f"{Path(path).name} is not a JSON file.",
            remedy="Give a list of remedies.",
        ) from error
    return as_remedies(content)


def as_remedies(content: Any) -> tuple[Remedy, ...]:
    """Remedies from what JSON holds; DataError where it is something else."""
    if not isinstance(content, list) or not all(_is_record(entry) for entry in content):
        raise DataError(
            "These are not remedies.",
            remedy='Give a list of objects such as {"kind": "set_missing", "columns": ["mood"], '
            '"values": ["-99"]}.',
        )
    return tuple(
        Remedy(
            entry["kind"],
            tuple(entry["columns"]),
            tuple(entry.get("values", ())),
            entry.get("to"),
        )
        for entry in content
    )


def as_records(remedies: Sequence[Remedy]) -> list[dict[str, Any]]:
    """Remedies as JSON can hold them; `as_remedies` reads them back."""
    return [
        {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(remedy).items()
        }
        for remedy in remedies
    ]


def as_json(remedy: Remedy) -> str:
    """One remedy as a line of the JSON file that `read_remedies` reads."""
    return json.dumps(
        {name: value for name, value in as_records([remedy])[0].items() if value},
        ensure_ascii=False,
    )


def _is_record(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and set(entry) <= {"kind", "columns", "values", "to"}
        and isinstance(entry.get("kind"), str)
        and _is_texts(entry.get("columns"))
        and _is_texts(entry.get("values", []))
        and isinstance(entry.get("to"), str | None)
    )


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)
