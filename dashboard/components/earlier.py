"""Runs of earlier days, to open again."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.components.links import go
from dashboard.services.runs import list_runs


def earlier_runs() -> None:
    """A selector of finished runs and a button that opens one; nothing where there are none."""
    runs = {run.id: run for run in list_runs() if run.done and run.id != state.run_id()}
    if not runs:
        return
    st.divider()
    st.subheader("Earlier runs on this computer", anchor=False)
    chosen = st.selectbox(
        "Earlier runs",
        list(runs),
        index=None,
        format_func=lambda key: f"{runs[key].name}, {runs[key].created[:16].replace('T', ' ')} UTC",
        key="earlier_run",
        placeholder="Choose a run",
        label_visibility="collapsed",
    )
    if chosen is not None and st.button("Open", key="open_run"):
        state.choose_run(chosen, runs[chosen].study)
        go("fit")
