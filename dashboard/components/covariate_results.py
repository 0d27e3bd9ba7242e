"""What tests against covariates found: table, null distribution, directions, groups."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.components.bands import choose_bands
from dashboard.components.catalogue import hsic_figure
from dashboard.components.catalogue_persons import group_transition_figure
from dashboard.components.figures import show
from dashboard.components.findings import hsic_view, plain_finding, plain_size
from dashboard.components.parameters import show_parameters
from dashboard.components.response import choose_groups
from dashboard.components.text import plain
from dashboard.glossary import (
    CONTRASTS,
    EMPTY,
    HOW_PERSONS,
    PLAIN_READOUT,
    PLAIN_SIZE,
    STRENGTH,
    TESTS_HELP,
    WEIGHTS,
)
from dashboard.services import covariates, results
from dashboard.services.runs import Run


def show_tests(run: Run, found: covariates.CovariateResult) -> None:
    """Every test of the run, and how they were made."""
    st.subheader("Dependence", anchor=False)
    st.dataframe(hsic_view(found, results.names(run.id).words), hide_index=True)
    with st.expander(TESTS_HELP["table"]):
        st.markdown(f"{found.counts} {STRENGTH}")
        st.markdown(plain(" ".join(found.notes)))


def show_covariate(run: Run, found: covariates.CovariateResult, covariate: str) -> None:
    """One covariate: null distribution, groups and single parameters; all of it for researchers."""
    show(hsic_figure(found, covariate))
    if run.model == "nme-crf":
        st.subheader("Which parameters, in which direction", anchor=False)
        show_parameters(run.id, found, covariate, note=CONTRASTS)
    show_groups(run, covariate)
    if run.model != "nme-crf":
        with st.expander("Single parameters"):
            st.markdown(WEIGHTS)
            show_parameters(run.id, found, covariate)


def show_plainly(run: Run, found: covariates.CovariateResult, covariate: str) -> None:
    """One covariate in one sentence and one figure."""
    unsure = covariates.how_reliable(run.id).together < covariates.LEAST_RELIABLE
    what = HOW_PERSONS[run.model]
    st.markdown(f"**{plain(plain_finding(found, covariate, what, unsure=unsure))}**")
    if not unsure:
        st.markdown(plain(plain_size(found, covariate)))
        st.caption(PLAIN_SIZE["rule"])
    show_groups(run, covariate)


def show_groups(run: Run, covariate: str) -> None:
    """Groups of persons by the covariate: mean transitions, or mean response curves."""
    crf = run.model == "nme-crf"
    if not crf and not results.has_table(run.id, "response_curves"):
        return
    title = "Transitions by group" if crf else "How predictions differ"
    st.subheader(title, anchor=False)
    if state.researcher():
        choose_bands(run.id, covariate)
    figure = (
        group_transition_figure(
            run.id, "conditional" if state.researcher() else PLAIN_READOUT, covariate
        )
        if crf
        else choose_groups(run, covariate)
    )
    if figure is None:
        st.caption(EMPTY["no_groups"])
    else:
        show(figure)
