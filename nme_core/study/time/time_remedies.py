"""Remedies that a time column calls for by itself; as remedies, so that new rows follow them."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from nme_core.study.clean.remedies import OF_TIMES, Remedy
from nme_core.study.recipe import Recipe
from nme_core.study.time.time_numbers import NUMBER
from nme_core.study.time.time_parts import JOINS, cycle_of, join_of, joined_as, within_of
from nme_core.study.time.times import Times, complete_times

#: Units of a file's columns as units of time.
_UNITS = {"hours": "h", "seconds": "s"}


def settle_times(table: pd.DataFrame, recipe: Recipe) -> tuple[Remedy, ...]:
    """The change that the time column needs before it is read; at most one.

    A date and a clock that stand in two columns are joined, times of day are counted on after
    midnight, and a form that only the column as a whole tells is settled.

    Parameters
    ----------
    table : DataFrame
        The long table, changed by the recipe.
    recipe : Recipe
        What was done to it, and its roles.

    Raises
    ------
    DataError
        The times cannot be put in order.
    """
    time, within = recipe.time, [name for name in (recipe.person, recipe.sequence) if name]
    if time is None or time in within or any(_is_about(one, time) for one in recipe.steps):
        return ()
    if recipe.time_unit is not None:
        return ()  # they became days
    named = (recipe.outcome, *recipe.groups, *recipe.exclude, *(recipe.features or ()))
    used = {time, *within, *named, *(recipe.covariates or ())}
    free = [str(name) for name in table.columns if str(name) not in used]
    join = join_of(table, time, free, within_of(table, within))
    if join is not None:
        return (Remedy("join_times", (time, join[0]), to=join[1]),)
    unit = cycle_of(table, time, within)
    if unit is not None:
        return (Remedy("count_on", (time, *within), to=unit),)
    form = complete_times(table[time]).form
    return () if form is None else (Remedy("read_dates", (time,), to=form),)


def times_of(table: pd.DataFrame, time: str | None, remedies: Iterable[Remedy]) -> Times | None:
    """The time column of a table that was changed by remedies, none of its cells missing."""
    if time is None:
        return None
    about = [remedy for remedy in remedies if _is_about(remedy, time)]
    if any(remedy.to == NUMBER for remedy in about):
        return Times(table[time].astype("float64"))
    times = complete_times(table[time])
    unit = next((unit_after(remedy) for remedy in reversed(about) if unit_after(remedy)), None)
    if unit is None and times.unit is None:
        unit = _UNITS.get(table.attrs.get("units", {}).get(time))
    return Times(times.values, unit or times.unit, times.cycle, times.form, times.notes)


def unit_after(remedy: Remedy) -> str | None:
    """The unit of the numbers that a remedy makes of times."""
    if remedy.kind == "count_on":
        return remedy.to
    if remedy.kind == "join_times":
        return JOINS.get(joined_as(str(remedy.to)) or "")
    return None


def _is_about(remedy: Remedy, time: str) -> bool:
    """Whether a remedy says how a time column is read."""
    named = remedy.columns[0] == time if remedy.kind != "read_dates" else time in remedy.columns
    return named and remedy.kind in OF_TIMES
