"""Features that all but determine the outcome, so that a model learns nothing else."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from nme_core.data.blocks import Floats, draw, drawn_words
from nme_core.data.remedies import Remedy
from nme_core.data.report import Finding
from nme_core.data.study import Study

#: A feature all but determines a class outcome where its values name the class of this share of
#: rows, while the most frequent class alone has less than `FREQUENT_CLASS`; at most `FEW_VALUES`
#: values, each on average in `ROWS_PER_VALUE` rows.
DETERMINED, FREQUENT_CLASS, FEW_VALUES, ROWS_PER_VALUE = 0.99, 0.95, 50, 10

#: A feature all but determines a number outcome above this correlation over rows.
SAME_NUMBER = 0.99

#: Rows by which this is judged, where there are more.
MOST_ROWS = 20_000


def find_determined(study: Study) -> Iterable[Finding]:
    """Find features that the outcome may have been computed from."""
    name = study.roles.outcome
    determined = _names_the_class if study.outcome_kind == "class" else _same_number
    rows = draw(study.n_rows, MOST_ROWS)
    outcome = study.y.iloc[rows]
    for feature in study.feature_names:
        value = study.X[feature].iloc[rows]
        if determined(pd.DataFrame({"value": value, "outcome": outcome}).dropna()):
            yield Finding(
                "look",
                f"The feature {feature!r} all but determines the outcome {name!r}"
                f"{drawn_words(study.n_rows, MOST_ROWS)}.",
                feature,
                "Leave it out if it was computed from the outcome or measured with it.",
                () if len(study.feature_names) == 1 else (Remedy("exclude_columns", (feature,)),),
            )


def _names_the_class(pair: pd.DataFrame) -> bool:
    """Whether the most frequent class at each value is nearly always the row's own."""
    n_values = pair["value"].nunique()
    if not 1 < n_values <= FEW_VALUES or len(pair) < ROWS_PER_VALUE * n_values:
        return False
    visits = pair.value_counts()
    alone = visits.groupby("outcome").sum().max() / len(pair)
    right = visits.groupby("value").max().sum() / len(pair)
    return bool(alone < FREQUENT_CLASS and right >= DETERMINED)


def _same_number(pair: pd.DataFrame) -> bool:
    """Whether two numbers are nearly the same but for their units."""
    value, outcome = pair["value"].to_numpy(np.float64), pair["outcome"].to_numpy(np.float64)
    if len(pair) <= 2:
        return False
    value, outcome = _centred(value), _centred(outcome)
    spread = float(np.sqrt((value @ value) * (outcome @ outcome)))
    product = float(value @ outcome)
    return spread > 0 and abs(product) >= SAME_NUMBER * spread


def _centred(values: Floats) -> Floats:
    """Values about their mean, in units of the largest: squares of the very large overflow."""
    largest = float(np.abs(values).max())
    scaled = values / largest if largest > 0 else values
    return np.asarray(scaled - scaled.mean())
