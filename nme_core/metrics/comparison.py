"""Models against each other, paired over persons: the table ``comparison`` of a run folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.exceptions import MissingColumnError, OptionError
from nme_core.independence.correction import adjust_p

_COLUMNS = [
    "model", "reference", "metric", "difference", "ci_low", "ci_high", "p", "n_persons",
    "p_adjusted",
]  # fmt: skip

#: Fewer persons have no interval: their resamples are too much alike.
FEWEST = 4

# Doubles that are drawn at a time, 32 MB.
_CHUNK = 4_000_000

# Differences closer to 0 than this are rounding.
_ROUNDING = 1e-12


def compare(
    metrics: pd.DataFrame,
    reference: str = "nme",
    split: str = "test",
    *,
    resamples: int = 1999,
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
    resamples : int
        Resamples of the persons for the interval.
    flips : int
        Draws of the test, which swaps the two models of randomly chosen persons.
    level : float
        Coverage of the interval.
    random_state : int
        Seed of the resamples and of the test.

    Returns
    -------
    DataFrame
        Columns ``model``, ``reference``, ``metric``, ``difference`` (mean over persons of model
        minus reference, each person counting the same), ``ci_low``, ``ci_high`` (studentised
        bootstrap over persons), ``p`` (two-sided), ``n_persons`` (for whom the metric is defined
        under both), ``p_adjusted`` (Holm over the models, metric by metric). The interval is
        missing below 4 persons, p below 2. Anything within 1e-12 of 0 is 0.

    Raises
    ------
    MissingColumnError
        Where a column of ``metrics`` is not there.
    OptionError
        Where the reference is not among the models, or the split holds nothing.

    Notes
    -----
    The interval is the one of five that lost least coverage at its worst, measured by
    ``benchmarks/comparison_coverage.py`` (2000 studies, 999 resamples; nominal .95):

    =========================  ====  ==========  ========  ====  ===========
    differences                   t  percentile  expanded   BCa  studentised
    =========================  ====  ==========  ========  ====  ===========
    normal, 8 persons          .955        .896      .940  .896         .951
    normal, 20                 .958        .936      .956  .932         .955
    normal, 60                 .954        .945      .954  .946         .948
    Student's t₃, 8            .960        .893      .940  .870         .935
    Student's t₃, 20           .966        .931      .954  .892         .940
    Student's t₃, 60           .948        .928      .935  .904         .918
    exponential (skewed), 8    .903        .854      .906  .873         .941
    exponential, 20            .925        .909      .930  .917         .948
    exponential, 60            .944        .934      .942  .933         .945
    log-normal (skewed), 8     .851        .804      .860  .824         .910
    log-normal, 20             .871        .863      .884  .876         .921
    log-normal, 60             .912        .904      .910  .913         .933
    mostly 0 (accuracies), 8   .936        .881      .931  .884         .890
    mostly 0, 20               .946        .936      .953  .933         .940
    mostly 0, 60               .950        .951      .955  .948         .947
    =========================  ====  ==========  ========  ====  ===========
    """
    for column in ("model", "split", "scope", "person", "metric", "value"):
        if column not in metrics.columns:
            raise MissingColumnError(column, metrics.columns, table="table of metrics")
    rows = metrics[(metrics["scope"] == "person") & (metrics["split"] == split)]
    models = list(dict.fromkeys(rows["model"]))
    if reference not in models:
        raise OptionError(
            f"There are no values of model {reference!r} for people in split {split!r}.",
            remedy=f"Models there: {', '.join(map(repr, models)) or 'none'}.",
        )
    values = rows.pivot(index=["model", "metric"], columns="person", values="value")
    table, compared = [], []
    for model in models:
        for metric in dict.fromkeys(rows["metric"]):
            if model == reference or (model, metric) not in values.index:
                continue
            paired = values.loc[(model, metric)] - values.loc[(reference, metric)]
            differences = _without_rounding(paired.dropna().to_numpy(dtype=np.float64))
            mean, low, high = _interval(differences, level, resamples, random_state)
            compared.append(differences)
            table.append(
                {
                    "model": model,
                    "reference": reference,
                    "metric": metric,
                    "difference": mean,
                    "ci_low": low,
                    "ci_high": high,
                    "n_persons": differences.size,
                }
            )
    found = pd.DataFrame(table, columns=_COLUMNS[:-1])
    found["p"] = _sign_flip_p(compared, flips, random_state)
    return with_corrected_p(found)


