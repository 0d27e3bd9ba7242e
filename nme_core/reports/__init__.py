"""What leaves a run as words and tables: methods, results, references, printed tables."""

from nme_core.reports.commands import hsic_command
from nme_core.reports.formats import TABLE_FORMATS, to_csv, to_docx, to_html, to_latex
from nme_core.reports.methods import methods
from nme_core.reports.references import Reference, bibtex, references
from nme_core.reports.result_table import ResultTable
from nme_core.reports.results import findings, results
from nme_core.reports.script import notebook, script
from nme_core.reports.tables import result_tables
from nme_core.reports.words import Words, require_finished, words

__all__ = [
    "TABLE_FORMATS",
    "Reference",
    "ResultTable",
    "Words",
    "bibtex",
    "findings",
    "hsic_command",
    "methods",
    "notebook",
    "references",
    "require_finished",
    "result_tables",
    "results",
    "script",
    "to_csv",
    "to_docx",
    "to_html",
    "to_latex",
    "words",
]
