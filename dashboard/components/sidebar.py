"""What stands under the navigation: study and run in view, and what the product is not."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.components import look
from dashboard.components.errors import guard
from dashboard.components.links import link
from dashboard.components.text import plain
from dashboard.services import settings
from dashboard.services.runs import Run, run_record
from dashboard.services.studies import study_record
from dashboard.services.terms import placement_words
from dashboard.words.pages import (
    LANGUAGES,
    PLAIN_RUNS,
    RESEARCH_USE,
    SIDEBAR,
    STAYS_HERE,
    VIEW_HELP,
    VIEWS,
)
from dashboard.words.runs import RUN_STATES
from nme_core.vocabulary.choices import MODELS
from nme_core.vocabulary.language import tr


def adopt_language() -> None:
    """Take the language that the switch shows, or that was chosen last; before anything is said.

    The last choice holds for later sessions too.
    """
    before = state.language() or settings.language()
    chosen = state.switched_language() or before
    state.choose_language(chosen)
    if chosen != before:
        settings.set_language(chosen)


def adopt_view() -> None:
    """Take the view that the switch shows, or that was chosen last; before anything is drawn.

    The last choice holds for later sessions too.
    """
    before = state.view() or settings.view()
    chosen = state.switched_view() or before
    state.choose_view(chosen)
    if chosen != before:
        settings.set_view(chosen)


def sidebar() -> None:
    """Draw it."""
    with st.sidebar, guard():
        _view()
        study = study_record(state.study_id() or "")
        run = run_record(state.run_id() or "")
        look.mark_empty(_empty_pages(study is not None, run))
        if study is not None:
            st.markdown(f":small[:gray[{tr(SIDEBAR)['study']}]]  \n{plain(study.name)}")
        if run is not None:
            ended = tr(RUN_STATES)[run.status.state]
            st.markdown(f":small[:gray[{tr(SIDEBAR)['run']}, {ended}]]  \n{plain(_what(run))}")
            if run.active:
                _training(run.id)
        away = settings.scheduler() is not None
        st.caption(tr(RESEARCH_USE) + ("" if away else f" {tr(STAYS_HERE)}"))
        _language()


@st.fragment(run_every=2.0)
def _training(identity: str) -> None:
    """How far the training of the run in view is; all is drawn anew once it has ended."""
    with guard():
        run = run_record(identity)
        if run is None or not run.active:
            st.rerun()
        progress = min(max(run.status.progress, 0.0), 1.0)
        words = tr(SIDEBAR)["waiting" if run.waiting else "training"]
        st.progress(progress, text=words.format(percent=round(100 * progress)))
        link("model", tr(SIDEBAR)["open"])


def _empty_pages(study: bool, run: Run | None) -> list[str]:
    """Paths of the pages that have nothing to show yet."""
    if run is not None and run.done:
        return [] if run.model == "nme-crf" else ["transitions"]
    results = ["fit", "transitions", "random-effects", "new-person", "covariates", "export"]
    return results if study else ["model", *results, "gallery"]


def _view() -> None:
    """The switch between the two views."""
    at = list(VIEWS).index(state.view() or settings.view())
    st.radio(tr("View"), list(VIEWS), at, tr(VIEWS).__getitem__, key="view", help=tr(VIEW_HELP))


def _language() -> None:
    """The switch between the languages, each by its own name."""
    spoken = state.language()
    at = next((at for at, code in enumerate(LANGUAGES) if code == spoken), None)
    st.radio(
        tr("Language"), list(LANGUAGES), at, LANGUAGES.__getitem__, key="language",
        horizontal=True, label_visibility="collapsed",
    )  # fmt: skip


def _what(run: Run) -> str:
    """What was trained; for clinicians in plain words."""
    if state.researcher():
        return f"{tr(MODELS)[run.model][0]}, {placement_words(run.options['placement'])}"
    return tr(PLAIN_RUNS)[run.model]
