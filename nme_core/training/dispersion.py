"""How much counts vary beyond Poisson: k of a negative binomial, Var y = μ + μ²/k.

Where the likelihood is known, k is at the maximum of its profile, all else fitted anew at each
look. In a network it follows the outputs of a draw from the posterior, as the residuals'
correlation does (see `residual_memory`). k and the coefficients of μ are orthogonal (Lawless 1987):
that k is estimated costs their standard errors nothing to first order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.nn import NegativeBinomial

#: Least and largest k that is looked for, and how well log k is found.
LEAST, LARGEST, _CLOSE = 0.01, 1e4, 1e-3
#: How far from the moments' log k it is looked for first.
_NEAR = 2.5
#: Steps of log k on both sides of the maximum by which its standard error is found.
_BESIDE = 0.1
#: Share of a scoring step in a network, and the longest step of log k.
RATE, LONGEST = 0.2, 0.5


@dataclass(frozen=True)
class Dispersion:
    """k and how well it is known.

    Attributes
    ----------
    size : float
        k.
    error : float
        Standard error of log k; NaN where k is at an end, and of networks.
    """

    size: float
    error: float = math.nan

    @classmethod
    def of_moments(cls, mean: float, variance: float) -> Dispersion:
        """Where to begin: by the mean and variance of all counts."""
        beyond = max(variance - mean, mean**2 / LARGEST)
        return cls(min(max(mean**2 / beyond, LEAST), LARGEST))

    @property
    def at_poisson(self) -> bool:
        """Whether the counts vary no more than Poisson's."""
        return self.size > 0.9 * LARGEST

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of k, on the scale of its logarithm."""
        half = float(norm.ppf(0.975)) * self.error
        return self.size * math.exp(-half), self.size * math.exp(half)


def profile(family: NegativeBinomial, log_likelihood: Callable[[], float]) -> Dispersion:
    """Set k to where the log-likelihood, all else fitted anew, is highest.

    Parameters
    ----------
    log_likelihood : callable
        Its maximum given the family's k.
    """

    def lost(log_size: float) -> float:
        family.size = math.exp(log_size)
        return -log_likelihood()

    bounds, first = (math.log(LEAST), math.log(LARGEST)), math.log(family.size)
    near = (max(bounds[0], first - _NEAR), min(bounds[1], first + _NEAR))
    for within in (near, bounds):
        found = minimize_scalar(lost, bounds=within, method="bounded", options={"xatol": _CLOSE})
        best, error = float(found.x), math.nan
        if within[0] + _BESIDE < best < within[1] - _BESIDE:
            break
    if bounds[0] + _BESIDE < best < bounds[1] - _BESIDE:
        low, high = lost(best - _BESIDE), lost(best + _BESIDE)
        bend = (low + high - 2 * float(found.fun)) / _BESIDE**2
        error = bend**-0.5 if bend > 0 else math.nan
    family.size = math.exp(best)
    return Dispersion(family.size, error)


@torch.no_grad()
def follow(family: NegativeBinomial, batches: Sequence[Batch], outputs: Sequence[Tensor]) -> None:
    """Take one damped step of log k towards where these outputs' likelihood is highest."""
    log_size = math.log(family.size)

    def value(at: float) -> float:
        trial = NegativeBinomial(family.offset, math.exp(at))
        total = 0.0
        for batch, output in zip(batches, outputs, strict=True):
            dense = trial.log_density(output.double(), batch.y.double())
            total += float(dense[batch.mask].sum())
        return total

    low, middle, high = (value(log_size + step) for step in (-_BESIDE, 0.0, _BESIDE))
    slope, bend = (high - low) / (2 * _BESIDE), (2 * middle - low - high) / _BESIDE**2
    step = slope / bend if bend > 0 else math.copysign(LONGEST, slope)
    moved = log_size + float(np.clip(RATE * step, -LONGEST, LONGEST))
    family.size = float(np.clip(math.exp(moved), LEAST, LARGEST))
