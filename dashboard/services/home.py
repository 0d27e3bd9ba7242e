"""Studies, runs and the log in ``NME_HOME``: their names, and what a crash left of them."""

from __future__ import annotations

import json
import re
import secrets
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from nme_core.exceptions import NMEError
from nme_core.io import durable
from nme_core.io.home import home

__all__ = [
    "NMEError",
    "folder",
    "home",
    "log_exception",
    "new_id",
    "now",
    "tidy",
    "utc_text",
    "write_json",
]

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def tidy() -> int:
    """Remove what processes that were killed left here and in the temporary folder; how much."""
    from nme_core.io import RunFolder
    from nme_core.io.renewal import recover

    for path in (home() / "runs").glob("*"):
        recover(RunFolder(path))
    return durable.sweep(home(), deep=True) + durable.sweep(Path(tempfile.gettempdir()))


def folder(kind: str, identity: str) -> Path | None:
    """Folder of one study or run; None where the id is malformed or nothing lies there.

    Ids come from the address bar, so only names that `new_id` could have made are looked up.
    """
    if not _ID.fullmatch(identity):
        return None
    path = home() / kind / identity
    return path if path.is_dir() else None


def new_id(kind: str) -> tuple[str, Path]:
    """A new id under ``studies`` or ``runs``, and the path of the folder that is to be made."""
    identity = f"{now():%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    return identity, home() / kind / identity


def now() -> datetime:
    """The present, with its time zone."""
    return datetime.now(UTC)


def utc_text() -> str:
    """The present as ISO 8601 text, to the second."""
    return now().isoformat(timespec="seconds")


def write_json(path: Path, content: object) -> None:
    """Write a file in one step, so that no reader sees half of it; for the user's eyes only."""
    durable.write(path, json.dumps(content, indent=2, ensure_ascii=False).encode())


def log_exception(error: BaseException) -> Path:
    """Append an unexpected error with its trace to the log file; returns the file's path."""
    text = f"--- {utc_text()}\n{''.join(traceback.format_exception(error))}"
    try:
        path = home() / "dashboard.log"
        with durable.append_to(path) as file:
            file.write(text.encode())
    except (OSError, NMEError):  # nothing can be written there
        sys.stderr.write(text)
        return Path("the output of the server")
    return path
