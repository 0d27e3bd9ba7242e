"""The sections of the page Random effects."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.components.context import empty
from dashboard.components.figures import show
from dashboard.components.links import go
from dashboard.components.text import plain
from dashboard.services import people, results
from dashboard.services.figures import figure, outcome_name
from dashboard.services.runs import Run
from dashboard.words.effects import (
    EFFECT_COLUMNS,
    ESTIMATE_UNITS,
    ESTIMATES,
    FACTOR,
    FACTOR_PERSONS,
    FACTORS,
    FURTHEST,
    LEVEL_OF_ALL,
    LEVELS,
    PARAMETER_NAMES,
    PLAIN_FURTHEST,
    RESIDUAL,
)
from nme_core.figures.moves_of_person import move_words, short_move
from nme_core.figures.of_effects import MOST_CORRELATED
from nme_core.figures.words_moves import PLAIN_READOUT
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import estimate, fixed, number
from nme_core.vocabulary.text import count

#: Persons of whom is said in words in what they differ.
_FURTHEST = 5


def estimates(run: str) -> None:
    """What all persons share, and how much they differ from it, as one table."""
    table = results.shared_by_all(run)
    spreads = [name for name in table.columns if name.startswith("sd")]
    shared, ends = _with_intervals(table, "estimate", "ci")
    words = {"sd": tr("SD between people"), "reliability": tr("mean reliability")}
    shown = pd.DataFrame(
        {
            tr("parameter"): table["parameter"].map(results.names(run).words),
            tr("shared by all"): shared,
            tr("95 % interval"): ends,
            **{words.get(name, name.replace("sd", "SD", 1)): table[name].map(number)
               for name in spreads},
            **_between(table),
            words["reliability"]: table["reliability"].map(lambda value: fixed(value, 2)),
        }
    )  # fmt: skip
    st.dataframe(shown, hide_index=True, height=min(38 + 35 * len(shown), 560))
    linear = results.is_linear(run)
    st.caption(tr(ESTIMATES).format(units=tr(ESTIMATE_UNITS)["data" if linear else "standard"]))
    residual = results.residual(run)
    if residual is not None:
        sd, icc = residual
        st.markdown(tr(RESIDUAL).format(sd=number(sd), icc=fixed(icc, 2)))


def _between(table: pd.DataFrame) -> dict[str, list[str]]:
    """The SD between persons and its interval, where there is one."""
    if "between_low" not in table or table["between_low"].isna().all():
        return {}
    sd, ends = _with_intervals(table, "sd", "between")
    return {tr("SD between people"): sd, tr("95 % interval of the SD"): ends}


def _with_intervals(table: pd.DataFrame, column: str, ends: str) -> tuple[list[str], list[str]]:
    """Numbers of a column and their intervals, each pair with the same decimals."""
    rows = zip(table[column], table[f"{ends}_low"], table[f"{ends}_high"], strict=True)
    said = [estimate(*row) for row in rows]
    return [value for value, _ in said], [limits for _, limits in said]


def levels_and_slopes(run: Run) -> None:
    """What is each person's own in terms of the outcome, one effect at a time."""
    table = results.table(run.id, "person_effects")
    shared = table[table["person"] == results.POPULATION].set_index("effect")
    words = results.names(run.id).words
    effect = st.selectbox(
        tr("Level or slope"), list(shared.index), key="effect", persist_state="session",
        format_func=words,
    )  # fmt: skip
    row = shared.loc[effect]
    value, limits = estimate(row["estimate"], row["ci_low"], row["ci_high"])
    said = tr(LEVEL_OF_ALL).format(
        effect=words(effect), value=value, interval=f" {limits}" if pd.notna(row["se"]) else ""
    )
    st.markdown(plain(said))
    show(figure(run.id, "levels", effect=effect))
    st.caption(tr(LEVELS))


def one_parameter(run: str, names: list[str]) -> None:
    """Distribution, caterpillar, Q–Q and reliability of one parameter."""
    words = results.names(run).words
    parameter = st.selectbox(
        tr("Parameter (most informative first)"),
        names,
        key="parameter",
        persist_state="session",
        format_func=words,
        help=tr(PARAMETER_NAMES),
    )
    rows = results.random_effect(run, parameter)
    kinds = ("random-effects", "caterpillar", "normality", "reliability")
    figures = [figure(run, kind, parameter=parameter) for kind in kinds]
    for place, drawn in zip([*st.columns(2), *st.columns(2)], filter(None, figures), strict=False):
        with place:
            show(drawn)
    with st.expander(tr("All people")):
        shown = rows.reset_index().drop(columns="parameter")
        st.dataframe(
            shown.style.format(_cell(number), subset=["estimate", "se"]).format(
                _cell(partial(fixed, decimals=2)), subset=["reliability"]
            ),
            hide_index=True,
            column_config=tr(EFFECT_COLUMNS),
        )


def _cell(write: Callable[[float], str]) -> Callable[[object], str]:
    """Write a cell of a table of numbers."""
    return lambda value: write(float(str(value)))


def choose_factor(run: str) -> str | None:
    """Which grouping factor is looked at; None for the persons."""
    factors = results.factors(run)
    if len(factors) < 2:
        return None
    chosen = st.segmented_control(
        tr("Differences between"),
        factors,
        default=factors[0],
        required=True,
        key="factor",
        format_func=lambda name: (
            tr("people") if name == factors[0] else tr("groups of {name}").format(name=name)
        ),
        help=tr(FACTORS),
    )
    return None if chosen == factors[0] else chosen


