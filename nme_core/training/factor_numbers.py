"""The free numbers of Λ, Σ = Λ Λᵀ."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nme_core.training.covariance import PATTERNS, RandomEffectsCovariance
from nme_core.training.linear_curvature import Elements, Structure

#: Steps to the factors of a covariance, and the least share of a variance that is not theirs.
_STEPS, _LEAST_OWN = 30, 0.05


@dataclass(frozen=True)
class FactorNumbers:
    """The numbers that Λ is made of: its diagonal in pools, its lower triangle, or that of blocks.

    With factors Λ has a column for each beside its diagonal (see `Elements`), which may have pools.

    Attributes
    ----------
    row, column, pool : Tensor of int, shape (m,)
        Places of the elements that may differ from 0, and the number of each.
    n_random : int
        R.
    diagonal : bool
        Whether Σ is.
    n_factors : int
        Columns of Λ beyond R.
    patterned : bool
        Whether Σ is neither diagonal nor full.
    """

    row: Tensor
    column: Tensor
    pool: Tensor
    n_random: int
    diagonal: bool
    n_factors: int = 0
    patterned: bool = False

    @classmethod
    def of(cls, covariance: RandomEffectsCovariance, structure: Structure) -> FactorNumbers:
        """Of this structure, which names the blocks where the covariance has some."""
        r = len(covariance.variances)
        if covariance.kind == "diagonal":
            place = torch.arange(r)
            return cls(place, place, covariance.pools, r, r > 0)
        elements = Elements.of(r, structure)
        row, column = torch.from_numpy(elements.row), torch.from_numpy(elements.column)
        pool, patterned = torch.arange(len(row)), covariance.kind in PATTERNS
        if elements.n_factors:
            loads = torch.arange(len(row) - r) + covariance.n_pools
            pool = torch.cat([covariance.pools, loads])
        return cls(row, column, pool, r, r == 1, elements.n_factors, patterned)

    @property
    def n(self) -> int:
        """How many numbers."""
        return int(self.pool.max()) + 1 if len(self.pool) else 0

    def led_by(self, k: int) -> FactorNumbers:
        """The lower triangle with effect k first, so that number 0 is its standard deviation."""
        order = torch.tensor([k, *(j for j in range(self.n_random) if j != k)])
        return FactorNumbers(order[self.row], self.column, self.pool, self.n_random, self.diagonal)

    def matrix(self, values: Tensor) -> Tensor:
        """Λ, (R, R), or (R, R + F) with F factors."""
        result = values.new_zeros(self.n_random, self.n_random + self.n_factors)
        result[self.row, self.column] = values[self.pool]
        return result

    def gather(self, slope: Tensor) -> Tensor:
        """Slope by the numbers, from the slope by the elements of Λ."""
        return slope.new_zeros(self.n).index_add_(0, self.pool, slope[self.row, self.column])

    def mean(self, scale: Tensor) -> Tensor:
        """The numbers that are nearest to a Λ, (R, m): means over pools."""
        return self.gather(scale) / torch.bincount(self.pool)

    def pooled(self, sigma: Tensor) -> Tensor:
        """A covariance near `sigma` that is 0 where this structure has it 0, alike in pools."""
        if not self.diagonal:
            some = self.matrix(torch.ones(self.n, dtype=sigma.dtype))
            return torch.where(some @ some.T > 0, sigma, 0.0)
        return self.mean(sigma.diagonal().diag())[self.pool].diag()

    def of_covariance(self, sigma: Tensor) -> Tensor:
        """The numbers of a covariance of this structure, or with factors near to it."""
        if self.diagonal:
            return self.mean(sigma.diagonal().sqrt().diag())
        if self.n_factors:
            return self.mean(_factored(sigma, self.n_factors))
        small = 1e-6 * torch.eye(len(sigma), dtype=sigma.dtype)
        order = torch.arange(len(sigma))
        if not self.patterned:
            order = self.row[self.column == 0]  # another one after `led_by`
        lower: Tensor = torch.linalg.cholesky((sigma + small)[order][:, order])
        whole = torch.empty_like(lower)
        whole[order] = lower
        return whole[self.row, self.column]


def _factored(sigma: Tensor, n_factors: int) -> Tensor:
    """(D^½, L) with D + L Lᵀ near Σ, by principal axes; L is 0 above its diagonal."""
    sd = sigma.diagonal().sqrt().clamp_min(1e-6)
    correlations = sigma / sd / sd.unsqueeze(1)
    own = torch.full_like(sd, 0.5)
    for _ in range(_STEPS):
        values, axes = torch.linalg.eigh(correlations - own.diag())
        loads = axes[:, -n_factors:] * values[-n_factors:].clamp_min(0).sqrt()
        own = (1 - loads.square().sum(1)).clamp_min(_LEAST_OWN)
    turn, _ = torch.linalg.qr(loads[:n_factors].T)
    return sd.unsqueeze(1) * torch.cat([own.sqrt().diag(), loads @ turn], dim=1)
