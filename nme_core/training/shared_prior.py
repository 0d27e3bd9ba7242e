"""The prior N(0, τ²) of the shared parameters of a network, whose τ² follow them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import Tensor

#: τ² of what has a fixed, wide prior.
WEAK_PRIOR_VARIANCE = 100.0


class SharedPrior:
    """τ² of every shared parameter; it starts at the mean square of the weights that it is for.

    Parameters
    ----------
    fixed : mapping of str to Tensor
        The parameters.
    by_input : collection of str
        Weights of layers, shape (out, in): one number per input, which tells how relevant a
        feature is. Other matrices have one τ² each.
    weak : collection of str
        Parameters with a fixed, wide prior instead (fixed effects of a linear model).

    Attributes
    ----------
    variance : dict of str to Tensor
        τ², of a shape that expands to the parameter's.
    """

    def __init__(
        self, fixed: Mapping[str, Tensor], by_input: Collection[str], weak: Collection[str]
    ) -> None:
        self._by_input, self._weak = frozenset(by_input), frozenset(weak)
        self.variance = {name: self._first(name, one.detach()) for name, one in fixed.items()}

    def _pool(self, name: str, value: Tensor) -> Tensor:
        """Mean of a tensor over the elements that share one prior variance."""
        if name in self._by_input:
            return value.mean(0, keepdim=True)
        return value.mean().reshape(1)

    def _first(self, name: str, value: Tensor) -> Tensor:
        moment = self._pool(name, value.square())
        if name in self._weak:
            return torch.full_like(moment, WEAK_PRIOR_VARIANCE)
        if value.dim() == 1:
            return torch.ones_like(moment)
        return torch.where(moment > 0, moment, 1.0)

    def follow(
        self, fixed: Mapping[str, Tensor], log_std: Mapping[str, Tensor], share: float
    ) -> None:
        """Go this share of the way to the mean of μ² + v."""
        for name, value in fixed.items():
            if value.dim() > 1 and name not in self._weak:
                moment = value.square() + torch.exp(2 * log_std[name])
                prior = self.variance[name]
                prior += share * (self._pool(name, moment) - prior)

    def expanded(self, fixed: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """τ² of every single number."""
        return {name: self.variance[name].expand_as(value) for name, value in fixed.items()}
