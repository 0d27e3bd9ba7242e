"""Whether persons' parameters go together in a way that the model does not expect."""

from __future__ import annotations

import pandas as pd

from nme_core.io import RunFolder
from nme_core.reports.apa import bounded, bounded_limits, intervals
from nme_core.reports.result_table import ResultTable
from nme_core.vocabulary.text import p_value

#: Pairs of parameters that are printed.
MOST_PAIRS = 15


def correlations_table(folder: RunFolder) -> ResultTable:
    """Correlations of persons' estimates and the model's band, the most unexpected first."""
    table, words = folder.table("correlations"), folder.parameter_names.words
    ranked = table.assign(small=-table["correlation"].abs())
    shown = ranked.sort_values(["p_adjusted", "small"], kind="stable").head(MOST_PAIRS)
    cells = pd.DataFrame(
        {
            "Parameter": shown["parameter"].map(words),
            "With": shown["parameter_2"].map(words),
            "Correlation": shown["correlation"].map(bounded),
            "Expected, 95%": intervals(
                shown["simulated_low"], shown["simulated_high"], bounded_limits
            ),
            "Corrected p": shown["p_adjusted"].map(p_value),
        }
    ).reset_index(drop=True)
    note = (
        "Correlations over people of their estimates. Expected: the middle 95% of those that the "
        "fitted model gives for these people (parametric bootstrap), as estimates can go together "
        "only because a person's rows cannot tell two parameters apart. p is corrected for all "
        "pairs (Westfall & Young, 1993)."
    )
    if len(shown) < len(table):
        note += f" {len(shown)} of {len(table):,} pairs are shown, the most unexpected first."
    return ResultTable("correlations", "Whether people's parameters go together", cells, note)


def correlated(folder: RunFolder) -> str:
    """A sentence on how many pairs leave the band; empty where there is none."""
    table = folder.table("correlations").dropna(subset=["correlation", "simulated_low"])
    if table.empty:
        return ""
    inside = table["correlation"].between(table["simulated_low"], table["simulated_high"])
    kept = int((table["p_adjusted"] < 0.05).sum())
    said = (
        "Pairs of person-specific parameters whose correlation left the middle 95% of what the "
        f"fitted model gives (parametric bootstrap): {int((~inside).sum()):,} of {len(table):,}, "
        f"where chance gives about {0.05 * len(table):.0f}; {kept:,} after correction for all."
    )
    if kept and folder.config["covariance"] == "diagonal":
        said += (
            " The model takes parameters to vary independently over people (diagonal covariance), "
            "which these speak against."
        )
    return said
