"""Figures of a study's rows before anything is modelled, each with its sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from dashboard.components.figures import Figure
from dashboard.services.look import WEEKDAYS
from dashboard.services.studies import Study
from dashboard.words.look import LOOK_SENTENCES, TIME_UNITS
from nme_core.figures.summaries import histogram
from nme_core.vocabulary.language import tr, written
from nme_core.vocabulary.numbers import fixed, number

#: People on one page of series.
A_PAGE = 12
#: Occasions that are drawn of one person.
MOST_OCCASIONS = 400


def series_figure(study: Study, people: Sequence[str], outcome: str) -> Figure:
    """Raw series of these people; `outcome` is what the outcome is called."""
    states = list(map(str, study.classes)) if study.outcome_kind == "class" else []
    at, time = _positions(study)
    ids, shown = study.groups.astype("str"), {}
    cut = False
    for person in people:
        rows = np.flatnonzero((ids == person).to_numpy())
        cut |= len(rows) > MOST_OCCASIONS
        rows = rows[:MOST_OCCASIONS]
        value = study.y.iloc[rows]
        if states:
            value = value.astype("object").where(value.notna(), None)
        shown[person] = pd.DataFrame({"at": at[rows], "value": value.to_numpy()})
    words = tr(LOOK_SENTENCES)
    sentence = words["series"].format(
        outcome=outcome,
        who=tr("person {first}").format(first=people[0])
        if len(people) == 1
        else tr("{people} people").format(people=len(people)),
        n=written(f"{sum(map(len, shown.values())):,}"),
    )
    sentence += words["cut"].format(most=MOST_OCCASIONS) if cut else ""
    limit = words["ribbon" if states else "line"]
    title = (
        tr("Series of {first}").format(first=people[0])
        if len(people) == 1
        else tr("Series of people")
    )
    arguments = {"rows": shown, "outcome": outcome, "states": states, "time": time}
    return Figure("raw_series", title, f"{sentence} {limit}", arguments)


def distributions_figure(study: Study, table: pd.DataFrame) -> Figure:
    """Histograms of the numbers; `table` is that of `describe_columns`."""
    parts = []
    for name in table.index:
        values = study.X.get(name, study.y)
        known = values.to_numpy(dtype=float)
        known = known[np.isfinite(known)]
        if not len(known):
            continue
        bins = histogram(known)
        parts.append(pd.DataFrame({"column": name, "centre": bins.centres, "count": bins.counts}))
    worst = table[["floor", "ceiling"]].max(axis=1)
    name = worst.idxmax()
    low = table.loc[name, "floor"] >= table.loc[name, "ceiling"]
    end = tr("lowest") if low else tr("highest")
    sentence = tr(LOOK_SENTENCES)["distributions"].format(
        n=len(parts), name=name, share=f"{100 * worst[name]:.0f}", end=end
    )
    return Figure("distributions", tr("Distributions"), sentence, {"table": pd.concat(parts)})


def correlations_figure(within: pd.DataFrame, between: pd.DataFrame) -> Figure | None:
    """Correlations within and between people; None where there is one number only."""
    if len(within) < 2:
        return None
    upper = np.triu_indices(len(within), k=1)
    gaps = np.nan_to_num((between - within).to_numpy()[upper])
    k = int(np.abs(gaps).argmax())
    a, b = within.index[upper[0][k]], within.index[upper[1][k]]
    sentence = tr(LOOK_SENTENCES)["correlations"].format(
        a=a, b=b, within=fixed(within.loc[a, b], 2), between=fixed(between.loc[a, b], 2)
    )
    arguments = {"within": within, "between": between}
    return Figure(
        "correlations_apart", tr("Correlations within and between people"), sentence, arguments
    )


def moment_figure(table: pd.DataFrame, outcome: str) -> Figure:
    """The outcome by hour and weekday."""
    spread = table.groupby(["unit", "state"])["value"].agg(lambda own: own.max() - own.min())
    unit, state = spread.idxmax()
    own = table[(table["unit"] == unit) & (table["state"] == state)].set_index("at")["value"]
    at = [
        WEEKDAYS[int(one)] if unit == "weekday" else f"{int(one)}:00"
        for one in (own.idxmax(), own.idxmin())
    ]
    sentence = tr(LOOK_SENTENCES)["moment"].format(
        what=tr("the share of {state}").format(state=state)
        if state
        else tr("the mean of {outcome}").format(outcome=outcome),
        top=at[0],
        high=number(own.max(), 2),
        bottom=at[1],
        low=number(own.min(), 2),
    )
    return Figure(
        "by_moment", tr("By hour and weekday"), sentence, {"table": table, "outcome": outcome}
    )


def _positions(study: Study) -> tuple[np.ndarray, str]:
    """Where each row lies in time since the person's first, and what that is counted in."""
    if study.time is None:
        counted = study.groups.groupby(study.groups, observed=True).cumcount()
        return counted.to_numpy(dtype=float) + 1, tr("occasion")
    first = study.time.groupby(study.groups, observed=True).transform("min")
    since = study.time - first
    if is_datetime64_any_dtype(study.time.dtype):
        return (since / pd.Timedelta(days=1)).to_numpy(dtype=float), tr("days since the first row")
    if study.time_unit is None:
        return study.time.to_numpy(dtype=float), str(study.roles.time)
    unit = tr(TIME_UNITS).get(study.time_unit, study.time_unit)
    return since.to_numpy(dtype=float), tr("{unit} since the first row").format(unit=unit)
