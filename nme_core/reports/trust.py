"""Tables and sentences on what a run can be trusted with.

What became of the rows, how much persons differ, whether the model's own simulations look like the
data, whether its probabilities come true, and how exactly a linear model equals MixedLM.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from nme_core.analysis.reliability import NO_SEED, TOGETHER, has_seed
from nme_core.io import RunFolder, parameter_words
from nme_core.reports.apa import bounded, bounded_limits, intervals
from nme_core.reports.result_table import ResultTable
from nme_core.vocabulary.text import count, listed, number

#: Rows of the table of summaries that are printed.
MOST_PARAMETERS = 20
#: Differences of the certificate that are printed.
MOST_DIFFERENCES = 20
#: Statistics that a sentence names.
MOST_NAMED = 5
_CHECKS = {
    "distribution": "Distribution",
    "autocorrelation": "Autocorrelation around each person's mean",
    "persons": "Differences between people",
    "share": "Share of the state",
    "dwell": "Mean length of a stay, rows",
    "transition": "Share of the next state",
}
_QUANTITIES = {
    "variance": "Variance",
    "sd": "SD",
    "shrinkage": "Shrinkage",
    "mean_reliability": "Mean reliability",
}


def flow_table(folder: RunFolder) -> ResultTable:
    """What became of the rows, from the file to the test."""
    data = folder.data
    parts = data["n_rows_by_split"]
    rows: list[tuple[str, str, str]] = []
    if data.get("n_rows_read") is not None:
        read, persons = data["n_rows_read"], data["n_persons_read"]
        rows += [
            ("Read from the file", f"{persons:,}", f"{read:,}"),
            ("Left out by changes to the table, or for missing features",
             f"{persons - data['n_persons']:,}", f"{read - data['n_rows']:,}"),
        ]  # fmt: skip
    few = data.get("held_back") == "last row"
    shares = (": each person's first 60%", ": the next 20%", ": the last 20%")
    first, then, last = ("", ": last rows", ": last rows") if few else shares
    rows += [
        ("Analysed", f"{data['n_persons']:,}", f"{data['n_rows']:,}"),
        ("of these without the outcome", "", f"{data['n_missing_outcome']:,}"),
        (f"Fitting{first}", f"{data['n_persons']:,}", f"{parts['train']:,}"),
        (f"Validation{then}", "", f"{parts['validation']:,}"),
        (f"Test{last}", _tested(folder), f"{parts['test']:,}"),
    ]
    cells = pd.DataFrame(rows, columns=["Step", "People", "Observations"])
    note = (
        "Most people have fewer than 5 observations; of some the last one is held back."
        if few
        else "People with fewer than 5 observations are used for fitting only."
    )
    return ResultTable("flow", "What became of the observations", cells, note)


def _tested(folder: RunFolder) -> str:
    if not folder.has_table("metrics"):
        return ""
    metrics = folder.table("metrics")
    rows = metrics[(metrics["split"] == "test") & (metrics["scope"] == "person")]
    return f"{rows['person'].nunique():,}" if len(rows) else ""


def summary_table(folder: RunFolder) -> ResultTable:
    """Variance, shrinkage and reliability of every person-specific parameter, largest first."""
    table = folder.table("summary")
    single = table[table["parameter"] != ""]
    wide = single.pivot(index=["group", "parameter"], columns="quantity", values="value")
    wide = wide.reindex(columns=[*_QUANTITIES]).sort_values("variance", ascending=False)
    shown = wide.head(MOST_PARAMETERS).reset_index()
    factors = shown["group"].nunique() > 1
    cells = pd.DataFrame(
        {
            **({"Factor": shown["group"]} if factors else {}),
            "Parameter": shown["parameter"].map(folder.parameter_names.words),
            **{
                head: shown[name].map(number if name in ("variance", "sd") else bounded)
                for name, head in _QUANTITIES.items()
            },
        }
    )
    note = (
        "Shrinkage: 1 − variance of the estimates over people / model variance; 0 is none, 1 "
        "means that all estimates lie at the population's value."
    )
    if len(shown) < len(wide):
        note += f" The {len(shown)} with the largest variance of {len(wide):,} are shown."
    return ResultTable("summary", "How much people differ, and how well it is known", cells, note)


def stability_table(folder: RunFolder) -> ResultTable:
    """Agreement of halves of each person's data, and of fits with two seeds, on persons."""
    table = folder.table("stability")
    last = table["parameter"] == TOGETHER
    shown = pd.concat([table[last], table[~last].head(MOST_PARAMETERS)], ignore_index=True)
    cells = pd.DataFrame(
        {
            "Parameter": shown["parameter"]
            .replace(TOGETHER, "All of them together")
            .map(folder.parameter_names.words),
            "Split-half": shown["split_half"].map(bounded),
            **(
                {"95% CI": intervals(shown["ci_low"], shown["ci_high"], bounded_limits)}
                if "ci_low" in shown
                else {}
            ),
            **(
                {"Agreement of seeds": shown["seed_agreement"].map(bounded)}
                if shown["seed_agreement"].notna().any()
                else {}
            ),
            **(
                {f"Without a {shown['weeks'].iloc[0]}": shown["week_agreement"].map(bounded)}
                if "weeks" in shown
                else {}
            ),
            "People": shown["n_persons"].map("{:,}".format),
        }
    )
    note = (
        "Split-half: correlation over people between estimates from halves of each one's data"
        + (f" ({table['halves'].iloc[0]})" if "halves" in table else "")
        + ", raised to the whole length (Spearman and Brown); 0: the halves say nothing of each "
        "other, 1: the same."
    )
    if "Agreement of seeds" in cells:
        note += " Seeds: correlation with a second fit that began elsewhere."
    elif not has_seed(folder.config):
        note += f" {NO_SEED}"
    if "weeks" in table and table["n_weeks"].iloc[0]:
        note += (
            f" Without a {table['weeks'].iloc[0]}: correlation with estimates from all rows where"
            f" one of {table['n_weeks'].iloc[0]} such parts of each person is left out, the lowest."
        )
    if (n_more := int((~last).sum()) - MOST_PARAMETERS) > 0:
        note += f" {count(n_more, 'further parameter')} stand in stability.csv."
    return ResultTable("stability", "How well people's parameters are repeated", cells, note)


