"""Runs of the same rows beside each other: held-out metrics, likelihoods, people's read-outs."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nme_core.exceptions import OptionError
from nme_core.io import RunFolder, durable
from nme_core.metrics import compare
from nme_core.runs.comparing.agreement import COLUMNS, agreement
from nme_core.runs.comparing.likelihood_ratio import CONSERVATIVE, likelihood_ratio
from nme_core.runs.comparing.rows import refuse_other_rows
from nme_core.runs.comparing.structure import Nesting, Structure, nesting
from nme_core.vocabulary.text import number, p_phrase

#: Rows of ``likelihood.csv`` that are compared, the first that both runs have: the fit on all
#: rows, else that on the training rows.
_FITS = ("nme (all rows)", "nme")
_BOUND = "bound"
#: Share of a metric up to which a difference is the end of a search, not a finding.
_ROUNDING = 1e-6
#: Kinds of warnings that say that Σ lies at the edge of what it can be.
_AT_THE_EDGE = {"BoundaryWarning", "SingularWarning"}
_LIKELIHOOD = ("run", "log_likelihood", "n_parameters", "aic", "bic", "method", "rows")
_TESTS = ("smaller", "larger", "statistic", "df", "reference", "p", "note")


@dataclass(frozen=True)
class RunComparison:
    """What was found.

    Attributes
    ----------
    labels : list of str
        Names of the runs; the first is the one that the others are compared with.
    metrics : DataFrame
        As the run folder's ``comparison``, model being the run: run minus reference over people.
    likelihood : DataFrame
        One row per run that has a likelihood.
    tests : DataFrame
        One row per pair of runs: a likelihood-ratio test, or a note that says why there is none.
    agreement : DataFrame
        One row per effect that two runs share.
    """

    labels: list[str]
    metrics: pd.DataFrame
    likelihood: pd.DataFrame
    tests: pd.DataFrame
    agreement: pd.DataFrame

    @property
    def verdict(self) -> dict[str, Any]:
        """Content of ``verdict.json``: the answer in sentences and the numbers it rests on."""
        numbers = {
            name: json.loads(table.to_json(orient="records"))
            for name, table in (("metrics", self._main()), ("tests", self.tests))
        }
        return {"answer": " ".join(self.sentences()), "runs": self.labels, "numbers": numbers}

    def sentences(self) -> list[str]:
        """The answer: who predicts better, what the tests say, how far read-outs agree."""
        said = [_predicts(row) for row in self._main().to_dict("records")]
        said += [_tested(row) for row in self.tests.to_dict("records")]
        known = self.agreement.dropna(subset=["correlation"])
        for (run, reference), rows in known.groupby(["run", "reference"], sort=False):
            r = rows["correlation"]
            several = f" in the median of {len(r)} ({r.min():.2f} to {r.max():.2f})"
            asked = (self.agreement["run"] == run) & (self.agreement["reference"] == reference)
            missing = int(asked.sum()) - len(r)
            if missing:
                several += f"; {missing} more do not differ between people in both"
            said.append(
                f"People's {rows['readout'].iloc[0]} in {run} and {reference} correlate by"
                f" {r.median():.2f}{several if len(r) > 1 or missing else ''}."
            )
        return said

    def text(self) -> str:
        """All of it, to be read on a terminal."""
        parts = ["\n".join(self.sentences())]
        tables = (
            (f"Held-back rows, each run minus {self.labels[0]}, over people:", self.metrics),
            ("Likelihood:", self.likelihood),
            ("Likelihood-ratio tests:", self.tests),
            ("Agreement on people:", self.agreement),
        )
        for head, table in tables:
            if len(table):
                shown = table.drop(columns=["reference", "note"] if table is self.metrics else [],
                                   errors="ignore")  # fmt: skip
                parts.append(
                    f"{head}\n{shown.to_string(index=False, float_format='{:.4g}'.format)}"
                )
        return "\n\n".join(parts)

    def write(self, folder: Path) -> None:
        """Write the tables as CSV, and ``verdict.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        tables = {
            "comparison": self.metrics,
            "likelihood": self.likelihood,
            "likelihood_ratio": self.tests,
            "agreement": self.agreement,
        }
        for name, table in tables.items():
            content = table.to_csv(index=False, lineterminator="\n").encode()
            durable.write(folder / f"{name}.csv", content, private=False)
        text = json.dumps(self.verdict, indent=2, ensure_ascii=False)
        durable.write(folder / "verdict.json", f"{text}\n".encode(), private=False)

    def _main(self) -> pd.DataFrame:
        """The metric that a run is summed up by: log-loss where there is one, else the first."""
        names = self.metrics["metric"].tolist()
        main = "log_loss" if "log_loss" in names else (names or [""])[0]
        return self.metrics[self.metrics["metric"] == main]


