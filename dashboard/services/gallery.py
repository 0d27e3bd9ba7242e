"""Figures that were pinned: each as it was, in the order and with the captions the user gave.

They lie in the folder ``gallery`` of their study, or of their run where the study is gone: a file
for each figure, which never changes, and ``index.json`` with order and captions.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.services.home import folder
from nme_core.exceptions import DataError
from nme_core.io import RunFolder

#: Most bytes of one figure's numbers.
LARGEST = 20 * 2**20
LONGEST_CAPTION = 2_000
_INDEX = "index"


@dataclass(frozen=True)
class Pin:
    """A pinned figure: its function of `nme_core.figures`, with arguments as JSON."""

    id: str
    name: str
    title: str
    sentence: str
    caption: str
    arguments: Any


def place(study: str | None, run: str | None) -> Path | None:
    """Folder of the gallery for what is in view; None where that is nothing."""
    found = folder("studies", study or "") or folder("runs", run or "")
    return None if found is None else found / "gallery"


def pins(where: Path) -> list[Pin]:
    """Every pinned figure, in order."""
    found = []
    for entry in _index(where):
        content = _read(where, entry["id"])
        found.append(Pin(**{**content, "id": entry["id"], "caption": entry["caption"]}))
    return found


def add(where: Path, name: str, title: str, sentence: str, arguments: Any) -> bool:
    """Pin a figure at the end; whether it was not there already."""
    content = {"name": name, "title": title, "sentence": sentence, "arguments": arguments}
    text = json.dumps(content, sort_keys=True)
    if len(text) > LARGEST:
        raise DataError(
            "This figure has too many numbers to be pinned.",
            remedy="Download it, or show fewer people.",
        )
    identity = hashlib.sha256(text.encode()).hexdigest()[:16]
    index = _index(where)
    if any(entry["id"] == identity for entry in index):
        return False
    RunFolder(where).write_json(identity, content)
    _order(where, [*index, {"id": identity, "caption": sentence}])
    return True


def write_caption(where: Path, identity: str, caption: str) -> None:
    """Give a pinned figure another caption."""
    clean = " ".join(caption.split())[:LONGEST_CAPTION]
    index = _index(where)
    _order(
        where,
        [{**entry, "caption": clean} if entry["id"] == identity else entry for entry in index],
    )


def move(where: Path, identity: str, steps: int) -> None:
    """Move a pinned figure by so many places, towards the end where positive."""
    index = _index(where)
    at = [entry["id"] for entry in index].index(identity)
    entry = index.pop(at)
    index.insert(min(max(at + steps, 0), len(index)), entry)
    _order(where, index)


def remove(where: Path, identity: str) -> None:
    """Take a figure out of the gallery, and its numbers off the disk."""
    _order(where, [entry for entry in _index(where) if entry["id"] != identity])
    (where / f"{identity}.json").unlink(missing_ok=True)


def _index(where: Path) -> list[dict[str, str]]:
    if not (where / f"{_INDEX}.json").is_file():
        return []
    return [dict(entry) for entry in _read(where, _INDEX)["pins"]]


def _order(where: Path, index: list[dict[str, str]]) -> None:
    RunFolder(where).write_json(_INDEX, {"pins": index})


def _read(where: Path, name: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((where / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            "The gallery of this study cannot be read.",
            remedy=f"Delete the folder {where} to begin another one.",
        ) from error
    return content
