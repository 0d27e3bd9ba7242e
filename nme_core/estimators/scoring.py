"""What scikit-learn asks of an estimator: a score, and which arguments go with the rows."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import is_regressor
from sklearn.exceptions import NotFittedError as SklearnNotFittedError
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import Tags

from nme_core import exceptions
from nme_core.estimators.inputs import Table, needed
from nme_core.estimators.outcomes import labels_as_text
from nme_core.exceptions import OptionError


class NotFittedError(exceptions.NotFittedError, SklearnNotFittedError):  # type: ignore[misc]
    """The model was asked for something that only a fitted model has."""


class Scored:
    """Mixin of the models: `score`, tags, and metadata routing: ``groups`` reach fit and score.

    With ``sklearn.set_config(enable_metadata_routing=True)``, ``cross_val_score(model, X, y,
    params={"groups": groups})``, ``GridSearchCV`` and a ``Pipeline`` hand each part of the rows
    its people.
    """

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True}
    __metadata_request__score: ClassVar[dict[str, bool]] = {"groups": True}

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.allow_nan = True
        return tags

    def score(
        self,
        X: Table,
        y: ArrayLike,
        groups: Table | None = None,
        *,
        level: str = "person",
        sample_weight: ArrayLike | None = None,
        **context: ArrayLike | None,
    ) -> float:
        """R² of numbers and counts; share of right predictions of classes, and of states on the
        most probable path (Viterbi).

        Parameters
        ----------
        X, y
            Rows and their outcomes; rows whose outcome is missing do not count.
        groups : array, shape (n,) or (n, G)
            Person of each row.
        level : {"person", "population"}
            As in ``predict``; the population needs no groups.
        sample_weight : array, shape (n,), optional
            How much each row counts.
        **context
            What else ``predict`` takes, such as ``sequence_ids``.

        Raises
        ------
        OptionError
            No groups are given at the level of the persons.
        """
        if groups is None and level == "person":
            raise OptionError(
                "A score needs the person of each row.",
                remedy="Call score(X, y, groups=…), or level='population'; in cross_val_score and "
                "GridSearchCV: sklearn.set_config(enable_metadata_routing=True) and "
                "params={'groups': …}.",
            )
        needed(y=y)
        predicted = self.predict(X, groups, level=level, **context)  # type: ignore[attr-defined]
        outcome = np.asarray(y, dtype=None if is_regressor(self) else object)
        known = ~pd.isna(outcome)
        how = r2_score if is_regressor(self) else accuracy_score
        kind = pd.to_numeric if is_regressor(self) else labels_as_text
        weight = None if sample_weight is None else np.asarray(sample_weight)[known]
        observed, predicted = kind(outcome[known]), kind(predicted[known])
        return float(how(observed, predicted, sample_weight=weight))
