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

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class RunFigure:
    """A figure for the screen and for print.

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
    _files: dict[tuple[str, int], bytes] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def printed(self) -> Figure:
        """The figure as matplotlib draws it."""
        return drawing.on_paper(self.name, self.arguments, Paper(size=self.columns))

    @cached_property
    def screen(self) -> go.Figure:
        """The figure as plotly draws it."""
        return drawing.on_screen(self.name, self.arguments)

    def file(self, kind: str, dpi: int = 300) -> bytes:
        """The figure as ``png`` with `dpi`, ``svg``, ``pdf`` or ``html``; made once."""
        if (kind, dpi) not in self._files:
            if kind == "html":
                content = to_html(self.screen, title=self.title, sentence=self.sentence)
            else:
                content = drawing.file(self.printed, kind, Paper(dpi=dpi))
            self._files[kind, dpi] = content
        return self._files[kind, dpi]

    def numbers(self) -> pd.DataFrame:
        """The numbers that it shows."""
        return drawing.numbers(self.name, self.arguments)
