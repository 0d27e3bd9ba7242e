"""NME-MLP: a multilayer perceptron with person-specific parameters, for numbers and classes."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Self, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, RegressorMixin, clone
from torch import Tensor, nn

from nme_core.batches.sequences import Batch
from nme_core.estimators.automatic import check_auto, fit_auto
from nme_core.estimators.base import NeuralMixedEffects
from nme_core.estimators.exact_linear import ExactLinear
from nme_core.estimators.expectation import expected, has_closed_expectation
from nme_core.estimators.inputs import check_lengths
from nme_core.estimators.mixture import Mixture, refit_mixture
from nme_core.estimators.options import (
    AUTO,
    COVARIANCES,
    ESTIMATORS,
    check_linear_options,
)
from nme_core.estimators.outcomes import (
    check_classes,
    check_ordered,
    counts,
    encode_classes,
    numbers,
)
from nme_core.estimators.posterior import DRAWS
from nme_core.estimators.problems import Plan
from nme_core.estimators.residuals import read_times
from nme_core.estimators.scoring import Scored
from nme_core.estimators.stacking import normal_scores
from nme_core.exceptions import DataError, OptionError
from nme_core.nn import MLP, Categorical, Gaussian, Ordinal, OrdinalMLP, Poisson, RowFamily
from nme_core.training import Progress
from nme_core.training.covariance import BLOCKS

#: Smallest density, or probability, whose logarithm is taken.
SMALLEST = 1e-300


class _MLPModel(NeuralMixedEffects):
    """What both NME-MLPs share."""

    #: Outcome families; the first is the default.
    families: tuple[str, ...]

    def _family(self) -> RowFamily:
        raise NotImplementedError

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
        super().__init__(
            hidden,
            placement,
            activation=activation,
            covariance=covariance,
            estimator=estimator,
            pooling=pooling,
            epochs=epochs,
            device=device,
            random_state=random_state,
        )
        self.family = family
        self.shrink = shrink
        self.quadrature = quadrature

    def _plan(self) -> Plan:
        points, shrinks = int(self.quadrature), self.shrink == "inputs"
        return replace(super()._plan(), points=points, shrinks=shrinks)

    def _check_options(self) -> None:
        if self._is_auto:
            check_auto(self)
        super()._check_options()
        check_linear_options(self.hidden, self.shrink, self.quadrature)
        if self.family is not None and self.family not in self.families:
            raise OptionError(
                f"family={self.family!r} does not exist for {type(self).__name__}.",
                remedy=f"Choose from {', '.join(self.families)}.",
            )

    def fit(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        *,
        groups: ArrayLike | pd.DataFrame,
        validation: tuple[Any, ...] | None = None,
        progress: Callable[[Progress], None] | None = None,
        uncertainty: bool = True,
    ) -> Self:
        """Fit to rows X, (n, F) (NaN: missing), outcome y, (n,), persons groups, (n,) or (n, G).

        Parameters
        ----------
        validation : tuple (X, y, groups), optional
            Other rows of the same persons, to watch; ``annealed`` stops early on them.
        progress : callable, optional
            Called with a `Progress` after each epoch; what it raises stops the fit.
        uncertainty : bool
            Whether to take the uncertainty of shared and person-specific parameters together, from
            which intervals come. Predictions and ``random_effects_se_`` do without.

        Raises
        ------
        DataError
            If the rows cannot be used as they are.
        OptionError
            If the model's options do not fit together.
        TrainingError
            If the loss stops being a finite number.
        """
        return self._fit_any(X, y, groups, validation, progress, uncertainty)

    def _fit_any(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        groups: ArrayLike | pd.DataFrame,
        validation: tuple[Any, ...] | None,
        progress: Callable[[Progress], None] | None,
        uncertainty: bool,
        **context: ArrayLike | None,
    ) -> Self:
        """Fit named layers, or a mixture."""
        self._mixture = None
        if not self._is_auto:
            return self._fit(
                X, y, groups, validation=validation, progress=progress, uncertainty=uncertainty,
                **context,
            )  # fmt: skip
        self._check_options()
        rows = (X, y, groups)
        return self._take(fit_auto(self, rows, validation, progress, uncertainty=uncertainty))

    def refit(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        *,
        groups: ArrayLike | pd.DataFrame,
        progress: Callable[[Progress], None] | None = None,
        uncertainty: bool = True,
    ) -> Self:
        """Return a new model, fitted to these rows, with the weights of this fitted mixture.

        A model with named layers is fitted anew. Arguments as in `fit`.
        """
        self._check_fitted()
        new: Self = clone(self)
        if self._mixture is None:
            return new.fit(X, y, groups=groups, progress=progress, uncertainty=uncertainty)
        rows = (X, y, groups)
        return new._take(
            refit_mixture(self._mixture, rows, progress=progress, uncertainty=uncertainty)
        )

    @property
    def _is_auto(self) -> bool:
        return isinstance(self.hidden, str) and self.hidden == AUTO

    @property
    def _widths(self) -> tuple[int, ...]:
        if self._mixture is not None:
            return self._mixture.leader._widths
        return super()._widths

    def _take(self, mixture: Mixture) -> Self:
        """Keep a mixture; what is read off one network is read off its leader."""
        self._forget()
        options = self.get_params()
        state = {name: value for name, value in vars(mixture.leader).items() if name not in options}
        for name, value in state.items():
            setattr(self, name, value)
        self._begin_at, self._quick, self._mixture = None, False, mixture
        return self

    def _packed(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        if self._mixture is None:
            return super()._packed()
        candidates, tensors = self._mixture.packed()
        content = {"model": type(self).__name__, "parameters": self.get_params()}
        return {**content, "candidates": candidates}, tensors

    def _restore(self, content: dict[str, Any], tensors: dict[str, Tensor]) -> Self:
        if "candidates" not in content:
            return super()._restore(content, tensors)
        return self._take(Mixture.unpacked(content["candidates"], tensors))

    def of_persons(self) -> Self:
        """As in `Adaptable`."""
        alone = super().of_persons()
        if self._mixture is not None and alone is not self:
            alone._mixture = self._mixture.change(lambda one: one.of_persons())
        return alone

    def log_score(
        self, X: ArrayLike | pd.DataFrame, y: ArrayLike, groups: ArrayLike | pd.DataFrame
    ) -> NDArray[np.float64]:
        """Log density, or probability, that the model gives each outcome, shape (n,)."""
        raise NotImplementedError

    def _held_out_scores(
        self, candidates: Sequence[_MLPModel], held: tuple[Any, Any, Any]
    ) -> NDArray[np.float64]:
        """What candidates are weighed by, shape (n, n_candidates)."""
        return np.column_stack([one.log_score(*held) for one in candidates])

    def validation_loss(
        self, X: ArrayLike | pd.DataFrame, y: ArrayLike, groups: ArrayLike | pd.DataFrame
    ) -> float:
        """Mean squared error, or log-loss of classes, of these rows."""
        raise NotImplementedError

    def adapt(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        *,
        groups: ArrayLike | pd.DataFrame,
    ) -> Self:
        """Return a new model that also knows persons it was not fitted on.

        Each new person's η is the mode given the person's rows, with all that was learned from the
        others – φ, θ̄, Σ, σ² – held fixed; its standard error comes from the curvature there. This
        model stays as it is.

        Parameters
        ----------
        X : array or DataFrame, shape (n, F)
            Features of the new persons' rows.
        y : array, shape (n,)
            Outcome.
        groups : array, shape (n,)
            Person of each row.

        Raises
        ------
        DataError
            If the model knows one of the persons already, or the rows cannot be used.
        OptionError
            If the model has no random effects, or several grouping factors.

        Warns
        -----
        ConvergenceWarning
            If the mode of a person was not reached.
        """
        if self._mixture is None:
            return self._adapt(X, y, groups)
        adapted = copy.copy(self)
        return adapted._take(self._mixture.change(lambda one: one.adapt(X, y, groups=groups)))

    def simulate(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | pd.DataFrame | None = None,
        *,
        level: str = "person",
        seed: int = 0,
    ) -> Iterator[NDArray[Any]]:
        """Yield outcomes of these rows drawn from the fitted model, shape (n,), once for each of
        64 draws of the parameters from their posterior; arguments of `predict`.
        """
        if self._mixture is not None:
            shares = self._mixture.shares(DRAWS)
            for share, one in zip(shares, self._mixture.candidates, strict=True):
                several = one.model.simulate(X, groups, level=level, seed=seed)
                yield from itertools.islice(several, share)
            return
        batches = self._batches(X, groups, level)
        generator = torch.Generator().manual_seed(seed)
        n_rows, variance = sum(b.n_rows for b in batches), self._posterior.residual_variance
        for outputs in self._outputs(batches, level):
            drawn = torch.empty(n_rows, dtype=torch.float64)
            for batch, output in zip(batches, outputs, strict=True):
                values = self._family().sample(output.double(), variance, generator)
                drawn[batch.rows[batch.mask]] = values[batch.mask].double()
            yield self._decode(drawn.numpy())

    def _decode(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """Return drawn outcomes in units of the data."""
        raise NotImplementedError

    def predict_interval(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | pd.DataFrame,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Ends of 95 % intervals of persons' expected outcome, shape (n,) or (n, n_classes).

        Mean ± 1.96 SD over draws from the posterior of the persons' own parameters and, in a
        network with hidden layers, of the shared ones; in a mixture the spread between candidates
        counts. In the units of ``predict`` or ``predict_proba`` (there held within 0 and 1). How
        far single outcomes lie from what is expected is not part of it. NaN for estimators without
        a posterior.
        """
        if self._mixture is not None:
            centre, spread = self._mixture.moments(lambda one: one._moments(X, groups))
        else:
            centre, spread = self._moments(X, groups)
        half = 1.96 * spread
        return self._shaped(centre - half), self._shaped(centre + half)

    def _moments(
        self, X: ArrayLike | pd.DataFrame, groups: ArrayLike | pd.DataFrame
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and SD of the expected outcome over draws, shape (n, 1) or (n, n_classes) each.

        SD NaN for point estimates.
        """
        batches = self._batches(X, groups, "person")
        moments = self._own_moments(batches)
        size = sum(batch.n_rows for batch in batches), moments[0][0].shape[-1]
        centre, spread = torch.empty(size).double(), torch.empty(size).double()
        for batch, (middle, variance) in zip(batches, moments, strict=True):
            centre[batch.rows[batch.mask]] = middle[batch.mask]
            spread[batch.rows[batch.mask]] = variance.sqrt()[batch.mask]
        return centre.numpy(), spread.numpy()

    def _own_moments(self, batches: list[Batch]) -> list[tuple[Tensor, Tensor]]:
        """Mean and variance of persons' expected outcomes over their own effects, and with hidden
        layers over shared weights, (U, L, K) each, in units of the data; NaN for a point estimate.
        """
        mean = self._family().mean
        if self._is_closed:
            return [
                expected(
                    self._posterior, lambda f: self._in_units(mean(f)), batch, self._dimensions
                )
                for batch in batches
            ]
        sums, n_draws = [(torch.zeros(()), torch.zeros(())) for _ in batches], 0
        draws = self._outputs(batches, "person")
        if not self._widths:
            draws = self._posterior.own_outputs(batches, seed=self.random_state)
        for outputs in draws:
            values = [self._in_units(mean(output.double())) for output in outputs]
            sums = [(s + v, q + v.square()) for (s, q), v in zip(sums, values, strict=True)]
            n_draws += 1
        unknown = torch.nan if n_draws == 1 else 0.0
        return [
            (s / n_draws, (q / n_draws - (s / n_draws).square()).clamp_min(0) + unknown)
            for s, q in sums
        ]

    @property
    def _is_closed(self) -> bool:
        """Whether expectations over persons' effects need no draws."""
        return not self.hidden and has_closed_expectation(self._posterior, self._dimensions)

    @property
    def _dimensions(self) -> int:
        """In how many directions the predictors of a row can vary."""
        return max(1, len(self._scored_classes()) - 1)

    def _in_units(self, values: Tensor) -> Tensor:
        """Expected outcomes in the units of the data."""
        return values

    def _shaped(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Ends of intervals as `predict_interval` returns them."""
        raise NotImplementedError

    def _rows_out(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | pd.DataFrame | None,
        level: str,
    ) -> NDArray[np.float64]:
        """Posterior mean of the expected outcome, in the order of the rows, (n, 1) or (n, K)."""
        if self._mixture is not None:
            return self._mixture.mean(lambda one: one._rows_out(X, groups, level))
        batches = self._batches(X, groups, level)
        mean = self._family().mean
        if self._is_closed and level == "person":
            means = [
                expected(self._posterior, mean, batch, self._dimensions)[0] for batch in batches
            ]
        elif self._is_closed:
            outputs = (self._posterior.mean_output(batch, persons=False) for batch in batches)
            means = [mean(output.double()) for output in outputs]
        else:
            sums, n_draws = [torch.zeros(()) for _ in batches], 0
            for drawn in self._outputs(batches, level):
                sums = [s + mean(o.double()) for s, o in zip(sums, drawn, strict=True)]
                n_draws += 1
            means = [one / n_draws for one in sums]
        result = torch.empty(sum(b.n_rows for b in batches), means[0].shape[-1]).double()
        for batch, part in zip(batches, means, strict=True):
            result[batch.rows[batch.mask]] = part[batch.mask]
        values: NDArray[np.float64] = result.numpy()
        return values


class NMEMLPRegressor(Scored, RegressorMixin, ExactLinear, _MLPModel):  # type: ignore[misc]
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
    family : {"gaussian", "poisson"}, optional
        Default: gaussian. "poisson" is for counts: log E y is the network's output.
    covariance : {"diagonal", "full", "blocks"}
        Structure of the random effects' covariance Σ; "blocks": slopes may covary with each other
        and not with the intercept, for ``hidden=()`` with Gaussian residuals.
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
        not. "auto" estimates ρ where `fit` is given times. For ``hidden=()``.
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
    """

    families = ("gaussian", "poisson")
    estimators = (*ESTIMATORS, "em")
    covariances = (*COVARIANCES, BLOCKS)

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
        residual: str = "auto",
        reml: bool = False,
        shrink: str = "none",
        quadrature: int = 1,
        device: str = "cpu",
        random_state: int = 0,
    ) -> None:
        super().__init__(
            hidden,
            placement,
            activation=activation,
            family=family,
            covariance=covariance,
            estimator=estimator,
            pooling=pooling,
            epochs=epochs,
            shrink=shrink,
            quadrature=quadrature,
            device=device,
            random_state=random_state,
        )
        self.residual = residual
        self.reml = reml

    def _check_options(self) -> None:
        super()._check_options()
        self._check_linear()
        if self.estimator == "em" and (self.family == "poisson" or self.placement != "last"):
            raise OptionError(
                "em is for Gaussian residuals and a person-specific last layer.",
                remedy='Use placement="last" without a family, or estimator="variational".',
            )

    def fit(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        *,
        groups: ArrayLike | pd.DataFrame,
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
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | pd.DataFrame | None = None,
        *,
        level: str = "person",
    ) -> NDArray[np.float64]:
        """Predict the outcome (of counts, the mean), shape (n,), in its own units.

        With ``level="person"`` each row needs a person that the model was fitted on
        (UnknownPersonError else); ``level="population"`` sets η = 0.
        """
        values = self._rows_out(X, groups, level)[:, 0]
        if self.family == "poisson":
            return values
        mean, sd = self._outcome_scale()
        return values * sd + mean

    def probability_integral(
        self, X: ArrayLike | pd.DataFrame, y: ArrayLike, groups: ArrayLike | pd.DataFrame
    ) -> NDArray[np.float64]:
        """Probability that the model gave to an outcome below the one observed, shape (n,).

        F(y_ij), averaged over the posterior of the parameters: uniform between 0 and 1 where the
        predictive distribution is right (Dawid 1984). For counts a uniform draw between F(y − 1)
        and F(y), with the model's seed (Czado, Gneiting & Held 2009).
        """
        if self._mixture is not None:
            return self._mixture.mean(
                lambda one: cast(NMEMLPRegressor, one).probability_integral(X, y, groups)
            )
        batches = self._batches(X, groups, "person")
        encoded = torch.from_numpy(self._encode_outcome(y)).double()
        check_lengths(sum(batch.n_rows for batch in batches), y=encoded)
        random = torch.Generator().manual_seed(int(self.random_state))
        mixing = torch.rand(len(encoded), generator=random, dtype=torch.float64)
        total, n_draws = torch.zeros_like(encoded), 0
        for outputs in self._outputs(batches, "person"):
            n_draws += 1
            for batch, output in zip(batches, outputs, strict=True):
                rows = batch.rows[batch.mask]
                mean = self._family().mean(output.double())[batch.mask].squeeze(-1)
                total[rows] += self._below(encoded[rows], mean, mixing[rows])
        values: NDArray[np.float64] = (total / n_draws).numpy()
        return values

    def log_score(
        self, X: ArrayLike | pd.DataFrame, y: ArrayLike, groups: ArrayLike | pd.DataFrame
    ) -> NDArray[np.float64]:
        """Log density of each outcome in its own units, averaged over the posterior, shape (n,)."""
        if self._mixture is not None:
            density = self._mixture.mean(lambda one: np.exp(one.log_score(X, y, groups)))
            return np.asarray(np.log(density.clip(SMALLEST)))
        batches = self._batches(X, groups, "person")
        encoded = torch.from_numpy(self._encode_outcome(y)).double()
        check_lengths(sum(batch.n_rows for batch in batches), y=encoded)
        total, n_draws = torch.full_like(encoded, -torch.inf), 0
        for outputs in self._outputs(batches, "person"):
            n_draws += 1
            for batch, output in zip(batches, outputs, strict=True):
                rows = batch.rows[batch.mask]
                mean = self._family().mean(output.double())[batch.mask].squeeze(-1)
                total[rows] = torch.logaddexp(total[rows], self._log_density(encoded[rows], mean))
        values: NDArray[np.float64] = (total - np.log(n_draws)).numpy()
        return values if self.family == "poisson" else values - np.log(self._outcome_scale()[1])

    def _held_out_scores(
        self, candidates: Sequence[_MLPModel], held: tuple[Any, Any, Any]
    ) -> NDArray[np.float64]:
        if self.family == "poisson":
            return super()._held_out_scores(candidates, held)
        X, y, groups = held
        predicted = [cast(NMEMLPRegressor, one).predict(X, groups) for one in candidates]
        return normal_scores(np.column_stack(predicted) - numbers(y)[:, None])

    def _log_density(self, y: Tensor, mean: Tensor) -> Tensor:
        """Log density of each row's outcome, standardised."""
        if self.family == "poisson":
            return torch.xlogy(y, mean) - mean - torch.lgamma(y + 1)
        variance = self._posterior.residual_variance
        density: Tensor = -0.5 * ((y - mean).square() / variance + np.log(2 * np.pi * variance))
        return density

    def validation_loss(
        self, X: ArrayLike | pd.DataFrame, y: ArrayLike, groups: ArrayLike | pd.DataFrame
    ) -> float:
        """As in `_MLPModel`."""
        return float(np.square(self.predict(X, groups) - numbers(y)).mean())

    def _below(self, y: Tensor, mean: Tensor, mixing: Tensor) -> Tensor:
        """F(y) of each row; of a count between F(y − 1) and F(y) by `mixing`."""
        if self.family == "poisson":
            upper = torch.special.gammaincc(y + 1, mean)
            lower = torch.where(y > 0, torch.special.gammaincc(y.clamp_min(1), mean), 0.0)
            within: Tensor = lower + mixing * (upper - lower)
            return within
        below: Tensor = torch.special.ndtr((y - mean) / self._posterior.residual_variance**0.5)
        return below

    def _decode(self, values: NDArray[np.float64]) -> NDArray[Any]:
        if self.family == "poisson":
            return values
        mean, sd = self._outcome_scale()
        return values * sd + mean

    def _in_units(self, values: Tensor) -> Tensor:
        if self.family == "poisson":
            return values
        mean, sd = self._outcome_scale()
        return values * sd + mean

    def _shaped(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values[:, 0]

    def _learn_outcome(self, y: ArrayLike) -> None:
        values = counts(y) if self.family == "poisson" else numbers(y)
        self._scale = (float(values.mean()), float(values.std()))
        if self._scale[1] <= 1e-12 * max(1.0, abs(self._scale[0])):
            raise DataError("The outcome is constant; there is nothing to predict.")
        if self.family == "poisson":
            self._scale = (float(np.log(self._scale[0])), 1.0)

    def _encode_outcome(self, y: ArrayLike) -> NDArray[np.float32]:
        if self.family == "poisson":
            return counts(y).astype(np.float32)
        return self._standardised(y).astype(np.float32)

    def _standardised(self, y: ArrayLike) -> NDArray[np.float64]:
        mean, sd = self._scale
        return (numbers(y) - mean) / sd

    def _precise_outcome(self, y: ArrayLike) -> NDArray[np.float64] | None:
        return None if self.family == "poisson" else self._standardised(y)

    def _no_outcome(self, n: int) -> NDArray[Any]:
        return np.zeros(n, dtype=np.float32)

    def _network(self, n_inputs: int) -> nn.Module:
        return MLP(n_inputs, self._widths, 1, self._activation())

    def _family(self) -> RowFamily:
        return Poisson(self._scale[0]) if self.family == "poisson" else Gaussian()

    def _outcome_scale(self) -> tuple[float, float]:
        return self._scale

    def _outcome_state(self) -> dict[str, Any]:
        return {"mean": self._scale[0], "sd": self._scale[1], **self._process_state()}

    def _restore_outcome(self, outcome: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self._scale = (outcome["mean"], outcome["sd"])
        self._restore_process(outcome, tensors)


class NMEMLPClassifier(Scored, ClassifierMixin, _MLPModel):  # type: ignore[misc]
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
        """Probability of each class, shape (n, n_classes), in the order of ``classes_``."""
        return self._rows_out(X, groups, level)

    def _shaped(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values.clip(0, 1)

    def log_score(
        self, X: ArrayLike | pd.DataFrame, y: ArrayLike, groups: ArrayLike | pd.DataFrame
    ) -> NDArray[np.float64]:
        """As in `_MLPModel`."""
        codes, probabilities = self._encode_outcome(y), self.predict_proba(X, groups)
        check_lengths(len(probabilities), y=codes)
        own = np.take_along_axis(probabilities, codes[:, None], axis=1)[:, 0]
        return np.asarray(np.log(own.clip(SMALLEST)))

    def validation_loss(
        self, X: ArrayLike | pd.DataFrame, y: ArrayLike, groups: ArrayLike | pd.DataFrame
    ) -> float:
        """As in `_MLPModel`."""
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
