"""What groups have in common, moved out of their deviations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from nme_core.nn import MixedEffects
from nme_core.training.covariance import RandomEffectsCovariance


def centre(
    mixed: MixedEffects,
    covariances: Sequence[RandomEffectsCovariance],
    prior: Mapping[str, Tensor],
    share: float,
) -> None:
    """Move what all people have in common from m into θ̄, towards where the bound is best.

    θ̄ + m_i stays as it is, so only the two priors count: the best shift δ solves
    (P Σ⁻¹ + T⁻¹) δ = P Σ⁻¹ m̄ − T⁻¹ θ̄ with T = diag τ². Likewise for every other factor.

    Parameters
    ----------
    prior : mapping of str to Tensor
        τ² of every shared number.
    share : float
        Of the way that is gone.
    """
    shared = mixed.fixed_vector(prior).double().reciprocal()
    for factor, covariance in enumerate(covariances):
        n_groups = mixed.sizes[factor]
        mean = mixed.by_factor(mixed.deviations)[factor].mean(0).double()
        fixed = mixed.fixed_vector().double()
        if covariance.kind == "diagonal":
            own = n_groups * covariance.precisions
            shift = (own * mean - shared * fixed) / (own + shared)
        else:
            own = n_groups * covariance.precision
            shift = torch.linalg.solve(own + shared.diag(), own @ mean - shared * fixed)
        mixed.shift_fixed(share * shift.to(mixed.deviations.dtype), factor)


def centre_homes(
    mixed: MixedEffects,
    covariances: Sequence[RandomEffectsCovariance],
    home: Tensor,
    share: float,
) -> None:
    """Move what the groups in one home have in common from their m into the home's.

    As in `centre`: (n Σ⁻¹ + Σ_h⁻¹) δ = n Σ⁻¹ m̄ − Σ_h⁻¹ m_h for the n groups of a home.
    """
    means = mixed.deviations.double()
    starts = torch.tensor([0, *mixed.sizes]).cumsum(0).tolist()
    for number, (start, stop) in enumerate(pairwise(starts)):
        inside = torch.arange(start, stop, device=home.device)
        inside = inside[home[inside] >= 0]
        if not len(inside):
            continue
        homes, place = torch.unique(home[inside], return_inverse=True)
        n = torch.bincount(place).double().unsqueeze(1)
        total = torch.zeros_like(means[homes]).index_add_(0, place, means[inside])
        outer = next(k for k, edge in enumerate(starts[1:]) if int(homes[0]) < edge)
        inner, around = covariances[number], covariances[outer]
        if inner.kind == "diagonal":
            own, other = n * inner.precisions, around.precisions
            shift = (total * inner.precisions - other * means[homes]) / (own + other)
        else:
            own, other = n.unsqueeze(2) * inner.precision, around.precision
            right = total @ inner.precision - means[homes] @ other
            shift = torch.linalg.solve(own + other, right)
        step = (share * shift).to(mixed.deviations.dtype)
        mixed.deviations.index_add_(0, homes, step)
        mixed.deviations.index_add_(0, inside, -step[place])
        means = mixed.deviations.double()
