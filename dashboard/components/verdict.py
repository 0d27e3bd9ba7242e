"""What a fit amounts to, in sentences and a table."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.components.messages import in_app_words
from dashboard.components.text import plain
from dashboard.services import fit, results
from dashboard.services.runs import Run
from dashboard.services.terms import MODEL_WORDS, model_name
from dashboard.words.fit import (
    FLAT,
    INTERPRETED,
    NUMBERS_BEHIND,
    PLAIN_DIFFERENCE,
    PLAIN_INTERPRETED,
    PLAIN_METRICS,
    PLAIN_NAMES,
    PLAIN_VERDICTS,
    PLAIN_WARNINGS,
    SPLIT,
    SPLIT_FEW,
    TABLE_HELP,
)
from nme_core.vocabulary.language import span, tr
from nme_core.vocabulary.messages import said
from nme_core.vocabulary.numbers import fixed, interval, number, p_phrase, p_value
from nme_core.vocabulary.terms import HIGHER_IS_BETTER, metric_meaning, short_metric_name
from nme_core.vocabulary.text import count, listed


def show_verdict(run: Run) -> None:
    """How training ended, and how the model compares with the generic one."""
    if not state.researcher():
        first, then = plain_verdict(run.id), results.plain_skill(run.id)
        if results.simple_does(run.id):  # the best of all rivals comes first
            first, then = then, first
        st.markdown(f"**{plain(first)}**")
        st.markdown(plain(then))
        _plain_warning(run)
        return
    compared = comparison_sentence(run.id)
    skill = results.skill(run.id)
    first, *others = skill or [compared]
    st.markdown(f"**{plain(first)}**")
    for sentence in others:
        st.markdown(plain(sentence))
    with st.expander(tr(TABLE_HELP)["verdict"]):
        if skill:
            st.markdown(plain(compared))
        together: dict[str, list[str]] = {}
        for model, ending in results.verdicts(run.id).items():
            together.setdefault(_ending(model, ending), []).append(model_name(model))
        told = [f"{', '.join(models)} {said(tr(ending))}" for ending, models in together.items()]
        st.markdown(tr("Training: {said}.").format(said=plain("; ".join(told))))
    _warnings(run)


def _warnings(run: Run) -> None:
    """All warnings of training, folded away where none needs to be read before the results."""
    found = results.training_warnings(run.id)
    if not found:
        return
    words, say = results.names(run.id).in_text, results.speaker(run.id)
    serious = any(one.serious for one in found)
    models: dict[str, list[str]] = {}  # of each message: models may share it
    for one in found:
        models.setdefault(one.message, []).append(model_name(one.model))
    with st.expander(
        tr("Warnings of training ({found})").format(found=len(models)), expanded=serious
    ):
        for message, concerned in models.items():
            told = in_app_words(say(words(message)))
            st.markdown(f"- **{plain(listed(concerned))}**: {plain(told)}")


def _plain_warning(run: Run) -> None:
    """The one warning of training that matters most, without names of parameters."""
    found = results.training_warnings(run.id)
    if any(one.own and one.kind in results.UNSETTLED for one in found):
        st.warning(tr(PLAIN_WARNINGS)["unsettled"])
    elif any(one.serious for one in found):
        st.warning(tr(PLAIN_WARNINGS)["other"])
    elif any(one.own and one.alike for one in found):
        st.caption(tr(PLAIN_WARNINGS)["alike"])


def _ending(model: str, ending: str) -> str:
    """How training ended; of separate networks, each has its own best epoch."""
    if model != "specific":
        return ending
    kept = tr("best epoch of each person kept")
    return kept if ending.startswith("converged") else f"{tr(ending)}, {kept}"


def split_note(run: str) -> str:
    """Which occasions were fitted, watched and judged, and who was only fitted."""
    few, judged = results.training_only(run), count(results.test_rows(run), "occasion")
    if results.run_folder(run).data.get("held_back") == "last row":
        return tr("{split} Judged here: {occasions}.").format(split=tr(SPLIT_FEW), occasions=judged)
    only = ""
    if few:
        only = tr(" Used for training only: {people} with fewer than 5 occasions.").format(
            people=count(few, "person")
        )
    return tr("{split}{only} Judged here: {occasions}, pooled over people.").format(
        split=tr(SPLIT), only=only, occasions=judged
    )


def interpreted_note(run: Run) -> None:
    """Say which fit a page of interpretation rests on."""
    said = tr(INTERPRETED) if state.researcher() else tr(PLAIN_INTERPRETED)
    st.caption(said[results.interpreted_from(run.id)])


def comparison_sentence(run: str) -> str:
    """NME against the generic model on the first metric of the test part, in words."""
    table = results.metrics_table(run)
    rows = results.table(run, "comparison")
    rows = rows[rows["model"] == "generic"]
    if "nme" not in table.index or table.empty:
        return tr(
            "No person has enough occasions for a test part; nothing can be said about the fit."
        )
    metric = results.main_metric(table)
    name = short_metric_name(metric)
    values = table[metric].astype(float)
    like = float(values["nme"])
    value = metric_value(metric, like)
    own = tr("On occasions that it has not seen, the model's {name} is {value}").format(
        name=name, value=value
    )
    found = rows[rows["metric"] == metric].to_dict("records")
    if not found or "generic" not in values or pd.isna(found[0]["difference"]):
        return f"{own}."
    row = found[0]
    verdict = {
        "better": tr("one model for all people does worse"),
        "worse": tr("one model for all people does better"),
        "alike": tr("the data do not tell the two models apart"),
    }[_standing(row)]
    return tr(
        "{own}, the generic model's {generic}: {verdict} (generic minus NME, mean over {n} people: "
        "{gap}, 95 % interval {ends}, corrected {p})."
    ).format(
        own=own,
        generic=metric_value(metric, float(values["generic"]), like),
        verdict=verdict,
        n=int(row["n_persons"]),
        gap=difference(metric, row["difference"], like),
        ends=limits(metric, row["ci_low"], row["ci_high"], like),
        p=p_phrase(row["p_adjusted"]),
    )


def numbers_behind(run: Run) -> None:
    """Folded away: the metric that sums up the fit, model by model, and what it means."""
    with st.expander(tr(NUMBERS_BEHIND)):
        table = results.metrics_table(run.id)
        if not table.empty:
            metric = results.main_metric(table)
            name, meaning = short_metric_name(metric), metric_meaning(metric)
            shown = metrics_view(run.id, main_only=True)
            words = tr(MODEL_WORDS | PLAIN_NAMES)
            shown[tr("model")] = [words.get(model, model) for model in table.index]
            st.dataframe(shown, hide_index=True, width="content")
            st.markdown(plain(_plain_difference(run.id, metric)))
            st.caption(f"{name}: {tr(PLAIN_METRICS).get(metric, meaning)}.")
        st.caption(split_note(run.id))


def _plain_difference(run: str, metric: str) -> str:
    """The generic model's mean difference from NME over persons; nothing where there is none."""
    table, rows = results.metrics_table(run), results.table(run, "comparison")
    rows = rows[(rows["model"] == "generic") & (rows["metric"] == metric)]
    if rows.empty or pd.isna(rows.iloc[0]["difference"]):
        return ""
    row, like = rows.iloc[0], _own(table, metric)
    return tr(PLAIN_DIFFERENCE).format(
        metric=short_metric_name(metric), n=int(row["n_persons"]),
        difference=_signed(metric, row["difference"], like),
        limits=limits(metric, row["ci_low"], row["ci_high"], like), p=p_phrase(row["p_adjusted"]),
    )  # fmt: skip


