"""What a fit amounts to, in sentences and a table."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.components.text import interval, number, p_phrase, p_value, plain
from dashboard.glossary import INTERPRETED, METRICS, MODEL_NAMES
from dashboard.services import results
from dashboard.services.runs import Run


def show_verdict(run: Run) -> None:
    """How training ended, and how the model compares with the generic one."""
    st.markdown(plain(comparison_sentence(run.id)))
    endings = results.verdicts(run.id)
    said = [f"{MODEL_NAMES.get(model, model)} {ending}" for model, ending in endings.items()]
    st.caption(f"Training: {plain('; '.join(said))}.")


def interpreted_note(run: Run) -> None:
    """Say which fit a page of interpretation rests on."""
    st.caption(INTERPRETED[results.interpreted_from(run.id)])


def comparison_sentence(run: str) -> str:
    """NME against the generic model on the first metric of the test part, in words."""
    table = results.metrics_table(run)
    rows = results.table(run, "comparison")
    rows = rows[rows["model"] == "generic"]
    if "nme" not in table.index or table.empty:
        return "No person has enough occasions for a test part; nothing can be said about the fit."
    metric = "log_loss" if "log_loss" in table.columns else table.columns[0]
    name = METRICS[metric][0]
    value = number(table.loc["nme", metric])
    own = f"On occasions that it has not seen, the model's {name} is {value}"
    row = rows[rows["metric"] == metric]
    if row.empty or "generic" not in table.index or pd.isna(row.iloc[0]["difference"]):
        return f"{own}."
    row = row.iloc[0]
    ahead = row["difference"] > 0
    if metric in results.HIGHER_IS_BETTER:
        ahead = not ahead
    sure = row["ci_low"] > 0 or row["ci_high"] < 0
    verdict = (
        "one model for all persons does worse" if ahead and sure
        else "one model for all persons does better" if sure
        else "the difference to one model for all persons is within chance"
    )  # fmt: skip
    return (
        f"{own}, the generic model's {number(table.loc['generic', metric])}: {verdict} "
        f"(generic minus NME, mean over {int(row['n_persons'])} persons: "
        f"{number(row['difference'], 2)}, 95 % interval "
        f"{interval(row['ci_low'], row['ci_high'])}, {p_phrase(row['p'])})."
    )


def metrics_view(run: str) -> pd.DataFrame:
    """Models × metrics on the test part, as text."""
    table = results.metrics_table(run)
    shown = pd.DataFrame({METRICS[m][0]: table[m].map(number) for m in table.columns})
    shown.index = pd.Index([MODEL_NAMES.get(model, model) for model in table.index], name="model")
    return shown.reset_index()


def comparison_view(run: str) -> pd.DataFrame:
    """Paired differences over persons, as text."""
    rows = results.table(run, "comparison")
    return pd.DataFrame(
        {
            "model": [f"{MODEL_NAMES.get(m, m)} minus NME" for m in rows["model"]],
            "metric": [METRICS[m][0] for m in rows["metric"]],
            "difference": rows["difference"].map(lambda v: number(v, 2)),
            "95 % interval": [
                interval(a, b) for a, b in zip(rows["ci_low"], rows["ci_high"], strict=True)
            ],
            "p": rows["p"].map(p_value),
            "persons": rows["n_persons"],
        }
    )