def differences(folder: RunFolder) -> str:
    """A sentence on the intraclass correlation and on shrinkage."""
    table = folder.table("summary").set_index(["quantity", "group"])["value"]
    said = []
    if "icc" in table:
        for factor, value in table["icc"].items():
            said.append(
                f"Given the features, {100 * value:.0f}% of the outcome's variance lay between "
                f"{_many(str(factor))} (intraclass correlation {bounded(value)})."
            )
    shrinkage = table["shrinkage"].dropna() if "shrinkage" in table else pd.Series(dtype=float)
    if len(shrinkage):
        said.append(
            f"Shrinkage of the estimates was {bounded(float(shrinkage.median()))} in the median "
            f"over {count(len(shrinkage), 'parameter')} ({bounded(float(shrinkage.min()))} to "
            f"{bounded(float(shrinkage.max()))})."
        )
    return " ".join(said)


def _many(factor: str) -> str:
    return "people" if factor == "person" else f"groups of {factor}"


def checks_table(folder: RunFolder) -> ResultTable:
    """Statistics of the data beside those of what the fitted model simulates."""
    table = folder.table("checks")
    rows = table[table["person"] == ""]
    cells = pd.DataFrame(
        {
            "Check": rows["check"].map(lambda name: _CHECKS.get(name, name)),
            "Statistic": rows["statistic"].map(parameter_words),
            "Observed": rows["observed"].map(number),
            "Simulated": rows["simulated_mean"].map(number),
            "95% of simulations": intervals(rows["simulated_low"], rows["simulated_high"]),
            "Within": np.where(_within(rows), "yes", "no"),
        }
    ).reset_index(drop=True)
    note = (
        "Simulated: what the fitted model makes of the same rows, people and features "
        "(posterior predictive check; Gelman et al., 1996). No test: the model saw these rows."
    )
    return ResultTable("checks", "What the model simulates beside what was observed", cells, note)


def checked(folder: RunFolder) -> str:
    """A sentence on how many statistics lie outside of what the model simulates."""
    rows = folder.table("checks")
    whole = rows[rows["person"] == ""]
    outside = whole[~_within(whole)]
    if whole.empty:
        return ""
    head = (
        f"Of {count(len(whole), 'statistic')} of the data, {len(outside)} lay outside the middle "
        "95% of what the fitted model simulates (posterior predictive check; Gelman et al., 1996)"
    )
    if outside.empty:
        return f"{head}."
    named = outside.head(MOST_NAMED)
    names = [
        f"{_CHECKS.get(check, check).lower()}: {parameter_words(statistic)}"
        for check, statistic in zip(named["check"], named["statistic"], strict=True)
    ]
    rest = len(outside) - len(named)
    names += [f"{rest} more in the table"] if rest else []
    return f"{head}: {'; '.join(names)}. There the model does not describe the data."


