"""Bands of a score, such as those of a questionnaire: they group and colour, nothing is tested."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from nme_core.exceptions import DataError
from nme_core.io import RunFolder
from nme_core.study.check.suspicious import without_codes
from nme_core.study.questionnaires import (
    QUESTIONNAIRES,
    Bands,
    Recognised,
    recognise,
)
from nme_core.vocabulary.language import tr

#: Most bands that a figure can tell apart.
MOST_BANDS = 6
_FILE = "bands"

#: Questionnaires that have usual bands.
PRESETS = {name: one for name, one in QUESTIONNAIRES.items() if one.bands}


def usual(values: pd.Series) -> Bands:
    """Bands of the questionnaire that a column holds, on the scale of its values; may be empty."""
    known = recognised(values)
    return () if known is None else known.bands


def recognised(values: pd.Series) -> Recognised | None:
    """What a column of scores holds of a questionnaire."""
    return recognise(str(values.name), without_codes(values.to_numpy(dtype=np.float64)))


def kept(run: RunFolder, values: pd.Series) -> Bands:
    """Bands of a covariate of a run: the user's, else those its name suggests; may be empty."""
    name = str(values.name)
    if not is_numeric_dtype(values):
        return ()
    if (run.path / f"{_FILE}.json").is_file():
        own = run.read_json(_FILE).get(name)
        if own is not None:
            return tuple((float(start), str(label)) for start, label in own)
    return usual(values)


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
    """Each person's band, as text with its limits, lowest first; values below all are left out.

    Usual bands of a questionnaire, which are those of its sum, follow the scale of the values;
    where they do not fit it, thirds take their place.
    """
    known, unit = recognised(values), ""
    starts = [start for start, _ in bands]
    if known is not None and starts in (
        [start for start, _ in usual] for usual in (QUESTIONNAIRES[known.name].bands, known.bands)
    ):
        names = [name for _, name in bands]
        bands = tuple((start, name) for (start, _), name in zip(known.bands, names, strict=False))
        unit = f"{known.kind} " if known.kind == "item mean" else ""
        if not bands:
            return _thirds(values)
    given = values.dropna().sort_values(kind="stable")
    whole = bool((given == given.round()).all())
    at = np.searchsorted([start for start, _ in bands], given.to_numpy(), side="right") - 1
    texts = [_limits(bands, i, unit, whole=whole) for i in range(len(bands))]
    inside = given[at >= 0]
    return pd.Series([texts[i] for i in at[at >= 0]], index=inside.index, name=values.name)


def _thirds(values: pd.Series) -> pd.Series:
    given = values.dropna().sort_values(kind="stable")
    low, high = given.quantile([1 / 3, 2 / 3])
    texts = (
        tr("lowest third (up to {low:g})").format(low=low),
        tr("middle third"),
        tr("highest third (from {high:g})").format(high=high),
    )
    third = (given > low).astype(int) + (given >= high).astype(int) * (given > low)
    named: pd.Series = third.map(dict(enumerate(texts))).astype("str")
    return named.rename(str(values.name))


def _limits(bands: Bands, i: int, unit: str = "", *, whole: bool) -> str:
    start, label = bands[i][0], tr(bands[i][1])
    if i + 1 == len(bands):
        return tr("{label} ({unit}{start:g} and more)").format(label=label, unit=unit, start=start)
    after = bands[i + 1][0]
    if whole and float(after).is_integer():
        return tr("{label} ({unit}{start:g} to {after:g})").format(
            label=label, unit=unit, start=start, after=after - 1
        )
    return tr("{label} ({unit}{start:g} to below {after:g})").format(
        label=label, unit=unit, start=start, after=after
    )
