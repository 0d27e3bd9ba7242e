"""The run in view, or the empty state that says what to do next."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

from dashboard import state
from dashboard.components.links import link
from dashboard.components.text import plain
from dashboard.glossary import EMPTY
from dashboard.services.runs import Run, run_record


def adopt_run() -> None:
    """Put the study of the run in view into view as well."""
    run = run_record(state.run_id() or "")
    if run is not None and run.study != state.study_id():
        state.choose_run(run.id, run.study)


def title(text: str, lead: str) -> None:
    """A page's heading and the sentence under it."""
    st.title(text, anchor=False)
    st.markdown(lead)


def empty(key: str, *paths: str, **words: object) -> NoReturn:
    """An empty state: what is missing and links to where it can be had; ends the page."""
    with st.container(border=True, key="empty"):
        st.markdown(EMPTY[key].format(**{name: plain(word) for name, word in words.items()}))
        for path in paths:
            link(path)
    st.stop()


def finished_run() -> Run:
    """The finished run in view; where there is none, an empty state ends the page."""
    identity = state.run_id()
    if identity is None:
        if state.study_id() is None:
            empty("no_study", "study")
        empty("no_run", "model")
    run = run_record(identity or "")
    if run is None:
        empty("unknown_run", "study", "model")
    if run.active:
        empty("still_running", "model")
    if not run.done:
        empty("not_finished", "model", message=run.status.message)
    return run
