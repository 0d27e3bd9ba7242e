"""The same analysis once more: read, fit and test again as a run folder says, and compare."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd

from nme_core.analysis.covariate_tests import CovariateOptions, covariate_tests
from nme_core.analysis.kept_tests import keep_tests
from nme_core.exceptions import OptionError
from nme_core.io import TABLES, RunFolder
from nme_core.runs.fit import FitOptions, run_experiment
from nme_core.runs.fit.options import fit_options
from nme_core.runs.recorded import read_study

#: Largest difference of a number that counts as the same, as a share of the largest number in its
#: column. Losses of single epochs are let differ more: rounding grows in the course of training.
TOLERANCE = 1e-6
TOLERANCES = {"history": 1e-4}
#: Columns that say how long something took.
_CLOCK = {"seconds"}
#: Tables of a search over settings, which is not repeated: the settings that it found are taken.
_SEARCHED = {"tuning"}
#: What was tested before, and what other tools found, which are not repeated either.
_BEFORE = {"hsic_log", "stability", "covariance_models", "calibration_study"}


@dataclass(frozen=True)
class TableDifference:
    """How one table of two runs differs.

    Attributes
    ----------
    table : str
        Its name.
    same : bool
        Whether rows and words agree, and numbers within the tolerance.
    tolerance : float
        Share of the largest number of a column.
    column : str
        The column that differs most; empty where rows, columns or words differ.
    largest : float
        Its largest difference, as a share of its largest number.
    message : str
        In words.
    """

    table: str
    same: bool
    tolerance: float
    column: str
    largest: float
    message: str


@dataclass(frozen=True)
class Repetition:
    """What a repeated run shows.

    Attributes
    ----------
    tables : tuple of TableDifference
        Every table that both runs have, or one lacks.
    changed : tuple of str
        What else differs: fingerprints of the inputs, versions, options, numbers of rows.
    """

    tables: tuple[TableDifference, ...]
    changed: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether every table is the same within its tolerance."""
        return all(table.same for table in self.tables)

    def lines(self) -> list[str]:
        """The verdict, then table by table, then what else changed."""
        n = sum(not table.same for table in self.tables)
        verdict = (
            f"The numbers are the same: {len(self.tables)} tables, within their tolerance."
            if self.same
            else f"The numbers are not the same in {n} of {len(self.tables)} tables."
        )
        return [verdict, *(table.message for table in self.tables), *self.changed]


def rerun(
    folder: RunFolder,
    out: RunFolder,
    long: str | os.PathLike[str],
    covariates: str | os.PathLike[str] | None = None,
    *,
    command: str = "",
    tolerance: float | None = None,
    report: Callable[[str, float], None] | None = None,
) -> Repetition:
    """Fit again what a run folder holds, with its tests against covariates, and compare.

    Parameters
    ----------
    folder : RunFolder
        The first run.
    out : RunFolder
        Where the second is written; another folder.
    long, covariates : path
        The data: those of the first run, or others with the same columns.
    command : str
        For the second run's ``config.json``.
    tolerance : float, optional
        In place of `TOLERANCE` and `TOLERANCES`, for all tables.
    report : callable, optional
        See `run_experiment`.

    Raises
    ------
    OptionError
        Where `out` is the first run's folder, or a table of covariates is missing.
    NMEError
        What reading and fitting raise.
    """
    if out.path.resolve() == folder.path.resolve():
        raise OptionError(
            "The run would overwrite the one that it repeats.",
            remedy="Give another folder (--out).",
        )
    study = read_study(folder, long, covariates)
    inputs = [Path(path) for path in (long, covariates) if path is not None]
    options = fit_options(folder.config)
    book = folder.table("codebook") if folder.has_table("codebook") else None
    run_experiment(
        study, options, out, inputs=inputs, command=command, codebook=book, report=report
    )
    if folder.has_table("hsic"):
        table = folder.table("hsic")
        tests = covariate_tests(out, list(table["covariate"]), CovariateOptions.of_table(table))
        keep_tests(out, tests)
    return compare_runs(folder, out, tolerance=tolerance)


