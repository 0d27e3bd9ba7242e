"""How often this study's own intervals hold the truth: simulate from the fit, and fit again.

Every repetition draws the people anew, η_i ~ N(0, Σ), and the outcomes of the same rows; the same
model is fitted to them, and its 95 % intervals are held against what was drawn.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.analysis import person_effects
from nme_core.estimators import NMECRF, NeuralMixedEffects, load
from nme_core.estimators.threads import one_thread_for_few
from nme_core.estimators.variance_intervals import HELD, Asked
from nme_core.exceptions import NMEWarning, OptionError
from nme_core.io import RunFolder
from nme_core.io.inputs import find_input
from nme_core.runs.research.calibrate_words import TOOL, coverage_table, verdict
from nme_core.runs.research.opening import arguments_of, opened
from nme_core.runs.research.repeating import drawn_outcomes, drawn_people
from nme_core.runs.research.tasks import Report, TaskOptions, kept_in, run_kept
from nme_core.runs.research.verdict import Verdict
from nme_core.study.formats.source import fingerprint

Floats = NDArray[np.float64]
#: Of transitions: those that say the same whatever the rows; shares expected in rows do not.
READOUTS = ("conditional", "scores")
_Held = tuple[str, str, Floats, Floats, Floats]


@dataclass(frozen=True)
class CalibrationStudy:
    """What was found: the table ``calibration_study`` and the answer."""

    table: pd.DataFrame
    verdict: Verdict

    def write(self, run: RunFolder) -> None:
        """Write ``calibration_study.csv`` and ``verdict.json`` into the run's folder."""
        run.write_table("calibration_study", self.table)
        self.verdict.write(run.path)


def calibrate(
    run: RunFolder,
    long: str | os.PathLike[str] | None = None,
    covariates: str | os.PathLike[str] | None = None,
    *,
    reps: int = 100,
    seed: int = 0,
    tasks: TaskOptions | None = None,
    report: Report | None = None,
) -> CalibrationStudy:
    """Measure how often the 95 % intervals that a run shows hold the truth on this very study.

    Parameters
    ----------
    run : RunFolder
        A finished run, interpreted from all rows.
    long, covariates : path, optional
        The files that it was fitted on; None: where `nme fit` on this computer read them.
    reps : int
        Simulated studies.
    seed : int
        Of what is drawn.
    tasks : TaskOptions, optional
        Where the fits run.
    report : callable, optional
        Called with what is being done and the part of the way behind.

    Raises
    ------
    OptionError
        Where the file is not found or another one, or the model has no intervals.
    TrainingError
        Where no repetition could be fitted.
    """
    table = Path(long) if long is not None else _found(run)
    given: dict[str, Any] = arguments_of(run, table, covariates)
    opened(*given.values())
    given["fitted"] = fingerprint(run.model_path)
    found = run_kept(
        repeat,
        {f"study {k + 1}": {**given, "seed": 1000 * seed + k} for k in range(reps)},
        kept_in(run.path, TOOL),
        tasks or TaskOptions(),
        report,
    )
    done = [one for one in found.values() if not one.error]
    measured = coverage_table(done)
    if measured.empty:
        raise OptionError(
            "This model has no intervals that could be measured.",
            remedy="Fit with --estimator variational or laplace.",
        )
    kept_in(run.path, TOOL).unlink(missing_ok=True)
    return CalibrationStudy(measured, verdict(run, measured, len(done), len(found)))


def repeat(
    run: str, long: str, covariates: str | None, sha256: str, config: str, fitted: str, seed: int
) -> list[list[Any]]:
    """Simulate one study, fit it, and count what its intervals hold.

    Returns
    -------
    list
        Per quantity and parameter: both, intervals that hold the truth, intervals, sum of their
        widths, and sum of estimate minus truth (of the middles of the intervals). The ends of
        intervals of variances are not searched for, only whether they hold the truth: no widths.
    """
    one, model = opened(run, long, covariates, sha256, config), _model(run, fitted)
    truth = drawn_people(model, 2 * seed)
    y = drawn_outcomes(truth, one.rows, 2 * seed + 1)
    with warnings.catch_warnings(), one_thread_for_few(one.study.n_rows):
        warnings.simplefilter("ignore", NMEWarning)
        again = one.options.estimator_for(one.study)
        again._begin_at = model if model._widths else truth
        variances = pd.DataFrame([_variances(truth, factor) for factor in truth.factors_])
        again._asked = Asked(variances, truth.residual_variance_, READOUTS)
        again.fit(one.rows.X, y, **one.fit_arguments(again))
        again._begin_at = again._asked = None
    found = []
    for quantity, parameter, low, high, true in _intervals(again, truth, one.study.X):
        low, high, true = (np.asarray(values, dtype=np.float64) for values in (low, high, true))
        known = np.isfinite(low) & np.isfinite(high) & np.isfinite(true)
        held = int(((low <= true) & (true <= high))[known].sum())
        width, off = (high - low)[known].sum(), ((low + high) / 2 - true)[known].sum()
        found.append([quantity, parameter, held, int(known.sum()), float(width), float(off)])
    return [*found, *_of_variances(again, truth)]


