"""NME-MLP for a class: a multilayer perceptron with person-specific parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from torch import Tensor, nn

from nme_core.estimators.inputs import check_lengths
from nme_core.estimators.mlp_model import SMALLEST, MLPModel
from nme_core.estimators.outcomes import check_classes, check_ordered, encode_classes
from nme_core.estimators.scoring import Scored
from nme_core.nn import MLP, Categorical, Ordinal, OrdinalMLP, RowFamily


class NMEMLPClassifier(Scored, ClassifierMixin, MLPModel):  # type: ignore[misc]
    """NME-MLP for a class, by softmax or, for ordered ones, cumulative logits (arXiv 2306.08149).

    Parameters and attributes as in `NMEMLPRegressor`; ``residual_variance_`` is 1.

    Parameters
    ----------
    family : {"categorical", "ordinal"}, optional
        Default: categorical. "ordinal" is for classes that have an order: numbers, or an ordered
        pandas Categorical.

    Attributes
    ----------
    classes_ : array of str
        Classes, sorted; ordinal ones from low to high.
    """

    families = ("categorical", "ordinal")

    def predict_proba(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | pd.DataFrame | None = None,
        *,
        level: str = "person",
    ) -> NDArray[np.float64]:
        """Probability of each class, shape (n, n_classes), in the order of ``classes_``.

        ``level="population"`` sets η = 0: a typical person. ``level="average"`` takes the average
        over all people, which is nearer to equal shares.
        """
        return self._rows_out(X, groups, level)

    def _shaped(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values.clip(0, 1)

    def log_score(
        self, X: ArrayLike | pd.DataFrame, y: ArrayLike, groups: ArrayLike | pd.DataFrame
    ) -> NDArray[np.float64]:
        """Log probability of each outcome, averaged over the posterior, shape (n,)."""
        codes, probabilities = self._encode_outcome(y), self.predict_proba(X, groups)
        check_lengths(len(probabilities), y=codes)
        own = np.take_along_axis(probabilities, codes[:, None], axis=1)[:, 0]
        return np.asarray(np.log(own.clip(SMALLEST)))

    def validation_loss(
        self, X: ArrayLike | pd.DataFrame, y: ArrayLike, groups: ArrayLike | pd.DataFrame
    ) -> float:
        """Log-loss of these rows."""
        return float(-self.log_score(X, y, groups).mean())

    def predict(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | pd.DataFrame | None = None,
        *,
        level: str = "person",
    ) -> NDArray[np.str_]:
        """Most probable class of each row, shape (n,), as text; `level` as in NMEMLPRegressor."""
        chosen: NDArray[np.str_] = self.classes_[
            self.predict_proba(X, groups, level=level).argmax(axis=1)
        ]
        return chosen

    def _decode(self, values: NDArray[np.float64]) -> NDArray[Any]:
        states: NDArray[np.str_] = self.classes_[values.astype(np.int64)]
        return states

    def _learn_outcome(self, y: ArrayLike) -> None:
        if self.family == "ordinal":
            self.classes_ = check_ordered(y)
        else:
            self.classes_ = check_classes(y, missing_allowed=False)

    def _encode_outcome(self, y: ArrayLike) -> NDArray[np.int64]:
        return encode_classes(y, self.classes_)

    def _network(self, n_inputs: int) -> nn.Module:
        if self.family == "ordinal":
            return OrdinalMLP(n_inputs, self._widths, len(self.classes_), self._activation())
        return MLP(n_inputs, self._widths, len(self.classes_) - 1, self._activation())

    def _family(self) -> RowFamily:
        return Ordinal() if self.family == "ordinal" else Categorical(len(self.classes_))

    def _scored_classes(self) -> list[str]:
        return [] if self.family == "ordinal" else [str(label) for label in self.classes_]

    def _outcome_state(self) -> dict[str, Any]:
        return {"classes": self.classes_.tolist()}

    def _restore_outcome(self, outcome: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self.classes_ = np.array(outcome["classes"])
