"""Times of day on both sides of midnight, which as plain numbers lie at opposite ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from nme_core.study.check.report import Finding
from nme_core.study.clean.remedies import Remedy
from nme_core.study.study import Study
from nme_core.study.time.calendar_words import plain
from nme_core.study.time.time_numbers import CLOCK_NAMES
from nme_core.vocabulary.language import tr

#: Times of day lie on both sides of midnight where no hours of the night are left out, but so many
#: of the day are.
_NIGHT, _DAY = 4, 6


def find_midnight(study: Study) -> Iterator[Finding]:
    """Find features, and an outcome, whose times of day pass midnight: 23:30 and 0:30."""
    for name, column in study.X.items():
        yield from _look_at(study, str(name), "feature", column)
    if study.outcome_kind == "number":
        yield from _look_at(study, study.roles.outcome, "outcome", study.y)


def _look_at(study: Study, name: str, kind: str, column: pd.Series) -> Iterator[Finding]:
    hours = study.labels.units.get(name) == "hours"
    if not hours and not CLOCK_NAMES & set(re.findall("[a-z]+", plain(name))):
        return
    values = np.unique(column.to_numpy(dtype=np.float64))
    values = values[np.isfinite(values)]
    if len(values) < 3 or values[0] < 0 or values[-1] >= 24:
        return
    across, within = values[0] + 24 - values[-1], np.diff(values).max()
    if across > _NIGHT or within < _DAY:
        return
    yield Finding(
        "look",
        tr(
            "The {kind} {name!r} holds times of day on both sides of midnight: as numbers, "
            "{clock} and {clock_2} are {first:.3g} hours apart."
        ).format(
            kind=kind,
            name=name,
            clock=_clock(values[-1]),
            clock_2=_clock(values[0]),
            first=values[-1] - values[0],
        ),
        name,
        tr("Count on after midnight, so that 0:30 is 24.5."),
        (Remedy("past_midnight", (name,)),),
    )


def _clock(hours: float) -> str:
    minutes = round(hours * 60)
    return f"{minutes // 60}:{minutes % 60:02d}"
