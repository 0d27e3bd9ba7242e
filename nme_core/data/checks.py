"""The data report: what a study holds, and what should be looked at before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from nme_core.data.attendance import (
    compliance,
    describe_spacing,
    find_compliance,
    find_gaps,
    find_planned,
)
from nme_core.data.determined import find_determined
from nme_core.data.remedies import Remedy
from nme_core.data.report import Finding, Report
from nme_core.data.splits import SPLITS, split_within_person
from nme_core.data.states import find_states
from nme_core.data.study import Study
from nme_core.data.suspicious import find_collinear, find_suspicious
from nme_core.exceptions import OptionError

#: Share of missing values above which a column should be looked at.
MUCH_MISSING = 0.2

#: Rank correlation with the order of a person's rows above which a feature counts as a trend.
TREND = 0.9

#: Rows, of whole persons evenly spread over the study, in which trends are looked for.
_TREND_ROWS = 20_000

#: A feature that varies within fewer persons than this share may be a covariate with slips.
NEARLY_STEADY = 0.1


def check_study(study: Study, *, min_rows: int = 5, planned: int | None = None) -> Report:
    """Look at a study before anything is trained on it.

    Parameters
    ----------
    study : Study
        The study.
    min_rows : int
        Persons with fewer observations are in training only (see `split_within_person`).
    planned : int, optional
        Occasions that were planned for each person.

    Raises
    ------
    OptionError
        If fewer than one occasion was planned.
    """
    if planned is not None and planned < 1:
        raise OptionError(
            f"{planned} planned occasions make no sense.", remedy="Give a whole number above 0."
        )
    observed = study.y.notna()
    n_obs = observed.groupby(study.groups, sort=False).sum().rename("n_obs").rename_axis("person")
    empty = pd.concat([study.y.to_frame(), study.X], axis=1).isna()
    missing = empty.sum().rename_axis("column")
    by_person = empty.mean(axis=1).groupby(study.groups, sort=False).mean().rename_axis("person")
    flat = (table.nunique() for table in (study.X, study.covariates))
    constant = tuple(str(name) for counts in flat for name in counts.index[counts < 2])
    states = study.y.value_counts().reindex(list(study.classes)).rename_axis("state")
    short = tuple(str(person) for person in n_obs.index[n_obs < min_rows])
    attendance = tuple(compliance(n_obs, study.covariates))
    spacing, n_gaps = describe_spacing(study)
    findings = [
        *_check_split(study, short, min_rows),
        *_check_outcome(study),
        *find_states(study, states),
        *find_suspicious(study),
        *_check_columns(study, constant),
        *_check_trends(study),
        *find_determined(study),
        *find_collinear(study),
        *_check_missing(study, missing),
        *find_planned(n_obs, planned),
        *find_compliance(attendance),
        *find_gaps(study, n_gaps),
        *(Finding("info", note) for note in study.notes),
    ]
    order = ("stop", "look", "info")
    return Report(
        outcome=study.roles.outcome,
        outcome_kind=study.outcome_kind,
        n_rows=study.n_rows,
        n_persons=study.n_persons,
        n_sequences=int(study.sequence_ids.nunique()),
        n_obs=n_obs,
        missing=missing,
        constant=constant,
        states=states,
        short_persons=short,
        n_gaps=n_gaps,
        compliance=attendance,
        findings=tuple(sorted(findings, key=lambda finding: order.index(finding.severity))),
        spacing=spacing,
        planned=planned,
        missing_by_person=by_person,
    )


def _check_split(study: Study, short: Sequence[str], min_rows: int) -> Iterable[Finding]:
    if len(short) == study.n_persons:
        yield Finding(
            "stop",
            f"Every person has fewer than {min_rows} observations, so nothing is left to test on.",
            remedy="Give more occasions per person.",
        )
    elif short:
        verb = "has" if len(short) == 1 else "have"
        yield Finding(
            "look",
            f"{_some(short)} {verb} fewer than {min_rows} observations: training only.",
            study.roles.person,
            "They may stay, near the population; or leave them out.",
            (Remedy("exclude_persons", (study.roles.person,), tuple(short)),),
        )


def _check_outcome(study: Study) -> Iterable[Finding]:
    name, y = study.roles.outcome, study.y
    kept = study.with_observed_outcome()
    training = kept.y[split_within_person(kept.groups) == SPLITS[0]]
    if training.nunique() < 2:
        yield Finding(
            "stop",
            f"The outcome {name!r} does not vary in the first 60 % of the persons' rows.",
            name,
            "There is nothing to learn from them; give more occasions.",
        )
    values = y.dropna().unique()
    if study.outcome_kind == "number" and len(values) <= 5 and np.all(values == np.round(values)):
        yield Finding(
            "look",
            f"The outcome {name!r} is taken as a number but has only {len(values)} whole values.",
            name,
            "Say that it is a class if these are states.",
        )


def _check_columns(study: Study, constant: Sequence[str]) -> Iterable[Finding]:
    for name in constant:
        kind = "feature" if name in study.X.columns else "covariate"
        fix = (
            _leave_out(study, name) if kind == "feature" else (Remedy("exclude_columns", (name,)),)
        )
        yield Finding(
            "look", f"The {kind} {name!r} is the same everywhere.", name, "Leave it out.", fix
        )
    for name in study.feature_names:
        if name in constant:
            continue
        by_person = study.X[name].groupby(study.groups)
        varies = (by_person.max() - by_person.min()).fillna(0) != 0
        if not varies.any():
            yield Finding(
                "info",
                f"The feature {name!r} differs between persons but never within one.",
                name,
                "It can also be used as a covariate.",
            )
        elif varies.mean() < NEARLY_STEADY:
            who = [str(person) for person in varies.index[varies]]
            yield Finding(
                "look",
                f"The feature {name!r} varies within {_some(who)} only.",
                name,
                "If it is known once per person, correct these rows and use it as a covariate.",
            )


def _check_trends(study: Study) -> Iterable[Finding]:
    """Find features that run with time: later rows lie where a model has seen nothing."""
    looked_at = list(study.persons)[:: max(1, study.n_rows // _TREND_ROWS)]
    groups = study.groups[study.groups.isin(looked_at)]
    order = groups.groupby(groups).cumcount().astype(float)
    for name in study.feature_names:
        pair = pd.DataFrame({"order": order, "value": study.X.loc[groups.index, name]}).dropna()
        persons = groups[pair.index]
        ranks = pair.groupby(persons).rank()
        within = ranks - ranks.groupby(persons).transform("mean")
        spread = float(np.sqrt((within["order"] ** 2).sum() * (within["value"] ** 2).sum()))
        product = float((within["order"] * within["value"]).sum())
        if spread > 0 and abs(product) / spread > TREND:
            yield Finding(
                "look",
                f"The feature {name!r} runs with time: a person's later rows, on which models are "
                "judged, lie outside the values that the models were trained on.",
                name,
                "Leave it out unless a trend over time is what you want to extrapolate.",
                _leave_out(study, name),
            )


def _leave_out(study: Study, name: str) -> tuple[Remedy, ...]:
    """What leaves a feature out, unless it is the only one."""
    return () if len(study.feature_names) == 1 else (Remedy("exclude_columns", (name,)),)


def _check_missing(study: Study, missing: pd.Series) -> Iterable[Finding]:
    for name, count in missing.items():
        if count / study.n_rows > MUCH_MISSING:
            kind = "outcome" if name == study.roles.outcome else "feature"
            yield Finding(
                "look",
                f"The {kind} {name!r} is missing in {count / study.n_rows:.0%} of the rows.",
                str(name),
            )
    for name in study.covariates.columns:
        without = study.covariates.index[study.covariates[name].isna()]
        if len(without):
            verb = "has" if len(without) == 1 else "have"
            yield Finding("look", f"{_some(list(without))} {verb} no {name!r}.", str(name))


def _some(persons: Sequence[str]) -> str:
    shown = ", ".join(repr(str(person)) for person in persons[:5])
    if len(persons) == 1:
        return f"Person {shown}"
    more = f" and {len(persons) - 5} more" if len(persons) > 5 else ""
    return f"{len(persons)} persons ({shown}{more})"
