"""The result tables of a run, as text that can be printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nme_core.batches.splits import tested_rows
from nme_core.io import POPULATION, TABLES, RunFolder
from nme_core.metrics.comparison import with_corrected_p
from nme_core.reports.apa import bounded, bounded_limits, intervals, limits
from nme_core.reports.correlations import correlations_table
from nme_core.reports.result_table import ResultTable
from nme_core.reports.results import difference_text, metric_value
from nme_core.reports.trust import (
    calibration_table,
    certificate_table,
    checks_table,
    flow_table,
    stability_table,
    summary_table,
)
from nme_core.vocabulary.terms import CORRELATIONS, metric_name, strata_name
from nme_core.vocabulary.text import fixed, number, p_value

#: Rows of a table that are printed; the run folder's CSV has them all.
MOST_ROWS = 40
_WEIGHTS = {"stop": "Stops", "look": "Should be looked at", "info": "For information"}
_SEVERITIES = {name: place for place, name in enumerate(_WEIGHTS)}
_STRENGTH = (
    "HSIC itself is above 0 also where nothing depends; strength is then 0 on average, and at most "
    "1. Its interval is approximate (jackknife): where it and p disagree, go by p."
)
_READOUTS = {
    "conditional": "Conditional: probability of the next state in a long sequence in which all "
    "features stay at their average; it serves to compare people at the same features and does not "
    "say how often a move was made.",
    "expected": "Expected: shares of the next states in the recorded situations, as the model "
    "expects them; how often somebody stayed or moved there.",
}
#: Tables that are not printed as they are: too long, or shown by others.
_UNPRINTED = {"history", "predictions", "random_effects", "response_curves"} | {
    "groups", "person_summaries", "hsic_log",
}  # fmt: skip


def result_tables(folder: RunFolder) -> list[ResultTable]:
    """Every table that the run has the numbers for.

    Data and what became of its rows, metrics of all models, their comparison, how much persons
    differ, fixed and random effects, the population's transitions, tests against covariates with
    the single effects, and what the model can be trusted with.
    """
    made = [_data(folder), flow_table(folder)]
    makers = {
        "codebook": _codebook,
        "findings": _findings,
        "metrics": _metrics,
        "comparison": _comparison,
        "summary": summary_table,
        "stability": stability_table,
        "fixed_effects": _fixed_effects,
        "covariance": _random_effects,
        "correlations": correlations_table,
        "transitions": _transitions,
        "hsic": _hsic,
        "effects": _effects,
        "checks": checks_table,
        "calibration": calibration_table,
        "certificate": certificate_table,
    }
    for name, make in makers.items():
        if folder.has_table(name) and len(folder.table(name)):
            made.append(make(folder))
    others = [name for name in TABLES if name not in {*makers, *_UNPRINTED}]
    made += [_plain(folder, name) for name in others if folder.has_table(name)]
    return [table for table in made if len(table.cells)]


def _data(folder: RunFolder) -> ResultTable:
    data = folder.data
    rows = [
        ("People", f"{data['n_persons']:,}"),
        ("Observations", f"{data['n_rows']:,}"),
        ("Sequences", f"{data['n_sequences']:,}"),
        *((f"Observations, {part}", f"{n:,}") for part, n in data["n_rows_by_split"].items()),
        ("Observations without the outcome", f"{data['n_missing_outcome']:,}"),
        *(
            (f"Missing values of {name}", f"{n:,}")
            for name, n in data["n_missing_features"].items()
        ),
    ]
    cells = pd.DataFrame(rows, columns=["What", "Number"])
    return ResultTable("data", "The data that were analysed", cells, " ".join(data["notes"]))


def _codebook(folder: RunFolder) -> ResultTable:
    table = folder.table("codebook")
    cells = table.rename(columns=str.capitalize)
    note = "Range: lowest to highest value, or the values with what they mean."
    return ResultTable("codebook", "Codebook: the columns that were used", cells, note)


def _findings(folder: RunFolder) -> ResultTable:
    table = folder.table("findings")
    first = table.sort_values("severity", key=lambda one: one.map(_SEVERITIES), kind="stable")
    shown = first.head(MOST_ROWS)
    cells = pd.DataFrame(
        {
            "Weight": shown["severity"].map(_WEIGHTS),
            "What was found": shown["message"],
            "What can be done": shown["remedy"],
        }
    )
    note = f"The first {len(shown)} of {len(table):,}." if len(shown) < len(table) else ""
    return ResultTable("findings", "What the check of the data found", cells, note)


def _metrics(folder: RunFolder) -> ResultTable:
    metrics = folder.table("metrics")
    rows = metrics[(metrics["split"] == "test") & (metrics["scope"] == "pooled")]
    wide: dict[str, list[str]] = {"Model": [str(name) for name in rows["model"].unique()]}
    for metric in rows["metric"].unique():
        values = rows[rows["metric"] == metric].set_index("model")["value"]
        wide[_head(metric)] = [
            metric_value(metric, float(values.get(name, np.nan))) for name in wide["Model"]
        ]
    n = int(rows["n"].max()) if len(rows) else 0
    note = (
        f"{n:,} test observations ({tested_rows(folder.data)}), pooled over people. Lower is "
        "better for errors and log-loss, higher for the rest."
    )
    caption = "How well the models predict each person's later observations"
    return ResultTable("metrics", caption, pd.DataFrame(wide), note)


def _comparison(folder: RunFolder) -> ResultTable:
    table = with_corrected_p(folder.table("comparison"))
    columns = ("metric", "difference", "ci_low", "ci_high")
    texts = [difference_text(*row) for row in zip(*(table[name] for name in columns), strict=True)]
    cells = pd.DataFrame(
        {
            "Model": table["model"] + " − " + table["reference"],
            "Metric": table["metric"].map(_head),
            "Difference": [size for size, _ in texts],
            "95% CI": [ends for _, ends in texts],
            "p": table["p"].map(p_value),
            "Corrected p": table["p_adjusted"].map(p_value),
            "People": table["n_persons"].map("{:,}".format),
        }
    )
    n_models = table["model"].nunique()
    corrected = (
        "p is not corrected, as there is one comparison on each metric."
        if n_models == 1
        else f"p is corrected over the {n_models} models on each metric (Holm), not over metrics."
    )
    note = (
        "Mean over people of the difference between a person's own metrics, test observations; "
        "studentised bootstrap interval over people, sign-flip permutation test. "
        f"{corrected} Every person counts the same here; metrics pooled over rows give more weight "
        "to people with more rows, and the two can differ."
    )
    return ResultTable("comparison", "Models compared in pairs over people", cells, note)


def _random_effects(folder: RunFolder) -> ResultTable:
    covariance, effects = folder.table("covariance"), folder.table("random_effects")
    own = covariance[covariance["parameter"] == covariance["parameter_2"]]
    keys = ["group", "parameter"] if "group" in covariance else ["parameter"]
    grouped = effects.groupby(keys, sort=False)
    told = pd.DataFrame(
        {
            "spread": grouped["estimate"].std(),
            "reliability": grouped["reliability"].median(),
            "persons": grouped["person"].nunique(),
        }
    ).reset_index()
    joined = own.merge(told, on=keys, how="left")
    first = joined.sort_values("value", ascending=False, kind="stable").head(MOST_ROWS)
    shown = joined.loc[sorted(first.index)]
    cells = pd.DataFrame(
        {
            **({"Factor": shown["group"]} if "group" in shown else {}),
            "Parameter": shown["parameter"].map(folder.parameter_names.words),
            "Model SD": np.sqrt(shown["value"]).map(number),
            "SD of estimates": shown["spread"].map(number),
            "Reliability": shown["reliability"].map(bounded),
            "People": shown["persons"].map("{:,}".format),
        }
    ).reset_index(drop=True)
    note = (
        "Model SD: square root of the diagonal of Σ. Reliability: median over people of 1 − "
        "posterior variance / model variance."
    )
    if len(shown) < len(joined):
        note += f" The {len(shown)} largest of {len(joined):,} are shown."
    return ResultTable("random_effects", "Random effects", cells, note)


def _fixed_effects(folder: RunFolder) -> ResultTable:
    table, words = folder.table("fixed_effects"), folder.parameter_names.words
    shown = table.head(MOST_ROWS)
    cells = pd.DataFrame(
        {
            "Parameter": shown["parameter"].map(words),
            "Estimate": shown["estimate"].map(number),
            "SE": shown["se"].map(number),
            "95% CI": intervals(shown["ci_low"], shown["ci_high"]),
        }
    )
    note = f"The first {len(shown)} of {len(table):,} are shown." if len(shown) < len(table) else ""
    return ResultTable("fixed_effects", "Fixed effects", cells, note)


def _transitions(folder: RunFolder) -> ResultTable:
    table = folder.table("transitions")
    rows = table[(table["person"] == POPULATION) & table["readout"].isin(_READOUTS)]
    states = list(dict.fromkeys(rows["from"]))
    values = {(r["readout"], r["from"], r["to"]): _share(r) for r in rows.to_dict("records")}
    there = [name for name in _READOUTS if name in set(rows["readout"])]
    lines = [(name, start) for name in there for start in states]
    cells = pd.DataFrame(
        {
            "From": [start for _, start in lines],
            "Read-out": [name for name, _ in lines],
            **{f"to {to}": [values[name, start, to] for name, start in lines] for to in states},
        }
    )
    note = " ".join(_READOUTS[name] for name in there)
    if rows["ci_low"].notna().any():
        note += " In brackets: 95% interval."
    return ResultTable("transitions", "Transitions of the population", cells, note)


def _share(row: Mapping[Any, Any]) -> str:
    text = bounded(float(row["value"]))
    low, high = float(row["ci_low"]), float(row["ci_high"])
    return f"{text} {bounded_limits(low, high)}" if np.isfinite([low, high]).all() else text


def _hsic(folder: RunFolder) -> ResultTable:
    table = folder.table("hsic")
    # What is the same for all tests is said once, below.
    alike = {name: table[name].nunique() == 1 for name in ("parameters", "reps", "strata")}
    if not alike["strata"]:
        alike["reps"] = False
    cells = pd.DataFrame(
        {
            "Covariate": table["covariate"],
            **({"Taken as": _taken_as(table)} if "taken_as" in table else {}),
            **({} if alike["parameters"] else {"Tested": table["parameters"]}),
            "People": table["n_persons"].map("{:,}".format),
            **({"Strength [95% CI]": _strengths(table)} if "strength" in table else {}),
            "HSIC": table["statistic"].map(bounded),
            "p": table["p"].map(p_value),
            "Corrected p": table["p_adjusted"].map(p_value),
            **({} if alike["reps"] else {"Permutations": table["reps"].map("{:,}".format)}),
            **({} if alike["strata"] else {"Within strata of": table["strata"]}),
        }
    )
    first, note = table.iloc[0], f"Number of tests: {len(table)}."
    if alike["parameters"]:
        note += f" Tested: {first['parameters']}."
    if alike["reps"] and alike["strata"]:
        among = strata_name(str(first["strata"]))
        note += f" {int(first['reps']):,} permutations {among}."
    note += f" Method: {'; '.join(table['method'].unique())}."
    if "strength" in table:
        note += f" {_STRENGTH}"
    return ResultTable("hsic", "Dependence of people's parameters on covariates", cells, note)


def _taken_as(table: pd.DataFrame) -> list[str]:
    """A number, or groups with their sizes, and how many people were alone in theirs."""
    sizes = table["groups"].astype(object).fillna("")  # numbers only: a column without a text
    return [
        (f"{kind} ({groups})" if groups else kind)
        + (f", {n} alone in a group left out" if n else "")
        for kind, groups, n in zip(table["taken_as"], sizes, table["n_left_out"], strict=True)
    ]


def _strengths(table: pd.DataFrame) -> list[str]:
    ends = intervals(table["strength_low"], table["strength_high"], bounded_limits)
    return [f"{bounded(value)} {one}" for value, one in zip(table["strength"], ends, strict=True)]


def _effects(folder: RunFolder) -> ResultTable:
    table, words = folder.table("effects"), folder.parameter_names.words
    shown = table.sort_values("p", kind="stable").head(MOST_ROWS)
    spearman = shown["kind"].isin(CORRELATIONS)
    group = shown["group"] if "group" in shown else pd.Series("", index=shown.index)
    cells = pd.DataFrame(
        {
            "Covariate": shown["covariate"],
            "Parameter": shown["parameter"].map(words),
            "Kind": shown["kind"].map(lambda kind: CORRELATIONS.get(kind, kind)).astype(object)
            + np.where(group == "", "", ", " + group.astype(object)),
            "Effect": [
                bounded(value) if one else number(value)
                for one, value in zip(spearman, shown["effect"], strict=True)
            ],
            "95% CI": [
                bounded_limits(low, high) if one else limits(low, high)
                for one, low, high in zip(spearman, shown["ci_low"], shown["ci_high"], strict=True)
            ],
            "p": shown["p"].map(p_value),
            "Corrected p": shown["p_adjusted"].map(p_value),
        }
    ).reset_index(drop=True)
    note = (
        f"p corrected over all {int(table['p'].notna().sum()):,} tests. "
        "Associations between people, no causes."
    )
    if len(shown) < len(table):
        note += f" The {len(shown)} with the smallest p of {len(table):,} are shown."
    return ResultTable("effects", "Single parameters and covariates", cells, note)


#: Heads of columns that are printed as they stand in a run folder; others have their own name.
_HEADS = {
    "hidden": "Hidden layers", "activation": "Activation", "placement": "Placement",
    "validation_loss": "Validation loss", "test_loss": "Test loss", "weight": "Weight",
    "seconds": "Seconds", "effect": "Effect", "estimate": "Estimate", "se": "SE",
    "ci_low": "95% CI from", "ci_high": "95% CI to", "value": "Value", "reference": "Compared with",
    "metric": "Metric", "scope": "Scope", "horizon": "Rows ahead", "skill": "Skill",
    "n_persons": "People", "log_likelihood": "Log-likelihood", "n_parameters": "Parameters",
    "aic": "AIC", "bic": "BIC", "method": "Method", "n_rows": "Rows", "model": "Model",
    "person": "Person", "reliability": "Reliability",
}  # fmt: skip
_CAPTIONS = {
    "candidates": "Candidates", "person_effects": "Levels and slopes of people",
    "skill": "Skill against each rival", "likelihood": "Likelihood",
}  # fmt: skip


def _plain(folder: RunFolder, name: str) -> ResultTable:
    """A table of the run folder as it is, with numbers as they are printed."""
    table = folder.table(name)
    shown = table.head(MOST_ROWS)
    cells = pd.DataFrame({column: shown[column].map(_cell) for column in shown})
    cells.columns = [_HEADS.get(str(name), str(name).replace("_", " ")) for name in cells.columns]
    note = f"The first {len(shown)} of {len(table):,} rows." if len(shown) < len(table) else ""
    caption = _CAPTIONS.get(name, name.replace("_", " ").capitalize())
    return ResultTable(name, f"{caption} ({name}.csv)", cells, note)


def _cell(value: object) -> str:
    if isinstance(value, float) and not value.is_integer():
        return number(value)
    if isinstance(value, float | int | np.integer) and not isinstance(value, bool):
        return fixed(float(value), 0)
    return str(value)


def _head(metric: str) -> str:
    name = metric_name(metric)
    return name[0].upper() + name[1:]
