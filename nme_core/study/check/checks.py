"""The data report: what a study holds, and what should be looked at before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from nme_core.batches.blocks import Blocks, Column, extent
from nme_core.batches.splits import SPLITS, few_rows
from nme_core.exceptions import DataError, OptionError
from nme_core.study.check.attendance import (
    compliance,
    describe_spacing,
    find_compliance,
    find_far_times,
    find_gaps,
    find_planned,
)
from nme_core.study.check.circular import find_circular
from nme_core.study.check.determined import find_determined
from nme_core.study.check.factors import find_inseparable
from nme_core.study.check.midnight import find_midnight, find_turned
from nme_core.study.check.report import Finding, Report, told_before
from nme_core.study.check.states import find_states
from nme_core.study.check.suspicious import find_collinear, find_suspicious, without_codes
from nme_core.study.check.trends import find_trends, leave_out
from nme_core.study.clean.answers import find_answers
from nme_core.study.clean.people import apart, find_alike_labels
from nme_core.study.clean.remedies import Remedy
from nme_core.study.columns import is_number
from nme_core.study.held_back import plan_split
from nme_core.study.questionnaires import recognise
from nme_core.study.study import Study
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said
from nme_core.vocabulary.text import percent

#: Share of missing values above which a column should be looked at.
MUCH_MISSING = 0.2

#: A feature that varies within fewer persons than this share may be a covariate with slips.
NEARLY_STEADY = 0.1

#: A number with at most so many whole values may be states; so many rows tell it soon.
_FEW_VALUES, _FEW_ROWS = 5, 1000


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
    persons, name = study.blocks, study.roles.outcome
    empty = study.y.isna().to_numpy()
    n_obs = pd.Series(persons.sizes - persons.count(empty), _index(persons), name="n_obs")
    columns, missing, by_person = {}, {name: int(empty.sum())}, persons.count(empty)
    for feature in study.feature_names:
        values = study.X[feature].to_numpy()
        empty = np.isnan(values)
        missing[feature] = int(empty.sum())
        if missing[feature]:
            by_person = by_person + persons.count(empty)
        columns[feature] = Column.of(values, persons, missing[feature])
    if study.outcome_kind == "number":
        columns[name] = Column.of(study.y.to_numpy(), persons, missing[name])
    flat = study.covariates.nunique()
    constant = tuple(feature for feature in study.feature_names if columns[feature].constant)
    constant += tuple(map(str, flat.index[flat < 2]))
    visits = study.y.value_counts() if study.classes else pd.Series(dtype=int)
    states = visits.reindex(list(study.classes)).rename_axis("state")
    short = tuple(str(person) for person in n_obs.index[n_obs < min_rows])
    attendance = tuple(compliance(n_obs, study.covariates))
    spacing, n_gaps = describe_spacing(study)
    findings = [
        *find_answers(study),
        *_check_split(study, short, min_rows, columns),
        *_check_outcome(study, columns.get(name)),
        *_check_groups(study),
        *study.looks,
        *_check_labels(study),
        *_check_scales(study),
        *find_states(study, states),
        *find_suspicious(study, columns),
        *find_midnight(study),
        *find_turned(study),
        *_check_columns(study, columns, constant),
        *find_trends(study, columns),
        *find_determined(study),
        *find_collinear(study),
        *find_circular(study),
        *_check_missing(study, missing),
        *find_planned(n_obs, planned),
        *find_compliance(attendance),
        *find_gaps(study, n_gaps),
        *find_far_times(study),
        *(Finding("info", note) for note in study.notes),
    ]
    order = ("stop", "look", "info")
    table = _as_table(study)
    if study.lines is not None and any(f.kind == "count_on" for one in findings for f in one.fixes):
        table = table.iloc[np.argsort(study.lines.to_numpy())]  # what falls, falls in the file
    told = told_before(findings, study.roles.person, table, _covariate_table(study))
    return Report(
        outcome=study.roles.outcome,
        outcome_kind=study.outcome_kind,
        n_rows=study.n_rows,
        n_persons=study.n_persons,
        n_sequences=len(study.sequence_blocks.names),
        n_obs=n_obs,
        missing=pd.Series(missing, name=None).rename_axis("column"),
        constant=constant,
        states=states,
        short_persons=short,
        n_gaps=n_gaps,
        compliance=attendance,
        findings=tuple(sorted(told, key=lambda finding: order.index(finding.severity))),
        spacing=spacing,
        planned=planned,
        missing_by_person=pd.Series(
            by_person / (persons.sizes * (len(study.feature_names) + 1)), _index(persons)
        ),
    )


def _check_late(
    study: Study, training: npt.NDArray[np.bool_], columns: Mapping[str, Column]
) -> Iterable[Finding]:
    """Find features that change in held-back rows only."""
    for name in study.feature_names:
        known = columns[name]
        if known.constant or not known.low < known.high:
            continue
        low, high = extent(known.values[training])
        if not low < high:
            yield Finding(
                "look",
                tr(
                    "The feature {name!r} changes only late in people's rows, in those that are "
                    "held back: training cannot learn it, so that held-back rows say nothing of it."
                ).format(name=name),
                name,
                tr("What is interpreted is fitted on all rows. Leave it out to judge the others."),
                leave_out(study, name),
            )


def _as_table(study: Study) -> pd.DataFrame:
    """The columns of a study beside each other, as its remedies are about them."""
    parts: list[pd.Series | pd.DataFrame] = [study.groups.rename(study.roles.person)]
    parts += [study.X, study.y.rename(study.roles.outcome), study.further_groups]
    if study.time is not None and study.roles.time not in study.X:
        parts.append(study.time.rename(study.roles.time))
    return pd.concat(parts, axis=1)


def _covariate_table(study: Study) -> pd.DataFrame:
    return study.covariates.rename_axis(study.roles.person).reset_index()


def _check_split(
    study: Study, short: Sequence[str], min_rows: int, columns: Mapping[str, Column]
) -> Iterable[Finding]:
    """Say what keeps rows from being held back as a fit does, and who is in training only."""
    try:
        plan = plan_split(study.with_observed_outcome())
    except DataError as error:
        yield Finding("stop", error.message, error.column, error.remedy)
        return
    yield from (Finding("info", note) for note in plan.notes)
    training = study.y.notna().to_numpy(copy=True)  # others are not in the plan
    training[training] = plan.parts == SPLITS[0]
    yield from _check_late(study, training, columns)
    if plan.classes is not None:
        yield Finding(
            "look",
            plan.classes,
            study.roles.outcome,
            tr(
                "What held-back rows show of it comes from the others; join the state with "
                "another one if they are too few."
            ),
        )
    if short and not few_rows(study.blocks.sizes, min_rows):
        verb = tr("has") if len(short) == 1 else tr("have")
        yield Finding(
            "look",
            tr("{some} {verb} fewer than {min_rows} observations: training only.").format(
                some=_some(short), verb=verb, min_rows=min_rows
            ),
            study.roles.person,
            tr("They may stay, near the population; or leave them out."),
            (Remedy("exclude_persons", (study.roles.person,), tuple(short)),),
        )


def _index(persons: Blocks) -> pd.Index:
    return persons.names.rename("person")


def _check_outcome(study: Study, numbers: Column | None) -> Iterable[Finding]:
    """Look at the outcome; `numbers` is what is known of one that is a number."""
    name, y = study.roles.outcome, study.y
    if numbers is None or len(pd.unique(y.head(_FEW_ROWS).dropna())) > _FEW_VALUES:
        return
    values = y.dropna().unique()
    if len(values) <= _FEW_VALUES and np.all(values == np.round(values)):
        yield Finding(
            "look",
            tr(
                "The outcome {name!r} is taken as a number but has only {values} whole values."
            ).format(name=name, values=len(values)),
            name,
            tr("Say that it is a class if these are states."),
        )


def _check_groups(study: Study) -> Iterable[Finding]:
    """Look at the grouping factors, where there are more than the persons."""
    if study.further_groups.columns.empty:
        return ()
    factors = {study.roles.person: study.blocks.codes}
    for name, column in study.further_groups.items():
        factors[str(name)] = pd.factorize(column)[0].astype(np.int64)
    outcome: str = study.outcome_kind
    if outcome == "number":
        y = study.y.dropna().to_numpy()
        if len(y) and bool((y >= 0).all() and (y == np.round(y)).all()):
            outcome = "count"  # it can be
    return find_inseparable(factors, outcome)


def _check_labels(study: Study) -> Iterable[Finding]:
    """Look for labels of outcome and covariates that differ only in how they are written."""
    said = apart(study.remedies)
    columns = [("outcome", study.roles.outcome, study.y)] if study.classes else []
    columns += [("covariate", str(name), study.covariates[name]) for name in study.covariates]
    for kind, name, values in columns:
        if name not in said:
            yield from find_alike_labels(kind, name, values)
        if kind == "covariate" and not is_number(values):
            yield from _check_groups_of(name, values.dropna())


def _check_groups_of(name: str, labels: pd.Series) -> Iterable[Finding]:
    """Doubt labels that nearly every person has of their own."""
    n_labels = labels.nunique()
    if len(labels) > 2 and 2 * n_labels > len(labels):
        shown = ", ".join(repr(str(label)) for label in labels.unique()[:3])
        yield Finding(
            "look",
            tr(
                "The covariate {name!r} is taken as labels, {n_labels} different ones of "
                "{labels} people ({shown}): too many groups to compare."
            ).format(name=name, n_labels=n_labels, labels=len(labels), shown=shown),
            name,
            tr("If these are numbers, write them as numbers; else join labels, or leave it out."),
            (Remedy("exclude_columns", (name,)),),
        )


def _check_scales(study: Study) -> Iterable[Finding]:
    """Say which covariates hold something else than the sum of the questionnaire they name."""
    for name, values in study.covariates.select_dtypes("number").items():
        known = recognise(str(name), without_codes(values.to_numpy(dtype=np.float64)))
        if known is not None and known.kind != "sum":
            yield Finding(
                "info",
                tr("The covariate {name!r} holds {known}.").format(
                    name=name, known=said(str(known))
                ),
                str(name),
            )


def _check_columns(
    study: Study, columns: Mapping[str, Column], constant: Sequence[str]
) -> Iterable[Finding]:
    for name in constant:
        kind = "feature" if name in study.X.columns else "covariate"
        fix = leave_out(study, name) if kind == "feature" else (Remedy("exclude_columns", (name,)),)
        yield Finding(
            "look",
            tr("The {kind} {name!r} is the same everywhere.").format(kind=tr(kind), name=name),
            name,
            tr("Leave it out."),
            fix,
        )
    for name in study.feature_names:
        if name in constant:
            continue
        varies = columns[name].varies
        if not varies.any():
            yield Finding(
                "info",
                tr("The feature {name!r} differs between people but never within one.").format(
                    name=name
                ),
                name,
                tr("It can also be used as a covariate."),
            )
        elif varies.mean() < NEARLY_STEADY:
            yield Finding(
                "look",
                tr("The feature {name!r} varies within {some} only.").format(
                    name=name, some=_some(list(study.blocks.names[varies]))
                ),
                name,
                tr("If it is known once per person, correct these rows and use it as a covariate."),
            )


def _check_missing(study: Study, missing: Mapping[str, int]) -> Iterable[Finding]:
    for name, count in missing.items():
        if count / study.n_rows > MUCH_MISSING:
            kind = "outcome" if name == study.roles.outcome else "feature"
            yield Finding(
                "look",
                tr("The {kind} {name!r} is missing in {share} of the rows.").format(
                    kind=tr(kind), name=name, share=percent(count / study.n_rows)
                ),
                str(name),
            )
    for name in study.covariates.columns:
        without = study.covariates.index[study.covariates[name].isna()]
        if len(without):
            verb = tr("has") if len(without) == 1 else tr("have")
            yield Finding(
                "look",
                tr("{some} {verb} no {name!r}.").format(
                    some=_some(list(without)), verb=verb, name=name
                ),
                str(name),
            )


def _some(persons: Sequence[str]) -> str:
    shown = ", ".join(repr(str(person)) for person in persons[:5])
    if len(persons) == 1:
        return tr("Person {shown}").format(shown=shown)
    more = tr(" and {persons} more").format(persons=len(persons) - 5) if len(persons) > 5 else ""
    return tr("{persons} people ({shown}{more})").format(
        persons=len(persons), shown=shown, more=more
    )
