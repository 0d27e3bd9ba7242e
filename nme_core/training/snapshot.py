"""The state of a training, to go back to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import torch
from torch import Tensor

from nme_core.training.covariance import RandomEffectsCovariance


class _Trained(Protocol):
    covariances: list[RandomEffectsCovariance]
    residual_variance: float


def snapshot(problem: _Trained, tensors: Iterable[Tensor]) -> Callable[[], None]:
    """Copy tensors, Σ and σ²; return what puts the copies back."""
    tensors = list(tensors)
    values = [tensor.detach().clone() for tensor in tensors]
    matrices = [covariance.value.clone() for covariance in problem.covariances]
    residual_variance = problem.residual_variance

    @torch.no_grad()
    def restore() -> None:
        for tensor, value in zip(tensors, values, strict=True):
            tensor.copy_(value)
        for covariance, matrix in zip(problem.covariances, matrices, strict=True):
            covariance.update(matrix)
        problem.residual_variance = residual_variance

    return restore
