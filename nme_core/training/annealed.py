"""Annealed estimator: the paper's stochastic approximation, made robust."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from nme_core.batches.sequences import Batch
from nme_core.nn import Family, MixedEffects
from nme_core.training.covariance import SMALLEST, RandomEffectsCovariance
from nme_core.training.objective import penalised_deviance
from nme_core.training.snapshot import snapshot

#: Factor of the bound after each epoch, and the bound at which annealing counts as ended.
ANNEALING = 0.98
ANNEALED_AT = 1e-3


class Annealed:
    """Gradient descent on J with η̂ as points; after each epoch σ² and Σ follow.

    σ² is the mean training deviance (numbers only), Σ the covariance of the η̂_i over all persons
    with its variances bounded from below by s ← max(α s, ·), s = 1 at the start, as in SAEM
    (arXiv 2306.08149, section 3.2). The η̂ are shrunk, so their covariance underestimates Σ, which
    shrinks them further: without early stopping the variances fall towards zero. There are no
    standard errors. Kept for comparison; `Variational` is the default.

    Parameters
    ----------
    mixed, family, covariances, n_rows
        As in `Variational`.
    weight : float
        λ of the penalty; 0 leaves the deviations unregularised, and there is nothing to anneal.
    """

    def __init__(
        self,
        mixed: MixedEffects,
        family: Family,
        covariances: Sequence[RandomEffectsCovariance],
        *,
        n_rows: int,
        weight: float = 1.0,
    ) -> None:
        self.mixed, self.family, self.covariances = mixed, family, list(covariances)
        self.n_rows, self.weight = n_rows, weight
        self.residual_variance = 1.0
        self._bound, self._deviance = (1.0 if weight else 0.0), 0.0
        self._best_loss, self._best = torch.inf, self.snapshot()

    def parameters(self) -> list[nn.Parameter]:
        """What the optimiser adjusts."""
        return list(self.mixed.parameters())

    def loss(self, batches: list[Batch]) -> Tensor:
        """Return the part of J + log σ² + (P/N) log|Σ| that lies in these batches.

        J alone tells nothing of progress: σ² follows the deviance and Σ the deviations, so that
        their ratios stay where they are.
        """
        rows = sum(batch.n_rows for batch in batches)
        constant = rows * math.log(self.residual_variance)
        for factor, covariance in enumerate(self.covariances):
            groups = sum(float(batch.share[:, factor].sum()) for batch in batches)
            constant += self.weight * groups * float(covariance.log_determinant)
        objective, deviance = penalised_deviance(
            self.mixed,
            self.family,
            batches,
            covariances=self.covariances,
            residual_variance=self.residual_variance,
            n_rows=self.n_rows,
            weight=self.weight,
        )
        self._deviance += float(deviance)
        return objective + constant / self.n_rows

    def after_step(self) -> None:
        """Nothing to do: Σ and σ² move once an epoch."""

    @torch.no_grad()
    def after_epoch(self) -> None:
        """Update σ², Σ and the annealing bound."""
        if self.family.has_residual_variance:
            self.residual_variance = max(self._deviance / self.n_rows, SMALLEST)
        self._deviance = 0.0
        self._bound *= ANNEALING
        if not self.mixed.n_random:
            return
        parts = self.mixed.by_factor(self.mixed.deviations)
        for covariance, part in zip(self.covariances, parts, strict=True):
            centred = (part - part.mean(0)).double()
            covariance.update(centred.T @ centred / len(centred), floor=max(self._bound, SMALLEST))

    @property
    def settled(self) -> bool:
        """Whether the annealing has ended, before which training must not stop."""
        return self.mixed.n_random == 0 or self._bound <= ANNEALED_AT

    def observe(self, losses: Tensor, rows: Tensor) -> bool:
        """Keep the state if the validation loss, per row over all persons, is the best so far."""
        loss = float(losses.sum() / rows.sum())
        if loss >= self._best_loss:
            return False
        self._best_loss, self._best = loss, self.snapshot()
        return True

    @torch.no_grad()
    def finish(self, *, validated: bool) -> None:
        """Go back to the best state; then move the mean of η, which has no penalty, into θ̄."""
        if validated and math.isfinite(self._best_loss):
            self._best()
        for factor, part in enumerate(self.mixed.by_factor(self.mixed.deviations)):
            self.mixed.shift_fixed(part.mean(0), factor)

    def snapshot(self) -> Callable[[], None]:
        """Return what goes back to the present state."""
        return snapshot(self, self.mixed.parameters())

    def shared_spread(self) -> dict[str, Tensor]:
        """Nothing: points have no spread."""
        return {}

    def shared_precision(self) -> dict[str, Tensor]:
        """Nothing: the shared parameters have no prior."""
        return {}

    @property
    def dependence(self) -> None:
        """Points do not depend on each other."""
        return None

    def posterior_covariance(self) -> None:
        """Points have no posterior covariance."""
        return None
