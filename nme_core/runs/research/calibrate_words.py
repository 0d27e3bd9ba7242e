"""What repeated studies say of a run's intervals: the table, and the answer in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from nme_core.analysis.coverage import HIGHEST, LOWEST
from nme_core.estimators.transition_intervals import wilson
from nme_core.io import RunFolder
from nme_core.parallel import Outcome
from nme_core.runs.research.verdict import Verdict
from nme_core.vocabulary.terms import QUANTITIES

TOOL = "calibrate"
COLUMNS = (
    "quantity", "parameter", "coverage", "ci_low", "ci_high", "status", "n_reps", "n_intervals",
    "mean_width", "bias",
)  # fmt: skip


def coverage_table(done: list[Outcome]) -> pd.DataFrame:
    """Coverage by quantity and parameter, and of a quantity as a whole (parameter empty)."""
    names = ["quantity", "parameter", "held", "n", "width", "off"]
    rows = [[rep, *row] for rep, one in enumerate(done) for row in one.value]
    whole = pd.DataFrame(rows, columns=["rep", *names])
    whole = whole[whole["n"] > 0]
    single = whole.groupby(["quantity", "parameter"], sort=False)
    found = [_row(str(q), str(p), own) for (q, p), own in single]
    for quantity, own in whole.groupby("quantity", sort=False):
        if own["parameter"].nunique() > 1:
            summed = own.groupby("rep")[names[2:]].sum().reset_index()
            found.append(_row(str(quantity), "", summed))
    table = pd.DataFrame(found, columns=list(COLUMNS))
    place = {name: k for k, name in enumerate(QUANTITIES)}
    order = table["quantity"].map(place).to_numpy() + (table["parameter"] != "").to_numpy() * 0.5
    return table.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)


def _row(quantity: str, parameter: str, own: pd.DataFrame) -> dict[str, Any]:
    """One row: intervals of one study go together, so studies are what varies."""
    share, n = own["held"].sum() / own["n"].sum(), len(own)
    counted = float(n)  # independent intervals: at least one a study
    if own["n"].max() > 1 and n > 1:
        spread = float((own["held"] / own["n"]).var(ddof=1)) / n
        if spread > 0:
            counted = min(max(share * (1 - share) / spread, n), float(own["n"].sum()))
    low, high = (float(end) for end in wilson(np.array(share), np.array(counted)))
    status = "outside" if high < LOWEST or low > HIGHEST else (
        "within" if LOWEST <= share <= HIGHEST else "not told apart"
    )  # fmt: skip
    return {
        "quantity": quantity, "parameter": parameter, "coverage": share, "ci_low": low,
        "ci_high": high, "status": status, "n_reps": n, "n_intervals": int(own["n"].sum()),
        "mean_width": own["width"].sum(min_count=1) / own["n"].sum(),
        "bias": own["off"].sum() / own["n"].sum(),
    }  # fmt: skip


def _rows(table: pd.DataFrame) -> Iterator[Any]:
    """Rows whose cells are typed as anything."""
    return iter(table.itertuples())


def verdict(run: RunFolder, table: pd.DataFrame, done: int, asked: int) -> Verdict:
    """The answer, of `done` studies that were fitted among those `asked` for."""
    heads = table.drop_duplicates("quantity")
    said = [
        f"{QUANTITIES[str(row.quantity)]} {100 * float(row.coverage):.0f} %"
        f" ({100 * float(row.ci_low):.0f} to {100 * float(row.ci_high):.0f})"
        for row in _rows(heads)
    ]
    narrow, wide, untold = (
        " and ".join(QUANTITIES[str(one)] for one in heads.loc[which, "quantity"])
        for which in (
            heads["status"].eq("outside") & (heads["coverage"] < LOWEST),
            heads["status"].eq("outside") & (heads["coverage"] > HIGHEST),
            heads["status"].eq("not told apart"),
        )
    )
    if narrow:
        judged = f"Do not rely on the 95 % intervals of {narrow} of this study"
    elif untold:
        judged = (
            "Taken together, nothing speaks against these intervals; for"
            f" {untold}, more studies are needed to tell"
        )
    else:
        judged = (
            "Taken together, the intervals of this study contain the truth as often as they should"
        )
    if wide:
        judged += f"; those of {wide} are wider than they need be"
    studies = "1 study" if done == 1 else f"{done} studies"
    answer = (
        f"{judged}: in {studies} simulated from this fit the 95 % intervals contained the truth as"
        f" follows (interval of the share in brackets): {'; '.join(said)}."
    )
    notes = []
    if done < asked:
        notes.append(f"{asked - done} of {asked} simulated studies could not be fitted.")
    if run.config["hidden"] == "auto":
        notes.append("Of the mixture its leader was simulated and fitted.")
    outside = table[(table["status"] == "outside") & (table["parameter"] != "")]
    if len(outside):
        shown = [
            f"{QUANTITIES[str(row.quantity)]}, {run.parameter_names.words(str(row.parameter))}:"
            f" {100 * float(row.coverage):.0f} %"
            for row in _rows(outside.head(5))
        ]
        notes.append(f"Outside 92 to 97 % on their own: {'; '.join(shown)}.")
    numbers: Mapping[str, Any] = {"coverage": heads, "n_studies": done}
    return Verdict(TOOL, answer, numbers, tuple(notes))
