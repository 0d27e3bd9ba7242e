"""What the estimators minimise: minus twice a log density per observation, and its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from nme_core.batches.sequences import Batch, chunks
from nme_core.nn import Family, MixedEffects
from nme_core.nn.random_effects import own
from nme_core.training.covariance import RandomEffectsCovariance


def total_deviance(
    mixed: MixedEffects,
    family: Family,
    batches: Sequence[Batch],
    *,
    fixed: Mapping[str, Tensor] | None = None,
    deviations: Tensor | None = None,
) -> Tensor:
    """Σ_ij D_ij of all rows in these batches, differentiable, with bounded memory.

    Rows are computed chunk by chunk, and the gradients with them, so that nothing of a chunk is
    kept. Has no second derivative.

    Parameters
    ----------
    fixed : mapping of str to Tensor, optional
        Values to use instead of the parameters of `mixed`.
    deviations : Tensor, shape (P, R), optional
        Values to use instead of ``mixed.deviations``.
    """
    shared = dict(mixed.fixed() if fixed is None else fixed)
    deviations = mixed.deviations if deviations is None else deviations
    if not torch.is_grad_enabled():
        return sum(
            (
                family.deviance(
                    mixed(chunk.x, fixed=shared, deviations=own(deviations, chunk.groups)), chunk
                ).sum()
                for chunk in chunks(batches)
            ),
            start=deviations.new_zeros(()),
        )
    total: Tensor = _TotalDeviance.apply(  # type: ignore[no-untyped-call]
        mixed, family, batches, tuple(shared), deviations, *shared.values()
    )
    return total


class _TotalDeviance(torch.autograd.Function):
    """Sum of the deviances of all chunks; each chunk's gradients are taken as it is computed."""

    @staticmethod
    def forward(
        ctx: Any,
        mixed: MixedEffects,
        family: Family,
        batches: Sequence[Batch],
        names: tuple[str, ...],
        deviations: Tensor,
        *values: Tensor,
    ) -> Tensor:
        asked = ctx.needs_input_grad[5:]
        fixed = {
            name: value.detach().requires_grad_(one)
            for name, value, one in zip(names, values, asked, strict=True)
        }
        leaves = [value for value in fixed.values() if value.requires_grad]
        sums = [torch.zeros_like(value) for value in leaves]
        gradient = torch.zeros_like(deviations)
        total = deviations.new_zeros(())
        for chunk in chunks(batches):
            with torch.enable_grad():
                drawn = own(deviations.detach(), chunk.groups).requires_grad_()
                output = mixed(chunk.x, fixed=fixed, deviations=drawn)
                deviance = family.deviance(output, chunk).sum()
                parts = torch.autograd.grad(deviance, [drawn, *leaves], materialize_grads=True)
            for column in chunk.groups.T:
                gradient.index_add_(0, column, parts[0])
            for place, part in zip(sums, parts[1:], strict=True):
                place += part
            total = total + deviance.detach()
        ctx.save_for_backward(gradient, *sums)
        ctx.asked = asked
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        own, *others = (part * gradients[0].to(part.dtype) for part in ctx.saved_tensors)
        parts = iter(others)
        return (None, None, None, None, own, *(next(parts) if one else None for one in ctx.asked))


def sum_over_groups(batches: Sequence[Batch], per_group: Tensor) -> Tensor:
    """Σ_u share_u · value of the unit's groups: the part of a sum over groups in these batches.

    A unit that holds n_u of a group's n_i rows carries the share n_u/n_i of that group's value, so
    that the batches of one epoch add up to the sum over all groups.

    Parameters
    ----------
    per_group : Tensor, shape (P,)
        Value of each group.
    """
    total = per_group.new_zeros(())
    for batch in batches:
        total = total + (batch.share * per_group[batch.groups]).sum()
    return total


def penalised_deviance(
    mixed: MixedEffects,
    family: Family,
    batches: Sequence[Batch],
    *,
    covariances: Sequence[RandomEffectsCovariance],
    residual_variance: float,
    n_rows: int,
    weight: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Return these batches' part of J, and their deviance.

        J = (1/N) [ Σ_ij D(y_ij, f(x_ij; φ, θ̄+η_i)) / σ²  +  λ Σ_i η_iᵀ Σ⁻¹ η_i ]

    The batches of one epoch add up to exactly J. Equation 1 of arXiv 2306.08149, summed over
    persons; with several grouping factors each has its own Σ.

    Parameters
    ----------
    covariances : sequence of RandomEffectsCovariance
        Σ of each grouping factor.
    n_rows : int
        N, the rows of one epoch.
    weight : float
        λ; 1 is NME, 0 leaves the deviations unregularised.
    """
    deviance = total_deviance(mixed, family, batches)
    objective = deviance / residual_variance
    if weight and mixed.n_random:
        parts = zip(covariances, mixed.by_factor(mixed.deviations), strict=True)
        penalty = torch.cat([covariance.penalty(part) for covariance, part in parts])
        objective = objective + weight * sum_over_groups(batches, penalty)
    return objective / n_rows, deviance.detach()


def group_divergence(
    mean: Tensor, log_diagonal: Tensor, lower: Tensor, covariance: RandomEffectsCovariance
) -> Tensor:
    """Twice KL(N(m_i, S_i) ‖ N(0, Σ)) of each group, S_i = L_i L_iᵀ.

        m_iᵀ Σ⁻¹ m_i + tr Σ⁻¹ S_i − log|S_i| + log|Σ| − R

    Parameters
    ----------
    mean : Tensor, shape (P, R)
        m.
    log_diagonal : Tensor, shape (P, R)
        Logarithm of the diagonal of L.
    lower : Tensor, shape (P, R, R) or (P, 0, 0)
        L; without elements where S is diagonal.

    Returns
    -------
    Tensor, shape (P,)
    """
    if lower.numel():
        trace = covariance.whiten(lower.transpose(1, 2)).square().sum((1, 2))
    else:
        trace = (torch.exp(2 * log_diagonal) * covariance.precisions.to(mean.dtype)).sum(1)
    log_ratio = covariance.log_determinant.to(mean.dtype) - 2 * log_diagonal.sum(1)
    return covariance.penalty(mean) + trace + log_ratio - mean.shape[1]


def shared_divergence(mean: Tensor, log_std: Tensor, prior_variance: Tensor) -> Tensor:
    """Twice KL(N(μ, v) ‖ N(0, τ²)) of a shared tensor, summed over its elements.

    Σ_w { (μ_w² + v_w)/τ_w² − log v_w + log τ_w² − 1 }
    """
    variance = torch.exp(2 * log_std)
    ratio = (mean.square() + variance) / prior_variance
    return (ratio - 2 * log_std + prior_variance.log() - 1).sum()
