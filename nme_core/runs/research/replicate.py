"""Does a finding replicate? Frozen on study A before study B is opened, run once on B."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nme_core.analysis import CovariateOptions, covariate_tests, person_parameters
from nme_core.analysis.covariates import known_covariates, of_label
from nme_core.estimators import load
from nme_core.exceptions import MissingColumnError, NMEWarning, OptionError
from nme_core.independence import CovariateTests
from nme_core.io import RunFolder, durable
from nme_core.runs.fit.options import fit_options, leader_options
from nme_core.runs.fit.run import run_experiment
from nme_core.runs.recorded import read_same_study, read_study
from nme_core.runs.research.alike import alike, refuse_unlike
from nme_core.runs.research.frozen import ALPHA, Frozen, combined, replication_table
from nme_core.runs.research.tasks import Report, TaskOptions, kept_in, run_kept
from nme_core.runs.research.verdict import Verdict, write_tables
from nme_core.study import Study
from nme_core.study.formats.source import fingerprint
from nme_core.vocabulary.text import p_phrase

TOOL = "replicate"


@dataclass(frozen=True)
class Replication:
    """What was found: the tables ``replication`` and ``similarity``, and the answer."""

    table: pd.DataFrame
    similarity: pd.DataFrame
    verdict: Verdict

    def write(self, out: Path) -> None:
        """Write ``replication.csv``, ``similarity.csv`` and ``verdict.json``."""
        write_tables(out, {"replication": self.table, "similarity": self.similarity})
        self.verdict.write(out)


def replicate(
    run: RunFolder,
    other: str | os.PathLike[str],
    covariate: str,
    out: str | os.PathLike[str],
    covariates: str | os.PathLike[str] | None = None,
    *,
    halves: bool = False,
    options: CovariateOptions | None = None,
    tasks: TaskOptions | None = None,
    report: Report | None = None,
) -> Replication:
    """Test on another study what a run found.

    Parameters, read-out, test, guard and direction are fixed on study A and written with their
    SHA-256 (``frozen.json``, ``frozen.sha256``) before study B is read. Study B is fitted and
    tested once, as the run says (``study_b``, a run folder).

    Parameters
    ----------
    run : RunFolder
        Study A, fitted on all rows.
    other : path
        Study B; with `halves` the file of study A.
    covariate : str
        What people's parameters were tested against.
    out : path
        Folder to write.
    covariates : path, optional
        Covariates of study B.
    halves : bool
        Whether to try it on one study: half of its people, drawn by the seed, are study A (fitted
        anew, ``study_a``), the others study B.
    options : CovariateOptions, optional
        How it is tested.
    tasks : TaskOptions, optional
        Where the fits run.
    report : callable, optional
        Called with what is being done and the part of the way behind.

    Raises
    ------
    OptionError
        For the file of study A itself, or weights of hidden units, which correspond to nothing in
        another study.
    DataError, MissingColumnError
        Where the studies are not comparable.
    """
    folder, options = Path(out), options or CovariateOptions()
    work = _Work(run, str(other), None if covariates is None else str(covariates),
                 folder, halves, options.seed, tasks or TaskOptions(), report)  # fmt: skip
    _refuse(run, work, covariate)
    first = run
    if halves:
        first = work.fit("study_a", 0)
    found_a = covariate_tests(first, [covariate], options)
    frozen = Frozen.of(first, covariate, found_a, options)
    folder.mkdir(parents=True, exist_ok=True)
    durable.write(folder / "frozen.json", frozen.text.encode(), private=False)
    durable.write(folder / "frozen.sha256", f"{frozen.sha256}\n".encode(), private=False)
    model = load(first.model_path)
    theirs = work.study(1)
    refuse_unlike(first, model, theirs, covariate)
    similar = alike(first, model, theirs)
    second = work.fit("study_b", 1)
    found_b = covariate_tests(second, [covariate], options)
    table = replication_table(found_a, found_b)
    verdict = _verdict(first, frozen, table, (found_a, found_b), similar.notes)
    kept_in(folder, TOOL).unlink(missing_ok=True)
    return Replication(table, similar.table, verdict)


@dataclass(frozen=True)
class _Work:
    """The files, and where fits go."""

    run: RunFolder
    other: str
    covariates: str | None
    out: Path
    halves: bool
    seed: int
    tasks: TaskOptions
    report: Report | None

    def study(self, half: int) -> Study:
        """Study B, or a half of study A's people."""
        return _study(str(self.run.path), self.other, self.covariates, self._half(half), self.seed)

    def fit(self, name: str, half: int) -> RunFolder:
        """Fit one study into a folder."""
        where = self.out / name
        arguments: Mapping[str, Any] = {
            "run": str(self.run.path), "other": self.other, "covariates": self.covariates,
            "half": self._half(half), "seed": self.seed, "out": str(where),
            "sha256": fingerprint(self.other), "model": fingerprint(self.run.model_path),
        }  # fmt: skip
        kept = kept_in(self.out, TOOL)
        # the second half goes on in the file of the first
        options = replace(self.tasks, resume=self.tasks.resume or (self.halves and half == 1))
        run_kept(fit_study, {f"fitting {name}": arguments}, kept, options, self.report)
        return RunFolder(where)

    def _half(self, half: int) -> int | None:
        return half if self.halves else None


