"""Covariates: do persons' parameters go with what else is known about them?"""

import streamlit as st

from dashboard import state
from dashboard.components.catalogue import hsic_figure
from dashboard.components.context import empty, finished_run, title
from dashboard.components.errors import guard
from dashboard.components.figures import show
from dashboard.components.findings import compliance_note, hsic_view
from dashboard.components.parameters import show_parameters
from dashboard.components.response import choose_groups
from dashboard.components.text import plain
from dashboard.components.verdict import interpreted_note
from dashboard.glossary import CONTRASTS, EMPTY, LEADS, STRATA, WEIGHTS
from dashboard.services import covariates, results

title("Covariates", LEADS["covariates"])
run = finished_run()
names = list(results.covariates(run.id).columns)
if not names:
    empty("no_covariates", "study")

left, right = st.columns([3, 1], vertical_alignment="bottom")
covariate = left.selectbox("Covariate", names, key="covariate", persist_state="session")
if right.button("Run HSIC test", key="run_hsic", type="primary", width="stretch"):
    with guard(), st.spinner("Permuting persons"):
        covariates.run_tests(run.id, covariate)
interpreted_note(run)
compliance_note(covariates.compliance(run.id, covariate), covariate)

found = covariates.kept_tests(run.id)
if found is None:
    st.info(EMPTY["no_tests"])
    st.stop()

if state.researcher():
    st.subheader("Dependence", anchor=False)
    st.dataframe(hsic_view(found), hide_index=True)
    how = plain(" ".join(found.notes)) or STRATA
    st.caption(f"{how} Corrected by Benjamini and Hochberg over every covariate tested here.")

for caution in found.cautions:
    st.warning(plain(caution))

if covariate not in set(found.hsic["covariate"]):
    st.info(f"{plain(covariate)} has not been tested on this run yet.")
    st.stop()
figure = hsic_figure(found, covariate)
if state.researcher():
    show(figure)
else:
    st.markdown(plain(figure.sentence))

if run.model == "nme-crf":
    st.subheader("Which parameters, in which direction", anchor=False)
    show_parameters(run.id, found, covariate, note=CONTRASTS)
    st.stop()

if results.has_table(run.id, "response_curves"):
    st.subheader("How predictions differ", anchor=False)
    groups = choose_groups(run, covariate)
    if groups is None:
        st.caption(EMPTY["no_groups"])
    else:
        show(groups)
if not state.researcher():
    st.stop()
with st.expander("Single parameters"):
    st.markdown(WEIGHTS)
    show_parameters(run.id, found, covariate)
