"""Which figure to export: one selector for the figure, one for what it is about."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard.components import catalogue
from dashboard.components.context import empty
from dashboard.components.figures import Figure
from dashboard.components.readouts import choose_readout
from dashboard.components.response import choose_groups, choose_response
from dashboard.services import covariates, results
from dashboard.services.runs import Run
from nme_core.vocabulary.language import tr


def choose_figure(run: Run) -> Figure:
    """Selectors for the run's figures; the figure chosen."""
    choices: dict[str, Callable[[Run], Figure]] = {}
    if results.has_table(run.id, "transitions") and run.model == "nme-crf":
        choices["Transitions of a person"] = _transitions
    if results.has_table(run.id, "response_curves"):
        choices["Response curves"] = choose_response
        if _grouping(run):
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


def _transitions(run: Run) -> Figure:
    person = st.selectbox(
        tr("Person"), results.persons(run.id), key="person", persist_state="session"
    )
    return catalogue.transition_figure(run.id, person, choose_readout(run.id, st.container()))


def _grouping(run: Run) -> list[str]:
    """Covariates that make groups of persons."""
    known = results.covariates(run.id)
    return [name for name in known if covariates.covariate_groups(known[name]) is not None]


def _groups(run: Run) -> Figure:
    covariate = st.selectbox(tr("By covariate"), _grouping(run), key="group_covariate")
    figure = choose_groups(run, covariate)
    if figure is None:
        empty("no_groups")
    return figure


def _random_effect(run: Run) -> Figure:
    names = results.informative_parameters(run.id)
    parameter = st.selectbox(
        tr("Parameter"),
        names,
        key="parameter",
        persist_state="session",
        format_func=results.names(run.id).words,
    )
    return catalogue.random_effect_figure(run.id, parameter)


def _hsic(run: Run) -> Figure:
    found = covariates.kept_tests(run.id)
    assert found is not None
    return catalogue.hsic_figure(found, _covariate(run))


def _scatter(run: Run) -> Figure:
    found = covariates.kept_tests(run.id)
    assert found is not None
    covariate = _covariate(run)
    names = list(covariates.parameters(run.id).values.columns)
    parameter = st.selectbox(
        tr("Parameter"), names, key="scatter", format_func=results.names(run.id).words
    )
    return catalogue.scatter_figure(run.id, found, covariate, parameter)


def _covariate(run: Run) -> str:
    return st.selectbox(
        tr("Covariate"), list(covariates.tested(run.id)), key="covariate", persist_state="session"
    )


def _losses(run: Run) -> Figure:
    return catalogue.loss_figure(results.table(run.id, "history"))
