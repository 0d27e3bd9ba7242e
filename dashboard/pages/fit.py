"""Fit: does the model predict what it has not seen, and does it hold?"""

import streamlit as st

from dashboard import state
from dashboard.components import fit_sections
from dashboard.components.approximate import show_approximate
from dashboard.components.context import finished_run, title
from dashboard.components.verdict import numbers_behind, show_verdict
from dashboard.words.fit import FIT_SECTIONS
from nme_core.vocabulary.language import tr

title("fit")
run = finished_run(partly=True)

show_verdict(run)
if not state.researcher():
    fit_sections.person(run)
    numbers_behind(run)
    show_approximate(run.id)
    st.stop()
section = st.segmented_control(
    tr("Show"), list(FIT_SECTIONS), default="models", required=True,
    format_func=tr(FIT_SECTIONS).__getitem__, key="fit_section", persist_state="session",
    label_visibility="collapsed",
)  # fmt: skip
getattr(fit_sections, section)(run)
