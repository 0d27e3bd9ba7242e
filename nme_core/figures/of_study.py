"""Figures of a study before anything is modelled: what its tables show, each with its sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from nme_core.figures.run_figure import RunFigure
from nme_core.figures.summaries import histogram
from nme_core.figures.words import LOOK_SENTENCES, OBSERVATIONS_LIMIT, TIME_UNITS
from nme_core.study import Study
from nme_core.study.descriptives import WEEKDAYS
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import fixed, number
from nme_core.vocabulary.text import count

#: People on one page of series.
A_PAGE = 12
#: Occasions that are drawn of one person.
MOST_OCCASIONS = 400


def observations(n_obs: pd.Series) -> RunFigure:
    """How many occasions each person has."""
    low, high = int(n_obs.min()), int(n_obs.max())
    spread = tr("{low} observations each").format(low=low)
    if low < high:
        spread = tr("{low} to {high} observations each, {median:g} in the median").format(
            low=low, high=high, median=n_obs.median()
        )
    sentence = tr("{people} with {spread}. {limit}").format(
        people=count(len(n_obs), "person"), spread=spread, limit=tr(OBSERVATIONS_LIMIT)
    )
    arguments = {"n_obs": n_obs}
    return RunFigure("observations_per_person", tr("Observations per person"), sentence, arguments)


def outcome(y: pd.Series, kind: str, name: str) -> RunFigure:
    """What the outcome looks like over all rows; `name` is what it is called."""
    known = y.dropna()
    if kind == "class":
        share = known.value_counts(normalize=True)
        what = tr("The most frequent state is {first}, {first_2:.0f} % of the rows").format(
            first=share.index[0], first_2=100 * share.iloc[0]
        )
    else:
        # Squares of very large numbers would overflow.
        unit = known.abs().max() or 1.0
        mean, sd = unit * (known / unit).mean(), unit * (known / unit).std()
        what = tr("The mean of {name} is {mean}, the SD {sd}").format(
            name=name, mean=number(mean), sd=number(sd)
        )
    n = int(y.isna().sum())
    sentence = tr("{what}; missing in {rows}. People are pooled here.").format(
        what=what, rows=count(n, "row") if n else tr("no row")
    )
    return RunFigure("outcome_overview", tr("Outcome"), sentence, {"y": y, "kind": kind})


def missing(grid: pd.DataFrame, by: str, time: str) -> RunFigure:
    """Where values of the outcome and the features are missing, over time."""
    share = grid.mean(axis=1)
    most, person = share.idxmax(), by == "person"
    what = tr("Person {most}") if person else tr("Column {most}")
    sentence = tr(LOOK_SENTENCES)["missing"].format(
        n=int((grid.max(axis=1) > 0).sum()),
        all=count(len(grid), "person" if person else "column"),
        what=what.format(most=most),
        share=f"{100 * share[most]:.0f}",
    )
    arguments = {"grid": grid, "by": by, "time": time}
    title = tr("Missing values by {by}").format(by=by)
    return RunFigure("missing_values", title, sentence, arguments)


def series(study: Study, people: Sequence[str], outcome: str) -> RunFigure:
    """Raw series of these people; `outcome` is what the outcome is called."""
    states = list(map(str, study.classes)) if study.outcome_kind == "class" else []
    at, time = _positions(study)
    ids, shown, cut = study.groups.astype("str"), {}, False
    for person in people:
        rows = np.flatnonzero((ids == person).to_numpy())
        cut |= len(rows) > MOST_OCCASIONS
        rows = rows[:MOST_OCCASIONS]
        value = study.y.iloc[rows]
        if states:
            value = value.astype("object").where(value.notna(), None)
        shown[person] = pd.DataFrame({"at": at[rows], "value": value.to_numpy()})
    words, alone = tr(LOOK_SENTENCES), len(people) == 1
    sentence = words["series"].format(
        outcome=outcome,
        who=tr("person {first}").format(first=people[0]) if alone else count(len(people), "person"),
        rows=count(sum(map(len, shown.values())), "row"),
    )
    sentence += words["cut"].format(most=MOST_OCCASIONS) if cut else ""
    limit = words["ribbon" if states else "line"]
    title = tr("Series of {first}").format(first=people[0]) if alone else tr("Series of people")
    arguments = {"rows": shown, "outcome": outcome, "states": states, "time": time}
    return RunFigure("raw_series", title, f"{sentence} {limit}", arguments)


def distributions(study: Study, table: pd.DataFrame) -> RunFigure:
    """Histograms of the numbers; `table` is that of `describe_columns`."""
    parts = []
    for name in table.index:
        known = study.X.get(name, study.y).to_numpy(dtype=float)
        known = known[np.isfinite(known)]
        if len(known):
            bins = histogram(known)
            shown = {"column": name, "centre": bins.centres, "count": bins.counts}
            parts.append(pd.DataFrame(shown))
    worst = table[["floor", "ceiling"]].max(axis=1)
    name = worst.idxmax()
    low = table.loc[name, "floor"] >= table.loc[name, "ceiling"]
    sentence = tr(LOOK_SENTENCES)["distributions"].format(
        columns=count(len(parts), "column"), name=name, share=f"{100 * worst[name]:.0f}",
        end=tr("lowest") if low else tr("highest"),
    )  # fmt: skip
    return RunFigure("distributions", tr("Distributions"), sentence, {"table": pd.concat(parts)})


def correlations(within: pd.DataFrame, between: pd.DataFrame) -> RunFigure | None:
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
    title, arguments = (
        tr("Correlations within and between people"),
        {"within": within, "between": between},
    )
    return RunFigure("correlations_apart", title, sentence, arguments)


def moments(table: pd.DataFrame, outcome: str) -> RunFigure | None:
    """The outcome by hour and weekday (`by_moment`); None where the times are no dates."""
    if table.empty:
        return None
    spread = table.groupby(["unit", "state"])["value"].agg(lambda own: own.max() - own.min())
    unit, state = map(str, spread.idxmax())
    own = table[(table["unit"] == unit) & (table["state"] == state)].set_index("at")["value"]
    top, bottom = (
        WEEKDAYS[int(one)] if unit == "weekday" else f"{int(one)}:00"
        for one in (own.idxmax(), own.idxmin())
    )
    sentence = tr(LOOK_SENTENCES)["moment"].format(
        what=tr("the share of {state}").format(state=state)
        if state
        else tr("the mean of {outcome}").format(outcome=outcome),
        top=top, high=number(own.max(), 2), bottom=bottom, low=number(own.min(), 2),
    )  # fmt: skip
    arguments = {"table": table, "outcome": outcome}
    return RunFigure("by_moment", tr("By hour and weekday"), sentence, arguments)


def _positions(study: Study) -> tuple[npt.NDArray[np.float64], str]:
    """Where each row lies in time since the person's first, and what that is counted in."""
    if study.time is None:
        counted = study.groups.groupby(study.groups, observed=True).cumcount()
        return np.asarray(counted + 1, dtype=np.float64), tr("occasion")
    first = study.time.groupby(study.groups, observed=True).transform("min")
    since: pd.Series = study.time - first
    if is_datetime64_any_dtype(study.time.dtype):
        days = since.dt.total_seconds() / 86400
        return days.to_numpy(dtype=np.float64), tr("days since the first row")
    if study.time_unit is None:
        return study.time.to_numpy(dtype=float), str(study.roles.time)
    unit = tr(TIME_UNITS).get(study.time_unit, study.time_unit)
    return since.to_numpy(dtype=float), tr("{unit} since the first row").format(unit=unit)
