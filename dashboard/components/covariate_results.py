"""What tests against covariates found: table, null distribution, directions, groups."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.components.bands import choose_bands
from dashboard.components.figures import show
from dashboard.components.findings import behind_p, hsic_view, plain_finding, plain_size, verdict_of
from dashboard.components.parameters import show_parameters
from dashboard.components.response import choose_groups
from dashboard.components.text import plain
from dashboard.services import covariates, results
from dashboard.services.figures import figure
from dashboard.services.runs import Run
from dashboard.words.covariates import (
    CONTRASTS,
    HOW_PERSONS,
    PLAIN_SIZE,
    STRENGTH,
    TESTED,
    TESTS_HELP,
)
from dashboard.words.effects import WEIGHTS
from dashboard.words.pages import EMPTY, NOTES
from nme_core.vocabulary.language import tr


def show_tests(run: Run, found: covariates.CovariateTests) -> None:
    """Every test of the run, and how they were made."""
    st.header(tr("Dependence"), anchor=False)
    st.markdown(tr(TESTED)[covariates.parameters(run.id).of][1])
    st.dataframe(hsic_view(found, results.names(run.id).words), hide_index=True)
    with st.expander(tr(TESTS_HELP)["table"]):
        speak = results.speaker(run.id)
        st.markdown(f"{speak(covariates.counts_line(found.hsic))} {tr(STRENGTH)}")
        st.dataframe(behind_p(found), hide_index=True, width="content")
        st.markdown(plain(" ".join(map(speak, covariates.how_made(run.id, found)))))


def show_covariate(run: Run, found: covariates.CovariateTests, covariate: str) -> None:
    """One covariate: null distribution, groups and single parameters; all of it for researchers."""
    show(figure(run.id, "hsic", covariate=covariate))
    of = covariates.parameters(run.id).of
    if of != "weights" or run.model == "nme-crf":
        st.header(tr("Which, in which direction"), anchor=False)
        show_parameters(run.id, found, covariate, note=tr(CONTRASTS) if of == "scores" else "")
    show_groups(run, found, covariate)
    if of == "weights" and run.model != "nme-crf":
        with st.expander(tr("Single parameters")):
            st.markdown(tr(WEIGHTS))
            show_parameters(run.id, found, covariate)


def show_plainly(run: Run, found: covariates.CovariateTests, covariate: str) -> None:
    """One covariate in one sentence and one figure."""
    of, unsure = covariates.parameters(run.id).of, covariates.is_unsure(run.id)
    finding = plain_finding(found, covariate, tr(HOW_PERSONS)[of], unsure=unsure)
    st.markdown(f"**{plain(finding)}**")
    if verdict_of(found, covariate, unsure=unsure) in ("beyond", "within"):
        st.markdown(plain(plain_size(found, covariate)))
    with st.popover(tr(NOTES), type="tertiary", key="notes_finding"):
        st.markdown(tr(TESTED)[of][1] + ("" if unsure else f" {tr(PLAIN_SIZE)['rule']}"))
    show_groups(run, found, covariate)


def show_groups(run: Run, found: covariates.CovariateTests, covariate: str) -> None:
    """Groups of persons by the covariate: mean transitions, or mean response curves.

    The sentence under them has the verdict of the test, and under transitions its direction.
    """
    crf = run.model == "nme-crf"
    if not crf and not results.has_table(run.id, "response_curves"):
        return
    title = tr("Transitions by group") if crf else tr("How predictions differ")
    st.header(title, anchor=False)
    if state.researcher():
        choose_bands(run.id, covariate)
    verdict = verdict_of(found, covariate, unsure=covariates.is_unsure(run.id))
    if crf:
        drawn = figure(run.id, "groups", covariate=covariate, verdict=verdict)
    else:
        drawn = choose_groups(run, covariate, verdict)
    if drawn is None:
        st.caption(tr(EMPTY)["no_groups"])
    show(drawn)
