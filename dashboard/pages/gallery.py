"""Gallery: figures that were pinned on other pages, in one file."""

import streamlit as st

from dashboard import state
from dashboard.components.context import empty, title
from dashboard.components.gallery import show_gallery
from dashboard.services import gallery
from dashboard.words.take_away import GALLERY
from nme_core.vocabulary.language import tr

title("gallery")
place = gallery.place(state.study_id(), state.run_id())
if place is None:
    empty("no_study", "study")
pinned = gallery.pins(place)
if not pinned:
    st.info(tr(GALLERY)["empty"])
    st.stop()
show_gallery(place, pinned)
