"""Fit: does the model predict what it has not seen, and did training settle?"""

import streamlit as st

from dashboard import state
from dashboard.components.approximate import show_approximate
from dashboard.components.catalogue import loss_figure, variance_figure
from dashboard.components.context import finished_run, title
from dashboard.components.figures import show
from dashboard.components.text import plain
from dashboard.components.verdict import (
    comparison_view,
    metrics_view,
    show_main_metric,
    show_verdict,
    split_note,
)  # fmt: skip
from dashboard.glossary import LEADS, METRICS, PAIRED, SEQUENCE_LOSS
from dashboard.services import results

title("Fit", LEADS["fit"])
run = finished_run(partly=True)

show_verdict(run)
if not state.researcher():
    show_main_metric(run)
    show_approximate(run.id)
    st.stop()
table = results.metrics_table(run.id)
st.subheader("Models and metrics", anchor=False)
st.dataframe(metrics_view(run.id), hide_index=True)
st.caption(split_note(run.id))
if run.model == "nme-crf":
    st.caption(plain(SEQUENCE_LOSS))
with st.expander("What the metrics mean"):
    for metric in table.columns:
        name, meaning = METRICS[metric]
        st.markdown(f"**{name}**: {meaning}.")

comparison = comparison_view(run.id)
if len(comparison):
    st.subheader("Paired over persons", anchor=False)
    st.dataframe(comparison, hide_index=True)
    st.caption(PAIRED)

st.subheader("Training", anchor=False)
show(loss_figure(results.table(run.id, "history")))
variances = variance_figure(results.table(run.id, "history"))
if variances is not None:
    show(variances)
show_approximate(run.id)
