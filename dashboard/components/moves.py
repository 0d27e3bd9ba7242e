"""The sections of the page Transitions beside one person's matrix."""

from __future__ import annotations

import streamlit as st

from dashboard.components.figures import show
from dashboard.services import results
from dashboard.services.figures import figure
from dashboard.words.pages import EMPTY
from nme_core.figures.of_moves import A_PAGE
from nme_core.figures.words_moves import ORDERS
from nme_core.vocabulary.language import tr


def all_persons(run: str, readout: str) -> None:
    """Everybody's matrix, a page at a time."""
    covariates = list(results.covariates(run).columns)
    left, right = st.columns(2, vertical_alignment="bottom")
    by = left.selectbox(
        tr("Order"), [*ORDERS, *covariates], key="order", persist_state="session",
        format_func=lambda name: tr(ORDERS).get(name, tr("by {name}").format(name=name)),
    )  # fmt: skip
    pages = -(-len(results.persons(run)) // A_PAGE)
    with right:
        page = st.pagination(pages, key="persons_page") if pages > 1 else 1
    show(figure(run, "people", readout=readout, by=by, page=page))


def groups(run: str, readout: str) -> None:
    """Mean matrices of groups of persons."""
    names = list(results.covariates(run).columns)
    if not names:
        st.info(tr(EMPTY)["no_covariates"])
        return
    covariate = st.selectbox(tr("Covariate"), names, key="covariate", persist_state="session")
    show(figure(run, "groups", readout=readout, covariate=covariate), "no_groups")


def moves_and_time(run: str, person: str, readout: str) -> None:
    """Arrows between states, and how long states are kept."""
    show(figure(run, "arrows", person=person, readout=readout))
    show(figure(run, "stays", person=person))


def two_persons(run: str, person: str, readout: str) -> None:
    """The person beside another one."""
    others = [name for name in results.persons(run) if name != person]
    if not others:
        st.info(tr(EMPTY)["one_person"])
        return
    second = st.selectbox(tr("Beside person"), others, key="second_person", persist_state="session")
    show(figure(run, "pair", first=person, second=second, readout=readout))


def over_time(run: str, person: str) -> None:
    """The person's states, one sequence after the other."""
    show(figure(run, "sequence", person=person), "no_probabilities")
