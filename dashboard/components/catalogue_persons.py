"""Figures of all persons at once, of groups and of pairs, with their sentences."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dashboard.components.figures import Figure, as_shown
from dashboard.services import people, results
from dashboard.services.terms import CORRELATIONS, MOVE
from dashboard.words.effects import PARAMETER_CORRELATIONS, PERSON_MAP, RELIABILITY
from dashboard.words.transitions import (
    DWELL,
    GROUP_MEANS,
    ORDERS,
    PLAIN_READOUT,
    READOUTS,
    RIBBON,
    TWO_LIMIT,
)
from nme_core.figures import described
from nme_core.figures.figures_moves import RAREST, rarest_drawn
from nme_core.figures.words import ARROWS, MULTIPLES
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import fixed, number, p_phrase
from nme_core.vocabulary.text import count

#: Persons whose small matrices stand on one page.
A_PAGE = 12


def multiples_figure(run: str, readout: str, by: str, page: int) -> Figure:
    """One page of all persons' matrices."""
    persons = people.order(run, by)
    shown = persons[(page - 1) * A_PAGE : page * A_PAGE]
    notes = {}
    if by not in ORDERS:
        values = results.covariates(run)[by].reindex(shown)
        notes = {person: f"({_written(value)})" for person, value in values.items()}
    first = (page - 1) * A_PAGE + 1
    sentence = tr(MULTIPLES).format(
        shown=tr("People {first} to {shown}").format(first=first, shown=first + len(shown) - 1),
        all=len(persons),
        order=tr(ORDERS).get(by, f"ordered by {by}, lowest first"),
    )
    arguments = {
        "matrices": people.matrices(run, readout, shown), "readout": readout, "notes": notes,
    }  # fmt: skip
    return Figure(
        "transition_multiples",
        tr("People by {by}, page {page}").format(by=by, page=page),
        sentence,
        arguments,
    )


def group_transition_figure(
    run: str,
    readout: str,
    covariate: str,
    *,
    verdict: str | None = None,
    effects: pd.DataFrame | None = None,
) -> Figure | None:
    """Mean matrices of groups by a covariate; None where it makes no groups.

    With the verdict of a test, and its effects of single moves, the sentence says what the test
    does and no more; without one it describes the largest difference.
    """
    groups = people.group_matrices(run, readout, covariate)
    if groups is None:
        return None
    parts = [
        _largest_of_groups(groups, readout)
        if verdict is None
        else _tested_of_groups(groups, readout, covariate, verdict, effects),
        _left_out(groups, covariate),
        tr(GROUP_MEANS)["limit"] if verdict is None else "",
        tr(GROUP_MEANS)["pulled"] if readout != "observed" else "",
    ]
    arguments = {
        "groups": groups.means, "readout": readout, "covariate": covariate,
        "contrast": groups.contrast, "intervals": groups.intervals, "sizes": groups.sizes,
    }  # fmt: skip
    sentence = " ".join(part for part in parts if part)
    return Figure(
        "group_transitions",
        tr("Transitions by {covariate}").format(covariate=covariate),
        sentence,
        arguments,
    )


def _largest_of_groups(groups: people.Groups, readout: str) -> str:
    size = groups.difference.stack().abs()
    start, end = size.idxmax()
    return tr(GROUP_MEANS)["differ"].format(**_cell_of_groups(groups, readout, start, end))


def _tested_of_groups(
    groups: people.Groups,
    readout: str,
    covariate: str,
    verdict: str,
    effects: pd.DataFrame | None,
) -> str:
    """What a test says of single moves: the clearest one, in the direction that groups show too."""
    words = tr(GROUP_MEANS)
    if verdict != "beyond":
        return words[verdict]
    if effects is None or "p_family" not in effects:
        return words["together"]
    for row in effects.sort_values(["p_family", "p"], kind="stable").to_dict("records"):
        found = MOVE.fullmatch(str(row["parameter"]))
        if not row["p_family"] < 0.05 or found is None or found[1].count(",") != 1:
            continue
        start, end = found[1].split(",")
        gap = groups.difference.loc[start, end]
        low, high = (one.loc[start, end] for one in groups.intervals[groups.contrast])
        opposite = row["kind"] in CORRELATIONS and gap * row["effect"] >= 0  # lowest − highest
        if opposite or low <= 0 <= high:
            continue  # what the figure shows would say something else
        about = _cell_of_groups(groups, readout, start, end)
        return words["beyond"].format(covariate=covariate, p=p_phrase(row["p_family"]), **about)
    return words["together"]


def _cell_of_groups(groups: people.Groups, readout: str, start: str, end: str) -> dict[str, str]:
    """One cell of the first and the last group, and their difference, as text."""
    names = list(groups.means)
    lowest, highest = (groups.means[name][1].loc[start, end] for name in (names[0], names[-1]))
    low, high = (float(one.loc[start, end]) for one in groups.intervals[groups.contrast])
    known = np.isfinite([low, high]).all()
    return {
        "word": tr(READOUTS)[readout][0],
        "start": start,
        "end": end,
        "low": fixed(lowest, 2),
        "first": names[0],
        "high": fixed(highest, 2),
        "last": names[-1],
        "contrast": groups.contrast,
        "gap": fixed(groups.difference.loc[start, end], 2),
        "interval": tr(" (95 % interval {low} to {high})").format(
            low=fixed(low, 2), high=fixed(high, 2)
        )
        if known
        else "",
    }


