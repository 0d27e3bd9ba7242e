"""NME-MLP: a multilayer perceptron with person-specific parameters, for numbers and classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from torch import Tensor, nn

from nme_core.estimators.base import NeuralMixedEffects
from nme_core.estimators.outcomes import check_classes, encode_classes
from nme_core.exceptions import DataError
from nme_core.nn import MLP, Categorical, Family, Gaussian
from nme_core.training import Progress


class _MLPModel(NeuralMixedEffects):
    """What both NME-MLPs share."""

    def fit(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        *,
        groups: ArrayLike,
        validation: tuple[ArrayLike, ArrayLike, ArrayLike] | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Self:
        """Fit to rows X, shape (n, F) (NaN: missing), outcome y, (n,), persons groups, (n,).

        Parameters
        ----------
        validation : tuple (X, y, groups), optional
            Other rows of the same persons, to watch; ``annealed`` stops early on them.
        progress : callable, optional
            Called with a `Progress` after each epoch; what it raises stops the fit.

        Raises
        ------
        DataError
            If the rows cannot be used as they are.
        OptionError
            If the model's options do not fit together.
        TrainingError
            If the loss stops being a finite number.
        """
        return self._fit(X, y, groups, validation=validation, progress=progress)

    def _rows_out(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | None,
        level: str,
        transform: Callable[[Tensor], Tensor],
    ) -> NDArray[np.float64]:
        """Posterior mean of the transformed network output, in the order of the rows, (n, O)."""
        batches, n_draws = self._batches(X, groups, level), 0
        sums = [torch.zeros(()) for _ in batches]
        for outputs in self._outputs(batches, level):
            sums = [s + transform(o.double()) for s, o in zip(sums, outputs, strict=True)]
            n_draws += 1
        result = torch.empty(sum(b.n_rows for b in batches), sums[0].shape[-1]).double()
        for batch, part in zip(batches, sums, strict=True):
            result[batch.rows[batch.mask]] = part[batch.mask] / n_draws
        values: NDArray[np.float64] = result.numpy()
        return values


class NMEMLPRegressor(RegressorMixin, _MLPModel):  # type: ignore[misc]
    """NME-MLP for a number, with Gaussian residuals (arXiv 2306.08149).

    Parameters
    ----------
    hidden : sequence of int
        Units of each hidden layer (ReLU); empty for a linear model.
    placement : {"first", "last", "all"} or sequence of str
        Which layers, or which named parameters, are person-specific.
    covariance : {"diagonal", "full"}
        Structure of the random effects' covariance Σ.
    estimator : {"variational", "annealed"}
        How the random effects are estimated; see `nme_core.training`.
    pooling : {"partial", "complete", "none"}
        "partial" is NME; "complete" is one network for all (the baseline ``generic``); "none" is
        one network per person (``specific``), which needs validation rows.
    epochs : int, optional
        Exactly so many passes over the data; None: until converged.
    device : {"cpu", "cuda", "auto"}
        Where to train.
    random_state : int
        Seed of the start and of the draws.

    Attributes
    ----------
    fixed_effects_, random_effects_, random_effects_cov_, random_effects_se_, reliability_
        See the properties. Standardised, but in units of the data for ``hidden=()``.
    residual_variance_ : float
        σ² in squared units of the outcome; 1 for classes.
    groups_ : array of str
        Persons; n_obs_ has their numbers of rows.
    history_ : DataFrame
        One row per epoch; losses per row in standardised units.
    verdict_ : str
        How training ended.
    """

    def predict(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | None = None,
        *,
        level: str = "person",
    ) -> NDArray[np.float64]:
        """Predict the outcome, shape (n,), in its own units.

        With ``level="person"`` each row needs a person that the model was fitted on
        (UnknownPersonError else); ``level="population"`` sets η = 0.
        """
        values = self._rows_out(X, groups, level, lambda output: output)[:, 0]
        mean, sd = self._outcome_scale()
        return values * sd + mean

    def _learn_outcome(self, y: ArrayLike) -> None:
        values = _numbers(y)
        self._scale = (float(values.mean()), float(values.std()))
        if self._scale[1] <= 1e-12 * max(1.0, abs(self._scale[0])):
            raise DataError("The outcome is constant; there is nothing to predict.")

    def _encode_outcome(self, y: ArrayLike) -> NDArray[np.float32]:
        mean, sd = self._scale
        return ((_numbers(y) - mean) / sd).astype(np.float32)

    def _no_outcome(self, n: int) -> NDArray[Any]:
        return np.zeros(n, dtype=np.float32)

    def _network(self, n_inputs: int) -> nn.Module:
        return MLP(n_inputs, self.hidden, 1)

    def _family(self) -> Family:
        return Gaussian()

    def _outcome_scale(self) -> tuple[float, float]:
        return self._scale

    def _outcome_state(self) -> dict[str, Any]:
        return {"mean": self._scale[0], "sd": self._scale[1]}

    def _restore_outcome(self, outcome: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self._scale = (outcome["mean"], outcome["sd"])


class NMEMLPClassifier(ClassifierMixin, _MLPModel):  # type: ignore[misc]
    """NME-MLP for a class, by softmax (arXiv 2306.08149).

    Parameters and attributes as in `NMEMLPRegressor`; ``residual_variance_`` is 1.

    Attributes
    ----------
    classes_ : array of str
        Classes, sorted.
    """

    def predict_proba(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | None = None,
        *,
        level: str = "person",
    ) -> NDArray[np.float64]:
        """Probability of each class, shape (n, n_classes), in the order of ``classes_``."""
        return self._rows_out(X, groups, level, lambda output: torch.softmax(output, dim=-1))

    def predict(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | None = None,
        *,
        level: str = "person",
    ) -> NDArray[np.str_]:
        """Most probable class of each row, shape (n,), as text; `level` as in NMEMLPRegressor."""
        chosen: NDArray[np.str_] = self.classes_[
            self.predict_proba(X, groups, level=level).argmax(axis=1)
        ]
        return chosen

    def _learn_outcome(self, y: ArrayLike) -> None:
        self.classes_ = check_classes(y, missing_allowed=False)

    def _encode_outcome(self, y: ArrayLike) -> NDArray[np.int64]:
        return encode_classes(y, self.classes_)

    def _network(self, n_inputs: int) -> nn.Module:
        return MLP(n_inputs, self.hidden, len(self.classes_))

    def _family(self) -> Family:
        return Categorical()

    def _outcome_state(self) -> dict[str, Any]:
        return {"classes": self.classes_.tolist()}

    def _restore_outcome(self, outcome: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self.classes_ = np.array(outcome["classes"])


def _numbers(y: ArrayLike) -> NDArray[np.float64]:
    """Outcome as numbers; DataError where one is missing or not finite."""
    try:
        values = np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"The outcome is not a number everywhere ({error}).",
            remedy="Use NMEMLPClassifier for classes.",
        ) from error
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise DataError(
            f"The outcome has {bad.size} missing or infinite values, the first in row {bad[0]}.",
            remedy="Leave these rows out.",
            row=int(bad[0]),
        )
    return values
