"""Export: every figure for print, and its numbers."""

import streamlit as st

from dashboard import state
from dashboard.components.context import finished_run, title
from dashboard.components.errors import guard
from dashboard.components.export_choice import choose_figure
from dashboard.components.figures import choose_paper, downloads, preview
from dashboard.components.pins import pin_button
from dashboard.components.take_away import reports, tables, words
from dashboard.components.text import plain
from dashboard.words.pages import EMPTY
from dashboard.words.take_away import EXPORTED
from nme_core.figures.drawing import Paper
from nme_core.vocabulary.language import tr

title("export")
run = finished_run()

everything = state.researcher()
names = [tr("Figures"), tr("Report and bundle"), tr("Words to paste"), tr("Tables")]
figures_tab, report_tab, *papers = st.tabs(names if everything else names[:2])
with figures_tab:
    left, right = st.container(key="pair_export").columns([1, 2], gap="large")
    with left:
        figure = choose_figure(run)
        paper = choose_paper() if everything else Paper()
        if figure is None:
            st.info(tr(EMPTY)["no_figure"])
        else:
            st.caption(tr("Download"))
            with st.container(horizontal=True):
                downloads(figure, paper=paper)
            pin_button(figure, "pin_export")
            st.caption(f"{tr(EXPORTED)['text']} {tr(EXPORTED)['html']}")
    if figure is not None:
        with right:
            preview(figure, paper)
            st.markdown(plain(figure.sentence))
with report_tab, guard():
    reports(run)
for tab, fill in zip(papers, (words, tables), strict=False):
    with tab, guard():
        fill(run)
