"""Figures of all persons at once, of groups and of pairs, with their sentences."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dashboard import glossary
from dashboard.components.figures import Figure
from dashboard.components.text import fixed, number
from dashboard.services import people, results

#: Persons whose small matrices stand on one page.
A_PAGE = 12


def multiples_figure(run: str, readout: str, by: str, page: int) -> Figure:
    """One page of all persons' matrices."""
    persons = people.order(run, by)
    shown = persons[(page - 1) * A_PAGE : page * A_PAGE]
    notes = {}
    if by not in glossary.ORDERS:
        values = results.covariates(run)[by].reindex(shown)
        notes = {person: f"({_written(value)})" for person, value in values.items()}
    first = (page - 1) * A_PAGE + 1
    sentence = glossary.MULTIPLES.format(
        shown=f"Persons {first} to {first + len(shown) - 1}",
        all=len(persons),
        order=glossary.ORDERS.get(by, f"ordered by {by}, lowest first"),
    )
    arguments = {
        "matrices": people.matrices(run, readout, shown), "readout": readout, "notes": notes,
    }  # fmt: skip
    return Figure("transition_multiples", f"Persons by {by}, page {page}", sentence, arguments)


def group_transition_figure(run: str, readout: str, covariate: str) -> Figure | None:
    """Mean matrices of groups by a covariate; None where it makes no groups."""
    groups = people.group_matrices(run, readout, covariate)
    if groups is None:
        return None
    names = list(groups)
    difference = (groups[names[-1]][1] - groups[names[0]][1]).stack()
    start, end = difference.abs().idxmax()
    sentence = (
        f"The groups' means differ most in {start} to {end}: "
        f"{fixed(groups[names[0]][1].loc[start, end], 2)} ({names[0]}), "
        f"{fixed(groups[names[-1]][1].loc[start, end], 2)} ({names[-1]}). {glossary.GROUP_LIMIT}"
    )
    arguments = {"groups": groups, "readout": readout, "covariate": covariate}
    return Figure("group_transitions", f"Transitions by {covariate}", sentence, arguments)


def arrows_figure(run: str, person: str, readout: str) -> Figure:
    """Arrows between states, the person's beside the population's."""
    found = results.transitions(run, person, readout)
    matrices = {f"Person {person}": found.person, "Population": found.population}
    return Figure(
        "transition_arrows", f"Moves of {person}", glossary.ARROWS, {"matrices": matrices}
    )


def dwell_figure(run: str, person: str) -> Figure:
    """How long states are kept, by the person and in the population."""
    found = results.transitions(run, person, "conditional")
    ends = people.intervals(run, person, "conditional")
    states = list(found.population.index)
    rows = []
    for who, matrix in ((f"person {person}", found.person), ("population", found.population)):
        own = ends if who != "population" else None
        for state in states:
            low, high = (np.nan, np.nan) if own is None else (m.loc[state, state] for m in own)
            rows.append((state, who, _steps(matrix.loc[state, state]), _steps(low), _steps(high)))
    table = pd.DataFrame(rows, columns=["state", "who", "steps", "low", "high"])
    wide = table.pivot(index="state", columns="who", values="steps")
    gap = (wide[f"person {person}"] - wide["population"]).abs()
    state = gap.idxmax()
    largest = (
        f"The largest difference is in {state}: {number(wide.loc[state, f'person {person}'], 2)} "
        f"steps for person {person}, {number(wide.loc[state, 'population'], 2)} in the population."
    )
    sentence = glossary.DWELL.format(largest=largest)
    return Figure("dwell_times", f"Dwell times of {person}", sentence, {"table": table})


def two_persons_figure(run: str, first: str, second: str, readout: str) -> Figure:
    """Two persons' matrices and their difference."""
    one, other = (results.transitions(run, name, readout) for name in (first, second))
    largest = results.largest_difference(results.Transitions(one.person, other.person, None))
    what = f"{first} and {second} do not differ."
    if largest is not None:
        start, end, own, others = largest
        what = (
            f"The largest difference is {start} to {end}: {number(own, 2)} for person {first}, "
            f"{number(others, 2)} for person {second}."
        )
    arguments = {
        "person": one.person, "population": other.person, "person_label": first, "other": second,
        "readout": readout, "counts": one.counts, "limit": results.largest_gap(run, readout),
    }  # fmt: skip
    title = f"Transitions of {first} and {second}"
    return Figure("transition_comparison", title, f"{what} {glossary.TWO_LIMIT}", arguments)


def ribbon_figure(run: str, person: str, rows: pd.DataFrame) -> Figure:
    """One sequence of a person, with the model's probabilities."""
    states = [name.removeprefix("p_") for name in rows.columns if name.startswith("p_")]
    unseen = int((rows["split"] != "train").sum())
    sentence = glossary.RIBBON.format(n=len(rows), person=person, test=unseen)
    arguments = {"rows": rows, "person": person, "states": states}
    return Figure("state_ribbon", f"States of {person}", sentence, arguments)


