"""What a study's rows show before any model: people and occasions apart, column by column.

Sums over people are taken for all columns at once, so that 2,000 people take no more than a moment.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from nme_core.study.study import Study

FloatArray = npt.NDArray[np.float64]

#: Days of the week, from Monday.
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def describe_columns(study: Study) -> pd.DataFrame:
    """How each number varies between and within people.

    Parameters
    ----------
    study : Study
        A study.

    Returns
    -------
    DataFrame
        Index: the outcome, where it is a number, and the features. Columns: ``missing`` (share of
        rows), ``mean``, ``sd_between`` (of people's means), ``sd_within`` (pooled, about people's
        means), ``icc`` (one-way analysis of variance; 0 where it would be negative),
        ``autocorrelation`` (of a row with the row before it in its sequence, about people's means;
        too low where people have few rows), ``floor`` and ``ceiling`` (share of known values
        that are the lowest or the highest one).
    """
    names, values = _numbers(study)
    known = np.isfinite(values)
    codes, n_people = _people(study)
    counts = _sums(known.astype(np.float64), codes, n_people)
    means = _means(values, known, codes, counts)
    centred = np.where(known, values - means[codes], 0.0)
    within = (centred**2).sum(axis=0)
    total, with_any = counts.sum(axis=0), (counts > 0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        grand = np.where(known, values, 0.0).sum(axis=0) / total
        between = np.nansum(counts * (means - grand) ** 2, axis=0) / (with_any - 1)
        mean_square = within / (total - with_any)
        size = (total - (counts**2).sum(axis=0) / total) / (with_any - 1)
        icc = (between - mean_square) / (between + (size - 1) * mean_square)
        at_end = [
            np.where(known, values == end, False).sum(axis=0) / total
            for end in (_ends(values, known, low=True), _ends(values, known, low=False))
        ]
    return pd.DataFrame(
        {
            "missing": 1 - known.mean(axis=0),
            "mean": grand,
            "sd_between": _spread(means),
            "sd_within": np.sqrt(mean_square),
            "icc": np.clip(icc, 0.0, 1.0),
            "autocorrelation": _with_the_row_before(study, centred, known),
            "floor": at_end[0],
            "ceiling": at_end[1],
        },
        index=pd.Index(names, name="column"),
    )


def correlations(study: Study) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Correlations of the numbers within people (about people's means) and of people's means.

    Each over the rows, or the people, that know both columns.
    """
    names, values = _numbers(study)
    known = np.isfinite(values)
    codes, n_people = _people(study)
    means = _means(values, known, codes, _sums(known.astype(np.float64), codes, n_people))
    centred = np.where(known, values - means[codes], np.nan)
    within, between = (
        pd.DataFrame(table, columns=names).corr().rename_axis(index="column", columns=None)
        for table in (centred, means)
    )
    return within, between


def describe_states(study: Study) -> pd.DataFrame:
    """How often each state is seen, by how many people, and how long it lasts.

    Returns
    -------
    DataFrame
        Index: the states. Columns: ``share`` (of the rows with a known state), ``people`` (who
        were in it at least once), ``low`` and ``high`` (share of the rows of the people at the
        tenth and the ninetieth percentile), ``stay`` (share of the steps from it that stay in
        it).
    """
    known = study.y.notna().to_numpy()
    states = [str(state) for state in study.classes]
    values = study.y.astype("str").to_numpy(dtype=object)
    codes, n_people = _people(study)
    flags = np.column_stack([(values == state) & known for state in states]).astype(np.float64)
    counts = _sums(flags, codes, n_people)
    with np.errstate(invalid="ignore"):
        shares = counts / counts.sum(axis=1, keepdims=True)
    follows = study.sequence_blocks.steps()
    before, after = flags[follows - 1], flags[follows]
    left = (before * after.sum(axis=1, keepdims=True)).sum(axis=0)
    with np.errstate(invalid="ignore"):
        stay = (before * after).sum(axis=0) / left
    low, high = np.nanquantile(shares, [0.1, 0.9], axis=0)
    return pd.DataFrame(
        {
            "share": flags.sum(axis=0) / max(known.sum(), 1),
            "people": (counts > 0).sum(axis=0),
            "low": low,
            "high": high,
            "stay": stay,
        },
        index=pd.Index(states, name="state"),
    )


