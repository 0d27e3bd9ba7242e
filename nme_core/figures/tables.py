"""The numbers behind every figure: same names and arguments as in `screen` and `printed`.

Both draw from these tables, so what is exported as CSV is what was drawn.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nme_core.figures.summaries import READOUTS, histogram


def transition_comparison(
    person: pd.DataFrame,
    population: pd.DataFrame,
    *,
    person_label: str,
    readout: str,
    counts: pd.DataFrame | None = None,
    limit: float | None = None,
    low: pd.DataFrame | None = None,
    high: pd.DataFrame | None = None,
    other: str | None = None,
    other_counts: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row per transition: the person's value, the population's, and their difference.

    Parameters
    ----------
    person, population : DataFrame
        from-state (index) × to-state (columns), the same states in both. A state that the person
        lacks counts as never observed (NaN).
    person_label : str
        The person as shown.
    readout : {"scores", "conditional", "expected", "observed"}
        Which transition matrix this is.
    counts : DataFrame, optional
        How often the person made each transition, from × to; absent is 0. Expected counts may be
        fractions.
    limit : float, optional
        Only the drawings use it.
    low, high : DataFrame, optional
        Ends of the intervals of the person's values, from × to.
    other : str, optional
        A second person, whose matrix stands in the population's place.
    other_counts : DataFrame, optional
        How often this one made each transition.

    Returns
    -------
    DataFrame
        Columns person, readout, from, to, value, population_value, difference, count; rows in
        the order of the population's states, all to-states of the first from-state first. With
        intervals also ci_low, ci_high and ``beyond``: whether they exclude the population. With
        a second person, other and other_value take the place of population_value; with counts
        of theirs also other_count.

    Raises
    ------
    ValueError
        Unknown read-out, or states that do not agree.
    """
    if readout not in READOUTS:
        raise ValueError(f"Unknown readout {readout!r}; there are {', '.join(READOUTS)}.")
    states = _states(population, "population")
    aligned = _aligned(person, states, "person")
    own, others = (m.to_numpy(dtype=float, na_value=np.nan) for m in (aligned, population))
    n, others_n = (
        np.full(own.shape, np.nan) if given is None
        else _aligned(given, states, "counts").fillna(0).to_numpy(dtype=float)
        for given in (counts, other_counts)
    )  # fmt: skip
    table = pd.DataFrame(
        {
            "person": str(person_label),
            "readout": readout,
            "from": np.repeat(states, len(states)),
            "to": np.tile(states, len(states)),
            "value": own.ravel(),
            "population_value": others.ravel(),
            "difference": (own - others).ravel(),
            "count": n.ravel(),
        }
    )
    if low is not None and high is not None:
        ends = (_aligned(m, states, "interval").to_numpy(dtype=float).ravel() for m in (low, high))
        table["ci_low"], table["ci_high"] = ends
        shared = table["population_value"]
        table["beyond"] = (table["ci_low"] > shared) | (table["ci_high"] < shared)
    if other is not None:
        table.insert(1, "other", str(other))
        table = table.rename(columns={"population_value": "other_value"})
    if other_counts is not None:
        table["other_count"] = others_n.ravel()
    return table


def counts_of(table: pd.DataFrame, panel: int) -> pd.Series | None:
    """Counts that stand in a panel of `transition_comparison`: in those of persons."""
    return table.get(("count", "other_count", "")[panel])


def random_effect_distribution(
    estimates: pd.Series, variance: float, *, parameter: str
) -> pd.DataFrame:
    """One row per person with an estimate: person, parameter, estimate, variance (of N(0, ·))."""
    if not np.isfinite(variance) or variance < 0:
        raise ValueError(f"A variance cannot be {variance!r}.")
    known = _finite(estimates)
    return pd.DataFrame(
        {
            "person": known.index.astype(str),
            "parameter": str(parameter),
            "estimate": known.to_numpy(),
            "variance": float(variance),
        }
    )


