"""What a report consists of, whatever file it becomes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nme_core.figures.run_figure import RunFigure
from nme_core.reports import ResultTable
from nme_core.runs.saying import Say


@dataclass(frozen=True)
class Text:
    """A paragraph of plain text; ``strong`` where it must not be overlooked."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Items:
    """A list of sentences; those `cited` are said as they stand there."""

    items: tuple[str, ...]
    cited: bool = False


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

    def said(self, say: Say) -> Report:
        """All of it as somebody says it, but what is typed or cited."""
        sections = tuple(
            Section(say(one.title), tuple(_said(block, say) for block in one.blocks))
            for one in self.sections
        )
        return replace(self, title=say(self.title), lead=say(self.lead), sections=sections)

    @property
    def figures(self) -> list[RunFigure]:
        """All figures in order."""
        blocks = [block for section in self.sections for block in section.blocks]
        return [block for block in blocks if isinstance(block, RunFigure)]


def _said(block: Block, say: Say) -> Block:
    if isinstance(block, Text):
        return replace(block, text=say(block.text))
    if isinstance(block, Items) and not block.cited:
        return Items(tuple(map(say, block.items)))
    if isinstance(block, ResultTable):
        return block.said(say)
    if isinstance(block, RunFigure):
        return replace(block, title=say(block.title), sentence=say(block.sentence))
    return block
