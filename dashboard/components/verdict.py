"""What a fit amounts to, in sentences and a table."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.components.messages import in_app_words
from dashboard.components.text import fixed, interval, number, p_phrase, p_value, plain
from dashboard.glossary import FLAT, INTERPRETED, METRICS, PLAIN_INTERPRETED, PLAIN_VERDICTS, SPLIT
from dashboard.plots.labels import in_words
from dashboard.services import results
from dashboard.services.runs import Run
from dashboard.services.terms import model_name


def show_verdict(run: Run) -> None:
    """How training ended, and how the model compares with the generic one."""
    if not state.researcher():
        st.markdown(f"**{plain(plain_verdict(run.id))}**")
        with st.expander("The numbers behind this"):
            st.markdown(plain(comparison_sentence(run.id)))
        _warnings(run)
        return
    st.markdown(plain(comparison_sentence(run.id)))
    endings = results.verdicts(run.id)
    said = [f"{model_name(model)} {_ending(model, ending)}" for model, ending in endings.items()]
    st.caption(f"Training: {plain('; '.join(said))}.")
    _warnings(run)


def _warnings(run: Run) -> None:
    for model, message in results.training_warnings(run.id):
        st.warning(plain(f"{model_name(model)}: {in_app_words(in_words(message))}"))


def _ending(model: str, ending: str) -> str:
    """How training ended; of separate networks, each has its own best epoch."""
    if model != "specific":
        return ending
    kept = "best epoch of each person kept"
    return kept if ending == "converged" else f"{ending}, {kept}"


def split_note(run: str) -> str:
    """Which occasions were fitted, watched and judged, and who was only fitted."""
    few = results.training_only(run)
    persons = "1 person" if few == 1 else f"{few:,} persons"
    was = "was" if few == 1 else "were"
    only = f" {persons} with fewer than 5 occasions {was} used for training only." if few else ""
    return f"{SPLIT}{only} Judged here: {results.test_rows(run):,} occasions, pooled over persons."


def interpreted_note(run: Run) -> None:
    """Say which fit a page of interpretation rests on."""
    said = INTERPRETED if state.researcher() else PLAIN_INTERPRETED
    st.caption(said[results.interpreted_from(run.id)])


def comparison_sentence(run: str) -> str:
    """NME against the generic model on the first metric of the test part, in words."""
    table = results.metrics_table(run)
    rows = results.table(run, "comparison")
    rows = rows[rows["model"] == "generic"]
    if "nme" not in table.index or table.empty:
        return "No person has enough occasions for a test part; nothing can be said about the fit."
    metric = results.main_metric(table)
    name = METRICS[metric][0]
    value = metric_value(metric, table.loc["nme", metric])
    own = f"On occasions that it has not seen, the model's {name} is {value}"
    row = rows[rows["metric"] == metric]
    if row.empty or "generic" not in table.index or pd.isna(row.iloc[0]["difference"]):
        return f"{own}."
    row = row.iloc[0]
    verdict = {
        "better": "one model for all persons does worse",
        "worse": "one model for all persons does better",
        "alike": "the data do not tell the two models apart",
    }[_standing(row)]
    return (
        f"{own}, the generic model's {metric_value(metric, table.loc['generic', metric])}: "
        f"{verdict} "
        f"(generic minus NME, mean over {int(row['n_persons'])} persons: "
        f"{difference(metric, row['difference'])}, 95 % interval "
        f"{limits(metric, row['ci_low'], row['ci_high'])}, {p_phrase(row['p_adjusted'])})."
    )


def show_main_metric(run: Run) -> None:
    """The metric that sums up the fit, model by model, and what it means."""
    table = results.metrics_table(run.id)
    if not table.empty:
        name, meaning = METRICS[results.main_metric(table)]
        st.dataframe(metrics_view(run.id, main_only=True), hide_index=True, width="content")
        st.caption(f"{name}: {meaning}.")
    st.caption(split_note(run.id))


def _standing(row: pd.Series) -> str:
    """Whether NME is ``better`` or ``worse`` than the model of a row of ``comparison``, or alike.

    Better or worse only where the interval excludes 0 and the corrected p is below .05.
    """
    if not ((row["ci_low"] > 0 or row["ci_high"] < 0) and row["p_adjusted"] < 0.05):
        return "alike"
    ahead = row["difference"] > 0
    return "better" if ahead != (row["metric"] in results.HIGHER_IS_BETTER) else "worse"


def plain_verdict(run: str) -> str:
    """Whether it pays to give persons their own parameters, in one sentence without numbers."""
    return PLAIN_VERDICTS[standing(run)]


def standing(run: str) -> str:
    """NME beside one model for all: ``better``, ``worse``, ``alike``, ``alone``, ``unjudged``."""
    table = results.metrics_table(run)
    rows = results.table(run, "comparison")
    rows = rows[rows["model"] == "generic"]
    if "nme" not in table.index or table.empty:
        return "unjudged"
    row = rows[rows["metric"] == results.main_metric(table)]
    if row.empty or pd.isna(row.iloc[0]["difference"]):
        return "alone"
    return _standing(row.iloc[0])


def metric_value(metric: str, value: float) -> str:
    """A metric as text; those that end at 1 with three decimals."""
    return fixed(value, 3) if metric in results.HIGHER_IS_BETTER else number(value)


def difference(metric: str, value: float) -> str:
    """A difference between two values of a metric as text."""
    return fixed(value, 3) if metric in results.HIGHER_IS_BETTER else number(value, 2)


def limits(metric: str, low: float, high: float) -> str:
    """The interval of such a difference as text."""
    if metric in results.HIGHER_IS_BETTER and pd.notna(low) and pd.notna(high):
        return f"[{fixed(low, 3)}, {fixed(high, 3)}]"
    return interval(low, high)


def metrics_view(run: str, *, main_only: bool = False, paired: bool = False) -> pd.DataFrame:
    """Models × metrics on the test part, as text; a remark where a model found no pattern.

    With ``paired``, other models also have their mean difference from NME with its interval.
    """
    table = results.metrics_table(run)
    kind = "class" if "accuracy" in table.columns else "number"
    if main_only and len(table.columns):
        table = table[[results.main_metric(table)]]
    shown = pd.DataFrame(
        {METRICS[m][0]: [metric_value(m, value) for value in table[m]] for m in table.columns},
        index=table.index,
    )
    if paired:
        for row in (
            results.table(run, "comparison").dropna(subset=["difference"]).to_dict("records")
        ):
            metric = row["metric"]
            gap = difference(metric, row["difference"])
            apart = f"{'' if gap.startswith('−') else '+'}{gap}"
            ends = limits(metric, row["ci_low"], row["ci_high"])
            shown.loc[row["model"], METRICS[metric][0]] += f" ({apart} {ends})"
    flat = results.flat_models(run) & set(table.index)
    if flat:
        shown["remark"] = [FLAT[kind] if model in flat else "" for model in table.index]
    shown.index = pd.Index([model_name(model) for model in table.index], name="model")
    return shown.reset_index()


def comparison_view(run: str) -> pd.DataFrame:
    """Paired differences over persons, as text."""
    rows = results.table(run, "comparison")
    return pd.DataFrame(
        {
            "model": [f"{model_name(m)} minus NME" for m in rows["model"]],
            "metric": [METRICS[m][0] for m in rows["metric"]],
            "difference": [
                difference(metric, value)
                for metric, value in zip(rows["metric"], rows["difference"], strict=True)
            ],
            "95 % interval": [
                limits(metric, low, high)
                for metric, low, high in zip(
                    rows["metric"], rows["ci_low"], rows["ci_high"], strict=True
                )
            ],
            "p": rows["p"].map(p_value),
            "corrected p": rows["p_adjusted"].map(p_value),
            "persons": rows["n_persons"],
        }
    )
