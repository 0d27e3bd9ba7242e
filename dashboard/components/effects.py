"""The sections of the page Random effects."""

from __future__ import annotations

import streamlit as st

from dashboard.components import catalogue_persons as catalogue
from dashboard.components.catalogue import random_effect_figure
from dashboard.components.context import empty
from dashboard.components.figures import show
from dashboard.components.text import fixed, number
from dashboard.glossary import FURTHEST, PARAMETER_NAMES, PLAIN_FURTHEST
from dashboard.plots.labels import parameter_words
from dashboard.services import people, results

#: So many parameters, the most informative, are correlated with each other.
MOST_CORRELATED = 16


def one_parameter(run: str, names: list[str]) -> None:
    """Distribution, caterpillar, Q–Q and reliability of one parameter."""
    parameter = st.selectbox(
        "Parameter (most informative first)",
        names,
        key="parameter",
        persist_state="session",
        format_func=parameter_words,
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


def across_parameters(run: str, names: list[str]) -> None:
    """Correlations of the most informative parameters."""
    if len(names) < 2:
        empty("one_parameter")
    show(catalogue.correlation_figure(run, names[:MOST_CORRELATED]))
    if len(names) > MOST_CORRELATED:
        st.caption(f"The {MOST_CORRELATED} most informative of {len(names)} parameters.")


def persons(run: str, *, short: bool = False) -> None:
    """The map of persons, and those far out; ``short``, the second alone in plain words."""
    if not short:
        _map(run)
    st.subheader("Furthest from the population", anchor=False)
    table = people.furthest(run, 5 if short else 10)
    table = table.assign(
        parameter=table["parameter"].map(parameter_words),
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