def hsic_null(null: np.ndarray, statistic: float, p: float, *, covariate: str) -> pd.DataFrame:
    """One row per permutation: covariate, permutation, null_statistic, statistic, p."""
    values = np.asarray(null, dtype=float).ravel()
    values = values[np.isfinite(values)]
    if values.size == 0 or not np.isfinite(statistic):
        raise ValueError("An HSIC plot needs the observed statistic and permuted ones.")
    return pd.DataFrame(
        {
            "covariate": str(covariate),
            "permutation": np.arange(1, len(values) + 1),
            "null_statistic": values,
            "statistic": float(statistic),
            "p": float(p),
        }
    )


def covariate_scatter(
    values: pd.Series,
    covariate: pd.Series,
    *,
    parameter: str,
    covariate_name: str,
    bands: pd.Series | None = None,
) -> pd.DataFrame:
    """One row per person known on both sides: person, parameter, value, covariate, covariate_value.

    `values` and `covariate` are matched by their index, the person. ``covariate_value`` is text
    where the covariate is categorical (text, category, bool, or a number with two values among
    these persons), else a number. With ``bands``, each person's band, there is a column ``band``.
    """
    known = _finite(values)
    side = covariate.copy()
    side.index = side.index.astype(str)
    known.index = known.index.astype(str)
    if side.index.has_duplicates or known.index.has_duplicates:
        raise ValueError("A person stands twice among the values or the covariate.")
    if _is_number(side):
        side = side.astype("float64")
        side = side[np.isfinite(side)]
    else:
        side = side.dropna().astype(str)
        side = side[side.str.strip() != ""]
    persons = known.index[known.index.isin(side.index)]
    if len(persons) == 0:
        raise ValueError("No person has both a value and the covariate.")
    side = side.loc[persons]
    if _is_number(side) and side.nunique() == 2:
        side = side.map(_written)
    table = pd.DataFrame(
        {
            "person": persons,
            "parameter": str(parameter),
            "value": known.loc[persons].to_numpy(),
            "covariate": str(covariate_name),
            "covariate_value": side.to_numpy(),
        }
    )
    if bands is not None and _is_number(side):
        own = bands.rename(index=str).reindex(persons)
        table["band"] = own.fillna("outside of the bands").to_numpy()
    return table


def loss_curves(history: pd.DataFrame, *, names: Mapping[str, str] | None = None) -> pd.DataFrame:
    """One row per model, epoch and part (train, validation) that has a loss.

    Only the drawings use ``names``.
    """
    parts = {"train_loss": "train", "validation_loss": "validation"}
    long = history.melt(["model", "epoch"], list(parts), "part", "loss")
    long["part"] = long["part"].map(parts)
    long["loss"] = pd.to_numeric(long["loss"])
    long = long[np.isfinite(long["loss"])]
    if long.empty:
        raise ValueError("No epoch has a loss yet.")
    order = {model: i for i, model in enumerate(history["model"].unique())}
    rank = long.assign(rank=long["model"].map(order))
    # In the order of training: the epochs of several fits of one model do not mix.
    rank = rank.sort_values(["rank", "part"], kind="stable")
    return rank[["model", "part", "epoch", "loss"]].reset_index(drop=True)


def response_curves(
    curves: pd.DataFrame, *, feature: str, outcome: str, person: str | None
) -> pd.DataFrame:
    """One row per curve and point: level (population, person), person, feature, x, outcome, value,
    ci_low, ci_high.

    `curves` has the columns person ("" for the population), feature, x, value, and may have the
    ends of intervals. The rows of `person`, who is highlighted, say so in ``highlighted``.
    """
    chosen = curves[(curves["feature"] == feature) & np.isfinite(curves["value"].astype(float))]
    if chosen.empty:
        raise ValueError(f"The run has no response curve for {feature!r}.")
    ids = chosen["person"].fillna("").astype(str)
    if person is not None and not (ids == str(person)).any():
        raise ValueError(f"The run has no response curve of person {person!r} for {feature!r}.")
    out = pd.DataFrame(
        {
            "level": np.where(ids == "", "population", "person"),
            "person": ids.to_numpy(),
            "highlighted": (ids == str(person)).to_numpy() if person is not None else False,
            "feature": str(feature),
            "x": chosen["x"].to_numpy(dtype=float),
            "outcome": str(outcome),
            "value": chosen["value"].to_numpy(dtype=float),
            **{
                end: chosen[end].to_numpy(dtype=float) if end in chosen else np.nan
                for end in ("ci_low", "ci_high")
            },
        }
    )
    return out.sort_values(["person", "x"], kind="stable").reset_index(drop=True)


