"""Tests of covariates are kept in the run folder, and those that they replace are counted."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict

import numpy as np
import pandas as pd

from nme_core.independence import CovariateTests, Doubt
from nme_core.io import TABLES, RunFolder
from nme_core.study.check.attendance import TRAP
from nme_core.study.check.circular import CIRCULAR

#: What the tables do not hold of the last tests: permuted statistics, and what was said of them.
_RECORD = "covariate_tests"
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

    What the tables have no place for goes into ``covariate_tests.json``.

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
    nulls = {name: np.asarray(null).tolist() for name, null in tests.nulls.items()}
    said = {"notes": list(tests.notes), "cautions": list(tests.cautions)}
    doubts = [asdict(doubt) for doubt in tests.doubts]
    record = {"tests": _fingerprint(run), **said, "doubts": doubts, "nulls": nulls}
    run.write_json(_RECORD, record)


def kept_tests(run: RunFolder) -> CovariateTests | None:
    """What `keep_tests` wrote; None where nothing was tested, or by a version that kept less."""
    if not run.has_table("hsic") or not (run.path / f"{_RECORD}.json").is_file():
        return None
    record = run.read_json(_RECORD)
    if record["tests"] != _fingerprint(run):
        return None
    nulls = {name: np.array(null) for name, null in record["nulls"].items()}
    notes, cautions = (tuple(record.get(name, ())) for name in ("notes", "cautions"))
    doubts = tuple(map(_doubt, record.get("doubts", ())))
    return CovariateTests(run.table("hsic"), run.table("effects"), nulls, notes, cautions, doubts)


def _doubt(stored: dict[str, str] | str) -> Doubt:
    """A doubt as it is stored; versions before stored its sentence alone."""
    if not isinstance(stored, str):
        return Doubt(**stored)
    about = re.search(r"'([^']*)'", stored)
    return Doubt(about[1] if about else "", kind_by_words(stored), stored)


def kind_by_words(message: str) -> str:
    """Kind of a finding that a version stored which knew no kinds; empty where it has none."""
    known = {"compliance": TRAP.removeprefix("{who}"), "circular": CIRCULAR.rpartition(": ")[2]}
    return next((kind for kind, words in known.items() if words in message), "")


def _fingerprint(run: RunFolder) -> str:
    return hashlib.sha256((run.path / "hsic.csv").read_bytes()).hexdigest()


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
