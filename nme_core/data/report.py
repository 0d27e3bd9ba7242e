"""What a look at a study finds: counts, findings, and the lines of a terminal report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

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
    """

    severity: Severity
    message: str
    column: str | None = None
    remedy: str | None = None

    def __str__(self) -> str:
        return self.message if self.remedy is None else f"{self.message} {self.remedy}"


@dataclass(frozen=True)
class Compliance:
    """Spearman correlation, over persons, of the number of observations with a covariate."""

    covariate: str
    spearman: float
    p: float
    n_persons: int


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
        One entry per numeric covariate.
    findings : tuple of Finding
        The worst first.
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

    @property
    def usable(self) -> bool:
        """Whether a model can be trained on the study."""
        return all(finding.severity != "stop" for finding in self.findings)

    def lines(self) -> list[str]:
        """The report as lines of text for a terminal."""
        sequences = "" if self.n_sequences == self.n_persons else f", {self.n_sequences} sequences"
        low, middle, high = self.n_obs.min(), self.n_obs.median(), self.n_obs.max()
        lines = [
            f"{self.n_rows} rows, {self.n_persons} persons{sequences}",
            f"Observations per person: {low} to {high}, median {middle:g}",
        ]
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
            f"Observations and {entry.covariate}: Spearman {entry.spearman:.2f}, "
            f"p {p_words(entry.p)}, {entry.n_persons} persons"
            for entry in self.compliance
        ]
        words = {"stop": "STOP", "look": "Look", "info": "Note"}
        lines += [f"{words[finding.severity]}: {finding}" for finding in self.findings]
        lines.append("Usable." if self.usable else "Not usable as it is.")
        return lines


def p_words(p: float) -> str:
    """A p-value after "p", to three decimals."""
    return "< .001" if p < 0.001 else f"= {p:.3f}".replace("0.", ".")
