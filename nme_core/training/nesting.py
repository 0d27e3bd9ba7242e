"""Groups inside groups: persons of one clinic, clinics of one country."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nme_core.batches.sequences import Batch


@dataclass(frozen=True)
class Nesting:
    """Which group of a further grouping factor each group lies in as a whole.

    What the data say is the *sum* of a person's and the clinic's deviation, so that their
    posteriors depend on each other: the higher the clinic's, the lower its persons'. A posterior of
    independent factors would be far too sure of both. So a group's deviation is, around its mean,

        δ_i = a_i ∘ T_h(i) + L_i ε_i,        T_i = δ_i + T_h(i)

    with its home h(i) and T = 0 without one. Factors that cross (a person meets many clinics)
    stay independent.

    Attributes
    ----------
    home : Tensor of int, shape (P,)
        Row of each group's home, −1 where it has none.
    sizes : tuple of int
        Groups of each factor.
    """

    home: Tensor
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, batches: Sequence[Batch], sizes: tuple[int, ...]) -> Nesting:
        """Find the first further factor in which each factor's groups lie as a whole."""
        groups = torch.cat([batch.groups for batch in batches])
        home = torch.full((sum(sizes),), -1, device=groups.device)
        for factor in range(len(sizes)):
            for other in range(factor + 1, len(sizes)):
                pairs = torch.unique(groups[:, [factor, other]], dim=0)
                if len(pairs) == len(torch.unique(pairs[:, 0])):
                    home[pairs[:, 0]] = pairs[:, 1]
                    break
        return cls(home, sizes)

    @property
    def is_empty(self) -> bool:
        """Whether no group lies in another."""
        return not bool((self.home >= 0).any())

    def combine(self, coefficient: Tensor, spread: Tensor) -> Tensor:
        """δ of all groups from their own part L ε; shapes (P, R).

        `coefficient` is a, shape (P, R).
        """
        if self.is_empty:
            return spread
        parts = list(torch.split(spread, list(self.sizes)))
        scales = list(torch.split(coefficient, list(self.sizes)))
        homes = list(torch.split(self.home, list(self.sizes)))
        starts = torch.tensor([0, *self.sizes]).cumsum(0).tolist()
        result: list[Tensor] = []
        done = spread.new_zeros(0, spread.shape[1])  # T of the factors behind
        for factor in reversed(range(len(self.sizes))):
            first = starts[factor + 1]
            behind = torch.cat([done, spread.new_zeros(1, spread.shape[1])])
            inside = homes[factor] >= 0
            around = behind[torch.where(inside, homes[factor] - first, len(done))]
            delta = scales[factor] * around + parts[factor]
            result.append(delta)
            done = torch.cat([delta + around, done])
        return torch.cat(result[::-1])

    def marginal(self, coefficient: Tensor, covariance: Tensor) -> Tensor:
        """Covariance of δ of all groups, from the covariances of their own parts.

        Var δ_i = diag(a_i) Var T_h diag(a_i) + S_i, and Var T_i likewise with 1 + a_i.

        Parameters
        ----------
        covariance : Tensor, shape (P, R, R), or (P, R) where it is diagonal
            S_i.
        """
        if self.is_empty:
            return covariance

        def between(scale: Tensor, values: Tensor) -> Tensor:
            if values.dim() == 2:
                return scale.square() * values
            return scale.unsqueeze(2) * values * scale.unsqueeze(1)

        result, total = covariance.clone(), covariance.clone()
        starts = torch.tensor([0, *self.sizes]).cumsum(0).tolist()
        for factor in reversed(range(len(self.sizes))):
            rows = torch.arange(starts[factor], starts[factor + 1], device=self.home.device)
            rows = rows[self.home[rows] >= 0]
            scale, around = coefficient[rows].to(total.dtype), total[self.home[rows]]
            result[rows] = between(scale, around) + covariance[rows]
            total[rows] = between(1 + scale, around) + covariance[rows]
        return result
