"""``verdict.json``: the answer of a research tool in a sentence, and the numbers that it rests on.

A tool that writes into the folder of a run replaces its own verdict alone: what other tools found
of the run stays under ``earlier``, by the tool's name.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nme_core.exceptions import RunFolderError
from nme_core.io import RunFolder, durable

NAME = "verdict"
_EARLIER = "earlier"


@dataclass(frozen=True)
class Verdict:
    """What a tool found.

    Attributes
    ----------
    tool : str
        Name of its command, such as ``covariance``.
    answer : str
        In words, to be read on its own.
    numbers : mapping
        What the answer rests on: numbers, text, lists, and tables (as lists of rows).
    notes : tuple of str
        What has to be known beside it.
    """

    tool: str
    answer: str
    numbers: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    def content(self) -> dict[str, Any]:
        """Content of ``verdict.json``: what is missing or infinite is null."""
        return {
            "tool": self.tool,
            "answer": self.answer,
            "numbers": _plain(self.numbers),
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """The answer and the notes, to be read on a terminal."""
        return [self.answer, *self.notes]

    def write(self, folder: Path) -> None:
        """Write ``verdict.json`` into a folder, of a run or of results."""
        path = folder / f"{NAME}.json"
        earlier = _all(path)
        earlier.pop(self.tool, None)
        content = self.content() | ({_EARLIER: earlier} if earlier else {})
        if (folder / "config.json").is_file():
            RunFolder(folder).write_json(NAME, content)
            return
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        durable.write(path, f"{text}\n".encode(), private=False)


def verdicts_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Every verdict of a folder by its tool, the latest first; none where there is no file.

    Raises
    ------
    RunFolderError
        Where the file is damaged.
    """
    path = folder / f"{NAME}.json"
    try:
        return _all(path)
    except (OSError, ValueError) as error:
        raise RunFolderError(
            f"{path} cannot be read ({error}).", remedy="Run the research tool again."
        ) from error


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write tables as CSV into a folder of results, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        content = table.to_csv(index=False, lineterminator="\n").encode()
        durable.write(folder / f"{name}.csv", content, private=False)


def _all(path: Path) -> dict[str, dict[str, Any]]:
    if not path.is_file():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or "answer" not in content:
        raise ValueError("it holds no answer")
    earlier = content.pop(_EARLIER, {})
    return {str(content.get("tool", "")): content, **earlier}


def _plain(value: Any) -> Any:
    """Numbers of numpy and tables as JSON has them."""
    if isinstance(value, pd.DataFrame):
        return [_plain(row) for row in value.to_dict("records")]
    if isinstance(value, pd.Series):
        return _plain(value.to_dict())
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if hasattr(value, "tolist"):  # of numpy
        return _plain(value.tolist())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return None if pd.isna(value) else str(value)
