"""The sections of the page Fit."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import streamlit as st

from dashboard import state
from dashboard.components import jobs as follow_jobs
from dashboard.components.approximate import show_approximate
from dashboard.components.errors import guard
from dashboard.components.figures import a_page, show, show_losses
from dashboard.components.text import plain
from dashboard.components.verdict import comparison_view, metrics_view, persons_view, split_note
from dashboard.services import fit, jobs, rechecks, results
from dashboard.services.figures import figure
from dashboard.services.runs import Run
from dashboard.services.terms import MODEL_WORDS, model_name
from dashboard.words.fit import (
    BY_PERSON,
    CERTIFICATE,
    PAIRED,
    SEQUENCE_LOSS,
    TABLE_HELP,
    TOGETHER,
)
from dashboard.words.pages import EMPTY
from nme_core.figures.labels import parameter_words
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import number
from nme_core.vocabulary.terms import metric_meaning, short_metric_name


def models(run: Run) -> None:
    """Models × metrics of all occasions together, and person by person."""
    table = results.metrics_table(run.id)
    st.header(tr(TOGETHER)["title"], anchor=False)
    st.table(metrics_view(run.id).set_index(tr("model")))
    with st.expander(tr(TABLE_HELP)["together"]):
        st.markdown(f"{split_note(run.id)} {tr(TOGETHER)['limit']}")
        if run.model == "nme-crf":
            st.markdown(plain(tr(SEQUENCE_LOSS)))
        for model in table.index:
            st.markdown(plain(f"{model_name(model)}: {tr(MODEL_WORDS).get(model, model)}."))
        for metric in table.columns:
            name, meaning = short_metric_name(metric), metric_meaning(metric)
            st.markdown(f"**{name}**: {meaning}.")
    by_person = persons_view(run.id)
    if len(by_person):
        st.header(tr(BY_PERSON)["title"], anchor=False)
        st.table(by_person)
        with st.expander(tr(TABLE_HELP)["by_person"]):
            st.markdown(f"{tr(BY_PERSON)['what']}\n\n{tr(BY_PERSON)['why']}")
    show(figure(run.id, "skill"))
    paired = figure(run.id, "differences")
    if paired is not None:
        show(paired)
        with st.expander(tr(TABLE_HELP)["paired"]):
            st.dataframe(comparison_view(run.id), hide_index=True)
            st.markdown(tr(PAIRED))


def person(run: Run) -> None:
    """The fit of a person that is chosen."""
    chosen = st.selectbox(
        tr("Person (type to search)"), fit.persons(run.id), key="person", persist_state="session"
    )
    show(figure(run.id, "fits", person=chosen, plain=not state.researcher()))


def persons(run: Run) -> None:
    """One person's fit, and everybody's as small multiples."""
    person(run)
    everybody = fit.persons(run.id)
    st.header(tr("All people"), anchor=False)
    shown = a_page(everybody, "fits_page")
    if len(shown) > 1:
        show(figure(run.id, "fits", who=shown))


def errors(run: Run) -> None:
    """Where predictions go wrong: occasions, states, persons."""
    model = _choose_model(run, fit.models(run.id))
    wrong = figure(run.id, "mistakes", model=model)
    show(wrong, "no_test_part")
    if wrong is None:
        return
    st.header(tr("Person by person"), anchor=False)
    metrics = list(results.metrics_table(run.id).columns)
    first = metrics.index(results.main_metric(results.metrics_table(run.id)))
    metric = st.selectbox(
        tr("Metric"),
        metrics,
        first,
        format_func=short_metric_name,
        key="person_metric",
    )
    show(figure(run.id, "person-errors", metric=metric), "no_person_metric")


def checks(run: Run) -> None:
    """Simulated against observed, and calibration."""
    if results.has_table(run.id, "checks"):
        for of in ("numbers",) if fit.is_number(run.id) else ("states", "transitions"):
            show(figure(run.id, "checks", of=of))
    else:
        st.info(tr(EMPTY)["no_checks"])
    by_person = figure(run.id, "person-checks")
    if by_person is not None:
        st.header(tr("Person by person"), anchor=False)
        show(by_person)
    st.header(tr("Calibration"), anchor=False)
    known = [name for name in fit.models(run.id) if fit.is_calibrated(run.id, name)]
    chosen = _choose_model(run, known) if known else ""
    show(figure(run.id, "calibration", model=chosen), "no_calibration")


def training(run: Run) -> None:
    """Traces, shrinkage, what is approximate, and the certificate."""
    show_losses(results.table(run.id, "history"))
    if run.done:
        shrinkage = figure(run.id, "shrinkage")
        if shrinkage is not None:
            st.header(tr("Shrinkage"), anchor=False)
            show(shrinkage)
        if choice := results.run_folder(run.id).config.get("covariance_choice"):
            st.caption(choice["words"])
        show_approximate(run.id)
        _certificate(run)


def _certificate(run: Run) -> None:
    """Our linear fit beside MixedLM's; where there is none yet, a button that makes one."""
    if not rechecks.can_be_certified(run.id):
        return
    st.header(tr("Certificate"), anchor=False)
    found = rechecks.certificate(run.id)
    if found is None:
        st.caption(tr(CERTIFICATE)["offer"])
        working = follow_jobs.follow(run.id, jobs.CERTIFICATE, tr("Certifying"))
        if not working and st.button(tr("Certify"), key="run_certificate"):
            with guard():
                rechecks.start_certificate(run.id, run.study)
                st.rerun()
        return
    table, own = found
    agree = bool(table["agrees"].all())
    st.markdown(tr(CERTIFICATE)["agrees" if agree else "differs"].format(
        largest=number(float(table["relative_difference"].max()), 2), n=len(table)
    ))  # fmt: skip
    shown = table.assign(
        what=[_what(row) for row in table.to_dict("records")],
        ours=table["ours"].map(lambda value: number(value, 5)),
        mixedlm=table["mixedlm"].map(lambda value: number(value, 5)),
        relative_difference=table["relative_difference"].map(lambda value: number(value, 2)),
        agrees=table["agrees"].map({True: "yes", False: "no"}),
    )
    columns = ["what", "ours", "mixedlm", "relative_difference", "agrees"]
    words = {"mixedlm": "MixedLM", "relative_difference": tr("relative difference")}
    st.dataframe(shown[columns].rename(columns=words), hide_index=True)
    st.caption(tr(CERTIFICATE)["own" if own else "other"])


def _what(row: Mapping[Hashable, str]) -> str:
    parameters = (row[name] for name in ("parameter", "parameter_2") if row[name])
    names = " × ".join(map(parameter_words, parameters))
    person = f", person {row['person']} (largest difference)" if row["person"] else ""
    return f"{row['quantity']} {names}{person}".strip()


def _choose_model(run: Run, names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    return st.selectbox(tr("Model"), names, format_func=model_name, key=f"fit_model_{run.id}")