def compare_runs(
    first: RunFolder, second: RunFolder, *, tolerance: float | None = None
) -> Repetition:
    """Compare two run folders, table by table and number by number."""
    names = [name for name in TABLES if first.has_table(name) or second.has_table(name)]
    names = [name for name in names if name not in _SEARCHED | _BEFORE]
    tables = tuple(
        _compare_table(
            name, first, second, TOLERANCES.get(name, TOLERANCE) if tolerance is None else tolerance
        )
        for name in names
    )
    return Repetition(tables, tuple(_changed(first, second)))


def _compare_table(
    name: str, first: RunFolder, second: RunFolder, tolerance: float
) -> TableDifference:
    def differs(message: str, column: str = "", largest: float = np.nan) -> TableDifference:
        return TableDifference(name, False, tolerance, column, largest, f"{name}: {message}")

    if not (first.has_table(name) and second.has_table(name)):
        return differs(f"only the {'first' if first.has_table(name) else 'second'} run has it.")
    a, b = (folder.table(name).drop(columns=_CLOCK, errors="ignore") for folder in (first, second))
    if list(a.columns) != list(b.columns):
        odd = ", ".join(sorted(set(a.columns) ^ set(b.columns)))
        return differs(f"other columns ({odd or 'in another order'}).")
    if len(a) != len(b):
        return differs(f"{len(a):,} rows became {len(b):,}.")
    column, largest = "", 0.0
    for one in a.columns:
        apart = _apart(a[one], b[one])
        if np.isnan(apart):
            return differs(f"column {one} holds other words, or values that are missing in one.")
        if apart > largest:
            column, largest = str(one), apart
    if largest > tolerance:
        return differs(
            f"{column} differs by up to {largest:.2g} of its largest value, more than "
            f"{tolerance:.0e}.",
            column,
            largest,
        )
    equal = f"largest difference {largest:.2g}" if largest else "equal to the last digit"
    message = f"{name}: the same ({equal}; tolerance {tolerance:.0e})."
    return TableDifference(name, True, tolerance, column, largest, message)


def _apart(a: pd.Series, b: pd.Series) -> float:
    """Largest difference as a share of the largest number; NaN where words or gaps differ."""
    if not (pd.api.types.is_numeric_dtype(a) and pd.api.types.is_numeric_dtype(b)):
        equal = a.astype(object).where(a.notna(), "") == b.astype(object).where(b.notna(), "")
        return 0.0 if equal.all() else np.nan
    x, y = a.to_numpy(dtype=np.float64), b.to_numpy(dtype=np.float64)
    if (np.isnan(x) != np.isnan(y)).any():
        return np.nan
    gap = np.nan_to_num(np.abs(x - y), nan=0.0)
    size = np.nanmax(np.abs(np.concatenate([x, y, [0.0]])))
    return float(gap.max(initial=0.0) / size) if size else 0.0


def _changed(first: RunFolder, second: RunFolder) -> list[str]:
    """What else differs between two runs, in words."""
    before, after = first.data, second.data
    lines = []
    names = {0: "long table", 1: "table of covariates"}
    prints = [[one["sha256"] for one in data["inputs"]] for data in (before, after)]
    for i in range(max(map(len, prints))):
        x, y = (values[i] if i < len(values) else "none" for values in prints)
        if x != y:
            lines.append(f"The {names.get(i, 'input')} is another: SHA-256 {x[:12]}… is {y[:12]}….")
    for key in ("n_rows", "n_persons", "n_sequences", "n_rows_by_split", "notes"):
        if before.get(key) != after.get(key):
            lines.append(f"{key}: {before.get(key)} became {after.get(key)}.")
    old, new = first.config, second.config
    for name in sorted({*old["versions"], *new["versions"]}):
        x, y = (config["versions"].get(name, "none") for config in (old, new))
        if x != y:
            lines.append(f"Version of {name}: {x} became {y}.")
    if old.get("tune"):
        lines.append("The search over settings was not repeated: what it found was taken.")
    for field in fields(FitOptions):
        if field.name != "tune" and old.get(field.name) != new.get(field.name):
            lines.append(f"{field.name}: {old.get(field.name)} became {new.get(field.name)}.")
    for model in old["verdicts"]:
        if old["verdicts"][model] != new["verdicts"].get(model):
            lines.append(
                f"Training of {model}: {old['verdicts'][model]!r} became "
                f"{new['verdicts'].get(model)!r}."
            )
    return lines
