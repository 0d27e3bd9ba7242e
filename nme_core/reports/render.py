"""Reports of a run as one file: HTML that opens offline, or PDF; for a study or one person.

They are in the language wanted now (`nme_core.vocabulary.language.speaking`).
"""

from __future__ import annotations

from nme_core.io import RunFolder
from nme_core.reports import require_finished
from nme_core.reports.content import study_report
from nme_core.reports.html import to_html
from nme_core.reports.pdf import to_pdf
from nme_core.reports.person import person_report
from nme_core.runs.saying import speaker

#: File format of a report: its ending.
FORMATS = ("html", "pdf")

__all__ = ["FORMATS", "bundle_files", "render"]


def render(
    folder: RunFolder, kind: str = "html", *, person: str | None = None, title: str | None = None
) -> bytes:
    """The report of a run as a file.

    Parameters
    ----------
    folder : RunFolder
        A finished run.
    kind : {"html", "pdf"}
        The format.
    person : str, optional
        The one-page report of this person, in plain words, in place of the study's.
    title : str, optional
        What the study's report calls the run, instead of the name of its folder.

    Raises
    ------
    RunFolderError
        Where the run is not finished.
    OptionError
        Where the run has no such person.
    """
    require_finished(folder)
    report = study_report(folder, title) if person is None else person_report(folder, person)
    report = report.said(speaker(folder))
    return to_html(report).encode() if kind == "html" else to_pdf(report)


def bundle_files(folder: RunFolder, title: str | None = None) -> dict[str, bytes]:
    """Reports, and every figure as PNG, SVG and PDF with its numbers, by their names in a zip."""
    report = study_report(folder, title).said(speaker(folder))
    files = {"report.html": to_html(report).encode(), "report.pdf": to_pdf(report)}
    for i, figure in enumerate(report.figures, start=1):
        name = f"figures/{i:02d}-{figure.name.replace('_', '-')}"
        files |= {f"{name}.{kind}": figure.file(kind) for kind in ("png", "svg", "pdf")}
        files[f"{name}.csv"] = figure.numbers().to_csv(index=False).encode()
        files[f"{name}.txt"] = f"{figure.title}. {figure.sentence}\n".encode()
    return files
