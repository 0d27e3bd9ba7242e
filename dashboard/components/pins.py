"""The button that keeps a figure in the gallery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.components.errors import guard
from dashboard.services import gallery
from dashboard.words.take_away import GALLERY
from nme_core.figures.stored import as_json
from nme_core.vocabulary.language import tr

if TYPE_CHECKING:
    from nme_core.figures.run_figure import RunFigure


def pin_button(figure: RunFigure, key: str) -> None:
    """Keep the figure as it is now; nothing where neither a study nor a run is in view."""
    place = gallery.place(state.study_id(), state.run_id())
    if place is None or not st.button(tr("Pin"), type="tertiary", key=key, icon=":material/keep:"):
        return
    with guard():
        fresh = gallery.add(
            place, figure.name, figure.title, figure.sentence, as_json(figure.arguments)
        )
        st.toast(tr(GALLERY)["new" if fresh else "known"])
