"""How long a training may take, judged by earlier ones of the same kind on this computer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import pandas as pd

from dashboard.services.results import run_folder
from dashboard.services.runs import Run, chosen_options, list_runs
from dashboard.services.studies import StudyRecord, open_study
from nme_core.vocabulary.settings import FitSettings

#: So many earlier runs of the same kind are looked at, the latest ones.
MOST_RUNS = 10
#: Models that are a mixture of networks where nothing is said.
_LAYERED = {"nme-mlp"}


@dataclass(frozen=True)
class Estimate:
    """Seconds that a training may take, at least and at most, and the earlier runs it rests on."""

    low: float
    high: float
    n_runs: int


def estimate(record: StudyRecord, options: FitSettings) -> Estimate | None:
    """Rough time of a training; None before the first one of its kind is finished.

    Runs are of one kind where they share model, placement, covariance, estimator, baselines and
    number of settings tried, both are mixtures, have hidden layers or have none, and both train
    until convergence or for a number of epochs. The time of their fits is scaled by the rows of
    the study (where every person is fitted apart, by its persons as well) and by epochs that were
    asked for.
    Whether the time around the fits grows with the study is not known, so that both are counted:
    the range goes from the least to the most of all of these.
    """
    done = (run for run in list_runs() if run.done and _is_measured(run))
    alike = (run for run in done if _kind(_asked(run)) == _kind(options))
    study = open_study(record.id)[0]
    times = [
        _times(run, options, study.n_rows, study.n_persons) for run in islice(alike, MOST_RUNS)
    ]
    if not times:
        return None
    return Estimate(min(map(min, times)), max(map(max, times)), len(times))


def _is_measured(run: Run) -> bool:
    """Whether a run says when it began and ended, and how large its study was."""
    sizes = run_folder(run.id).data
    return bool(
        run.status.started and run.status.finished
        and sizes.get("n_rows") and sizes.get("n_persons")
    )  # fmt: skip


def _asked(run: Run) -> FitSettings:
    return chosen_options(run.options)


def _kind(options: FitSettings) -> tuple[object, ...]:
    """What two trainings share that take about the same time per row."""
    layers: object = "auto" if options.model in _LAYERED else False
    if options.hidden is not None:
        layers = options.hidden if isinstance(options.hidden, str) else bool(options.hidden)
    return (
        options.model, options.placement, options.covariance, options.estimator,
        frozenset(options.baselines), options.tune, layers, options.epochs is None,
    )  # fmt: skip


def _times(run: Run, options: FitSettings, n_rows: int, n_persons: int) -> list[float]:
    """Seconds that a run would have taken with this study and these epochs, counted in each way."""
    folder = run_folder(run.id)
    started, finished = (pd.Timestamp(str(at)) for at in (run.status.started, run.status.finished))
    total = (finished - started).total_seconds()
    fits = float(folder.table("history").groupby("model")["seconds"].max().sum())
    around = max(total - fits, 0.0)
    asked = _asked(run)
    epochs = options.epochs / asked.epochs if options.epochs and asked.epochs else 1.0
    return [
        time
        for ratio in _ratios(folder.data, options, n_rows, n_persons)
        for time in (fits * ratio * epochs + around, (fits * epochs + around) * ratio)
    ]


def _ratios(
    then: dict[str, object], options: FitSettings, n_rows: int, n_persons: int
) -> Iterable[float]:
    """How many times larger the study is than that of an earlier run."""
    yield n_rows / float(str(then["n_rows"]))
    if options.estimator == "laplace" or "specific" in options.baselines:
        yield n_persons / float(str(then["n_persons"]))
