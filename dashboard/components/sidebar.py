"""What stands under the navigation: study and run in view, and what the product is not."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.components.errors import guard
from dashboard.components.text import plain
from dashboard.glossary import RESEARCH_USE, RUN_STATES, VIEW_HELP, VIEWS
from dashboard.services import settings
from dashboard.services.runs import run_record
from dashboard.services.studies import study_record
from dashboard.services.terms import placement_words


def sidebar() -> None:
    """Draw it."""
    with st.sidebar, guard():
        _view()
        study = study_record(state.study_id() or "")
        run = run_record(state.run_id() or "")
        if study is not None:
            st.markdown(f":small[:gray[Study]]  \n{plain(study.name)}")
        if run is not None:
            what = f"{run.model.upper()}, {placement_words(run.options['placement'])}"
            ended = RUN_STATES[run.status.state]
            st.markdown(f":small[:gray[Run, {ended}]]  \n{plain(what)}")
        st.caption(RESEARCH_USE)


def _view() -> None:
    """The switch between the two views; the last choice holds for later sessions too."""
    before = state.view() or settings.view()
    chosen = st.radio(
        "View", list(VIEWS), list(VIEWS).index(before), VIEWS.__getitem__, key="view",
        help=VIEW_HELP,
    )  # fmt: skip
    state.choose_view(chosen)
    if chosen != before:
        settings.set_view(chosen)
