"""The linear model with Gaussian outcome as a problem among the others: solved, not trained."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.exceptions import ConvergenceWarning
from nme_core.nn import Gaussian, MixedEffects
from nme_core.training.covariance import PATTERNS, RandomEffectsCovariance
from nme_core.training.gaussian_variances import GaussianVariances, integrated_gaussian
from nme_core.training.information import PersonCurvature
from nme_core.training.integrated_covariance import IntegratedCovariance
from nme_core.training.likelihood import EXACT, Likelihood, n_observed
from nme_core.training.linear_autocorrelation import (
    AutocorrelatedFit,
    fit_autocorrelated,
)
from nme_core.training.linear_curvature import Elements, structure_of
from nme_core.training.linear_layout import placed
from nme_core.training.linear_likelihood import Cross
from nme_core.training.linear_mixed import LinearMixedFit, fit_linear_mixed_model
from nme_core.training.linear_search import maximise
from nme_core.training.link import Link, link_of
from nme_core.training.progress import Progress, SearchSteps, Training
from nme_core.training.residual_process import TimedRows
from nme_core.training.shrinkage import learn_variances
from nme_core.training.structure_choice import FULL, StructureChoice, choose_structure
from nme_core.training.sums import Array, Sums
from nme_core.training.variance_interval import VarianceInterval, asked_of_each
from nme_core.training.weak_prior import explained_inputs, prior_precision


class LinearGaussian:
    """The linear model with Gaussian outcome: its likelihood has a closed form and is maximised.

    Offers what `Problem` offers once it is trained; `solve` takes the place of the loop. Columns
    that the rows cannot tell apart get the prior of `weak_prior`, and nobody has an effect of their
    own on them.

    Parameters
    ----------
    mixed : MixedEffects
        A network of one layer and one grouping factor; filled in place.
    covariances : sequence of RandomEffectsCovariance
        Σ, one; filled in place.
    shrinks : bool
        Whether each input's coefficient has a prior N(0, τ²) whose τ² is learned; see `shrinkage`.

    Attributes
    ----------
    reml : bool
        Whether to maximise the restricted likelihood.
    chooses : bool
        Whether the likelihood chooses between the diagonal Σ and a full one; beside ρ alone.
    choice : StructureChoice or None
        What it chose.
    times : array, shape (n,), or None
        Time of each row of the table, for residuals that remember; None: independent ones.
    log_units : array, shape (p,)
        log(s_y/s_k), by which the restricted likelihood of the data in their own units differs from
        that of N rows.
    collinear : dict of int to tuple of int
        Inputs that are left out, being constant or combinations of these others.
    process : AutocorrelatedFit or None
        What was found of the residuals, with `times`.
    """

    dependence = None

    def __init__(
        self,
        mixed: MixedEffects,
        covariances: Sequence[RandomEffectsCovariance],
        *,
        shrinks: bool = False,
    ) -> None:
        self.shrinks = shrinks
        self.mixed, self.family, self.covariances = mixed, Gaussian(), list(covariances)
        self.residual_variance = 1.0
        self.reml, self.chooses = False, False
        self.choice: StructureChoice | None = None
        self.process: AutocorrelatedFit | None = None
        self.times: Array | None = None
        self.log_units: Array | None = None
        self.collinear: dict[int, tuple[int, ...]] = {}

    def solve(
        self, batches: Sequence[Batch], report: Callable[[Progress], None] | None
    ) -> Training:
        """Fit.

        Raises
        ------
        TiedTimesError
            If two rows of a person have the same time.
        NoResidualError, UnidentifiedError
            If the rows leave nothing to estimate.

        Warns
        -----
        ConvergenceWarning
        """
        steps = SearchSteps(report, 0.1)
        self.fit = self._fitted(batches, steps.add)
        self._fill(self.fit)
        if not self.fit.converged:
            warnings.warn(
                "The search for the maximum of the likelihood did not converge: it ended"
                f" {self.fit.distance:.2g} standard errors away. Remove random effects that the"
                " data cannot tell apart.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return steps.ended(converged=self.fit.converged)

    def _fitted(
        self, batches: Sequence[Batch], follow: Callable[[float, float, float], None]
    ) -> LinearMixedFit:
        n_groups = self.mixed.n_groups
        sums = Sums.of_batches(batches, n_groups)
        self.collinear = explained_inputs(sums.xx.sum(0))
        columns = self._random
        self._prior = prior_precision(sums.xy.shape[1], self.collinear)
        intercept = sums.xy.shape[1] - 1
        kind = structure_of(self.covariances[0].kind, [column == intercept for column in columns])
        elements = Elements.of(len(columns), kind)
        rows = None if self.times is None else TimedRows.of_batches(batches, self.times, n_groups)
        if self.shrinks:
            self._shrink(sums, columns, elements)
        if rows is None or not len(rows.pairs):
            self._products = sums.xx
            return fit_linear_mixed_model(
                sums, columns, kind, reml=self.reml, prior=self._prior, follow=follow
            )
        found = fit_autocorrelated(
            rows, columns, kind, reml=self.reml, prior=self._prior, follow=follow
        )
        if self.shrinks:
            self._shrink(rows.sums(found.correlation), columns, elements)
            found = fit_autocorrelated(
                rows, columns, kind, reml=self.reml, prior=self._prior, follow=follow
            )
        elif self.chooses:
            found = self._chosen(found, rows, columns, follow)
        self.process, self._products = found, rows.sums(found.correlation).xx
        return found.fit

    def _chosen(
        self,
        diagonal: AutocorrelatedFit,
        rows: TimedRows,
        columns: list[int],
        follow: Callable[[float, float, float], None],
    ) -> AutocorrelatedFit:
        """The fit with the structure of Σ that the likelihood asks for."""
        full = partial(
            fit_autocorrelated, rows, columns, FULL,
            reml=self.reml, prior=self._prior, follow=follow,
        )  # fmt: skip
        self.choice, found = choose_structure(diagonal, full, self.mixed.n_groups)
        if self.choice.kind == FULL:
            self.covariances[0] = RandomEffectsCovariance(self.mixed.n_random, FULL, start=0.1)
        return found

    def _shrink(self, sums: Sums, columns: list[int], elements: Elements) -> None:
        """Set the precisions of the priors; collinear inputs of people's own are left out."""
        kept = [column for column in self._columns() if column in self.collinear]
        shrunk = [k for k in range(len(self._prior) - 1) if k not in kept]
        inputs = [torch.arange(len(self._prior)) == k for k in shrunk]
        ratio, near = 1.0, None

        def refit(variance: Tensor) -> tuple[Tensor, Tensor]:
            nonlocal ratio, near
            self._prior[shrunk] = ratio / variance.numpy()
            cross = Cross.of(sums, columns, reml=self.reml, prior=self._prior)
            point = maximise(cross, elements, near).point
            ratio, near = point.variance, point.scale  # a precision is in units of 1/σ²
            spread = point.variance * np.diag(point.inverse)
            return torch.from_numpy(point.fixed), torch.from_numpy(spread)

        refit(learn_variances(refit, inputs))
        self.collinear = {k: by for k, by in self.collinear.items() if k in kept}

    def likelihood(self, batches: Sequence[Batch]) -> Likelihood | None:
        """The maximum of the likelihood, in closed form; restricted with `reml`, None if shrunk."""
        if self.shrinks:
            return None
        value = self.fit.log_likelihood
        if self.reml and self.log_units is not None:
            value += float(self.log_units[self._prior == 0].sum())
        n_parameters = int((self._prior == 0).sum()) + len(self.fit.information.elements) + 1
        n_parameters += self.process is not None
        return Likelihood(value, n_parameters, n_observed(batches), EXACT)

    def person_curvature(self, free: Sequence[str]) -> PersonCurvature:
        """X_iᵀX_i/σ² of every person, whitened where residuals remember; `free` as there."""
        weight, bias = self.mixed.fixed()
        n_inputs = len(self.fit.fixed) - 1
        places = {weight: torch.arange(n_inputs), bias: torch.tensor([n_inputs])}
        phi = torch.cat([places[name] for name in free])
        eta = torch.tensor(self._columns(), dtype=torch.int64)
        return PersonCurvature(tuple(free), self._products / self.residual_variance, phi, eta)

    def _columns(self) -> list[int]:
        """Columns of (inputs, 1) that have a random effect."""
        weight = next(iter(self.mixed.fixed().values()))
        return [
            index[1] if name.endswith("weight") else weight.shape[1]
            for name, index in self.mixed.parameter_indices()
        ]

    @torch.no_grad()
    def _fill(self, fit: LinearMixedFit) -> None:
        weight, bias = self.mixed.fixed().values()
        weight.copy_(fit.fixed[:-1].unsqueeze(0))
        bias.copy_(fit.fixed[-1:])
        self.mixed.deviations.copy_(self._placed(fit.effects, 1))
        self.residual_variance = fit.residual_variance
        if self.mixed.n_random:
            self.covariances[0].update(self._placed(fit.sigma, 0, 1))

    @property
    def _random(self) -> list[int]:
        """Columns whose random effects are fitted."""
        return [column for column in self._columns() if column not in self.collinear]

    @property
    def _own(self) -> Tensor:
        """Places of the random effects that were fitted."""
        columns = enumerate(self._columns())
        return torch.tensor([k for k, column in columns if column not in self.collinear]).long()

    def _placed(self, values: Tensor, *dims: int) -> Tensor:
        """Values of the random effects that were fitted, among those of all."""
        return placed(values, self._own, self.mixed.n_random, *dims)

    def link(self) -> Link | None:
        """A root of the covariance of β, and how people's effects follow it."""
        following = torch.from_numpy(self.fit.information.point.following)
        return link_of(self.fit.fixed_covariance, self._placed(following, 1))

    def shared_spread(self) -> dict[str, Tensor]:
        """Standard errors of β, by name."""
        return self.mixed.by_name(self.fit.fixed_covariance.diagonal().sqrt().float())

    def shared_precision(self) -> dict[str, Tensor]:
        """Nothing, but for shrunk columns and those that the rows cannot tell apart."""
        precision = torch.from_numpy(self._prior / self.residual_variance)
        return self.mixed.by_name(precision) if self._prior.any() else {}

    def posterior_covariance(self) -> Tensor:
        """Conditional covariances of the random effects, shape (P, R, R)."""
        return self._placed(self.fit.effects_covariance, 1, 2)

    def integrated(self) -> IntegratedCovariance | None:
        """People's effects with Σ and ρ integrated out; None where that is too much work."""
        own, kind = self._own.numpy(), self.covariances[0].kind
        found = integrated_gaussian(self._read, kind, self._prior) if len(own) else None
        return None if found is None else found.among(own, self.mixed.n_random)

    def variance_intervals(
        self, directions: Array, asked: Array | None = None
    ) -> list[list[VarianceInterval]]:
        """Of the variances of cᵀη, by factor: there is one."""
        own = directions[:, self._own.numpy()]
        pairs = zip(own, asked_of_each(asked, 0, len(own)), strict=True)
        return [[self._read.of_random(*one) for one in pairs]]

    def residual_interval(self, asked: float | None = None) -> VarianceInterval | None:
        """Of σ²."""
        return self._read.of_residuals(asked)

    @property
    def _read(self) -> GaussianVariances:
        own = self.fit, self.process, self._random, self.covariances[0].kind in PATTERNS
        return GaussianVariances(*own, self.mixed.n_groups)