def by_moment(study: Study) -> pd.DataFrame:
    """The outcome by hour of the day and by day of the week; empty where the times are no dates.

    Returns
    -------
    DataFrame
        Columns ``unit`` (``hour``, ``weekday``), ``at`` (0 to 23; 0 is Monday), ``state`` (empty
        for a number), ``value`` (mean, or share of the rows in the state), ``ci_low``,
        ``ci_high`` (95 %, over people: each person counts once) and ``n`` (rows).
    """
    columns = ["unit", "at", "state", "value", "ci_low", "ci_high", "n"]
    if study.time is None or not is_datetime64_any_dtype(study.time.dtype):
        return pd.DataFrame(columns=columns)
    moments = {"hour": study.time.dt.hour, "weekday": study.time.dt.day_of_week}
    if (study.time.dt.normalize() == study.time).all():
        del moments["hour"]  # dates without a time of day
    people = study.groups.astype("str").to_numpy()
    known = study.y.notna().to_numpy()
    number = study.outcome_kind == "number"
    outcomes = {"": study.y.to_numpy(dtype=float)} if number else {
        str(state): (study.y.astype("str") == str(state)).to_numpy(dtype=float)
        for state in study.classes
    }  # fmt: skip
    parts = []
    for unit, at in moments.items():
        for state, value in outcomes.items():
            table = pd.DataFrame({"person": people, "at": at.to_numpy(), "value": value})[known]
            own = table.groupby(["at", "person"])["value"].agg(["mean", "size"])
            found = own["mean"].groupby("at").agg(["mean", "sem"])
            half = 1.96 * found["sem"]
            parts.append(
                pd.DataFrame(
                    {
                        "unit": unit,
                        "at": found.index,
                        "state": state,
                        "value": found["mean"],
                        "ci_low": found["mean"] - half,
                        "ci_high": found["mean"] + half,
                        "n": own["size"].groupby("at").sum(),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)[columns]


def _numbers(study: Study) -> tuple[list[str], FloatArray]:
    """Names and values (rows × columns) of the outcome, where it is a number, and the features."""
    columns = {str(name): study.X[name].to_numpy(dtype=np.float64) for name in study.X}
    if study.outcome_kind == "number":
        columns = {study.roles.outcome: study.y.to_numpy(dtype=np.float64), **columns}
    return list(columns), np.column_stack(list(columns.values()))


def _people(study: Study) -> tuple[npt.NDArray[np.intp], int]:
    codes, people = pd.factorize(study.groups)
    return codes, len(people)


def _sums(values: FloatArray, codes: npt.NDArray[np.intp], n_people: int) -> FloatArray:
    """Sums by person, shape (n_people, n_columns)."""
    return np.column_stack([np.bincount(codes, one, n_people) for one in values.T])


def _means(
    values: FloatArray,
    known: npt.NDArray[np.bool_],
    codes: npt.NDArray[np.intp],
    counts: FloatArray,
) -> FloatArray:
    with np.errstate(invalid="ignore"):
        return _sums(np.where(known, values, 0.0), codes, len(counts)) / counts


def _spread(means: FloatArray) -> FloatArray:
    """SD of people's means, of those who have one."""
    return pd.DataFrame(means).std().to_numpy()


def _ends(values: FloatArray, known: npt.NDArray[np.bool_], *, low: bool) -> FloatArray:
    ends: FloatArray = np.where(known, values, np.inf if low else -np.inf)
    return np.asarray(ends.min(axis=0) if low else ends.max(axis=0))


def _with_the_row_before(
    study: Study, centred: FloatArray, known: npt.NDArray[np.bool_]
) -> FloatArray:
    """Correlation of each row with the row before it in its sequence."""
    follows = study.sequence_blocks.steps()
    both = known[follows] & known[follows - 1]
    now, before = centred[follows] * both, centred[follows - 1] * both
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.sqrt((now**2).sum(axis=0) * (before**2).sum(axis=0))
        return np.asarray((now * before).sum(axis=0) / size)