def _left_out(groups: people.Groups, covariate: str) -> str:
    """How many persons are in no group, and why; nothing where all are in one."""
    words = tr(GROUP_MEANS)
    both = ((groups.kind, groups.n_outside), ("unknown", groups.n_unknown))
    why = [(words[name].format(covariate=covariate), n) for name, n in both if n]
    if not why:
        return ""
    said = [reason if len(why) == 1 else f"{n} {reason}" for reason, n in why]
    n = sum(n for _, n in why)
    return words["left_out"].format(n=n, all=groups.n_persons, why=", ".join(said))


def arrows_figure(run: str, person: str, readout: str) -> Figure:
    """Arrows between states, the person's beside the population's."""
    drawn = PLAIN_READOUT if readout == "scores" else readout
    found = results.transitions(run, person, drawn)
    matrices = {
        tr("Person {person}").format(person=person): found.person,
        tr("Population"): found.population,
    }
    rarest = rarest_drawn(matrices)
    sentence = tr(ARROWS)["drawn"].format(
        word=tr(READOUTS)[drawn][0],
        instead=tr(ARROWS)["instead"] if drawn != readout else "",
        rarest=f"{rarest:.2f}".removeprefix("0"),
        why=tr(ARROWS)["many"] if rarest > RAREST else "",
    )
    return Figure(
        "transition_arrows",
        tr("Moves of {person}").format(person=person),
        sentence,
        {"matrices": matrices},
    )


def dwell_figure(run: str, person: str) -> Figure:
    """How long states are kept, by the person and in the population."""
    table = people.dwell_times(run, person)
    stays = table.set_index(["who", "how", "state"])
    own, shared = tr("person {person}").format(person=person), tr("population")
    gap = (stays.loc[(own, "expected"), "steps"] - stays.loc[(shared, "expected"), "steps"]).abs()
    parts = [tr(DWELL)["what"]]
    if gap.notna().any():
        state = str(gap.idxmax())
        one, other = (_stay(stays.loc[who].xs(state, level="state")) for who in (own, shared))
        parts.append(
            tr(
                "The largest difference is in {state}: {one} for {own}; {other} in the {shared}."
            ).format(state=state, one=one, own=own, other=other, shared=shared)
        )
    sentence = " ".join([*parts, tr(DWELL)["limit"]])
    return Figure(
        "dwell_times",
        tr("Dwell times of {person}").format(person=person),
        sentence,
        {"table": table},
    )


def two_persons_figure(run: str, first: str, second: str, readout: str) -> Figure:
    """Two persons' matrices and their difference."""
    one, other = (results.transitions(run, name, readout) for name in (first, second))
    leading = tuple(state for state in one.leading or () if state in (other.leading or ()))
    both = results.Transitions(one.person, other.person, None, leading)
    largest = results.largest_difference(both)
    what = tr("{first} and {second} do not differ.").format(first=first, second=second)
    if not leading:
        what = tr(
            "{first} and {second} were in no state often enough to be compared there."
        ).format(first=first, second=second)
    if largest is not None:
        start, end, own, others = largest
        what = tr(
            "The largest difference is {start} to {end}: {own} for person {first}, "
            "{others} for person {second}."
        ).format(
            start=start,
            end=end,
            own=fixed(own, 2),
            first=first,
            others=fixed(others, 2),
            second=second,
        )
    arguments = {
        "person": one.person, "population": other.person, "person_label": first, "other": second,
        "readout": readout, "counts": one.counts, "other_counts": other.counts,
        "limit": results.largest_gap(run, readout),
    }  # fmt: skip
    title = tr("Transitions of {first} and {second}").format(first=first, second=second)
    return Figure("transition_comparison", title, f"{what} {tr(TWO_LIMIT)}", arguments)


def ribbon_figure(run: str, person: str, rows: pd.DataFrame) -> Figure:
    """A person's states in all sequences, with the model's probabilities."""
    states = [name.removeprefix("p_") for name in rows.columns if name.startswith("p_")]
    unseen, n = int((rows["split"] != "train").sum()), rows["sequence"].nunique()
    words = tr(RIBBON)
    fitted = words["all" if not unseen else "none" if unseen == len(rows) else "part"]
    sentence = words["steps"].format(
        steps=count(len(rows), "step"),
        person=person,
        sequences=words["sequences"].format(n=n) if n > 1 else "",
        fitted=fitted.format(n=unseen),
    )
    arguments = {"rows": rows, "person": person, "states": states}
    return Figure(
        "state_ribbon", tr("States of {person}").format(person=person), sentence, arguments
    )


def caterpillar_figure(run: str, parameter: str) -> Figure:
    """Everybody's estimate with its interval."""
    return level_figure(results.random_effect(run, parameter), results.names(run).words(parameter))


