"""Two runs side by side."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import streamlit as st

from dashboard.components.moments import when
from dashboard.components.verdict import difference, limits, metric_value
from dashboard.services import library
from dashboard.services.runs import Run
from dashboard.services.terms import placement_words
from dashboard.words.runs import CHOICES, CONVERGED, RUNS
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import p_value
from nme_core.vocabulary.terms import short_metric_name


def compare_two(finished: list[Run]) -> None:
    """Selectors for two runs, their choices, metrics and paired difference."""
    st.header(tr("Compare two runs"), anchor=False)
    st.caption(tr(RUNS)["compare"])
    by_id, labels = {run.id: run for run in finished}, run_labels(finished)
    columns = st.columns(2)
    chosen = [
        column.selectbox(
            label,
            list(by_id),
            index=None,
            key=key,
            placeholder=tr("Choose a run"),
            format_func=labels.__getitem__,
        )
        for column, label, key in zip(
            columns,
            (tr("First run"), tr("Second run")),
            ("compare_first", "compare_second"),
            strict=True,
        )
    ]
    first, second = (None if name is None else by_id[name] for name in chosen)
    if first is None or second is None:
        return
    found = library.contrast(first, second)
    left, right = st.columns(2)
    with left:
        st.markdown(tr("**Test metrics of NME**"))
        st.dataframe(metrics_beside(found.metrics), hide_index=True)
    with right:
        st.markdown(tr("**Choices**"))
        st.dataframe(choices_beside(found.choices), hide_index=True)
    if found.paired is None:
        st.info(tr(RUNS)["unpaired"])
    else:
        st.dataframe(paired_view(found.paired, found.metrics[library.FIRST]), hide_index=True)
        st.caption(tr(RUNS)["paired"])


def run_labels(runs: list[Run]) -> dict[str, str]:
    """Name and moment of each run; two that would read alike carry the end of their id too."""
    plain_labels = {run.id: f"{run.name}, {when(run.created)}" for run in runs}
    often = Counter(plain_labels.values())
    return {
        name: f"{label}, {name[-4:]}" if often[label] > 1 else label
        for name, label in plain_labels.items()
    }


def metrics_beside(metrics: pd.DataFrame) -> pd.DataFrame:
    """One row per metric, as text; an en dash where a run lacks it."""
    shown = pd.DataFrame({tr("metric"): [short_metric_name(name) for name in metrics.index]})
    for side in (library.FIRST, library.SECOND):
        values = zip(metrics.index, metrics[side], strict=True)
        shown[side] = [metric_value(metric, value) for metric, value in values]
    return shown


def choices_beside(choices: pd.DataFrame) -> pd.DataFrame:
    """One row per choice, those that differ first and marked."""
    shown = choices.map(_words)
    shown.loc["model"] = shown.loc["model"].str.upper()
    shown.loc["placement"] = shown.loc["placement"].map(placement_words)
    differs = shown[library.FIRST] != shown[library.SECOND]
    shown.insert(0, tr("choice"), [tr(CHOICES).get(name, name) for name in choices.index])
    shown[tr("differs")] = differs.map({True: tr("yes"), False: ""})
    return shown.loc[differs.sort_values(ascending=False, kind="stable").index]


def paired_view(paired: pd.DataFrame, first: pd.Series) -> pd.DataFrame:
    """Second minus first, as text; ``first`` holds the first run's metrics."""
    rows = [
        {
            tr("metric"): short_metric_name(row["metric"]),
            tr("second minus first"): difference(
                row["metric"], row["difference"], first[row["metric"]]
            ),
            tr("95 % interval"): limits(
                row["metric"], row["ci_low"], row["ci_high"], first[row["metric"]]
            ),
            "p": p_value(row["p"]),
            tr("people"): row["n_persons"],
        }
        for row in paired.to_dict("records")
    ]
    return pd.DataFrame(rows)


def _words(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return tr(CONVERGED) if value is None or value != value else str(value)
