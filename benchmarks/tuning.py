"""Does a search for settings beat the stack? Loss of each person's last fifth, with times.

python -m benchmarks.tuning [WORD…]       # only studies whose kind or name holds a word

Each way has the same rows to fit to and the same to choose by. ``stack`` is the default of an
NME-MLP; ``--tune`` what ``nme fit --tune`` does; ``TPE`` Optuna's search that begins with what the
stack's candidates came to, and keeps the best network; ``TPE, stacked`` weighs the candidates and
all that the search fitted as the stack weighs its own.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from benchmarks.kinds_studies import KindOfStudy, all_kinds
from nme_core.batches.splits import split_within_person
from nme_core.estimators import NMEMLPClassifier, NMEMLPRegressor
from nme_core.estimators.stacking import PULL, SLIGHT, normal_scores, stacking_weights
from nme_core.exceptions import NMEError
from nme_core.io import RunFolder
from nme_core.runs.tuning import MOST_EFFECTS, Judged, Settings, tune

TRIALS = 10
WAYS = ("stack", "--tune", "TPE", "TPE, stacked")
#: Resamples of the people for the intervals of ratios.
RESAMPLES = 2000

Floats = NDArray[np.float64]
Model = NMEMLPRegressor | NMEMLPClassifier


def studies() -> list[KindOfStudy]:
    """The kinds of study whose best network is no line, and the simulated one with classes."""
    chosen = [one for one in all_kinds() if one.kind in ("non-linear", "diary")]
    (bent,) = (one for one in chosen if one.name == "simulated")
    chance = 1 / (1 + np.exp(-bent.y + bent.y.mean()))
    happens = np.random.default_rng(0).random(len(chance)) < chance
    classes = pd.Series(np.where(happens, "yes", "no"), index=bent.y.index)
    return [*chosen, KindOfStudy("non-linear, two classes", "simulated", bent.X, classes,
                                 bent.persons)]  # fmt: skip


@dataclass(frozen=True)
class Play:
    """A study with its three parts, and how a model is fitted to the first and judged."""

    study: KindOfStudy
    part: NDArray[np.str_]

    @classmethod
    def of(cls, study: KindOfStudy) -> Play:
        """Divide each person's rows as `nme fit` does."""
        return cls(study, np.asarray(split_within_person(study.persons)))

    def rows(self, part: str) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
        """X, y and persons of a part."""
        own = self.part == part
        return self.study.X[own], self.study.y[own], self.study.persons[own]

    @property
    def classes(self) -> bool:
        """Whether the outcome is a class."""
        return not pd.api.types.is_numeric_dtype(self.study.y)

    def fit(self, **options: Any) -> Model:
        """Fit with these options; `hidden="auto"` weighs by the validation rows."""
        X, y, persons = self.rows("train")
        model = (NMEMLPClassifier if self.classes else NMEMLPRegressor)(**options)
        held = None if options else self.rows("validation")
        return model.fit(X, y, groups=persons, uncertainty=False, validation=held)

    def scores(self, model: Model, part: str) -> Floats:
        """Log p of each row's class; of a number prediction less outcome."""
        X, y, persons = self.rows(part)
        if isinstance(model, NMEMLPRegressor):
            return np.asarray(model.predict(X, persons) - y)
        chances = model.predict_proba(X, persons)
        return np.log(chances[np.arange(len(y)), np.searchsorted(model.classes_, y)])

    def losses(self, scores: Floats) -> Floats:
        """Squared error or log-loss of each row."""
        return -scores if self.classes else np.square(scores)

    def mixed(self, scores: list[Floats], weights: Floats) -> Floats:
        """Scores of the weighted mean of several models' predictions."""
        table = np.column_stack(scores)
        return np.log(np.exp(table) @ weights) if self.classes else table @ weights


@dataclass(frozen=True)
class Fitted:
    """A network, its scores of the rows that are chosen by and of those that judge."""

    held: Floats
    test: Floats
    loss: float

    @classmethod
    def of(cls, play: Play, model: Model) -> Fitted:
        """Judge a model."""
        held, test = (play.scores(model, part) for part in ("validation", "test"))
        return cls(held, test, float(play.losses(held).mean()))


def by_tune(play: Play) -> Fitted:
    """What ``nme fit --tune`` chooses."""
    tried: dict[Settings, Fitted] = {}

    def judge(_: int, settings: Settings) -> Judged:
        model = play.fit(**vars(settings))
        tried[settings] = Fitted.of(play, model)
        return Judged(tried[settings].loss, len(model.parameter_names()))

    with tempfile.TemporaryDirectory() as folder:
        return tried[tune(Settings((32,), "diagonal"), TRIALS, judge, RunFolder(folder))]


