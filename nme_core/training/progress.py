"""What a training or a search reports on its way, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How training ended."""

    CONVERGED = "converged"
    DIVERGED = "diverged; the last good state is kept"
    FIXED = "ran the number of epochs asked for"
    LIMIT = "stopped at the limit of epochs"


@dataclass(frozen=True)
class Progress:
    """What is reported after each epoch or step; losses are per row, in standardised units.

    The validation loss is None in epochs that did not look at the validation rows.
    """

    epoch: int
    fraction: float
    train_loss: float
    validation_loss: float | None
    residual_variance: float
    mean_random_variance: float
    seconds: float


@dataclass(frozen=True)
class Training:
    """History of a training, and how it ended.

    Attributes
    ----------
    history : tuple of Progress
        What was reported.
    verdict : Verdict
        How it ended.
    moved : float, optional
        Difference of the objective between the last two windows as a share of its whole fall;
        None where training ended before there were two.
    """

    history: tuple[Progress, ...]
    verdict: Verdict
    moved: float | None = None

    @property
    def ending(self) -> str:
        """How training ended, in words."""
        if self.moved is None:
            return self.verdict.value
        return f"{self.verdict.value}; the bound still moved by {self.moved:.2%} of its whole fall"


class SearchSteps:
    """What a search that is no training by epochs has come to, step by step.

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
