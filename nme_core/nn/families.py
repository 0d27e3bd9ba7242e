"""Outcome families: how a network's output and an outcome make a deviance."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from nme_core.data.sequences import Batch


class Family(Protocol):
    """What the training needs to know of an outcome."""

    #: Whether the family has a residual variance σ² (else it is 1).
    has_residual_variance: ClassVar[bool]

    def deviance(self, output: Any, batch: Batch) -> Tensor:
        """D of each unit, summed over its observed rows; shape (n_units,)."""
        ...


class Gaussian:
    """A number: D = (y − f)², with residual variance σ²."""

    has_residual_variance: ClassVar[bool] = True

    def deviance(self, output: Tensor, batch: Batch) -> Tensor:
        """Squared error of each unit; output has shape (n_units, n_rows, 1)."""
        squared = (batch.y - output.squeeze(-1)) ** 2
        return torch.where(batch.mask, squared, 0.0).sum(1)


class Categorical:
    """A class: D = −2 log p of the class that was observed, p = softmax of the output."""

    has_residual_variance: ClassVar[bool] = False

    def deviance(self, output: Tensor, batch: Batch) -> Tensor:
        """−2 log-likelihood of each unit; output has shape (n_units, n_rows, n_classes)."""
        loss = functional.cross_entropy(
            output.flatten(0, 1), batch.y.clamp_min(0).flatten(), reduction="none"
        ).view_as(batch.mask)
        return 2 * torch.where(batch.mask, loss, 0.0).sum(1)
