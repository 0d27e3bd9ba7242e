"""Figures of what differs between people, parameter by parameter, each with its sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from nme_core.analysis import PersonParameters, person_parameters
from nme_core.analysis.people import correlations_of_most, person_map
from nme_core.analysis.random_effects import LEARNED, most_informative, variance_of
from nme_core.analysis.support import of_persons
from nme_core.figures.of_fit import apart
from nme_core.figures.run_figure import RunFigure
from nme_core.figures.words import (
    CATERPILLAR,
    EFFECT_LIMIT,
    NOT_LEARNED,
    PARAMETER_CORRELATIONS,
    PERSON_MAP,
    QQ,
    RELIABILITY,
)
from nme_core.io import RunFolder
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import fixed, number
from nme_core.vocabulary.text import count

#: Most parameters of which each has a figure where none is named, and that are correlated.
MOST, MOST_CORRELATED = 4, 16


def parameters(folder: RunFolder) -> Iterator[dict[str, Any]]:
    """The parameters that the data say most about."""
    names = most_informative(of_persons(folder.table("random_effects")))
    yield from ({"parameter": name} for name in names[:MOST])


def _estimates(folder: RunFolder, parameter: str) -> tuple[pd.DataFrame, str]:
    """Rows of a parameter, people as index, and what it is called."""
    table = of_persons(folder.table("random_effects"))
    rows = table[table["parameter"] == parameter].set_index("person")
    return rows, folder.parameter_names.words(parameter)


def distribution(folder: RunFolder, *, parameter: str) -> RunFigure:
    """People's estimates of one parameter against the model's normal distribution."""
    rows, name = _estimates(folder, parameter)
    variance = variance_of(of_persons(folder.table("covariance")), parameter)
    sentence = tr(
        "Deviations of {people} in {name} have an SD of {sd}; the model's own SD is {own}. {limit}"
    ).format(
        people=count(len(rows), "person"), name=name, sd=number(rows["estimate"].std(), 2),
        own=number(variance**0.5, 2), limit=tr(EFFECT_LIMIT),
    )  # fmt: skip
    if rows["reliability"].median() < LEARNED:
        sentence = f"{tr(NOT_LEARNED)} {sentence}"
    arguments = {"estimates": rows["estimate"], "variance": variance, "parameter": name}
    title = tr("Random effect {name}").format(name=name)
    return RunFigure("random_effect_distribution", title, sentence, arguments, subject=name)


def caterpillar(folder: RunFolder, *, parameter: str) -> RunFigure | None:
    """Everybody's estimate with its interval."""
    return of_level(*_estimates(folder, parameter))


def level(folder: RunFolder, *, effect: str) -> RunFigure | None:
    """Everybody's difference from the population in level or slope (``person_effects``)."""
    table = folder.table("person_effects")
    own = table[(table["effect"] == effect) & (table["person"] != "")]
    return of_level(own.set_index("person"), folder.parameter_names.words(effect))


def of_level(rows: pd.DataFrame, name: str) -> RunFigure | None:
    """Everybody's difference from the population in one respect, people as index."""
    if "ci_low" not in rows or rows["ci_low"].isna().all():
        return None
    sentence = tr(CATERPILLAR).format(apart=apart(rows) or tr("none"), all=len(rows))
    arguments = {"rows": rows, "parameter": name}
    title = tr("People's {name}").format(name=name)
    return RunFigure("caterpillar", title, sentence, arguments, subject=name)


def quantiles(folder: RunFolder, *, parameter: str) -> RunFigure | None:
    """Estimates against a normal distribution; None of two people."""
    rows, name = _estimates(folder, parameter)
    if rows["estimate"].nunique() < 3:
        return None
    arguments = {"estimates": rows["estimate"], "parameter": name}
    shown = RunFigure("effect_qq", "", "", arguments).numbers()
    outside = int(((shown["observed"] < shown["low"]) | (shown["observed"] > shown["high"])).sum())
    sentence = tr(QQ).format(outside=outside or tr("none"), all=len(shown))
    return RunFigure("effect_qq", f"Q–Q {name}", sentence, arguments, subject=name)


