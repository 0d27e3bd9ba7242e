"""What training leaves behind: the network at its posterior mean, and the spread around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from nme_core.data.sequences import Batch
from nme_core.nn import MixedEffects
from nme_core.training import Problem

#: Draws over which a probability is averaged.
DRAWS = 64
_NETWORK, _SPREAD = "network.", "spread."


@dataclass(frozen=True)
class Posterior:
    """Posterior of all parameters, or a point estimate.

    Attributes
    ----------
    mixed : MixedEffects
        The network; its parameters and deviations are the posterior means.
    sigma : Tensor, shape (R, R)
        Σ.
    residual_variance : float
        σ², standardised.
    covariance : Tensor, shape (P, R, R), or None
        S_i of every person; None for a point estimate.
    spread : dict of str to Tensor
        Posterior standard deviations of the shared parameters; empty for a point estimate.
    """

    mixed: MixedEffects
    sigma: Tensor
    residual_variance: float
    covariance: Tensor | None
    spread: dict[str, Tensor]

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Take a trained problem's results to the CPU."""
        covariance = problem.posterior_covariance()
        return cls(
            mixed=problem.mixed.cpu().eval().requires_grad_(False),
            sigma=problem.covariance.matrix.cpu(),
            residual_variance=problem.residual_variance,
            covariance=None if covariance is None else covariance.cpu(),
            spread={name: std.cpu() for name, std in problem.shared_spread().items()},
        )

    @torch.no_grad()
    def mean_output(self, batch: Batch, *, persons: bool) -> Any:
        """Return the network's output at the posterior mean; η = 0 unless `persons`."""
        return self.mixed(batch.x, groups=batch.groups if persons else None)

    @torch.no_grad()
    def outputs(self, batch: Batch, *, persons: bool, seed: int) -> Iterator[Any]:
        """Yield the network's output once for each draw; a point estimate is its only draw."""
        for fixed, deviations in self._draws(seed):
            if persons:
                own = deviations[batch.groups]
            else:
                own = deviations.new_zeros(len(batch.groups), self.mixed.n_random)
            yield self.mixed(batch.x, fixed=fixed, deviations=own)

    def _draws(self, seed: int) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
        """Yield `DRAWS` draws of the shared parameters and of all deviations.

        They come in pairs on both sides of the mean, so that what is linear in them has no error.
        """
        mean, deviations = self.mixed.fixed(), self.mixed.deviations
        if self.covariance is None:
            yield mean, deviations
            return
        generator = torch.Generator().manual_seed(seed)
        factor = torch.linalg.cholesky(self.covariance).float()

        def noise(like: Tensor) -> Tensor:
            return torch.randn(like.shape, generator=generator, dtype=like.dtype)

        for _ in range(DRAWS // 2):
            shared = {name: self.spread[name] * noise(value) for name, value in mean.items()}
            own = torch.bmm(factor, noise(deviations).unsqueeze(2)).squeeze(2)
            for side in (1, -1):
                fixed = {name: value + side * shared[name] for name, value in mean.items()}
                yield fixed, deviations + side * own

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name, for a file; without σ²."""
        result = {f"{_NETWORK}{name}": value for name, value in self.mixed.state_dict().items()}
        result |= {f"{_SPREAD}{name}": value for name, value in self.spread.items()}
        result["sigma"] = self.sigma
        if self.covariance is not None:
            result["posterior"] = self.covariance
        return result

    @classmethod
    def from_tensors(
        cls, mixed: MixedEffects, tensors: dict[str, Tensor], residual_variance: float
    ) -> Self:
        """Undo `tensors`; `mixed` is an untrained network of the same shape."""

        def under(prefix: str) -> dict[str, Tensor]:
            return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

        mixed.load_state_dict(under(_NETWORK))
        return cls(
            mixed=mixed.eval().requires_grad_(False),
            sigma=tensors["sigma"],
            residual_variance=residual_variance,
            covariance=tensors.get("posterior"),
            spread=under(_SPREAD),
        )
