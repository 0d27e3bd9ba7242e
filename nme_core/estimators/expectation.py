"""Expected outcomes of a linear model over the posterior of each person's effects, without draws.

The linear predictors f of a row are normal, N(f̂, J C_i Jᵀ) with J = ∂f/∂η, so that the mean and
the variance of g⁻¹(f) are integrals over as many dimensions as the row has predictors: by
Gauss–Hermite quadrature.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import cast

import numpy as np
import torch
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.estimators.posterior import Posterior
from nme_core.nn.random_effects import own

#: Points in each dimension, by the number of dimensions; of more predictors there are draws.
POINTS = {1: 31, 2: 11, 3: 7}


def has_closed_expectation(posterior: Posterior, dimensions: int) -> bool:
    """Whether the posterior of each person is whole, and a row's predictors are few."""
    covariance = posterior.covariance
    return (
        covariance is not None
        and covariance.dim() == 3
        and len(posterior.mixed.sizes) == 1
        and dimensions in POINTS
    )


@torch.no_grad()
def expected(
    posterior: Posterior, mean: Callable[[Tensor], Tensor], batch: Batch, dimensions: int
) -> tuple[Tensor, Tensor]:
    """Mean and variance of mean(f) of every row, shape (U, L, K) each.

    Parameters
    ----------
    posterior : Posterior
        Of a network without hidden layers.
    mean : callable
        Inverse link, (..., O) → (..., K).
    batch : Batch
        Rows.
    dimensions : int
        In so many directions the predictors of a row vary: one for ordered classes, whose
        predictors move together, else as many as there are.
    """
    covariance = cast(Tensor, posterior.covariance)
    mixed, eta = posterior.mixed, own(posterior.mixed.deviations, batch.groups)
    output = mixed(batch.x, deviations=eta).double()
    slope = mixed.jacobian(batch.x, eta).double()
    spread = slope @ covariance[batch.groups[:, 0]].unsqueeze(1) @ slope.transpose(2, 3)
    values, vectors = torch.linalg.eigh(spread)
    root = (vectors * values.clamp_min(0).sqrt().unsqueeze(-2))[..., -dimensions:]
    at, weight = np.polynomial.hermite_e.hermegauss(POINTS[dimensions])
    weight = weight / weight.sum()
    total = squares = torch.zeros((), dtype=torch.float64)
    for places in product(range(len(at)), repeat=dimensions):
        step = torch.from_numpy(at[list(places)])
        share = float(np.prod(weight[list(places)]))
        found = mean(output + root @ step)
        total, squares = total + share * found, squares + share * found.square()
    return total, (squares - total.square()).clamp_min(0)
