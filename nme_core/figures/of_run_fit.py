"""Figures of how well a run predicts, straight from its folder, each with its sentence."""

from __future__ import annotations

from collections.abc import Iterator

from nme_core.analysis.predictions import (
    by_occasion,
    confusion_counts,
    judged,
    judged_calibration,
    states_of,
)
from nme_core.figures import described
from nme_core.figures.run_figure import RunFigure
from nme_core.figures.words import FITS
from nme_core.io import RunFolder
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.terms import metric_name

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
    title = (
        tr("Fit of {first}").format(first=people[0])
        if len(people) == 1
        else tr("Fits of {first} to {last}").format(first=people[0], last=people[-1])
    )
    yield RunFigure("individual_fits", title, tr(FITS), arguments, columns=2)


def differences(folder: RunFolder) -> Iterator[RunFigure]:
    """Other models minus NME, with intervals over people."""
    names = {name: metric_name(name) for name in folder.table("comparison")["metric"].unique()}
    found = described.differences(folder.table("comparison"), names)
    if found is not None:
        yield found


def skill(folder: RunFolder) -> Iterator[RunFigure]:
    """What the model saves of the loss of simple rules and other models, by rows ahead."""
    found = described.skill(folder.table("skill")) if folder.has_table("skill") else None
    if found is not None:
        yield found


def mistakes(folder: RunFolder) -> Iterator[RunFigure]:
    """Which states are taken for which; of numbers, observed minus predicted."""
    predictions = folder.table("predictions")
    rows = judged(predictions, NME)
    if rows.empty:
        return
    if _is_number(folder):
        yield described.residuals(rows, folder.roles["outcome"])
    else:
        yield described.confusion(confusion_counts(predictions, NME), NME)


def calibration(folder: RunFolder) -> Iterator[RunFigure]:
    """Whether probabilities, or prediction intervals, hold."""
    if folder.has_table("calibration"):
        table = judged_calibration(folder.table("calibration"), NME)
        if len(table):
            yield described.calibration(table)


def _is_number(folder: RunFolder) -> bool:
    return bool(folder.data["outcome_kind"] == "number")
