"""Tables for spreadsheets: a cell of text never becomes a formula there.

Only for files that people open in a spreadsheet. Run folders and predictions are exact instead:
what is written there is read back as it was.
"""

from __future__ import annotations

import re

import pandas as pd

#: Text that a spreadsheet would run: = + - @, tab and carriage return in front (OWASP's list).
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def as_text(table: pd.DataFrame) -> str:
    """A table as CSV for a spreadsheet: text that looks like a formula gets an apostrophe."""
    safe = table.copy(deep=False)
    for place in range(table.shape[1]):
        column = table.iloc[:, place]
        if column.dtype.kind not in "biufM":
            safe.isetitem(place, [_harmless(cell) for cell in column])
    safe.columns = pd.Index([_harmless(name) for name in table.columns])
    return safe.to_csv(index=False, lineterminator="\r\n")


def _harmless(cell: object) -> object:
    if not isinstance(cell, str) or not _FORMULA.match(cell) or _NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"
