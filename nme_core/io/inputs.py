"""Where this computer read the files of its runs, by their SHA-256: in ``NME_HOME``, for its user.

Runs themselves record neither names nor paths of files, as these may tell who is in them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nme_core.exceptions import StorageError
from nme_core.io import durable
from nme_core.io.home import home

_NAME = "inputs.json"
#: Files that are remembered, the latest.
_MOST = 1000


def remember_inputs(sums: Mapping[str, Path]) -> None:
    """Remember where files lie, by their SHA-256; where there is no home nothing is kept."""
    try:
        known = _known()
        for sha256, path in sums.items():
            known.pop(sha256, None)
            known[sha256] = str(path.resolve())
        kept = dict([*known.items()][-_MOST:])
        durable.write(home() / _NAME, json.dumps(kept, ensure_ascii=False).encode())
    except (OSError, StorageError):
        return


def find_input(sha256: str) -> Path | None:
    """Where a file with this sum was read, if it is there still."""
    try:
        path = _known().get(sha256)
    except (OSError, StorageError):
        return None
    return Path(path) if path is not None and Path(path).is_file() else None


def _known() -> dict[str, str]:
    path = home() / _NAME
    if not path.is_file():
        return {}
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return {str(k): str(v) for k, v in content.items()} if isinstance(content, dict) else {}
