"""A covariate's effects on single parameters: a sentence, a table, and one parameter's figure."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.components.figures import show
from dashboard.components.findings import effects_view, finding
from dashboard.components.text import plain
from dashboard.services import covariates, results
from dashboard.services.figures import figure
from dashboard.words.effects import PARAMETER_NAMES
from nme_core.vocabulary.language import tr


def show_parameters(
    run: str, found: covariates.CovariateTests, covariate: str, *, note: str = ""
) -> None:
    """What goes with the covariate, parameter by parameter; the note stands under the table."""
    words = results.names(run).words
    effects = found.effects[found.effects["covariate"] == covariate]
    st.markdown(plain(finding(effects, covariate, words)))
    strongest = effects.sort_values("p")["parameter"].iloc[0]
    if not state.researcher():
        show(figure(run, "covariates", covariate=covariate))
        return
    st.dataframe(
        effects_view(effects, words), hide_index=True, height=min(38 + 35 * len(effects), 388)
    )
    if note:
        st.caption(note)
    names = list(covariates.parameters(run).values.columns)
    parameter = st.selectbox(
        tr("Parameter"), names, names.index(strongest), key=f"scatter_{run}_{covariate}",
        format_func=words, help=tr(PARAMETER_NAMES),
    )  # fmt: skip
    show(figure(run, "covariates", covariate=covariate, parameter=parameter))