def _within(rows: pd.DataFrame) -> pd.Series:
    return (rows["observed"] >= rows["simulated_low"]) & (
        rows["observed"] <= rows["simulated_high"]
    )


def calibration_table(folder: RunFolder) -> ResultTable:
    """Predicted probabilities beside how often it happened, or coverage of intervals of numbers."""
    rows = _judged(folder)
    classes = (rows["class"] != "").any()
    cells = pd.DataFrame(
        {
            **({"Class": rows["class"]} if classes else {}),
            "Predicted" if classes else "Interval": [
                f"{low:.1f} to {high:.1f}" if classes else f"{100 * expected:.0f}%"
                for low, high, expected in zip(
                    rows["low"], rows["high"], rows["expected"], strict=True
                )
            ],
            "Expected": rows["expected"].map(bounded),
            "Observed": rows["observed"].map(bounded),
            "95% CI": intervals(rows["ci_low"], rows["ci_high"], bounded_limits),
            "Observations": rows["n"].map("{:,}".format),
        }
    ).reset_index(drop=True)
    what = "share of the class among" if classes else "share inside the prediction interval of"
    note = f"Observed: {what} the test observations; Wilson's interval, rows as independent."
    return ResultTable("calibration", "Whether probabilities come true", cells, note)


def _judged(folder: RunFolder) -> pd.DataFrame:
    """Calibration of the model itself on the test: probabilities of classes, or coverage."""
    table = folder.table("calibration")
    rows = table[(table["model"] == "nme") & (table["split"] == "test")]
    return rows[rows["kind"].isin(["probability", "interval"])]


def calibrated(folder: RunFolder) -> str:
    """A sentence on how many of these shares the intervals exclude."""
    rows = _judged(folder)
    if rows.empty:
        return ""
    off = (rows["expected"] < rows["ci_low"]) | (rows["expected"] > rows["ci_high"])
    return (
        f"Of {count(len(rows), 'share')} that the model predicts for the test observations, "
        f"{int(off.sum())} lay outside the 95% interval of what was observed (about "
        f"{0.05 * len(rows):.0f} would by chance)."
    )


def certificate_table(folder: RunFolder) -> ResultTable:
    """A linear model beside the same model fitted by MixedLM, largest differences first."""
    table = folder.table("certificate")
    order = table.sort_values("relative_difference", ascending=False, kind="stable")
    shown = order.head(MOST_DIFFERENCES)
    names = [
        " × ".join(parameter_words(name) for name in (row["parameter"], row["parameter_2"]) if name)
        + (f" of {row['person']}" if row["person"] else "")
        for row in shown[["parameter", "parameter_2", "person"]].to_dict("records")
    ]
    cells = pd.DataFrame(
        {
            "Quantity": shown["quantity"].to_numpy(),
            "Of": names,
            "This run": shown["ours"].map(number).to_numpy(),
            "MixedLM": shown["mixedlm"].map(number).to_numpy(),
            "Relative difference": [f"{value:.1e}" for value in shown["relative_difference"]],
            "Agrees": np.where(shown["agrees"], "yes", "no"),
        }
    )
    note = "Maximum likelihood by statsmodels' MixedLM on the same rows."
    if len(shown) < len(table):
        note += f" The {len(shown)} largest differences of {len(table):,} are shown."
    return ResultTable("certificate", "The linear model beside MixedLM", cells, note)


def certified(folder: RunFolder) -> str:
    """A sentence on whether all quantities agree."""
    table = folder.table("certificate")
    apart = table[~table["agrees"].astype(bool)]
    largest = float(table["relative_difference"].max())
    if apart.empty:
        return (
            f"All {count(len(table), 'quantity').replace('quantitys', 'quantities')} agree with "
            f"MixedLM; the largest relative difference is {largest:.1e}."
        )
    kinds = listed([str(kind) for kind in apart["quantity"].unique()])
    return (
        f"{len(apart)} of {len(table)} quantities differ from MixedLM ({kinds}); the largest "
        f"relative difference is {largest:.1e}."
    )
