"""Which response curve to show: feature, class, person."""

from __future__ import annotations

import streamlit as st

from dashboard.services import results
from dashboard.services.figures import figure
from dashboard.services.runs import Run
from dashboard.words.terms import TERMS
from nme_core.figures.run_figure import RunFigure
from nme_core.vocabulary.language import tr


def choose_response(run: Run) -> RunFigure | None:
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
    return figure(run.id, "curves", feature=feature, label=label, person=person)


def choose_groups(run: Run, covariate: str, verdict: str | None = None) -> RunFigure | None:
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
    return figure(
        run.id, "curve-groups", covariate=covariate, feature=feature, label=label, verdict=verdict
    )