def reliability(folder: RunFolder, *, parameter: str) -> RunFigure | None:
    """Reliability against the number of observations; None where it is not known."""
    rows, name = _estimates(folder, parameter)
    sides, words = rows[["n_obs", "reliability"]].dropna(), tr(RELIABILITY)
    if sides.empty:
        return None
    median = fixed(float(sides["reliability"].median()), 2)
    goes = words["same"]
    if (sides.nunique() > 1).all():
        rho = sides["n_obs"].corr(sides["reliability"], method="spearman")
        goes = words["rho"].format(rho=fixed(float(rho), 2))
    sentence = f"{words['what'].format(median=median)} {goes}"
    title, arguments = tr("Reliability {name}").format(name=name), {"rows": rows, "parameter": name}
    return RunFigure("reliability_by_observations", title, sentence, arguments, subject=name)


def correlations(folder: RunFolder) -> RunFigure | None:
    """Correlations of estimates across the most informative parameters."""
    table = _correlated(folder)
    if table is None:
        return None
    words, size = tr(PARAMETER_CORRELATIONS), table["correlation"].abs()
    parts = [tr("No estimate varies over people.")]
    if size.notna().any():
        largest = table.loc[size.idxmax()]
        pair = tr("{parameter} and {parameter_2}").format(
            parameter=largest["parameter"], parameter_2=largest["parameter_2"]
        )
        parts = [words["largest"].format(
            value=fixed(largest["correlation"], 2), pair=pair,
            own=fixed(largest["model_correlation"], 2),
        )]  # fmt: skip
    known = _with_band(table)
    parts.append(words["unknown"] if known.empty else _leaving_the_band(known))
    title, arguments = tr("Correlations across parameters"), {"table": table}
    return RunFigure("effect_correlations", title, " ".join(parts), arguments, columns=2)


def correlation_bands(folder: RunFolder) -> RunFigure | None:
    """The pairs that leave furthest the band that the model expects; None without a band."""
    table = _correlated(folder)
    if table is None or _with_band(table).empty:
        return None
    words, config = tr(PARAMETER_CORRELATIONS), folder.config
    sentence = words["diagonal" if config["covariance"] == "diagonal" else "full"]
    last = [*config["verdicts"].values()][-1]
    if not last.startswith("converged"):
        sentence = f"{sentence} {words['stopped']}"
    title, arguments = tr("Correlations and their bands"), {"table": _with_band(table)}
    return RunFigure("correlation_bands", title, sentence, arguments, columns=2)


def _correlated(folder: RunFolder) -> pd.DataFrame | None:
    """Rows that are drawn, parameters in words; None where there are none."""
    table = correlations_of_most(folder, MOST_CORRELATED)
    if table is None or table.empty:
        return None
    words = folder.parameter_names.words
    return table.assign(**{name: table[name].map(words) for name in ("parameter", "parameter_2")})


def _with_band(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["simulated_low"].notna() & table["correlation"].notna()]


def _leaving_the_band(known: pd.DataFrame) -> str:
    """How many correlations leave the band that the model expects."""
    words = tr(PARAMETER_CORRELATIONS)
    inside = known["correlation"].between(known["simulated_low"], known["simulated_high"])
    if len(known) == 1:
        return words["inside" if inside.all() else "outside"]
    outside, kept = int((~inside).sum()), int((known["p_adjusted"] < 0.05).sum())
    return words["band"].format(
        outside=outside or tr("none"), all=len(known), chance=number(0.05 * len(known), 2),
        kept=kept or tr("none"),
    )  # fmt: skip


def people_map(
    folder: RunFolder, *, covariate: str | None = None, tested: PersonParameters | None = None
) -> RunFigure:
    """People on two components, coloured by a covariate or by their number of observations.

    `tested` are the parameters that are tested against covariates, where they are at hand.
    """
    places, shares = person_map(tested or person_parameters(folder))
    name, side = "observations", None
    if covariate is not None:
        name, side = covariate, folder.covariates[covariate]
    else:
        rows = of_persons(folder.table("random_effects")).drop_duplicates("person")
        side = rows.set_index("person")["n_obs"]
    sentence = tr(PERSON_MAP).format(share=f"{100 * sum(shares):.0f}")
    arguments = {"places": places, "shares": shares, "covariate": side, "covariate_name": name}
    title = tr("People by {name}").format(name=name)
    return RunFigure("person_map", title, sentence, arguments)
