"""Variational estimator of the random effects: a posterior for every person and shared weight."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from nme_core.batches.sequences import Batch, chunks
from nme_core.nn import Family, MixedEffects, NegativeBinomial
from nme_core.nn.random_effects import own
from nme_core.training.covariance import RandomEffectsCovariance, in_parts
from nme_core.training.dispersion import follow
from nme_core.training.likelihood import BOUND, Likelihood, deviance_constant, n_observed
from nme_core.training.nesting import Nesting
from nme_core.training.objective import (
    group_divergence,
    shared_divergence,
    sum_over_groups,
    total_deviance,
)
from nme_core.training.residual_memory import ResidualMemory
from nme_core.training.snapshot import snapshot

#: Up to this many random effects a learned posterior covariance is full, above it is diagonal.
FULL_UP_TO = 64
#: Share of the way that Σ, σ² and τ² move to their closed-form values after each step.
SMOOTHING = 0.05
START_STD = 0.05
#: Steps from one look at the residuals' autocorrelation to the next, and before the first: what
#: people differ in looks like residuals that remember until it is learned.
REMEMBER_EVERY, REMEMBER_AFTER = 5, 200
#: Draws over which the bound is averaged at the end.
BOUND_DRAWS = 32
START_VARIANCE = 0.1
WEAK_PRIOR_VARIANCE = 100.0


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
        Weights of layers, shape (out, in): their prior variance τ² is one number per input, which
        tells how relevant a feature is. Other matrices have one τ² each. A τ² starts at the mean
        square of the weights that it is for.
    weak : sequence of str
        Parameters with a fixed, wide prior instead (fixed effects of a linear model).
    diagonal : bool
        Whether every S_i is learned as a diagonal matrix; else it is whole where random effects
        are few.
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
        self._diagonal = diagonal
        self._start_spread()
        self.nesting = None if nesting is None or nesting.is_empty else nesting
        # One scale for all factors where groups lie in others: it leaves their coefficients alone.
        n_scales, n_nested = (1, n_groups) if self.nesting else (len(mixed.sizes), 0)
        n_pools = self.covariances[0].n_pools
        self.log_expansion = nn.Parameter(mixed.deviations.new_zeros(n_scales, n_pools))
        self.coefficient = nn.Parameter(mixed.deviations.new_zeros(n_nested, n_random))
        self._around = mixed.deviations.new_zeros(())
        self._by_input, self._weak = frozenset(by_input), frozenset(weak)
        self._steps = 0
        self.prior_variance = {
            name: self._first_prior(name, value.detach()) for name, value in mixed.fixed().items()
        }
        self._deviance, self._step_rows = 0.0, 0
        self._last: tuple[list[Batch], dict[str, Tensor], Tensor] | None = None
        self._looks = memory is not None or isinstance(family, NegativeBinomial)

    def _pool(self, name: str, value: Tensor) -> Tensor:
        """Mean of a tensor over the elements that share one prior variance."""
        if name in self._by_input:
            return value.mean(0, keepdim=True)
        return value.mean().reshape(1)

    def _first_prior(self, name: str, value: Tensor) -> Tensor:
        """τ² at the start."""
        moment = self._pool(name, value.square())
        if name in self._weak:
            return torch.full_like(moment, WEAK_PRIOR_VARIANCE)
        if value.dim() == 1:
            return torch.ones_like(moment)
        return torch.where(moment > 0, moment, 1.0)

    def _start_spread(self) -> None:
        """Begin with the same small S for every group."""
        like, n_random = self.mixed.deviations, self.mixed.n_random
        self.log_diagonal = nn.Parameter(torch.full_like(like, math.log(START_STD)))
        self._below = torch.tril_indices(n_random, n_random, -1, device=like.device)
        # of many persons full ones would fill the memory
        if self._diagonal or n_random > FULL_UP_TO or len(like) * n_random**2 > 2**25:
            self._below = self._below[:, :0]
        self.off_diagonal = nn.Parameter(like.new_zeros(len(like), self._below.shape[1]))

    def _spread_parameters(self) -> list[nn.Parameter]:
        """Return what the optimiser adjusts of the S_i."""
        return [self.log_diagonal, self.off_diagonal]

    def parameters(self) -> list[nn.Parameter]:
        """What the optimiser adjusts."""
        return [
            *self.mixed.parameters(),
            *self.shared_log_std.values(),
            *self._spread_parameters(),
            self.log_expansion,
            self.coefficient,
        ]

    def snapshot(self) -> Callable[[], None]:
        """Return what goes back to the present state."""
        back = snapshot(self, [*self.parameters(), *self.prior_variance.values()])
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

    def _lower(self) -> Tensor:
        """Cholesky factors L of S, shape (P, R, R); without elements where S is diagonal."""
        if not self._below.shape[1]:
            return self.log_diagonal.new_zeros(len(self.log_diagonal), 0, 0)
        row, column = self._below
        lower = torch.diag_embed(self.log_diagonal.exp()).flatten(1)
        lower.index_add_(1, row * self.mixed.n_random + column, self.off_diagonal)
        return lower.view(-1, self.mixed.n_random, self.mixed.n_random)

    def loss(self, batches: list[Batch]) -> Tensor:
        """Return the part of −2·ELBO/N that lies in these batches, with one draw from q."""
        mixed = self.mixed
        fixed = {
            name: value + self.shared_log_std[name].exp() * self._noise(value)
            for name, value in mixed.fixed().items()
        }
        lower = self._lower()
        spread = self._spread(lower, self._noise(mixed.deviations))
        centre: Tensor = mixed.deviations
        if self.nesting:
            around = self.nesting.combine(self.coefficient, spread) - spread
            self._around = around.detach()
            centre = centre + around
        drawn = (centre + spread) * self._per_group(self._expansion())
        deviance = total_deviance(mixed, self.family, batches, fixed=fixed, deviations=drawn)
        rows = sum(batch.n_rows for batch in batches)
        total = self._own_divergence(centre, lower, batches)
        for name, value in mixed.fixed().items():
            shared = shared_divergence(
                value, self.shared_log_std[name], self.prior_variance[name]
            )  # fmt: skip
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

    def _spread(self, lower: Tensor, noise: Tensor) -> Tensor:
        """L_i ε_i of every group, shape (P, R)."""
        if lower.numel():
            return torch.bmm(lower, noise.unsqueeze(2)).squeeze(2)
        return self.log_diagonal.exp() * noise

    def _own_divergence(self, centre: Tensor, lower: Tensor, batches: list[Batch]) -> Tensor:
        """Part of Σ_i 2 KL(q_i ‖ N(0, Σ)) that lies in these batches."""
        own = (centre, self.log_diagonal, lower)
        factors = zip(*map(self.mixed.by_factor, own), self.covariances, strict=True)
        divergence = torch.cat([group_divergence(*factor) for factor in factors])
        return sum_over_groups(batches, divergence)

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
        self._centre()
        if self.family.has_residual_variance:
            target = self._deviance / self._step_rows
            self.residual_variance += SMOOTHING * (target - self.residual_variance)
        if self.mixed.n_random:
            for covariance, moment in zip(self.covariances, self._second_moments(), strict=True):
                covariance.update(moment, rate=SMOOTHING)
        for name, value in self.mixed.fixed().items():
            if value.dim() > 1 and name not in self._weak:
                moment = value.square() + torch.exp(2 * self.shared_log_std[name])
                prior = self.prior_variance[name]
                prior += SMOOTHING * (self._pool(name, moment) - prior)

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
        self._scale_spread(factor)
        self._around = self._around * factor
        scales = self._expansion().expand(len(self.covariances), -1)
        for covariance, scale in zip(self.covariances, scales, strict=True):
            covariance.rescale(scale)
        self.log_expansion.zero_()

    def _scale_spread(self, factor: Tensor) -> None:
        """Multiply the random effects by `factor`, shape (P, R) or (1, R)."""
        self.log_diagonal.add_(factor.log())
        self.off_diagonal.mul_(factor[:, self._below[0]])

    def _centre(self) -> None:
        """Move what all persons have in common from m into θ̄, towards where the bound is best.

        θ̄ + m_i stays as it is, so only the two priors count: the best shift δ solves
        (P Σ⁻¹ + T⁻¹) δ = P Σ⁻¹ m̄ − T⁻¹ θ̄ with T = diag τ². Likewise for every other factor.
        """
        mixed = self.mixed
        if not mixed.n_random:
            return
        prior = {
            name: self.prior_variance[name].expand_as(value)
            for name, value in mixed.fixed().items()
        }
        shared = mixed.fixed_vector(prior).double().reciprocal()
        for factor, covariance in enumerate(self.covariances):
            n_groups = mixed.sizes[factor]
            mean = mixed.by_factor(mixed.deviations)[factor].mean(0).double()
            fixed = mixed.fixed_vector().double()
            if covariance.kind == "diagonal":
                own = n_groups * covariance.precisions
                shift = (own * mean - shared * fixed) / (own + shared)
            else:
                own = n_groups * covariance.precision
                shift = torch.linalg.solve(own + shared.diag(), own @ mean - shared * fixed)
            mixed.shift_fixed(SMOOTHING * shift.to(mixed.deviations.dtype), factor)
        if self.nesting:
            self._centre_homes(self.nesting.home)

    def _centre_homes(self, home: Tensor) -> None:
        """Move what the groups in one home have in common from their m into the home's.

        As in `_centre`: (n Σ⁻¹ + Σ_h⁻¹) δ = n Σ⁻¹ m̄ − Σ_h⁻¹ m_h for the n groups of a home.
        """
        means = self.mixed.deviations.double()
        starts = torch.tensor([0, *self.mixed.sizes]).cumsum(0).tolist()
        for number, (start, stop) in enumerate(pairwise(starts)):
            inside = torch.arange(start, stop, device=home.device)
            inside = inside[home[inside] >= 0]
            if not len(inside):
                continue
            homes, place = torch.unique(home[inside], return_inverse=True)
            n = torch.bincount(place).double().unsqueeze(1)
            total = torch.zeros_like(means[homes]).index_add_(0, place, means[inside])
            outer = next(k for k, edge in enumerate(starts[1:]) if int(homes[0]) < edge)
            inner, around = self.covariances[number], self.covariances[outer]
            if inner.kind == "diagonal":
                own, other = n * inner.precisions, around.precisions
                shift = (total * inner.precisions - other * means[homes]) / (own + other)
            else:
                own, other = n.unsqueeze(2) * inner.precision, around.precision
                right = total @ inner.precision - means[homes] @ other
                shift = torch.linalg.solve(own + other, right)
            step = (SMOOTHING * shift).to(self.mixed.deviations.dtype)
            self.mixed.deviations.index_add_(0, homes, step)
            self.mixed.deviations.index_add_(0, inside, -step[place])
            means = self.mixed.deviations.double()

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

    @torch.no_grad()
    def _second_moments(self) -> list[Tensor]:
        """Mean over each factor's groups of m mᵀ + S; only its diagonal where Σ is diagonal."""
        lower, centres = self._lower(), self.mixed.deviations + self._around
        result = []
        for covariance, mean, log_diagonal, factor in zip(
            self.covariances,
            *map(self.mixed.by_factor, (centres, self.log_diagonal, lower)),
            strict=True,
        ):
            variances = torch.exp(2 * log_diagonal)
            if covariance.kind == "diagonal":
                spread = factor.square().sum(2) if lower.numel() else variances
                result.append((mean.square() + spread).mean(0))
                continue
            second = mean.T @ mean / len(mean)
            if lower.numel():
                columns = factor.transpose(0, 1).flatten(1)  # (R, P·R)
                second = second + columns @ columns.T / len(mean)
            else:
                second = second + variances.mean(0).diag()
            result.append(second)
        return result

    def shared_spread(self) -> dict[str, Tensor]:
        """Posterior standard deviation of every shared parameter, by name."""
        return {name: log_std.detach().exp() for name, log_std in self.shared_log_std.items()}

    def shared_precision(self) -> dict[str, Tensor]:
        """1/τ² of every shared parameter, by name."""
        return {
            name: self.prior_variance[name].expand_as(value).reciprocal()
            for name, value in self.mixed.fixed().items()
        }

    @property
    def dependence(self) -> tuple[Nesting, Tensor] | None:
        """How a group's deviations depend on those of the groups that it lies in."""
        return (self.nesting, self.coefficient.detach()) if self.nesting else None

    @torch.no_grad()
    def posterior_covariance(self) -> Tensor:
        """S_i of every group, shape (P, R, R), or (P, R) where they are diagonal; float64."""
        lower = self._lower()
        if not lower.numel():
            return torch.exp(2 * self.log_diagonal.double())
        result = torch.empty_like(lower, dtype=torch.float64)
        for some in in_parts(*lower.shape[:2]):
            factor = lower[some].double()
            result[some] = factor @ factor.transpose(1, 2)
        return result
