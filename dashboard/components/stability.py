"""How far the persons' parameters can be relied on, and the check that says so."""

from __future__ import annotations

import math

import streamlit as st

from dashboard import state
from dashboard.components import jobs as follow_jobs
from dashboard.components.errors import guard
from dashboard.components.text import plain
from dashboard.services import covariates, jobs, rechecks, results
from dashboard.services.runs import Run
from dashboard.words.covariates import STABILITY
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import fixed


def reliability_cautions(run: Run) -> None:
    """A caution where reliability is low; for researchers also what else doubts it."""
    known = covariates.how_reliable(run.id)
    if known.together < covariates.LEAST_RELIABLE:
        st.warning(tr(STABILITY)["caution"].format(value=fixed(known.together, 2)))
    elif state.researcher() and known.caution():
        st.warning(plain(results.speaker(run.id)(known.caution())))


def show_stability(run: Run) -> None:
    """What is known of how reliable the parameters are, and the check that says more."""
    known = covariates.how_reliable(run.id)
    kind = known.kind or "unknown"
    seeds = (
        "" if math.isnan(known.seeds) else tr(STABILITY)["seeds"].format(r=fixed(known.seeds, 2))
    )
    weeks = (
        ""
        if math.isnan(known.weeks)
        else tr(STABILITY)["weeks"].format(part=tr(known.part), r=fixed(known.weeks, 2))
    )
    few = len(known.unreliable)
    words = tr(STABILITY)[kind].format(
        value=fixed(known.together, 2),
        few=few or "none",
        all=len(known.single),
        seeds=seeds,
        weeks=weeks,
    )
    st.caption(plain(words))
    if follow_jobs.follow(run.id, jobs.STABILITY, tr("Checking stability")):
        return
    if kind != "split-half" and rechecks.possible(run.id):
        left, right = st.columns([1, 2], vertical_alignment="center")
        if left.button(tr("Check stability"), key="run_stability", help=tr(STABILITY)["help"]):
            with guard():
                rechecks.start(run.id, run.study, seeds=1)
                st.rerun()
        offered = "offer" if rechecks.with_seeds(run.id) else "offer_halves"
        right.caption(tr(STABILITY)[offered])
