"""Which figure to export: one selector for the figure, and one for each thing that it is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard.components.readouts import choose_readout
from dashboard.components.response import choose_groups, choose_response
from dashboard.services import covariates, results
from dashboard.services.figures import choices_of, figure, kinds
from dashboard.services.runs import Run
from nme_core.figures.catalogue import KINDS
from nme_core.figures.run_figure import RunFigure
from nme_core.vocabulary.language import tr

#: What a figure may be about, and what it is called.
_ASKED = {
    "parameter": "Parameter",
    "tested": "Parameter",
    "covariate": "Covariate",
    "effect": "Level or slope",
    "of": "What is checked",
    "first": "Person",
    "second": "Beside person",
}
#: Of these the first that there is comes first.
_MAIN = ("transitions", "curves")
#: Choices that other pages share.
_SHARED = {"parameter", "covariate", "effect"}
_OF_READOUTS = {"transitions", "arrows", "pair", "people", "groups"}


def choose_figure(run: Run) -> RunFigure | None:
    """Selectors for the run's figures; the figure chosen, None where there is none such."""
    offered = kinds(run.id)
    first = next((kind for kind in _MAIN if kind in offered), offered[0])
    kind = st.selectbox(
        tr("Figure"),
        offered,
        offered.index(first),
        key="export_figure",
        persist_state="session",
        format_func=lambda one: tr(KINDS[one].label),
    )
    if kind == "curves":
        return choose_response(run)
    if kind == "curve-groups":
        return choose_groups(run, _choice(run, "covariate", covariates.grouping(run.id)))
    options = choices_of(run.id, kind)
    if kind == "covariates":
        options["tested"] = list(covariates.parameters(run.id).values.columns)
    chosen: dict[str, str | None] = {
        "parameter" if name == "tested" else name: _choice(run, name, some)
        for name, some in options.items()
    }
    if KINDS[kind].personal:
        chosen["person"] = st.selectbox(
            tr("Person"), results.people(run.id), index=None, key="person",
            placeholder=tr("nobody"), persist_state="session",
        )  # fmt: skip
    if kind in _OF_READOUTS:
        chosen["readout"] = choose_readout(run.id, st.container())
    return figure(run.id, kind, **chosen)


def _choice(run: Run, name: str, options: Sequence[str]) -> str:
    words: Callable[[str], str] = tr if name == "of" else str
    if name in ("parameter", "tested", "effect"):
        words = results.names(run.id).words
    return st.selectbox(
        tr(_ASKED)[name],
        options,
        index=1 if name == "second" else 0,
        key=name if name in _SHARED else f"export_{name}",
        persist_state="session",
        format_func=words,
    )
