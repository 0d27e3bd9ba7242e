"""Settings of a model chosen by its loss on the validation rows: ``nme fit --tune TRIALS``.

The settings that were asked for come first, then other widths of the hidden layers in a random
order, then the other structure of Σ for the widths with the lowest losses. Whatever is chosen, the
test rows have had no part in it.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pandas as pd

from nme_core.exceptions import NMEError, OptionError
from nme_core.io import RunFolder

#: Widths of the hidden layers that are tried.
WIDTHS: tuple[tuple[int, ...], ...] = ((), (8,), (16,), (32,), (64,), (32, 16))
COVARIANCES = ("diagonal", "full")
#: A full Σ is tried up to so many person-specific parameters.
MOST_EFFECTS = 64
MOST_TRIALS = 100


@dataclass(frozen=True)
class Settings:
    """What is chosen.

    Attributes
    ----------
    hidden : tuple of int
        Units of each hidden layer.
    covariance : str
        Structure of Σ.
    """

    hidden: tuple[int, ...]
    covariance: str

    def __str__(self) -> str:
        widths = ", ".join(map(str, self.hidden)) or "none"
        return f"hidden {widths}, covariance {self.covariance}"


@dataclass(frozen=True)
class Judged:
    """A model's loss on the validation rows, and its number of person-specific parameters."""

    validation_loss: float
    n_effects: int


@dataclass(frozen=True)
class Trial:
    """One row of the table; `judged` is None where the model could not be fitted, for `reason`."""

    settings: Settings
    judged: Judged | None
    seconds: float
    reason: str = ""


def tune(
    first: Settings,
    n_trials: int,
    judge: Callable[[int, Settings], Judged],
    folder: RunFolder,
    *,
    widths_given: bool = False,
    seed: int = 0,
) -> Settings:
    """Try settings one after the other and return those with the lowest validation loss.

    Parameters
    ----------
    first : Settings
        What was asked for; the first trial.
    n_trials : int
        How many are tried, at most: fewer where there are not so many different ones.
    judge : callable
        Takes the number of a trial, from 1, and its settings; fits on the training rows and
        returns what the validation rows say.
    folder : RunFolder
        Where ``tuning.csv`` is written after every trial, so that what was finished is kept.
    widths_given : bool
        Whether the hidden layers stay as they are.
    seed : int
        Seed of the order of the widths.

    Raises
    ------
    OptionError
        If there are less than 1 or more than `MOST_TRIALS` trials.
    NMEError
        What `judge` raises for the first trial; others that cannot be fitted say so in the table.
    """
    if not 1 <= n_trials <= MOST_TRIALS:
        raise OptionError(f"tune={n_trials} is not from 1 to {MOST_TRIALS}.")
    trials: list[Trial] = []
    for number, settings in enumerate(_candidates(first, trials, widths_given, seed), start=1):
        start, judged, reason = time.monotonic(), None, ""
        try:
            judged = judge(number, settings)
        except NMEError as error:
            if number == 1:
                raise
            reason = str(error)
        trials.append(Trial(settings, judged, time.monotonic() - start, reason))
        folder.write_table("tuning", _table(trials))
        if number == n_trials:
            break
    return _best(trials).settings


def _candidates(
    first: Settings, trials: list[Trial], widths_given: bool, seed: int
) -> Iterator[Settings]:
    """Settings in the order in which they are tried; `trials` holds those that were."""
    yield first
    if not widths_given:
        others = [widths for widths in WIDTHS if widths != first.hidden]
        random.Random(seed).shuffle(others)
        for widths in others:
            yield replace(first, hidden=widths)
    (other,) = (kind for kind in COVARIANCES if kind != first.covariance)
    for trial in sorted(trials, key=_loss):
        fits = trial.judged is not None and 0 < trial.judged.n_effects <= MOST_EFFECTS
        if fits or (trial.judged is not None and other == "diagonal"):
            yield replace(trial.settings, covariance=other)


def _loss(trial: Trial) -> float:
    loss = math.inf if trial.judged is None else trial.judged.validation_loss
    return math.inf if math.isnan(loss) else loss


def _best(trials: list[Trial]) -> Trial:
    return min(trials, key=_loss)


def _table(trials: list[Trial]) -> pd.DataFrame:
    best = _best(trials)
    return pd.DataFrame(
        {
            "trial": range(1, len(trials) + 1),
            "options": [json.dumps(vars(trial.settings)) for trial in trials],
            "validation_loss": [
                None if trial.judged is None else trial.judged.validation_loss for trial in trials
            ],
            "seconds": [round(trial.seconds, 3) for trial in trials],
            "chosen": [trial is best for trial in trials],
            "note": [trial.reason for trial in trials],
        }
    ).astype({"validation_loss": float})
