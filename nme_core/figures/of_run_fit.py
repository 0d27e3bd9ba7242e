"""Figures of how well a run predicts, straight from its folder, each with its sentence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nme_core.analysis.predictions import by_occasion, confusion_counts, judged, states_of
from nme_core.figures.labels import number
from nme_core.figures.run_figure import RunFigure
from nme_core.figures.words import (
    CALIBRATION,
    CONFUSION,
    FITS,
    PAIRED_FIGURE,
    RESIDUALS,
    SKILL_FIGURE,
)
from nme_core.io import RunFolder
from nme_core.vocabulary.terms import metric_name, short_model_name

#: People whose fits stand in one figure where nobody is named.
MOST_PEOPLE = 6
NME = "nme"


def fits(folder: RunFolder, person: str | None = None) -> Iterator[RunFigure]:
    """Observed and predicted over the occasions of `person`, or of the first few people."""
    predictions = folder.table("predictions")
    rows = by_occasion(predictions)
    people = list(dict.fromkeys(rows.index))[:MOST_PEOPLE] if person is None else [person]
    if not set(people) & set(rows.index):
        return
    time = folder.roles["time"]
    arguments = {
        "rows": {who: rows.loc[[who]].reset_index() for who in people},
        "outcome": folder.roles["outcome"],
        "states": [] if _is_number(folder) else states_of(predictions),
        "time": str(time) if time and rows["time"].notna().any() else "",
    }
    title = f"Fit of {people[0]}" if len(people) == 1 else f"Fits of {people[0]} to {people[-1]}"
    yield RunFigure("individual_fits", title, FITS, arguments, columns=2)


def differences(folder: RunFolder) -> Iterator[RunFigure]:
    """Other models minus NME, with intervals over people."""
    rows = folder.table("comparison").dropna(subset=["difference"])
    if rows.empty:
        return
    apart = int(((rows["ci_low"] > 0) | (rows["ci_high"] < 0)).sum())
    sentence = PAIRED_FIGURE.format(apart=apart or "None", all=len(rows))
    names = {str(model): short_model_name(str(model)) for model in rows["model"].unique()}
    names |= {str(metric): metric_name(str(metric)) for metric in rows["metric"].unique()}
    arguments = {"rows": rows, "names": names}
    yield RunFigure("paired_differences", "Paired differences", sentence, arguments, columns=2)


def skill(folder: RunFolder) -> Iterator[RunFigure]:
    """What the model saves of the loss of simple rules and other models, by rows ahead."""
    if not folder.has_table("skill"):
        return
    rows = folder.table("skill")
    rows = rows[(rows["scope"] == "pooled") & rows["skill"].notna()]
    if rows.empty:
        return
    beaten = int((rows["ci_high"] < 0).sum())
    sentence = SKILL_FIGURE.format(beaten=beaten or "None", all=len(rows))
    names = {str(model): short_model_name(str(model)) for model in rows["reference"].unique()}
    arguments = {"rows": rows, "names": names}
    yield RunFigure("skill_by_horizon", "Skill by horizon", sentence, arguments, columns=2)


def mistakes(folder: RunFolder) -> Iterator[RunFigure]:
    """Which states are taken for which; of numbers, observed minus predicted."""
    predictions = folder.table("predictions")
    rows = judged(predictions, NME)
    if rows.empty:
        return
    if _is_number(folder):
        left = rows["observed"] - rows["predicted"]
        sentence = RESIDUALS.format(
            mean=number(float(left.mean()), 2), sd=number(float(left.std()), 2), n=f"{len(left):,}"
        )
        arguments = {"rows": rows, "outcome": folder.roles["outcome"]}
        yield RunFigure("residuals", "Residuals", sentence, arguments, columns=2)
        return
    counts = confusion_counts(predictions, NME)
    wrong = counts.where(~np.eye(len(counts), dtype=bool), 0).stack()
    most = ""
    if wrong.max() > 0:
        start, end = wrong.idxmax()
        most = CONFUSION["most"].format(
            start=start, end=end, n=int(wrong.max()), of=int(counts.loc[start].sum())
        )
    sentence = CONFUSION["sentence"].format(
        right=f"{int(np.trace(counts.to_numpy())):,}",
        all=f"{int(counts.to_numpy().sum()):,}",
        most=most,
    )
    arguments = {"counts": counts, "model": short_model_name(NME)}
    yield RunFigure("confusion", "Confusion", sentence, arguments)


def calibration(folder: RunFolder) -> Iterator[RunFigure]:
    """Whether probabilities, or prediction intervals, hold."""
    if not folder.has_table("calibration"):
        return
    table = folder.table("calibration")
    kinds = ("interval", "pit") if _is_number(folder) else ("probability",)
    table = table[(table["model"] == NME) & (table["split"] == "test") & table["kind"].isin(kinds)]
    if table.empty:
        return
    arguments = {"calibration": table}
    if _is_number(folder):
        wide = table[table["kind"] == "interval"].sort_values("expected").iloc[-1]
        sentence = CALIBRATION["number"].format(
            expected=f"{100 * wide['expected']:.0f}",
            observed=f"{100 * wide['observed']:.0f}",
            n=f"{int(wide['n']):,}",
        )
        yield RunFigure("calibration_numbers", "Calibration", sentence, arguments, columns=2)
        return
    inside = (table["ci_low"] <= table["expected"]) & (table["expected"] <= table["ci_high"])
    sentence = CALIBRATION["class"].format(inside=int(inside.sum()), all=len(table))
    yield RunFigure("calibration_curve", "Calibration", sentence, arguments, columns=2)


def _is_number(folder: RunFolder) -> bool:
    return bool(folder.data["outcome_kind"] == "number")
