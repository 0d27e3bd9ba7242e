"""Held-out error of the default on kinds of study, beside simple competitors.

python -m benchmarks.kinds [WORD…]        # only studies whose kind or name holds a word
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
import torch

from benchmarks.kinds_studies import KindOfStudy, all_kinds
from nme_core.batches.splits import split_within_person
from nme_core.estimators import NMEMLPRegressor, baseline

COLUMNS = ("default", "lme", "generic", "mean", "last")


def errors(study: KindOfStudy) -> tuple[dict[str, float], str]:
    """Mean squared error of each person's last fifth, the default's processor time, and weights.

    ``mean`` and ``last`` are the mean and the last value of each person's earlier rows. Weights are
    in per cent, in the order of the candidates.
    """
    split = np.asarray(split_within_person(study.persons))
    train, held, test = (split == part for part in ("train", "validation", "test"))
    validation = (study.X[held], study.y[held], study.persons[held])
    observed, whose = study.y[test], study.persons[test]

    def judge(predicted: object) -> float:
        return float(np.square(np.asarray(predicted) - observed).mean())

    found: dict[str, float] = {}
    start = time.process_time()
    model = NMEMLPRegressor()
    for name in ("default", "lme", "generic"):
        one = model if name == "default" else baseline(model, name)
        options = {} if name == "lme" else {"uncertainty": False}
        one.fit(
            study.X[train], study.y[train], groups=study.persons[train],
            validation=validation, **options,
        )  # fmt: skip
        found[name] = judge(one.predict(study.X[test], whose))
        found.setdefault("seconds", time.process_time() - start)
    earlier = study.y[~test].groupby(study.persons[~test])
    found["mean"] = judge(whose.map(earlier.mean()))
    found["last"] = judge(whose.map(earlier.last()))
    return found, " · ".join(f"{100 * weight:.0f}" for weight in model.candidates_["weight"])


def main(words: list[str]) -> int:
    """Print one line for each study."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    print(
        "| kind | study | " + " | ".join(COLUMNS) + " | default ÷ best other | weights | seconds |"
    )
    print("|---" * (len(COLUMNS) + 5) + "|")
    for study in all_kinds():
        if words and not any(word in f"{study.kind} {study.name}" for word in words):
            continue
        found, weights = errors(study)
        best = min(found[name] for name in COLUMNS[1:])
        cells = [f"{found[name]:.4g}" for name in COLUMNS]
        tail = [f"{found['default'] / best:.2f}", weights, f"{found['seconds']:.1f}"]
        print("| " + " | ".join([study.kind, study.name, *cells, *tail]) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
