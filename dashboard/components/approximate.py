"""Which of a run's intervals are only approximate, and why."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.components.text import plain
from dashboard.services import results
from dashboard.words.take_away import APPROXIMATE, INTERVALS_OF
from nme_core.vocabulary.language import tr


def show_approximate(run: str) -> None:
    """One sentence; for researchers also the reasons, each with what it concerns."""
    reasons = results.approximations(run)
    known = "unknown" if reasons is None else "some" if reasons else "none"
    if not state.researcher():
        st.caption(tr(APPROXIMATE)[known])
        return
    st.header(tr("What is approximate"), anchor=False)
    st.markdown(tr(APPROXIMATE)[known])
    say = results.speaker(run)
    for reason, tables in (reasons or {}).items():
        concerned = ", ".join(tr(INTERVALS_OF)[table] for table in tables)
        st.markdown(
            tr("- {reason} Concerns {concerned}.").format(
                reason=plain(say(reason)), concerned=concerned
            )
        )
