"""What a CRF with linear emissions says of rows, its parameters known or normal around a fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.nn import MixedEffects
from nme_core.nn.chain_marginals import add_marginals
from nme_core.training.chain_data import ChainData
from nme_core.training.exact_chain import chain_data, chain_places

#: Points at which log p is expanded, at least and at most, each nearer to the mode; how much of the
#: log-likelihood a further step may still promise.
_LEAST, _MOST, _LEFT = 2, 30, 0.02
#: Share by which a height may fall by rounding.
_ROUNDING = 1e-12


class ChainRows:
    """The U sequences of a batch for the kernels, each with parameters of its own.

    Parameters
    ----------
    mixed : MixedEffects
        A CRF with linear emissions.
    batch : Batch
        Sequences, with labels where these are asked for.
    """

    def __init__(self, mixed: MixedEffects, batch: Batch) -> None:
        alone = replace(batch, groups=torch.arange(len(batch.x)).unsqueeze(1))
        self.data: ChainData = chain_data(mixed, [alone], len(batch.x))
        self._places = chain_places(mixed)
        self._order = torch.cat([self._places[name] for name in mixed.fixed()])

    def _theta(self, fixed: Mapping[str, Tensor]) -> Tensor:
        theta = torch.zeros(self.data.n_parameters, dtype=torch.float64)
        for name, value in fixed.items():
            theta[self._places[name]] = value.detach().double().reshape(-1)
        return theta

    def log_likelihoods(self, fixed: Mapping[str, Tensor], deviations: Tensor) -> Tensor:
        """log p(labels), shape (U,), for these shared parameters and deviations, (U, q)."""
        eta = deviations.detach().double().contiguous()
        return self.data.log_likelihoods(self._theta(fixed), eta)

    def add_marginals(self, fixed: Mapping[str, Tensor], deviations: Tensor, total: Tensor) -> None:
        """Add the probability of each state at each step to `total`, shape (N, K), float64."""
        eta = deviations.detach().double().contiguous()
        given = (self._theta(fixed).numpy(), eta.numpy(), self.data.places.numpy())
        kernel = partial(add_marginals, self.data.chains)
        people = slice(0, self.data.n_people)
        self.data.run(kernel, people, *given, self.data.basis, total.numpy())

    def log_expected(
        self,
        fixed: Mapping[str, Tensor],
        deviations: Tensor,
        covariance: Callable[[slice], Tensor],
    ) -> Tensor:
        """log E[p(labels)], shape (U,), by Laplace's method; no draws.

        With ψ ~ N(μ, Λ) and ψ = μ + Λu it expands log p − ½ uᵀΛu to second order near its mode,
        to which Newton's steps lead, halved where they go too far: with the gradient g and minus
        the curvature H of log p there, A = 1 + HΛ,

            log E[p] = log p − ½ uᵀΛu + ½ (g − u)ᵀ Λ A⁻¹ (g − u) − ½ log|A|.

        Parameters
        ----------
        covariance : callable
            Λ of some sequences, shape (n, p, p), in the order of `fixed`.
        """
        theta, eta = self._theta(fixed), deviations.detach().double()
        every = replace(self.data, places=torch.arange(self.data.n_parameters))
        at = torch.zeros(len(eta), len(theta), dtype=torch.float64)
        at[:, self.data.places] = eta
        result = torch.empty(len(eta), dtype=torch.float64)
        for some in every.parts():
            spread, own = covariance(some).double(), at[some].clone()
            u = before = torch.zeros_like(own)
            height = torch.full((len(own),), -torch.inf, dtype=torch.float64)
            expected, left = height.clone(), height.neg()
            for k in range(_MOST):
                moved = torch.einsum("nrs,ns->nr", spread, u)
                at[some, self._order] = own[:, self._order] + moved
                value, slope, curvature = every.derivatives(theta, at, some)
                now = value - 0.5 * torch.einsum("nr,nr->n", u, moved)
                higher = now >= height - _ROUNDING * now.abs()
                slope, curvature = slope[:, self._order], curvature[:, self._order]
                curvature = curvature[:, :, self._order]
                if self.data.missing:
                    values, vectors = torch.linalg.eigh(curvature)
                    curvature = vectors * values.clamp_min(0).unsqueeze(1) @ vectors.mT
                system = torch.eye(len(theta), dtype=torch.float64) + curvature @ spread
                factor, pivots = torch.linalg.lu_factor(system)
                ahead = slope - u
                step = torch.linalg.lu_solve(factor, pivots, ahead.unsqueeze(2)).squeeze(2)
                gain = 0.5 * torch.einsum("nr,nrs,ns->n", ahead, spread, step)
                log_det = factor.diagonal(dim1=1, dim2=2).abs().log().sum(1)
                expected = torch.where(higher, now + gain - 0.5 * log_det, expected)
                height, left = torch.where(higher, now, height), torch.where(higher, gain, left)
                if k + 1 >= _LEAST and bool((higher & (left <= _LEFT)).all()):
                    break
                halfway, further = 0.5 * (before + u), u + step
                before = torch.where(higher.unsqueeze(1), u, before)
                u = torch.where(higher.unsqueeze(1), further, halfway)
            result[some] = expected
        return result
