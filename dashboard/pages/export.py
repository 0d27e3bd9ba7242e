"""Export: every figure for print, and its numbers."""

import streamlit as st

from dashboard.components.context import finished_run, title
from dashboard.components.errors import guard
from dashboard.components.export_choice import choose_figure
from dashboard.components.figures import choose_paper, downloads, preview
from dashboard.components.pins import pin_button
from dashboard.components.take_away import reports, tables, words
from dashboard.components.text import plain
from dashboard.glossary import EXPORTED, LEADS

title("Export", LEADS["export"])
run = finished_run()

figures_tab, report_tab, words_tab, tables_tab = st.tabs(
    ["Figures", "Report and bundle", "Words to paste", "Tables"]
)
with figures_tab:
    left, right = st.columns([1, 2], gap="large")
    with left:
        figure = choose_figure(run)
        paper = choose_paper()
        st.caption("Download")
        with st.container(horizontal=True):
            downloads(figure, paper=paper)
        pin_button(figure, "pin_export")
        st.caption(f"{EXPORTED['text']} {EXPORTED['html']}")
    with right:
        preview(figure, paper)
        st.markdown(plain(figure.sentence))
with report_tab, guard():
    reports(run)
with words_tab, guard():
    words(run)
with tables_tab, guard():
    tables(run)
