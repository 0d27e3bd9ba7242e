"""Look before modelling: what a study's rows show by themselves, a section at a time."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.components.figures import a_page, show
from dashboard.components.text import plain
from dashboard.services import look
from dashboard.services.studies import (
    Compliance,
    Report,
    Study,
    StudyRecord,
    missing_over_time,
    outcome_words,
)
from dashboard.words.look import LOOK, LOOK_COLUMNS, LOOK_STATES
from dashboard.words.study import REPORT
from nme_core.figures import of_study
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said
from nme_core.vocabulary.numbers import fixed, number, p_phrase


def look_at_data(record: StudyRecord, study: Study, report: Report) -> None:
    """The section that is chosen."""
    st.header(tr(LOOK)["title"], anchor=False)
    sections = {
        "overview": _overview, "people": _people, "distributions": _distributions,
        "relations": _relations, "moments": _moments, "missing": _missing,
    }  # fmt: skip
    section = st.segmented_control(
        tr(LOOK)["title"], list(sections), default="overview", required=True,
        format_func=tr(LOOK).__getitem__, key="look_section", label_visibility="collapsed",
    )  # fmt: skip
    sections[section](record, study, report)


def _overview(record: StudyRecord, study: Study, report: Report) -> None:
    left, right = st.container(key="pair_overview").columns(2)
    with left:
        show(of_study.observations(report.n_obs))
    with right:
        show(of_study.outcome(study.y, study.outcome_kind, outcome_words(record.id)))
    lines = [tr(REPORT)["spacing"].format(spacing=report.spacing)] if report.spacing else []
    if state.researcher():
        lines += [
            tr(REPORT)["compliance"].format(
                covariate=one.covariate, n=one.n_persons, numbers=_association(one)
            )
            for one in report.compliance
        ]
    if lines:
        st.caption("  \n".join(map(plain, lines)))


def _association(one: Compliance) -> str:
    """How the number of observations goes with a covariate, in numbers."""
    if one.spearman is None:
        return said(str(one))
    name = tr("Spearman's ρ")
    return f"{name} = {fixed(one.spearman, 2)}, {p_phrase(one.p)}"


def _people(record: StudyRecord, study: Study, report: Report) -> None:
    """One person's rows, found by typing, then everybody's, a page at a time."""
    everybody, outcome = list(study.persons), outcome_words(record.id)
    chosen = st.selectbox(
        tr(LOOK)["person"], everybody, index=None, key="person", persist_state="session",
        placeholder=tr(LOOK)["everybody"], width=420,
    )  # fmt: skip
    if chosen is not None:
        show(of_study.series(study, [chosen], outcome))
        return
    show(of_study.series(study, a_page(everybody, "series_page"), outcome))


def _distributions(record: StudyRecord, study: Study, report: Report) -> None:
    table = look.columns(record.id)
    show(of_study.distributions(study, table))
    if study.outcome_kind == "class":
        shares = look.states(record.id)
        shown = pd.DataFrame(
            {
                words: [_share(one) for one in shares[name]]
                for name, words in tr(LOOK_STATES).items()
            },
            index=shares.index,
        )
        shown.insert(1, tr(LOOK)["people_in"], shares["people"].to_numpy())
        st.table(shown)
        st.caption(tr(LOOK)["states_help"])


def _relations(record: StudyRecord, study: Study, report: Report) -> None:
    """Correlations, and how much of each number lies between people."""
    show(of_study.correlations(*look.pairs(record.id)))
    table = look.columns(record.id)
    shown = pd.DataFrame(
        {
            words: [
                _share(one) if name in ("missing", "floor", "ceiling") else
                fixed(one, 2) if name in ("icc", "autocorrelation") else number(one)
                for one in table[name]
            ]
            for name, words in tr(LOOK_COLUMNS).items()
        },
        index=table.index,
    )  # fmt: skip
    st.dataframe(shown)
    st.caption(tr(LOOK)["columns_help"])


def _moments(record: StudyRecord, study: Study, report: Report) -> None:
    table = look.moments(record.id)
    if table.empty:
        st.info(tr(LOOK)["days" if record.counts_days else "no_dates"])
    else:
        show(of_study.moments(table, outcome_words(record.id)))


def _missing(record: StudyRecord, study: Study, report: Report) -> None:
    if not report.missing.sum():
        st.markdown(tr(REPORT)["complete"])
        return
    places = st.container(key="pair_missing").columns(2)
    both: tuple[Literal["person", "column"], ...] = ("person", "column")
    for place, by in zip(places, both, strict=True):
        grid, time = missing_over_time(record.id, by)
        with place:
            show(of_study.missing(grid, by, time))


def _share(value: float) -> str:
    return "–" if pd.isna(value) else f"{100 * value:.0f} %"
