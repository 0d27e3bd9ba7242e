"""Study: start from a sample or an upload, confirm the roles, read the report."""

import streamlit as st

from dashboard import state
from dashboard.components.context import title
from dashboard.components.earlier import earlier_runs
from dashboard.components.loading import load_form
from dashboard.components.report import show_report
from dashboard.components.start import welcome
from dashboard.components.text import plain
from dashboard.services import studies
from dashboard.words.pages import EMPTY
from dashboard.words.study import STUDY
from nme_core.vocabulary.language import tr

title("study")
record = studies.study_record(state.study_id() or "")
# A study that is loaded comes first, unless another one is about to be.
first = record is not None and not state.is_proposal_open()
doors, report_above, form = st.container(), st.container(), st.container()
with form:
    draft = load_form(folded=first)
if record is None and state.study_id() is not None:
    doors.info(tr(EMPTY)["unknown_study"])
elif record is None and draft is None:
    with doors:
        welcome()
if record is not None:
    with report_above if first else st.container():
        if not first:
            st.divider()
        st.header(tr(STUDY)["report"].format(name=plain(record.name)), anchor=False)
        show_report(record)
if draft is None:
    earlier_runs()
