"""Steps of a search that is no training by epochs, kept and reported as these are."""

from __future__ import annotations

import time
from collections.abc import Callable

from nme_core.training.loop import Progress, Training, Verdict


class SearchSteps:
    """What a search has come to, step by step.

    Parameters
    ----------
    report : callable, optional
        Called at each step.
    share : float
        Of the whole that a step is taken to be; how many there will be is not known.
    """

    def __init__(self, report: Callable[[Progress], None] | None, share: float) -> None:
        self._report, self._share, self._start = report, share, time.monotonic()
        self.taken: list[Progress] = []

    def add(self, loss: float, residual_variance: float, variance: float) -> None:
        """Add a step: the loss, the variance of residuals, and the mean one between people."""
        self.taken.append(
            Progress(
                epoch=len(self.taken) + 1,
                fraction=min(0.99, self._share * len(self.taken)),
                train_loss=loss,
                validation_loss=None,
                residual_variance=residual_variance,
                mean_random_variance=variance,
                seconds=time.monotonic() - self._start,
            )
        )
        if self._report is not None:
            self._report(self.taken[-1])

    def ended(self, *, converged: bool) -> Training:
        """The whole."""
        return Training(tuple(self.taken), Verdict.CONVERGED if converged else Verdict.LIMIT)
