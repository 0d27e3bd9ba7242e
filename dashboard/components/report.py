"""The data report, calmly: counts, findings with what to do, and figures."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st
from pandas.api.types import is_numeric_dtype

from dashboard import state
from dashboard.components.changes import show_changes, show_findings
from dashboard.components.codebook import show_codebook
from dashboard.components.errors import show_error
from dashboard.components.links import link
from dashboard.components.look_at_data import look_at_data
from dashboard.components.messages import in_app_words
from dashboard.components.privacy import show_key
from dashboard.components.text import plain
from dashboard.services.drafts import REMEDIED, Remedy, sentence
from dashboard.services.home import NMEError
from dashboard.services.studies import (
    MISSING,
    StudyRecord,
    change_study,
    missing_words,
    open_study,
)
from dashboard.words.study import MISSING_FEATURES, REPORT, STUDY
from dashboard.words.terms import FACT_HELP
from nme_core.vocabulary.language import tr, written


def show_report(record: StudyRecord) -> None:
    """Draw the report of a kept study."""
    show_key(record.id)
    made = record.remedies
    change = partial(_change, record.id)
    try:
        study, report = open_study(record.id)
    except NMEError as error:
        show_changes(made, change)
        show_error(error)
        return
    show_changes(made, change, done=[note for note in study.notes if note.startswith(REMEDIED)])
    counts = report.n_obs
    facts = {
        "People": f"{study.n_persons:,}",
        "Rows": f"{study.n_rows:,}",
        "Per person (median)": f"{counts.median():g}",
        "Features": str(len(study.feature_names)),
        "Covariates": str(study.covariates.shape[1]),
    }
    for column, (label, value) in zip(st.columns(len(facts)), facts.items(), strict=True):
        column.metric(tr(label), written(value), help=tr(FACT_HELP).get(label))
    if report.usable:
        with st.container(key="next"):
            link("model", tr(STUDY)["next"])
    else:
        st.error(tr(STUDY)["stop"])
    others = [one for one in report.findings if not one.message.startswith(REMEDIED)]
    if not state.researcher():
        others = [one for one in others if one.severity != "info"]
    show_findings(others, made, change)
    if state.researcher():
        with st.expander(tr(REPORT)["settings"]):
            _choices(record, study.time, bool(report.missing.drop(report.outcome).sum()))
        show_codebook(record.id)
    _before_storing(record)
    look_at_data(record, study, report)


def _before_storing(record: StudyRecord) -> None:
    """What was left out or changed before the tables were stored."""
    if not (record.privacy or record.left_out):
        return
    with st.expander(tr(REPORT)["stored"]), st.container(gap="xxsmall"):
        for note in record.privacy:
            st.text(sentence(note))
        if record.left_out:
            st.text(tr(REPORT)["left_out"].format(columns=", ".join(record.left_out)))


def _choices(record: StudyRecord, time: pd.Series | None, lacks_features: bool) -> None:
    """What is known besides the table, and what is done about gaps and missing features."""
    left, middle, right = st.columns(3, gap="large")
    with left:
        _planned(record)
    if time is not None:
        with middle:
            _gap(record, record.counts_days or not is_numeric_dtype(time))
    if lacks_features:
        with right:
            _missing(record)


def _gap(record: StudyRecord, dated: bool) -> None:
    """The longest gap within a sequence; remembered with the study."""
    unit = tr(REPORT)["gap_durations" if dated else "gap_numbers"]
    given = st.text_input(
        tr(REPORT)["gap"],
        value=record.max_gap or "",
        key=f"gap_{record.id}",
        placeholder=tr("not set"),
        help=tr(REPORT)["gap_help"].format(unit=unit),
        max_chars=20,
        width=320,
    ).strip()
    if (given or None) != record.max_gap:
        try:
            change_study(record.id, max_gap=given or None)
        except NMEError as error:
            show_error(error)
        else:
            st.rerun()


def _missing(record: StudyRecord) -> None:
    """What is done about missing features; the choice is stated with its count."""
    chosen = st.selectbox(
        tr(REPORT)["missing"],
        MISSING,
        index=MISSING.index(record.missing),
        format_func=tr(MISSING_FEATURES).__getitem__,
        key=f"missing_{record.id}",
        help=tr(REPORT)["missing_help"],
    )
    if chosen != record.missing:
        change_study(record.id, missing=chosen)
        st.rerun()
    for note in missing_words(record.id):
        st.caption(plain(in_app_words(note)))


def _planned(record: StudyRecord) -> None:
    """How many occasions were planned for each person; remembered with the study."""
    planned = st.number_input(
        tr(REPORT)["planned"],
        min_value=1,
        value=record.planned,
        step=1,
        key=f"planned_{record.id}",
        placeholder=tr("not known"),
        help=tr(REPORT)["planned_help"],
        width=320,
    )
    if planned != record.planned:
        change_study(record.id, planned=planned)
        st.rerun()


def _change(study: str, remedies: tuple[Remedy, ...]) -> None:
    change_study(study, remedies=remedies)