def person_means(
    metrics: pd.DataFrame,
    split: str = "test",
    *,
    resamples: int = 1999,
    level: float = 0.95,
    random_state: int = 0,
) -> pd.DataFrame:
    """Mean over persons of each person's own metric, model by model, with its interval.

    Parameters
    ----------
    metrics : DataFrame
        What `evaluate` gives; the rows with scope ``person`` are used.
    split : str
        The rows that are judged.
    resamples : int
        Resamples of the persons for the interval.
    level : float
        Coverage of the interval.
    random_state : int
        Seed of the resamples.

    Returns
    -------
    DataFrame
        Columns ``model``, ``metric``, ``mean`` (each person counting the same), ``ci_low``,
        ``ci_high`` (studentised bootstrap over persons, as in `compare`; missing below 4 persons),
        ``n_persons`` (for whom the metric is defined). The interval is one for the mean over
        persons like these; what is uncertain in the fitted model is not in it.
    """
    rows = metrics[(metrics["scope"] == "person") & (metrics["split"] == split)]
    table = []
    for (model, metric), own in rows.groupby(["model", "metric"], sort=False):
        values = own["value"].dropna().to_numpy(dtype=np.float64)
        mean, low, high = _interval(values, level, resamples, random_state)
        table.append((model, metric, mean, low, high, values.size))
    columns = ["model", "metric", "mean", "ci_low", "ci_high", "n_persons"]
    return pd.DataFrame(table, columns=columns)


def with_corrected_p(comparison: pd.DataFrame) -> pd.DataFrame:
    """The table with ``p_adjusted``: Holm over the models, metric by metric.

    For tables of runs that were made before the column was: it follows from ``p``.
    """
    families = comparison.groupby("metric", sort=False)["p"]
    corrected = families.transform(lambda p: adjust_p(p, "holm"))
    return comparison.assign(p_adjusted=corrected)


def _without_rounding(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.abs(values) < _ROUNDING, 0.0, values)


def studentised_interval(
    values: NDArray[np.float64], drawn: Iterable[NDArray[np.float64]], level: float
) -> tuple[float, float]:
    """Bootstrap-t interval of a mean (Efron and Tibshirani 1993, section 12.5).

    Few values with one far off can make resamples whose spread is next to nothing, and bounds
    beyond all reason: none lies further out than that of Student's t with a coverage of .999.

    Parameters
    ----------
    values : array, shape (n,)
        The sample.
    drawn : iterable of arrays, each of shape (some resamples, n)
        Resamples of it. One whose values are all equal takes the smallest spread of the others;
        where there are no others, the interval is the mean.
    level : float
        Nominal coverage.
    """
    from scipy.special import stdtrit

    n, mean = values.size, values.mean()
    parts = [(part.mean(axis=1), part.std(axis=1, ddof=1)) for part in drawn]
    means, spread = (np.concatenate(part) for part in zip(*parts, strict=True))
    varied = spread > _ROUNDING
    if not varied.any():
        return float(mean), float(mean)
    spread = np.maximum(spread, spread[varied].min())
    t = (means - mean) / (spread / np.sqrt(n))
    furthest = stdtrit(n - 1, 0.9995)
    high, low = np.clip(np.quantile(t, [0.5 - level / 2, 0.5 + level / 2]), -furthest, furthest)
    se = values.std(ddof=1) / np.sqrt(n)
    return float(mean - low * se), float(mean - high * se)


def _interval(
    differences: NDArray[np.float64], level: float, resamples: int, seed: int
) -> tuple[float, float, float]:
    """Mean of the differences and its interval; missing where there is none."""
    n = differences.size
    if n == 0:
        return np.nan, np.nan, np.nan
    low = high = np.nan
    if n >= FEWEST:
        rng = np.random.default_rng(seed)
        drawn = (differences[rng.integers(n, size=(size, n))] for size in chunks(resamples, n))
        low, high = studentised_interval(differences, drawn, level)
    mean, low, high = _without_rounding(np.array([differences.mean(), low, high])).tolist()
    return mean, low, high


def _sign_flip_p(
    compared: Sequence[NDArray[np.float64]], flips: int, seed: int
) -> NDArray[np.float64]:
    """Two-sided p of each mean difference 0: under the null each person's sign is a coin."""
    result, sizes = np.full(len(compared), np.nan), np.array([one.size for one in compared], int)
    for n in np.unique(sizes[sizes > 1]):  # those of as many people are told by the same coins
        rng, same = np.random.default_rng(seed), np.flatnonzero(sizes == n).tolist()
        differences = np.column_stack([compared[place] for place in same])
        observed = np.abs(differences.sum(axis=0))
        # equal sums may differ by rounding
        at_least = observed - 1e-12 * np.abs(differences).sum(axis=0)
        extreme = np.zeros(len(same))
        for size in chunks(flips, int(n)):
            signs = 2.0 * rng.integers(2, size=(size, n), dtype=np.int8) - 1.0
            extreme += (np.abs(signs @ differences) >= at_least).sum(axis=0)
        result[same] = (1 + extreme) / (flips + 1)
    return result


def chunks(draws: int, n: int) -> list[int]:
    """Sizes of the chunks in which `draws` × `n` numbers are drawn."""
    size = max(1, _CHUNK // n)
    return [min(size, draws - start) for start in range(0, draws, size)]