def level_figure(rows: pd.DataFrame, name: str) -> Figure:
    """Everybody's difference from the population in one respect, persons as index."""
    return as_shown(described.caterpillar(rows, name))


def qq_figure(run: str, parameter: str) -> Figure:
    """Estimates against a normal distribution."""
    estimates = results.random_effect(run, parameter)["estimate"]
    return as_shown(described.quantiles(estimates, results.names(run).words(parameter)))


def correlation_figures(run: str, table: pd.DataFrame) -> list[Figure]:
    """Correlations of estimates across parameters; with a band, the pairs that leave it furthest.

    ``table`` has the rows of ``correlations`` that are shown.
    """
    words = results.names(run).words
    table = table.assign(**{name: table[name].map(words) for name in ("parameter", "parameter_2")})
    title, arguments = tr("Correlations across parameters"), {"table": table}
    size = table["correlation"].abs()
    sentence = tr("No estimate varies over people.")
    if size.notna().any():
        largest = table.loc[size.idxmax()]
        sentence = tr(PARAMETER_CORRELATIONS)["largest"].format(
            value=fixed(largest["correlation"], 2),
            pair=tr("{parameter} and {parameter_2}").format(
                parameter=largest["parameter"], parameter_2=largest["parameter_2"]
            ),
            own=fixed(largest["model_correlation"], 2),
        )
    known = table[table["simulated_low"].notna() & table["correlation"].notna()]
    if known.empty:
        sentence = f"{sentence} {tr(PARAMETER_CORRELATIONS)['unknown']}"
        return [Figure("effect_correlations", title, sentence, arguments)]
    diagonal = results.run_folder(run).config["covariance"] == "diagonal"
    meaning = tr(PARAMETER_CORRELATIONS)["diagonal" if diagonal else "full"]
    if results.stopped_early(run):
        meaning = f"{meaning} {tr(PARAMETER_CORRELATIONS)['stopped']}"
    band = _band_sentence(known)
    return [
        Figure("effect_correlations", title, f"{sentence} {band}", arguments),
        Figure("correlation_bands", tr("Correlations and their bands"), meaning, {"table": known}),
    ]


def _band_sentence(known: pd.DataFrame) -> str:
    """How many correlations leave the band that the model expects."""
    inside = known["correlation"].between(known["simulated_low"], known["simulated_high"])
    if len(known) == 1:
        where = "inside" if inside.all() else "outside"
        return tr(PARAMETER_CORRELATIONS)["one"].format(where=where)
    outside, kept = int((~inside).sum()), int((known["p_adjusted"] < 0.05).sum())
    return tr(PARAMETER_CORRELATIONS)["band"].format(
        outside=outside or tr("None"), all=len(known), chance=number(0.05 * len(known), 2),
        kept=kept or tr("none"), s="" if kept > 1 else "s",
    )  # fmt: skip


def reliability_figure(run: str, parameter: str) -> Figure:
    """Reliability against the number of observations."""
    rows = results.random_effect(run, parameter)
    words = tr(RELIABILITY)
    sides = rows[["n_obs", "reliability"]].dropna()
    median = fixed(sides["reliability"].median(), 2)
    goes = words["same"]
    if (sides.nunique() > 1).all():
        rho = sides["n_obs"].corr(sides["reliability"], method="spearman")
        goes = words["rho"].format(rho=fixed(float(rho), 2))
    sentence = f"{words['what'].format(median=median)} {goes}"
    name = results.names(run).words(parameter)
    arguments = {"rows": rows, "parameter": name}
    return Figure(
        "reliability_by_observations",
        tr("Reliability {name}").format(name=name),
        sentence,
        arguments,
    )


def map_figure(run: str, covariate: str | None) -> Figure:
    """Persons on two components, coloured by a covariate or by their number of observations."""
    places, shares = people.person_map(run)
    if covariate is None:
        rows = results.effects(run).drop_duplicates("person").set_index("person")
        name, side = "observations", rows["n_obs"]
    else:
        name, side = covariate, results.covariates(run)[covariate]
    sentence = tr(PERSON_MAP).format(share=f"{100 * sum(shares):.0f}")
    arguments = {"places": places, "shares": shares, "covariate": side, "covariate_name": name}
    return Figure("person_map", tr("People by {name}").format(name=name), sentence, arguments)


def _stay(stays: pd.DataFrame) -> str:
    """Expected and observed length of a stay in words; one row for each."""
    steps, low, high = stays.loc["expected", ["steps", "low", "high"]].astype(float)
    counted = float(stays.loc["observed", "steps"])
    ends = ""
    if np.isfinite([low, high]).all():
        ends = tr(" (95 % interval {low} to {high})").format(
            low=number(low, 2), high=number(high, 2)
        )
    seen = (
        tr("{counted} observed").format(counted=number(counted, 2))
        if np.isfinite(counted)
        else tr(DWELL)["never"]
    )
    return tr("{steps} steps expected{ends}, {seen}").format(
        steps=number(steps, 2), ends=ends, seen=seen
    )


def _written(value: object) -> str:
    if pd.isna(value):
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)
