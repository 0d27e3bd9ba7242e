"""Permutation tests against hyppo's."""

from __future__ import annotations

import warnings

import numpy as np

from benchmarks.table import Row, seconds
from nme_core.independence import hsic_test


def run(*, small: bool = False) -> list[Row]:
    """Measure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hyppo imports a name that scipy has moved
        from hyppo.independence import Hsic
    n, reps, n_tests = (20, 20, 2) if small else (500, 2000, 20)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, 16)), rng.normal(size=(n, n_tests))

    # hyppo's time is proportional to the tests: one of them, times their number
    def ours() -> None:
        for k in range(n_tests):
            hsic_test(x, y[:, k], reps=reps)

    def theirs() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Hsic().test(x, y[:, :1], reps=reps, workers=1, auto=False)

    mine, one = seconds(ours, theirs, repeats=1)
    what = f"{reps} permutations of HSIC, n = {n}, {n_tests} tests ÷ hyppo"
    return [
        Row.ratio(what, mine / (n_tests * one), 0.05, "one test of hyppo's, times their number")
    ]
