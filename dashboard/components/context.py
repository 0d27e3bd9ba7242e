"""The run in view, or the empty state that says what to do next."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import NoReturn

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from dashboard import state
from dashboard.components.kept import kept_words
from dashboard.components.links import link
from dashboard.components.messages import in_app_words
from dashboard.components.queue import progress_words
from dashboard.components.text import plain
from dashboard.services.runs import Run, kept_models, run_record
from dashboard.words.pages import EMPTY, LEADS, PAGE_HELP, PAGES, PLAIN_LEADS
from dashboard.words.terms import PAGE_TERMS, RESEARCHER_TERMS, TERMS
from nme_core.vocabulary.language import tr

_APP = Path(__file__).parent.parent / "app.py"


def adopt_run() -> None:
    """Put the study of the run in view into view as well."""
    run = run_record(state.run_id() or "")
    if run is not None and run.study != state.study_id():
        state.choose_run(run.id, run.study)


def lead(page: str) -> str:
    """The sentence under a page's heading, in the words of the view."""
    plain_words = None if state.researcher() else tr(PLAIN_LEADS).get(page)
    return plain_words or tr(LEADS)[page]


def title(page: str) -> None:
    """A page's heading, the sentence under it and its help; the first thing on every page."""
    _be_inside_app()
    st.title(tr(PAGES)[page], anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(lead(page))
        _help(page)


def page_terms(page: str) -> tuple[str, ...]:
    """Terms that a page may show in this view, each with its meaning in the glossary."""
    return PAGE_TERMS[page] + (RESEARCHER_TERMS[page] if state.researcher() else ())


def _help(page: str) -> None:
    with st.popover(tr(PAGE_HELP), type="tertiary", icon=":material/help:", key="help"):
        said = [f"**{plain(tr(term))}** – {plain(tr(TERMS)[term])}" for term in page_terms(page)]
        st.markdown("\n\n".join(said))


def _be_inside_app() -> None:
    """Put the app around a page that Streamlit runs by itself.

    It does so with every file of a folder called pages, unless `dashboard.server` serves it, until
    ``st.navigation`` has been called for the first time in the server's life.
    """
    if PagesManager.uses_pages_directory:
        runpy.run_path(str(_APP), run_name="__main__")
        st.stop()


def empty(key: str, *paths: str, **words: object) -> NoReturn:
    """An empty state: what is missing and links to where it can be had; ends the page."""
    with st.container(border=True, key="empty"):
        st.markdown(tr(EMPTY)[key].format(**{name: plain(word) for name, word in words.items()}))
        for path in paths:
            link(path)
    st.stop()


@st.fragment(run_every=2.0)
def _follow(identity: str) -> None:
    """Where a run stands that has no results yet; the page is drawn anew when it has ended."""
    run = run_record(identity)
    if run is None or not run.active:
        st.rerun()
    with st.container(border=True, key="empty"):
        st.markdown(tr(EMPTY)["waiting" if run.waiting else "still_running"])
        st.progress(min(max(run.status.progress, 0.0), 1.0), text=progress_words(run))
        link("model")


def finished_run(*, partly: bool = False) -> Run:
    """The finished run in view; where there is none, an empty state ends the page.

    With ``partly``, the finished models of a run that was stopped are enough, with a note.
    """
    identity = state.run_id()
    if identity is None:
        if state.study_id() is None:
            empty("no_study", "study")
        empty("no_run", "model")
    run = run_record(identity or "")
    if run is None:
        empty("unknown_run", "study", "model")
    if run.active:
        _follow(run.id)
        st.stop()
    if not run.done and kept_models(run.id):
        kept = kept_words(run.id)
        if not partly:
            empty("partly_finished", "fit", "model", kept=kept)
        st.warning(tr(EMPTY)["partly_finished"].format(kept=plain(kept)))
    elif not run.done:
        empty("not_finished", "model", message=in_app_words(run.status.message))
    return run
