"""Study: start from a sample or an upload, confirm the roles, read the report."""

import streamlit as st

from dashboard import state
from dashboard.components.context import title
from dashboard.components.earlier import earlier_runs
from dashboard.components.links import link
from dashboard.components.privacy import privacy_form, show_key
from dashboard.components.problems import show_problems
from dashboard.components.report import show_report
from dashboard.components.roles import role_form
from dashboard.components.text import plain
from dashboard.components.upload import chosen_upload
from dashboard.glossary import SAMPLE_STUDIES
from dashboard.services import memory, studies
from dashboard.services.drafts import TABLES

title("study")

left, right = st.columns(2, gap="large")
with left:
    st.subheader("Sample study", anchor=False)
    sample = st.selectbox(
        "Sample study",
        studies.sample_names(),
        index=None,
        key="sample_study",
        placeholder="Choose a sample study",
        label_visibility="collapsed",
    )
    st.caption(SAMPLE_STUDIES[sample])
with right:
    st.subheader("Your own tables", anchor=False)
    long = st.file_uploader(
        "One row per person and occasion (text, Excel, SPSS, Stata, SAS, Parquet)",
        TABLES,
        key="upload_long",
    )
    second = st.file_uploader(
        "Optional: one row per person, such as a depression score",
        TABLES,
        key="upload_covariates",
    )

draft = None
if long is not None:
    draft = chosen_upload(long, second)
elif sample is not None:
    draft = studies.draft_sample(sample)

roles = role_form(draft)
if draft is not None:
    privacy = privacy_form(draft, roles)
    made = show_problems(draft, roles)
    name = st.text_input("Name of the study", key="study_name", max_chars=60, width=420)
    pressed = st.button("Load study", key="load_study", type="primary", disabled=roles is None)
    if pressed and roles is not None:
        with st.spinner("Checking the study"):
            identity = studies.keep_study(
                draft, roles, name, remedies=made, privacy=privacy, take_key=state.hold_key
            )
            memory.remember(draft, roles)
            state.choose_study(identity)
        st.rerun()

identity = state.study_id()
record = studies.study_record(identity or "")
if record is not None:
    st.divider()
    st.subheader(f"Report on {plain(record.name)}", anchor=False)
    show_key(record.id)
    if show_report(record):
        link("model", "Next: choose a model")
elif identity is not None:
    st.info("There is no study at this address. Load one above.")

if draft is None:
    earlier_runs()
