"""Models against each other, paired over persons: the table ``comparison`` of a run folder."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.exceptions import MissingColumnError, OptionError

_COLUMNS = [
    "model", "reference", "metric", "difference", "ci_low", "ci_high", "p", "n_persons",
]  # fmt: skip

# Doubles that are drawn at a time, 32 MB.
_CHUNK = 4_000_000


def compare(
    metrics: pd.DataFrame,
    reference: str = "nme",
    split: str = "test",
    *,
    reps: int = 2000,
    flips: int = 9999,
    level: float = 0.95,
    random_state: int = 0,
) -> pd.DataFrame:
    """Difference of every other model from the reference, with interval and paired test.

    Parameters
    ----------
    metrics : DataFrame
        What `evaluate` gives; the rows with scope ``person`` are used.
    reference : str
        The model that the others are compared with.
    split : str
        The rows that are judged.
    reps, flips : int
        Draws of the bootstrap that resamples persons, and of the test, which swaps the two models
        of randomly chosen persons.
    level : float
        Coverage of the (percentile) interval.
    random_state : int
        Seed.

    Returns
    -------
    DataFrame
        Columns ``model``, ``reference``, ``metric``, ``difference`` (mean over persons of model
        minus reference, each person counting the same), ``ci_low``, ``ci_high``, ``p`` (two-sided),
        ``n_persons`` (for whom the metric is defined under both). Interval and p are missing
        below two persons.

    Raises
    ------
    MissingColumnError
        Where a column of ``metrics`` is not there.
    OptionError
        Where the reference is not among the models, or the split holds nothing.
    """
    for column in ("model", "split", "scope", "person", "metric", "value"):
        if column not in metrics.columns:
            raise MissingColumnError(column, metrics.columns, table="table of metrics")
    rows = metrics[(metrics["scope"] == "person") & (metrics["split"] == split)]
    models = list(dict.fromkeys(rows["model"]))
    if reference not in models:
        raise OptionError(
            f"There are no values of model {reference!r} for persons in split {split!r}.",
            remedy=f"Models there: {', '.join(map(repr, models)) or 'none'}.",
        )
    values = rows.pivot(index=["model", "metric"], columns="person", values="value")
    table = []
    for model in models:
        for metric in dict.fromkeys(rows["metric"]):
            if model == reference or (model, metric) not in values.index:
                continue
            paired = values.loc[(model, metric)] - values.loc[(reference, metric)]
            differences = paired.dropna().to_numpy(dtype=np.float64)
            low, high = _interval(differences, reps, level, random_state)
            table.append(
                {
                    "model": model,
                    "reference": reference,
                    "metric": metric,
                    "difference": differences.mean() if differences.size else np.nan,
                    "ci_low": low,
                    "ci_high": high,
                    "p": _sign_flip_p(differences, flips, random_state),
                    "n_persons": differences.size,
                }
            )
    return pd.DataFrame(table, columns=_COLUMNS)


def _interval(
    differences: NDArray[np.float64], reps: int, level: float, seed: int
) -> tuple[float, float]:
    """Percentile interval of the mean, persons resampled with replacement."""
    n = differences.size
    if n < 2:
        return np.nan, np.nan
    rng = np.random.default_rng(seed)
    means = np.concatenate(
        [differences[rng.integers(n, size=(size, n))].mean(axis=1) for size in _chunks(reps, n)]
    )
    low, high = np.quantile(means, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def _sign_flip_p(differences: NDArray[np.float64], flips: int, seed: int) -> float:
    """Two-sided p of mean difference 0: under the null each person's sign is a coin."""
    n = differences.size
    if n < 2:
        return np.nan
    rng = np.random.default_rng(seed)
    observed = abs(differences.sum())
    # equal sums may differ by rounding
    at_least = observed - 1e-12 * np.abs(differences).sum()
    extreme = 0
    for size in _chunks(flips, n):
        signs = 2.0 * rng.integers(2, size=(size, n), dtype=np.int8) - 1.0
        extreme += int(np.sum(np.abs(signs @ differences) >= at_least))
    return (1 + extreme) / (flips + 1)


def _chunks(draws: int, n: int) -> list[int]:
    """Sizes of the chunks in which `draws` × `n` numbers are drawn."""
    size = max(1, _CHUNK // n)
    return [min(size, draws - start) for start in range(0, draws, size)]
