"""Model checks: outcomes simulated from a fitted model beside those that were observed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nme_core.estimators import NMECRF, NMEMLPClassifier, NMEMLPRegressor

#: Persons up to whom the table has rows of single persons.
MOST_PERSONS = 2000
#: Rows that are simulated in all, at most, unless that would be less than so many draws.
MOST_SIMULATED, FEWEST_DRAWS = 20_000_000, 20
#: Share of the simulated values between simulated_low and simulated_high.
LEVEL = 0.95
COLUMNS = (
    "check", "statistic", "person", "observed", "simulated_mean", "simulated_low", "simulated_high",
)  # fmt: skip

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: (check, statistic, person): value.
Statistics = dict[tuple[str, str, str], float]


def model_checks(
    model: NMECRF | NMEMLPClassifier | NMEMLPRegressor,
    X: pd.DataFrame,
    y: pd.Series,
    groups: pd.Series | pd.DataFrame,
    *,
    sequence_ids: pd.Series,
    seed: int = 0,
) -> pd.DataFrame:
    """Posterior predictive checks (Gelman, Meng & Stern 1996) on the rows of a study.

    Outcomes are simulated for the rows as they stand – the same persons, features, lengths and
    missing outcomes – from 64 draws of the parameters (fewer, at least 20, of more than 300,000
    rows), and described like the observed ones.

    Parameters
    ----------
    model : NMECRF, NMEMLPClassifier or NMEMLPRegressor
        Fitted.
    X, y, groups
        Rows, in order of time within each sequence.
    sequence_ids : Series
        Sequence of each row; pairs of rows never reach over its end.
    seed : int
        Of what is simulated.

    Returns
    -------
    DataFrame
        Columns ``check``, ``statistic``, ``person`` ("" for all together), ``observed``,
        ``simulated_mean`` and ``simulated_low`` to ``simulated_high``, the middle 95 % of the
        simulated values. Checks of numbers: ``distribution`` (mean, sd, skewness, quantiles),
        ``autocorrelation`` (lag 1, around each person's mean), ``persons`` (spread of their means,
        mean of their sds) and, by person, ``person``. Checks of classes: ``share`` of each state,
        ``dwell`` (mean length of a stay, rows), ``transition`` (share of the next states),
        ``persons`` (sd over persons of each share) and, by person, ``person``.
    """
    persons = groups.iloc[:, 0] if isinstance(groups, pd.DataFrame) else groups
    rows = _Rows(persons, sequence_ids, y.notna().to_numpy())
    describe: Callable[[NDArray[Any]], Statistics]
    options: dict[str, Any] = {}
    if hasattr(model, "classes_"):
        index = pd.Index(model.classes_)

        def describe(values: NDArray[Any]) -> Statistics:
            codes = np.asarray(index.get_indexer(pd.Index(values)), dtype=np.int64)
            return _classes(np.where(rows.known, codes, -1), rows, [str(c) for c in index])

        if hasattr(model, "transition_matrix"):
            options["sequence_ids"] = sequence_ids
    else:

        def describe(values: NDArray[Any]) -> Statistics:
            numbers = np.where(rows.known, values.astype(np.float64), np.nan)
            return _numbers(numbers, rows)

    n_draws = max(FEWEST_DRAWS, MOST_SIMULATED // len(X))
    drawn: Iterable[NDArray[Any]] = islice(model.simulate(X, groups, seed=seed, **options), n_draws)
    observed = describe(y.to_numpy())
    simulated = pd.DataFrame([describe(values) for values in drawn])
    tail = (1 - LEVEL) / 2
    table = pd.DataFrame(observed.keys(), columns=["check", "statistic", "person"])
    table["observed"] = list(observed.values())
    for name, values in (
        ("simulated_mean", simulated.mean()),
        ("simulated_low", simulated.quantile(tail)),
        ("simulated_high", simulated.quantile(1 - tail)),
    ):
        table[name] = values.to_numpy()
    return table[list(COLUMNS)]


class _Rows:
    """Whose each row is, which rows follow each other, and which outcomes are known."""

    def __init__(self, persons: pd.Series, sequences: pd.Series, known: NDArray[np.bool_]) -> None:
        codes, names = pd.factorize(persons)
        self.persons = codes.astype(np.int64)
        self.names = [str(name) for name in names]
        self.known = known
        sequence = pd.factorize(sequences)[0]
        order = np.argsort(sequence, kind="stable")
        beside = sequence[order][:-1] == sequence[order][1:]
        self.before, self.after = order[:-1][beside], order[1:][beside]
        both = known[self.before] & known[self.after]
        self.before, self.after = self.before[both], self.after[both]

    def sums(self, values: Floats) -> Floats:
        """Sum over each person's known rows."""
        weights = np.where(self.known, values, 0.0)
        total = np.bincount(self.persons, weights=weights, minlength=len(self.names))
        return total.astype(np.float64)


