"""Studies in which a model seems to know more than it does: how often the verdict says so.

``python -m benchmarks.pitfalls [--studies 100] [--hidden none|auto] [--jobs 1] [--out FILE.jsonl]``
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from nme_core.estimators import baseline
from nme_core.exceptions import NMEWarning
from nme_core.parallel import run_tasks
from nme_core.runs.fit import FitOptions
from nme_core.runs.fit.judging import fit_split, predict
from nme_core.runs.fit.rivals import Rivals
from nme_core.runs.fit.rows import StudyRows
from nme_core.runs.skill import skill_sentences
from nme_core.study import Study, check_study
from nme_core.study.held_back import plan_split

P, N = 30, 40


def options(hidden: str) -> FitOptions:
    """The linear model, or the mixture that is the default."""
    linear = FitOptions(
        model="nme-mlp", hidden=(), baselines=("generic",), residual="iid", refit="none"
    )
    return linear if hidden == "none" else replace(linear, hidden=hidden, residual="auto")


def _base(seed: int) -> tuple[np.random.Generator, np.ndarray, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(P), N)
    table = pd.DataFrame({"person": [f"p{i:02d}" for i in person], "day": np.tile(np.arange(N), P)})
    table["noise"] = rng.normal(size=P * N)
    return rng, person, table


def level_only(seed: int) -> pd.DataFrame:
    """People differ in their level; nothing explains when."""
    rng, person, table = _base(seed)
    table["mood"] = rng.normal(size=P)[person] + rng.normal(size=P * N)
    return table


def yesterday(seed: int) -> pd.DataFrame:
    """Yesterday explains today; the feature does not."""
    rng, _, table = _base(seed)
    mood = rng.normal(size=(P, N))
    for t in range(1, N):
        mood[:, t] = 0.9 * mood[:, t - 1] + np.sqrt(1 - 0.81) * mood[:, t]
    table["mood"] = mood.ravel()
    return table


def weekday(seed: int) -> pd.DataFrame:
    """A weekday pattern that everybody shares explains all."""
    rng, _, table = _base(seed)
    table["weekend"] = (table["day"] % 7 >= 5).astype(float)
    table["mood"] = 2 * table["weekend"] + rng.normal(size=P * N)
    return table


def computed(seed: int) -> pd.DataFrame:
    """A feature was computed from the outcome."""
    table = level_only(seed)
    table["score"] = 3 * table["mood"] + 0.01 * table["noise"]
    return table


#: Pitfall: its studies, and the words that have to be said of them.
PITFALLS: dict[str, tuple[Callable[[int], pd.DataFrame], str]] = {
    "people differ in level only": (level_only, "no better than each person's mean"),
    "yesterday explains today": (
        yesterday,
        "One row ahead a simple rule predicts better than the model",
    ),
    "a weekday pattern explains all": (weekday, "One model for everybody does as well"),
    "a feature was computed from the outcome": (
        computed,
        "'score' all but determines the outcome 'mood'",
    ),
}


def study_of(table: pd.DataFrame) -> Study:
    """Roles of the columns."""
    return Study.from_frame(table, person="person", outcome="mood", time="day")


def said_of(pitfall: str, seed: int, hidden: str = "none") -> str:
    """What the check of the data, or the verdict on a fit, says of one study.

    `hidden`: "none" for the linear model, "auto" for the mixture that is the default.
    """
    study = study_of(PITFALLS[pitfall][0](seed))
    if pitfall == "a feature was computed from the outcome":
        return " ".join(check_study(study).lines())
    rows, split = StudyRows.of(study, sequential=False), plan_split(study).parts
    rivals, nme = Rivals(rows, split, None), options(hidden).estimator_for(study)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NMEWarning)
        for name in ("nme", "generic"):
            model = nme if name == "nme" else baseline(nme, name)
            fit_split(model, rows, split, lambda _: None)
            rivals.add(name, model, predict(model, rows.take(split == "test"), name, "test"))
        return " ".join(skill_sentences(rivals.table()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=100)
    parser.add_argument("--hidden", choices=("none", "auto"), default="none")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, help="keeps what is finished")
    given = parser.parse_args()
    tasks = {
        f"{pitfall}, {seed}": {"pitfall": pitfall, "seed": seed, "hidden": given.hidden}
        for seed in range(given.studies)
        for pitfall in PITFALLS
    }
    found = run_tasks(said_of, tasks, jobs=given.jobs, kept=given.out)
    print("| pitfall | words that have to be said | said in |\n| --- | --- | --- |")
    for pitfall, (_, words) in PITFALLS.items():
        own = [found[f"{pitfall}, {seed}"] for seed in range(given.studies)]
        right = sum(not one.error and words in one.value for one in own)
        print(f"| {pitfall} | {words} | {right} of {len(own)} |")
        for text in sorted({one.error or one.value for one in own if words not in str(one.value)}):
            print(f"<!-- missed: {text} -->")


if __name__ == "__main__":
    main()
