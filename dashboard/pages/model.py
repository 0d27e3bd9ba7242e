"""Model: choose it, train it in a process of its own, follow it."""

import streamlit as st

from dashboard import state
from dashboard.components.context import empty, title
from dashboard.components.model_form import another_model, estimate_words, model_form
from dashboard.components.progress import follow
from dashboard.components.text import plain
from dashboard.services import runs
from dashboard.services.estimate import estimate
from dashboard.services.studies import outcome_words, study_record
from dashboard.words.runs import RUNS
from nme_core.vocabulary.language import tr

title("model")

run = runs.run_record(state.run_id() or "")
if run is None and state.run_id() is not None:
    empty("unknown_run", "study")
if state.study_id() is None:
    empty("no_study", "study")
record = study_record(state.study_id() or "")
if record is None:
    empty("unknown_study", "study")

if run is not None:
    follow(run.id)

meanwhile = run is not None and run.active
if not meanwhile or state.researcher():
    with another_model(run is not None, meanwhile=meanwhile):
        st.markdown(
            tr("Study **{name}**, outcome **{outcome_words}**").format(
                name=plain(record.name), outcome_words=plain(outcome_words(record.id))
            )
        )
        options = model_form(record)
        if options is not None:
            st.caption(estimate_words(estimate(record, options)))
        if meanwhile:
            st.caption(tr(RUNS)["another"])
        asked = st.button(tr("Train"), key="train", type="primary", disabled=options is None)
        if asked and options is not None:
            state.choose_run(runs.start(record, options), record.id)
            st.rerun()
