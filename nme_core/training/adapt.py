"""Random effects of new groups, with everything that was learned before held fixed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nme_core.batches.sequences import Batch, chunks
from nme_core.nn import Family, MixedEffects
from nme_core.nn.random_effects import own
from nme_core.training.laplace import gauss_newton, in_double, without_negative
from nme_core.training.objective import total_deviance

#: Newton steps at most, and halvings of one step.
LONGEST, HALVINGS = 200, 40
#: A group has arrived where a Newton step promises, or brings, less than this of −2 log density.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Adaptation:
    """Mode and spread of the deviations of new groups.

    Attributes
    ----------
    deviations : Tensor, shape (P, R)
        η at the mode, float64.
    covariance : Tensor, shape (P, R, R)
        C, the inverse curvature at the mode, float64.
    arrived : Tensor of bool, shape (P,)
        Whether the mode was reached.
    """

    deviations: Tensor
    covariance: Tensor
    arrived: Tensor


def adapt(
    mixed: MixedEffects,
    family: Family,
    batches: Sequence[Batch],
    *,
    sigma: Tensor,
    residual_variance: float,
) -> Adaptation:
    """Find the mode of every group's η given its rows; φ, θ̄, Σ and σ² stay as they are.

        η̂_i = argmin  D_i(η)/σ² + ηᵀ Σ⁻¹ η,    C_i = (H_i/σ² + Σ⁻¹)⁻¹,    H_i = ½ ∂²D_i/∂η²

    by Newton's method for all groups at once, each with a step length of its own. H is that of
    Gauss and Newton for rows, and exact (by differences) for sequences. It works on u = L⁻¹η with
    Σ = L Lᵀ, so that a variance of 0 is no special case.

    Parameters
    ----------
    mixed : MixedEffects
        Network for the new groups, one grouping factor; it is not changed.
    family : Family
        Of the outcome.
    batches : sequence of Batch
        Rows of the new groups.
    sigma : Tensor, shape (R, R), or (R,) where it is diagonal
        Σ.
    residual_variance : float
        σ², standardised.
    """
    mixed = copy.deepcopy(mixed).double()
    rows = [in_double(batch) for batch in batches]
    root = _root(sigma.double())
    u = torch.zeros(mixed.n_groups, mixed.n_random, dtype=torch.float64)
    eye = torch.eye(mixed.n_random, dtype=torch.float64)
    arrived = torch.zeros(len(u), dtype=torch.bool)

    def value(at: Tensor) -> Tensor:
        """−2 log density of every group at u, shape (P,)."""
        deviance = _deviances(mixed, family, rows, at @ root.T)
        return deviance / residual_variance + at.square().sum(1)

    for _ in range(LONGEST):
        slope, information = _slope_and_curvature(mixed, family, rows, u @ root.T)
        gradient = slope @ root / residual_variance + u  # half the gradient
        precision = root.T @ information @ root / residual_variance + eye
        step = -torch.linalg.solve(precision, gradient)
        promised = -2 * (gradient * step).sum(1)  # the first-order change of −2 log density
        arrived = arrived | (promised < TOLERANCE)
        if bool(arrived.all()):
            break
        before = value(u)
        u = _shorter_where_worse(value, u, step, promised, ~arrived)
        # The mode may lie at a kink of a rectified unit, where every step promises too much.
        arrived = arrived | (before - value(u) < TOLERANCE)
    covariance = root @ torch.linalg.inv(precision) @ root.T
    return Adaptation(u @ root.T, (covariance + covariance.transpose(1, 2)) / 2, arrived)


def _shorter_where_worse(
    value: Callable[[Tensor], Tensor],
    u: Tensor,
    step: Tensor,
    promised: Tensor,
    moving: Tensor,
) -> Tensor:
    """Go each group's step, halved until its value falls as it should (Armijo)."""
    before, length = value(u), moving.double()
    for _ in range(HALVINGS):
        moved = u + length.unsqueeze(1) * step
        enough = value(moved) <= before - 1e-4 * length * promised + 1e-12 * before.abs()
        if bool(enough.all()):
            return moved
        length = torch.where(enough, length, length / 2)
    return u + torch.where(enough, length, 0.0).unsqueeze(1) * step


def _slope_and_curvature(
    mixed: MixedEffects, family: Family, batches: Sequence[Batch], at: Tensor
) -> tuple[Tensor, Tensor]:
    """½ ∂D/∂η, shape (P, R), and ½ ∂²D/∂η², shape (P, R, R), at these deviations."""
    leaf = at.detach().requires_grad_()
    half = total_deviance(mixed, family, batches, deviations=leaf) / 2
    (slope,) = torch.autograd.grad(half, leaf)
    with torch.no_grad():
        mixed.deviations.copy_(at)
    information = gauss_newton(mixed, family, batches)
    return slope, without_negative(information, 1e-9 * torch.eye(at.shape[1], dtype=at.dtype))


@torch.no_grad()
def _deviances(
    mixed: MixedEffects, family: Family, batches: Sequence[Batch], deviations: Tensor
) -> Tensor:
    """D of every group, shape (P,)."""
    result = torch.zeros(len(deviations), dtype=torch.float64)
    for chunk in chunks(batches):
        output = mixed(chunk.x, deviations=own(deviations, chunk.groups))
        result.index_add_(0, chunk.groups[:, 0], family.deviance(output, chunk).double())
    return result


def _root(sigma: Tensor) -> Tensor:
    """L with L Lᵀ = Σ, also where Σ is singular; shape (R, R)."""
    if sigma.dim() == 1:
        return sigma.clamp_min(0).sqrt().diag()
    values, vectors = torch.linalg.eigh(sigma)
    root: Tensor = vectors * values.clamp_min(0).sqrt()
    return root
