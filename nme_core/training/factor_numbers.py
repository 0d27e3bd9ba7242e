"""The free numbers of Λ, Σ = Λ Λᵀ."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nme_core.training.covariance import RandomEffectsCovariance


@dataclass(frozen=True)
class FactorNumbers:
    """The numbers that Λ is made of: its diagonal in pools, or its lower triangle.

    Attributes
    ----------
    row, column, pool : Tensor of int, shape (m,)
        Places of the elements that may differ from 0, and the number of each.
    n_random : int
        R.
    diagonal : bool
        Whether Σ is.
    """

    row: Tensor
    column: Tensor
    pool: Tensor
    n_random: int
    diagonal: bool

    @classmethod
    def of(cls, covariance: RandomEffectsCovariance) -> FactorNumbers:
        """Of this structure."""
        r = len(covariance.variances)
        if covariance.kind == "diagonal":
            place = torch.arange(r)
            return cls(place, place, covariance.pools, r, r > 0)
        row, column = torch.tril_indices(r, r)
        return cls(row, column, torch.arange(len(row)), r, r == 1)

    @property
    def n(self) -> int:
        """How many numbers."""
        return int(self.pool.max()) + 1 if len(self.pool) else 0

    def led_by(self, k: int) -> FactorNumbers:
        """The lower triangle with effect k first, so that number 0 is its standard deviation."""
        order = torch.tensor([k, *(j for j in range(self.n_random) if j != k)])
        return FactorNumbers(order[self.row], self.column, self.pool, self.n_random, self.diagonal)

    def matrix(self, values: Tensor) -> Tensor:
        """Λ, (R, R)."""
        result = values.new_zeros(self.n_random, self.n_random)
        result[self.row, self.column] = values[self.pool]
        return result

    def gather(self, slope: Tensor) -> Tensor:
        """Slope by the numbers, from the slope by the elements of Λ."""
        return slope.new_zeros(self.n).index_add_(0, self.pool, slope[self.row, self.column])

    def pooled(self, sigma: Tensor) -> Tensor:
        """The covariance of this structure that is nearest to `sigma`."""
        if not self.diagonal:
            return sigma
        values = self.gather(sigma.diagonal().diag()) / torch.bincount(self.pool)
        return values[self.pool].diag()

    def of_covariance(self, sigma: Tensor) -> Tensor:
        """The numbers of a covariance of this structure."""
        if self.diagonal:
            root = sigma.diagonal().sqrt()
            return self.gather(root.diag()) / torch.bincount(self.pool)
        small = 1e-6 * torch.eye(len(sigma), dtype=sigma.dtype)
        order = self.row[self.column == 0]  # 0, 1, … but for `led_by`
        lower: Tensor = torch.linalg.cholesky((sigma + small)[order][:, order])
        whole = torch.empty_like(lower)
        whole[order] = lower
        return whole[self.row, self.column]