@lru_cache(maxsize=1)
def _model(run: str, fitted: str) -> NeuralMixedEffects:
    """The run's model; of a mixture its leader."""
    model = load(RunFolder(run).model_path)
    return model if model._mixture is None else model._mixture.leader


def _found(run: RunFolder) -> Path:
    """The long table of a run, where this computer read it."""
    path = find_input(str(run.data["inputs"][0]["sha256"]))
    if path is None:
        raise OptionError(
            f"The table that {run.path} was fitted on is not where `nme fit` read it, or was read"
            " on another computer.",
            remedy="Name it: nme calibrate RUN LONG.csv.",
        )
    return path


def _intervals(
    again: NeuralMixedEffects, truth: NeuralMixedEffects, X: pd.DataFrame
) -> Iterator[_Held]:
    """Intervals of a fit beside what is true, by quantity and parameter."""
    if not again._widths:
        yield from _of_parameters(again, truth)
    if isinstance(again, NMECRF) and isinstance(truth, NMECRF):
        yield from _of_transitions(again, truth)
    elif not isinstance(again, NMECRF):
        table = person_effects(again, X)
        true = person_effects(truth, X)["estimate"]
        own = (table["person"] != "").to_numpy()
        for effect in table["effect"].unique():
            here = own & (table["effect"] == effect).to_numpy()
            if true[here].nunique() < 2:
                continue  # the same for everybody: their intervals are points that always hold
            ends = table.loc[here, ["ci_low", "ci_high"]].to_numpy(dtype=np.float64)
            yield "person_effects", str(effect), ends[:, 0], ends[:, 1], true[here].to_numpy()


def _of_parameters(again: NeuralMixedEffects, truth: NeuralMixedEffects) -> Iterator[_Held]:
    (low, high), fixed = again.fixed_effects_interval(), truth.fixed_effects_
    out = again._units().labels_left_out
    for name in low.index.intersection(fixed.index).difference([*out], sort=False):
        ends = np.array([low[name]]), np.array([high[name]])
        yield "fixed_effects", str(name), *ends, np.array([fixed[name]])
    below, above = again.effects().interval()
    true = truth.effects().estimate.loc[below.index]
    for name in below.columns.difference([*out], sort=False):
        columns = [np.asarray(one[name], dtype=np.float64) for one in (below, above, true)]
        yield "random_effects", str(name), columns[0], columns[1], columns[2]
    process = getattr(again, "_process", None)
    if process is not None and np.isfinite(process.low):
        ends = np.array([process.low]), np.array([process.high])
        rho = float(truth.residual_autocorrelation_)
        yield "autocorrelation", "", *ends, np.array([rho])


def _variances(model: NeuralMixedEffects, factor: str | None = None) -> pd.Series:
    """Variances between the people, or groups of another factor, by parameter."""
    sigma = model.covariance_of(factor)
    return pd.Series(np.diag(sigma), sigma.index)


def _of_variances(again: NeuralMixedEffects, truth: NeuralMixedEffects) -> Iterator[list[Any]]:
    """Rows of `repeat` of the variances between people and of σ²."""
    if again._variances is None:
        return
    around, off = again.variance_intervals(), _variances(again) - _variances(truth)
    asked = [("variances", *row) for row in zip(around.index, around[HELD], off, strict=True)]
    residual = again.residual_variance_interval()[HELD]
    off_residual = again.residual_variance_ - truth.residual_variance_
    for quantity, name, held, by in [*asked, ("residual_variance", "", residual, off_residual)]:
        if np.isfinite(held):
            yield [quantity, str(name), int(held), 1, None, float(by)]


def _of_transitions(again: NMECRF, truth: NMECRF) -> Iterator[_Held]:
    """Moves and scores; a person's from states that the person was never in say nothing."""
    order = [int(k) for k in pd.Index(again.groups_).get_indexer(pd.Index(truth.groups_))]
    left = again.transition_counts("observed")[order].sum(axis=2) > 0
    for readout in READOUTS:
        true, ends = truth.transition_matrices(readout), again.transition_intervals(readout)
        low, high = ends
        for j, before in enumerate(truth.classes_):
            for k, after in enumerate(truth.classes_):
                name, seen = f"{before} → {after}", left[:, j]
                below, above = (values[order, j, k][seen] for values in (low, high))
                yield readout, name, below, above, true[:-1, j, k][seen]
                below, above, there = (values[-1:, j, k] for values in (low, high, true))
                yield f"population_{readout}", name, below, above, there
