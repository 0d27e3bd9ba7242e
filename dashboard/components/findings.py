"""Tests against covariates, as tables and sentences."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.components.text import plain
from dashboard.services.covariates import Compliance, CovariateTests, is_circular
from dashboard.services.terms import CORRELATIONS
from dashboard.words.covariates import COMPLIANCE, PLAIN_FINDINGS, PLAIN_SIZE, SIZES
from nme_core.figures.effect_words import KINDS, contrast, effect_words
from nme_core.figures.labels import parameter_words
from nme_core.vocabulary.language import span, tr
from nme_core.vocabulary.messages import said
from nme_core.vocabulary.numbers import fixed, number, p_phrase, p_value

#: What a parameter of a run is called.
Words = Callable[[str], str]
_STRENGTH = ("strength", "strength_low", "strength_high")


def compliance_note(found: Compliance | None, covariate: str, guard: str) -> None:
    """Say whether answering more or less often goes with the covariate, and what guards."""
    if found is None or (found.p >= 0.05 and not state.researcher()):
        return
    what = tr(
        "Number of observations and {covariate}: Spearman's ρ = {rho}, {p}, {n_persons} people."
    ).format(
        covariate=covariate, rho=fixed(found.rho, 2), p=p_phrase(found.p), n_persons=found.n_persons
    )
    if found.p >= 0.05:
        st.caption(plain(what))
        return
    less = tr("fewer") if found.rho < 0 else tr("more")
    parts = [tr(COMPLIANCE)["trap"].format(less=less), tr(COMPLIANCE).get(guard, "")]
    st.warning(plain(" ".join([what, *parts] if state.researcher() else parts).strip()))


def hsic_view(found: CovariateTests, words: Words = parameter_words) -> pd.DataFrame:
    """The tests as text."""
    rows = found.hsic
    return pd.DataFrame(
        {
            tr("covariate"): rows["covariate"],
            **({tr("taken as"): rows["taken_as"].map(said)} if "taken_as" in rows else {}),
            tr("strength"): [_strength(row) for row in rows.to_dict("records")],
            tr("clearest single effect"): [
                clearest(found.effects, name, words) for name in rows["covariate"]
            ],
            "p": rows["p"].map(p_value),
            tr("corrected p"): rows["p_adjusted"].map(p_value),
            tr("people"): rows["n_persons"],
        }
    )


def behind_p(found: CovariateTests) -> pd.DataFrame:
    """What is behind each p: the statistic, and the p of both looks that it counts."""
    rows = found.hsic
    both = (("p_hsic", tr("p of all at once (HSIC)")), ("p_single", tr("p of the clearest one")))
    looks = {words: rows[name].map(p_value) for name, words in both if name in rows}
    return pd.DataFrame(
        {tr("covariate"): rows["covariate"], "HSIC": rows["statistic"].map(number), **looks}
    )


def _strength(row: Mapping[Hashable, Any]) -> str:
    value, low, high = (float(str(row[name])) for name in _STRENGTH)
    limits = "" if pd.isna(low) or pd.isna(high) else f" {span(fixed(low, 2), fixed(high, 2))}"
    return f"{fixed(value, 2)}{limits}"


def clearest(effects: pd.DataFrame, covariate: str, words: Words = parameter_words) -> str:
    """The single effect with the smallest p, with its direction and interval."""
    own = effects[(effects["covariate"] == covariate) & effects["p"].notna()]
    if own.empty:
        return "–"
    row = own.sort_values("p", kind="stable").iloc[0]
    way = tr("higher") if row["effect"] > 0 else tr("lower")
    size, limits = effect_words(row["kind"], row["effect"], row["ci_low"], row["ci_high"])
    return f"{words(row['parameter'])} {way}: {size} {limits}"


def effects_view(effects: pd.DataFrame, words: Words = parameter_words) -> pd.DataFrame:
    """Direction and size per parameter, as text, smallest p first."""
    rows = effects.sort_values("p", kind="stable")
    columns = [rows[name] for name in ("kind", "effect", "ci_low", "ci_high")]
    told = [effect_words(*row) for row in zip(*columns, strict=True)]
    return pd.DataFrame(
        {
            tr("parameter"): rows["parameter"].map(words),
            tr("effect"): [size for size, _ in told],
            tr("95 % interval"): [limits for _, limits in told],
            "p": rows["p"].map(p_value),
            tr("corrected p"): rows["p_adjusted"].map(p_value),
            tr("kind"): [
                f"{tr(KINDS)[kind]}, {contrast(covariate, group)}" if group else tr(KINDS)[kind]
                for covariate, kind, group in zip(
                    rows["covariate"], rows["kind"], rows["group"], strict=True
                )
            ],
            tr("people"): rows["n_persons"],
            tr("reliability"): [fixed(value, 2) for value in rows["reliability"]],
        }
    )


def _row(found: CovariateTests, covariate: str) -> dict[Hashable, Any]:
    """The test of a covariate."""
    return found.hsic[found.hsic["covariate"] == covariate].to_dict("records")[0]


def plain_finding(found: CovariateTests, covariate: str, what: str, *, unsure: bool) -> str:
    """One sentence without terms on whether persons differ with the covariate."""
    row = _row(found, covariate)
    tests = len(found.hsic)
    return tr(PLAIN_FINDINGS)[verdict_of(found, covariate, unsure=unsure)].format(
        what=what, covariate=covariate, n=int(row["n_persons"]), p=p_phrase(row["p_adjusted"]),
        tests=tr(", corrected for {tests} tests").format(tests=tests) if tests > 1 else "",
    )  # fmt: skip


def verdict_of(found: CovariateTests, covariate: str, *, unsure: bool) -> str:
    """What sentence and figure say of a covariate: circular, unsure, beyond or within."""
    if is_circular(found, covariate):
        return "circular"
    row = _row(found, covariate)
    return "unsure" if unsure else "beyond" if row["p_adjusted"] < 0.05 else "within"


def plain_size(found: CovariateTests, covariate: str) -> str:
    """How strong the dependence is, in words with its number; the verdict is that of p."""
    row = _row(found, covariate)
    value = float(row["strength"])
    if math.isnan(value):
        return tr(PLAIN_SIZE)["unknown"]
    size = next(word for least, word in tr(SIZES).items() if value >= least or not least)
    beyond = row["p_adjusted"] < 0.05
    return tr(PLAIN_SIZE)["strength" if beyond else "none"].format(size=size, value=fixed(value, 2))


def finding(effects: pd.DataFrame, covariate: str, words: Words = parameter_words) -> str:
    """One sentence on the parameters that go with the covariate after correction."""
    count = len(effects)
    kept = effects[effects["p_adjusted"] < 0.05].sort_values("p", kind="stable")
    if kept.empty:
        return tr(
            "None of {count} comparisons of a parameter with {covariate} remains after "
            "correction. That is not proof of no association: the intervals show what "
            "remains possible."
        ).format(count=count, covariate=covariate)
    row = kept.iloc[0]
    spearman = row["kind"] in CORRELATIONS
    way = tr("higher") if row["effect"] > 0 else tr("lower")
    where = tr(" in people with more {covariate}").format(covariate=covariate) if spearman else ""
    what = "" if spearman else f", {contrast(covariate, row['group'])}"
    size, limits = effect_words(row["kind"], row["effect"], row["ci_low"], row["ci_high"])
    return tr(
        "Left after correction: {kept} of {count} comparisons of a parameter with {covariate}. "
        "The clearest: {parameter} is {way}{where} ({kind}, {effect}, 95 % interval {limits}). "
        "An association between people, not a cause."
    ).format(
        kept=len(kept), count=count, covariate=covariate, parameter=words(row["parameter"]),
        way=way, where=where, kind=f"{tr(KINDS)[row['kind']]}{what}",
        effect=size, limits=limits,
    )  # fmt: skip
