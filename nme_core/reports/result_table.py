"""A table as it is printed, whatever file it becomes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from nme_core.runs.saying import Say


@dataclass(frozen=True)
class ResultTable:
    """A table as it is printed.

    Attributes
    ----------
    name : str
        For a file's name.
    caption : str
        What it shows, in a line.
    cells : DataFrame of str
        The body; its columns are the head.
    note : str
        What stands below it.
    """

    name: str
    caption: str
    cells: pd.DataFrame
    note: str = ""

    def said(self, say: Say) -> ResultTable:
        """All of it as somebody says it."""
        cells = {str(name): [say(str(one)) for one in self.cells[name]] for name in self.cells}
        head = [say(name) for name in cells]
        body = pd.DataFrame(cells).set_axis(head, axis=1)
        return replace(self, caption=say(self.caption), cells=body, note=say(self.note))
