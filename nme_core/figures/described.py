"""Figures of a run's tables, each with its sentence; pages, reports and the shell share them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nme_core.figures.labels import number
from nme_core.figures.run_figure import RunFigure
from nme_core.figures.summaries import curve_changes
from nme_core.figures.words import (
    CALIBRATION,
    CATERPILLAR,
    CONFUSION,
    CURVE,
    CURVES,
    PAIRED_FIGURE,
    QQ,
    RESIDUALS,
    SKILL_FIGURE,
)
from nme_core.io import POPULATION
from nme_core.vocabulary.language import tr, written
from nme_core.vocabulary.terms import short_model_name


def curve_sentence(
    curves: pd.DataFrame, *, feature: str, what: str, person: str | None = None
) -> str:
    """How far response curves change: in the median over people, or of one person."""
    own = curves[curves["person"].isin([person, POPULATION])]
    alone = person is not None and (own["person"] == person).sum() > 1
    changes = [number(value, 2) for value in curve_changes(own if alone else curves)]
    words = tr(CURVE) if alone else tr(CURVES)
    return words.format(
        feature=feature, what=what, person=person, own=changes[0], others=changes[1]
    )


def differences(comparison: pd.DataFrame, metrics: Mapping[str, str]) -> RunFigure | None:
    """Other models minus NME, with intervals over people; None where there is nothing to compare.

    Parameters
    ----------
    comparison : DataFrame
        ``comparison.csv``.
    metrics : mapping of str to str
        What each metric is called.
    """
    rows = comparison.dropna(subset=["difference"])
    if rows.empty:
        return None
    sentence = tr(PAIRED_FIGURE).format(apart=_apart(rows) or tr("None"), all=len(rows))
    names = {**_models(rows["model"]), **{one: metrics[one] for one in rows["metric"].unique()}}
    arguments = {"rows": rows, "names": names}
    return RunFigure("paired_differences", tr("Paired differences"), sentence, arguments, columns=2)


def skill(table: pd.DataFrame) -> RunFigure | None:
    """Skill against every rival, by rows ahead (``skill.csv``); None where nothing was judged."""
    rows = table[(table["scope"] == "pooled") & table["skill"].notna()]
    if rows.empty:
        return None
    beaten = int((rows["ci_high"] < 0).sum())
    sentence = tr(SKILL_FIGURE).format(beaten=beaten or tr("None"), all=len(rows))
    arguments = {"rows": rows, "names": _models(rows["reference"])}
    return RunFigure("skill_by_horizon", tr("Skill by horizon"), sentence, arguments, columns=2)


def confusion(counts: pd.DataFrame, model: str) -> RunFigure:
    """Which states are taken for which; `counts` observed × predicted."""
    wrong = counts.where(~np.eye(len(counts), dtype=bool), 0).stack()
    most = ""
    if wrong.max() > 0:
        start, end = wrong.idxmax()
        most = tr(CONFUSION)["most"].format(
            start=start, end=end, n=int(wrong.max()), of=int(counts.loc[start].sum())
        )
    right, total = int(np.trace(counts.to_numpy())), int(counts.to_numpy().sum())
    sentence = tr(CONFUSION)["sentence"].format(
        right=written(f"{right:,}"), all=written(f"{total:,}"), most=most
    )
    arguments = {"counts": counts, "model": short_model_name(model)}
    return RunFigure("confusion", tr("Confusion"), sentence, arguments)


def residuals(rows: pd.DataFrame, outcome: str) -> RunFigure:
    """What is left of numbers after the prediction; `rows` with observed and predicted."""
    left = rows["observed"] - rows["predicted"]
    sentence = tr(RESIDUALS).format(
        mean=number(float(left.mean()), 2),
        sd=number(float(left.std()), 2),
        n=written(f"{len(left):,}"),
    )
    arguments = {"rows": rows, "outcome": outcome}
    return RunFigure("residuals", tr("Residuals"), sentence, arguments, columns=2)


def calibration(table: pd.DataFrame) -> RunFigure:
    """Whether probabilities, or prediction intervals, hold; `table` of one model and part."""
    arguments = {"calibration": table}
    intervals = table[table["kind"] == "interval"]
    if len(intervals):
        wide = intervals.sort_values("expected").iloc[-1]
        sentence = tr(CALIBRATION)["number"].format(
            expected=f"{100 * wide['expected']:.0f}",
            observed=f"{100 * wide['observed']:.0f}",
            n=f"{int(wide['n']):,}",
        )
        return RunFigure("calibration_numbers", tr("Calibration"), sentence, arguments, columns=2)
    inside = (table["ci_low"] <= table["expected"]) & (table["expected"] <= table["ci_high"])
    sentence = tr(CALIBRATION)["class"].format(inside=int(inside.sum()), all=len(table))
    return RunFigure("calibration_curve", tr("Calibration"), sentence, arguments, columns=2)


def caterpillar(rows: pd.DataFrame, name: str) -> RunFigure:
    """Everybody's estimate with its interval; persons as index."""
    sentence = tr(CATERPILLAR).format(apart=_apart(rows) or tr("None"), all=len(rows))
    arguments = {"rows": rows, "parameter": name}
    return RunFigure(
        "caterpillar", tr("People's {name}").format(name=name), sentence, arguments, subject=name
    )


def quantiles(estimates: pd.Series, name: str) -> RunFigure:
    """Estimates against a normal distribution; persons as index."""
    title, arguments = f"Q–Q {name}", {"estimates": estimates, "parameter": name}
    shown = RunFigure("effect_qq", title, "", arguments).numbers()
    outside = int(((shown["observed"] < shown["low"]) | (shown["observed"] > shown["high"])).sum())
    sentence = tr(QQ).format(outside=outside or tr("None"), all=len(shown))
    return RunFigure("effect_qq", title, sentence, arguments, subject=name)


def _apart(rows: pd.DataFrame) -> int:
    """Intervals that leave 0 out."""
    return int(((rows["ci_low"] > 0) | (rows["ci_high"] < 0)).sum())


def _models(names: pd.Series) -> dict[str, str]:
    return {str(model): short_model_name(str(model)) for model in names.unique()}
