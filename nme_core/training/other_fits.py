"""Fits at other values of Σ and ρ, weighted: what is not known of them, kept for people to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

_PREFIX = "fits."


@dataclass(frozen=True)
class OtherFits:
    """K points of the integration over Σ and ρ (`integrated_covariance`); float64.

    Attributes
    ----------
    weight : Tensor, shape (K,)
        Sums to 1.
    sigma : Tensor, shape (K, R, R)
        Σ.
    variance, rho : Tensor, shape (K,)
        σ², and the residuals' autocorrelation over one unit of time; 0 where there is none.
    shift : Tensor, shape (K, p)
        φ̂ there, less φ̂ of the fit.
    shared : Tensor, shape (K, p, p)
        V there.
    """

    weight: Tensor
    sigma: Tensor
    variance: Tensor
    rho: Tensor
    shift: Tensor
    shared: Tensor

    @property
    def whole(self) -> Tensor:
        """cov(φ − φ̂) whatever Σ and ρ are, (p, p)."""
        each = self.shared + self.shift.unsqueeze(2) * self.shift.unsqueeze(1)
        return torch.einsum("k,kpq->pq", self.weight, each)

    def some(self, chosen: slice) -> OtherFits:
        """Some of them, each with the weight it has among all."""
        return OtherFits(*(getattr(self, one.name)[chosen] for one in fields(self)))

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name, for a file."""
        return {f"{_PREFIX}{one.name}": getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self | None:
        """Undo `tensors`; None where a model has none."""
        if f"{_PREFIX}weight" not in tensors:
            return None
        return cls(*(tensors[f"{_PREFIX}{one.name}"] for one in fields(cls)))