def another_factor(run: str, factor: str) -> None:
    """How groups of a further factor differ: one parameter, its variance, and every group."""
    names = list(dict.fromkeys(results.effects(run, factor)["parameter"]))
    words = results.names(run).words
    parameter = st.selectbox(
        tr("Parameter"), names, key="factor_parameter", format_func=words,
        help=tr(PARAMETER_NAMES),
    )  # fmt: skip
    rows = results.random_effect(run, parameter, factor)
    own = results.variance(run, parameter, factor) ** 0.5
    sentence = tr(FACTOR).format(
        parameter=words(parameter), factor=factor, n=len(rows), own=number(own, 2)
    )
    persons = results.random_effect(run, parameter)
    if len(persons):
        between = number(results.variance(run, parameter) ** 0.5, 2)
        sentence = f"{sentence} {tr(FACTOR_PERSONS).format(between=between)}"
    st.markdown(plain(sentence))
    shown = rows.reset_index()[["person", "n_obs", "estimate", "se", "reliability"]]
    st.dataframe(
        pd.DataFrame(
            {
                factor: shown["person"],
                tr("observations"): shown["n_obs"],
                tr("difference from the population"): shown["estimate"].map(number),
                tr("standard error"): shown["se"].map(number),
                tr("reliability"): shown["reliability"].map(lambda value: fixed(value, 2)),
            }
        ),
        hide_index=True,
    )


def across_parameters(run: str, names: list[str]) -> None:
    """Correlations of the most informative parameters."""
    if len(names) < 2:
        empty("one_parameter")
    drawn = figure(run, "correlations")
    if drawn is None:
        empty("no_correlations")
    show(drawn)
    show(figure(run, "correlation-bands"))
    if len(names) > MOST_CORRELATED:
        st.caption(
            tr("The {most_correlated} most informative of {names} parameters.").format(
                most_correlated=MOST_CORRELATED, names=len(names)
            )
        )


def persons(run: str) -> None:
    """The map of persons, and those far out."""
    _map(run)
    st.header(tr("Furthest from the population"), anchor=False)
    table = people.furthest(run)
    table = table.assign(
        parameter=table["parameter"].map(results.names(run).words),
        distance=table["distance"].map(lambda value: fixed(value, 2)),
        in_sd=table["in_sd"].map(lambda value: fixed(value, 2)),
    )
    words = {
        "parameter": tr("largest deviation"),
        "in_sd": tr("in SDs"),
        "n_obs": tr("observations"),
    }
    if results.has_table(run, "transitions"):
        moves = [people.largest_move(run, str(who), PLAIN_READOUT) for who in table["person"]]
        table.insert(2, "moves", ["–" if move is None else short_move(move) for move in moves])
        words |= {
            "moves": tr("largest difference in moves"),
            "parameter": tr("largest deviation in score"),
        }
    st.dataframe(table.rename(columns=words), hide_index=True, width="content")
    st.caption(tr(FURTHEST))


def persons_plainly(run: Run) -> None:
    """The few persons furthest from the population: in what, how certain, and the way to them."""
    st.header(tr(PLAIN_FURTHEST)["title"], anchor=False)
    curves = run.model != "nme-crf" and results.has_table(run.id, "response_curves")
    found = (people.furthest_in_level if curves else people.furthest)(run.id, _FURTHEST)
    for row in found.to_dict("records"):
        person = str(row["person"])
        words, button = st.columns([5, 1.2], vertical_alignment="center")
        words.markdown(
            tr("**{person}** ({observations}): {respect}").format(
                person=plain(person),
                observations=count(row["n_obs"], "observation"),
                respect=plain(respect(run, person)),
            )
        )
        with button:
            _way_to(run, person)
    st.caption(tr(PLAIN_FURTHEST)["limit" if run.model == "nme-crf" else "limit_curves"])


def _way_to(run: Run, person: str) -> None:
    """A button that leads to the person: to Transitions, or to the response curves here."""
    label, key = tr("Look at {person}").format(person=plain(person)), f"look_{person}"
    if run.model != "nme-crf":
        st.button(label, key=key, on_click=state.look_at, args=(person, "curves"), width="stretch")
    elif st.button(label, key=key, width="stretch"):
        state.look_at(person)
        go("transitions")


def respect(run: Run, person: str) -> str:
    """In what a person differs most from the population, with how certain that is."""
    if run.model == "nme-crf":
        move = people.largest_move(run.id, person, PLAIN_READOUT)
        return tr(PLAIN_FURTHEST)["unknown"] if move is None else move_words(move, PLAIN_READOUT)
    if not results.has_table(run.id, "response_curves"):
        return tr(PLAIN_FURTHEST)["unknown"]
    found = people.level(run.id, person)
    if found is None or found.difference == 0:
        return tr(PLAIN_FURTHEST)["unknown"]
    what = (
        tr("probability of {label}").format(label=found.label) if found.label else outcome_name(run)
    )
    return tr(PLAIN_FURTHEST)["level"].format(
        what=what, feature=found.feature, by=number(abs(found.difference), 2),
        way=tr("higher") if found.difference > 0 else tr("lower"),
    )  # fmt: skip


def _map(run: str) -> None:
    covariates = list(results.covariates(run).columns)
    chosen = st.selectbox(
        tr("Colour"), [None, *covariates], key="map_colour",
        format_func=lambda name: tr("number of observations") if name is None else name,
    )  # fmt: skip
    show(figure(run, "map", covariate=chosen))
