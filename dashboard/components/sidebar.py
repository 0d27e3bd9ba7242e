"""What stands under the navigation: study and run in view, and what the product is not."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.components.errors import guard
from dashboard.components.text import plain
from dashboard.glossary import MODELS, PLACEMENTS, RESEARCH_USE, RUN_STATES, VIEW_HELP, VIEWS
from dashboard.services import settings
from dashboard.services.runs import Run, run_record
from dashboard.services.studies import study_record


def sidebar() -> None:
    """Draw it."""
    with st.sidebar, guard():
        _view()
        study = study_record(state.study_id() or "")
        run = run_record(state.run_id() or "")
        if study is not None:
            st.markdown(f":small[:gray[Study]]  \n{plain(study.name)}")
        if run is not None:
            what = _what(run)
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


def _what(run: Run) -> str:
    """What was trained; for clinicians where persons may differ in words."""
    name, placement = MODELS[run.model][0], str(run.options["placement"])
    if state.researcher() or placement not in PLACEMENTS:
        return f"{name}, {placement}"
    return f"{name}. {PLACEMENTS[placement]}"
