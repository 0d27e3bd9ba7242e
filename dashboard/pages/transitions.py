"""Transitions: one person beside the population, and all persons beside each other."""

import streamlit as st

from dashboard import state
from dashboard.components import moves
from dashboard.components.context import empty, finished_run, title
from dashboard.components.figures import show
from dashboard.components.readouts import choose_readout
from dashboard.components.verdict import interpreted_note
from dashboard.services import results
from dashboard.services.figures import figure
from dashboard.words.transitions import PLAIN_SECTIONS, PLAIN_TRANSITIONS, SECTIONS
from nme_core.figures.words_moves import READOUTS
from nme_core.vocabulary.language import tr

title("transitions")
run = finished_run()
if run.model != "nme-crf":
    empty("no_transitions", "random-effects", "model")

section = st.segmented_control(
    tr("Show"), list(SECTIONS) if state.researcher() else PLAIN_SECTIONS,
    default="person", required=True, format_func=tr(SECTIONS).__getitem__,
    key="section", persist_state="session", label_visibility="collapsed",
)  # fmt: skip
left, right = st.columns(2)
person = ""
if section in ("all", "groups"):
    right = left
else:
    person = left.selectbox(
        tr("Person (type to search)"),
        results.persons(run.id),
        key="person",
        persist_state="session",
    )
if section == "sequence":
    moves.over_time(run.id, person)
    st.stop()
readout = choose_readout(run.id, right)
if section == "person":
    if not state.researcher():
        st.caption(tr(PLAIN_TRANSITIONS))
    show(figure(run.id, "transitions", person=person, readout=readout))
elif section == "all":
    moves.all_persons(run.id, readout)
elif section == "groups":
    moves.groups(run.id, readout)
elif section == "time":
    moves.moves_and_time(run.id, person, readout)
else:
    moves.two_persons(run.id, person, readout)
if readout != "observed":
    interpreted_note(run)

if not state.researcher():
    st.stop()
with st.expander(tr("The four read-outs")):
    for name in READOUTS:
        word, meaning = tr(READOUTS)[name]
        st.markdown(f"**{word[0].upper()}{word[1:]}.** {meaning}")
