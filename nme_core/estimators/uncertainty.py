"""How certain a fitted model is of its shared and its person-specific parameters together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from scipy.special import stdtrit
from torch import Tensor

from nme_core.training import OtherFits, VarianceUncertainty

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
    across : Tensor, shape (P, R, p), optional
        Covariance of η̂_i − η_i with the shared parameters, where it was taken.
    fits : OtherFits, optional
        What Σ may be, and all else with it, where it was integrated over: for people to come.
    """

    free: tuple[str, ...]
    shared: Tensor
    effects: Tensor
    variances: VarianceUncertainty
    across: Tensor | None = None
    fits: OtherFits | None = None

    def with_groups(self, effects: Tensor, across: Tensor) -> Uncertainty:
        """The same with new persons behind those that are there; V stays."""
        return replace(
            self,
            effects=torch.cat([self.effects, effects]),
            across=None if self.across is None else torch.cat([self.across, across]),
        )

    def chosen(self, persons: Tensor | slice) -> Uncertainty:
        """The same of some persons, in their order."""
        across = None if self.across is None else self.across[persons]
        return replace(self, effects=self.effects[persons], across=across)

    def of_sums(self, own: Tensor, shared: Tensor, persons: Tensor) -> Tensor:
        """Covariance of what is linear in η and φ, with slopes (U, ..., n, R) and (U, ..., n, p),
        of each unit's person, (U,); shape (U, ..., n, n). For where they were taken together.
        """
        assert self.across is not None
        whole = self.shared if self.fits is None else self.fits.whole
        between = [1] * (own.dim() - 3)
        effects, across = (
            one[persons].view(len(persons), *between, *one.shape[1:])
            for one in (self.effects, self.across)
        )
        mixed = own @ across @ shared.mT
        return own @ effects @ own.mT + mixed + mixed.mT + shared @ whole @ shared.mT

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name, for a file."""
        values = vars(self.variances)
        further = {} if self.across is None else {f"{_PREFIX}across": self.across}
        return {
            **further,
            **({} if self.fits is None else self.fits.tensors()),
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
            tensors.get(f"{_PREFIX}across"),  # models of before have neither
            OtherFits.from_tensors(tensors),
        )