def by_search(play: Play, stack: Model) -> list[Fitted]:
    """The candidates of the stack, the linear one first, and what a search found from there."""
    optuna = import_module("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space: dict[str, Any] = {
        "layers": optuna.distributions.IntDistribution(0, 2),
        "units": optuna.distributions.IntDistribution(4, 64, log=True),
        "activation": optuna.distributions.CategoricalDistribution(["relu", "tanh"]),
        "placement": optuna.distributions.CategoricalDistribution(["last", "all"]),
        "covariance": optuna.distributions.CategoricalDistribution(["diagonal", "full"]),
    }
    search = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0, n_startup_trials=8))
    found = []
    assert stack._mixture is not None
    for one in stack._mixture.candidates:
        found.append(Fitted.of(play, one.model))
        hidden = one.setting.hidden
        params = {
            "layers": len(hidden), "units": (*hidden, 32)[0], "covariance": "diagonal",
            "activation": one.setting.activation or "relu", "placement": one.setting.placement,
        }  # fmt: skip
        search.add_trial(
            optuna.trial.create_trial(params=params, distributions=space, value=found[-1].loss)
        )
    for _ in range(TRIALS):
        trial = search.ask(space)
        fitted = _tried(play, trial.params)
        if fitted is not None:
            found.append(fitted)
        search.tell(trial, math.inf if fitted is None else fitted.loss)
    return found


def _tried(play: Play, at: dict[str, Any]) -> Fitted | None:
    hidden = (at["units"],) * at["layers"]
    n_effects = at["units"] + 1 if at["placement"] == "last" or not hidden else math.inf
    covariance = at["covariance"] if n_effects <= MOST_EFFECTS else "diagonal"
    options = {"activation": at["activation"]} if hidden else {}
    try:
        return Fitted.of(play, play.fit(
            hidden=hidden, placement=at["placement"], covariance=covariance, **options
        ))  # fmt: skip
    except NMEError:
        return None


@contextmanager
def timed(times: dict[str, float], name: str) -> Iterator[None]:
    """Processor time."""
    start = time.process_time()
    yield
    times[name] = time.process_time() - start


def compare(play: Play) -> tuple[dict[str, Floats], dict[str, float]]:
    """Loss of each test row, and processor time, of each way."""
    times: dict[str, float] = {}
    with timed(times, "stack"):
        stack = play.fit()
    with timed(times, "--tune"):
        tuned = by_tune(play)
    with timed(times, "TPE"):
        found = by_search(play, stack)
    times["TPE"] += times["stack"]
    times["TPE, stacked"] = times["TPE"]
    best = min(found, key=lambda one: one.loss)
    held = np.column_stack([one.held for one in found])
    pull = np.array([PULL] + [SLIGHT] * (len(found) - 1))
    weights = stacking_weights(held if play.classes else normal_scores(held), pull)
    scores = {
        "stack": play.scores(stack, "test"),
        "--tune": tuned.test,
        "TPE": best.test,
        "TPE, stacked": play.mixed([one.test for one in found], weights),
    }
    return {name: play.losses(one) for name, one in scores.items()}, times


def interval(losses: Floats, other: Floats, persons: pd.Series) -> tuple[float, float]:
    """95 % interval over people of the ratio of two losses."""
    codes, names = pd.factorize(persons)
    ours, theirs = (np.bincount(codes, weights=one) for one in (losses, other))
    drawn = np.random.default_rng(0).integers(len(names), size=(RESAMPLES, len(names)))
    ratios = ours[drawn].sum(1) / theirs[drawn].sum(1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(low), float(high)


def main(words: list[str], tell: Callable[[str], None] = print) -> int:
    """Print a line for each study: the stack's loss, and the ratio of every other way to it."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    tell("| study | " + " | ".join(WAYS) + " | seconds |")
    tell("|---" * (len(WAYS) + 2) + "|")
    for study in studies():
        if words and not any(word in f"{study.kind} {study.name}" for word in words):
            continue
        play = Play.of(study)
        losses, times = compare(play)
        whose, cells = play.rows("test")[2], [f"{losses['stack'].mean():.4g}"]
        for way in WAYS[1:]:
            low, high = interval(losses[way], losses["stack"], whose)
            ratio = losses[way].mean() / losses["stack"].mean()
            cells.append(f"{ratio:.3f} ({low:.3f} to {high:.3f})")
        seconds = " · ".join(f"{times[way]:.0f}" for way in WAYS[:3])
        tell(f"| {study.kind}: {study.name} | " + " | ".join(cells) + f" | {seconds} |")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
