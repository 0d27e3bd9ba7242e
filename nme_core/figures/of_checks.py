"""Figures of what a run's model simulates beside what was observed, each with its sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from nme_core.figures.labels import parameter_words
from nme_core.figures.of_fit import is_number
from nme_core.figures.run_figure import RunFigure
from nme_core.figures.summaries import MOST_PERSONS
from nme_core.figures.words import (
    CHECKS,
    CHECKS_BY_PERSON,
    PERSON_STATISTICS,
    STATE_STATISTICS,
    STATISTICS,
)
from nme_core.io import RunFolder
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said
from nme_core.vocabulary.numbers import number

#: Statistics that a sentence names.
MOST_NAMED = 5
#: Share of values outside of 95 % intervals above which chance is no explanation.
MORE_THAN_CHANCE = 0.1
_TITLES = {
    "numbers": "Simulated and observed",
    "states": "States, simulated and observed",
    "transitions": "Transitions, simulated and observed",
}


def kinds(folder: RunFolder) -> Iterator[dict[str, Any]]:
    """What there is to check: numbers, or states and transitions."""
    for of in ("numbers",) if is_number(folder) else ("states", "transitions"):
        yield {"of": of}


def checks(folder: RunFolder, *, of: str) -> RunFigure | None:
    """Simulated against observed, of one of `kinds`; None where it was not computed."""
    if not folder.has_table("checks"):
        return None
    arguments = {"checks": folder.table("checks")}
    shown = RunFigure(f"check_{of}", "", "", arguments).numbers()
    is_move = shown["check"] == "transition"
    sentence = _misses(shown[is_move if of == "transitions" else ~is_move])
    return RunFigure(f"check_{of}", tr(_TITLES)[of], sentence, arguments, columns=2, subject=tr(of))


def person_checks(folder: RunFolder) -> RunFigure | None:
    """Simulated against observed person by person; None where the run has no such checks."""
    if not folder.has_table("checks"):
        return None
    arguments = {"checks": folder.table("checks")}
    if not (arguments["checks"]["check"] == "person").any():
        return None
    rows, words = RunFigure("check_persons", "", "", arguments).numbers(), tr(CHECKS_BY_PERSON)
    each = [
        tr("{n} of {all:,} in the {statistic}").format(
            n=int(own["outside"].sum()),
            all=len(own),
            statistic=tr(PERSON_STATISTICS).get(str(statistic)) or said(str(statistic)),
        )
        for statistic, own in rows.groupby("statistic", sort=False)
    ]
    step = -(-rows["person"].nunique() // MOST_PERSONS)
    sentence = words["outside"].format(each=", ".join(each), worst=_worst(rows))
    sentence += words["thinned"].format(step=step) if step > 1 else ""
    title = tr("Simulated and observed by person")
    return RunFigure("check_persons", title, sentence, arguments, columns=2)


def _misses(rows: pd.DataFrame) -> str:
    """How many statistics of all people lie outside, and which, those furthest out first."""
    outside = rows[rows["outside"]].assign(beyond=_beyond(rows)[rows["outside"]])
    outside = outside.sort_values("beyond", ascending=False, kind="stable")
    names = [
        _statistic(str(check), str(statistic))
        for check, statistic in zip(outside["check"], outside["statistic"], strict=True)
    ]
    more = (
        tr(" and {most_named} more").format(most_named=len(names) - MOST_NAMED)
        if len(names) > MOST_NAMED
        else ""
    )
    which = f" ({', '.join(names[:MOST_NAMED])}{more})" if names else ""
    return tr(CHECKS).format(outside=len(names) or tr("none"), all=len(rows), which=which)


def _statistic(check: str, statistic: str) -> str:
    """A statistic of all people in words."""
    if check == "transition":
        return parameter_words(statistic)
    if (check, statistic) in STATISTICS:
        return tr(STATISTICS)[check, statistic]
    state = statistic.removeprefix("sd of share of ")
    return tr(STATE_STATISTICS)[check].format(state=state)


def _beyond(rows: pd.DataFrame) -> pd.Series:
    """How far observed values lie outside of the simulated ones, in widths of the interval."""
    low = rows["simulated_low"] - rows["observed"]
    high = rows["observed"] - rows["simulated_high"]
    width = (rows["simulated_high"] - rows["simulated_low"]).replace(0, np.nan)
    # Where every simulation is alike there is no width: as far out as can be.
    return (low.where(low > high, high) / width).fillna(np.inf)


def _worst(rows: pd.DataFrame) -> str:
    """The person furthest outside, in words; nothing where nobody is."""
    outside = rows[rows["outside"]]
    if outside.empty:
        return ""
    row = outside.loc[_beyond(outside).idxmax()]
    what, words = (
        tr(PERSON_STATISTICS).get(row["statistic"], row["statistic"]),
        tr(CHECKS_BY_PERSON),
    )
    worst = words["worst"].format(
        person=row["person"], what=what, observed=number(row["observed"]),
        low=number(row["simulated_low"]), high=number(row["simulated_high"]),
    )  # fmt: skip
    if len(outside) > MORE_THAN_CHANCE * len(rows):
        return worst
    return worst + words["chance"].format(n=f"{rows['person'].nunique():,}")
