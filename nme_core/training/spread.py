"""Covariances of all people's random effects: learned, or as the curvature gives them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from nme_core.nn import MixedEffects
from nme_core.training.covariance import RandomEffectsCovariance, in_parts
from nme_core.training.objective import group_divergence

#: Up to this many random effects a learned covariance is full, above it is diagonal.
FULL_UP_TO = 64


class LearnedSpread:
    """S_i = L_i L_iᵀ of every group, adjusted by an optimiser; diagonal where these are many.

    Parameters
    ----------
    like : Tensor, shape (P, R)
        The deviations; gives shape, device and precision.
    std : float
        Standard deviation of every random effect to begin with.
    diagonal : bool
        Whether every S_i is diagonal; else it is whole where random effects are few.
    """

    def __init__(self, like: Tensor, std: float, *, diagonal: bool) -> None:
        n_groups, n_random = like.shape
        self.log_diagonal = nn.Parameter(torch.full_like(like, math.log(std)))
        self._below = torch.tril_indices(n_random, n_random, -1, device=like.device)
        # of many people full ones would fill the memory
        if diagonal or n_random > FULL_UP_TO or n_groups * n_random**2 > 2**25:
            self._below = self._below[:, :0]
        self.off_diagonal = nn.Parameter(like.new_zeros(n_groups, self._below.shape[1]))

    def parameters(self) -> list[nn.Parameter]:
        """What the optimiser adjusts."""
        return [self.log_diagonal, self.off_diagonal]

    @property
    def lower(self) -> Tensor:
        """The L_i, shape (P, R, R); without elements where S is diagonal."""
        if not self._below.shape[1]:
            return self.log_diagonal.new_zeros(len(self.log_diagonal), 0, 0)
        row, column = self._below
        lower = torch.diag_embed(self.log_diagonal.exp())
        whole, n_random = lower.flatten(1), lower.shape[1]
        whole.index_add_(1, row * n_random + column, self.off_diagonal)
        return whole.view(-1, n_random, n_random)

    def draw(self, lower: Tensor, noise: Tensor) -> Tensor:
        """L_i ε_i of every group, (P, R) → (P, R)."""
        if lower.numel():
            return torch.bmm(lower, noise.unsqueeze(2)).squeeze(2)
        return self.log_diagonal.exp() * noise

    def rescale(self, factor: Tensor) -> None:
        """Multiply the random effects by `factor`, shape (P, R) or (1, R)."""
        self.log_diagonal.add_(factor.log())
        self.off_diagonal.mul_(factor[:, self._below[0]])

    def divergence(
        self,
        mixed: MixedEffects,
        covariances: Sequence[RandomEffectsCovariance],
        centre: Tensor,
        lower: Tensor,
    ) -> Tensor:
        """2 KL(q_i ‖ N(0, Σ)) of every group, shape (P,)."""
        own = (centre, self.log_diagonal, lower)
        factors = zip(*map(mixed.by_factor, own), covariances, strict=True)
        return torch.cat([group_divergence(*factor) for factor in factors])

    def second_moments(
        self,
        mixed: MixedEffects,
        covariances: Sequence[RandomEffectsCovariance],
        centres: Tensor,
    ) -> list[Tensor]:
        """Mean over each factor's groups of m mᵀ + S; only its diagonal where Σ is diagonal."""
        lower, result = self.lower, []
        for covariance, mean, log_diagonal, factor in zip(
            covariances, *map(mixed.by_factor, (centres, self.log_diagonal, lower)), strict=True
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

    def covariances(self) -> Tensor:
        """S_i of every group, shape (P, R, R), or (P, R) where they are diagonal; float64."""
        lower = self.lower
        if not lower.numel():
            return torch.exp(2 * self.log_diagonal.double())
        result = torch.empty_like(lower, dtype=torch.float64)
        for some in in_parts(*lower.shape[:2]):
            factor = lower[some].double()
            result[some] = factor @ factor.transpose(1, 2)
        return result


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

    def parameters(self) -> list[nn.Parameter]:
        """Nothing that an optimiser adjusts."""
        return []

    def draw(self, lower: Tensor, noise: Tensor) -> Tensor:
        """F L_i ε_i of every person, (P, R) → (P, R)."""
        drawn = torch.bmm(lower, noise.unsqueeze(2)).squeeze(2)
        return drawn * self._scale.to(noise.dtype)

    def rescale(self, factor: Tensor) -> None:
        """Multiply the random effects by `factor`, shape (1, R)."""
        self._scale = self._scale * factor[0].double()

    def divergence(
        self,
        mixed: MixedEffects,
        covariances: Sequence[RandomEffectsCovariance],
        centre: Tensor,
        lower: Tensor,
    ) -> Tensor:
        """2 KL(q_i ‖ N(0, Σ)) of every person, with the mean of what has no gradient; (P,)."""
        (covariance,) = covariances
        constant = (self.mean * covariance.precision).sum() - self.log_determinant
        constant = constant + covariance.log_determinant - mixed.n_random
        return covariance.penalty(centre) + constant.to(centre.dtype)

    def second_moments(
        self,
        mixed: MixedEffects,
        covariances: Sequence[RandomEffectsCovariance],
        centres: Tensor,
    ) -> list[Tensor]:
        """Mean of m mᵀ + S; only its diagonal where Σ is diagonal."""
        if covariances[0].kind == "diagonal":
            return [centres.square().mean(0).double() + self.mean.diagonal()]
        return [(centres.T @ centres / len(centres)).double() + self.mean]

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
