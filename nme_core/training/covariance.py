"""Covariance Σ of the random effects: the only place where it changes."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

#: Name of a Σ in which the intercept is apart from the slopes, which may covary.
BLOCKS = "blocks"
#: Names of Σ = L Lᵀ + D, D diagonal, and how many columns, factors, L has.
FACTOR, FACTOR2 = "factor", "factor2"
FACTORS = {FACTOR: 1, FACTOR2: 2}
#: Structures that only some models offer.
PATTERNS = (BLOCKS, *FACTORS)
#: Smallest variance a random effect may have, in standardised units (Σ must stay invertible).
SMALLEST = 1e-8
#: Numbers of the matrices of many groups that are worked on at once, so that memory stays bounded.
AT_ONCE = 2**20


class RandomEffectsCovariance:
    """Σ of η_i ~ N(0, Σ), diagonal or a matrix, in float64.

    Parameters
    ----------
    n_random : int
        Number of random effects R.
    kind : {"diagonal", "full", "blocks", "factor", "factor2"}
        Structure of Σ.
    start : float
        Variance of every random effect before the first update.
    pools : Tensor of int, shape (n_random,), optional
        Random effects with the same number, 0 to n_pools − 1, share one variance, of a diagonal
        matrix: Σ, or the D of factors. None: each has its own.

    Attributes
    ----------
    value : Tensor, shape (n_random,) or (n_random, n_random)
        What Σ is made of: the variances of a diagonal one, or the whole matrix.
    n_pools : int
        Number of variances that differ.

    Raises
    ------
    ValueError
        If a full Σ, or one in blocks, is to have pools, or the pools are not one number for each
        random effect.
    """

    def __init__(
        self,
        n_random: int,
        kind: str,
        *,
        start: float,
        pools: Tensor | None = None,
        device: torch.device | None = None,
    ) -> None:
        pooled = kind == "diagonal" or kind in FACTORS
        if pools is not None and (not pooled or pools.shape != (n_random,)):
            raise ValueError("pools takes a diagonal Σ, or factors, and a number of each effect")
        self.kind = kind
        self.pools = torch.arange(n_random) if pools is None else pools.to(torch.int64)
        self.pools = self.pools.to(device)
        self.n_pools = int(self.pools.max()) + 1 if n_random else 0
        variances = torch.full((n_random,), start, dtype=torch.float64, device=device)
        self._set(variances if kind == "diagonal" else variances.diag())

    def _set(self, value: Tensor) -> None:
        self.value = value
        if self.kind == "diagonal":
            self._whiten = value.rsqrt()
            self.log_determinant = value.log().sum()
        else:
            factor = torch.linalg.cholesky(value)
            eye = torch.eye(len(value), dtype=value.dtype, device=value.device)
            self._whiten = torch.linalg.solve_triangular(factor, eye, upper=False)
            self.log_determinant = 2 * factor.diagonal().log().sum()

    def among(self, places: Tensor) -> RandomEffectsCovariance:
        """One of the same structure for the effects at these places, on the CPU, at its start."""
        pooled = self.kind == "diagonal" or self.kind in FACTORS
        pools = torch.unique(self.pools.cpu()[places], return_inverse=True)[1] if pooled else None
        return RandomEffectsCovariance(len(places), self.kind, start=0.1, pools=pools)

    @property
    def matrix(self) -> Tensor:
        """Σ, shape (n_random, n_random)."""
        return self.value.diag() if self.kind == "diagonal" else self.value

    @property
    def variances(self) -> Tensor:
        """Diagonal of Σ, shape (n_random,)."""
        return self.value if self.kind == "diagonal" else self.value.diagonal()

    @property
    def precisions(self) -> Tensor:
        """Diagonal of Σ⁻¹, shape (n_random,)."""
        squared = self._whiten.square()
        return squared if self.kind == "diagonal" else squared.sum(0)

    @property
    def precision(self) -> Tensor:
        """Σ⁻¹, shape (n_random, n_random)."""
        if self.kind == "diagonal":
            return self.precisions.diag()
        return self._whiten.T @ self._whiten

    def whiten(self, values: Tensor) -> Tensor:
        """W v for each v in the last dimension, with WᵀW = Σ⁻¹, so that |W v|² = vᵀ Σ⁻¹ v."""
        whiten = self._whiten.to(values.dtype)
        return values * whiten if self.kind == "diagonal" else values @ whiten.T

    def penalty(self, deviations: Tensor) -> Tensor:
        """η_iᵀ Σ⁻¹ η_i of each row; (n, n_random) → (n,)."""
        return self.whiten(deviations).square().sum(-1)

    def by_pool(self, values: Tensor) -> Tensor:
        """Mean of values, shape (..., n_random), over the random effects of each pool.

        Returns
        -------
        Tensor, shape (..., n_pools)
        """
        if self.n_pools == len(self.pools):
            return values
        sums = values.new_zeros(*values.shape[:-1], self.n_pools)
        sizes = torch.bincount(self.pools, minlength=self.n_pools).to(values.dtype)
        return sums.index_add_(-1, self.pools, values) / sizes

    def rescale(self, factor: Tensor) -> None:
        """Multiply the random effects by `factor`, shape (n_random,): Σ becomes F Σ F.

        Random effects of one pool need the same factor.
        """
        factor = factor.double()
        across = factor if self.kind == "diagonal" else factor.unsqueeze(1)
        self._set(across * self.value * factor)

    def update(self, target: Tensor, rate: float = 1.0, floor: float = SMALLEST) -> None:
        """Move Σ towards `target` by `rate`, with every variance at least `floor`.

        Parameters
        ----------
        target : Tensor, shape (n_random, n_random) or, for a diagonal Σ, (n_random,)
            Where Σ should go: the second moment or the covariance of the random effects.
        rate : float
            1 takes the target as it is; less smooths over updates.
        floor : float
            Lower bound of the variances; a full matrix gets what lacks added to its diagonal.
        """
        target = target.double()
        if self.kind == "diagonal":
            target = target.diagonal() if target.dim() == 2 else target
            target = self.by_pool(target)[self.pools]
            self._set(torch.lerp(self.value, target, rate).clamp_min(floor))
            return
        matrix = torch.lerp(self.value, target, rate)
        matrix = (matrix + matrix.T) / 2
        if len(matrix):
            lacking = (floor - torch.linalg.eigvalsh(matrix).min()).clamp_min(0)
            matrix = matrix + lacking * torch.eye(len(matrix), device=matrix.device)
        self._set(matrix)


def fewest_effects(kind: str) -> int:
    """Random effects from which on this structure makes Σ of no more numbers than a full one."""
    return next(r for r in range(1, 99) if _saved(kind, r) >= 0)


def saves_numbers(kind: str, n_random: int) -> bool:
    """Whether this structure makes Σ of fewer numbers than a full one."""
    return _saved(kind, n_random) > 0


def _saved(kind: str, n_random: int) -> int:
    f = FACTORS.get(kind, 0)
    return n_random * (n_random - 1) // 2 - n_random * f + f * (f - 1) // 2


def in_parts(n_groups: int, n_random: int) -> Iterator[slice]:
    """Groups, some at a time, whose matrices (n_random, n_random) are worked on at once."""
    size = max(1, AT_ONCE // max(1, n_random**2))
    for start in range(0, n_groups, size):
        yield slice(start, start + size)


def square_roots(covariance: Tensor) -> Tensor:
    """L with L Lᵀ = S of each S, also where a variance is 0, shape as S; float32."""
    if covariance.dim() == 2:
        return covariance.sqrt().float()
    eye = torch.eye(covariance.shape[1], dtype=covariance.dtype)
    roots = torch.empty_like(covariance, dtype=torch.float32)
    for some in in_parts(*covariance.shape[:2]):
        size = covariance[some].diagonal(dim1=1, dim2=2).mean(1).clamp_min(1e-30)
        roots[some] = torch.linalg.cholesky(
            covariance[some] + 1e-10 * size.view(-1, 1, 1) * eye
        ).float()
    return roots