def compare_runs(runs: Sequence[RunFolder]) -> RunComparison:
    """Compare runs of the same rows with the first of them, and every two where that can be.

    Parameters
    ----------
    runs : sequence of RunFolder
        At least two finished runs.

    Raises
    ------
    OptionError
        For fewer than two runs, or runs of other rows.
    RunFolderError
        Where one is not finished.
    """
    if len({run.path.resolve() for run in runs}) < max(2, len(runs)):
        raise OptionError("Comparing takes two or more different runs.", remedy="Name them.")
    labels = _labels(runs)
    refuse_other_rows(runs, labels)
    return RunComparison(
        labels,
        _metrics(runs, labels),
        _likelihoods(runs, labels),
        _tests(runs, labels),
        _agreements(runs, labels),
    )


def _labels(runs: Sequence[RunFolder]) -> list[str]:
    """Names of the folders; whole paths where two are called alike."""
    names = [run.path.resolve().name for run in runs]
    return names if len({*names}) == len(names) else [str(run.path) for run in runs]


def _metrics(runs: Sequence[RunFolder], labels: Sequence[str]) -> pd.DataFrame:
    tables: list[pd.DataFrame] = []
    for run, label in zip(runs, labels, strict=True):
        table = run.table("metrics")
        own = (table["model"] == "nme") & (table["scope"] == "person") & (table["split"] == "test")
        rows = table[own].assign(model=label)
        if tables:
            reference = tables[0].set_index(["person", "metric"])["value"]
            like = reference.reindex(
                pd.MultiIndex.from_frame(rows[["person", "metric"]])
            ).to_numpy()
            same = (rows["value"] - like).abs() <= _ROUNDING * np.abs(like)
            rows["value"] = rows["value"].mask(same, like)
        tables.append(rows)
    return compare(pd.concat(tables, ignore_index=True), reference=labels[0])


def _likelihood(run: RunFolder, fit: str) -> Mapping[Hashable, Any] | None:
    if not run.has_table("likelihood"):
        return None
    table = run.table("likelihood")
    rows = table[table["model"] == fit].to_dict("records")
    return rows[0] if rows else None


def _likelihoods(runs: Sequence[RunFolder], labels: Sequence[str]) -> pd.DataFrame:
    rows = []
    for run, label in zip(runs, labels, strict=True):
        for fit in _FITS:
            found = _likelihood(run, fit)
            if found is not None:
                on = "all" if fit == _FITS[0] else "training"
                rows.append({**found, "run": label, "rows": on})
                break
    return pd.DataFrame(rows, columns=list(_LIKELIHOOD))


def _tests(runs: Sequence[RunFolder], labels: Sequence[str]) -> pd.DataFrame:
    rows = []
    for a, b in combinations(range(len(runs)), 2):
        found = _test(runs[a], runs[b])
        pair = [labels[a], labels[b]]
        if isinstance(found, str):
            rows.append({"smaller": pair[0], "larger": pair[1], "note": found})
        else:
            smaller, row = found
            rows.append({**row, "smaller": pair[smaller], "larger": pair[1 - smaller]})
    return pd.DataFrame(rows, columns=list(_TESTS))


