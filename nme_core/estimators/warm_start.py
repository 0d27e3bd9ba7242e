"""Where training begins: at a fitted model of the same rows, or of part of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nme_core.estimators.posterior import Posterior
from nme_core.nn import MixedEffects
from nme_core.training import ExactChain, ExactRows, Variational
from nme_core.training.spread import LearnedSpread


@dataclass(frozen=True)
class WarmStart:
    """A fitted model that training begins at.

    A network of the same shape gives all that it has learned; any other, such as a linear model,
    the levels of people: the deviations of the last layer's bias and their variance.

    Attributes
    ----------
    posterior : Posterior
        Of the fitted model.
    known : Tensor of int, shape (P,)
        Place of each group of the new model in the fitted one; −1 for those it does not know.
    """

    posterior: Posterior
    known: Tensor

    @classmethod
    def of(
        cls,
        posterior: Posterior,
        before: Mapping[str, NDArray[np.str_]],
        now: Mapping[str, NDArray[np.str_]],
    ) -> Self:
        """Match the groups of each factor by their names; both factor → levels."""
        places: list[int] = []
        start = 0
        for old, new in zip(before.values(), now.values(), strict=True):
            index = {level: start + k for k, level in enumerate(old.tolist())}
            places += [index.get(level, -1) for level in new.tolist()]
            start += len(old)
        return cls(posterior, torch.tensor(places, dtype=torch.int64))

    def same_shape(self, mixed: MixedEffects) -> bool:
        """Whether the fitted network has the parameters of this one."""
        before = {name: value.shape for name, value in self.posterior.mixed.fixed().items()}
        now = {name: value.shape for name, value in mixed.fixed().items()}
        return before == now and self.posterior.mixed.random == mixed.random

    @torch.no_grad()
    def begin_network(self, mixed: MixedEffects) -> None:
        """Fill a network, before a problem is made of it."""
        old, columns = self._columns(mixed)
        if self.same_shape(mixed):
            for name, value in self.posterior.mixed.fixed().items():
                mixed.fixed()[name].copy_(value)
        mixed.deviations[:, columns] = self._of_groups(self.posterior.mixed.deviations)[:, old].to(
            mixed.deviations
        )

    @torch.no_grad()
    def begin_problem(self, problem: object) -> None:
        """Take over Σ, σ² and the spread of a posterior.

        A search for the maximum of a likelihood begins there, and ends where any would.
        """
        if isinstance(problem, ExactRows | ExactChain) and self.same_shape(problem.mixed):
            problem.begin(self.posterior.sigma[0])
        if not isinstance(problem, Variational):
            return
        mixed, before = problem.mixed, self.posterior
        if problem.family.has_residual_variance:
            problem.residual_variance = before.residual_variance
        old, columns = self._columns(mixed)
        for covariance, sigma in zip(problem.covariances, before.sigma, strict=True):
            if covariance.kind == "diagonal":
                variances = sigma if sigma.dim() == 1 else sigma.diagonal()
                target = covariance.variances.clone()
                target[columns] = variances[old].to(target)
                covariance.update(target)
        if not self.same_shape(mixed):
            return
        for name, spread in before.spread.items():
            problem.shared_log_std[name].copy_(spread.log())
        spreads, learned = before.covariance, problem.spread
        if spreads is not None and spreads.dim() == 2 and isinstance(learned, LearnedSpread):
            known = self.known >= 0
            new = self._of_groups(spreads).clamp_min(1e-12).sqrt().log()
            learned.log_diagonal[known] = new[known].to(learned.log_diagonal)

    def _of_groups(self, values: Tensor) -> Tensor:
        """Values of the new model's groups, 0 for those that are not known."""
        return torch.where(self.known.unsqueeze(1) >= 0, values[self.known.clamp_min(0)], 0.0)

    def _columns(self, mixed: MixedEffects) -> tuple[list[int], list[int]]:
        """Columns of η that are taken over, in the fitted model and in the new one."""
        old = self.posterior.mixed.parameter_indices()
        if self.same_shape(mixed):
            return list(range(len(old))), list(range(len(old)))
        new = mixed.parameter_indices()
        if not old or not new:
            return [], []
        last = [
            max((name for name, _ in one if name.endswith("bias")), default="")
            for one in (old, new)
        ]
        places = [
            [k for k, (name, _) in enumerate(one) if name and name == which]
            for one, which in zip((old, new), last, strict=True)
        ]
        if len(places[0]) != len(places[1]):
            return [], []
        return places[0], places[1]
