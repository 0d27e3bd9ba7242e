"""Runs of earlier days, to open again."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.components.links import go
from dashboard.components.moments import when
from dashboard.services.runs import Run, kept_models, list_runs
from dashboard.words.runs import RUN_STATES
from nme_core.vocabulary.language import tr


def earlier_runs() -> None:
    """A selector of runs with results or at work, and a button that opens one."""
    known = [run for run in list_runs() if run.done or run.active or kept_models(run.id)]
    runs = {run.id: run for run in known if run.id != state.run_id()}
    if not runs:
        return
    st.divider()
    st.header(tr("Earlier runs on this computer"), anchor=False)
    chosen = st.selectbox(
        tr("Earlier runs"),
        list(runs),
        index=None,
        format_func=lambda key: _label(runs[key]),
        key="earlier_run",
        placeholder=tr("Choose a run"),
        label_visibility="collapsed",
    )
    if chosen is not None and st.button(tr("Open"), key="open_run"):
        state.choose_run(chosen, runs[chosen].study)
        go("model" if runs[chosen].active else "fit")


def _label(run: Run) -> str:
    return f"{run.name}, {when(run.created)}, {tr(RUN_STATES)[run.status.state]}"
