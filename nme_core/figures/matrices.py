"""The panels of a matrix figure, as the screen and the print figure both draw them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nme_core.figures import theme
from nme_core.figures.labels import cell
from nme_core.figures.summaries import difference_limit, value_limits
from nme_core.vocabulary.language import tr

#: What a cell of each read-out is, in words.
CELL_NAMES = {
    "scores": "transition score (double-centred)",
    "conditional": "probability of the next state",
    "expected": "expected share of next states",
    "observed": "observed share of next states",
}
#: Up to so many states the values are written in the cells.
MOST_WRITTEN = 8
#: State names on an axis are cut to so many characters.
LABEL_LENGTH = 14


@dataclass(frozen=True)
class Panel:
    """One matrix: values (from × to), colour scale and its ends, and what stands in the cells.

    ``texts`` and ``text_colours`` are flat, row by row; ``texts`` is empty with many states.
    """

    values: np.ndarray
    stops: tuple[str, ...]
    low: float
    high: float
    texts: tuple[str, ...]
    text_colours: tuple[str, ...]

    @property
    def empty(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the cells without a value."""
        rows, columns = np.nonzero(~np.isfinite(self.values))
        return rows, columns


def comparison_panels(
    table: pd.DataFrame, *, compact_from: int, limit: float | None = None
) -> tuple[Panel, Panel, Panel]:
    """Person, population and difference from `tables.transition_comparison`.

    Parameters
    ----------
    table : DataFrame
        K² rows.
    compact_from : int
        Number of states from which numbers are written in their short form.
    limit : float, optional
        Difference that the colours of the third panel must reach at least.
    """
    k = table["to"].nunique()
    beside = "other_value" if "other_value" in table else "population_value"
    readout = table["readout"].iloc[0]
    own, others, difference = (
        table[name].to_numpy(dtype=float).reshape(k, k) for name in ("value", beside, "difference")
    )
    low, high = value_limits(readout, own, others)
    reach = difference_limit(np.append(difference, np.nan if limit is None else limit))
    scores = readout == "scores"
    stops = theme.DIVERGING if scores else theme.SEQUENTIAL
    compact = k >= compact_from
    return (
        _panel(own, stops, low, high, sign=scores, compact=compact),
        _panel(others, stops, low, high, sign=scores, compact=compact),
        _panel(difference, theme.DIVERGING, -reach, reach, sign=True, compact=compact),
    )


def marked(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the cells whose interval excludes the population."""
    k = table["to"].nunique()
    if "beyond" not in table:
        return np.empty(0, dtype=int), np.empty(0, dtype=int)
    rows, columns = np.nonzero(table["beyond"].to_numpy(dtype=bool).reshape(k, k))
    return rows, columns


def panel_titles(table: pd.DataFrame) -> tuple[str, str, str]:
    """What stands over the three panels, as it is in the data."""
    if "other" in table:
        first, second = str(table["person"].iloc[0]), str(table["other"].iloc[0])
        return (
            tr("Person {first}").format(first=first),
            tr("Person {second}").format(second=second),
            tr("{first} minus {second}").format(first=first, second=second),
        )
    return (
        tr("Person {first}").format(first=table["person"].iloc[0]),
        tr("Population"),
        tr("Difference"),
    )


def _panel(
    values: np.ndarray,
    stops: tuple[str, ...],
    low: float,
    high: float,
    *,
    sign: bool,
    compact: bool,
) -> Panel:
    written = len(values) <= MOST_WRITTEN
    texts = [cell(v, sign=sign, compact=compact) for v in values.ravel()] if written else []
    colours = theme.text_colours(stops, values, low, high)
    return Panel(values, stops, low, high, tuple(texts), tuple(colours))
