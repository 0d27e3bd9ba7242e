"""NME-MLP for a number or a count: a multilayer perceptron with person-specific parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.estimators.exact_linear import ExactLinear
from nme_core.estimators.families import NUMERIC, DispersedCount
from nme_core.estimators.inputs import Table, check_lengths
from nme_core.estimators.mlp_model import SMALLEST, MLPModel
from nme_core.estimators.options import AUTO, ESTIMATORS
from nme_core.estimators.outcomes import numbers
from nme_core.estimators.residuals import read_times
from nme_core.estimators.scoring import Scored
from nme_core.exceptions import OptionError
from nme_core.training import PersonInformation, Progress
from nme_core.training.dispersion import Dispersion


class NMEMLPRegressor(Scored, RegressorMixin, ExactLinear, MLPModel):  # type: ignore[misc]
    """NME-MLP for a number, with Gaussian residuals, or a count (arXiv 2306.08149).

    Parameters
    ----------
    hidden : "auto" or sequence of int
        Units of each hidden layer; empty for a linear model. "auto", the default: four candidates
        (linear; 32 units with ReLU or tanh, person-specific where `placement` says; 32 units with
        tanh, person-specific throughout), weighted by the log density that they give rows that are
        held back: those of ``fit(..., validation=...)`` or else each person's last fifth, after
        which the candidates are fitted again to all rows.
    placement : {"first", "last", "all"} or sequence of str
        Which layers, or which named parameters, are person-specific.
    activation : {"relu", "tanh"}, optional
        What stands between named layers; default: relu.
    family : {"gaussian", "poisson", "negative_binomial"}, optional
        Default: gaussian. The others are for counts: log E y is the network's output;
        "negative_binomial" for those that vary more than Poisson's, Var y = μ + μ²/k.
    covariance : {"auto", "diagonal", "full", "blocks", "factor", "factor2"}
        Structure of the random effects' covariance Σ. "auto": full where a linear model estimates
        the residuals' autocorrelation and AIC asks for it (`StructureChoice`), else diagonal. For
        ``hidden=()`` also "blocks": slopes may covary with each other and not with the intercept;
        and "factor" ("factor2"): Σ = L Lᵀ + D, people differ in one (two) traits that show in all
        parameters, and in each by itself; takes three (five) parameters.
    estimator : {"variational", "laplace", "annealed", "em"}
        How the random effects are estimated; see `nme_core.training`. "em" is for the last layer
        of a model with Gaussian residuals (the baseline ``mlp-lme``).
    pooling : {"partial", "complete", "none", "free"}
        "partial" is NME; "complete" is one network for all (the baseline ``generic``); "none" is
        one network per person (``specific``), which needs validation rows; "free" lets the
        persons' deviations go unpenalised (``unregularised``).
    epochs : int, optional
        Exactly so many passes over the data; None: until converged.
    residual : {"auto", "iid", "ar1"}
        Whether a person's residuals remember: correlation ρ^Δt between rows Δt apart ("ar1"), or
        not. "auto" estimates ρ where `fit` is given times, for numbers, one grouping factor and
        ``hidden=()``; networks estimate it with "ar1" alone.
    reml : bool
        Whether variances maximise the restricted likelihood; for ``hidden=()``.
    shrink : {"none", "inputs"}
        "inputs": the coefficients of each feature have a prior N(0, τ²) whose τ² the rows choose,
        so that useless features drop out: for prediction from many features, not for
        interpretation, and without a likelihood. For ``hidden=()`` and one grouping factor.
    quadrature : int
        Points of adaptive Gauss–Hermite quadrature for classes and counts with ``hidden=()`` and
        one random effect; 1: Laplace's approximation.
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
    method_ : str
        How parameters were found: "exact" and "marginal" ("quadrature") maximise the likelihood of
        a linear model, as it is or by Laplace's approximation; else what the estimator does.
    """

    families = NUMERIC
    estimators = (*ESTIMATORS, "em")
    covariances = (AUTO, *MLPModel.covariances)

    def __init__(
        self,
        hidden: str | Sequence[int] = AUTO,
        placement: str | Sequence[str] = "last",
        *,
        activation: str | None = None,
        family: str | None = None,
        covariance: str = AUTO,
        estimator: str = "variational",
        pooling: str = "partial",
        epochs: int | None = None,
        residual: str = "auto",
        reml: bool = False,
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
        self.residual = residual
        self.reml = reml
        self.shrink = shrink
        self.quadrature = quadrature

    def fit(
        self,
        X: Table,
        y: ArrayLike,
        *,
        groups: Table,
        times: ArrayLike | None = None,
        validation: tuple[Any, ...] | None = None,
        progress: Callable[[Progress], None] | None = None,
        uncertainty: bool = True,
    ) -> Self:
        """Fit to rows X, (n, F) (NaN: missing), outcome y, (n,), persons groups, (n,) or (n, G).

        Parameters
        ----------
        times : array, shape (n,), optional
            When each row was taken, numbers or dates: for the residuals' autocorrelation.
        validation, progress, uncertainty
            As in `NMEMLPClassifier.fit`, as are the errors.

        Raises
        ------
        DataError, OptionError, TrainingError
        """
        when = read_times(times)
        return self._fit_any(X, y, groups, validation, progress, uncertainty, times=when)

    def predict(
        self, X: Table, groups: Table | None = None, *, level: str = "person"
    ) -> NDArray[np.float64]:
        """Predict the outcome (of counts, the mean), shape (n,), in its own units.

        With ``level="person"`` each row needs a person that the model was fitted on
        (UnknownPersonError else); ``level="population"`` sets η = 0, a typical person, and
        ``level="average"`` takes the average over all people, which of counts is larger.
        """
        expected = self._expected(X, groups, level)[:, 0]
        return self._outcome.decode(expected)

    def probability_integral(self, X: Table, y: ArrayLike, groups: Table) -> NDArray[np.float64]:
        """Probability that the model gave to an outcome below the one observed, shape (n,).

        F(y_ij), averaged over the posterior of the parameters: uniform between 0 and 1 where the
        predictive distribution is right (Dawid 1984). For counts a uniform draw between F(y − 1)
        and F(y), with the model's seed (Czado, Gneiting & Held 2009).
        """
        if self._mixture is not None:
            return self._mixture.mean(
                lambda one: cast(NMEMLPRegressor, one).probability_integral(X, y, groups)
            )
        below = self._row_outputs().below(*self._with_outcomes(X, y, groups))
        return np.asarray(below.numpy())

    def log_score(self, X: Table, y: ArrayLike, groups: Table) -> NDArray[np.float64]:
        """Log density of each outcome in its own units, averaged over the posterior, shape (n,)."""
        if self._mixture is not None:
            several = self._mixture.mean(lambda one: np.exp(one.log_score(X, y, groups)))
            return np.asarray(np.log(several.clip(SMALLEST)))
        density = self._row_outputs().log_density(*self._with_outcomes(X, y, groups))
        return np.asarray(density.numpy())

    def _with_outcomes(self, X: Table, y: ArrayLike, groups: Table) -> tuple[list[Batch], Tensor]:
        """Rows of people, and their encoded outcomes in double precision."""
        batches = self._batches(X, groups, "person")
        encoded = torch.from_numpy(self._outcome.encode(y)).double()
        check_lengths(sum(batch.n_rows for batch in batches), y=encoded)
        return batches, encoded

    def validation_loss(self, X: Table, y: ArrayLike, groups: Table) -> float:
        """Mean squared error of these rows."""
        return float(np.square(self.predict(X, groups) - numbers(y)).mean())

    def _shaped(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        numbers = values[:, 0]
        return numbers if self._family().has_residual_variance else numbers.clip(min=0.0)

    def _after_fit(self, batches: list[Batch], information: PersonInformation | None) -> None:
        if self.pooling == "partial":
            self._outcome.judge(self._row_outputs().fitted(batches))

    @property
    def has_dispersion(self) -> bool:
        """Whether the family has a `dispersion_`."""
        return issubclass(self._outcomes, DispersedCount)

    @property
    def dispersion_(self) -> Dispersion:
        """Size k of a negative binomial, Var y = μ + μ²/k; of a mixture its leader's.

        Raises
        ------
        OptionError
            Of another family.
        """
        self._check_fitted()
        if not isinstance(self._outcome, DispersedCount):
            raise OptionError(
                f"{self.family or 'gaussian'} has no dispersion to estimate.",
                remedy='Use family="negative_binomial".',
            )
        return self._outcome.dispersion
