"""All that a run says of itself in words: methods, results, references, limits, tables."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nme_core.exceptions import RunFolderError
from nme_core.io import RunFolder, RunState
from nme_core.reports.formats import to_docx
from nme_core.reports.methods import interval_notes, methods
from nme_core.reports.references import Reference, references
from nme_core.reports.result_table import ResultTable
from nme_core.reports.results import findings
from nme_core.reports.tables import result_tables
from nme_core.runs.saying import speaker
from nme_core.vocabulary.messages import said

#: What every reader has to know.
_LIMITS = (
    "Metrics and comparisons concern later observations of the same people, not new people.",
    "Estimates of single people are pulled towards the population, the more so the fewer "
    "observations a person has.",
    "Tests against covariates show association between people and no cause.",
    "A difference or association that was not shown has not been shown to be absent.",
    "Research use, not diagnosis.",
)
_SE = (
    "Standard errors and reliabilities of people leave out how uncertain the shared parameters are"
)
#: What a note says to somebody at the shell alone.
_OPTION = re.compile(r" \(--[^()]*\)")


@dataclass(frozen=True)
class Words:
    """What a run says in words.

    Attributes
    ----------
    methods : tuple of str
        Paragraphs.
    findings : dict of str
        Paragraphs of results by what they are about.
    references : tuple of Reference
        What they cite.
    tables : tuple of ResultTable
        The numbers.
    limits : tuple of str
        What the numbers do not show.
    command : str
        Repeats the run.
    """

    methods: tuple[str, ...]
    findings: dict[str, str]
    references: tuple[Reference, ...]
    tables: tuple[ResultTable, ...]
    limits: tuple[str, ...]
    command: str

    @property
    def results(self) -> tuple[str, ...]:
        """Paragraphs of results in order."""
        return tuple(self.findings.values())

    @property
    def _headed(self) -> dict[str, tuple[str, ...]]:
        """Paragraphs by their heading."""
        cited = tuple(one.text for one in self.references)
        parts = {"Method": self.methods, "Results": self.results, "References": cited}
        return {said(heading): texts for heading, texts in parts.items()}

    @property
    def text(self) -> str:
        """Methods, results and references as plain text to paste."""
        parts = [one for heading, texts in self._headed.items() for one in (heading, *texts)]
        return "\n\n".join(parts) + "\n"

    @property
    def bibtex(self) -> str:
        """The references as a .bib file."""
        return "\n\n".join(one.bibtex for one in self.references) + "\n"

    @property
    def docx(self) -> bytes:
        """Methods, results, references and all tables as a Word file."""
        paragraphs = [
            (heading if i == 0 else "", text)
            for heading, texts in self._headed.items()
            for i, text in enumerate(texts)
        ]
        return to_docx(self.tables, paragraphs)


def words(folder: RunFolder) -> Words:
    """Read a finished run and put it into words, in the language wanted now.

    Raises
    ------
    RunFolderError
        Where the run is not finished, or holds new persons that a run was adapted to.
    """
    require_finished(folder)
    say = speaker(folder)
    return Words(
        methods=tuple(_OPTION.sub("", say(text)) for text in methods(folder)),
        findings={name: say(text) for name, text in findings(folder).items()},
        references=tuple(references(folder)),
        tables=tuple(table.said(say) for table in result_tables(folder)),
        limits=tuple(map(say, _limits(folder))),
        command=str(folder.config["command"]),
    )


def _limits(folder: RunFolder) -> tuple[str, ...]:
    counted = "ci_low" in folder.table("random_effects")
    errors = f"{_SE}; the intervals count it." if counted else f"{_SE}."
    return (*_LIMITS[:2], errors, *interval_notes(folder.config), *_LIMITS[2:])


def require_finished(folder: RunFolder) -> None:
    """Raise RunFolderError unless the folder holds a finished run of `nme fit`."""
    status = folder.status
    if status.state is RunState.RUNNING and status.pid and not status.alive:
        raise RunFolderError(
            f"The run {folder.path} was broken off: its process is gone.", remedy="Fit again."
        )
    if status.state is not RunState.DONE:
        raise RunFolderError(
            f"The run {folder.path} is not finished ({status.state}).",
            remedy="Wait for it, or fit again.",
        )
    if "adapted" in folder.data:
        raise RunFolderError(
            f"{folder.path} holds new people that a run was adapted to, not a run.",
            remedy="Give the folder that `nme fit --out` wrote.",
        )
