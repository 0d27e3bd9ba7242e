"""The results sentences of a run, in APA style: what was found, and no more than was tested."""

from __future__ import annotations

import math

import pandas as pd

from nme_core.io import ParameterNames, RunFolder
from nme_core.metrics.comparison import with_corrected_p
from nme_core.reports.apa import bounded, bounded_limits, estimate, limits
from nme_core.reports.correlations import correlated
from nme_core.reports.trust import calibrated, certified, checked, differences
from nme_core.runs.skill import skill_sentences
from nme_core.vocabulary.terms import CORRECTIONS, CORRELATIONS, is_bounded, metric_name
from nme_core.vocabulary.text import count, fixed, number, p_phrase

ALPHA = 0.05
#: Metrics of which less is better.
_LOWER_IS_BETTER = {"mse", "mae", "crps", "log_loss"}
#: Single effects that are written out; all of them stand in the table.
MOST_EFFECTS = 5


def findings(folder: RunFolder) -> dict[str, str]:
    """Paragraphs for a results section by what they are about, filled from a run folder.

    Parameters
    ----------
    folder : RunFolder
        A run of `nme fit`.

    Returns
    -------
    dict of str
        ``prediction``, ``comparison`` of models, ``skill`` beside simple rules, ``calibration``,
        model ``checks``, ``certificate`` of a linear model, ``summary`` of differences between
        persons, ``correlations`` of their parameters, ``dependence`` on covariates and single
        ``effects``, as far as they were looked at. Plain text; p to three decimals or "< .001",
        95% intervals, df where the test has them.
    """
    found = {}
    if folder.has_table("metrics"):
        found["prediction"] = _prediction(folder.table("metrics"))
    if folder.has_table("comparison"):
        found["comparison"] = _comparison(with_corrected_p(folder.table("comparison")))
    if folder.has_table("skill"):
        found["skill"] = " ".join(skill_sentences(folder.table("skill")))
    said = {
        "calibration": calibrated, "checks": checked, "certificate": certified,
        "summary": differences, "correlations": correlated,
    }  # fmt: skip
    for name, say in said.items():
        if folder.has_table(name) and len(folder.table(name)):
            found[name] = say(folder)
    if folder.has_table("hsic"):
        found["dependence"] = _dependence(folder.table("hsic"))
        if folder.has_table("effects"):
            found["effects"] = _effects(folder)
    return {name: text for name, text in found.items() if text}


def results(folder: RunFolder) -> list[str]:
    """The paragraphs of `findings` in order."""
    return list(findings(folder).values())


def metric_value(metric: str, value: float) -> str:
    """A metric in a text."""
    return bounded(value) if is_bounded(metric) else number(value)


def difference_text(metric: str, value: float, low: float, high: float) -> tuple[str, str]:
    """A difference of two values of a metric, and its interval."""
    if is_bounded(metric):
        return fixed(value), limits(low, high, 2)
    return estimate(value, low, high)


def _prediction(metrics: pd.DataFrame) -> str:
    rows = metrics[(metrics["split"] == "test") & (metrics["scope"] == "pooled")]
    if rows.empty:
        return ""
    persons = metrics[(metrics["split"] == "test") & (metrics["scope"] == "person")]
    n = int(rows["n"].max())
    models = []
    for model, own in rows.groupby("model", sort=False):
        values = [
            f"{metric_name(metric)} = {metric_value(metric, value)}"
            for metric, value in zip(own["metric"], own["value"], strict=True)
        ]
        models.append(f"{model}: {', '.join(values)}")
    return (
        f"On the {count(n, 'test observation')} of "
        f"{count(persons['person'].nunique(), 'person')}, pooled over people: "
        f"{'; '.join(models)}."
    )


def _comparison(table: pd.DataFrame) -> str:
    return " ".join(
        _compared(str(row["model"]), str(row["reference"]), str(row["metric"]), row)
        for _, row in table.iterrows()
    )


