"""Generalised linear mixed models by the maximum of their Laplace-approximated likelihood."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.exceptions import ConvergenceWarning
from nme_core.nn import LikelihoodFamily, MixedEffects, NegativeBinomial
from nme_core.training.boundary import WEAK, ran_away
from nme_core.training.covariance import FACTOR, RandomEffectsCovariance
from nme_core.training.dispersion import Dispersion, profile
from nme_core.training.factor_numbers import FactorNumbers
from nme_core.training.glmm_search import GLMMFit, GLMMSearch
from nme_core.training.integrated_covariance import IntegratedCovariance
from nme_core.training.likelihood import EXACT, LAPLACE, QUADRATURE, Likelihood, n_observed
from nme_core.training.linear_curvature import structure_of
from nme_core.training.linear_layout import LinearLayout
from nme_core.training.link import Link, link_of
from nme_core.training.marginal import LaplaceMarginal
from nme_core.training.pooled import Pooled
from nme_core.training.progress import Progress, SearchSteps, Training
from nme_core.training.quadrature import QuadratureMarginal
from nme_core.training.row_variances import RowVariances, integrated_rows
from nme_core.training.structure_choice import FULL
from nme_core.training.sums import Array
from nme_core.training.variance_interval import VarianceInterval, asked_of_each
from nme_core.training.weak_prior import LEFT_OUT


class ConstantOutcomeError(ValueError):
    """No person has two different outcomes, so that the differences between them have no end."""


class ExactRows:
    """The linear model of an outcome that is no number with Gaussian residuals.

    Offers what `Problem` offers once it is trained; `solve` takes the place of the loop.

    Parameters
    ----------
    mixed : MixedEffects
        A network of one layer and one grouping factor; filled in place.
    family : LikelihoodFamily
        Of the outcome.
    covariances : sequence of RandomEffectsCovariance
        Σ, one; filled in place.
    points : int
        Points of adaptive Gauss–Hermite quadrature, for one random effect; 1 is Laplace's method.
    shrinks : bool
        Whether the coefficients of each input have a prior N(0, τ²) of their own, τ² by the
        maximum of the likelihood in which they are integrated out too: for prediction.

    Attributes
    ----------
    fit : GLMMFit
        After `solve`.
    collinear : dict of int to tuple of int
        Inputs that are left out, being constant or combinations of these others.
    separated : dict of int to int
        Inputs that tell a class apart without error, and the class: so do those.
    dispersion : Dispersion or None
        Of a negative binomial, after `solve`.
    ran_away : list of tuple of int
        Effects whose variance the rows do not tell, by factor: there is one. Σ has a weak prior
        then.
    """

    dependence = None
    residual_variance = 1.0

    def __init__(
        self,
        mixed: MixedEffects,
        family: LikelihoodFamily,
        covariances: Sequence[RandomEffectsCovariance],
        *,
        points: int = 1,
        shrinks: bool = False,
    ) -> None:
        self.mixed, self.family, self.covariances = mixed, family, list(covariances)
        self.points, self.shrinks = points, shrinks
        self.layout = LinearLayout.of(mixed)
        self.collinear: dict[int, tuple[int, ...]] = {}
        self.separated: dict[int, int] = {}
        self.dispersion: Dispersion | None = None
        self.ran_away: list[tuple[int, ...]] = [()]
        self._near: Tensor | None = None  # where a search with nearly the same family ended
        self._begin: tuple[Tensor, Tensor] | None = None  # ψ, and Σ of all random effects
        self._own = torch.arange(mixed.n_random)  # random effects that are fitted
        self._ridge = torch.zeros(self.layout.n_parameters, dtype=torch.float64)

    def begin(self, sigma: Tensor) -> None:
        """Begin at the shared parameters that the network holds, and at this Σ."""
        whole = sigma.double().cpu()
        whole = whole.diag() if whole.dim() == 1 else whole
        self._begin = self.layout.read(self.mixed), whole

    def solve(
        self, batches: Sequence[Batch], report: Callable[[Progress], None] | None
    ) -> Training:
        """Fit.

        Raises
        ------
        ConstantOutcomeError
            If no person has two different classes.

        Warns
        -----
        ConvergenceWarning
        """
        batches = [batch.to(torch.device("cpu")) for batch in batches]
        steps, n_rows = SearchSteps(report, 0.04), sum(batch.n_rows for batch in batches)

        def follow(value: float, variance: float) -> None:
            steps.add(-2 * value / n_rows, 1.0, variance)

        self._refuse_constant(batches)
        if isinstance(self.family, NegativeBinomial):
            self.dispersion = profile(self.family, self._given_family(batches, follow))
        self.fit = self._maximise(batches, follow)
        if not steps.taken:  # the search began at its end
            follow(self.fit.log_likelihood, float(self.fit.scale.square().sum()))
        self.mixed.cpu().double()
        self.layout.write(self.mixed, self.fit.fixed, self.fit.effects)
        if self.mixed.n_random:
            self.covariances[0].update(self.fit.scale @ self.fit.scale.T)
        if not self.fit.ascent.converged:
            warnings.warn(
                "The search for the maximum of the likelihood did not converge: a further step"
                f" promises {self.fit.ascent.promised:.2g} of the log-likelihood. Remove random"
                " effects that the data cannot tell apart.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return steps.ended(converged=self.fit.ascent.converged)

    def _refuse_constant(self, batches: Sequence[Batch]) -> None:
        """Where each person's class never changes, the likelihood has no maximum in Σ."""
        if not self.mixed.n_random or any(batch.y.is_floating_point() for batch in batches):
            return
        n = self.mixed.n_groups
        low, high = torch.full((n,), 2**31), torch.full((n,), -1)
        for batch in batches:
            person = batch.groups[:, 0]
            top = batch.y.masked_fill(~batch.mask, -1).amax(1)
            bottom = batch.y.masked_fill(~batch.mask, 2**31).amin(1)
            high.scatter_reduce_(0, person, top, "amax")
            low.scatter_reduce_(0, person, bottom, "amin")
        if bool((low >= high).all()) and len(torch.unique(high)) > 1:
            raise ConstantOutcomeError

    def _given_family(
        self, batches: Sequence[Batch], follow: Callable[[float, float], None]
    ) -> Callable[[], float]:
        """Return what gives the highest log-likelihood that the family, as it is, allows; each
        search begins where the last one ended.
        """
        search = self._search(batches, follow)

        def highest() -> float:
            found = search.highest(to_the_end=False)
            self._near = search.near = torch.from_numpy(found.at)
            return found.value

        return highest

    def _factor(self, layout: LinearLayout, kind: str = "") -> FactorNumbers:
        """The numbers of Λ; of the intercept and the slopes apart where Σ has blocks."""
        covariance = self.covariances[0].among(self._own)
        own = layout.column[layout.random] == layout.n_columns - 1
        return FactorNumbers.of(covariance, kind or structure_of(covariance.kind, own.tolist()))

    def _search(
        self, batches: Sequence[Batch], follow: Callable[[float, float], None]
    ) -> GLMMSearch:
        n_groups = self.mixed.n_groups
        pooled = Pooled.of(batches, self.family, self.layout, n_groups)
        self.collinear, self.separated, self._ridge = (
            pooled.collinear, pooled.separated, pooled.ridge,
        )  # fmt: skip
        layout = self.layout
        if not self.shrinks:
            layout, self._own = layout.differing(self.collinear)
        if self._begin is not None:
            u, sigma = self._begin
            near = self._factor(layout).of_covariance(sigma[self._own][:, self._own])
            self._near, self._begin = torch.cat([u, near]), None
        kind: Callable[..., LaplaceMarginal] = LaplaceMarginal
        if self.points > 1 and self.mixed.n_random:
            kind = partial(QuadratureMarginal, points=self.points)
        marginal = kind(batches, self.family, layout, n_groups, pooled.ridge)
        full = replace(self._factor(layout, FULL), patterned=False)
        return GLMMSearch(marginal, self._factor(layout), full, pooled.u, follow, self._near)

    def _maximise(
        self, batches: Sequence[Batch], follow: Callable[[float, float], None]
    ) -> GLMMFit:
        search = self._search(batches, follow)
        if self.shrinks:
            search.learn_shrinkage()
            # every input has a prior of its own now: none runs away, or is left open
            constant = self.layout.n_columns - 1
            self.collinear = {}
            self.separated = {k: v for k, v in self.separated.items() if k == constant}
        fit = self._fitted(search)
        far = ran_away(fit.scale.square().sum(1).tolist(), self._variances.error)
        self.ran_away = [tuple(self._own[list(far)].tolist())]
        if self.ran_away[0]:
            search.marginal.weak, search.near = WEAK, None
            fit = self._fitted(search)
        self._of_own = replace(fit, n_parameters=fit.n_parameters + (self.dispersion is not None))
        return self._of_own.among(self._own, self.mixed.n_random)

    def _fitted(self, search: GLMMSearch) -> GLMMFit:
        fit = search.fit()
        self._variances = RowVariances(search.marginal, search.factor, fit.ascent)
        return fit

    # What `Problem` offers after training.

    def shared_covariance(self) -> Tensor:
        """Covariance of the network's parameters, in its order; shape (D, D)."""
        slope = self.layout.slope(self.fit.fixed)
        return slope @ self.fit.fixed_covariance @ slope.T

    def link(self) -> Link | None:
        """A root of the covariance of the network's parameters, and how people's effects follow."""
        slope = torch.linalg.inv(self.layout.slope(self.fit.fixed))
        return link_of(self.shared_covariance(), self.fit.effects_following @ slope)

    def shared_spread(self) -> dict[str, Tensor]:
        """Standard errors of the shared parameters, by name."""
        return self.mixed.by_name(self.shared_covariance().diagonal().clamp_min(0).sqrt())

    def shared_precision(self) -> dict[str, Tensor]:
        """Precisions of the weak priors, by name; nothing where there are none."""
        return self.mixed.by_name(self._ridge) if bool(self._ridge.any()) else {}

    def likelihood(self, batches: Sequence[Batch]) -> Likelihood | None:
        """The Laplace-approximated one; exact where nothing differs by person; None if shrunk, or
        with a prior on Σ.
        """
        if self.shrinks or self.ran_away[0]:
            return None
        method = EXACT
        if self.mixed.n_random:
            method = QUADRATURE if self.points > 1 else LAPLACE
        n = self.fit.n_parameters - int((self._ridge == LEFT_OUT).sum())
        return Likelihood(self.fit.log_likelihood, n, n_observed(batches), method)

    def posterior_covariance(self) -> Tensor:
        """C_i of every person, shape (P, R, R)."""
        return self.fit.effects_covariance

    def integrated(self) -> IntegratedCovariance | None:
        """People's effects with Σ integrated out; None where that is too much work."""
        one = self.covariances[0].kind == FACTOR
        found = integrated_rows(self._variances, self._of_own, one_factor=one)
        return None if found is None else found.among(self._own.numpy(), self.mixed.n_random)

    def variance_intervals(
        self, directions: Array, asked: Array | None = None
    ) -> list[list[VarianceInterval]]:
        """Of the variances of cᵀη, by factor: there is one."""
        if self.ran_away[0]:
            return [[VarianceInterval(float("nan")) for _ in directions]]
        own = directions[:, self._own.numpy()]
        pairs = zip(own, asked_of_each(asked, 0, len(own)), strict=True)
        return [[self._variances.interval(*one) for one in pairs]]

    def residual_interval(self, asked: float | None = None) -> VarianceInterval | None:
        """None: there is no σ²."""
        return None
