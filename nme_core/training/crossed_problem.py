"""The linear model with several grouping factors, as the estimators see it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.exceptions import ConvergenceWarning
from nme_core.nn import Family, LikelihoodFamily, MixedEffects
from nme_core.training.boundary import WEAK, ran_away
from nme_core.training.covariance import RandomEffectsCovariance
from nme_core.training.crossed import CrossedFit, fit_crossed
from nme_core.training.exact import ConstantOutcomeError
from nme_core.training.grouping import Codes, Numbers, Terms, eliminated
from nme_core.training.likelihood import EXACT, LAPLACE, Likelihood, n_observed
from nme_core.training.linear_layout import LinearLayout, placed
from nme_core.training.pooled import Pooled
from nme_core.training.progress import Progress, SearchSteps, Training
from nme_core.training.scales import State
from nme_core.training.variance_interval import VarianceInterval, asked_of_each
from nme_core.training.weak_prior import LEFT_OUT, explained_inputs

#: Effects of crossing factors that one dense matrix may hold.
LARGEST_DENSE = 6000


class Crossed:
    """The linear model of any outcome with several grouping factors, exactly.

    Offers what `Problem` offers once it is trained; `solve` takes the place of the loop.

    Parameters
    ----------
    mixed : MixedEffects
        A network of one layer; filled in place.
    family : Family
        Of the outcome: with residual variance, or a `LikelihoodFamily`.
    covariances : sequence of RandomEffectsCovariance
        Σ of each factor; filled in place.
    n_draws : int
        Draws of all parameters together that are kept.

    Attributes
    ----------
    fit : CrossedFit
        After `solve`, in the order of `LinearLayout`.
    collinear : dict of int to tuple of int
    separated : dict of int to int
    ran_away : list of tuple of int
        See `ExactRows`.
    """

    dependence = None

    def __init__(
        self,
        mixed: MixedEffects,
        family: Family,
        covariances: Sequence[RandomEffectsCovariance],
        *,
        n_draws: int,
    ) -> None:
        self.mixed, self.family, self.covariances = mixed, family, list(covariances)
        self.layout = LinearLayout.of(mixed)
        self.residual_variance = 1.0
        self.collinear: dict[int, tuple[int, ...]] = {}
        self.separated: dict[int, int] = {}
        self.ran_away: list[tuple[int, ...]] = [() for _ in mixed.sizes]
        self._n_draws = n_draws
        self._own = torch.arange(mixed.n_random)  # random effects that are fitted
        self._ridge = torch.zeros(self.layout.n_parameters, dtype=torch.float64)

    def solve(
        self, batches: Sequence[Batch], report: Callable[[Progress], None] | None
    ) -> Training:
        """Fit.

        Raises
        ------
        ConstantOutcomeError
            If no group of a factor has two different classes.
        NoResidualError
            If numbers have no residual variance.

        Warns
        -----
        ConvergenceWarning
        """
        batches = [batch.to(torch.device("cpu")) for batch in batches]
        steps, n_rows = SearchSteps(report, 0.04), sum(batch.n_rows for batch in batches)

        def follow(state: State) -> None:
            variances = np.concatenate([np.square(m).sum(1) for m in state.matrices])
            between = float(state.residual_variance * variances.mean())
            steps.add(2 * state.value / n_rows, state.residual_variance, between)

        self.fit = self._fitted(batches, follow)
        self._fill(self.fit)
        if not self.fit.converged:
            warnings.warn(
                "The search for the maximum of the likelihood did not converge: a further step"
                f" promises {self.fit.gradient:.2g} of the log-likelihood. Remove random effects"
                " that the data cannot tell apart.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return steps.ended(converged=self.fit.converged)

    def _fitted(self, batches: Sequence[Batch], follow: Callable[[State], None]) -> CrossedFit:
        layout, start = self.layout, None
        family: LikelihoodFamily | None = None
        x, y, factors = self._rows(batches)
        if self.family.has_residual_variance:
            self.collinear = explained_inputs(np.roll(x.T @ x, -1, (0, 1)))
            explained = torch.isin(layout.column, torch.tensor([*self.collinear]).long())
            self._ridge[explained] = LEFT_OUT
        else:
            family = cast(LikelihoodFamily, self.family)
            _refuse_constant(y, factors)
            pooled = Pooled.of(batches, family, layout, self.mixed.n_groups)
            start, self._ridge = pooled.u, pooled.ridge
            self.collinear, self.separated = pooled.collinear, pooled.separated
        mixing = torch.eye(layout.n_predictors).double() if layout.mixing is None else layout.mixing
        columns = ((layout.column + 1) % layout.n_columns).numpy()
        directions = mixing.T[layout.predictor].numpy()
        differing, self._own = layout.differing(self.collinear)
        random, covariance = differing.random.numpy(), self.covariances[0].among(self._own)
        fit = partial(
            fit_crossed,
            x,
            y,
            factors,
            [Terms(columns[random], directions[random])] * len(factors),
            covariance.kind,
            family,
            fixed=Terms(columns, directions),
            pools=covariance.pools.numpy(),
            start=None if start is None else start.numpy(),
            prior=self._ridge.numpy(),
            n_draws=self._n_draws,
            follow=follow,
        )
        found = fit()
        if family is not None:
            far = [_ran_away(found, g) for g in range(len(factors))]
            self.ran_away = [tuple(self._own[list(one)].tolist()) for one in far]
        return fit(weak=WEAK) if any(self.ran_away) else found

    def _rows(self, batches: Sequence[Batch]) -> tuple[Numbers, NDArray[Any], list[Codes]]:
        """(1, x), y and the level by each factor of all rows."""
        x = torch.cat([batch.x[batch.mask] for batch in batches]).double()
        y = torch.cat([batch.y[batch.mask] for batch in batches])
        groups = torch.cat([batch.groups.repeat_interleave(batch.lengths, 0) for batch in batches])
        starts = np.cumsum([0, *self.mixed.sizes])[:-1]
        levels = groups.numpy() - starts
        outcome = y.double() if y.is_floating_point() else y
        return (
            torch.cat([torch.ones(len(x), 1).double(), x], 1).numpy(),
            outcome.numpy(),
            [*levels.T],
        )

    def _fill(self, fit: CrossedFit) -> None:
        self.mixed.cpu().double()
        effects = self._placed(fit.effects, 1)
        self.layout.write(self.mixed, torch.from_numpy(fit.fixed), effects)
        self.residual_variance = fit.residual_variance
        for covariance, sigma in zip(self.covariances, fit.sigma, strict=True):
            covariance.update(self._placed([sigma], 0, 1))

    def _placed(self, of_factors: Sequence[Numbers], *dims: int, axis: int = 0) -> Tensor:
        """Numbers of all factors in one, effects along `dims` among all."""
        whole = torch.from_numpy(np.concatenate(of_factors, axis=axis))
        return placed(whole, self._own, self.mixed.n_random, *dims)

    def shared_covariance(self) -> Tensor:
        """Covariance of the network's parameters, in its order; shape (D, D)."""
        slope = self.layout.slope(torch.from_numpy(self.fit.fixed))
        return slope @ torch.from_numpy(self.fit.fixed_covariance) @ slope.T

    def shared_spread(self) -> dict[str, Tensor]:
        """Standard errors of the shared parameters, by name."""
        return self.mixed.by_name(self.shared_covariance().diagonal().clamp_min(0).sqrt())

    def shared_precision(self) -> dict[str, Tensor]:
        """Precisions of the weak priors, by name; nothing where there are none."""
        return self.mixed.by_name(self._ridge) if bool(self._ridge.any()) else {}

    def posterior_covariance(self) -> Tensor:
        """Covariances of all groups' effects given the shared parameters, shape (P, R, R)."""
        return self._placed(self.fit.effects_covariance, 1, 2)

    def likelihood(self, batches: Sequence[Batch]) -> Likelihood | None:
        """Exact for numbers, else Laplace's approximation; None with a prior on Σ."""
        if any(self.ran_away):
            return None
        method = EXACT if self.family.has_residual_variance else LAPLACE
        n = self.fit.n_parameters - int((self._ridge == LEFT_OUT).sum())
        return Likelihood(self.fit.log_likelihood, n, n_observed(batches), method)

    def covariances_given(self, sigma: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Covariances of all groups' effects if these were the Σ, shape (P, R, R) each.

        Given the shared parameters, and counting that they are estimated.
        """
        own = self._own
        both = self.fit.given([one.double()[own][:, own].numpy() for one in sigma])
        conditional, error = (self._placed(one, 1, 2) for one in both)
        return conditional, error

    def draws(self) -> tuple[dict[str, Tensor], Tensor]:
        """Draws of all parameters together, less their estimates.

        Returns
        -------
        dict of str to Tensor, shape (n, ...)
            Of the shared parameters.
        Tensor, shape (n, P, R)
            Of the deviations.
        """
        shared, own = self.fit.draws
        slope = self.layout.slope(torch.from_numpy(self.fit.fixed))
        moved = torch.from_numpy(shared) @ slope.T
        return self.mixed.by_name(moved), self._placed(own, 2, axis=1)

    def variance_intervals(
        self, directions: Numbers, asked: Numbers | None = None
    ) -> list[list[VarianceInterval]]:
        """Of the variances of cᵀη for each row c of `directions`, (m, R); by factor."""
        if any(self.ran_away):
            return [[VarianceInterval(np.nan) for _ in directions] for _ in self.mixed.sizes]
        read, found = self.fit.variances(), []
        own = directions[:, self._own.numpy()]
        for g in range(len(self.mixed.sizes)):
            pairs = zip(own, asked_of_each(asked, g, len(own)), strict=True)
            found.append([read.interval(g, *one) for one in pairs])
        return found

    def residual_interval(self, asked: float | None = None) -> VarianceInterval | None:
        """Of σ²; None where there is none."""
        return self.fit.variances().residual(asked)


def _ran_away(fit: CrossedFit, factor: int) -> tuple[int, ...]:
    """Effects of a factor whose variance the rows do not tell."""
    variances = np.diag(fit.sigma[factor])
    each = np.eye(len(variances))
    return ran_away(variances.tolist(), lambda k: fit.variances().known(factor, each[k])[1])


def _refuse_constant(y: NDArray[Any], factors: Sequence[Codes]) -> None:
    """Where the class never changes within a group, the likelihood has no maximum in its Σ."""
    if np.issubdtype(y.dtype, np.floating):
        return
    for levels in factors:
        pairs = np.unique(np.stack([levels, y]), axis=1)
        if pairs.shape[1] == len(np.unique(levels)):
            raise ConstantOutcomeError


def n_dense(mixed: MixedEffects, batches: Sequence[Batch]) -> int:
    """Random effects that cannot be eliminated block by block (see `Grouping`)."""
    starts = np.cumsum([0, *mixed.sizes])[:-1]
    groups = torch.unique(torch.cat([batch.groups for batch in batches]), dim=0).cpu().numpy()
    widths = [mixed.n_random] * len(starts)
    _, left = eliminated([*(groups - starts).T], widths)
    return sum(mixed.sizes[g] for g in left) * mixed.n_random
