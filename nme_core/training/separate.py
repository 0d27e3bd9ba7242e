"""One network per person, nothing shared: the baseline ``specific``."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nme_core.batches.sequences import Batch
from nme_core.training.annealed import Annealed
from nme_core.training.objective import total_deviance

#: A person is done after so many looks at the validation rows without a gain of this share.
PATIENCE, GAIN = 10, 1e-3


class Separate(Annealed):
    """Gradient descent on every person's own deviance, stopped early for each person alone.

    All parameters are deviations, without penalty, from a start that is never trained; so no
    person learns anything from another. Takes the arguments of `Annealed`.
    """

    _own_best: Tensor | None = None

    def loss(self, batches: list[Batch]) -> Tensor:
        """Return the part of the mean deviance that lies in these batches.

        It is not divided by σ², through which one person's fit would change the others' steps.
        """
        total = total_deviance(self.mixed, self.family, batches)
        self._deviance += float(total.detach())
        return total / self.n_rows

    def parameters(self) -> list[nn.Parameter]:
        """The deviations only."""
        return [self.mixed.deviations]

    @torch.no_grad()
    def after_epoch(self) -> None:
        """Update σ² only: there is no Σ."""
        if self.family.has_residual_variance:
            self.residual_variance = self._deviance / self.n_rows
        self._deviance = 0.0

    @property
    def settled(self) -> bool:
        """Whether training may stop: always, nothing is annealed."""
        return True

    @torch.no_grad()
    def observe(self, losses: Tensor, rows: Tensor) -> bool:
        """Keep the network of each person whose own validation loss is the best so far.

        A person who has not gained for `PATIENCE` looks is done, whatever the others do.
        """
        if self._own_best is None:
            self._own_best = torch.full_like(losses, torch.inf)
            self._waited = torch.where(rows > 0, 0, PATIENCE)
            self._kept = self.mixed.deviations.detach().clone()
        better = (losses < (1 - GAIN) * self._own_best) & (self._waited < PATIENCE)
        self._own_best = torch.where(better, losses, self._own_best)
        self._kept[better] = self.mixed.deviations.detach()[better]
        self._waited = torch.where(better, 0, self._waited + 1)
        return bool((self._waited < PATIENCE).any())

    @torch.no_grad()
    def finish(self, *, validated: bool) -> None:
        """Go back to every person's best network; persons without validation rows keep the last."""
        if self._own_best is not None:
            known = torch.isfinite(self._own_best)
            self.mixed.deviations[known] = self._kept[known]