def _numbers(y: Floats, rows: _Rows) -> Statistics:
    known = y[rows.known]
    centred, sd = known - known.mean(), known.std()
    result: Statistics = {
        ("distribution", "mean", ""): float(known.mean()),
        ("distribution", "sd", ""): float(sd),
        ("distribution", "skewness", ""): float((centred**3).mean() / sd**3),
    }
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        key = ("distribution", f"quantile {share:g}", "")
        result[key] = float(np.quantile(known, share))
    n = rows.sums(np.ones_like(y))
    mean = rows.sums(y) / np.maximum(n, 1)
    own = y - mean[rows.persons]
    square = rows.sums(own**2)
    product = float((own[rows.before] * own[rows.after]).sum())
    scale = float((own[rows.before] ** 2).sum() * (own[rows.after] ** 2).sum()) ** 0.5
    result["autocorrelation", "lag 1", ""] = product / scale if scale > 0 else np.nan
    several = n > 1
    sds = np.full(len(n), np.nan)
    sds[several] = np.sqrt(square[several] / (n[several] - 1))
    result["persons", "sd of means", ""] = float(mean[n > 0].std())
    result["persons", "mean of sds", ""] = float(np.mean(sds[several])) if several.any() else np.nan
    if len(rows.names) <= MOST_PERSONS:
        for k, name in enumerate(rows.names):
            result["person", "mean", name] = float(mean[k]) if n[k] else np.nan
            result["person", "sd", name] = float(sds[k])
    return result


def _classes(codes: Ints, rows: _Rows, states: list[str]) -> Statistics:
    n_states, known = len(states), codes >= 0
    result: Statistics = {}
    n = rows.sums(np.ones(len(codes)))
    shares = np.array([rows.sums((codes == k).astype(float)) for k in range(n_states)]).T
    pooled = shares.sum(0) / known.sum()
    shares = shares / np.where(n > 0, n, np.nan)[:, None]
    before, after = codes[rows.before], codes[rows.after]
    moves = np.bincount(before * n_states + after, minlength=n_states**2)
    moves = moves.reshape(n_states, n_states).astype(float)
    visits = np.bincount(codes[known], minlength=n_states)
    # A stay ends wherever the same state does not follow.
    stays = visits - np.diag(moves)
    for k, state in enumerate(states):
        result["share", state, ""] = float(pooled[k])
    for k, state in enumerate(states):
        result["dwell", state, ""] = float(visits[k] / stays[k]) if stays[k] else np.nan
    totals = moves.sum(1)
    for k, m in np.ndindex(n_states, n_states):
        key = ("transition", f"transitions[{states[k]},{states[m]}]", "")
        result[key] = float(moves[k, m] / totals[k]) if totals[k] else np.nan
    for k, state in enumerate(states):
        result["persons", f"sd of share of {state}", ""] = float(np.nanstd(shares[:, k]))
    if len(rows.names) <= MOST_PERSONS:
        for i, name in enumerate(rows.names):
            for k, state in enumerate(states):
                result["person", f"share of {state}", name] = float(shares[i, k])
    return result
