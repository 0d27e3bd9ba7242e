"""From a sample or a file to a study: tables, roles, privacy, problems, name, and the press."""

from __future__ import annotations

from contextlib import nullcontext

import streamlit as st

from dashboard import state
from dashboard.components.privacy import privacy_form
from dashboard.components.problems import show_problems
from dashboard.components.roles import role_form
from dashboard.components.states import ask_states
from dashboard.components.upload import chosen_upload
from dashboard.services import memory, studies
from dashboard.services.drafts import TABLES, Draft
from dashboard.words.study import SAMPLE_STUDIES, STUDY
from nme_core.vocabulary.language import tr


def load_form(*, folded: bool) -> Draft | None:
    """Draw everything up to the press that loads a study; the draft, where there is one."""
    with st.expander(tr(STUDY)["another"]) if folded else nullcontext():
        draft = _choose()
        roles = role_form(draft)
        if draft is None:
            return None
        names = ask_states(draft, roles)
        privacy = privacy_form(draft, roles)
        made, stopped = show_problems(draft, roles)
        name = st.text_input(
            tr(STUDY)["name"], key="study_name", max_chars=60, width=420,
            help=tr(STUDY)["name_help"], placeholder=studies.default_name(draft, roles),
        )  # fmt: skip
        pressed = st.button(
            tr(STUDY)["load"], key="load_study", type="primary", disabled=roles is None or stopped
        )
        if pressed and roles is not None:
            with st.spinner(tr(STUDY)["checking"]):
                identity = studies.keep_study(
                    draft,
                    roles,
                    name,
                    remedies=(*made, *names),
                    privacy=privacy,
                    take_key=state.hold_key,
                )
                memory.remember(draft, roles)
                state.choose_study(identity)
            st.rerun()
    return draft


def _choose() -> Draft | None:
    """The user's own tables, or a sample study."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.header(tr(STUDY)["own"], anchor=False)
        long = st.file_uploader(
            tr(STUDY)["long"], TABLES, key="upload_long", help=tr(STUDY)["formats"]
        )
        second = st.file_uploader(tr(STUDY)["second"], TABLES, key="upload_covariates")
    with right:
        st.header(tr(STUDY)["sample"], anchor=False)
        sample = st.selectbox(
            tr(STUDY)["sample"], studies.sample_names(), index=None, key="sample_study",
            placeholder=tr(STUDY)["choose_sample"], label_visibility="collapsed",
        )  # fmt: skip
        st.caption(tr(SAMPLE_STUDIES)[sample])
    if long is not None:
        return chosen_upload(long, second)
    return None if sample is None else studies.draft_sample(sample)
