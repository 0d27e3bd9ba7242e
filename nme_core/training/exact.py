"""Generalised linear mixed models by the maximum of their Laplace-approximated likelihood."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nme_core.batches.sequences import Batch, chunks
from nme_core.exceptions import ConvergenceWarning
from nme_core.nn import LikelihoodFamily, MixedEffects, NegativeBinomial, contrasts
from nme_core.training.ascent import Ascent, maximise
from nme_core.training.covariance import FACTOR, RandomEffectsCovariance
from nme_core.training.dispersion import Dispersion, profile
from nme_core.training.factor_numbers import FactorNumbers
from nme_core.training.integrated_covariance import (
    MOST_NUMBERS,
    Coordinates,
    FactorCoordinates,
    GivenCovariance,
    IntegratedCovariance,
)
from nme_core.training.likelihood import EXACT, LAPLACE, QUADRATURE, Likelihood, n_observed
from nme_core.training.linear_curvature import structure_of
from nme_core.training.linear_layout import LinearLayout
from nme_core.training.link import Link, link_of
from nme_core.training.loop import Progress, Training, Verdict
from nme_core.training.marginal import Evaluation, LaplaceMarginal, OutOfReachError
from nme_core.training.quadrature import QuadratureMarginal
from nme_core.training.row_variances import RowVariances
from nme_core.training.shrinkage import learn_variances
from nme_core.training.structure_choice import FULL
from nme_core.training.sums import Array
from nme_core.training.variance_interval import VarianceInterval, asked_of_each
from nme_core.training.weak_prior import SPREAD, collinear_columns

Floats = NDArray[np.float64]

#: Numbers in u and Λ up to which the second derivative of the likelihood is taken.
MOST_DIFFERENTIATED = 100
#: Precision of the prior on what the rows leave open.
WEAK = SPREAD**-2
#: Newton steps of the model for everybody; a coefficient that still moves by so much runs away.
_POOLED_STEPS, _RUNS_AWAY = 30, 0.05
#: Variances of the random effects to start from, and steps of EM before the search.
_START, _EM_STEPS = 0.3, 4
#: Least standard deviation to begin at, where a search begins near its end.
_LEAST_NEAR = 0.1
#: Rows times numbers of the model up to which Σ is integrated out of people's intervals.
MOST_INTEGRATED = 2**16
#: Least share of a variance that the rows are taken to tell, for the search's first steps.
_LEAST_TOLD = 0.05


class ConstantOutcomeError(ValueError):
    """No person has two different outcomes, so that the differences between them have no end."""


@dataclass(frozen=True)
class GLMMFit:
    """Maximum of the Laplace-approximated likelihood; float64.

    Attributes
    ----------
    fixed : Tensor, shape (D,)
        u, in the order of `LinearLayout`.
    fixed_covariance : Tensor, shape (D, D)
        Inverse observed information of u and Λ together, its part of u; given Λ where these are
        more than `MOST_DIFFERENTIATED` numbers.
    scale : Tensor, shape (R, m)
        Λ, with a diagonal that is not negative.
    effects, effects_covariance : Tensor, shapes (P, R) and (P, R, R)
        Modes η̂_i, and C_i given u and Σ.
    log_likelihood : float
        ℓ, with all constants, without the priors on u.
    n_parameters : int
        Numbers in u and Σ, and k of a negative binomial.
    ascent : Ascent
        How the search ended.
    """

    fixed: Tensor
    fixed_covariance: Tensor
    scale: Tensor
    effects: Tensor
    effects_covariance: Tensor
    log_likelihood: float
    n_parameters: int
    ascent: Ascent


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
    collinear : list of int
        Inputs that are constant or combinations of others; their coefficients have a weak prior.
    separated : dict of int to int
        Inputs that tell a class apart without error, and the class: so do those.
    dispersion : Dispersion or None
        Of a negative binomial, after `solve`.
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
        self.collinear: list[int] = []
        self.separated: dict[int, int] = {}
        self.dispersion: Dispersion | None = None
        self._near: Tensor | None = None  # where a search with nearly the same family ended
        self._ridge = torch.zeros(self.layout.n_parameters, dtype=torch.float64)

    def begin(self, sigma: Tensor) -> None:
        """Begin at the shared parameters that the network holds, and at this Σ."""
        whole = sigma.double().cpu()
        whole = whole.diag() if whole.dim() == 1 else whole
        near = self._factor().of_covariance(whole)
        self._near = torch.cat([self.layout.read(self.mixed), near])

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
        history: list[Progress] = []
        start, n_rows = time.monotonic(), sum(batch.n_rows for batch in batches)

        def follow(value: float, variance: float) -> None:
            history.append(
                Progress(
                    epoch=len(history) + 1,
                    fraction=min(0.99, 0.04 * len(history)),
                    train_loss=-2 * value / n_rows,
                    validation_loss=None,
                    residual_variance=1.0,
                    mean_random_variance=variance,
                    seconds=time.monotonic() - start,
                )
            )
            if report is not None:
                report(history[-1])

        self._refuse_constant(batches)
        if isinstance(self.family, NegativeBinomial):
            self.dispersion = profile(self.family, self._given_family(batches, follow))
        self.fit = self._maximise(batches, follow)
        if not history:  # the search began at its end
            follow(self.fit.log_likelihood, float(self.fit.scale.square().sum()))
        self.mixed.cpu().double()
        self.layout.write(self.mixed, self.fit.fixed, self.fit.effects)
        if self.mixed.n_random:
            self.covariances[0].update(self.fit.scale @ self.fit.scale.T)
        if self.fit.ascent.converged:
            return Training(tuple(history), Verdict.CONVERGED)
        warnings.warn(
            "The search for the maximum of the likelihood did not converge: a further step promises"
            f" {self.fit.ascent.promised:.2g} of the log-likelihood. Remove random effects that the"
            " data cannot tell apart.",
            ConvergenceWarning,
            stacklevel=2,
        )
        return Training(tuple(history), Verdict.LIMIT)

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
        u, ridge = self.pooled(batches)
        marginal, factor = self._marginal(batches, ridge), self._factor()

        def highest() -> float:
            found = self._search(marginal, factor, u, follow, to_the_end=False)
            self._near = torch.from_numpy(found.at)
            return found.value

        return highest

    def _factor(self, kind: str = "") -> FactorNumbers:
        """The numbers of Λ; of the intercept and the slopes apart where Σ has blocks."""
        covariance, layout = self.covariances[0], self.layout
        own = layout.column[layout.random] == layout.n_columns - 1
        return FactorNumbers.of(covariance, kind or structure_of(covariance.kind, own.tolist()))

    def _marginal(self, batches: Sequence[Batch], ridge: Tensor) -> LaplaceMarginal:
        kind: Callable[..., LaplaceMarginal] = LaplaceMarginal
        if self.points > 1 and self.mixed.n_random:
            kind = partial(QuadratureMarginal, points=self.points)
        return kind(batches, self.family, self.layout, self.mixed.n_groups, ridge)

    def _maximise(
        self, batches: Sequence[Batch], follow: Callable[[float, float], None]
    ) -> GLMMFit:
        u, ridge = self.pooled(batches)
        marginal, factor = self._marginal(batches, ridge), self._factor()
        if self.shrinks:
            u = self._learn_shrinkage(marginal, factor, u, follow)
            # every input has a prior of its own now: none runs away, or is left open
            constant = self.layout.n_columns - 1
            self.collinear = [k for k in self.collinear if k == constant]
            self.separated = {k: v for k, v in self.separated.items() if k == constant}
        ascent = self._search(marginal, factor, u, follow)
        self._variances = RowVariances(marginal, factor, ascent)
        d = len(u)
        at = torch.from_numpy(ascent.at)
        u, scale = at[:d], factor.matrix(at[d:])
        scale[:, : len(scale)] *= torch.where(scale.diagonal() < 0, -1.0, 1.0)
        found = marginal(u, scale)  # the modes belong to the sign
        effects, spread = marginal.effects(u, scale)
        return GLMMFit(
            fixed=u,
            fixed_covariance=self._fixed_covariance(ascent, found),
            scale=scale,
            effects=effects,
            effects_covariance=spread,
            log_likelihood=ascent.value + 0.5 * float((marginal.ridge * u.square()).sum()),
            n_parameters=len(ascent.at) + (self.dispersion is not None),
            ascent=ascent,
        )

    def _search(
        self,
        marginal: LaplaceMarginal,
        factor: FactorNumbers,
        u: Tensor,
        follow: Callable[[float, float], None],
        *,
        to_the_end: bool = True,
    ) -> Ascent:
        d = self.layout.n_parameters

        def objective(x: Floats) -> tuple[float, Floats]:
            at = torch.from_numpy(x)
            try:
                found = marginal(at[:d], factor.matrix(at[d:]))
            except OutOfReachError:
                return -np.inf, np.zeros(len(x))
            slope = torch.cat([found.shared, factor.gather(found.scale)])
            return found.value, slope.numpy()

        def told(value: float, x: Floats) -> None:
            scale = factor.matrix(torch.from_numpy(x[d:]))
            follow(value, float(scale.square().sum()) / max(1, len(scale)))

        start, information = self._start(marginal, factor, u, follow)
        return maximise(
            objective,
            start.numpy(),
            information.numpy(),
            differentiate=to_the_end and len(start) <= MOST_DIFFERENTIATED,
            follow=told,
        )

    def _learn_shrinkage(
        self,
        marginal: LaplaceMarginal,
        factor: FactorNumbers,
        u: Tensor,
        follow: Callable[[float, float], None],
    ) -> Tensor:
        """Set the precisions of the priors on each input's coefficients; return u."""
        d = self.layout.n_parameters
        inputs = [self.layout.column == k for k in range(self.layout.n_columns - 1)]

        def refit(variance: Tensor) -> tuple[Tensor, Tensor]:
            nonlocal u
            for own, one in zip(inputs, variance, strict=True):
                marginal.ridge[own] = 1 / one
            at = torch.from_numpy(self._search(marginal, factor, u, follow, to_the_end=False).at)
            u = at[:d]
            information = marginal(u, factor.matrix(at[d:])).information
            return u, torch.linalg.inv(information).diagonal()

        refit(learn_variances(refit, inputs))
        return u

    def _fixed_covariance(self, ascent: Ascent, found: Evaluation) -> Tensor:
        d = self.layout.n_parameters
        if ascent.information is not None:
            matrix = torch.from_numpy(ascent.information)
            # a variance at 0 is as known, and tells nothing of u
            kept = torch.cat([torch.ones(d), torch.from_numpy(np.abs(ascent.at[d:]))]) > 1e-4
            kept[:d] = True
            inverse: Tensor = torch.linalg.pinv(matrix[kept][:, kept], hermitian=True)
            if bool((inverse.diagonal() > 0).all()):
                return inverse[:d, :d]
        known: Tensor = torch.linalg.inv(found.information)
        return known

    def pooled(self, batches: Sequence[Batch]) -> tuple[Tensor, Tensor]:
        """u of the model for everybody, and the precisions of priors where it has no maximum."""
        layout = replace(self.layout, random=self.layout.random[:0])
        self.collinear, column = self._collinear(batches), layout.column
        ridge = self._ridge
        ridge[torch.isin(column, torch.tensor(self.collinear, dtype=column.dtype))] = WEAK
        u, step = self._newton(batches, layout, ridge)
        runs = (step.abs() > _RUNS_AWAY) & (ridge == 0)
        if bool(runs.any()):
            self.separated = self._run_away(step, runs)
            ridge[runs] = WEAK
            u, _ = self._newton(batches, layout, ridge)
        return u, ridge

    def _run_away(self, step: Tensor, runs: Tensor) -> dict[int, int]:
        """Inputs whose coefficients have no bound, each with the class that moves the most."""
        found = {}
        for column in torch.unique(self.layout.column[runs]).tolist():
            own = self.layout.column == column
            n_outputs = int(own.sum())
            scores = contrasts(n_outputs + 1) @ step[own]
            found[column] = int(scores.abs().argmax())
        return found

    def _newton(
        self, batches: Sequence[Batch], layout: LinearLayout, ridge: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return u, and the step that Newton's method would still go."""
        marginal = LaplaceMarginal(batches, self.family, layout, self.mixed.n_groups, ridge)
        nothing = torch.zeros(0, 0, dtype=torch.float64)
        u = layout.start()
        found, step = marginal(u, nothing), torch.zeros_like(u)
        for _ in range(_POOLED_STEPS):
            step = torch.linalg.lstsq(found.information, found.shared, driver="gelsd").solution
            if float(found.shared @ step) < 1e-10 and float(step.abs().max()) < 1e-4:
                break
            length = 1.0
            while length > 1e-6:
                moved = marginal(u + length * step, nothing)
                if moved.value >= found.value:
                    break
                length /= 2
            else:
                break
            u, found = u + length * step, moved
        return u, step

    def _collinear(self, batches: Sequence[Batch]) -> list[int]:
        """Inputs that the constant and those before them explain."""
        p = self.layout.n_columns
        order = [p - 1, *range(p - 1)]
        gram = torch.zeros(p, p, dtype=torch.float64)
        for batch in chunks(batches):
            ones = torch.ones(*batch.mask.shape, 1, dtype=torch.float64)
            x = torch.cat([batch.x.double(), ones], dim=2)[batch.mask][:, order]
            gram += x.T @ x
        return [order[k] for k in collinear_columns(gram)]

    def _start(
        self,
        marginal: LaplaceMarginal,
        factor: FactorNumbers,
        u: Tensor,
        follow: Callable[[float, float], None],
    ) -> tuple[Tensor, Tensor]:
        """Where the search begins, (u, numbers of Λ), and a guess of the information there."""
        begun = self._beside(marginal, factor) or self._after_em(marginal, factor, u, follow)
        u, scale, found = begun
        n, d, half = self.mixed.n_groups, len(u), factor.matrix(scale)
        variance = half.square().sum(1)
        told = (1 - found.conditional.diagonal() / (n * variance)).clamp_min(_LEAST_TOLD)
        guess = n * (told / variance.sqrt()).unsqueeze(1) * told / variance.sqrt()
        every = guess.diagonal().unsqueeze(1).expand(-1, factor.n_factors)
        own = factor.gather(torch.cat([guess + guess.diagonal().diag(), every], dim=1))
        information = torch.zeros(d + len(own), d + len(own), dtype=torch.float64)
        information[:d, :d], information[d:, d:] = found.information, own.diag()
        return torch.cat([u, scale]), information

    def _beside(
        self, marginal: LaplaceMarginal, factor: FactorNumbers
    ) -> tuple[Tensor, Tensor, Evaluation] | None:
        """Where a search begins near its end; None where there is no such place within reach.

        At a variance of 0 the likelihood has no slope: it begins beside that.
        """
        near, d = self._near, self.layout.n_parameters
        if near is None:
            return None
        own = torch.zeros(len(near), dtype=torch.bool)
        own[d + factor.pool[factor.row == factor.column]] = True
        near = torch.where(own & (near.abs() < _LEAST_NEAR), _LEAST_NEAR, near)
        try:
            return near[:d], near[d:], marginal(near[:d], factor.matrix(near[d:]))
        except OutOfReachError:
            self._near = None
            return None

    def _after_em(
        self,
        marginal: LaplaceMarginal,
        factor: FactorNumbers,
        u: Tensor,
        follow: Callable[[float, float], None],
    ) -> tuple[Tensor, Tensor, Evaluation]:
        """After a few steps of EM; of factors, near the best full Σ."""
        n, r, d = self.mixed.n_groups, self.mixed.n_random, len(u)
        sigma = _START * torch.eye(r, dtype=torch.float64)
        if factor.n_factors:
            full = replace(self._factor(FULL), patterned=False)
            at = torch.from_numpy(self._search(marginal, full, u, follow, to_the_end=False).at)
            u, sigma = at[:d], full.matrix(at[d:]) @ full.matrix(at[d:]).T
        scale = factor.of_covariance(sigma)
        found = marginal(u, factor.matrix(scale))
        for _ in range(_EM_STEPS if r and not factor.n_factors else 0):
            moved = u + torch.linalg.solve(found.information, found.shared)
            wider = factor.of_covariance(factor.pooled((found.second + found.conditional) / n))
            try:
                found = marginal(moved, factor.matrix(wider))
            except OutOfReachError:
                break
            u, scale = moved, wider
        return u, scale, found

    # What `Problem` offers after training.

    def _by_name(self, values: Tensor) -> dict[str, Tensor]:
        fixed = self.mixed.fixed()
        parts = torch.split(values, [value.numel() for value in fixed.values()])
        return {
            name: part.view_as(value)
            for (name, value), part in zip(fixed.items(), parts, strict=True)
        }

    def shared_covariance(self) -> Tensor:
        """Covariance of the network's parameters, in its order; shape (D, D)."""
        slope = self.layout.slope(self.fit.fixed)
        return slope @ self.fit.fixed_covariance @ slope.T

    def link(self) -> Link | None:
        """A root of the covariance of the network's parameters, and how people's effects follow."""
        following = self._variances.marginal.effects_following(self.fit.fixed, self.fit.scale)[2]
        slope = torch.linalg.inv(self.layout.slope(self.fit.fixed))
        return link_of(self.shared_covariance(), following @ slope)

    def shared_spread(self) -> dict[str, Tensor]:
        """Standard errors of the shared parameters, by name."""
        return self._by_name(self.shared_covariance().diagonal().clamp_min(0).sqrt())

    def shared_precision(self) -> dict[str, Tensor]:
        """Precisions of the weak priors, by name; nothing where there are none."""
        return self._by_name(self._ridge) if bool(self._ridge.any()) else {}

    def likelihood(self, batches: Sequence[Batch]) -> Likelihood | None:
        """The Laplace-approximated one; exact where nothing differs by person; None if shrunk."""
        if self.shrinks:
            return None
        method = EXACT
        if self.mixed.n_random:
            method = QUADRATURE if self.points > 1 else LAPLACE
        return Likelihood(
            self.fit.log_likelihood, self.fit.n_parameters, n_observed(batches), method
        )

    def posterior_covariance(self) -> Tensor:
        """C_i of every person, shape (P, R, R)."""
        return self.fit.effects_covariance

    def integrated(self) -> IntegratedCovariance | None:
        """People's effects with Σ integrated out; None where that is too much work."""
        factor, marginal = self._variances.factor, self._variances.marginal
        if not self.mixed.n_random:
            return None
        coordinates: Coordinates | FactorCoordinates
        coordinates = Coordinates(np.arange(len(self.fit.scale)), full=True)
        if factor.diagonal:
            coordinates = Coordinates(factor.pool.numpy(), full=False)
        one = self.covariances[0].kind == FACTOR
        if one:
            coordinates = FactorCoordinates(self.fit.scale.numpy())
        work = marginal.n_rows * (len(self.fit.fixed) + factor.n)
        if coordinates.n > MOST_NUMBERS or work > MOST_INTEGRATED or factor.patterned != one:
            return None

        def given(sigma: Array, _: Array) -> GivenCovariance | None:
            scale, u = torch.linalg.cholesky(torch.from_numpy(sigma)), self.fit.fixed
            try:
                found = marginal(u, scale)
                shared = torch.linalg.inv(found.information)
                step = shared @ found.shared
            except (OutOfReachError, torch.linalg.LinAlgError):  # type: ignore[attr-defined]
                return None
            value = found.value + 0.5 * float(found.shared @ step)
            value += 0.5 * float(torch.linalg.slogdet(shared)[1])

            slope = self.layout.slope(u + step)

            def effects() -> tuple[Array, Array, Array]:
                own, conditional, coupling = marginal.effects_following(u + step, scale)
                coupling = coupling @ torch.linalg.inv(slope)
                return own.numpy().copy(), conditional.numpy(), coupling.numpy()

            def of_shared() -> tuple[Array, Array]:
                shift = self.layout.parameters(u + step) - self.layout.parameters(u)
                return shift.numpy(), (slope @ shared @ slope.T).numpy()

            return GivenCovariance(value, effects, of_shared, sigma)

        sigma, effects = self.fit.scale @ self.fit.scale.T, self.fit.effects
        return IntegratedCovariance.of(given, coordinates, sigma.numpy(), effects.numpy())

    def variance_intervals(
        self, directions: Array, asked: Array | None = None
    ) -> list[list[VarianceInterval]]:
        """Of the variances of cᵀη, by factor: there is one."""
        pairs = zip(directions, asked_of_each(asked, 0, len(directions)), strict=True)
        return [[self._variances.interval(*one) for one in pairs]]

    def residual_interval(self, asked: float | None = None) -> VarianceInterval | None:
        """None: there is no σ²."""
        return None
