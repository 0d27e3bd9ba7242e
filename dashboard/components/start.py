"""The first screen: what this is for, two doors, and a sample study behind each."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.services import settings, studies
from dashboard.words.pages import DOORS, WELCOME
from nme_core.vocabulary.language import tr

_SAMPLE = "dyads"


def welcome() -> None:
    """Say what the app is for; each door takes a view and opens a sample study, or only that."""
    st.markdown(tr(WELCOME))
    places = st.columns(2, gap="medium")
    for place, (view, door) in zip(places, tr(DOORS).items(), strict=True):
        with place.container(border=True, key=f"door_{view}", height="stretch"):
            st.header(door["title"], anchor=False)
            st.markdown(door["what"])
            with st.container(horizontal=True, vertical_alignment="center"):
                pressed = st.button(
                    door["sample"], key=f"sample_{view}", type="primary",
                    on_click=_take, args=(view,),
                )  # fmt: skip
                st.button(door["own"], key=f"own_{view}", on_click=_take, args=(view,))
            if pressed:
                with st.spinner(door["opening"]):
                    state.choose_study(studies.open_sample(_SAMPLE))
                st.rerun()


def _take(view: str) -> None:
    """Take a view for this session and later ones, before the page is drawn."""
    state.switch_view(view)
    settings.set_view(view)
