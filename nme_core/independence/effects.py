"""Direction and size beside every HSIC: Spearman's rho, or differences between groups."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.exceptions import DataError, OptionError
from nme_core.independence.conditional import design, ranked, residuals
from nme_core.independence.correction import adjust_p
from nme_core.independence.kernels import is_categorical
from nme_core.independence.permutation import permutations

_COLUMNS = [
    "covariate", "parameter", "effect", "ci_low", "ci_high", "p", "p_adjusted", "kind",
    "group", "n_persons", "n_tests",
]  # fmt: skip

#: Persons below whom the p of rho comes from permutations, up to whom from all of them, else how
#: many.
_FEW = 30
_MOST_ENUMERATED = 7
_PERMUTATIONS = 19_999

_Array = NDArray[np.float64]


def effects_table(
    x: pd.DataFrame,
    covariate: pd.Series,
    *,
    given: pd.DataFrame | None = None,
    adjust: str = "bh",
    level: float = 0.95,
) -> pd.DataFrame:
    """Association of every parameter with one covariate, over persons.

    A number gives Spearman's rho with the interval of Bonett and Wright (2000) – at ±1, where there
    is none, that of the nearest other value which untied ranks can give, up to ±1 – and the t
    approximation for p; of fewer than 30 persons p comes from permutations: from all up to 7
    persons, else from 19,999. A category gives differences of means with Welch's interval and
    test: for two groups the second (in sorted order) minus the first, for more each group minus
    the rest.
    With `given` both are adjusted: a partial rho (the correlation of what linear regressions on the
    ranks of what is given leave of the ranks), and the coefficient of the group in a regression,
    with the HC3 standard error.

    Parameters
    ----------
    x : DataFrame, index person, one column per parameter
        No missing values.
    covariate : Series, index person
        Persons for whom it is missing, or who are not in `x`, are left out.
    given : DataFrame, index person, optional
        What is held: numbers and categories; persons with a missing one are left out.
    adjust : {"bh", "holm", "none"}
        Correction over the rows of this table.
    level : float
        Coverage of the intervals, above 0 and below 1.

    Returns
    -------
    DataFrame
        The columns of ``effects.csv``, then ``group`` (which groups were compared, empty for
        Spearman), ``n_persons`` and ``n_tests``. A difference is in the units of the parameter.
        Where something is not defined (a constant parameter, a group of one) it is missing.

    Raises
    ------
    DataError
        Where fewer than 4 persons have both, the covariate is constant, a parameter is missing, or
        a person has two rows.
    """
    if not 0 < level < 1:
        raise OptionError(f"level must lie between 0 and 1, not be {level}.")
    name = str(covariate.name)
    known = covariate.dropna()
    _check_persons(x, known)
    persons = x.index.intersection(known.index)
    if given is not None:
        persons = persons.intersection(given.dropna().index)
    if len(persons) < 4:
        raise DataError(
            f"Only {len(persons)} people have parameters and a value of {name!r}.",
            remedy="Are the people named alike in both tables?",
            column=name,
        )
    values, known = x.loc[persons], known.loc[persons]
    if known.nunique() < 2:
        raise DataError(
            f"The covariate {name!r} is the same for all {len(persons)} people.",
            remedy="A constant cannot be tested: leave it out.",
            column=name,
        )
    numbers = values.to_numpy(dtype=np.float64)
    held = None if given is None or given.columns.empty else given.loc[persons]
    parts = []
    if is_categorical(known):
        basis = None if held is None else design(held)
        for label, chosen in _contrasts(known):
            if basis is None:
                estimates, kind = _welch(numbers, chosen, level), "mean difference"
            else:
                estimates = _adjusted_difference(numbers, chosen, basis, level)
                kind = "adjusted mean difference"
            parts.append(_part(x.columns, estimates, kind, label))
    else:
        basis = None if held is None else design(ranked(held))
        estimates = _spearman(numbers, known.to_numpy(dtype=np.float64), level, basis)
        kind = "spearman" if basis is None else "partial spearman"
        parts.append(_part(x.columns, estimates, kind, ""))
    table = pd.concat(parts, ignore_index=True)
    table["covariate"] = name
    table["n_persons"] = len(persons)
    return with_adjusted_p(table, adjust)[_COLUMNS]


def with_adjusted_p(table: pd.DataFrame, adjust: str) -> pd.DataFrame:
    """The table with ``p_adjusted`` over its rows as one family, of ``n_tests`` tests."""
    return table.assign(
        p_adjusted=adjust_p(table["p"].to_numpy(), adjust), n_tests=int(table["p"].notna().sum())
    )


def _check_persons(x: pd.DataFrame, covariate: pd.Series) -> None:
    for index in (x.index, covariate.index):
        if index.has_duplicates:
            person = str(index[index.duplicated()][0])
            raise DataError(
                f"Person {person!r} has more than one row.",
                remedy="Give one row per person.",
                person=person,
            )
    missing = x.isna().any(axis=1)
    if missing.any():
        person = str(x.index[missing][0])
        raise DataError(
            f"A parameter of person {person!r} is missing.",
            remedy="Leave out people whose parameters are not known.",
            person=person,
        )


def _part(
    parameters: pd.Index, estimates: tuple[_Array, _Array, _Array, _Array], kind: str, group: str
) -> pd.DataFrame:
    effect, low, high, p = estimates
    return pd.DataFrame(
        {
            "parameter": parameters.astype(str), "effect": effect, "ci_low": low, "ci_high": high,
            "p": p, "kind": kind, "group": group,
        }
    )  # fmt: skip


def _contrasts(labels: pd.Series) -> list[tuple[str, NDArray[np.bool_]]]:
    """Name and members (shape (n,)) of each group that is compared with the others."""
    found = sorted(labels.unique(), key=lambda label: (str(type(label)), label))
    array = labels.to_numpy(dtype=object)
    if len(found) == 2:
        return [(f"{_name(found[1])} - {_name(found[0])}", array == found[1])]
    return [(f"{_name(label)} - rest", array == label) for label in found]


def _name(label: object) -> str:
    """A group's name; whole numbers without decimals."""
    whole = isinstance(label, float) and label.is_integer()
    return str(int(label)) if whole else str(label)  # type: ignore[call-overload]


