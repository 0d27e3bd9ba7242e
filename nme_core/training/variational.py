"""Variational estimator of the random effects: a posterior for every person and shared weight."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nme_core.data.sequences import Batch
from nme_core.nn import Family, MixedEffects
from nme_core.training.covariance import RandomEffectsCovariance
from nme_core.training.objective import group_divergence, shared_divergence

#: Up to this many random effects a person's posterior covariance is full, above it is diagonal.
FULL_UP_TO = 64
#: Share of the way that Σ, σ² and τ² move to their closed-form values after each step.
SMOOTHING = 0.05
START_STD = 0.05
START_VARIANCE = 0.1
WEAK_PRIOR_VARIANCE = 100.0


class Variational:
    """Evidence lower bound with q(η_i) = N(m_i, S_i) and q(w) = N(μ_w, v_w) for shared weights.

    −2·ELBO = E_q[ Σ_ij D_ij ]/σ² + N log σ²
              + Σ_i 2 KL(q_i ‖ N(0, Σ)) + Σ_w 2 KL(q_w ‖ N(0, τ_w²))

    by reparameterised gradients, one draw a step. Σ, σ² and τ² follow in closed form, smoothed over
    steps. The means m and μ are the deviations and parameters of `mixed` itself, so that after
    training `mixed` computes with the posterior mean.

    Parameters
    ----------
    mixed : MixedEffects
        Network; trained in place.
    family : Family
        Gives the deviance D.
    covariance : RandomEffectsCovariance
        Σ; moved after every step.
    n_rows : int
        N, the rows of one epoch.
    seed : int
        Seed of the draws.
    by_input : sequence of str
        Weights of layers, shape (out, in): their prior variance τ² is one number per input (a
        feature, or a hidden unit), which tells how relevant it is; what is not needed is switched
        off at no cost. Other matrices have one τ² each.
    weak : sequence of str
        Parameters with a fixed, wide prior instead (fixed effects of a linear model).
    warm_up : int
        Steps over which the divergence of the shared parameters comes in, from 0 to its full
        weight (Sønderby et al. 2016): at once it can switch off what a small study does show.
    """

    def __init__(
        self,
        mixed: MixedEffects,
        family: Family,
        covariance: RandomEffectsCovariance,
        *,
        n_rows: int,
        seed: int,
        by_input: tuple[str, ...] = (),
        weak: tuple[str, ...] = (),
        warm_up: int = 0,
    ) -> None:
        self.mixed, self.family, self.covariance, self.n_rows = mixed, family, covariance, n_rows
        self.residual_variance = 1.0
        device, n_groups, n_random = mixed.deviations.device, mixed.n_groups, mixed.n_random
        self._generator = torch.Generator(device=device).manual_seed(seed)
        start = torch.tensor(START_STD).log()
        self.shared_log_std = {
            name: nn.Parameter(torch.full_like(value, float(start)))
            for name, value in mixed.fixed().items()
        }
        self.log_diagonal = nn.Parameter(torch.full_like(mixed.deviations, float(start)))
        below = torch.tril_indices(n_random, n_random, -1, device=device)
        self._below = below if n_random <= FULL_UP_TO else below[:, :0]
        self.off_diagonal = nn.Parameter(
            mixed.deviations.new_zeros(n_groups, self._below.shape[1])
        )  # fmt: skip
        self.log_expansion = nn.Parameter(mixed.deviations.new_zeros(n_random))
        self._by_input, self._weak = frozenset(by_input), frozenset(weak)
        self._warm_up, self._steps = warm_up, 0
        self.prior_variance: dict[str, Tensor] = {}
        for name, value in mixed.fixed().items():
            start_at = WEAK_PRIOR_VARIANCE if name in self._weak else 1.0
            self.prior_variance[name] = torch.full_like(self._pool(name, value.detach()), start_at)
        self._deviance, self._step_rows = 0.0, 0

    def _pool(self, name: str, value: Tensor) -> Tensor:
        """Mean of a tensor over the elements that share one prior variance."""
        if name in self._by_input:
            return value.mean(0, keepdim=True)
        return value.mean().reshape(1)

    def parameters(self) -> list[nn.Parameter]:
        """What the optimiser adjusts."""
        return [
            *self.mixed.parameters(),
            *self.shared_log_std.values(),
            self.log_diagonal,
            self.off_diagonal,
            self.log_expansion,
        ]

    def _lower(self) -> Tensor:
        """Cholesky factors L of S, shape (P, R, R); without elements where S is diagonal."""
        if not self._below.shape[1]:
            return self.log_diagonal.new_zeros(len(self.log_diagonal), 0, 0)
        row, column = self._below
        lower = torch.diag_embed(self.log_diagonal.exp()).flatten(1)
        lower = lower.index_add(1, row * self.mixed.n_random + column, self.off_diagonal)
        return lower.view(-1, self.mixed.n_random, self.mixed.n_random)

    def loss(self, batches: list[Batch]) -> Tensor:
        """Return the part of −2·ELBO/N that lies in these batches, with one draw from q."""
        mixed, covariance = self.mixed, self.covariance
        fixed = {
            name: value + self.shared_log_std[name].exp() * self._noise(value)
            for name, value in mixed.fixed().items()
        }
        lower = self._lower()
        noise = self._noise(mixed.deviations)
        if lower.numel():
            spread = torch.bmm(lower, noise.unsqueeze(2)).squeeze(2)
        else:
            spread = self.log_diagonal.exp() * noise
        drawn = (mixed.deviations + spread) * self.log_expansion.exp()
        divergence = group_divergence(mixed.deviations, self.log_diagonal, lower, covariance)
        total = mixed.deviations.new_zeros(())
        deviance, rows = mixed.deviations.new_zeros(()), 0
        for batch in batches:
            output = mixed(batch.x, fixed=fixed, deviations=drawn[batch.groups])
            deviance = deviance + self.family.deviance(output, batch).sum()
            total = total + (batch.share * divergence[batch.groups]).sum()
            rows += batch.n_rows
        part = rows / self.n_rows
        for name, value in mixed.fixed().items():
            shared = shared_divergence(
                value, self.shared_log_std[name], self.prior_variance[name]
            )  # fmt: skip
            total = total + self._warmth * part * shared
        total = total + deviance / self.residual_variance
        if self.family.has_residual_variance:
            total = total + rows * math.log(self.residual_variance)
        self._deviance, self._step_rows = float(deviance.detach()), rows
        return total / self.n_rows

    @property
    def _warmth(self) -> float:
        """Weight of the shared parameters' divergence."""
        return 1.0 if self._steps >= self._warm_up else self._steps / self._warm_up

    def _noise(self, like: Tensor) -> Tensor:
        return torch.randn(
            like.shape, generator=self._generator, device=like.device, dtype=like.dtype
        )

    @torch.no_grad()
    def after_step(self) -> None:
        """Move σ², Σ and τ² towards their closed-form values."""
        self._steps += 1
        self._expand()
        self._centre()
        if self.family.has_residual_variance:
            target = self._deviance / self._step_rows
            self.residual_variance += SMOOTHING * (target - self.residual_variance)
        if self.mixed.n_random:
            self.covariance.update(self._second_moment(), rate=SMOOTHING)
        for name, value in self.mixed.fixed().items():
            if value.dim() > 1 and name not in self._weak:
                moment = value.square() + torch.exp(2 * self.shared_log_std[name])
                prior = self.prior_variance[name]
                prior += SMOOTHING * (self._pool(name, moment) - prior)

    def _expand(self) -> None:
        """Scale the random effects by what their expansion has learned, and Σ with them."""
        factor = self.log_expansion.exp()
        self.mixed.deviations.mul_(factor)
        self.log_diagonal.add_(self.log_expansion)
        self.off_diagonal.mul_(factor[self._below[0]])
        self.covariance.rescale(factor)
        self.log_expansion.zero_()

    def _centre(self) -> None:
        """Move what all persons have in common from m into θ̄, towards where the bound is best.

        θ̄ + m_i stays as it is, so only the two priors count: the best shift δ solves
        (P Σ⁻¹ + T⁻¹) δ = P Σ⁻¹ m̄ − T⁻¹ θ̄ with T = diag τ².
        """
        mixed = self.mixed
        if not mixed.n_random:
            return
        prior = {
            name: self.prior_variance[name].expand_as(value)
            for name, value in mixed.fixed().items()
        }
        mean, fixed = mixed.deviations.mean(0).double(), mixed.fixed_vector().double()
        shared = self._warmth * mixed.fixed_vector(prior).double().reciprocal()
        if self.covariance.kind == "diagonal":
            own = mixed.n_groups * self.covariance.precisions
            shift = (own * mean - shared * fixed) / (own + shared)
        else:
            own = mixed.n_groups * self.covariance.precision
            shift = torch.linalg.solve(own + shared.diag(), own @ mean - shared * fixed)
        mixed.shift_fixed(SMOOTHING * shift.to(mixed.deviations.dtype))

    def after_epoch(self) -> None:
        """Nothing is left to do: every step updates."""

    @property
    def settled(self) -> bool:
        """Whether training may stop: not before the bound is complete."""
        return self._steps >= self._warm_up

    def observe(self, losses: Tensor, rows: Tensor) -> bool:
        """Take the validation loss as information only: the prior prevents overfitting."""
        return True

    def finish(self, *, validated: bool) -> None:
        """Keep the last step, which is as good as any."""

    @torch.no_grad()
    def _second_moment(self) -> Tensor:
        """Mean over persons of m mᵀ + S; only its diagonal where Σ is diagonal."""
        mean, lower = self.mixed.deviations, self._lower()
        if self.covariance.kind == "diagonal":
            spread = lower.square().sum(2) if lower.numel() else torch.exp(2 * self.log_diagonal)
            return (mean.square() + spread).mean(0)
        second = mean.T @ mean / len(mean)
        if lower.numel():
            factor = lower.transpose(0, 1).flatten(1)  # (R, P·R)
            return second + factor @ factor.T / len(mean)
        return second + torch.exp(2 * self.log_diagonal).mean(0).diag()

    def shared_spread(self) -> dict[str, Tensor]:
        """Posterior standard deviation of every shared parameter, by name."""
        return {name: log_std.detach().exp() for name, log_std in self.shared_log_std.items()}

    @torch.no_grad()
    def posterior_covariance(self) -> Tensor:
        """S_i of every person, shape (P, R, R), float64; diagonal above `FULL_UP_TO` effects."""
        lower = self._lower().double()
        if lower.numel() or not self.mixed.n_random:
            return lower @ lower.transpose(1, 2)
        return torch.diag_embed(torch.exp(2 * self.log_diagonal.double()))