def caterpillar_figure(run: str, parameter: str) -> Figure:
    """Everybody's estimate with its interval."""
    rows = results.random_effect(run, parameter)
    apart = int(((rows["ci_low"] > 0) | (rows["ci_high"] < 0)).sum())
    sentence = glossary.CATERPILLAR.format(
        apart=apart or "None", all=len(rows), limit=glossary.EFFECT_LIMIT
    )
    name = results.names(run).words(parameter)
    arguments = {"rows": rows, "parameter": name}
    return Figure("caterpillar", f"Persons' {name}", sentence, arguments)


def qq_figure(run: str, parameter: str) -> Figure:
    """Estimates against a normal distribution."""
    estimates = results.random_effect(run, parameter)["estimate"]
    name = results.names(run).words(parameter)
    figure = Figure("effect_qq", f"Q–Q {name}", "", {"estimates": estimates, "parameter": name})
    table = figure.numbers()
    outside = int(((table["observed"] < table["low"]) | (table["observed"] > table["high"])).sum())
    sentence = glossary.QQ.format(outside=outside or "None", all=len(table))
    return Figure(figure.name, figure.title, sentence, figure.arguments)


def correlation_figures(run: str, table: pd.DataFrame) -> list[Figure]:
    """Correlations of estimates across parameters; with a band, the pairs that leave it furthest.

    ``table`` has the rows of ``correlations`` that are shown.
    """
    words = results.names(run).words
    table = table.assign(**{name: table[name].map(words) for name in ("parameter", "parameter_2")})
    title, arguments = "Correlations across parameters", {"table": table}
    size = table["correlation"].abs()
    sentence = "No estimate varies over persons."
    if size.notna().any():
        largest = table.loc[size.idxmax()]
        sentence = glossary.CORRELATIONS["largest"].format(
            value=fixed(largest["correlation"], 2),
            pair=f"{largest['parameter']} and {largest['parameter_2']}",
            own=fixed(largest["model_correlation"], 2),
        )
    known = table[table["simulated_low"].notna() & table["correlation"].notna()]
    if known.empty:
        sentence = f"{sentence} {glossary.CORRELATIONS['unknown']}"
        return [Figure("effect_correlations", title, sentence, arguments)]
    meaning = glossary.CORRELATIONS[results.run_folder(run).config["covariance"]]
    if results.stopped_early(run):
        meaning = f"{meaning} {glossary.CORRELATIONS['stopped']}"
    band = _band_sentence(known)
    return [
        Figure("effect_correlations", title, f"{sentence} {band}", arguments),
        Figure("correlation_bands", "Correlations and their bands", meaning, {"table": known}),
    ]


def _band_sentence(known: pd.DataFrame) -> str:
    """How many correlations leave the band that the model expects."""
    inside = known["correlation"].between(known["simulated_low"], known["simulated_high"])
    if len(known) == 1:
        where = "inside" if inside.all() else "outside"
        return glossary.CORRELATIONS["one"].format(where=where)
    outside, kept = int((~inside).sum()), int((known["p_adjusted"] < 0.05).sum())
    return glossary.CORRELATIONS["band"].format(
        outside=outside or "None", all=len(known), chance=number(0.05 * len(known), 2),
        kept=kept or "none", s="" if kept > 1 else "s",
    )  # fmt: skip


def reliability_figure(run: str, parameter: str) -> Figure:
    """Reliability against the number of observations."""
    rows = results.random_effect(run, parameter)
    words = glossary.RELIABILITY
    sides = rows[["n_obs", "reliability"]].dropna()
    median = fixed(sides["reliability"].median(), 2)
    goes = words["same"]
    if (sides.nunique() > 1).all():
        rho = sides["n_obs"].corr(sides["reliability"], method="spearman")
        goes = words["rho"].format(rho=fixed(float(rho), 2))
    sentence = f"{words['what'].format(median=median)} {goes}"
    name = results.names(run).words(parameter)
    arguments = {"rows": rows, "parameter": name}
    return Figure("reliability_by_observations", f"Reliability {name}", sentence, arguments)


def map_figure(run: str, covariate: str | None) -> Figure:
    """Persons on two components, coloured by a covariate or by their number of observations."""
    places, shares = people.person_map(run)
    if covariate is None:
        rows = results.effects(run).drop_duplicates("person").set_index("person")
        name, side = "observations", rows["n_obs"]
    else:
        name, side = covariate, results.covariates(run)[covariate]
    sentence = glossary.PERSON_MAP.format(share=f"{100 * sum(shares):.0f}")
    arguments = {"places": places, "shares": shares, "covariate": side, "covariate_name": name}
    return Figure("person_map", f"Persons by {name}", sentence, arguments)


def _steps(staying: float) -> float:
    """Expected number of steps in a state that is kept with this probability."""
    return 1 / (1 - staying) if staying < 1 else np.nan


def _written(value: object) -> str:
    if pd.isna(value):
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)
