"""The training loop: steps, stopping, history. It knows nothing of the model."""

from __future__ import annotations

import inspect
import math
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from nme_core.batches.sequences import Batch, chunks, steps
from nme_core.exceptions import ConvergenceWarning, DivergenceWarning, TrainingError
from nme_core.nn import Family, MixedEffects
from nme_core.training.covariance import RandomEffectsCovariance
from nme_core.training.nesting import Nesting
from nme_core.training.progress import Progress, Training, Verdict

#: Mean variance of the random effects, standardised, below which its changes do not matter.
NEGLIGIBLE = 1e-3
#: Change of minus twice a log density, of all rows together, that does not matter.
LEAST = 0.5
#: Epochs from one state to go back to to the next, and how often training goes back to one.
SNAPSHOT_EVERY, RECOVERIES = 50, 3
#: Factor of the learning rate after each time.
SMALLER = 0.2


class Problem(Protocol):
    """What an estimator of the random effects offers to the loop."""

    mixed: MixedEffects
    family: Family
    covariances: list[RandomEffectsCovariance]
    residual_variance: float

    @property
    def settled(self) -> bool:
        """Whether training may stop."""
        ...

    def parameters(self) -> list[nn.Parameter]:
        """What the optimiser adjusts."""
        ...

    def loss(self, batches: list[Batch]) -> Tensor:
        """Return the part of the objective that lies in these batches."""
        ...

    def after_step(self) -> None:
        """Update what moves with every step."""
        ...

    def after_epoch(self) -> None:
        """Update what moves once an epoch."""
        ...

    def observe(self, losses: Tensor, rows: Tensor) -> bool:
        """Take note of each person's validation deviance and rows; True if it was worth it."""
        ...

    def finish(self, *, validated: bool) -> None:
        """Settle on the state that is kept."""
        ...

    def snapshot(self) -> Callable[[], None]:
        """Return what goes back to the present state."""
        ...

    def shared_spread(self) -> dict[str, Tensor]:
        """Posterior standard deviations of the shared parameters, where the estimator has them."""
        ...

    def shared_precision(self) -> dict[str, Tensor]:
        """Prior precisions of the shared parameters, by name; without a prior none."""
        ...

    @property
    def dependence(self) -> tuple[Nesting, Tensor] | None:
        """How the posteriors of groups depend on those that they lie in, where they do."""
        ...

    def posterior_covariance(self) -> Tensor | None:
        """Covariance of each group's deviations, where the estimator has one.

        Shape (P, R, R), or (P, R) where only the variances are not zero; given the groups that a
        group lies in (see `dependence`).
        """
        ...


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    With `decays`, the learning rate stays until the objective no longer falls and then goes to 0
    by a cosine; without, training stops when it no longer falls or, with validation rows, when
    these have not improved for `patience` epochs.

    Parameters
    ----------
    learning_rate : float
        Of Adam.
    epochs : int, optional
        Exactly so many; None: stop by the rules above.
    longest : int
        Limit of epochs before the decay, where `epochs` is None.
    decays : bool
        Whether the learning rate goes down at the end.
    window, tolerance : int, float
        Converged when the objective of all rows together, a mean over `window` epochs, differs
        from that of the `window` epochs before by less than the share `tolerance` of all that it
        has fallen, than `LEAST`, or than twice the standard error that the draws give the
        difference,
    steady : float, optional
        and the mean variance of the random effects has changed by less than this share over the
        `window` epochs: it can still be on its way when the objective hardly falls any more.
    patience : int
        Epochs without a better validation loss before stopping.
    validate_every : int
        Epochs from one look at the validation rows to the next.
    """

    learning_rate: float = 0.01
    epochs: int | None = None
    longest: int = 3000
    decays: bool = True
    window: int = 100
    tolerance: float = 1e-4
    steady: float | None = None
    patience: int = 50
    validate_every: int = 10


def train(
    problem: Problem,
    batches: list[Batch],
    schedule: Schedule,
    *,
    seed: int,
    validation: list[Batch] | None = None,
    report: Callable[[Progress], None] | None = None,
) -> Training:
    """Minimise a problem's objective over batches.

    Parameters
    ----------
    problem : Problem
        Trained in place.
    batches : list of Batch
        Training rows.
    schedule : Schedule
        Learning rate and stopping rule.
    seed : int
        Seed of the mini-batches.
    validation : list of Batch, optional
        Rows to watch.
    report : callable, optional
        Called after each epoch; an exception that it raises stops the training.

    Notes
    -----
    Where the objective is no longer a finite number, training goes back to its last good state and
    on with a smaller learning rate; what does not help after `RECOVERIES` times has diverged.

    Warns
    -----
    ConvergenceWarning
        If training stopped at the limit of epochs.
    DivergenceWarning
        If training diverged; what is kept is its last good state.

    Raises
    ------
    TrainingError
        If the objective never was a finite number for long enough to have such a state.
    """
    optimiser = _adam(problem, schedule.learning_rate)
    generator = torch.Generator().manual_seed(seed)
    stop = _Stopping(schedule, sum(batch.n_rows for batch in batches))
    history: list[Progress] = []
    start, epoch, smaller = time.monotonic(), 0, 1.0
    go_back, good_epoch, recoveries = problem.snapshot(), 0, 0
    while not stop.done:
        epoch += 1
        for group in optimiser.param_groups:
            group["lr"] = schedule.learning_rate * smaller * stop.rate(epoch)
        loss = _epoch(problem, optimiser, steps(batches, generator))
        if not math.isfinite(loss):
            go_back()
            if recoveries == RECOVERIES:
                stop.diverged()
                break
            recoveries, smaller = recoveries + 1, smaller * SMALLER
            optimiser = _adam(problem, schedule.learning_rate * smaller)
            continue
        if epoch - good_epoch >= SNAPSHOT_EVERY:
            go_back, good_epoch = problem.snapshot(), epoch
        validation_loss = None
        if validation is not None and epoch % schedule.validate_every == 0:
            losses, rows = _validate(problem, validation)
            validation_loss = float(losses.sum() / rows.sum())
            stop.validated(epoch, problem.observe(losses, rows))
        variances = torch.cat([covariance.variances for covariance in problem.covariances])
        variance = float(variances.mean()) if len(variances) else 0.0
        stop.trained(epoch, loss, variance, problem.settled)
        history.append(
            Progress(
                epoch=epoch,
                fraction=stop.fraction(epoch),
                train_loss=loss,
                validation_loss=validation_loss,
                residual_variance=problem.residual_variance,
                mean_random_variance=variance,
                seconds=time.monotonic() - start,
            )
        )
        if report is not None:
            report(history[-1])
    if stop.verdict is Verdict.DIVERGED:
        advice = "Look for extreme values in the features and the outcome."
        if not good_epoch:
            raise TrainingError(
                f"The loss stopped being a finite number in epoch {epoch}, in spite of smaller"
                " and smaller steps.",
                remedy=advice,
            )
        warnings.warn(
            f"Training diverged in epoch {epoch}; what is shown is its state after epoch"
            f" {good_epoch}. {advice}",
            DivergenceWarning,
            stacklevel=2,
        )
    problem.finish(validated=validation is not None)
    if stop.verdict is Verdict.LIMIT:
        warnings.warn(
            f"Training stopped at the limit of {schedule.longest} epochs before it had converged;"
            " look at the loss curve, and allow more epochs if it still falls.",
            ConvergenceWarning,
            stacklevel=2,
        )
    return Training(tuple(history), stop.verdict, stop.moved if schedule.decays else None)


class _Adam(torch.optim.Adam):
    """Adam that leaves torch's compiler unloaded, which takes 2 s and 100 MiB and is not used here.

    Torch wraps these methods in marks for its compiler, and loads it at the first call.
    """

    add_param_group = inspect.unwrap(torch.optim.Adam.add_param_group)
    zero_grad = inspect.unwrap(torch.optim.Adam.zero_grad)
    step = torch.no_grad()(inspect.unwrap(torch.optim.Adam.step))


def _adam(problem: Problem, learning_rate: float) -> torch.optim.Adam:
    return _Adam(problem.parameters(), lr=learning_rate, fused=True)


def _epoch(problem: Problem, optimiser: torch.optim.Adam, parts: Iterable[list[Batch]]) -> float:
    """Objective of one pass over all rows; it ends early where that is not a finite number."""
    loss = 0.0
    for step in parts:
        optimiser.zero_grad(set_to_none=True)
        value = problem.loss(step)
        loss += float(value.detach())
        if not math.isfinite(loss):
            return loss
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        try:
            problem.after_step()
        except torch.linalg.LinAlgError:  # type: ignore[attr-defined]  # Σ is not finite
            return math.nan
    problem.after_epoch()
    return loss


@torch.no_grad()
def _validate(problem: Problem, batches: list[Batch]) -> tuple[Tensor, Tensor]:
    """Deviance and number of rows of each person, (P,) each."""
    like, n_persons = problem.mixed.deviations, problem.mixed.sizes[0]
    losses, rows = like.new_zeros(n_persons), like.new_zeros(n_persons)
    for batch in chunks(batches):
        deviance = problem.family.deviance(problem.mixed(batch.x, groups=batch.groups), batch)
        losses.index_add_(0, batch.groups[:, 0], deviance.to(like.dtype))
        rows.index_add_(0, batch.groups[:, 0], batch.lengths.to(like.dtype))
    return losses, rows


class _Stopping:
    """Learning rate over the epochs, and when to stop."""

    def __init__(self, schedule: Schedule, n_rows: int) -> None:
        self.schedule, self.n_rows = schedule, n_rows
        self.moved: float | None = None
        self.done = False
        self.verdict = Verdict.FIXED
        self._losses: list[float] = []
        self._variances: list[float] = []
        self._best_epoch = 0
        self._decay_from: int | None = None
        if schedule.epochs is not None and schedule.decays:
            self._decay_from = schedule.epochs // 2
        self._last = schedule.epochs

    def rate(self, epoch: int) -> float:
        """Return the factor of the learning rate, 1 to 0."""
        if self._decay_from is None or self._last is None or epoch <= self._decay_from:
            return 1.0
        part = (epoch - self._decay_from) / (self._last - self._decay_from + 1)
        return float((1 + torch.cos(torch.tensor(torch.pi * part))) / 2)

    def diverged(self) -> None:
        """Give up."""
        self.verdict = Verdict.DIVERGED

    def fraction(self, epoch: int) -> float:
        """Return the part of the way that lies behind, as far as it can be known."""
        end = self._last if self._last is not None else 1.5 * self.schedule.longest
        return min(1.0, epoch / end)

    def validated(self, epoch: int, improved: bool) -> None:
        """Take note of a look at the validation rows."""
        if improved:
            self._best_epoch = epoch
        waited = epoch - self._best_epoch >= self.schedule.patience
        if waited and self._settled and self._last is None and not self.schedule.decays:
            self.done, self.verdict = True, Verdict.CONVERGED

    _settled = False
    _settled_at = 0

    def trained(self, epoch: int, loss: float, variance: float, settled: bool) -> None:
        """Take note of an epoch."""
        if not settled:
            self._settled_at = epoch
        self._settled = settled
        self._losses.append(loss)
        self._variances.append(variance)
        if self._last is not None:
            self.done = self.done or epoch >= self._last
            return
        converged = settled and self._flat() and self._steady()
        if converged or epoch >= self.schedule.longest:
            self.verdict = Verdict.CONVERGED if converged else Verdict.LIMIT
            if self.schedule.decays:
                self._decay_from, self._last = epoch, epoch + max(epoch // 2, self.schedule.window)
            else:
                self.done = True

    def _steady(self) -> bool:
        if self.schedule.steady is None:
            return True
        before, now = self._variances[-self.schedule.window], self._variances[-1]
        return abs(now - before) < self.schedule.steady * max(before, NEGLIGIBLE)

    def _flat(self) -> bool:
        """Whether the whole objective no longer moves, as far as its noise lets that be told."""
        window = self.schedule.window
        if len(self._losses) - self._settled_at < 2 * window:
            return False
        before, now = np.array(self._losses[-2 * window :]).reshape(2, window)
        moved = abs(float(before.mean() - now.mean()))
        fallen = max(self._losses[0] - float(now.mean()), moved)
        self.moved = moved / fallen if fallen else 0.0
        noise = 2 * math.sqrt((before.var() + now.var()) / window)
        return moved < max(self.schedule.tolerance * fallen, LEAST / self.n_rows, noise)
