"""The two objectives, both minus twice a log density per observation."""

from __future__ import annotations

import torch
from torch import Tensor

from nme_core.data.sequences import Batch
from nme_core.nn import Family, MixedEffects
from nme_core.training.covariance import RandomEffectsCovariance


def penalised_deviance(
    mixed: MixedEffects,
    family: Family,
    batch: Batch,
    *,
    covariance: RandomEffectsCovariance,
    residual_variance: float,
    n_rows: int,
    weight: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Return a batch's part of J, and its deviance.

        J = (1/N) [ Σ_ij D(y_ij, f(x_ij; φ, θ̄+η_i)) / σ²  +  λ Σ_i η_iᵀ Σ⁻¹ η_i ]

    A unit that holds n_u of a person's n_i rows carries the share n_u/n_i of that person's
    penalty, so that the batches of one epoch add up to exactly J. Equation 1 of arXiv 2306.08149,
    summed over persons.

    Parameters
    ----------
    n_rows : int
        N, the rows of all batches together.
    weight : float
        λ; 1 is NME, 0 leaves the deviations unregularised.
    """
    deviance = family.deviance(mixed(batch.x, groups=batch.groups), batch).sum()
    objective = deviance / residual_variance
    if weight and mixed.n_random:
        penalty = covariance.penalty(mixed.deviations)[batch.groups]
        objective = objective + weight * (batch.share * penalty).sum()
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
