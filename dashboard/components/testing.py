"""Tests against covariates are started, one after the other, and followed."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import state
from dashboard.components import jobs as follow_jobs
from dashboard.components.errors import guard
from dashboard.components.text import plain
from dashboard.glossary import TEST_ALL
from dashboard.services import covariates, jobs


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
    if follow_jobs.follow(run, jobs.TESTS, TEST_ALL["working"]) and (
        waiting := state.waiting_tests(run)
    ):
        st.caption(plain(TEST_ALL["next"].format(names=", ".join(waiting))))


def _begin(run: str, names: Sequence[str], how: covariates.CovariateOptions) -> None:
    if covariates.takes_long(run, covariates.family(run, *names), how):
        covariates.start_tests(run, names, how)
        return
    jobs.dismiss(run, jobs.TESTS)
    with st.spinner(TEST_ALL["permuting"]):
        covariates.run_tests(run, names, how)
