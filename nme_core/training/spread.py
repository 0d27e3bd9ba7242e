"""Covariances of all persons' random effects, as the curvature gives them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nme_core.training.covariance import in_parts


class PersonSpread:
    """S_i = F L_i L_iᵀ F of every person; F is a diagonal that all persons share.

    Nothing here has a gradient, so training needs of all S_i together only their mean and the mean
    of their log-determinants: these are kept, and a change of F costs as much as for one person.

    Parameters
    ----------
    like : Tensor, shape (P, R)
        The deviations; gives shape, device and precision of the L_i.
    std : float
        Standard deviation of every random effect before the first `follow`.
    """

    def __init__(self, like: Tensor, std: float) -> None:
        n_groups, n_random = like.shape
        eye = torch.eye(n_random, dtype=like.dtype, device=like.device)
        self.lower = (std * eye).repeat(n_groups, 1, 1)
        self._scale = torch.ones(n_random, dtype=torch.float64, device=like.device)
        self._take_means()

    def _take_means(self) -> None:
        """Take the means over the L_i L_iᵀ."""
        self._mean = self._scale.new_zeros(len(self._scale), len(self._scale))
        self._log_determinant = self._scale.new_zeros(())
        for some in in_parts(*self.lower.shape[:2]):
            lower = self.lower[some]
            columns = lower.transpose(0, 1).flatten(1)  # (R, P·R)
            self._mean += (columns @ columns.T).double()
            logs = lower.diagonal(dim1=1, dim2=2).log().sum()
            self._log_determinant = self._log_determinant + 2 * logs.double()
        self._mean /= len(self.lower)
        self._log_determinant = self._log_determinant / len(self.lower)

    @property
    def mean(self) -> Tensor:
        """Mean of the S_i, shape (R, R); float64."""
        return self._scale * self._mean * self._scale.unsqueeze(1)

    @property
    def log_determinant(self) -> Tensor:
        """Mean of log|S_i|."""
        return self._log_determinant + 2 * self._scale.log().sum()

    def draw(self, noise: Tensor) -> Tensor:
        """F L_i ε_i of every person, (P, R) → (P, R)."""
        drawn = torch.bmm(self.lower, noise.unsqueeze(2)).squeeze(2)
        return drawn * self._scale.to(noise.dtype)

    def rescale(self, factor: Tensor) -> None:
        """Multiply the random effects by `factor`, shape (R,)."""
        self._scale = self._scale * factor.double()

    def follow(self, data: Tensor, prior: Tensor, residual_variance: float) -> None:
        """Let S_i = (data_i/σ² + prior)⁻¹, of `data` (P, R, R) and `prior` (R, R)."""
        eye = torch.eye(len(prior), dtype=prior.dtype, device=prior.device)
        for some in in_parts(*data.shape[:2]):
            precision = data[some].double() / residual_variance + prior
            # L⁻ᵀ of the precision L Lᵀ is a root of C, but upper triangular: so factor C reversed.
            flipped = torch.linalg.cholesky(precision.flip(1, 2))
            root = torch.linalg.solve_triangular(flipped, eye, upper=False)
            self.lower[some] = root.transpose(1, 2).flip(1, 2).to(self.lower.dtype)
        self._scale = torch.ones_like(self._scale)
        self._take_means()

    def covariances(self) -> Tensor:
        """S_i of every person, shape (P, R, R); float64."""
        result = torch.empty_like(self.lower, dtype=torch.float64)
        for some in in_parts(*self.lower.shape[:2]):
            lower = self._scale.unsqueeze(1) * self.lower[some].double()
            result[some] = lower @ lower.transpose(1, 2)
        return result

    def snapshot(self) -> Callable[[], None]:
        """Return what goes back to the present state."""
        lower, scale = self.lower.clone(), self._scale.clone()

        def restore() -> None:
            self.lower.copy_(lower)
            self._scale = scale.clone()
            self._take_means()

        return restore
