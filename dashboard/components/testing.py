"""Tests against covariates are started, one after the other, and followed."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import state
from dashboard.components import jobs as follow_jobs
from dashboard.components.errors import guard
from dashboard.components.findings import compliance_note
from dashboard.components.stability import reliability_cautions, show_stability
from dashboard.components.text import plain
from dashboard.components.verdict import interpreted_note
from dashboard.services import covariates, jobs
from dashboard.services.runs import Run
from dashboard.words.covariates import TEST_ALL, TESTS_HELP
from nme_core.vocabulary.language import tr


def test(run: str, asked: Sequence[str], how: covariates.CovariateOptions) -> None:
    """Test what was asked for; what is asked while tests are at work waits for its turn."""
    waiting = state.waiting_tests(run)
    wanted = tuple(dict.fromkeys([*waiting, *asked]))
    if wanted and jobs.is_active(run, jobs.TESTS):
        state.let_wait(run, wanted)
    elif wanted:
        state.let_wait(run, ())
        with guard():
            _begin(run, wanted, how)
    if follow_jobs.follow(run, jobs.TESTS, tr(TEST_ALL)["working"]) and (
        waiting := state.waiting_tests(run)
    ):
        st.caption(plain(tr(TEST_ALL)["next"].format(names=", ".join(waiting))))


def rests_on(run: Run, covariate: str, how: covariates.CovariateOptions) -> bool:
    """What the tests rest on: a fold for researchers, and outside of it what warns.

    Returns whether it warned of who answers how often.
    """
    if not state.researcher():
        interpreted_note(run)
    compliance = covariates.compliance(run.id, covariate)
    trap = compliance is not None and compliance.p < 0.05
    if trap:
        compliance_note(compliance, covariate, covariates.guard_of(how))
    reliability_cautions(run)
    if state.researcher():
        with st.expander(tr(TESTS_HELP)["rests_on"]):
            interpreted_note(run)
            if not trap:
                compliance_note(compliance, covariate, covariates.guard_of(how))
            show_stability(run)
    return trap


def _begin(run: str, names: Sequence[str], how: covariates.CovariateOptions) -> None:
    if covariates.takes_long(run, covariates.family(run, *names), how):
        covariates.start_tests(run, names, how)
        return
    jobs.dismiss(run, jobs.TESTS)
    with st.spinner(tr(TEST_ALL)["permuting"]):
        covariates.run_tests(run, names, how)
