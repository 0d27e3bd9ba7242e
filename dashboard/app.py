"""Entry of the dashboard: page configuration and navigation only."""

from __future__ import annotations

import gc

import streamlit as st

from dashboard import state
from dashboard.components import look
from dashboard.components.context import adopt_run
from dashboard.components.errors import at_home, guard
from dashboard.components.links import navigation_pages
from dashboard.components.sidebar import adopt_language, adopt_view, sidebar
from dashboard.server import check_served
from dashboard.services.home import tidy


@st.cache_resource(show_spinner=False)
def settle() -> None:
    """Once in the server's life: sweep the home; spare imports from the garbage collection."""
    tidy()
    gc.freeze()


st.set_page_config(page_title="NME", layout="wide", initial_sidebar_state=230)
adopt_language()
look.apply()
with at_home():
    check_served()
    settle()
state.restore()
with guard():
    adopt_run()
adopt_view()
page = st.navigation(navigation_pages(researcher=state.researcher()))
sidebar()
with guard():
    page.run()
