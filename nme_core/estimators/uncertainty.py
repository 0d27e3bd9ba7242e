"""How certain a fitted model is of its shared and its person-specific parameters together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from scipy.special import stdtrit
from torch import Tensor

from nme_core.training import PersonInformation, VarianceUncertainty

#: 97.5 % point of the normal distribution.
Z = 1.959963984540054
_PREFIX = "uncertainty."
_VARIANCES = ("at", "mean", "variance")


def t_quantile(n_persons: int) -> float:
    """97.5 % point of Student's t with n − 1 degrees of freedom; NaN for one person."""
    return float(stdtrit(n_persons - 1, 0.975)) if n_persons > 1 else float("nan")


@dataclass(frozen=True)
class Uncertainty:
    """Covariances that take the uncertainty of the shared parameters into account.

    Attributes
    ----------
    free : tuple of str
        Shared parameters that are not taken as known, p numbers.
    shared : Tensor, shape (p, p)
        V, their covariance.
    effects : Tensor, shape (P, R, R)
        Covariance of η̂_i − η_i of every person.
    variances : VarianceUncertainty
        Of the variances of the random effects.
    """

    free: tuple[str, ...]
    shared: Tensor
    effects: Tensor
    variances: VarianceUncertainty

    def with_groups(self, information: PersonInformation) -> Uncertainty:
        """The same with new persons behind those that are there; V stays."""
        new = information.effects_covariance(self.shared)
        return replace(self, effects=torch.cat([self.effects, new]))

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name, for a file."""
        values = vars(self.variances)
        return {
            f"{_PREFIX}shared": self.shared,
            f"{_PREFIX}effects": self.effects,
            f"{_PREFIX}variances": torch.stack([values[name] for name in _VARIANCES]),
        }

    @classmethod
    def from_tensors(cls, free: tuple[str, ...], tensors: dict[str, Tensor]) -> Self | None:
        """Undo `tensors`; None where a model has none."""
        if f"{_PREFIX}shared" not in tensors:
            return None
        values = dict(zip(_VARIANCES, tensors[f"{_PREFIX}variances"], strict=True))
        return cls(
            free,
            tensors[f"{_PREFIX}shared"],
            tensors[f"{_PREFIX}effects"],
            VarianceUncertainty(**values),
        )
