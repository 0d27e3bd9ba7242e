"""Run folders: plain files that hold everything a fit produced."""

from nme_core.io.journal import Journal
from nme_core.io.parameter_names import OUTCOME, ParameterNames, hidden_layers, parameter_words
from nme_core.io.run_folder import TABLES, RunFolder, RunState, Status
from nme_core.io.spreadsheet import as_text as spreadsheet_text

__all__ = [
    "OUTCOME",
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
