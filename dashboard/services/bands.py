"""Bands of a score, such as those of a questionnaire: they group and colour, nothing is tested."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from nme_core.exceptions import DataError
from nme_core.io import RunFolder

#: Most bands that a figure can tell apart.
MOST_BANDS = 6
_FILE = "bands"

#: Where each band begins, and what it is called.
Bands = tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Preset:
    """The usual bands of a questionnaire.

    Attributes
    ----------
    pattern : str
        Columns that are proposed to have them, by their name.
    bands : Bands
    source : str
        Who proposed them.
    """

    pattern: str
    bands: Bands
    source: str


PRESETS = {
    "PHQ-9": Preset(
        r"phq.?9?",
        ((0, "minimal"), (5, "mild"), (10, "moderate"), (15, "moderately severe"), (20, "severe")),
        "Kroenke, Spitzer and Williams (2001)",
    ),
    "BDI-II": Preset(
        r"bdi.?(ii|2)",
        ((0, "minimal"), (14, "mild"), (20, "moderate"), (29, "severe")),
        "Beck, Steer and Brown (1996)",
    ),
    "BDI": Preset(
        r"bdi",
        ((0, "minimal"), (10, "mild"), (19, "moderate"), (30, "severe")),
        "Beck, Steer and Garbin (1988)",
    ),
    "MADRS": Preset(
        r"madrs",
        ((0, "none"), (7, "mild"), (20, "moderate"), (35, "severe")),
        "Snaith and others (1986)",
    ),
    "CES-D": Preset(
        r"ces.?d", ((0, "below the cut-off"), (16, "from the cut-off")), "Radloff (1977)"
    ),
}


def proposed(name: str) -> str | None:
    """The questionnaire that a column seems to hold, by its name; the first that fits."""
    for preset, one in PRESETS.items():
        if re.search(rf"(?<![a-z]){one.pattern}(?![a-z0-9])", name.lower()):
            return preset
    return None


def kept(run: RunFolder, values: pd.Series) -> Bands:
    """Bands of a covariate of a run: the user's, else those its name suggests; may be empty."""
    name = str(values.name)
    if not is_numeric_dtype(values):
        return ()
    if (run.path / f"{_FILE}.json").is_file():
        own = run.read_json(_FILE).get(name)
        if own is not None:
            return tuple((float(start), str(label)) for start, label in own)
    preset = proposed(name)
    return () if preset is None else PRESETS[preset].bands


def keep(run: RunFolder, name: str, bands: Sequence[tuple[float, str]]) -> None:
    """Keep the bands of a covariate; none at all mean thirds, or the values themselves.

    Raises
    ------
    DataError
        A band has no beginning, or the name of another one, or there are too many.
    """
    ordered = sorted((float(start), " ".join(str(label).split())) for start, label in bands)
    starts, labels = [start for start, _ in ordered], [label for _, label in ordered]
    if not np.isfinite(starts).all() or len(set(starts)) < len(starts) or "" in labels:
        raise DataError("Every band needs a beginning of its own and a name.")
    if len(set(labels)) < len(labels) or len(ordered) == 1 or len(ordered) > MOST_BANDS:
        raise DataError(f"There have to be 2 to {MOST_BANDS} bands with different names.")
    known = run.read_json(_FILE) if (run.path / f"{_FILE}.json").is_file() else {}
    run.write_json(_FILE, {**known, name: [list(band) for band in ordered]})


def by_band(values: pd.Series, bands: Bands) -> pd.Series:
    """Each person's band, as text with its limits, lowest first; values below all are left out."""
    known = values.dropna().sort_values(kind="stable")
    whole = bool((known == known.round()).all())
    at = np.searchsorted([start for start, _ in bands], known.to_numpy(), side="right") - 1
    texts = [_limits(bands, i, whole=whole) for i in range(len(bands))]
    inside = known[at >= 0]
    return pd.Series([texts[i] for i in at[at >= 0]], index=inside.index, name=values.name)


def _limits(bands: Bands, i: int, *, whole: bool) -> str:
    start, label = bands[i]
    if i + 1 == len(bands):
        return f"{label} ({start:g} and more)"
    after = bands[i + 1][0]
    if whole and float(after).is_integer():
        return f"{label} ({start:g} to {after - 1:g})"
    return f"{label} ({start:g} to below {after:g})"