def _standing(row: Mapping[Hashable, Any]) -> str:
    """Whether NME is ``better`` or ``worse`` than the model of a row of ``comparison``, or alike.

    Better or worse only where the interval excludes 0 and the corrected p is below .05.
    """
    if not ((row["ci_low"] > 0 or row["ci_high"] < 0) and row["p_adjusted"] < 0.05):
        return "alike"
    ahead = row["difference"] > 0
    return "better" if ahead != (row["metric"] in HIGHER_IS_BETTER) else "worse"


def plain_verdict(run: str) -> str:
    """Whether it pays to give persons their own parameters, in one sentence without numbers."""
    return tr(PLAIN_VERDICTS)[standing(run)]


def standing(run: str) -> str:
    """NME beside one model for all: ``better``, ``worse``, ``alike``, ``alone``, ``unjudged``."""
    table = results.metrics_table(run)
    rows = results.table(run, "comparison")
    rows = rows[rows["model"] == "generic"]
    if "nme" not in table.index or table.empty:
        return "unjudged"
    found = rows[rows["metric"] == results.main_metric(table)].to_dict("records")
    if not found or pd.isna(found[0]["difference"]):
        return "alone"
    return _standing(found[0])


def metric_value(metric: str, value: float, like: float | None = None) -> str:
    """A metric as text; those that end at 1 with three decimals, others with those of ``like``."""
    places = _decimals(metric, value if like is None else like)
    return number(value) if places is None else fixed(value, places)


