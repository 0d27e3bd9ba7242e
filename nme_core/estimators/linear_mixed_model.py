"""The linear mixed model as a model among the others: the baseline ``lme``."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from nme_core.batches.scaling import FeatureScaler
from nme_core.estimators.encoding import RowEncoder
from nme_core.estimators.families import Number
from nme_core.estimators.inputs import (
    Table,
    check_lengths,
    read_features,
    read_groups,
)
from nme_core.estimators.random_structure import richest_fit
from nme_core.estimators.scoring import NotFittedError
from nme_core.exceptions import (
    FallbackWarning,
    OptionError,
)
from nme_core.training import Progress, Verdict
from nme_core.training.likelihood import EXACT, Likelihood

INTERCEPT = "intercept"
#: A column whose part that the others do not explain is a smaller share than this is left out.
_COLLINEAR = 1e-6


class LinearMixedModel(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Linear mixed model for a number, fitted by statsmodels' MixedLM (maximum likelihood).

    Of more than `BY_MIXEDLM` persons the same maximum is found without it.

        y_ij = x_ijᵀ (β + b_i) + ε_ij,    b_i ~ N(0, Σ),    ε_ij ~ N(0, σ²),    x = (features, 1)

    Every person has an intercept of their own, and a slope of every feature as far as the data can
    tell: a feature that varies within at least two persons, and a Σ with no more numbers than there
    are persons, for no more random effects than rows (the rule of lme4). Σ is full; where that has
    too many numbers or its fit does not converge, the slopes are uncorrelated; where that fails
    too, there is a random intercept alone. Each step down is a FallbackWarning. Missing features
    are their mean, beside an indicator, as in the other models; indicators have no slopes of
    persons.

    Attributes
    ----------
    fixed_effects_ : Series
        β by feature and ``intercept``, in units of the data; NaN for a feature that was left out.
    random_effects_ : DataFrame, person × effect
        Conditional means of b_i.
    random_effects_cov_ : DataFrame
        Σ.
    residual_variance_, log_likelihood_ : float
        σ² and log L, of the data in their own units.
    structure_ : str
        In words, which effects are random.
    groups_ : array of str
        Persons.
    history_ : DataFrame
        One row per step of the search; the loss is −2 log L per row, standardised.
    verdict_ : str
        How the fit ended.
    """

    def fit(
        self,
        X: Table,
        y: ArrayLike,
        *,
        groups: ArrayLike,
        validation: tuple[Any, ...] | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Self:
        """Fit to rows X, (n, F) (NaN: missing), outcome y, (n,), persons groups, (n,).

        Parameters
        ----------
        validation : tuple, optional
            Not looked at: there is nothing to tune.
        progress : callable, optional
            Called with a `Progress` after each step; what it raises stops the fit.

        Raises
        ------
        DataError
            If the rows cannot be used as they are.
        OptionError
            If there are several grouping factors.
        TrainingError
            If MixedLM breaks off even with a random intercept alone.

        Warns
        -----
        FallbackWarning, BoundaryWarning, SingularWarning, ConvergenceWarning
        """
        table, names = read_features(X)
        check_lengths(len(table[0]), y=y, groups=groups)
        factors = read_groups(groups)
        if len(factors) > 1:
            raise OptionError(
                "The linear mixed model takes one grouping factor.",
                remedy="Leave out the further groups, or the baseline lme.",
            )
        persons = factors[0].sorted()
        outcome = Number.learned(y)
        self._encoder = RowEncoder(
            FeatureScaler.learn(table, names), {persons.name: np.array(persons.levels)}, outcome
        )
        design = _with_ones(self._encoder.scaler.transform(table))
        self._kept = _independent(design)
        self._name_left_out()
        history: list[Progress] = []
        follow = _following(history, progress)
        inputs = [self._names[k] for k in self._kept]
        n_slopes = sum(k < len(names) for k in self._kept)
        found, structure = richest_fit(
            design[:, self._kept], outcome.precise(y), persons.codes, inputs, n_slopes, follow
        )
        self._found, self._random = found, [self._kept[k] for k in structure.columns]
        self._correlated = structure.correlated
        self.structure_, self.history_ = structure.words, _table(history)
        self.verdict_ = (Verdict.CONVERGED if found.converged else Verdict.LIMIT).value
        self.n_epochs_, self._n_rows = len(history), len(design)
        return self

    def _name_left_out(self) -> None:
        out = [name for k, name in enumerate(self._names) if k not in self._kept]
        if out:
            warnings.warn(
                f"{', '.join(map(repr, out))} had no effect estimated in the linear mixed model:"
                " constant, or a combination of other features.",
                FallbackWarning,
                stacklevel=3,
            )

    def predict(
        self, X: Table, groups: ArrayLike | None = None, *, level: str = "person"
    ) -> NDArray[np.float64]:
        """Predict the outcome, shape (n,); ``level="population"`` sets b = 0, as does "average".

        Raises
        ------
        UnknownPersonError
            For a person that the model was not fitted on, unless for the population.
        """
        self._check_fitted()
        table, factors = self._encoder.read(X, groups, level)
        design = _with_ones(self._encoder.scaler.transform(table))
        values = design[:, self._kept] @ self._found.fixed
        if factors is not None:
            codes = factors[0].codes_in(self._encoder.index[0])
            values = values + (design[:, self._random] * self._found.effects[codes]).sum(axis=1)
        return self._encoder.outcome.decode(values)

    def _check_fitted(self) -> None:
        if "_found" not in vars(self):
            raise NotFittedError(self)

    # What comes out, in units of the data.

    @property
    def _names(self) -> list[str]:
        return [*self._encoder.scaler.input_names, INTERCEPT]

    def _to_data(self) -> NDArray[np.float64]:
        """Matrix that takes coefficients of (inputs, 1), standardised, to units of the data."""
        scaler = self._encoder.scaler
        sd = np.concatenate([scaler.sd, np.ones(len(scaler.flagged))])
        mean = np.concatenate([scaler.mean, np.zeros(len(scaler.flagged))])
        matrix = np.diag(np.append(1 / sd, 1.0))
        matrix[-1, :-1] = -mean / sd
        return matrix * self._encoder.outcome.scale[1]

    @property
    def groups_(self) -> NDArray[np.str_]:
        """Persons, in the order of the random effects."""
        self._check_fitted()
        return next(iter(self._encoder.factors.values()))

    @property
    def fixed_effects_(self) -> pd.Series:
        """β by feature and ``intercept``."""
        self._check_fitted()
        values = np.zeros(len(self._names))
        values[self._kept] = self._found.fixed
        values = self._to_data() @ values
        values[-1] += self._encoder.outcome.scale[0]
        out = [k for k in range(len(values)) if k not in self._kept]
        values[out] = np.nan
        return pd.Series(values, index=self._names, name="estimate")

    @property
    def _moved(self) -> tuple[list[str], NDArray[np.float64]]:
        """Names of the random effects in units of the data, and the map to them."""
        places = sorted({*self._random, len(self._names) - 1})
        names = [self._names[k] for k in places]
        return names, self._to_data()[np.ix_(places, self._random)]

    @property
    def random_effects_(self) -> pd.DataFrame:
        """Conditional means of b_i, person × effect."""
        self._check_fitted()
        names, matrix = self._moved
        index = pd.Index(self.groups_, name="person", dtype="str")
        return pd.DataFrame(self._found.effects @ matrix.T, index=index, columns=names)

    @property
    def random_effects_cov_(self) -> pd.DataFrame:
        """Σ, effect × effect."""
        self._check_fitted()
        names, matrix = self._moved
        return pd.DataFrame(matrix @ self._found.sigma @ matrix.T, index=names, columns=names)

    @property
    def residual_variance_(self) -> float:
        """σ²."""
        self._check_fitted()
        return self._found.residual_variance * self._encoder.outcome.scale[1] ** 2

    @property
    def log_likelihood_(self) -> float:
        """Log L at the maximum."""
        self._check_fitted()
        return self.likelihood().value

    def likelihood(self) -> Likelihood:
        """Maximum of the likelihood, of the data in their own units."""
        self._check_fitted()
        size, correlated = len(self._found.sigma), self._correlated
        n_variances = size * (size + 1) // 2 if correlated else size
        n_parameters = len(self._found.fixed) + n_variances + 1
        found = Likelihood(self._found.log_likelihood, n_parameters, self._n_rows, EXACT)
        return found.in_units(self._encoder.outcome.scale[1])


def _with_ones(inputs: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.column_stack([inputs, np.ones(len(inputs))]).astype(np.float64)


def _independent(design: NDArray[np.float64]) -> list[int]:
    """Columns that the intercept (last) and those before them do not explain, in order."""
    left = design.T @ design
    size, kept = np.diag(left).copy(), []
    for k in [left.shape[0] - 1, *range(left.shape[0] - 1)]:
        if left[k, k] > _COLLINEAR * max(size[k], 1.0):
            kept.append(k)
            left = left - np.outer(left[:, k], left[k]) / left[k, k]
    return sorted(kept)


def _following(
    history: list[Progress], progress: Callable[[Progress], None] | None
) -> Callable[[float], None]:
    """Return what records the steps."""
    start = time.monotonic()

    def follow(deviance: float) -> None:
        history.append(
            Progress(
                epoch=len(history) + 1,
                fraction=min(0.99, len(history) / 50),
                train_loss=deviance,
                validation_loss=None,
                residual_variance=float("nan"),
                mean_random_variance=float("nan"),
                seconds=time.monotonic() - start,
            )
        )
        if progress is not None:
            progress(history[-1])

    return follow


def _table(history: list[Progress]) -> pd.DataFrame:
    return pd.DataFrame([vars(row) for row in history]).astype({"validation_loss": float})