def _compared(model: str, reference: str, metric: str, row: pd.Series) -> str:
    name, difference = metric_name(metric), float(row["difference"])
    if not math.isfinite(difference):
        return f"No person had a defined {name} under both {model} and {reference}."
    known = row["p_adjusted"] < ALPHA
    size, ends = difference_text(metric, difference, row["ci_low"], row["ci_high"])
    statistics = (
        f"mean difference {model} − {reference} = {size}, 95% CI {ends}, "
        f"{p_phrase(row['p'])}, corrected "
        f"{p_phrase(row['p_adjusted'])}, {count(int(row['n_persons']), 'person')}"
    )
    if not known:
        return (
            f"A difference in {name} between {model} and {reference} was not shown ({statistics})."
        )
    way = "higher" if difference > 0 else "lower"
    better = (difference < 0) == (metric in _LOWER_IS_BETTER)
    judged = "better" if better else "worse"
    return (
        f"{name[0].upper()}{name[1:]} was {way} ({judged}) for {model} than for {reference} ("
        + (f"{statistics}).")
    )


def _dependence(hsic: pd.DataFrame) -> str:
    adjust = str(hsic["method"].iloc[0]).rsplit(", ", 1)[-1]
    said = []
    for _, row in hsic.iterrows():
        least = 1 / (float(row["reps"]) + 1)
        found = row["p_adjusted"] < ALPHA
        floor = (
            f"; no smaller p was possible with {int(row['reps']):,} permutations"
            if row["p"] <= least * (1 + 1e-9)
            else ""
        )
        corrected = ""
        if int(row["n_tests"]) > 1:
            corrected = f"corrected {p_phrase(row['p_adjusted'])}, "
        said.append(
            f"People's {row['parameters']} {'were' if found else 'were not shown to be'} "
            f"statistically dependent on {row['covariate']} ({_taken(row)}HSIC = "
            f"{bounded(row['statistic'])}, {p_phrase(row['p'])}, {corrected}"
            f"{count(int(row['n_persons']), 'person')}{floor})."
        )
    by = f" ({CORRECTIONS.get(adjust, adjust)} correction)" if len(hsic) > 1 else ""
    said.append(f"Number of tests of this kind: {len(hsic)}{by}. HSIC has no direction.")
    return " ".join(said)


def _taken(row: pd.Series) -> str:
    """How a covariate was taken, where the table says so."""
    kind = row.get("taken_as")
    if not isinstance(kind, str) or not kind:
        return ""
    return "a number; " if kind == "number" else f"{kind}: {row['groups'].replace(';', ',')}; "


def _effects(folder: RunFolder) -> str:
    effects, hsic, names = folder.table("effects"), folder.table("hsic"), folder.parameter_names
    n = int(effects["p"].notna().sum())
    kept = effects[effects["p_adjusted"] < ALPHA].sort_values("p", kind="stable")
    if kept.empty:
        return (
            f"None of {count(n, 'association')} of a single parameter with a covariate remained "
            "after correction; this does not show that none exists."
        )
    shown = kept.head(MOST_EFFECTS)
    # The means of blocks, not the persons, are then what is correlated.
    blocks = "permute" in hsic and (hsic["permute"] == "whole").any()
    said = [_effect(row, names, with_df=not blocks) for _, row in shown.iterrows()]
    rest = len(kept) - len(shown)
    more = f" The other {rest} are in the table." if rest else ""
    weights = kept["parameter"].str.contains(r"layers\.\d+\.weight", regex=True).any()
    single = " Single weights of a network mean little by themselves." if weights else ""
    return (
        f"Of {count(n, 'association')} of a single parameter with a covariate, {len(kept)} "
        f"remained after correction: {'; '.join(said)}.{more} These are associations between "
        f"people and show no cause.{single}"
    )


def _effect(row: pd.Series, names: ParameterNames, *, with_df: bool) -> str:
    kind, name = str(row["kind"]), names.words(row["parameter"])
    corrected = f"corrected {p_phrase(row['p_adjusted'])}"
    if kind in CORRELATIONS:
        known = with_df and kind == "spearman" and "n_persons" in row
        df = f"({int(row['n_persons']) - 2})" if known else ""
        size = f"{CORRELATIONS[kind]}{df} = {bounded(row['effect'])}"
        ends = f"95% CI {bounded_limits(row['ci_low'], row['ci_high'])}"
        return f"{name} with {row['covariate']}, {size}, {ends}, " + (
            f"{p_phrase(row['p'])}, {corrected}"
        )
    group = str(row.get("group", "")).replace(" - ", " − ")
    size, ends = estimate(row["effect"], row["ci_low"], row["ci_high"])
    return (
        f"{name} by {row['covariate']}, {kind} {group} = "
        f"{size}, 95% CI {ends}, "
        f"{p_phrase(row['p'])}, {corrected}"
    )