def fit_study(
    run: str,
    other: str,
    covariates: str | None,
    half: int | None,
    seed: int,
    out: str,
    sha256: str,
    model: str,
) -> str:
    """Fit the model of a run to another study, or half of its own; return the folder."""
    study = _study(run, other, covariates, half, seed)
    inputs = [path for path in (other, covariates) if path is not None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NMEWarning)
        options = replace(fit_options(RunFolder(run).config), baselines=(), refit="all")
        run_experiment(study, options, RunFolder(out), inputs=inputs, command="nme replicate")
    return out


def _study(run: str, other: str, covariates: str | None, half: int | None, seed: int) -> Study:
    folder = RunFolder(run)
    if half is None:
        return read_study(folder, other, covariates)
    study = read_same_study(folder, other, covariates)
    known = folder.covariates
    study = replace(study, covariates=known.reindex(list(study.persons)))
    order = np.random.default_rng(seed).permutation(study.n_persons)
    chosen = {study.persons[k] for k in order[half::2]}
    return study.take(study.groups.isin(chosen).to_numpy())


def _refuse(run: RunFolder, work: _Work, covariate: str) -> None:
    """Refuse what is known to be wrong before anything is read."""
    names = [str(name) for name in known_covariates(run).columns]
    if covariate not in names:
        raise MissingColumnError(covariate, names, table="table of covariates of study A")
    if run.data["interpreted_from"] != "all rows":
        raise OptionError("Study A was not fitted on all rows.", remedy="Fit it with --refit all.")
    if not Path(work.other).is_file():
        raise OptionError(f"No such file: {work.other}.", remedy="Name the table of study B.")
    own = fingerprint(work.other) in {one["sha256"] for one in run.data["inputs"]}
    if own and not work.halves:
        raise OptionError(
            f"{work.other} is the file of study A: nothing can replicate on the same rows.",
            remedy="Name another study, or try it on halves of its people (--halves).",
        )
    weights = of_label(person_parameters(run).label) == "weights"
    if weights and leader_options(run.config).hidden:
        raise OptionError(
            "People's parameters are weights of hidden units, which correspond to nothing in"
            " another study.",
            remedy="Fit study A with --hidden none.",
        )


def _verdict(
    first: RunFolder,
    frozen: Frozen,
    table: pd.DataFrame,
    found: tuple[CovariateTests, CovariateTests],
    notes: tuple[str, ...],
) -> Verdict:
    """The answer, of the frozen effect."""
    mine = (table["parameter"] == frozen.parameter) & (table["group"].eq(frozen.group)
            | table["kind"].eq("spearman"))  # fmt: skip
    row = table[mine & (table["kind"] == frozen.kind)].iloc[0]
    own = found[0].effects.sort_values("p", kind="stable").iloc[0]
    n = [int(one.effects["n_persons"].max()) for one in found]
    what = first.parameter_names.words(frozen.parameter)
    if not np.isfinite(row["p_b"]):
        said = f"Nothing can be said: study B has no estimate of {what}."
        return Verdict(TOOL, said, {"frozen_sha256": frozen.sha256}, notes)
    both = combined(float(own["p_adjusted"]), float(row["p_b"]), *n)
    confirmed, held = bool(row["p_b"] < ALPHA), bool(own["p_adjusted"] < ALPHA)
    inside = row["inside_prediction_interval"]
    if confirmed:
        head = "It replicates" if held else (
            "Study B finds what was only the strongest effect of study A"
        )  # fmt: skip
    else:
        head = "It does not replicate" if inside is False else (
            "Study B does not confirm it, and its estimate is one that study A lets expect"
        )  # fmt: skip
    name = {"spearman": "Spearman's ρ"}.get(frozen.kind, frozen.kind)
    answer = (
        f"{head}: {what} and {frozen.covariate}, {name} {row['estimate_a']:.2f} in study A"
        f" ({n[0]} people; corrected {p_phrase(both['p_a_corrected'])}), {row['estimate_b']:.2f}"
        f" [{row['ci_low_b']:.2f}, {row['ci_high_b']:.2f}] in study B ({n[1]} people; one-sided"
        f" {p_phrase(row['p_b'])} in the frozen direction), which lies"
        f" {'inside' if inside else 'outside'} the prediction interval"
        f" [{row['prediction_low']:.2f}, {row['prediction_high']:.2f}]. Both together:"
        f" {p_phrase(both['fisher'])} (Fisher), {p_phrase(both['stouffer'])} (Stouffer)."
    )
    numbers = {
        "frozen_sha256": frozen.sha256, "covariate": frozen.covariate,
        "parameter": frozen.parameter, "direction": frozen.direction, "replicates": confirmed,
        "effect": row, "combined": both, "n_people": n,
        "hsic": table[table["what"] == "hsic"],
    }  # fmt: skip
    return Verdict(TOOL, answer, numbers, notes)
