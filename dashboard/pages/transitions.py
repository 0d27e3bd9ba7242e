"""Transitions: one person beside the population."""

import streamlit as st

from dashboard import state
from dashboard.components.catalogue import transition_figure
from dashboard.components.context import empty, finished_run, title
from dashboard.components.figures import show
from dashboard.components.verdict import interpreted_note
from dashboard.glossary import LEADS, READOUTS
from dashboard.services import results

title("Transitions", LEADS["transitions"])
run = finished_run()
if run.model != "nme-crf":
    empty("no_transitions", "random-effects", "model")

left, right = st.columns(2)
person = left.selectbox(
    "Person (type to search)", results.persons(run.id), key="person", persist_state="session"
)
available = [name for name in READOUTS if name in results.readouts(run.id)]
readout = available[0]
if state.researcher():
    readout = right.selectbox(
        "Read-out", available, format_func=lambda name: READOUTS[name][0], key="readout",
        persist_state="session",
    )  # fmt: skip
right.caption(READOUTS[readout][1])
show(transition_figure(run.id, person, readout))
if readout != "observed":
    interpreted_note(run)

if not state.researcher():
    st.stop()
with st.expander("The four read-outs"):
    for name in available:
        word, meaning = READOUTS[name]
        st.markdown(f"**{word[0].upper()}{word[1:]}.** {meaning}")
