"""What trains now and what waits, followed once in two seconds."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.components.errors import guard
from dashboard.components.text import duration, plain
from dashboard.services import runs, settings
from dashboard.words.runs import RUNS
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said


def show_queue() -> None:
    """How many may train at once, and the runs that train or wait, in order."""
    left, right = st.columns([3, 1], gap="large")
    if state.researcher():
        with right:
            _at_once()
    active = [run for run in runs.list_runs() if run.active]
    with left:
        if active:
            _live(tuple(sorted(run.id for run in active)))
        else:
            st.caption(tr("No training is at work."))


def _at_once() -> None:
    kept = settings.trainings_at_once()
    number = st.number_input(
        tr("Trainings at once"), 1, 64, min(kept, 64), key="at_once", help=tr(RUNS)["at_once"]
    )
    if number != kept:
        settings.set_trainings_at_once(int(number))


@st.fragment(run_every=2.0)
def _live(identities: tuple[str, ...]) -> None:
    with guard():
        found = [run for name in identities if (run := runs.run_record(name)) is not None]
        active = sorted((run for run in found if run.active), key=lambda run: runs.place(run.id))
        if len(active) < len(identities):
            st.rerun()
        for run in active:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.progress(
                    min(max(run.status.progress, 0.0), 1.0),
                    text=f"{plain(run.name)}: {progress_words(run)}",
                )
                if st.button(tr("Cancel"), key=f"cancel_{run.id}"):
                    runs.cancel(run.id)
                    st.rerun()
        st.caption(tr(RUNS)["leave"])


def progress_words(run: runs.Run) -> str:
    """Where an active run stands: its place in the queue, or what it does and for how long."""
    if run.waiting and (ahead := runs.place(run.id)):
        return tr("waiting for its turn, {ahead} before it").format(ahead=ahead)
    left = runs.seconds_left(run.status)
    words = plain(said(run.status.message or "Starting."))
    return (
        words
        if left is None
        else tr("{words}, {left} left").format(words=words, left=duration(left))
    )
