"""Variational estimator of the random effects: a posterior for every person and shared weight."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from nme_core.batches.sequences import Batch, chunks
from nme_core.nn import Family, MixedEffects, NegativeBinomial
from nme_core.nn.random_effects import own
from nme_core.training.centring import centre, centre_homes
from nme_core.training.covariance import RandomEffectsCovariance
from nme_core.training.dispersion import follow
from nme_core.training.likelihood import BOUND, Likelihood, deviance_constant, n_observed
from nme_core.training.nesting import Nesting
from nme_core.training.objective import shared_divergence, sum_over_groups, total_deviance
from nme_core.training.residual_memory import ResidualMemory
from nme_core.training.shared_prior import SharedPrior
from nme_core.training.snapshot import snapshot
from nme_core.training.spread import LearnedSpread, PersonSpread

#: Share of the way that Σ, σ² and τ² move to their closed-form values after each step.
SMOOTHING = 0.05
START_STD = 0.05
#: Steps from one look at the residuals' autocorrelation to the next, and before the first: what
#: people differ in looks like residuals that remember until it is learned.
REMEMBER_EVERY, REMEMBER_AFTER = 5, 200
#: Draws over which the bound is averaged at the end.
BOUND_DRAWS = 32
START_VARIANCE = 0.1


class Variational:
    """Evidence lower bound with q(η_i) = N(m_i, S_i) and q(w) = N(μ_w, v_w) for shared weights.

    −2·ELBO = E_q[ Σ_ij D_ij ]/σ² + N log σ²
              + Σ_i 2 KL(q_i ‖ N(0, Σ)) + Σ_w 2 KL(q_w ‖ N(0, τ_w²))

    by reparameterised gradients, one draw a step. Σ, σ² and τ² follow in closed form, smoothed over
    steps. The means m and μ are the deviations and parameters of `mixed` itself, so that after
    training `mixed` computes with the posterior mean. With several grouping factors each has its
    own Σ; q is a product over factors that cross, and knows of groups that lie in others.

    Parameters
    ----------
    mixed : MixedEffects
        Network; trained in place.
    family : Family
        Gives the deviance D.
    covariances : sequence of RandomEffectsCovariance
        Σ of each grouping factor; moved after every step.
    n_rows : int
        N, the rows of one epoch.
    seed : int
        Seed of the draws.
    nesting : Nesting, optional
        Which groups lie in others; None: none.
    by_input : sequence of str
        See `SharedPrior`.
    weak : sequence of str
        See `SharedPrior`.
    diagonal : bool
        See `LearnedSpread`.
    memory : ResidualMemory, optional
        Of residuals that remember, which `family` knows; moved every few steps.
    """

    def __init__(
        self,
        mixed: MixedEffects,
        family: Family,
        covariances: Sequence[RandomEffectsCovariance],
        *,
        n_rows: int,
        seed: int,
        nesting: Nesting | None = None,
        by_input: tuple[str, ...] = (),
        weak: tuple[str, ...] = (),
        diagonal: bool = False,
        memory: ResidualMemory | None = None,
    ) -> None:
        self.memory = memory
        self.mixed, self.family, self.n_rows = mixed, family, n_rows
        self.covariances = list(covariances)
        self.residual_variance = 1.0
        n_groups, n_random = mixed.n_groups, mixed.n_random
        self._generator = torch.Generator(device=mixed.deviations.device).manual_seed(seed)
        self.shared_log_std = {
            name: nn.Parameter(torch.full_like(value, math.log(START_STD)))
            for name, value in mixed.fixed().items()
        }
        self._begin_spread(diagonal)
        self.nesting = None if nesting is None or nesting.is_empty else nesting
        # One scale for all factors where groups lie in others: it leaves their coefficients alone.
        n_scales, n_nested = (1, n_groups) if self.nesting else (len(mixed.sizes), 0)
        n_pools = self.covariances[0].n_pools
        self.log_expansion = nn.Parameter(mixed.deviations.new_zeros(n_scales, n_pools))
        self.coefficient = nn.Parameter(mixed.deviations.new_zeros(n_nested, n_random))
        self._around = mixed.deviations.new_zeros(())
        self._steps = 0
        self.prior = SharedPrior(mixed.fixed(), by_input, weak)
        self._deviance, self._step_rows = 0.0, 0
        self._last: tuple[list[Batch], dict[str, Tensor], Tensor] | None = None
        self._looks = memory is not None or isinstance(family, NegativeBinomial)

    def _begin_spread(self, diagonal: bool) -> None:
        """Begin with the same small S for every group."""
        like = self.mixed.deviations
        self.spread: LearnedSpread | PersonSpread
        self.spread = LearnedSpread(like, START_STD, diagonal=diagonal)

    def parameters(self) -> list[nn.Parameter]:
        """What the optimiser adjusts."""
        return [
            *self.mixed.parameters(),
            *self.shared_log_std.values(),
            *self.spread.parameters(),
            self.log_expansion,
            self.coefficient,
        ]

    def snapshot(self) -> Callable[[], None]:
        """Return what goes back to the present state."""
        back = snapshot(self, [*self.parameters(), *self.prior.variance.values()])
        memory, family = self.memory, self.family
        correlation = None if memory is None else memory.correlation
        size = family.size if isinstance(family, NegativeBinomial) else 0.0

        def restore() -> None:
            back()
            if memory is not None and correlation is not None:
                memory.correlation = correlation
            if isinstance(family, NegativeBinomial):
                family.size = size

        return restore

    def loss(self, batches: list[Batch]) -> Tensor:
        """Return the part of −2·ELBO/N that lies in these batches, with one draw from q."""
        mixed = self.mixed
        fixed = {
            name: value + self.shared_log_std[name].exp() * self._noise(value)
            for name, value in mixed.fixed().items()
        }
        lower = self.spread.lower
        spread = self.spread.draw(lower, self._noise(mixed.deviations))
        centre: Tensor = mixed.deviations
        if self.nesting:
            around = self.nesting.combine(self.coefficient, spread) - spread
            self._around = around.detach()
            centre = centre + around
        drawn = (centre + spread) * self._per_group(self._expansion())
        deviance = total_deviance(mixed, self.family, batches, fixed=fixed, deviations=drawn)
        rows = sum(batch.n_rows for batch in batches)
        divergence = self.spread.divergence(mixed, self.covariances, centre, lower)
        total = sum_over_groups(batches, divergence)
        for name, value in mixed.fixed().items():
            log_std, prior = self.shared_log_std[name], self.prior.variance[name]
            shared = shared_divergence(value, log_std, prior)
            total = total + rows / self.n_rows * shared
        total = total + deviance / self.residual_variance
        if self.family.has_residual_variance:
            total = total + rows * math.log(self.residual_variance)
        self._deviance, self._step_rows = float(deviance.detach()), rows
        if self.memory is not None:
            total = total + self.memory.log_determinant(batches)
        if self._looks:
            self._last = batches, {k: one.detach() for k, one in fixed.items()}, drawn.detach()
        return total / self.n_rows

    @torch.no_grad()
    def likelihood(self, batches: Sequence[Batch]) -> Likelihood:
        """Return the bound, averaged over draws that are the same each time."""
        device = self.mixed.deviations.device
        self._generator = torch.Generator(device=device).manual_seed(0)
        objective = sum(float(self.loss(list(batches))) for _ in range(BOUND_DRAWS)) / BOUND_DRAWS
        if self.family.has_residual_variance:
            objective += math.log(2 * math.pi)
        value = -0.5 * self.n_rows * objective + deviance_constant(self.family, batches)
        return Likelihood(value, 0, n_observed(batches), BOUND)

    def _per_group(self, values: Tensor) -> Tensor:
        """Give each group the values of its factor, (G, R) → (P, R), or (1, R) for one factor."""
        if len(values) == 1:
            return values
        sizes = torch.tensor(self.mixed.sizes, device=values.device)
        return values.repeat_interleave(sizes, dim=0)

    def _noise(self, like: Tensor) -> Tensor:
        return torch.randn(
            like.shape, generator=self._generator, device=like.device, dtype=like.dtype
        )

    @torch.no_grad()
    def after_step(self) -> None:
        """Move σ², Σ and τ² towards closed-form values, ρ and k to where they are likelier."""
        self._steps += 1
        if self._steps > REMEMBER_AFTER and self._steps % REMEMBER_EVERY == 0:
            self._remember()
        self._expand()
        mixed = self.mixed
        if mixed.n_random:
            prior = self.prior.expanded(mixed.fixed())
            centre(mixed, self.covariances, prior, SMOOTHING)
            if self.nesting:
                centre_homes(mixed, self.covariances, self.nesting.home, SMOOTHING)
        if self.family.has_residual_variance:
            target = self._deviance / self._step_rows
            self.residual_variance += SMOOTHING * (target - self.residual_variance)
        if mixed.n_random:
            centres = mixed.deviations + self._around
            moments = self.spread.second_moments(mixed, self.covariances, centres)
            for covariance, moment in zip(self.covariances, moments, strict=True):
                covariance.update(moment, rate=SMOOTHING)
        self.prior.follow(mixed.fixed(), self.shared_log_std, SMOOTHING)

    def _remember(self) -> None:
        """Let ρ follow the residuals of the last draw, and k its outputs."""
        if self._last is None:
            return
        batches, fixed, drawn = self._last
        parts = list(chunks(batches))
        outputs = [self.mixed(b.x, fixed=fixed, deviations=own(drawn, b.groups)) for b in parts]
        if isinstance(self.family, NegativeBinomial):
            follow(self.family, parts, outputs)
        if self.memory is None:
            return
        residuals = [b.y - output.squeeze(-1) for b, output in zip(parts, outputs, strict=True)]
        self.memory.follow(parts, residuals, self.residual_variance)

    def _expansion(self) -> Tensor:
        """Factor of each factor's random effects, (G, R) or (1, R); the same in a pool."""
        return self.log_expansion.exp()[:, self.covariances[0].pools]

    def _expand(self) -> None:
        """Scale the random effects by what their expansion has learned, and Σ with them."""
        factor = self._per_group(self._expansion())
        self.mixed.deviations.mul_(factor)
        self.spread.rescale(factor)
        self._around = self._around * factor
        scales = self._expansion().expand(len(self.covariances), -1)
        for covariance, scale in zip(self.covariances, scales, strict=True):
            covariance.rescale(scale)
        self.log_expansion.zero_()

    def after_epoch(self) -> None:
        """Nothing is left to do: every step updates."""

    @property
    def settled(self) -> bool:
        """Whether training may stop: always, for the bound is complete from the first step."""
        return True

    def observe(self, losses: Tensor, rows: Tensor) -> bool:
        """Take the validation loss as information only: the prior prevents overfitting."""
        return True

    def finish(self, *, validated: bool) -> None:
        """Keep the last step, which is as good as any."""

    def shared_spread(self) -> dict[str, Tensor]:
        """Posterior standard deviation of every shared parameter, by name."""
        return {name: log_std.detach().exp() for name, log_std in self.shared_log_std.items()}

    def shared_precision(self) -> dict[str, Tensor]:
        """1/τ² of every shared parameter, by name."""
        prior = self.prior.expanded(self.mixed.fixed())
        return {name: variance.reciprocal() for name, variance in prior.items()}

    @property
    def dependence(self) -> tuple[Nesting, Tensor] | None:
        """How a group's deviations depend on those of the groups that it lies in."""
        return (self.nesting, self.coefficient.detach()) if self.nesting else None

    @torch.no_grad()
    def posterior_covariance(self) -> Tensor:
        """S_i of every group, shape (P, R, R), or (P, R) where they are diagonal; float64."""
        return self.spread.covariances()
