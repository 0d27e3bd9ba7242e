"""Times that run in a circle: as plain numbers, both sides of midnight lie at opposite ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from nme_core.study.check.report import Finding
from nme_core.study.clean.remedies import Remedy
from nme_core.study.columns import is_number
from nme_core.study.study import Study
from nme_core.study.time.calendar_words import plain
from nme_core.study.time.time_numbers import CLOCK_NAMES
from nme_core.vocabulary.language import tr

#: Times of day lie on both sides of midnight where no hours of the night are left out, but so many
#: of the day are.
_NIGHT, _DAY = 4, 6

#: Hours from which on it is evening, and up to which it is night.
_EVENING, _MORNING = 18, 6

#: With so few times, one fall may be chance.
_FEW_TIMES = 3


def find_midnight(study: Study) -> Iterator[Finding]:
    """Find features, and an outcome, whose times of day pass midnight: 23:30 and 0:30."""
    for name, column in study.X.items():
        yield from _look_at(study, str(name), "feature", column)
    if study.outcome_kind == "number":
        yield from _look_at(study, study.roles.outcome, "outcome", study.y)


def find_turned(study: Study) -> Iterator[Finding]:
    """Find times that fall once in the file, as where midnight is passed.

    Most people's rows stand in order but for one fall, behind which all lies below all before it.
    """
    time, lines, name = study.time, study.lines, study.roles.time
    if time is None or lines is None or name is None:
        return
    if not is_number(time):
        yield from _find_nights(study.groups, time, lines, name)
        return
    order = np.lexsort((lines.to_numpy(), study.sequence_blocks.codes))
    times = time.to_numpy(dtype=np.float64)[order]
    blocks = pd.Series(study.sequence_blocks.codes[order])
    by_block = pd.Series(times).groupby(blocks)
    falls = (by_block.diff() < 0).groupby(blocks).sum()
    turned = (falls == 1) & (by_block.last() < by_block.first()) & (by_block.size() > _FEW_TIMES)
    if turned.sum() < 2 or 2 * turned.sum() < len(turned):
        return
    first = by_block.diff().to_numpy() < 0
    at = int(np.flatnonzero(first & turned.to_numpy()[blocks.to_numpy()])[0])
    low, high = float(times.min()), float(times.max())
    whole = bool((times % 1 == 0).all())
    unit = "d" if whole and high <= 7 else "mo" if whole and low >= 1 and high <= 12 else "h"
    within = [one for one in (study.roles.person, study.roles.sequence) if one is not None]
    counted = (Remedy("count_on", (name, *within), to=unit),) if low >= 0 and high <= 24 else ()
    yield Finding(
        "look",
        tr(
            "In the order of the file, {name!r} rises but for one fall in {n} of {total} people or "
            "sequences, such as from {before:g} to {after:g} ({where}), as where midnight or the "
            "end of a week or year is passed. Rows are put in the order of these numbers, so that "
            "what comes last in the file comes first."
        ).format(
            name=name,
            n=int(turned.sum()),
            total=len(turned),
            before=times[at - 1],
            after=times[at],
            where=f"{lines.name} {lines.iloc[order[at]]}",
        ),
        name,
        tr("If the file is in order, count on there, or name no time."),
        counted,
    )


def _find_nights(
    people: pd.Series, time: pd.Series, lines: pd.Series, name: str
) -> Iterator[Finding]:
    """Find date-times that fall in the file only from an evening to the small hours of its date."""
    if not is_datetime64_any_dtype(time.dtype):
        return
    order = np.argsort(lines.to_numpy())
    times, who = time.iloc[order].reset_index(drop=True), people.iloc[order].reset_index(drop=True)
    before = times.groupby(who, sort=False, observed=True).shift()
    falls = times < before
    night = (before.dt.hour >= _EVENING) & (times.dt.hour < _MORNING)
    if falls.sum() < 2 or not (night & (times.dt.date == before.dt.date))[falls].all():
        return
    at = int(np.flatnonzero(falls)[0])
    yield Finding(
        "look",
        tr(
            "In the order of the file, {name!r} falls {n} times, always from an evening to the "
            "small hours of the same date, such as from {before:%Y-%m-%d %H:%M} to {after:%H:%M} "
            "({where}). Rows are put in order of time, so that the night comes before its evening."
        ).format(
            name=name,
            n=int(falls.sum()),
            before=before[at],
            after=times[at],
            where=f"{lines.name} {lines.iloc[order[at]]}",
        ),
        name,
        tr("If the night belongs to the evening, write the next day's date there."),
    )


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
            kind=tr(kind),
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
