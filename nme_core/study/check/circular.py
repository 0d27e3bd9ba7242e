"""Covariates that are part of the outcome itself, so that a test against them is circular."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from nme_core.study.check.report import Finding
from nme_core.study.clean.remedies import Remedy
from nme_core.study.study import Study
from nme_core.vocabulary.language import tr

#: A covariate is part of the outcome where it equals each person's first, last or mean outcome in
#: this share of persons, and has no value that so many persons have: else they agree by chance.
PART_OF_IT, FREQUENT_VALUE = 0.95, 0.8
#: Persons who have to have both.
LEAST_PERSONS = 5
#: Numbers are equal that differ by no more than this share of the covariate's SD: means in files
#: are rounded.
SAME = 0.01


CIRCULAR = (
    "The covariate {name!r} equals the {what} {outcome!r} of {sum} of {equal} people, so it is "
    "part of the outcome itself: a test of people's parameters against it is circular."
)


def find_circular(study: Study) -> Iterable[Finding]:
    """Find covariates that equal the first, last or mean outcome of nearly every person."""
    outcomes = dict(_outcomes(study))
    for name, covariate in study.covariates.items():
        for what, outcome in outcomes.items():
            pair = pd.DataFrame({"covariate": covariate, "outcome": outcome}).dropna()
            equal = _equal(pair)
            if equal is None or equal.mean() < PART_OF_IT:
                continue
            yield Finding(
                "look",
                tr(CIRCULAR).format(
                    name=str(name),
                    what=what,
                    outcome=study.roles.outcome,
                    sum=int(equal.sum()),
                    equal=len(equal),
                ),
                str(name),
                tr("Leave it out of the covariates."),
                (Remedy("exclude_columns", (str(name),)),),
                kind="circular",
            )
            break


def _outcomes(study: Study) -> Iterator[tuple[str, pd.Series]]:
    """What a covariate may have been taken from: one value per person."""
    by_person = study.y.groupby(study.groups, sort=False, observed=True)
    kinds = ("first", "last", "mean") if study.outcome_kind == "number" else ("first", "last")
    for kind in kinds if len(study.covariates.columns) else ():
        values = by_person.agg(kind)
        yield kind, values.set_axis(values.index.astype("str"))


def _equal(pair: pd.DataFrame) -> pd.Series | None:
    """Whether both are the same, person by person; None where that would say nothing."""
    if len(pair) < LEAST_PERSONS:
        return None
    if pair["covariate"].value_counts(normalize=True).iloc[0] >= FREQUENT_VALUE:
        return None
    numbers = [pd.to_numeric(pair[name], errors="coerce") for name in ("covariate", "outcome")]
    if any(column.isna().any() for column in numbers):
        return pair["covariate"].astype("str") == pair["outcome"].astype("str")
    covariate, outcome = (column.astype(np.float64) for column in numbers)
    return (covariate - outcome).abs() <= SAME * covariate.std()
