"""What the user has set for this computer: ``settings.json`` in ``NME_HOME``."""

from __future__ import annotations

import json
import os
from typing import Any

import psutil

from dashboard.services.home import home, write_json
from nme_core.vocabulary.language import ENGLISH, MARKS

VIEWS = ("clinician", "researcher")
_FILE = "settings.json"
_AT_ONCE = "trainings_at_once"
_VIEW = "view"
_LANGUAGE = "language"


def trainings_at_once() -> int:
    """How many trainings may run at the same time: as set, else one per core."""
    value = _read().get(_AT_ONCE)
    return value if isinstance(value, int) and value >= 1 else cores()


def set_trainings_at_once(number: int) -> None:
    """Set how many trainings may run at the same time; those at work are left to finish."""
    _write(_AT_ONCE, max(1, int(number)))


def scheduler() -> str | None:
    """Address of the Dask scheduler that trainings go to (``NME_DASK_SCHEDULER``); None: here."""
    return os.environ.get("NME_DASK_SCHEDULER") or None


def cores() -> int:
    """Number of cores of this computer."""
    return psutil.cpu_count() or 1


def view() -> str:
    """The view that was chosen last; ``clinician`` where none was chosen."""
    value = _read().get(_VIEW)
    return value if value in VIEWS else VIEWS[0]


def set_view(name: str) -> None:
    """Remember a view for later sessions."""
    if name not in VIEWS:
        raise ValueError(f"No view is called {name!r}; there are {', '.join(VIEWS)}.")
    _write(_VIEW, name)


def language() -> str:
    """The language of the words on the screen that was chosen last; English where none was."""
    value = _read().get(_LANGUAGE)
    return value if value in MARKS else ENGLISH


def set_language(code: str) -> None:
    """Remember a language for later sessions."""
    _write(_LANGUAGE, code)


def _read() -> dict[str, Any]:
    """Everything that was set; nothing where the file is missing or was damaged by hand."""
    path = home() / _FILE
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _write(key: str, value: object) -> None:
    """Change one entry in one step, so that a reader never sees half a file."""
    write_json(home() / _FILE, {**_read(), key: value})
