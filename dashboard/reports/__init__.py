"""Reports of a run as one file: HTML that opens offline, or PDF; for a study or one person."""

from __future__ import annotations

from dashboard.reports.content import study_report
from dashboard.reports.figures import ReportFigure, run_figures
from dashboard.reports.html import to_html
from dashboard.reports.pdf import to_pdf
from dashboard.reports.person import person_report
from nme_core.io import RunFolder
from nme_core.reporting import require_finished

#: File format of a report: its ending.
FORMATS = ("html", "pdf")

__all__ = ["FORMATS", "ReportFigure", "render", "run_figures"]


def render(folder: RunFolder, kind: str = "html", *, person: str | None = None) -> bytes:
    """The report of a run as a file.

    Parameters
    ----------
    folder : RunFolder
        A finished run.
    kind : {"html", "pdf"}
        The format.
    person : str, optional
        The one-page report of this person, in plain words, in place of the study's.

    Raises
    ------
    RunFolderError
        Where the run is not finished.
    OptionError
        Where the run has no such person.
    """
    require_finished(folder)
    report = study_report(folder) if person is None else person_report(folder, person)
    return to_html(report).encode() if kind == "html" else to_pdf(report)
