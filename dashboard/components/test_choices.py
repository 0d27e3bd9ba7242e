"""How covariates are tested: the choices of ``nme hsic``, under one fold."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard.components.text import plain
from dashboard.services import covariates, results
from dashboard.words.covariates import CORRECTIONS, GUARDS, PERMUTE, TEST_OPTIONS, TESTED
from nme_core.vocabulary.language import tr


def choose_how(run: str, covariate: str) -> covariates.CovariateOptions:
    """Selectors that begin at what was chosen for this run before; the options chosen."""
    how = covariates.options(run)
    others = [name for name in results.covariates(run).columns if name != covariate]
    blocks = [name for name in covariates.block_columns(run) if name != covariate]
    with st.expander(tr("How it is tested")):
        choices = covariates.choices_of(run)
        of = st.selectbox(
            tr("What of each person is tested"), choices,
            choices.index(how.of) if how.of in choices else 0,
            format_func=lambda name: tr(TESTED)[name][0], key=f"of_{run}",
            help=tr(TEST_OPTIONS)["of"],
        )  # fmt: skip
        st.caption(tr(TESTED)[of][1])
        guards = covariates.guards()
        guard = st.selectbox(
            tr("Guard against the compliance trap"), guards, guards.index(covariates.guard_of(how)),
            format_func=lambda name: tr(GUARDS).get(name, (name, ""))[0], key=f"guard_{run}",
            help=tr(TEST_OPTIONS)["guard"],
        )  # fmt: skip
        st.caption(tr(GUARDS).get(guard, ("", ""))[1])
        left, right = st.columns(2)
        confounders = left.multiselect(
            tr("Confounders to adjust for"), others,
            [name for name in how.confounders if name in others],
            key=f"confounders_{run}_{covariate}", help=tr(TEST_OPTIONS)["confounders"],
            placeholder=tr("none"), disabled=not others,
        )  # fmt: skip
        block = right.selectbox(
            tr("People come in blocks"), [None, *blocks],
            1 + blocks.index(how.blocks) if how.blocks in blocks else 0,
            key=f"blocks_{run}_{covariate}", help=tr(TEST_OPTIONS)["blocks"], disabled=not blocks,
            format_func=lambda name: name or tr("no blocks"),
        )  # fmt: skip
        permute = how.permute
        if block is not None:
            permute = right.radio(
                tr("What is permuted"), list(PERMUTE), list(PERMUTE).index(how.permute),
                format_func=tr(PERMUTE).__getitem__, key=f"permute_{run}", horizontal=True,
            )  # fmt: skip
        adjust = left.radio(
            tr("Correction for the number of tests"), list(CORRECTIONS),
            list(CORRECTIONS).index(how.adjust), format_func=tr(CORRECTIONS).__getitem__,
            key=f"adjust_{run}", horizontal=True, help=tr(TEST_OPTIONS)["adjust"],
        )  # fmt: skip
        incremental = st.checkbox(
            tr("Ask what the parameters tell beyond each person's mean and variability"),
            how.incremental, key=f"incremental_{run}", help=tr(TEST_OPTIONS)["incremental"],
            disabled=not results.has_table(run, "person_summaries"),
        )  # fmt: skip
        tested = [name for name in covariates.tested(run) if name != covariate]
        if tested:
            st.caption(plain(tr(TEST_OPTIONS)["again"].format(names=", ".join(tested))))
    how = covariates.with_guard(how, guard)
    return replace(
        how, of=of, confounders=tuple(confounders), blocks=block,
        permute=permute, adjust=adjust, incremental=incremental,
    )  # fmt: skip
