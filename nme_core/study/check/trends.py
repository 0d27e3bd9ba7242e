"""Features that run with time, from ranks within persons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from nme_core.batches.blocks import Column, Floats
from nme_core.study.check.report import Finding
from nme_core.study.clean.remedies import Remedy
from nme_core.study.study import Study
from nme_core.vocabulary.language import tr

#: Rank correlation with the order of a person's rows above which a feature counts as a trend.
TREND = 0.9

#: Rows, of whole persons evenly spread over the study, in which trends are looked for.
_TREND_ROWS = 20_000


Ints = npt.NDArray[np.intp]


def find_trends(study: Study, columns: Mapping[str, Column]) -> Iterable[Finding]:
    """Find features that run with time: later rows lie where a model has seen nothing."""
    persons = study.blocks
    chosen = np.zeros(len(persons), dtype=bool)
    chosen[:: max(1, study.n_rows // _TREND_ROWS)] = True
    rows = np.flatnonzero(chosen[persons.codes])
    person, order = persons.codes[rows], persons.positions()[rows].astype(np.float64)
    some = "" if chosen.all() else tr(" (judged by {sum:,} people)").format(sum=chosen.sum())
    for name in study.feature_names:
        value = columns[name].values[rows]
        known = ~np.isnan(value)
        if abs(rank_correlation(person[known], order[known], value[known])) > TREND:
            yield Finding(
                "look",
                tr(
                    "The feature {name!r} runs with time{some}: a person's later rows, on "
                    "which models are judged, lie outside the values that the models were "
                    "trained on."
                ).format(name=name, some=some),
                name,
                tr("Leave it out unless a trend over time is what you want to extrapolate."),
                leave_out(study, name),
            )


def rank_correlation(person: Ints, order: Floats, value: Floats) -> float:
    """Correlation of ranks within persons, over all of them; 0 where nothing varies."""
    if not len(person):
        return 0.0
    ranks = [_centred_ranks(person, one) for one in (order, value)]
    spread = float(np.sqrt((ranks[0] @ ranks[0]) * (ranks[1] @ ranks[1])))
    return float(ranks[0] @ ranks[1]) / spread if spread > 0 else 0.0


def _centred_ranks(person: Ints, values: Floats) -> Floats:
    """Rank of each value among its person's, ties in the middle, minus the person's mean rank.

    The rows of a person stand together.
    """
    place = np.lexsort((values, person))
    ordered = values[place]
    first = np.flatnonzero(np.diff(person, prepend=-1))  # also where persons begin in `place`
    new = np.ones(len(values), dtype=bool)
    new[1:] = ordered[1:] != ordered[:-1]
    new[first] = True
    start = np.flatnonzero(new)
    size = np.diff(start, append=len(values))
    rows_of = np.diff(first, append=len(values))
    middle = np.repeat(first + (rows_of - 1) / 2, rows_of)
    ranks = np.empty(len(values))
    ranks[place] = np.repeat(start + (size - 1) / 2, size) - middle
    return ranks


def leave_out(study: Study, name: str) -> tuple[Remedy, ...]:
    """What leaves a feature out, unless it is the only one."""
    return () if len(study.feature_names) == 1 else (Remedy("exclude_columns", (name,)),)
