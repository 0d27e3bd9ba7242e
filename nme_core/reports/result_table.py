"""A table as it is printed, whatever file it becomes."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


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
