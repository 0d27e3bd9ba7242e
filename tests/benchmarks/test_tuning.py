"""The bench of tuning: what is compared, and how."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks import tuning
from benchmarks.kinds_studies import simulated


def test_ratios_have_intervals_over_people():
    persons = pd.Series(np.repeat([f"p{k}" for k in range(30)], 5))
    losses = np.random.default_rng(0).exponential(size=len(persons))
    assert tuning.interval(losses, losses, persons) == (1, 1)
    low, high = tuning.interval(0.9 * losses, losses, persons)
    assert low == pytest.approx(0.9)
    assert high == pytest.approx(0.9)
    other = np.random.default_rng(1).exponential(size=len(persons))
    low, high = tuning.interval(losses, other, persons)
    assert low < losses.sum() / other.sum() < high


def test_predictions_are_mixed_as_the_outcome_asks():
    study = simulated("none", n_persons=5, n_rows=10, n_features=2, seed=0)
    numbers = tuning.Play.of(study)
    weights, scores = np.array([0.25, 0.75]), [np.array([1.0]), np.array([3.0])]
    assert numbers.losses(numbers.mixed(scores, weights)) == pytest.approx([2.5**2])
    words = study.y.gt(0).map({True: "a", False: "b"})
    classes = tuning.Play(replace(study, y=words), numbers.part)
    logs = [np.log([0.2]), np.log([0.6])]
    assert classes.losses(classes.mixed(logs, weights)) == pytest.approx([-np.log(0.5)])
    assert [len(classes.rows(part)[0]) for part in ("train", "validation", "test")] == [30, 10, 10]
