"""Tables as files that people open elsewhere."""

from __future__ import annotations

import pandas as pd

from nme_core.io import spreadsheet_text


def spreadsheet(table: pd.DataFrame) -> bytes:
    """CSV for a spreadsheet, in which no cell of text becomes a formula."""
    return spreadsheet_text(table).encode()
