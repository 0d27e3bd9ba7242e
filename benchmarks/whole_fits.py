"""Whole fits with their uncertainty: what a user waits for, and what needs a hundred of them."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from benchmarks.glmm import study
from benchmarks.table import Row
from nme_core.estimators import NMEMLPRegressor
from nme_core.exceptions import NMEWarning
from nme_core.runs.fit import FitOptions
from nme_core.runs.fit.judging import fit_split, predict
from nme_core.runs.fit.rows import StudyRows
from nme_core.simulate import sample_study
from nme_core.study import Study
from nme_core.study.held_back import plan_split

#: Epochs that the draws-based estimator took to converge on dyads.
DRAWS_EPOCHS = 826
#: Fits that stand for a thousand.
SOME = 20


def run(*, small: bool = False) -> list[Row]:
    """Measure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NMEWarning)  # of studies that are tiny
        return [chain(small=small), automatic(small=small), adapted(small=small), many(small=small)]


def _computed(work: Callable[[], object]) -> float:
    """Seconds of processor time."""
    start = time.process_time()
    work()
    return time.process_time() - start


def chain(*, small: bool = False) -> Row:
    """The exact NME-CRF with intervals beside the draws-based one that it replaced, on dyads."""
    sample = sample_study("dyads")
    roles = {name: value for name, value in sample.roles.items() if name != "model"}
    long = sample.long
    if small:
        long = long[long["dyad"].isin(long["dyad"].unique()[:6])]
    table = Study.from_frame(long, covariates=sample.covariates, **roles)
    rows, parts = StudyRows.of(table, True), plan_split(table).parts
    taken, losses = [], []
    for epochs in (None, 3 if small else DRAWS_EPOCHS):
        model = FitOptions("nme-crf", epochs=epochs, baselines=()).estimator_for(table)
        learn = partial(fit_split, model, rows, parts, lambda _: None, uncertainty=True)
        # the first time its kernels are compiled
        taken.append(min(_computed(learn) for _ in range(2 if epochs is None else 1)))
        held = predict(model, rows.take(parts == "test"), "nme", "test")
        losses.append(float(held["loss"].mean()))
    return Row.ratio(
        "NME-CRF, linear emissions, dyads: whole fit with intervals ÷ the draws-based estimator",
        taken[0] / taken[1],
        0.2,
        f"{taken[0]:.1f} s; held-out log-loss {losses[0]:.3f} against {losses[1]:.3f}",
    )


def automatic(*, small: bool = False) -> Row:
    """All candidates, stacked and fitted again, beside one network."""
    data = study(*((8, 12) if small else (100, 40)))
    models = [NMEMLPRegressor(one, epochs=3 if small else None) for one in ("auto", (32,))]
    times = [
        _computed(partial(one.fit, data[["x"]], data["y"], groups=data["person"])) for one in models
    ]
    remark = f"{times[0]:.1f} s; beside today's network: the first version's is no longer here"
    return Row.ratio("--hidden auto ÷ one fit with --hidden 32", times[0] / times[1], 1.5, remark)


def adapted(*, small: bool = False) -> Row:
    """One more row of a person, until the new read-out."""
    data = study(20 if small else 100, 60)
    mine = data["person"] == 0
    others = data[~mine]
    model = NMEMLPRegressor((), covariance="full")
    model.fit(others[["x"]], others["y"], groups=others["person"])
    own = data[mine].assign(person="new")

    def add() -> pd.DataFrame:
        found = model.adapt(own[["x"]], own["y"], groups=own["person"])
        return found.effects().interval()[0].loc[["new"]]

    add()
    taken = float(np.median([_computed(add) for _ in range(5)]))
    what = "adapt a fitted linear model (100 people × 60 rows) to a person's rows, with intervals"
    return Row(what, "≤ 0.2 s", f"{taken:.3f} s", taken <= 0.2)


def many(*, small: bool = False) -> Row:
    """Fits of a study of 100 × 60, as power, multiverse and ablation need them."""
    data = study(*((10, 12) if small else (100, 60)))

    def fit() -> object:
        model = NMEMLPRegressor((), covariance="full")
        return model.fit(data[["x"]], data["y"], groups=data["person"])

    fit()
    number = 2 if small else SOME
    each = _computed(lambda: [fit() for _ in range(number)]) / number
    minutes = each * 1000 / 2 / 60
    what = "1,000 fits of a study of 100 × 60 with intervals, on two cores"
    remark = f"from {number} fits, {1000 * each:.0f} ms each"
    return Row(what, "≤ 5 min", f"{minutes:.1f} min", minutes <= 5, remark)
