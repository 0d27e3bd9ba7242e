"""A figure of a run: by name and arguments, with its title and the sentence that it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure

from nme_core.figures import drawing
from nme_core.figures.drawing import Paper
from nme_core.figures.interactive import to_html
from nme_core.figures.theme import PrintSize
from nme_core.io import spreadsheet_text

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class RunFigure:
    """A figure for the screen and for print, with its numbers.

    ``name`` is what `nme_core.figures.drawing` draws, ``arguments`` its keyword arguments;
    ``sentence`` says what it shows and what not, and is its alternative text. ``columns`` of a
    journal page are its width in print; ``subject`` tells figures of one kind apart.
    """

    name: str
    title: str
    sentence: str
    arguments: dict[str, Any] = field(repr=False)
    columns: PrintSize = 1
    subject: str = ""
    _files: dict[object, bytes] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def printed(self) -> Figure:
        """The figure as matplotlib draws it."""
        return drawing.on_paper(self.name, self.arguments, Paper(size=self.columns))

    @cached_property
    def screen(self) -> go.Figure:
        """The figure as plotly draws it."""
        return drawing.on_screen(self.name, self.arguments)

    def file(self, kind: str, paper: Paper | None = None) -> bytes:
        """The figure as ``png``, ``svg``, ``pdf`` or ``html``, or its numbers as ``csv``.

        Each is made once.

        Without `paper` it is as wide as the figure says.
        """
        key = kind if kind in ("html", "csv") else (kind, paper)
        if key not in self._files:
            self._files[key] = self._file(kind, paper)
        return self._files[key]

    def _file(self, kind: str, paper: Paper | None) -> bytes:
        if kind == "csv":
            return spreadsheet_text(self.numbers()).encode()
        if kind == "html":
            return to_html(self.screen, title=self.title, sentence=self.sentence)
        if paper is None or paper == Paper(self.columns, dpi=paper.dpi):
            return drawing.file(self.printed, kind, paper or Paper())
        return drawing.file(drawing.on_paper(self.name, self.arguments, paper), kind, paper)

    def numbers(self) -> pd.DataFrame:
        """The numbers that it shows."""
        return drawing.numbers(self.name, self.arguments)
