"""Models against each other, paired over persons: the table ``comparison`` of a run folder."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from nme_core.exceptions import MissingColumnError, OptionError

_COLUMNS = [
    "model", "reference", "metric", "difference", "ci_low", "ci_high", "p", "n_persons",
]  # fmt: skip

# Doubles that are drawn at a time, 32 MB.
_CHUNK = 4_000_000

# Differences closer to 0 than this are rounding.
_ROUNDING = 1e-12


def compare(
    metrics: pd.DataFrame,
    reference: str = "nme",
    split: str = "test",
    *,
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
    flips : int
        Draws of the test, which swaps the two models of randomly chosen persons.
    level : float
        Coverage of the interval, Student's t over persons.
    random_state : int
        Seed of the test.

    Returns
    -------
    DataFrame
        Columns ``model``, ``reference``, ``metric``, ``difference`` (mean over persons of model
        minus reference, each person counting the same), ``ci_low``, ``ci_high``, ``p`` (two-sided),
        ``n_persons`` (for whom the metric is defined under both). Interval and p are missing
        below two persons. Anything within 1e-12 of 0 is 0.

    Raises
    ------
    MissingColumnError
        Where a column of ``metrics`` is not there.
    OptionError
        Where the reference is not among the models, or the split holds nothing.

    Notes
    -----
    Resampling persons instead gives intervals that are too narrow where these are few. Coverage of
    95 % intervals of the mean, simulated (2000 studies, 999 resamples each):

    ==========================  ====  ==========  =====  ===========
    differences                    t  percentile    BCa  bootstrap-t
    ==========================  ====  ==========  =====  ===========
    normal, 8 persons           .954        .882   .883         .951
    normal, 20                  .958        .936   .936         .956
    normal, 60                  .952        .946   .944         .951
    Student's t₃, 8             .962        .875   .849         .926
    Student's t₃, 20            .956        .916   .889         .923
    Student's t₃, 60            .955        .930   .911         .928
    exponential (skewed), 8     .904        .852   .868         .929
    exponential, 20             .926        .903   .912         .947
    exponential, 60             .932        .929   .925         .944
    ==========================  ====  ==========  =====  ===========

    The bootstrap-t is a little better for skewed differences only, and has no finite interval where
    most persons' differences are equal, as accuracies often are. Of few persons with very skewed
    differences every one of these intervals is too narrow.
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
            differences = _without_rounding(paired.dropna().to_numpy(dtype=np.float64))
            mean, low, high = _interval(differences, level)
            table.append(
                {
                    "model": model,
                    "reference": reference,
                    "metric": metric,
                    "difference": mean,
                    "ci_low": low,
                    "ci_high": high,
                    "p": _sign_flip_p(differences, flips, random_state),
                    "n_persons": differences.size,
                }
            )
    return pd.DataFrame(table, columns=_COLUMNS)


def _without_rounding(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.abs(values) < _ROUNDING, 0.0, values)


def _interval(differences: NDArray[np.float64], level: float) -> tuple[float, float, float]:
    """Mean of the differences and its interval; missing where there is none."""
    n = differences.size
    if n == 0:
        return np.nan, np.nan, np.nan
    mean = differences.mean()
    width = np.nan
    if n > 1:
        width = stdtrit(n - 1, 0.5 + level / 2) * differences.std(ddof=1) / np.sqrt(n)
    mean, low, high = _without_rounding(np.array([mean, mean - width, mean + width])).tolist()
    return mean, low, high


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
