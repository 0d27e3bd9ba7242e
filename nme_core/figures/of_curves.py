"""Figures of response curves, and of tests against covariates, each with its sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from nme_core.analysis import CovariateOptions, PersonParameters, person_parameters
from nme_core.analysis.groups import band_of_persons, group_curves
from nme_core.analysis.kept_tests import kept_tests
from nme_core.figures.effect_words import effect_name, effect_words
from nme_core.figures.run_figure import RunFigure
from nme_core.figures.summaries import curve_changes
from nme_core.figures.words import (
    CURVE,
    CURVE_INTERVAL,
    CURVES,
    GROUPS_LIMIT,
    HSIC,
    HSIC_LIMIT,
    SCATTER_LIMIT,
    SMALLEST,
)
from nme_core.figures.words_moves import GROUP_MEANS
from nme_core.io import POPULATION, RunFolder
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said
from nme_core.vocabulary.numbers import number, p_phrase, place
from nme_core.vocabulary.text import count

#: Features of which each has a figure where none is named.
MOST = 4


def features(folder: RunFolder) -> Iterator[dict[str, Any]]:
    """Features and classes, those with the largest effect in the population first."""
    if not folder.has_table("response_curves"):
        return
    table = folder.table("response_curves")
    shared = table[table["person"] == POPULATION]
    spread = shared.groupby(["feature", "class"], sort=False)["value"].agg(np.ptp)
    for feature, label in spread.sort_values(ascending=False, kind="stable").index[:MOST]:
        yield {"feature": feature, "label": label}


def curves(
    folder: RunFolder,
    person: str | None = None,
    *,
    feature: str,
    label: str | None = None,
    outcome: str | None = None,
) -> RunFigure | None:
    """What a feature does to the prediction, person by person; None where `person` has no curve."""
    rows = _curves(folder, feature, label)
    own = rows[rows["person"] == person]
    if person is not None and own.empty:
        return None
    outcome = outcome or str(folder.roles["outcome"])
    what = tr("probability of {label}").format(label=label) if label else outcome
    sentence = _changes(rows, feature, what, person)
    if len(own) and own["ci_low"].notna().all():
        sentence += f" {tr(CURVE_INTERVAL).format(person=person, what=what)}"
    title = tr("Response of {label} to {feature}") if label else tr("Response to {feature}")
    arguments = {"curves": rows, "feature": feature, "outcome": what, "person": person}
    return RunFigure(
        "response_curves", title.format(label=label, feature=feature), sentence, arguments,
        subject=f"{feature}, {label}" if label else feature,
    )  # fmt: skip


def _curves(folder: RunFolder, feature: str, label: str | None) -> pd.DataFrame:
    """Curves of one feature: person ("" for the population), feature, x, value, ci_low, ci_high."""
    rows = folder.table("response_curves")
    rows = rows[(rows["feature"] == feature) & (rows["class"] == (label or ""))]
    return rows.reindex(columns=["person", "feature", "x", "value", "ci_low", "ci_high"])


def _changes(rows: pd.DataFrame, feature: str, what: str, person: str | None) -> str:
    """How far response curves change: in the median over people, or of one person."""
    own = rows[rows["person"].isin([person, POPULATION])]
    alone = person is not None and (own["person"] == person).sum() > 1
    changes = [number(value, 2) for value in curve_changes(own if alone else rows)]
    return (tr(CURVE) if alone else tr(CURVES)).format(
        feature=feature, what=what, person=person, own=changes[0], others=changes[1]
    )


def by_group(
    folder: RunFolder,
    *,
    covariate: str,
    feature: str,
    label: str | None = None,
    outcome: str | None = None,
    verdict: str | None = None,
) -> RunFigure | None:
    """Mean response curves of people low and high in a covariate; None without such groups.

    Where a test did not find more than chance gives, the sentence names no difference.
    """
    found = group_curves(folder, covariate, _curves(folder, feature, label))
    if found is None or found.empty:
        return None
    outcome = outcome or str(folder.roles["outcome"])
    what = tr("predicted probability of {label}") if label else tr("predicted {outcome}")
    what = what.format(label=label, outcome=outcome)
    sentence = tr("The groups have no part of the feature in common.")
    side = found.pivot(index="x", columns="group", values="value")
    side = side[[*found["group"].unique()]].dropna()
    if verdict not in (None, "beyond"):
        sentence = tr(GROUP_MEANS)[verdict]
    elif len(side):
        at = (side.max(axis=1) - side.min(axis=1)).idxmax()
        means = [f"{number(value)} ({group})" for group, value in side.loc[at].items()]
        apart = tr("The groups' mean {what} differs most where {feature} is {at}: {means}.")
        sentence = apart.format(what=what, feature=feature, at=place(at), means=", ".join(means))
    title = tr("Response to {feature} by {covariate}")
    if label:
        title = tr("Response of {label} to {feature} by {covariate}")
    arguments = {
        "curves": found, "feature": feature, "outcome": what, "covariate_name": covariate,
    }  # fmt: skip
    return RunFigure(
        "group_curves", title.format(label=label, feature=feature, covariate=covariate),
        f"{sentence} {tr(GROUPS_LIMIT)}", arguments,
    )  # fmt: skip


def tested(folder: RunFolder) -> Iterator[dict[str, Any]]:
    """Covariates that were tested."""
    if folder.has_table("hsic"):
        yield from ({"covariate": name} for name in folder.table("hsic")["covariate"].unique())


def hsic(folder: RunFolder, *, covariate: str) -> RunFigure | None:
    """The permutation null and the observed statistic; None where they were not kept."""
    found = kept_tests(folder)
    if found is None:
        return None
    row = found.hsic.set_index("covariate").loc[covariate]
    finding = tr("goes beyond") if row["p_adjusted"] < 0.05 else tr("lies within")
    sentence = tr(HSIC).format(
        parameters=said(row["parameters"]),
        covariate=covariate,
        finding=finding,
        reps=int(row["reps"]),
        p=p_phrase(row["p"]),
        tests=count(len(found.hsic), "test"),
        p_adjusted=p_phrase(row["p_adjusted"]),
        people=count(int(row["n_persons"]), "person"),
        limit=tr(HSIC_LIMIT),
    )
    arguments = {
        "null": found.nulls[covariate], "statistic": float(row["statistic"]),
        "p": float(row["p"]), "covariate": covariate,
    }  # fmt: skip
    title = tr("HSIC {covariate}").format(covariate=covariate)
    return RunFigure("hsic_null", title, sentence, arguments, subject=covariate)


def scatter(
    folder: RunFolder,
    *,
    covariate: str,
    parameter: str | None = None,
    values: PersonParameters | None = None,
) -> RunFigure | None:
    """One parameter against the covariate; without a name, that with the smallest p.

    `values` are the parameters that were tested, where they are at hand.
    """
    effects = folder.table("effects")
    own = effects[effects["covariate"] == covariate].sort_values("p", kind="stable")
    picked = "" if parameter else f"{tr(SMALLEST)} "
    parameter = parameter or str(own["parameter"].iloc[0])
    values = values or person_parameters(folder, CovariateOptions.of_table(folder.table("hsic")).of)
    if parameter not in values.values or covariate not in folder.covariates:
        return None
    row = own[own["parameter"] == parameter].iloc[0]
    size, limits = effect_words(row["kind"], row["effect"], row["ci_low"], row["ci_high"])
    name = folder.parameter_names.words(parameter)
    sentence = tr(
        "For {name}, {effect} is {size}, 95 % interval {limits}, corrected {p}. {scatter_limit}"
    ).format(
        name=name, effect=effect_name(row["kind"], covariate, row["group"]), size=size,
        limits=limits, p=p_phrase(row["p_adjusted"]), scatter_limit=f"{picked}{tr(SCATTER_LIMIT)}",
    )  # fmt: skip
    arguments = {
        "values": values.values[parameter], "covariate": folder.covariates[covariate],
        "parameter": name, "covariate_name": covariate,
        "bands": band_of_persons(folder, covariate),
    }  # fmt: skip
    title = tr("{name} and {covariate}").format(name=name, covariate=covariate)
    return RunFigure("covariate_scatter", title, sentence, arguments, subject=covariate)
