"""Export: every figure for print, and its numbers."""

import streamlit as st

from dashboard.components.context import finished_run, title
from dashboard.components.export_choice import choose_figure
from dashboard.components.figures import downloads, preview
from dashboard.components.text import plain
from dashboard.glossary import LEADS

title("Export", LEADS["export"])
run = finished_run()

left, right = st.columns([1, 2], gap="large")
with left:
    figure = choose_figure(run)
    st.caption("Download")
    with st.container(horizontal=True):
        downloads(figure)
    st.caption("Text in SVG and PDF stays text, so that it can be edited.")
with right:
    preview(figure)
    st.markdown(plain(figure.sentence))
