"""Runs: every study and run on this computer; open, compare, rename, delete."""

import streamlit as st

from dashboard import state
from dashboard.components.context import empty, title
from dashboard.components.library import show_damaged, show_library
from dashboard.components.queue import show_queue
from dashboard.components.two_runs import compare_two
from dashboard.services import library

title("runs")
shelves, damaged = library.shelves(), library.damaged()
show_damaged(damaged)
if not shelves and not damaged:
    empty("no_runs", "study")
show_queue()
with st.container(key="library"):
    show_library(shelves)
finished = [run for shelf in shelves for run in shelf.runs if run.done]
if len(finished) > 1 and state.researcher():
    st.divider()
    compare_two(finished)
