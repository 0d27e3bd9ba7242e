"""Random effects: how far persons stand from the population."""

import streamlit as st

from dashboard import state
from dashboard.components.catalogue import random_effect_figure
from dashboard.components.context import empty, finished_run, title
from dashboard.components.figures import show
from dashboard.components.response import choose_response
from dashboard.components.text import fixed, number
from dashboard.components.verdict import interpreted_note
from dashboard.glossary import LEADS, RESPONSE_CURVES
from dashboard.services import results

title("Random effects", LEADS["random-effects"])
run = finished_run()
interpreted_note(run)

if results.has_table(run.id, "response_curves"):
    st.subheader("Response curves", anchor=False)
    st.markdown(RESPONSE_CURVES)
    show(choose_response(run))
    if not state.researcher():
        st.stop()
    st.subheader("Parameters", anchor=False)

names = results.informative_parameters(run.id)
if not names:
    empty("no_random_effects", "model")
parameter = names[0]
if state.researcher():
    parameter = st.selectbox(
        "Parameter (most informative first)", names, key="parameter", persist_state="session"
    )
show(random_effect_figure(run.id, parameter))

rows = results.random_effect(run.id, parameter)
reliability = rows["reliability"].dropna()
if len(reliability):
    st.markdown(
        f"**Reliability** {fixed(reliability.median(), 2)} in the median, from "
        f"{fixed(reliability.min(), 2)} to {fixed(reliability.max(), 2)}: the share of the "
        "variance between persons that the data of a person settle. Near 0, a person's estimate "
        "says little beyond the population."
    )
if not state.researcher():
    st.stop()
with st.expander("All persons"):
    shown = rows.reset_index().drop(columns="parameter")
    st.dataframe(
        shown.style.format(number, subset=["estimate", "se"]).format(
            lambda value: fixed(value, 2), subset=["reliability"]
        ),
        hide_index=True,
    )
