"""The sections of the page Transitions beside one person's matrix."""

from __future__ import annotations

import streamlit as st

from dashboard.components import catalogue_persons as catalogue
from dashboard.components.figures import show
from dashboard.services import people, results
from dashboard.words.pages import EMPTY
from dashboard.words.transitions import ORDERS
from nme_core.vocabulary.language import tr


def all_persons(run: str, readout: str) -> None:
    """Everybody's matrix, a page at a time."""
    covariates = list(results.covariates(run).columns)
    left, right = st.columns(2, vertical_alignment="bottom")
    by = left.selectbox(
        tr("Order"), [*ORDERS, *covariates], key="order", persist_state="session",
        format_func=lambda name: tr(ORDERS).get(name, tr("by {name}").format(name=name)),
    )  # fmt: skip
    pages = -(-len(results.persons(run)) // catalogue.A_PAGE)
    with right:
        page = st.pagination(pages, key="persons_page") if pages > 1 else 1
    show(catalogue.multiples_figure(run, readout, by, page))


def groups(run: str, readout: str) -> None:
    """Mean matrices of groups of persons."""
    names = list(results.covariates(run).columns)
    if not names:
        st.info(tr(EMPTY)["no_covariates"])
        return
    covariate = st.selectbox(tr("Covariate"), names, key="covariate", persist_state="session")
    figure = catalogue.group_transition_figure(run, readout, covariate)
    if figure is None:
        st.info(tr(EMPTY)["no_groups"])
    else:
        show(figure)


def moves_and_time(run: str, person: str, readout: str) -> None:
    """Arrows between states, and how long states are kept."""
    show(catalogue.arrows_figure(run, person, readout))
    show(catalogue.dwell_figure(run, person))


def two_persons(run: str, person: str, readout: str) -> None:
    """The person beside another one."""
    others = [name for name in results.persons(run) if name != person]
    if not others:
        st.info(tr(EMPTY)["one_person"])
        return
    second = st.selectbox(tr("Beside person"), others, key="second_person", persist_state="session")
    show(catalogue.two_persons_figure(run, person, second, readout))


def over_time(run: str, person: str) -> None:
    """The person's states, one sequence after the other."""
    rows = people.sequences(run, person)
    if rows is None or rows.empty:
        st.info(tr(EMPTY)["no_probabilities"])
        return
    show(catalogue.ribbon_figure(run, person, rows))
