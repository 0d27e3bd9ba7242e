"""Random effects: how far persons stand from the population."""

import streamlit as st

from dashboard.components.catalogue import random_effect_figure, response_figure
from dashboard.components.context import empty, finished_run, title
from dashboard.components.figures import show
from dashboard.components.text import number
from dashboard.glossary import LEADS, RESPONSE_CURVES
from dashboard.services import results
from dashboard.services.studies import study_record

title("Random effects", LEADS["random-effects"])
run = finished_run()

if results.has_table(run.id, "response_curves"):
    st.subheader("Response curves", anchor=False)
    st.markdown(RESPONSE_CURVES)
    curves = results.table(run.id, "response_curves")
    left, right = st.columns(2)
    feature = left.selectbox("Feature", list(curves["feature"].unique()), key="feature")
    person = right.selectbox(
        "Person to highlight (type to search)", results.persons(run.id, "response_curves"),
        index=None, key="person", placeholder="nobody", persist_state="session",
    )  # fmt: skip
    record = study_record(run.study)
    outcome = record.roles["outcome"] if record is not None else "outcome"
    show(response_figure(run.id, feature, outcome, person))
    st.subheader("Parameters", anchor=False)

names = results.widest_parameters(run.id)
if not names:
    empty("no_random_effects", "model")
parameter = st.selectbox(
    "Parameter (largest variance first)", names, key="parameter", persist_state="session"
)
show(random_effect_figure(run.id, parameter))

rows = results.random_effect(run.id, parameter)
reliability = rows["reliability"].dropna()
if len(reliability):
    st.markdown(
        f"**Reliability** {number(reliability.median(), 2)} in the median, from "
        f"{number(reliability.min(), 2)} to {number(reliability.max(), 2)}: the share of the "
        "variance between persons that the data of a person settle. Near 0, a person's estimate "
        "says little beyond the population."
    )
with st.expander("All persons"):
    st.dataframe(rows.reset_index().drop(columns="parameter"), hide_index=True)
