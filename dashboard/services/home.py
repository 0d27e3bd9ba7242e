"""Where the dashboard keeps studies, runs and its log: the folder ``NME_HOME``."""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from nme_core.exceptions import NMEError

__all__ = ["NMEError", "folder", "home", "log_exception", "new_id", "now", "utc_text", "write_json"]

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def home() -> Path:
    """Folder of everything the dashboard keeps (``NME_HOME``, default ``~/.nme``), mode 0700."""
    path = Path(os.environ.get("NME_HOME") or Path.home() / ".nme").expanduser()
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def folder(kind: str, identity: str) -> Path | None:
    """Folder of one study or run; None where the id is malformed or nothing lies there.

    Ids come from the address bar, so only names that `new_id` could have made are looked up.
    """
    if not _ID.fullmatch(identity):
        return None
    path = home() / kind / identity
    return path if path.is_dir() else None


def new_id(kind: str) -> tuple[str, Path]:
    """Make an empty folder (mode 0700) under ``studies`` or ``runs``; its id and path."""
    identity = f"{now():%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    parent = home() / kind
    parent.mkdir(exist_ok=True, mode=0o700)
    path = parent / identity
    path.mkdir(mode=0o700)
    return identity, path


def now() -> datetime:
    """The present, with its time zone."""
    return datetime.now(UTC)


def utc_text() -> str:
    """The present as ISO 8601 text, to the second."""
    return now().isoformat(timespec="seconds")


def write_json(path: Path, content: object) -> None:
    """Write a file in one step, so that no reader sees half of it; for the user's eyes only."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, ensure_ascii=False)
    os.replace(temporary, path)


def log_exception(error: BaseException) -> Path:
    """Append an unexpected error with its trace to the log file; returns the file's path."""
    path = home() / "dashboard.log"
    with path.open("a", encoding="utf-8") as file:
        file.write(f"--- {utc_text()}\n")
        file.write("".join(traceback.format_exception(error)))
    path.chmod(0o600)
    return path