def _test(one: RunFolder, other: RunFolder) -> tuple[int, dict[str, Any]] | str:
    """Which run is the smaller model and its test against the other; or why there is none."""
    pairs = [[_likelihood(run, fit) for run in (one, other)] for fit in _FITS]
    both = next((pair for pair in pairs if None not in pair), None)
    if both is None:
        return "One of them has no likelihood."
    methods = [str(row["method"]) for row in both if row is not None]
    if _BOUND in methods:
        return "A network has a bound of its likelihood only, which no test can use."
    if methods[0] != methods[1]:
        return f"Their likelihoods are computed differently ({methods[0]}, {methods[1]})."
    structures = [Structure.of(run) for run in (one, other)]
    if structures[0] is None or structures[1] is None:
        return "What is person-specific in one of them is not known by name."
    nested = nesting(structures[0], structures[1])
    if not isinstance(nested, Nesting):
        return nested
    small, large = (both[k] or {} for k in (nested.smaller, 1 - nested.smaller))
    df = round(float(large["n_parameters"]) - float(small["n_parameters"]))
    if df < 1:
        return "They have equally many parameters."
    found = likelihood_ratio(
        float(small["log_likelihood"]), float(large["log_likelihood"]),
        df=df, n_variances=nested.n_variances,
    )  # fmt: skip
    note = ""
    if math.isnan(found.p):
        note = "The larger model's likelihood is lower: its search did not end at the maximum."
    elif found.reference == CONSERVATIVE:
        note = "Several numbers are at the edge of what they can be: p is at most this."
    elif _AT_THE_EDGE & {note["kind"] for note in (one, other)[nested.smaller].config["warnings"]}:
        note = "A variance of the smaller model is estimated as 0, so that p is approximate."
    return nested.smaller, {**vars(found), "note": note}


def _agreements(runs: Sequence[RunFolder], labels: Sequence[str]) -> pd.DataFrame:
    parts = []
    for a, b in combinations(range(len(runs)), 2):
        name, table = agreement(runs[b], runs[a])
        parts.append(table.assign(run=labels[b], reference=labels[a], readout=name))
    parts = [part for part in parts if len(part)]
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    return whole[list(COLUMNS)]


def _predicts(row: Mapping[Hashable, Any]) -> str:
    run, reference, metric = row["model"], row["reference"], str(row["metric"]).replace("_", "-")
    if math.isnan(row["difference"]):
        return f"Nobody has held-back rows that both {run} and {reference} were judged on."
    clear = row["p_adjusted"] < 0.05 and (row["ci_low"] > 0 or row["ci_high"] < 0)
    better = f"{run} predicts {'worse' if row['difference'] > 0 else 'better'} than {reference}"
    head = better if clear else f"{run} and {reference} predict equally well, as far as can be told"
    ends = "" if math.isnan(row["ci_low"]) else (
        f", 95 % interval {number(row['ci_low'])} to {number(row['ci_high'])},"
        f" {p_phrase(row['p_adjusted'])}"
    )  # fmt: skip
    return (
        f"{head}: {metric} {number(row['difference'], sign=True)} on held-back rows, mean over"
        f" {row['n_persons']} people{ends}."
    )


def _tested(row: Mapping[Hashable, Any]) -> str:
    smaller, larger = row["smaller"], row["larger"]
    if pd.isna(row["p"]):
        return f"No likelihood-ratio test of {smaller} and {larger}: {row['note']}"
    wins = row["p"] < 0.05
    head = f"The rows ask for {larger} rather than {smaller}" if wins else (
        f"The rows do not ask for {larger} rather than {smaller}, a special case of it"
    )  # fmt: skip
    more = "1 parameter more" if row["df"] == 1 else f"{row['df']:.0f} parameters more"
    return (
        f"{head} (likelihood ratio {number(row['statistic'], 4)}, {more},"
        f" {row['reference']}, {p_phrase(row['p'])}). {row['note']}"
    ).strip()
