"""Covariance Σ of the random effects: the only place where it changes."""

from __future__ import annotations

import torch
from torch import Tensor

#: Smallest variance a random effect may have, in standardised units (Σ must stay invertible).
SMALLEST = 1e-8


class RandomEffectsCovariance:
    """Σ of η_i ~ N(0, Σ), diagonal or full, in float64.

    Parameters
    ----------
    n_random : int
        Number of random effects R.
    kind : {"diagonal", "full"}
        Structure of Σ.
    start : float
        Variance of every random effect before the first update.

    Attributes
    ----------
    matrix : Tensor, shape (n_random, n_random)
        Σ; the off-diagonal is 0 for ``diagonal``.
    """

    def __init__(
        self, n_random: int, kind: str, *, start: float, device: torch.device | None = None
    ) -> None:
        self.kind = kind
        self._set(start * torch.eye(n_random, dtype=torch.float64, device=device))

    def _set(self, matrix: Tensor) -> None:
        self.matrix = matrix
        if self.kind == "diagonal":
            variance = matrix.diagonal()
            self._whiten = variance.rsqrt().diag()
            self.log_determinant = variance.log().sum()
        else:
            factor = torch.linalg.cholesky(matrix)
            eye = torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
            self._whiten = torch.linalg.solve_triangular(factor, eye, upper=False)
            self.log_determinant = 2 * factor.diagonal().log().sum()

    @property
    def variances(self) -> Tensor:
        """Diagonal of Σ, shape (n_random,)."""
        return self.matrix.diagonal()

    @property
    def precisions(self) -> Tensor:
        """Diagonal of Σ⁻¹, shape (n_random,)."""
        return self._whiten.square().sum(0)

    @property
    def precision(self) -> Tensor:
        """Σ⁻¹, shape (n_random, n_random)."""
        return self._whiten.T @ self._whiten

    def whiten(self, values: Tensor) -> Tensor:
        """W v for each v in the last dimension, with WᵀW = Σ⁻¹, so that |W v|² = vᵀ Σ⁻¹ v."""
        whiten = self._whiten.to(values.dtype)
        if self.kind == "diagonal":
            return values * whiten.diagonal()
        return values @ whiten.T

    def penalty(self, deviations: Tensor) -> Tensor:
        """η_iᵀ Σ⁻¹ η_i of each row; (n, n_random) → (n,)."""
        return self.whiten(deviations).square().sum(-1)

    def rescale(self, factor: Tensor) -> None:
        """Multiply the random effects by `factor`, shape (n_random,): Σ becomes F Σ F."""
        factor = factor.double()
        self._set(factor.unsqueeze(1) * self.matrix * factor)

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
        if target.dim() == 1:
            target = target.diag()
        if self.kind == "diagonal":
            target = target.diagonal().diag()
        matrix = (1 - rate) * self.matrix + rate * target
        matrix = (matrix + matrix.T) / 2
        if len(matrix):
            lacking = (floor - torch.linalg.eigvalsh(matrix).min()) if self.kind == "full" else 0.0
            short = torch.as_tensor(floor - matrix.diagonal()).clamp_min(0)
            if self.kind == "full":
                short = torch.full_like(short, max(float(lacking), 0.0))
            matrix = matrix + short.diag()
        self._set(matrix)
