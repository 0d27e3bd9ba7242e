"""The data report: what a study holds, and what should be looked at before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy.special import stdtr

from nme_core.data.determined import find_determined
from nme_core.data.report import Compliance, Finding, Report, p_words
from nme_core.data.splits import SPLITS, split_within_person
from nme_core.data.study import Study

#: A state is rare where it has fewer visits, or a smaller share of all, or of the persons.
RARE_VISITS, RARE_SHARE, RARE_PERSONS = 20, 0.01, 0.1

#: Share of missing values above which a column should be looked at.
MUCH_MISSING = 0.2

#: Rank correlation with the order of a person's rows above which a feature counts as a trend.
TREND = 0.9

#: Numbers that files often use for "no value".
MISSING_NUMBERS = (-9, -99, -999, -9999, 99, 999, 9999)


def check_study(study: Study, *, min_rows: int = 5) -> Report:
    """Look at a study before anything is trained on it.

    Parameters
    ----------
    study : Study
        The study.
    min_rows : int
        Persons with fewer observations are in training only (see `split_within_person`).
    """
    observed = study.y.notna()
    n_obs = observed.groupby(study.groups, sort=False).sum().rename("n_obs").rename_axis("person")
    missing = pd.concat([study.y.to_frame(), study.X], axis=1).isna().sum().rename_axis("column")
    flat = (table.nunique() for table in (study.X, study.covariates))
    constant = tuple(str(name) for counts in flat for name in counts.index[counts < 2])
    states = study.y.value_counts().reindex(list(study.classes)).rename_axis("state")
    short = tuple(str(person) for person in n_obs.index[n_obs < min_rows])
    compliance = tuple(_compliance(n_obs, study.covariates))
    n_gaps = _count_gaps(study)
    findings = [
        *_check_split(study, short, min_rows),
        *_check_outcome(study),
        *_check_states(study, states),
        *_check_columns(study, constant),
        *_check_trends(study),
        *find_determined(study),
        *_check_missing(study, missing),
        *_check_compliance(compliance),
        *_check_gaps(study, n_gaps),
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
        compliance=compliance,
        findings=tuple(sorted(findings, key=lambda finding: order.index(finding.severity))),
    )


def _compliance(n_obs: pd.Series, covariates: pd.DataFrame) -> Iterable[Compliance]:
    for name in covariates.columns:
        column = covariates[name]
        if not pd.api.types.is_numeric_dtype(column.dtype):
            continue
        both = pd.concat([n_obs, column], axis=1, ignore_index=True).dropna()
        if len(both) < 5 or (both.nunique() < 2).any():
            continue
        yield Compliance(str(name), *_spearman(both), len(both))


def _spearman(pairs: pd.DataFrame) -> tuple[float, float]:
    """Rank correlation and its two-sided p (t distribution); scipy.stats is slow to import."""
    rho = float(np.corrcoef(pairs.rank().to_numpy(), rowvar=False)[0, 1])
    freedom = len(pairs) - 2
    t = rho * np.sqrt(freedom / max((1 - rho) * (1 + rho), np.finfo(float).tiny))
    return rho, float(2 * stdtr(freedom, -abs(t)))


def _count_gaps(study: Study) -> int | None:
    if study.time is None:
        return None
    steps = study.time.groupby(study.sequence_ids, sort=False).diff().dropna()
    return int((steps > 1.5 * steps.median()).sum()) if len(steps) else 0


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


def _check_states(study: Study, states: pd.Series) -> Iterable[Finding]:
    if study.outcome_kind != "class":
        return
    name = study.roles.outcome
    if len(states) > 20:
        yield Finding(
            "look",
            f"The outcome {name!r} has {len(states)} different states.",
            name,
            "Is it a class? Few states with many visits can be learned best.",
        )
        return
    persons = study.groups.groupby(study.y).nunique()
    total = int(states.sum())
    for state in study.classes:
        visits, seen_in = int(states[state]), int(persons[state])
        rare = visits < RARE_VISITS or visits / total < RARE_SHARE
        if rare or seen_in / study.n_persons < RARE_PERSONS:
            yield Finding(
                "look",
                f"State {state!r} has few visits: {visits}, in {seen_in} of "
                f"{study.n_persons} persons.",
                name,
                "Its transitions are mostly guesses; think of joining it with another state.",
            )


def _check_columns(study: Study, constant: Sequence[str]) -> Iterable[Finding]:
    for name in constant:
        kind = "feature" if name in study.X.columns else "covariate"
        yield Finding("look", f"The {kind} {name!r} is the same everywhere.", name, "Leave it out.")
    for name in study.feature_names:
        column = study.X[name]
        present = column.dropna()
        for code in sorted(set(MISSING_NUMBERS) & set(present.unique())):
            rest = present[present != code]
            if len(rest) > 1 and abs(code - rest.mean()) > 6 * rest.std():
                yield Finding(
                    "look",
                    f"The feature {name!r} holds {code} ({int((present == code).sum())} times), "
                    f"far from its other values ({rest.min():g} to {rest.max():g}).",
                    name,
                    "If it means a missing value, leave these cells empty.",
                )
        if name in constant:
            continue
        by_person = column.groupby(study.groups)
        if ((by_person.max() - by_person.min()).fillna(0) == 0).all():
            yield Finding(
                "info",
                f"The feature {name!r} differs between persons but never within one.",
                name,
                "It can also be used as a covariate.",
            )


def _check_trends(study: Study) -> Iterable[Finding]:
    """Find features that run with time: later rows lie where a model has seen nothing."""
    order = study.groups.groupby(study.groups).cumcount().astype(float)
    for name in study.feature_names:
        pair = pd.DataFrame({"order": order, "value": study.X[name]}).dropna()
        persons = study.groups[pair.index]
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
            )


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


def _check_compliance(compliance: Sequence[Compliance]) -> Iterable[Finding]:
    for entry in compliance:
        if entry.p < 0.05:
            verb = "fewer" if entry.spearman < 0 else "more"
            yield Finding(
                "look",
                f"Persons with a higher {entry.covariate!r} have {verb} observations "
                f"(Spearman {entry.spearman:.2f}, p {p_words(entry.p)}): "
                "a test of person parameters can find a dependence that is not there.",
                entry.covariate,
                "Permute within strata of the number of observations, as the Covariates page and "
                "`nme hsic` do by default.",
            )


def _check_gaps(study: Study, n_gaps: int | None) -> Iterable[Finding]:
    if n_gaps:
        yield Finding(
            "info",
            f"{n_gaps} steps are longer than the usual step in time.",
            study.roles.time,
            "A column that names the sequences (sessions, days) breaks them there.",
        )


def _some(persons: Sequence[str]) -> str:
    shown = ", ".join(repr(str(person)) for person in persons[:5])
    if len(persons) == 1:
        return f"Person {shown}"
    more = f" and {len(persons) - 5} more" if len(persons) > 5 else ""
    return f"{len(persons)} persons ({shown}{more})"
