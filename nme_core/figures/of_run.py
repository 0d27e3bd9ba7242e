"""The figures of a run, straight from its folder, each with the sentence that it needs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from nme_core.analysis import (
    CovariateOptions,
    as_matrix,
    may_lead,
    person_parameters,
    person_rows,
    supported,
)
from nme_core.figures import described
from nme_core.figures.figures_training import losses_sentence
from nme_core.figures.labels import number, p_value
from nme_core.figures.moves_of_person import comparison
from nme_core.figures.run_figure import RunFigure
from nme_core.figures.words import (
    EFFECT_LIMIT,
    OBSERVATIONS_LIMIT,
    SCATTER_LIMIT,
)
from nme_core.io import POPULATION, RunFolder
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.terms import short_model_name
from nme_core.vocabulary.text import count

#: Most figures of one kind in a report of a study.
MOST = 4


def observations(folder: RunFolder) -> Iterator[RunFigure]:
    """How many observations each person has."""
    effects = of_people(folder.table("random_effects"))
    counts = effects.drop_duplicates("person").set_index("person")["n_obs"]
    if len(counts):
        sentence = tr(
            "{counts}: {min:,} to {max:,} observations each, {median:,g} in the median. "
            "{observations_limit}"
        ).format(
            counts=count(len(counts), "person"),
            min=counts.min(),
            max=counts.max(),
            median=counts.median(),
            observations_limit=tr(OBSERVATIONS_LIMIT),
        )
        arguments = {"n_obs": counts}
        yield RunFigure(
            "observations_per_person", tr("Observations per person"), sentence, arguments
        )


def losses(folder: RunFolder) -> Iterator[RunFigure]:
    """Losses over epochs."""
    if not folder.has_table("history") or folder.table("history").empty:
        return
    history = folder.table("history")
    names = {str(model): short_model_name(str(model)) for model in history["model"].unique()}
    sentence, arguments = losses_sentence(history, names), {"history": history, "names": names}
    yield RunFigure("loss_curves", tr("Training"), sentence, arguments, columns=2)


def transitions(
    folder: RunFolder, person: str | None = None, readout: str = "conditional"
) -> Iterator[RunFigure]:
    """The population beside `person`, or beside whoever differs most from it (not named)."""
    if not folder.has_table("transitions"):
        return
    table = folder.table("transitions")
    rows = table[table["readout"] == readout]
    shared = rows[rows["person"] == POPULATION]
    label, who = person, None
    if person is None:
        leading = supported(rows[may_lead(rows) & (rows["person"] != POPULATION)])
        if leading.empty:
            return
        gap = leading["value"] - _shared_value(leading, as_matrix(shared))
        person = str((gap**2).groupby(leading["person"]).sum().idxmax())
        label, who = tr("who differs most"), tr("The person who differs most")
    title = tr("Transitions of the person {label} and of the population").format(label=label)
    if who is None:
        title = tr("Transitions of person {label} and of the population").format(label=label)
    own = person_rows(table, person, readout)
    yield comparison(own, shared, label=str(label), title=title, readout=readout, who=who)


def responses(folder: RunFolder, person: str | None = None) -> Iterator[RunFigure]:
    """Response curves, features with the largest effect in the population first."""
    if not folder.has_table("response_curves"):
        return
    table = folder.table("response_curves")
    outcome = folder.roles["outcome"]
    shared = table[table["person"] == POPULATION]
    spread = shared.groupby(["feature", "class"], sort=False)["value"].agg(np.ptp)
    for feature, label in spread.sort_values(ascending=False, kind="stable").index[:MOST]:
        rows = table[(table["feature"] == feature) & (table["class"] == label)]
        if person is not None and not (rows["person"] == person).any():
            continue
        what = tr("probability of {label}").format(label=label) if label else outcome
        sentence = described.curve_sentence(rows, feature=feature, what=what, person=person)
        arguments = {"curves": rows, "feature": feature, "outcome": what, "person": person}
        title = (
            tr("Response of {label} to {feature}").format(label=label, feature=feature)
            if label
            else tr("Response to {feature}").format(feature=feature)
        )
        subject = f"{feature}, {label}" if label else str(feature)
        yield RunFigure("response_curves", title, sentence, arguments, subject=subject)


def random_effects(folder: RunFolder) -> Iterator[RunFigure]:
    """Persons' estimates against the model's distribution, the best known parameters first."""
    table = of_people(folder.table("random_effects"))
    covariance = of_people(folder.table("covariance"))
    own = covariance[covariance["parameter"] == covariance["parameter_2"]]
    variances = own.set_index("parameter")["value"]
    for parameter in told_best(table)[:MOST]:
        estimates = table[table["parameter"] == parameter].set_index("person")["estimate"]
        variance = float(variances[parameter])
        name = folder.parameter_names.words(str(parameter))
        sentence = tr(
            "Deviations of {estimates} in {name} have an SD of {std}; the model's own SD "
            "is {variance}. {effect_limit}"
        ).format(
            estimates=count(len(estimates), "person"),
            name=name,
            std=number(estimates.std(), 2),
            variance=number(variance**0.5, 2),
            effect_limit=tr(EFFECT_LIMIT),
        )
        arguments = {"estimates": estimates, "variance": variance, "parameter": name}
        title = tr("Random effect {name}").format(name=name)
        yield RunFigure("random_effect_distribution", title, sentence, arguments, subject=name)


def scatters(folder: RunFolder) -> Iterator[RunFigure]:
    """The parameter with the smallest p for each covariate that was tested."""
    if not folder.has_table("effects"):
        return
    effects, covariates = folder.table("effects"), folder.covariates
    of = CovariateOptions.of_table(folder.table("hsic")).of if folder.has_table("hsic") else None
    values = person_parameters(folder, of).values
    best = effects.sort_values("p", kind="stable").drop_duplicates("covariate")
    for _, row in best.iterrows():
        covariate, parameter = str(row["covariate"]), str(row["parameter"])
        if covariate not in covariates or parameter not in values:
            continue
        name = folder.parameter_names.words(parameter)
        sentence = tr(
            "The single parameter with the smallest p of all that were tested against "
            "{covariate}: {name}, corrected {p_adjusted}. {scatter_limit}"
        ).format(
            covariate=covariate,
            name=name,
            p_adjusted=p_value(row["p_adjusted"]),
            scatter_limit=tr(SCATTER_LIMIT),
        )
        arguments = {
            "values": values[parameter], "covariate": covariates[covariate],
            "parameter": name, "covariate_name": covariate,
        }  # fmt: skip
        title = tr("{name} and {covariate}").format(name=name, covariate=covariate)
        yield RunFigure("covariate_scatter", title, sentence, arguments, subject=covariate)


def _shared_value(rows: pd.DataFrame, shared: pd.DataFrame) -> np.ndarray:
    index = pd.MultiIndex.from_frame(rows[["from", "to"]])
    return shared.stack().reindex(index).to_numpy()


def told_best(effects: pd.DataFrame) -> list[str]:
    """Parameters of ``random_effects``, by spread × reliability, the largest first."""
    grouped = effects.groupby("parameter", sort=False)
    told = grouped["reliability"].median().fillna(0).clip(0, 1) * grouped["estimate"].std()
    return [str(name) for name in told.sort_values(ascending=False, kind="stable").index]


def of_people(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the persons, where a table has other grouping factors too: the first are theirs."""
    return table if "group" not in table else table[table["group"] == table["group"].iloc[0]]
