"""Run folders: plain files that hold everything a fit produced.

Loaded when first used: a training that waits for its turn needs no pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nme_core.io.journal import Journal
    from nme_core.io.parameter_names import (
        OUTCOME,
        ParameterNames,
        hidden_layers,
        parameter_words,
    )
    from nme_core.io.run_folder import RunFolder, RunState, Status
    from nme_core.io.spreadsheet import as_text as spreadsheet_text
    from nme_core.io.tables import POPULATION, TABLES

_HOMES = {
    "Journal": "journal",
    "OUTCOME": "parameter_names",
    "ParameterNames": "parameter_names",
    "hidden_layers": "parameter_names",
    "parameter_words": "parameter_names",
    "POPULATION": "tables",
    "TABLES": "tables",
    "RunFolder": "run_folder",
    "RunState": "run_folder",
    "Status": "run_folder",
    "spreadsheet_text": "spreadsheet",
}

__all__ = [
    "OUTCOME",
    "POPULATION",
    "TABLES",
    "Journal",
    "ParameterNames",
    "RunFolder",
    "RunState",
    "Status",
    "hidden_layers",
    "parameter_words",
    "spreadsheet_text",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_HOMES[name]}")
    return getattr(module, "as_text" if name == "spreadsheet_text" else name)
