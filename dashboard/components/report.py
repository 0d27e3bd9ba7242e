"""The data report, calmly: counts, findings with what to do, and two figures."""

from __future__ import annotations

import streamlit as st

from dashboard.components.catalogue import observations_figure, outcome_figure
from dashboard.components.figures import show
from dashboard.services.studies import open_study

_LOOK = {"stop": ("Stops training", "red"), "look": ("Worth a look", "orange"),
         "info": ("For information", "gray")}  # fmt: skip


def show_report(study_id: str) -> bool:
    """Draw the report of a kept study; whether the study can be used."""
    study, report = open_study(study_id)
    counts = report.n_obs
    facts = {
        "Persons": f"{study.n_persons:,}",
        "Rows": f"{study.n_rows:,}",
        "Per person (median)": f"{counts.median():g}",
        "Features": str(len(study.feature_names)),
        "Covariates": str(study.covariates.shape[1]),
    }
    for column, (label, value) in zip(st.columns(len(facts)), facts.items(), strict=True):
        column.metric(label, value)
    for severity, (label, colour) in _LOOK.items():
        for finding in (f for f in report.findings if f.severity == severity):
            with st.container(border=True, gap="xxsmall"):
                st.badge(label, color=colour)
                st.text(finding.message)
                if finding.remedy:
                    st.text(finding.remedy)
    if study.notes:
        with st.expander("What was left out, and why"):
            for note in study.notes:
                st.text(note)
    left, right = st.columns(2)
    with left:
        show(observations_figure(counts))
    with right:
        show(outcome_figure(study.y, study.outcome_kind, study.roles.outcome))
    return report.usable
