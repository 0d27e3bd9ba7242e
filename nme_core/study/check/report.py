"""What a look at a study finds: counts, findings, and the lines of a terminal report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Literal

import pandas as pd

from nme_core.study.clean.remedies import Remedy, foretell, of_second_table
from nme_core.study.clean.remedy_files import as_json
from nme_core.vocabulary.text import fixed, p_phrase

Severity = Literal["stop", "look", "info"]


@dataclass(frozen=True)
class Finding:
    """One thing the report found.

    Attributes
    ----------
    severity : str
        ``"stop"`` (not usable as it is), ``"look"`` (may be wrong) or ``"info"``.
    message : str
        What was found, one sentence.
    column : str or None
        The column it is about.
    remedy : str or None
        What can be done.
    fixes : tuple of Remedy
        Changes to the table, each of which would fix it; to choose from.
    effects : tuple of str
        What each of them would do to the table, in numbers; empty where that is not known.
    kind : str
        ``"circular"``: the column is part of the outcome; ``"compliance"``: it goes with how often
        people answered; else empty.
    """

    severity: Severity
    message: str
    column: str | None = None
    remedy: str | None = None
    fixes: tuple[Remedy, ...] = ()
    effects: tuple[str, ...] = ()
    kind: str = ""

    def __str__(self) -> str:
        return self.message if self.remedy is None else f"{self.message} {self.remedy}"

    def lines(self) -> list[str]:
        """Lines of text for a terminal: what was found, and each fix as a remedy in JSON."""
        words = {"stop": "STOP", "look": "Look", "info": "Note"}
        lines = [f"{words[self.severity]}: {self}"]
        for fix, effect in zip_longest(self.fixes, self.effects):
            lines += [f"    {as_json(fix)}", *([f"      → {effect}"] if effect else [])]
        return lines


def told_before(
    findings: Iterable[Finding],
    person: str,
    table: pd.DataFrame,
    second: pd.DataFrame | None = None,
) -> tuple[Finding, ...]:
    """Findings with what each of their fixes would do to the table, before it is done.

    `second` is the covariate table; a change to both is told of the first of them that it changes.
    """

    def effect(fix: Remedy) -> str:
        there = [] if second is None else list(second.columns)
        first, theirs = of_second_table([fix], table.columns, there)
        told = [foretell(table, one, person) for one in first]
        told += [] if second is None else [foretell(second, one, person) for one in theirs]
        changes = [words for words in told if words and "; 0 cells changed" not in words]
        return (changes or told or [""])[0]

    return tuple(replace(one, effects=tuple(map(effect, one.fixes))) for one in findings)


@dataclass(frozen=True)
class Compliance:
    """How, over persons, the number of observations goes with a covariate.

    Attributes
    ----------
    covariate : str
        Its name.
    spearman : float or None
        Rank correlation; None where the covariate has groups instead of numbers.
    p : float
        Two-sided p of that correlation, or of the Kruskal-Wallis test over the groups.
    n_persons : int
        Persons whose covariate is known.
    medians : tuple of (str, float)
        Median number of observations of each group.
    """

    covariate: str
    spearman: float | None
    p: float
    n_persons: int
    medians: tuple[tuple[str, float], ...] = ()

    def __str__(self) -> str:
        if self.spearman is not None:
            return f"Spearman {fixed(self.spearman)}, {p_phrase(self.p)}"
        groups = ", ".join(f"{name} {median:g}" for name, median in self.medians)
        return f"medians {groups}; Kruskal-Wallis {p_phrase(self.p)}"


@dataclass(frozen=True, eq=False)
class Report:
    """What `check_study` says about a study.

    Attributes
    ----------
    outcome, outcome_kind : str
        Name of the outcome, and ``"number"`` or ``"class"``.
    n_rows, n_persons, n_sequences : int
        Counts.
    n_obs : Series of int, index person
        Rows with an observed outcome, per person.
    missing : Series of int, index column
        Missing values of the outcome and of every feature, over rows.
    constant : tuple of str
        Features and covariates with fewer than two distinct values.
    states : Series of int, index state
        Visits of every state; empty where the outcome is a number.
    short_persons : tuple of str
        Persons with too few observations for the split; they are in training only.
    n_gaps : int or None
        Steps within a sequence that are longer than one and a half times the usual step; None
        without a time.
    compliance : tuple of Compliance
        One entry per covariate that has numbers or a few groups.
    findings : tuple of Finding
        The worst first.
    spacing : str or None
        In words, how the rows of a sequence lie in time; None without a time.
    planned : int or None
        Occasions planned for each person, where that is known.
    missing_by_person : Series of float, index person
        Share of the cells of outcome and features that are missing.
    """

    outcome: str
    outcome_kind: str
    n_rows: int
    n_persons: int
    n_sequences: int
    n_obs: pd.Series
    missing: pd.Series
    constant: tuple[str, ...]
    states: pd.Series
    short_persons: tuple[str, ...]
    n_gaps: int | None
    compliance: tuple[Compliance, ...]
    findings: tuple[Finding, ...]
    spacing: str | None = None
    planned: int | None = None
    missing_by_person: pd.Series = field(default_factory=lambda: pd.Series(dtype=float))

    @property
    def usable(self) -> bool:
        """Whether a model can be trained on the study."""
        return all(finding.severity != "stop" for finding in self.findings)

    def lines(self) -> list[str]:
        """The report as lines of text for a terminal."""
        sequences = "" if self.n_sequences == self.n_persons else f", {self.n_sequences} sequences"
        low, middle, high = self.n_obs.min(), self.n_obs.median(), self.n_obs.max()
        lines = [
            f"{self.n_rows} rows, {self.n_persons} people{sequences}",
            f"Observations per person: {low} to {high}, median {middle:g}",
        ]
        if self.planned:
            lines[-1] += f", of {self.planned} planned ({middle / self.planned:.0%})"
        if self.spacing:
            lines.append(f"Time: {self.spacing}")
        if self.outcome_kind == "class":
            total = max(int(self.states.sum()), 1)
            shares = (f"{name} {n} ({n / total:.0%})" for name, n in self.states.items())
            lines.append(f"Outcome {self.outcome} (class): {', '.join(shares)}")
        else:
            lines.append(f"Outcome {self.outcome} (number)")
        gaps = self.missing[self.missing > 0]
        shares = (f"{name} {n} ({n / self.n_rows:.1%})" for name, n in gaps.items())
        lines.append(f"Missing values: {', '.join(shares) or 'none'}")
        lines += [
            f"Observations and {entry.covariate}: {entry}, {entry.n_persons} people"
            for entry in self.compliance
        ]
        for finding in self.findings:
            lines += finding.lines()
        if any(finding.fixes for finding in self.findings):
            lines.append(
                "The lines in braces are remedies: a list of those you want, in a JSON file, goes "
                "to --remedy."
            )
        lines.append("Usable." if self.usable else "Not usable as it is.")
        return lines