def _spearman(
    x: _Array, y: _Array, level: float, basis: _Array | None
) -> tuple[_Array, _Array, _Array, _Array]:
    """rho, its interval and p for every column of x, shape (n, d), with y, shape (n,)."""
    from scipy.special import ndtri, stdtr

    n = len(y)
    middle = (n + 1) / 2
    ranks: _Array = np.asarray(pd.DataFrame(x).rank() - middle, dtype=np.float64)  # (n, d)
    other: _Array = np.asarray(pd.Series(y).rank() - middle, dtype=np.float64)
    if basis is not None:
        before = np.square(ranks).sum(axis=0), np.square(other).sum()
        ranks, other = residuals(ranks, basis), residuals(other[:, None], basis)[:, 0]
        # what is left of something that is determined is rounding error
        ranks[:, np.square(ranks).sum(axis=0) <= 1e-12 * before[0]] = 0.0
        other = other if np.square(other).sum() > 1e-12 * before[1] else np.zeros(n)
    held = 0 if basis is None else basis.shape[1] - 1
    spread = np.sqrt(np.square(ranks).sum(axis=0) * np.square(other).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = np.clip((other @ ranks) / spread, -1.0, 1.0)
        if n - 3 - held <= 0:
            missing = np.full_like(rho, np.nan)
            return rho, missing, missing, missing
        t = np.abs(rho) * np.sqrt((n - 2 - held) / (1 - rho**2))
        p = 2 * stdtr(n - 2 - held, -t)
        largest = 1 - 12 / (n * (n**2 - 1))  # of untied ranks that are not the same
        inner = np.clip(rho, -largest, largest)
        width = ndtri(0.5 + level / 2) * np.sqrt((1 + inner**2 / 2) / (n - 3 - held))
        z = np.arctanh(inner)
    low = np.where(rho < -largest, -1.0, np.tanh(z - width))
    high = np.where(rho > largest, 1.0, np.tanh(z + width))
    if n < _FEW:
        p = np.where(np.isnan(rho), np.nan, _permutation_p(ranks, other))
    return rho, low, high, p


def _permutation_p(x: _Array, y: _Array) -> _Array:
    """Two-sided p of Σ x y for every column of x, shape (n, d), over permutations of y."""
    n, d = x.shape
    observed = np.abs(y @ x)
    at_least = observed - 1e-9 * np.abs(x).sum(axis=0) * np.abs(y).max()  # sums differ by rounding
    if n <= _MOST_ENUMERATED:
        orders = np.array(list(itertools.permutations(range(n))), dtype=np.intp)
    else:
        orders = permutations(n, _PERMUTATIONS)
    extreme = np.zeros(d, dtype=np.int64)
    for part in np.array_split(orders, 1 + orders.size * d // 2**24):
        extreme += (np.abs(y[part] @ x) >= at_least).sum(axis=0)
    drawn = int(n > _MOST_ENUMERATED)  # of drawn ones the observed order is one more
    p: _Array = (extreme + drawn) / (len(orders) + drawn)
    return p


def _adjusted_difference(
    x: _Array, chosen: NDArray[np.bool_], basis: _Array, level: float
) -> tuple[_Array, _Array, _Array, _Array]:
    """Coefficient of the chosen persons beside the basis, interval and p, per column of x.

    HC3: each squared residual is divided by (1 − h)², h its leverage.
    """
    from scipy.special import stdtr, stdtrit

    group = residuals(chosen.astype(np.float64)[:, None], basis)[:, 0]
    size = float(np.square(group).sum())
    df = len(x) - basis.shape[1] - 1
    missing = np.full(x.shape[1], np.nan)
    if size <= 1e-10 * len(x) or df < 1:
        return missing, missing, missing, missing
    rest = residuals(x, basis)
    effect = group @ rest / size
    leverage = np.square(basis).sum(axis=1) + group**2 / size
    error = rest - np.outer(group, effect)
    # a person with leverage 1 is fitted exactly and tells nothing
    weight = np.where(leverage < 1 - 1e-9, group / np.maximum(1 - leverage, 1e-9), 0.0)
    se = np.sqrt(np.square(weight) @ np.square(error)) / size
    with np.errstate(invalid="ignore", divide="ignore"):
        p = 2 * stdtr(df, -np.abs(effect) / se)
    width = stdtrit(df, 0.5 + level / 2) * se
    return effect, effect - width, effect + width, p


def _welch(
    x: _Array, chosen: NDArray[np.bool_], level: float
) -> tuple[_Array, _Array, _Array, _Array]:
    """Mean of the chosen persons minus mean of the rest, interval and p, per column of x."""
    from scipy.special import stdtr, stdtrit

    first, second = x[chosen], x[~chosen]
    effect = first.mean(axis=0) - second.mean(axis=0)
    missing = np.full_like(effect, np.nan)
    if min(len(first), len(second)) < 2:
        return effect, missing, missing, missing
    a = first.var(axis=0, ddof=1) / len(first)
    b = second.var(axis=0, ddof=1) / len(second)
    with np.errstate(invalid="ignore", divide="ignore"):
        df = (a + b) ** 2 / (a**2 / (len(first) - 1) + b**2 / (len(second) - 1))
        width = stdtrit(df, 0.5 + level / 2) * np.sqrt(a + b)
        p = 2 * stdtr(df, -np.abs(effect) / np.sqrt(a + b))
    return effect, effect - width, effect + width, p
