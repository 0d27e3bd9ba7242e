"""Which response curve to show: feature, class, person."""

from __future__ import annotations

import streamlit as st

from dashboard.components.catalogue import group_figure, response_figure
from dashboard.components.figures import Figure
from dashboard.services import results
from dashboard.services.runs import Run
from dashboard.services.studies import outcome_words, study_record
from dashboard.words.terms import TERMS
from nme_core.vocabulary.language import tr


def choose_response(run: Run) -> Figure:
    """Selectors side by side; the figure chosen."""
    classes = results.response_classes(run.id)
    columns = st.columns(3 if classes else 2)
    feature = columns[0].selectbox(
        tr("Feature"),
        results.response_features(run.id),
        key="feature",
        persist_state="session",
        help=tr(TERMS)["feature"],
    )
    person = columns[1].selectbox(
        tr("Person to highlight"),
        results.response_persons(run.id, feature),
        index=None,
        key="person",
        placeholder=tr("nobody"),
        persist_state="session",
    )
    label = (
        columns[2].selectbox(tr("Class"), classes, key="class", persist_state="session")
        if classes
        else None
    )
    return response_figure(run.id, feature, outcome_name(run), label, person)


def choose_groups(run: Run, covariate: str, verdict: str | None = None) -> Figure | None:
    """Selectors side by side; the figure of groups by a covariate, None without such groups.

    ``verdict`` is that of a test of the covariate, where one was made.
    """
    classes = results.response_classes(run.id)
    columns = st.columns(2)
    feature = columns[0].selectbox(
        tr("Feature"),
        results.response_features(run.id),
        key="feature",
        persist_state="session",
        help=tr(TERMS)["feature"],
    )
    label = (
        columns[1].selectbox(tr("Class"), classes, key="class", persist_state="session")
        if classes
        else None
    )
    return group_figure(run.id, covariate, feature, outcome_name(run), label, verdict)


def outcome_name(run: Run) -> str:
    """What the outcome of a run's study is called, in words where its codebook has some."""
    return outcome_words(run.study) if study_record(run.study) is not None else "outcome"
