"""Which figure to export: one selector for the figure, one for what it is about."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard.components.readouts import choose_readout
from dashboard.components.response import choose_groups, choose_response
from dashboard.services import covariates, results
from dashboard.services.figures import figure
from dashboard.services.runs import Run
from nme_core.figures.run_figure import RunFigure
from nme_core.vocabulary.language import tr


def choose_figure(run: Run) -> RunFigure | None:
    """Selectors for the run's figures; the figure chosen."""
    choices: dict[str, Callable[[Run], RunFigure | None]] = {}
    if results.has_table(run.id, "transitions") and run.model == "nme-crf":
        choices["Transitions of a person"] = _transitions
    if results.has_table(run.id, "response_curves"):
        choices["Response curves"] = choose_response
        if covariates.grouping(run.id):
            choices["Response curves by covariate"] = _groups
    if results.informative_parameters(run.id):
        choices["Random-effect distribution"] = _random_effect
    if covariates.tested(run.id):
        choices["HSIC permutation test"] = _hsic
        choices["Parameter against covariate"] = _scatter
    choices["Training losses"] = _losses
    name = st.selectbox(
        tr("Figure"), list(choices), key="export_figure", persist_state="session", format_func=tr
    )
    return choices[name](run)


def _transitions(run: Run) -> RunFigure | None:
    person = st.selectbox(
        tr("Person"), results.persons(run.id), key="person", persist_state="session"
    )
    readout = choose_readout(run.id, st.container())
    return figure(run.id, "transitions", person=person, readout=readout)


def _groups(run: Run) -> RunFigure | None:
    names = covariates.grouping(run.id)
    return choose_groups(run, st.selectbox(tr("By covariate"), names, key="group_covariate"))


def _random_effect(run: Run) -> RunFigure | None:
    names = results.informative_parameters(run.id)
    parameter = st.selectbox(
        tr("Parameter"),
        names,
        key="parameter",
        persist_state="session",
        format_func=results.names(run.id).words,
    )
    return figure(run.id, "random-effects", parameter=parameter)


def _hsic(run: Run) -> RunFigure | None:
    covariates.kept_tests(run.id)
    return figure(run.id, "hsic", covariate=_covariate(run))


def _scatter(run: Run) -> RunFigure | None:
    covariate = _covariate(run)
    names = list(covariates.parameters(run.id).values.columns)
    parameter = st.selectbox(
        tr("Parameter"), names, key="scatter", format_func=results.names(run.id).words
    )
    return figure(run.id, "covariates", covariate=covariate, parameter=parameter)


def _covariate(run: Run) -> str:
    return st.selectbox(
        tr("Covariate"), list(covariates.tested(run.id)), key="covariate", persist_state="session"
    )


def _losses(run: Run) -> RunFigure | None:
    return figure(run.id, "losses")
