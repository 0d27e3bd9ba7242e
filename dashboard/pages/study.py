"""Study: start from a sample or an upload, confirm the roles, read the report."""

import streamlit as st

from dashboard import state
from dashboard.components.context import title
from dashboard.components.links import link
from dashboard.components.report import show_report
from dashboard.components.roles import role_form
from dashboard.components.text import plain
from dashboard.glossary import LEADS, SAMPLE_STUDIES
from dashboard.services import studies
from dashboard.services.runs import list_runs

title("Study", LEADS["study"])

left, right = st.columns(2, gap="large")
with left:
    st.subheader("Sample study", anchor=False)
    sample = st.selectbox(
        "Sample study", studies.sample_names(), index=None, key="sample_study",
        placeholder="Choose a sample study", label_visibility="collapsed",
    )  # fmt: skip
    st.caption(SAMPLE_STUDIES.get(sample, SAMPLE_STUDIES[None]))
with right:
    st.subheader("Your own tables", anchor=False)
    long = st.file_uploader(
        "One row per person and occasion (.csv, .tsv)", ["csv", "tsv", "txt"], key="upload_long"
    )
    second = st.file_uploader(
        "Optional: one row per person, such as a depression score", ["csv", "tsv", "txt"],
        key="upload_covariates",
    )  # fmt: skip

draft = None
if long is not None:
    table = None if second is None else second.getvalue()
    draft = studies.draft_upload(long.name, long.getvalue(), table)
elif sample is not None:
    draft = studies.draft_sample(sample)

if draft is not None:
    st.subheader("What the columns are", anchor=False)
    st.caption("Proposed from the names and values of the columns; change what is wrong.")
    with st.expander("First rows"):
        st.dataframe(draft.long.head(8), hide_index=True)
        if draft.covariates is not None:
            st.dataframe(draft.covariates.head(4), hide_index=True)
roles = role_form(draft)
if draft is not None:
    pressed = st.button("Load study", key="load_study", type="primary", disabled=roles is None)
    if pressed and roles is not None:
        with st.spinner("Checking the study"):
            state.choose_study(studies.keep_study(draft, roles))

identity = state.study_id()
record = studies.study_record(identity or "")
if record is not None:
    st.divider()
    st.subheader(f"Report on {plain(record.name)}", anchor=False)
    if show_report(record.id):
        link("model", "Next: choose a model")
elif identity is not None:
    st.info("There is no study at this address. Load one above.")

earlier = [run for run in list_runs() if run.done and run.id != state.run_id()]
if draft is None and earlier:
    st.divider()
    st.subheader("Earlier runs on this computer", anchor=False)
    names = {run.id: f"{run.name} ({run.created[:16].replace('T', ' ')} UTC)" for run in earlier}
    chosen = st.selectbox(
        "Earlier runs", list(names), index=None, format_func=names.get, key="earlier_run",
        placeholder="Choose a run", label_visibility="collapsed",
    )  # fmt: skip
    if chosen is not None and st.button("Open", key="open_run"):
        run = next(run for run in earlier if run.id == chosen)
        state.choose_run(run.id, run.study)
        link("fit", "See its results")
