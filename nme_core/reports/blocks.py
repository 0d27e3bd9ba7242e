"""What a report consists of, whatever file it becomes."""

from __future__ import annotations

from dataclasses import dataclass

from nme_core.figures.run_figure import RunFigure
from nme_core.reports import ResultTable


@dataclass(frozen=True)
class Text:
    """A paragraph of plain text; ``strong`` where it must not be overlooked."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Items:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """Something to type."""

    text: str


Block = Text | Items | Code | RunFigure | ResultTable


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Report:
    """A whole report.

    Attributes
    ----------
    title, lead : str
        First heading, and the line under it.
    sections : tuple of Section
        In order.
    contents : bool
        Whether a list of the sections stands before them.
    """

    title: str
    lead: str
    sections: tuple[Section, ...]
    contents: bool = True

    @property
    def figures(self) -> list[RunFigure]:
        """All figures in order."""
        blocks = [block for section in self.sections for block in section.blocks]
        return [block for block in blocks if isinstance(block, RunFigure)]
