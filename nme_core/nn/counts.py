"""Families of counts: log E y = f + offset."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import torch
from scipy.special import betainc
from torch import Tensor
from torch.nn import functional

from nme_core.batches.sequences import Batch


class Poisson:
    """A count whose variance is its mean: D = 2 (y log(y/μ) − y + μ).

    Parameters
    ----------
    offset : float
        Log of the mean count, so that the network starts from there.
    """

    has_residual_variance: ClassVar[bool] = False

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def deviance(self, output: Tensor, batch: Batch) -> Tensor:
        """Deviance of each unit; output has shape (n_units, n_rows, 1)."""
        return torch.where(batch.mask, -2 * self._below_saturated(output, batch.y), 0.0).sum(1)

    def mean(self, output: Tensor) -> Tensor:
        """Expected count."""
        log_mean: Tensor = output + self.offset
        return log_mean.exp()

    def information(self, output: Tensor) -> Tensor:
        """μ."""
        return self.mean(output).unsqueeze(-1)

    def log_density(self, output: Tensor, y: Tensor) -> Tensor:
        """y log μ − μ − log y!."""
        return self._below_saturated(output, y) + self.left_out(y)

    def _below_saturated(self, output: Tensor, y: Tensor) -> Tensor:
        """−½ D = y log(μ/y) − μ + y, by log(1 + r) near y: large counts cost digits."""
        log_mean = output.squeeze(-1) + self.offset
        mean, count = log_mean.exp(), torch.where(y > 0, y, 1.0)
        off = ((mean - y) / count).clamp(-0.5, 0.5)
        near = y * (off.log1p() - off)
        far = y * (log_mean - count.log()) - mean + y
        return torch.where((y > 0) & (off.abs() < 0.5), near, far)

    def score(self, output: Tensor, y: Tensor) -> Tensor:
        """y − μ."""
        return y.unsqueeze(-1) - self.mean(output)

    def curvature(self, output: Tensor, y: Tensor) -> Tensor:
        """μ."""
        return self.information(output)

    def left_out(self, y: Tensor) -> Tensor:
        """log p + ½ D of each row: what the deviance leaves out."""
        return torch.xlogy(y, y) - y - torch.lgamma(y + 1)

    def cumulative(self, mean: Tensor, y: Tensor) -> Tensor:
        """F(y) of expected counts; 0 below 0."""
        upper = torch.special.gammaincc((y + 1).clamp_min(1), mean)
        return torch.where(y >= 0, upper, 0.0)

    def sample(
        self, output: Tensor, residual_variance: float, generator: torch.Generator
    ) -> Tensor:
        """Draw counts."""
        return torch.poisson(self.mean(output).squeeze(-1), generator=generator)


class NegativeBinomial(Poisson):
    """A count that varies more: Var y = μ + μ²/k (NB2; Hilbe 2011). k → ∞ is Poisson.

    With m = log μ and l = log k, log p = log Γ(y + k) − log Γ(k) − log y! − y log(1 + e^(l − m))
    − k log(1 + e^(m − l)).

    Parameters
    ----------
    size : float
        k, which training changes.
    """

    def __init__(self, offset: float = 0.0, size: float = 1.0) -> None:
        super().__init__(offset)
        self.size = size

    def _beyond(self, output: Tensor) -> Tensor:
        """m − l."""
        return output + self.offset - math.log(self.size)

    def deviance(self, output: Tensor, batch: Batch) -> Tensor:
        """−2 log-likelihood of each unit, for k moves; output has shape (n_units, n_rows, 1)."""
        return torch.where(batch.mask, -2 * self.log_density(output, batch.y), 0.0).sum(1)

    def information(self, output: Tensor) -> Tensor:
        """μ k/(k + μ)."""
        return (self.size * torch.sigmoid(self._beyond(output))).unsqueeze(-1)

    def log_density(self, output: Tensor, y: Tensor) -> Tensor:
        """log p(y)."""
        far = self._beyond(output).squeeze(-1)
        kept = torch.lgamma(y + self.size) - math.lgamma(self.size) - torch.lgamma(y + 1)
        return kept - y * functional.softplus(-far) - self.size * functional.softplus(far)

    def score(self, output: Tensor, y: Tensor) -> Tensor:
        """(y − μ) k/(k + μ)."""
        far = self._beyond(output)
        return y.unsqueeze(-1) * torch.sigmoid(-far) - self.size * torch.sigmoid(far)

    def curvature(self, output: Tensor, y: Tensor) -> Tensor:
        """(y + k) μ k/(k + μ)²: not the information, for the link is not canonical."""
        far = self._beyond(output)
        bend = (y.unsqueeze(-1) + self.size) * torch.sigmoid(far) * torch.sigmoid(-far)
        return bend.unsqueeze(-1)

    def left_out(self, y: Tensor) -> Tensor:
        """Nothing."""
        return torch.zeros_like(y)

    def cumulative(self, mean: Tensor, y: Tensor) -> Tensor:
        """F(y) = I_{k/(k + μ)}(k, y + 1); 0 below 0."""
        share = (self.size / (self.size + mean.double())).numpy()
        upper = betainc(self.size, np.maximum(y.numpy(), 0.0) + 1.0, share)
        return torch.where(y >= 0, torch.as_tensor(upper, dtype=mean.dtype), 0.0)

    def sample(
        self, output: Tensor, residual_variance: float, generator: torch.Generator
    ) -> Tensor:
        """Draw counts: Poisson about means that vary as Gamma(k)."""
        mean = self.mean(output).squeeze(-1)
        seed = int(torch.randint(2**31, (1,), generator=generator))
        spread = np.random.default_rng(seed).gamma(self.size, 1 / self.size, tuple(mean.shape))
        return torch.poisson(mean * torch.from_numpy(spread).to(mean), generator=generator)


#: Families of counts by the name that users give; all others have numbers or classes.
COUNTS: dict[str, type[Poisson]] = {"poisson": Poisson, "negative_binomial": NegativeBinomial}
