"""The figure of each research tool, with the sentence that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nme_core.analysis.coverage import HIGHEST, LOWEST
from nme_core.figures.run_figure import RunFigure
from nme_core.io import RunFolder
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said
from nme_core.vocabulary.terms import QUANTITIES

#: Most effects of a replication that are drawn.
_MOST = 8
_HSIC = "hsic"


def of_tool(
    tool: str, table: pd.DataFrame, verdict: Mapping[str, Any], run: RunFolder | None = None
) -> RunFigure | None:
    """The figure of a tool's answer; None where it has none, or the table is empty.

    Parameters
    ----------
    tool : str
        Name of the command.
    table : DataFrame
        Its main table.
    verdict : mapping
        Content of ``verdict.json``.
    run : RunFolder, optional
        Whose names of parameters are used.
    """
    draw = {
        "ablate": _ablate, "multiverse": _multiverse, "power": _power, "calibrate": _calibrate,
    }.get(tool)  # fmt: skip
    if tool == "replicate":
        return _replicate(table, run)
    return None if draw is None or table.empty else draw(table, verdict["numbers"])


def _ablate(table: pd.DataFrame, numbers: Mapping[str, Any]) -> RunFigure | None:
    if not table["reference"].eq("generic").any():
        return None
    sentence = tr(
        "Left, loss on the same held-back rows by how many rows of each person were "
        "learned from; right, the loss less that of one model for all people, with 95 % "
        "intervals over people: below 0, person-specific parameters pay."
    )
    title = tr("Where person-specific parameters pay")
    return RunFigure("learning_curve", title, sentence, {"summary": table}, columns=2)


def _multiverse(table: pd.DataFrame, numbers: Mapping[str, Any]) -> RunFigure | None:
    if not table["estimate"].notna().any():
        return None
    claim = said(str(numbers["claim"]))
    sentence = tr(
        "The claim that {claim}, in every analysis that could be defended, from the "
        "lowest estimate to the highest, with 95 % intervals; below, the choices of "
        "each. The analyses share their data, so that their number adds no evidence."
    ).format(claim=claim)
    arguments = {"worlds": table, "claim": claim}
    return RunFigure(
        "specification_curve", tr("Specification curve"), sentence, arguments, columns=2
    )


def _power(table: pd.DataFrame, numbers: Mapping[str, Any]) -> RunFigure | None:
    test = _HSIC if table["test"].eq(_HSIC).any() else str(table["test"].iloc[0])
    sentence = tr(
        "Share of studies simulated from this run in which the test of {on} against "
        "{covariate} has p < {alpha:g}, with 95 % intervals for the number of simulated "
        "studies. The model is taken as true."
    ).format(on=numbers["on"], covariate=numbers["covariate"], alpha=numbers["alpha"])
    arguments = {"table": table, "test": test, "wanted": numbers["wanted"]}
    return RunFigure("power_curve", tr("Power"), sentence, arguments, columns=2)


def _calibrate(table: pd.DataFrame, numbers: Mapping[str, Any]) -> RunFigure | None:
    heads = table.drop_duplicates("quantity")
    sentence = tr(
        "Share of 95 % intervals that contained the truth in {n_studies} studies "
        "simulated from this fit; the dashed lines are {lowest:.0f} and {highest:.0f} %. "
        "The model is taken as true."
    ).format(n_studies=numbers["n_studies"], lowest=100 * LOWEST, highest=100 * HIGHEST)
    arguments = {"table": heads, "names": tr(QUANTITIES), "band": (LOWEST, HIGHEST)}
    return RunFigure("study_coverage", tr("Coverage in this study"), sentence, arguments)


def _replicate(table: pd.DataFrame, run: RunFolder | None) -> RunFigure | None:
    rows = table[table["kind"].ne(_HSIC) & table["estimate_b"].notna()].head(_MOST)
    if rows.empty:
        return None
    said = str if run is None else run.parameter_names.words
    names = {one: said(one) for one in rows["parameter"]}
    sentence = tr(
        "The {rows} strongest effects of study A and the same in study B, each with its "
        "95 % interval; grey, where A lets one expect the estimate of B."
    ).format(rows=len(rows))
    return RunFigure(
        "replication", tr("Both studies"), sentence, {"table": rows, "names": names}, columns=2
    )
