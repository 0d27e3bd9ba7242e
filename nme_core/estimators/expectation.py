"""Expected outcomes over people's effects, without draws.

The linear predictors f of a row are normal: N(f̂, J C_i Jᵀ), J = ∂f/∂η, over the posterior of one
person, N(f, J Σ Jᵀ) over all people. The mean and the variance of g⁻¹(f) are integrals over as many
dimensions as the row has predictors: by Gauss–Hermite quadrature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
#: Predictors that vary less than this do not vary.
_NO_SPREAD = 1e-6
#: Fewer, for each of many draws of shared parameters.
FEWER = {1: 9, 2: 5, 3: 3}


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
    return _moments(mean, output, spread, dimensions, POINTS[dimensions])


@torch.no_grad()
def whole_variance(
    posterior: Posterior, mean: Callable[[Tensor], Tensor], batch: Batch, dimensions: int
) -> Tensor | None:
    """Variance of mean(f) of every row, (U, L, K), with all that is not known of people's effects,
    shared parameters, Σ and ρ together; None where that was not taken. Arguments as in `expected`.
    """
    counted = posterior.uncertainty
    if counted is None or counted.across is None:
        return None
    both, persons = posterior.mixed.with_free(counted.free), batch.groups[:, 0]
    at = both.deviations[persons]
    slope, output = both.jacobian(batch.x, at), both(batch.x, deviations=at)
    own, shared = both.places_of(posterior.mixed.random), both.places_of(counted.free)
    spread = counted.of_sums(slope[..., own], slope[..., shared], persons)
    used = min(dimensions, max(POINTS))
    return _moments(mean, output, spread, used, POINTS[used])[1]


@torch.no_grad()
def over_people(
    posterior: Posterior,
    mean: Callable[[Tensor], Tensor],
    batches: Sequence[Batch],
    dimensions: int,
    shared: Sequence[dict[str, Tensor]],
) -> list[Tensor]:
    """Mean of mean(f) of every row over all people, E_η g⁻¹(f) with η ~ N(0, Σ), (U, L, K) each.

    For f that is linear in η; with several grouping factors over the groups of all.

    Parameters
    ----------
    posterior, mean, dimensions : as in `expected`
    batches : sequence of Batch
        Rows.
    shared : sequence of dict of str to Tensor
        Shared parameters: those of the fit, or draws, over which the mean is taken, too.
    """
    mixed, sigma = posterior.mixed, posterior.sigma.double().sum(0)
    sigma = sigma.diag() if sigma.dim() == 1 else sigma
    points = (POINTS if len(shared) == 1 else FEWER)[dimensions]
    means = []
    for batch in batches:
        nobody = mixed.deviations.new_zeros(len(batch.x), mixed.n_random)
        slope = mixed.jacobian(batch.x, nobody).double()
        spread, total = slope @ sigma @ slope.transpose(2, 3), torch.zeros(())
        for fixed in shared:
            output = mixed(batch.x, fixed=fixed, deviations=nobody).double()
            total = total + _moments(mean, output, spread, dimensions, points)[0]
        means.append(total / len(shared))
    return means


def _moments(
    mean: Callable[[Tensor], Tensor],
    output: Tensor,
    spread: Tensor,
    dimensions: int,
    points: int,
) -> tuple[Tensor, Tensor]:
    """Mean and variance of mean(f), f ~ N(output, spread), by quadrature in its widest dimensions;
    what little it varies in the others is added to the variance, as if mean were linear in them.
    """
    values, vectors = torch.linalg.eigh(spread)
    whole = vectors * values.clamp_min(0).sqrt().unsqueeze(-2)
    root, rest = whole[..., -dimensions:], whole[..., :-dimensions]
    further = torch.zeros((), dtype=torch.float64)
    for step in rest.unbind(-1):
        if float(step.abs().max()) > _NO_SPREAD:
            further = further + ((mean(output + step) - mean(output - step)) / 2).square()
    at, weight = np.polynomial.hermite_e.hermegauss(points)
    weight = weight / weight.sum()
    total = squares = torch.zeros((), dtype=torch.float64)
    for places in product(range(len(at)), repeat=dimensions):
        step = torch.from_numpy(at[list(places)])
        share = float(np.prod(weight[list(places)]))
        found = mean(output + root @ step)
        total, squares = total + share * found, squares + share * found.square()
    return total, (squares - total.square()).clamp_min(0) + further
