"""Training as it goes on: progress, time left, losses, cancel; then what came out."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.components.errors import guard
from dashboard.components.figures import show_losses
from dashboard.components.kept import kept_words
from dashboard.components.links import link
from dashboard.components.messages import in_app_words
from dashboard.components.queue import progress_words
from dashboard.components.text import plain
from dashboard.components.verdict import numbers_behind, show_verdict
from dashboard.services import runs
from dashboard.words.runs import RUNS
from nme_core.vocabulary.language import tr


def follow(identity: str) -> None:
    """Draw where a run stands; while it trains, once a second."""
    run = runs.run_record(identity)
    if run is not None and run.active:
        _live(identity)
    elif run is not None:
        _ended(run)


@st.fragment(run_every=1.0)
def _live(identity: str) -> None:
    with guard():
        run = runs.run_record(identity)
        if run is None or not run.active:
            st.rerun()
        st.header(tr("Waiting") if run.waiting else tr("Training"), anchor=False)
        st.text(run.name)
        with st.container(key="progress"):
            st.progress(min(max(run.status.progress, 0.0), 1.0), text=progress_words(run))
        if st.button(tr("Cancel"), key="cancel"):
            runs.cancel(identity)
            st.rerun()
        st.caption(tr(RUNS)["leave"])
        history = runs.history(identity)
        if history is not None and state.researcher():
            show_losses(history)


def _ended(run: runs.Run) -> None:
    st.header(tr("Result"), anchor=False)
    st.text(run.name)
    if not run.done:
        show_message = st.warning if run.status.state == "cancelled" else st.error
        message = run.status.message or tr("Training stopped.")
        show_message(plain(in_app_words(f"{message} {kept_words(run.id)}")))
        if runs.kept_models(run.id):
            link("fit")
        if st.button(tr(RUNS)["restart"], key="restart", help=tr(RUNS)["restart_help"]):
            with guard():
                runs.restart(run.id)
                st.rerun()
        return
    show_verdict(run)
    if not state.researcher():
        numbers_behind(run)
    following = ["fit", "transitions" if run.model == "nme-crf" else "random-effects", "covariates"]
    with st.container(horizontal=True):
        for path in following:
            link(path)
