"""Entry of the dashboard: page configuration and navigation only."""

from __future__ import annotations

import gc

import streamlit as st

from dashboard import state
from dashboard.components import look
from dashboard.components.context import adopt_run
from dashboard.components.errors import guard
from dashboard.components.links import navigation_pages
from dashboard.components.sidebar import sidebar


@st.cache_resource(show_spinner=False)
def settle() -> None:
    """Spare what was imported from the garbage collection that follows every run."""
    gc.freeze()


st.set_page_config(page_title="NME", layout="wide", initial_sidebar_state=230)
settle()
look.apply()
state.restore()
adopt_run()
page = st.navigation(navigation_pages())
sidebar()
with guard():
    page.run()
