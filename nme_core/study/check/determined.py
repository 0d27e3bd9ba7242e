"""Features that all but determine the outcome, so that a model learns nothing else."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from nme_core.batches.blocks import Floats, draw, drawn_words
from nme_core.study.check.report import Finding
from nme_core.study.clean.remedies import Remedy
from nme_core.study.study import Study
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.text import percent

#: A feature all but determines a class outcome where its values name the class of this share of
#: rows, while the most frequent class alone has less than `FREQUENT_CLASS`; at most `FEW_VALUES`
#: values, each on average in `ROWS_PER_VALUE` rows.
DETERMINED, FREQUENT_CLASS, FEW_VALUES, ROWS_PER_VALUE = 0.99, 0.95, 50, 10
#: It says suspiciously much where naming the class by it leaves at most this share of the errors
#: that naming the most frequent class makes (1 − λ of Goodman and Kruskal 1954).
ERRORS_LEFT = 0.2

#: A feature all but determines a number outcome above this correlation over rows.
SAME_NUMBER = 0.99

#: Rows by which this is judged, where there are more.
MOST_ROWS = 20_000


_ALL_BUT = "all but determines the outcome {outcome}"


def find_determined(study: Study) -> Iterable[Finding]:
    """Find features that the outcome may have been computed from."""
    name = study.roles.outcome
    judge = _names_the_class if study.outcome_kind == "class" else _same_number
    rows = draw(study.n_rows, MOST_ROWS)
    outcome = study.y.iloc[rows]
    for feature in study.feature_names:
        value = study.X[feature].iloc[rows]
        said = judge(pd.DataFrame({"value": value, "outcome": outcome}).dropna())
        if said:
            yield Finding(
                "look",
                tr("The feature {feature!r} {format}{drawn_words}.").format(
                    feature=feature,
                    format=said.format(outcome=repr(name)),
                    drawn_words=drawn_words(study.n_rows, MOST_ROWS),
                ),
                feature,
                tr("Leave it out if it was computed from the outcome or measured with it."),
                () if len(study.feature_names) == 1 else (Remedy("exclude_columns", (feature,)),),
            )


def _names_the_class(pair: pd.DataFrame) -> str:
    """What to say where the most frequent class at each value is mostly the row's own."""
    n_values = pair["value"].nunique()
    if not 1 < n_values <= FEW_VALUES or len(pair) < ROWS_PER_VALUE * n_values:
        return ""
    visits = pair.value_counts()
    alone = visits.groupby("outcome").sum().max() / len(pair)
    right = visits.groupby("value").max().sum() / len(pair)
    if alone < FREQUENT_CLASS and right >= DETERMINED:
        return _ALL_BUT
    if 1 - right <= ERRORS_LEFT * (1 - alone):
        return tr(
            "alone names the outcome {{outcome}} in {right} of the rows, where its "
            "most frequent class would be right in {alone}"
        ).format(right=percent(right), alone=percent(alone))
    return ""


def _same_number(pair: pd.DataFrame) -> str:
    """What to say where two numbers are nearly the same but for their units."""
    value, outcome = pair["value"].to_numpy(np.float64), pair["outcome"].to_numpy(np.float64)
    if len(pair) <= 2:
        return ""
    value, outcome = _centred(value), _centred(outcome)
    spread = float(np.sqrt((value @ value) * (outcome @ outcome)))
    product = float(value @ outcome)
    return _ALL_BUT if spread > 0 and abs(product) >= SAME_NUMBER * spread else ""


def _centred(values: Floats) -> Floats:
    """Values about their mean, in units of the largest: squares of the very large overflow."""
    largest = float(np.abs(values).max())
    scaled = values / largest if largest > 0 else values
    return np.asarray(scaled - scaled.mean())
