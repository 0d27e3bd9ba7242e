"""Tests of covariates are kept in the run folder, and those that they replace are counted."""

from __future__ import annotations

import pandas as pd

from nme_core.independence import CovariateTests
from nme_core.io import TABLES, RunFolder

#: What makes a test another one: the covariate and every choice but chance.
_CHOICES = [
    "covariate",
    "parameters",
    "strata",
    "guard",
    "blocks",
    "permute",
    "given",
    "incremental",
]


def keep_tests(run: RunFolder, tests: CovariateTests) -> None:
    """Write ``hsic.csv`` and ``effects.csv``, and add to ``hsic_log.csv`` what it does not hold.

    Parameters
    ----------
    run : RunFolder
        The run that was tested.
    tests : CovariateTests
        What `covariate_tests` found.
    """
    log = _log(run)
    new = tests.hsic[list(TABLES["hsic_log"])]
    if log is not None:
        new = pd.concat([log, new[~_in(new, log)]], ignore_index=True)
    run.write_table("hsic_log", new)
    run.write_table("hsic", tests.hsic)
    run.write_table("effects", tests.effects)


def _log(run: RunFolder) -> pd.DataFrame | None:
    """Tests that were made before: the log, or what a version without one has left."""
    if run.has_table("hsic_log"):
        return run.table("hsic_log")
    columns = list(TABLES["hsic_log"])
    before = run.table("hsic") if run.has_table("hsic") else pd.DataFrame()
    return before[columns] if set(columns) <= set(before.columns) else None


def other_tests(run: RunFolder) -> str:
    """Say how many tests were made on the run beside those of ``hsic.csv``; empty where none were.

    A test is another one where its covariate, guard, strata, blocks or what it holds differ.
    """
    if not run.has_table("hsic_log"):
        return ""
    log, shown = run.table("hsic_log"), run.table("hsic")
    n = int((~_in(log, shown)).sum())
    if not n:
        return ""
    what = "1 other test was" if n == 1 else f"{n} other tests were"
    return (
        f"{what} made on this run, of other covariates or with other choices (hsic_log.csv); "
        "the correction does not count them."
    )


def _in(tests: pd.DataFrame, others: pd.DataFrame) -> pd.Series:
    """Whether each test is one of the others."""
    known = set(_keys(others))
    return pd.Series([key in known for key in _keys(tests)], index=tests.index, dtype=bool)


def _keys(tests: pd.DataFrame) -> list[tuple[str, ...]]:
    return [*tests[_CHOICES].astype("str").itertuples(index=False, name=None)]
