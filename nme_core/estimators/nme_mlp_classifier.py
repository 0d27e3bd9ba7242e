"""NME-MLP for a class: a multilayer perceptron with person-specific parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin

from nme_core.estimators.families import CLASSES, Class
from nme_core.estimators.inputs import Table, check_lengths
from nme_core.estimators.mlp_model import SMALLEST, MLPModel
from nme_core.estimators.options import AUTO
from nme_core.estimators.scoring import Scored


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
    classes_ : array
        Classes, sorted; ordinal ones from low to high: numbers as they were given, all else as
        text.
    """

    families = CLASSES

    def __init__(
        self,
        hidden: str | Sequence[int] = AUTO,
        placement: str | Sequence[str] = "last",
        *,
        activation: str | None = None,
        family: str | None = None,
        covariance: str = "diagonal",
        estimator: str = "variational",
        pooling: str = "partial",
        epochs: int | None = None,
        shrink: str = "none",
        quadrature: int = 1,
        device: str = "cpu",
        random_state: int = 0,
    ) -> None:
        self.hidden = hidden
        self.placement = placement
        self.activation = activation
        self.covariance = covariance
        self.estimator = estimator
        self.pooling = pooling
        self.epochs = epochs
        self.device = device
        self.random_state = random_state
        self.family = family
        self.shrink = shrink
        self.quadrature = quadrature

    @property
    def classes_(self) -> NDArray[Any]:
        """Classes, sorted; ordinal ones from low to high."""
        self._check_fitted()
        return cast(Class, self._outcome).classes

    def predict_proba(
        self, X: Table, groups: Table | None = None, *, level: str = "person"
    ) -> NDArray[np.float64]:
        """Probability of each class, shape (n, n_classes), in the order of ``classes_``.

        ``level="population"`` sets η = 0: a typical person. ``level="average"`` takes the average
        over all people, which is nearer to equal shares.
        """
        return self._expected(X, groups, level)

    def _shaped(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values.clip(0, 1)

    def log_score(self, X: Table, y: ArrayLike, groups: Table) -> NDArray[np.float64]:
        """Log probability of each outcome, averaged over the posterior, shape (n,)."""
        codes, probabilities = self._outcome.encode(y), self.predict_proba(X, groups)
        check_lengths(len(probabilities), y=codes)
        own = np.take_along_axis(probabilities, codes[:, None], axis=1)[:, 0]
        return np.asarray(np.log(own.clip(SMALLEST)))

    def validation_loss(self, X: Table, y: ArrayLike, groups: Table) -> float:
        """Log-loss of these rows."""
        return float(-self.log_score(X, y, groups).mean())

    def predict(
        self, X: Table, groups: Table | None = None, *, level: str = "person"
    ) -> NDArray[Any]:
        """Most probable of ``classes_`` for each row, shape (n,); `level` as in NMEMLPRegressor."""
        chosen: NDArray[Any] = self.classes_[
            self.predict_proba(X, groups, level=level).argmax(axis=1)
        ]
        return chosen
