"""Rows and steps of a grid, as the screen and the print figure both draw them."""

from __future__ import annotations

import numpy as np
import pandas as pd

#: Names of rows are cut to so many characters; more rows than this show only some names.
ROW_LABELS, MOST_NAMED = 18, 25


def edges(starts: pd.Index) -> np.ndarray:
    """Ends of the steps that begin at `starts`, which are equally far apart."""
    at = starts.to_numpy(dtype=float)
    width = at[1] - at[0] if len(at) > 1 else 1.0
    return np.append(at, at[-1] + width)


def middles(starts: pd.Index) -> np.ndarray:
    """Middles of the steps that begin at `starts`."""
    ends = edges(starts)
    return (ends[:-1] + ends[1:]) / 2


def shown_rows(n_rows: int) -> list[int]:
    """The rows whose names are shown: all, or about a dozen, evenly spread."""
    if n_rows <= MOST_NAMED:
        return list(range(n_rows))
    return list(range(0, n_rows, -(-n_rows // 12)))