def group_curves(
    curves: pd.DataFrame, *, feature: str, outcome: str, covariate_name: str
) -> pd.DataFrame:
    """One row per group and point: covariate, group, n_persons, feature, x, outcome, value.

    `curves` has the columns group, n_persons (in the group), x, value (a mean over its persons).
    """
    known = curves[np.isfinite(curves["value"].astype(float))]
    if known.empty:
        raise ValueError(f"The run has no response curve for {feature!r}.")
    return pd.DataFrame(
        {
            "covariate": str(covariate_name),
            "group": known["group"].astype(str).to_numpy(),
            "n_persons": known["n_persons"].to_numpy(dtype=int),
            "feature": str(feature),
            "x": known["x"].to_numpy(dtype=float),
            "outcome": str(outcome),
            "value": known["value"].to_numpy(dtype=float),
        }
    )


def observations_per_person(n_obs: pd.Series) -> pd.DataFrame:
    """One row per person: person, n_obs."""
    known = _finite(n_obs)
    return pd.DataFrame({"person": known.index.astype(str), "n_obs": known.to_numpy().astype(int)})


def outcome_overview(y: pd.Series, kind: str) -> pd.DataFrame:
    """Class: state, count, share. Number: the histogram's low, high, count. Missing left out."""
    if kind == "class":
        labels = y.dropna().astype(str)
        if labels.empty:
            raise ValueError("The outcome has no value.")
        count = labels.value_counts().sort_index()
        share = count.to_numpy() / count.sum()
        return pd.DataFrame({"state": count.index, "count": count.to_numpy(), "share": share})
    if kind != "number":
        raise ValueError(f"Unknown kind of outcome {kind!r}; there are number and class.")
    bins = histogram(y)
    return pd.DataFrame({"low": bins.edges[:-1], "high": bins.edges[1:], "count": bins.counts})


def missing_values(grid: pd.DataFrame, *, by: str, time: str) -> pd.DataFrame:
    """One row per cell of the grid that has rows of the study: `by`, time, share_missing.

    Parameters
    ----------
    grid : DataFrame
        Shares; one row per person or column, one column per step of time; NaN has no rows.
    by : str
        ``"person"`` or ``"column"``.
    time : str
        What the steps of time are, in words; only the drawings use it.
    """
    if by not in ("person", "column"):
        raise ValueError(f"Unknown rows {by!r}; there are person and column.")
    values = grid.to_numpy(dtype=float)
    row, step = np.nonzero(np.isfinite(values))
    if not len(row):
        raise ValueError("No value is left to draw.")
    return pd.DataFrame(
        {
            by: grid.index.astype(str).to_numpy()[row],
            "time": grid.columns.to_numpy(dtype=float)[step],
            "share_missing": values[row, step],
        }
    )


def _states(matrix: pd.DataFrame, name: str) -> list[str]:
    states = [str(state) for state in matrix.index]
    if not states or [str(state) for state in matrix.columns] != states:
        raise ValueError(f"The {name} matrix needs the same states in rows and columns, in order.")
    if len(set(states)) < len(states):
        raise ValueError(f"The {name} matrix names a state twice.")
    return states


def _aligned(matrix: pd.DataFrame, states: list[str], name: str) -> pd.DataFrame:
    renamed = matrix.rename(index=str, columns=str)
    unknown = [s for s in {*renamed.index, *renamed.columns} if s not in states]
    if unknown:
        raise ValueError(f"The {name} matrix has states the population lacks: {sorted(unknown)}.")
    return renamed.reindex(index=states, columns=states)


def _finite(values: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(values).astype("float64")
    known = numbers[np.isfinite(numbers)]
    if known.empty:
        raise ValueError("No value is left to draw.")
    return known


def _written(value: float) -> str:
    return str(int(value)) if value.is_integer() else str(value)


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