def difference(metric: str, value: float, like: float) -> str:
    """A difference from ``like``, a value of the metric, with as many decimals as it has."""
    places = _decimals(metric, like)
    return number(value, 2) if places is None else fixed(value, places)


def _signed(metric: str, value: float, like: float) -> str:
    """A difference with its sign, unless all of its digits are 0."""
    text = difference(metric, value, like)
    return f"+{text}" if value > 0 and text.strip("0.") else text


def limits(metric: str, low: float, high: float, like: float) -> str:
    """The interval of such a difference as text."""
    places = _decimals(metric, like)
    if places is None or pd.isna(low) or pd.isna(high):
        return interval(low, high)
    return span(fixed(low, places), fixed(high, places))


def _decimals(metric: str, value: float) -> int | None:
    """Decimals that show three digits of a value; None where it is too large or too small."""
    if metric in HIGHER_IS_BETTER:
        return 3
    if not math.isfinite(value) or not 1e-4 <= abs(value) < 1e7:
        return None
    return max(0, 2 - math.floor(math.log10(abs(value))))


def metrics_view(run: str, *, main_only: bool = False) -> pd.DataFrame:
    """Models × metrics on the test part, all occasions together, as text.

    A remark stands where a model found no pattern.
    """
    table = results.metrics_table(run)
    kind = "class" if "accuracy" in table.columns else "number"
    if main_only and len(table.columns):
        table = table[[results.main_metric(table)]]
    shown = pd.DataFrame(
        {
            short_metric_name(m): [metric_value(m, value, _own(table, m)) for value in table[m]]
            for m in table.columns
        },
        index=table.index,
    )
    flat = results.flat_models(run) & set(table.index)
    if flat:
        shown[tr("remark")] = [tr(FLAT)[kind] if model in flat else "" for model in table.index]
    shown.index = pd.Index([model_name(model) for model in table.index], name=tr("model"))
    return shown.reset_index()


def _own(table: pd.DataFrame, metric: str) -> float:
    """NME's value, or the first model's where it has none."""
    return float(table[metric].get("nme", table[metric].iloc[0]))


def persons_view(run: str) -> pd.DataFrame:
    """Means over persons of each one's own metric, with intervals: NME's, then others minus NME.

    Empty where the run has neither.
    """
    table, cells = results.metrics_table(run), {}
    for row in fit.own_means(run).to_dict("records"):
        metric, like = row["metric"], _own(table, row["metric"])
        ends = limits(metric, row["ci_low"], row["ci_high"], like)
        cells[model_name("nme"), metric] = f"{metric_value(metric, row['mean'], like)} {ends}"
    known = results.table(run, "comparison").dropna(subset=["difference"])
    for row in known.to_dict("records"):
        metric, like = row["metric"], _own(table, row["metric"])
        ends = limits(metric, row["ci_low"], row["ci_high"], like)
        gap = _signed(metric, row["difference"], like)
        cells[tr("{model} minus NME").format(model=model_name(row["model"])), metric] = (
            f"{gap} {ends}"
        )
    shown = pd.Series(cells, dtype=object).unstack(sort=False) if cells else pd.DataFrame()
    shown = shown[[metric for metric in table.columns if metric in shown]].fillna("–")
    return shown.rename(columns={m: short_metric_name(m) for m in table.columns}).rename_axis(
        tr("model")
    )


def comparison_view(run: str) -> pd.DataFrame:
    """Paired differences over persons, as text."""
    rows, table = results.table(run, "comparison"), results.metrics_table(run)
    return pd.DataFrame(
        {
            tr("model"): [tr("{m} minus NME").format(m=model_name(m)) for m in rows["model"]],
            tr("metric"): [short_metric_name(m) for m in rows["metric"]],
            tr("difference"): [
                difference(metric, value, _own(table, metric))
                for metric, value in zip(rows["metric"], rows["difference"], strict=True)
            ],
            tr("95 % interval"): [
                limits(metric, low, high, _own(table, metric))
                for metric, low, high in zip(
                    rows["metric"], rows["ci_low"], rows["ci_high"], strict=True
                )
            ],
            "p": rows["p"].map(p_value),
            tr("corrected p"): rows["p_adjusted"].map(p_value),
            tr("people"): rows["n_persons"],
        }
    )
