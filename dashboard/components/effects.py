"""The sections of the page Random effects."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.components import catalogue_persons as catalogue
from dashboard.components.catalogue import random_effect_figure
from dashboard.components.context import empty
from dashboard.components.figures import show
from dashboard.components.text import fixed, interval, number, plain
from dashboard.glossary import (
    ESTIMATE_UNITS,
    ESTIMATES,
    FACTOR,
    FACTOR_PERSONS,
    FACTORS,
    FURTHEST,
    PARAMETER_NAMES,
    PLAIN_FURTHEST,
    RESIDUAL,
)
from dashboard.services import people, results

#: So many parameters, the most informative, are correlated with each other.
MOST_CORRELATED = 16


def estimates(run: str) -> None:
    """What all persons share, and how much they differ from it, as one table."""
    table = results.shared(run)
    spreads = [name for name in table.columns if name.startswith("sd")]
    words = {"sd": "SD between persons", "reliability": "mean reliability"}
    shown = pd.DataFrame(
        {
            "parameter": table["parameter"].map(results.names(run).words),
            "shared by all": table["estimate"].map(number),
            "95 % interval": [
                interval(low, high)
                for low, high in zip(table["ci_low"], table["ci_high"], strict=True)
            ],
            **{words.get(name, name.replace("sd", "SD", 1)): table[name].map(number)
               for name in spreads},
            words["reliability"]: table["reliability"].map(lambda value: fixed(value, 2)),
        }
    )  # fmt: skip
    st.dataframe(shown, hide_index=True, height=min(38 + 35 * len(shown), 560))
    linear = not results.run_folder(run).config["hidden"]
    st.caption(ESTIMATES.format(units=ESTIMATE_UNITS["data" if linear else "standard"]))
    residual = results.residual(run)
    if residual is not None:
        sd, icc = residual
        st.markdown(RESIDUAL.format(sd=number(sd), icc=fixed(icc, 2)))


def one_parameter(run: str, names: list[str]) -> None:
    """Distribution, caterpillar, Q–Q and reliability of one parameter."""
    words = results.names(run).words
    parameter = st.selectbox(
        "Parameter (most informative first)",
        names,
        key="parameter",
        persist_state="session",
        format_func=words,
        help=PARAMETER_NAMES,
    )
    left, right = st.columns(2)
    with left:
        show(random_effect_figure(run, parameter))
        show(catalogue.qq_figure(run, parameter))
    rows = results.random_effect(run, parameter)
    with right:
        show(catalogue.caterpillar_figure(run, parameter))
        if rows["reliability"].notna().any():
            show(catalogue.reliability_figure(run, parameter))
    with st.expander("All persons"):
        shown = rows.reset_index().drop(columns="parameter")
        st.dataframe(
            shown.style.format(number, subset=["estimate", "se"]).format(
                lambda value: fixed(value, 2), subset=["reliability"]
            ),
            hide_index=True,
        )


def choose_factor(run: str) -> str | None:
    """Which grouping factor is looked at; None for the persons."""
    factors = results.factors(run)
    if len(factors) < 2:
        return None
    chosen = st.segmented_control(
        "Differences between", factors, default=factors[0], required=True, key="factor",
        format_func=lambda name: "persons" if name == factors[0] else f"groups of {name}",
        help=FACTORS,
    )  # fmt: skip
    return None if chosen == factors[0] else chosen


def another_factor(run: str, factor: str) -> None:
    """How groups of a further factor differ: one parameter, its variance, and every group."""
    names = list(dict.fromkeys(results.effects(run, factor)["parameter"]))
    words = results.names(run).words
    parameter = st.selectbox(
        "Parameter", names, key="factor_parameter", format_func=words,
        help=PARAMETER_NAMES,
    )  # fmt: skip
    rows = results.random_effect(run, parameter, factor)
    own = results.variance(run, parameter, factor) ** 0.5
    sentence = FACTOR.format(
        parameter=words(parameter), factor=factor, n=len(rows), own=number(own, 2)
    )
    persons = results.random_effect(run, parameter)
    if len(persons):
        between = number(results.variance(run, parameter) ** 0.5, 2)
        sentence = f"{sentence} {FACTOR_PERSONS.format(between=between)}"
    st.markdown(plain(sentence))
    shown = rows.reset_index()[["person", "n_obs", "estimate", "se", "reliability"]]
    st.dataframe(
        pd.DataFrame(
            {
                factor: shown["person"],
                "observations": shown["n_obs"],
                "difference from the population": shown["estimate"].map(number),
                "standard error": shown["se"].map(number),
                "reliability": shown["reliability"].map(lambda value: fixed(value, 2)),
            }
        ),
        hide_index=True,
    )


def across_parameters(run: str, names: list[str]) -> None:
    """Correlations of the most informative parameters."""
    if len(names) < 2:
        empty("one_parameter")
    table = people.correlations(run, MOST_CORRELATED)
    if table is None or table.empty:
        empty("no_correlations")
    for figure in catalogue.correlation_figures(run, table):
        show(figure)
    if len(names) > MOST_CORRELATED:
        st.caption(f"The {MOST_CORRELATED} most informative of {len(names)} parameters.")


def persons(run: str, *, short: bool = False) -> None:
    """The map of persons, and those far out; ``short``, the second alone in plain words."""
    if not short:
        _map(run)
    st.subheader("Furthest from the population", anchor=False)
    table = people.furthest(run, 5 if short else 10)
    table = table.assign(
        parameter=table["parameter"].map(results.names(run).words),
        distance=table["distance"].map(lambda value: fixed(value, 2)),
        in_sd=table["in_sd"].map(lambda value: fixed(value, 2)),
    )
    words = {"parameter": "most in", "in_sd": "by SD", "n_obs": "observations"}
    columns = ["person", "distance", "n_obs"] if short else list(table.columns)
    st.dataframe(table[columns].rename(columns=words), hide_index=True, width="content")
    st.caption(PLAIN_FURTHEST if short else FURTHEST)


def _map(run: str) -> None:
    covariates = list(results.covariates(run).columns)
    chosen = st.selectbox(
        "Colour", [None, *covariates], key="map_colour",
        format_func=lambda name: "number of observations" if name is None else name,
    )  # fmt: skip
    show(catalogue.map_figure(run, chosen))
