"""A job on a run, on the page: its progress, or why it failed."""

from __future__ import annotations

import streamlit as st

from dashboard.components.messages import in_app_words
from dashboard.components.text import plain
from dashboard.services import jobs
from dashboard.words.pages import JOB_STOP
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said


def follow(run: str, kind: str, what: str) -> bool:
    """Draw where a job stands, until it has ended; whether it is at work."""
    found = jobs.status(run, kind)
    if found is None:
        return False
    if found.state in ("queued", "running"):
        _live(run, kind, what)
        return True
    if found.state == "cancelled":
        st.caption(plain(said(found.message)))
    if found.state == "failed":
        st.error(plain(in_app_words(found.message)))
    return False


@st.fragment(run_every=0.7)
def _live(run: str, kind: str, what: str) -> None:
    found = jobs.status(run, kind)
    if found is None or found.state not in ("queued", "running"):
        st.rerun()
    progress = min(max(found.progress, 0.0), 1.0)
    bar, stop = st.columns([6, 1], vertical_alignment="center")
    bar.progress(
        progress,
        text=plain(
            tr("{what}: {message}. You can leave this page.").format(
                what=what, message=said(found.message).rstrip(".")
            )
        ),
    )
    if stop.button(tr(JOB_STOP), key=f"stop_{kind}", width="stretch"):
        jobs.cancel(run, kind)
        st.rerun()
