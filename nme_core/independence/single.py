"""Single parameters beside HSIC: the largest association of one, and one p for both.

HSIC looks at all parameters together and finds dependence of any shape; where one parameter of many
rises or falls with the covariate, the largest of the single associations finds it sooner:

    single = max_k |r_k|,   r_k the correlation of parameter k with the covariate

of ranks where the covariate is a number (Spearman), of the values with each group's indicator where
it is a category; within strata without the strata's means, given confounders without what these
explain (Freedman and Lane 1983). Its null distribution comes from the permutations of HSIC, so that
both have one p: with p_h(e) and p_s(e) the ranks of a data set e among the observed one and all
permuted ones, that of min(p_h, p_s) among the same (Westfall and Young 1993).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.independence.conditional import design, ranked, residuals
from nme_core.independence.hsic import TIE
from nme_core.independence.kernels import is_categorical

_Array = NDArray[np.float64]
_Orders = NDArray[np.intp]

#: Numbers that are held in memory at once.
_AT_ONCE = 2**23


@dataclass(frozen=True)
class Single:
    """The largest association of a single parameter.

    Attributes
    ----------
    parameter : str
        Which has it.
    statistic : float
        Its absolute correlation, 0 to 1.
    p : float
        Of the largest, over permutations: it counts that it is one of many.
    each : Series, index parameter
        p of every parameter against the largest of all (Westfall and Young): family-wise.
    null : array, shape (reps,)
        The permuted statistics.
    """

    parameter: str
    statistic: float
    p: float
    each: pd.Series
    null: _Array


def single_test(
    x: pd.DataFrame,
    y: pd.Series,
    orders: _Orders,
    *,
    strata: pd.Series | None = None,
    given: pd.DataFrame | None = None,
) -> Single:
    """Test the largest association of a single parameter.

    Parameters
    ----------
    x : DataFrame, shape (n, d)
        Parameters, one row per person.
    y : Series, shape (n,)
        Covariate. All have the same index and nothing missing.
    orders : array of int, shape (reps, n)
        Permutations of the persons of y.
    strata : Series, shape (n,), optional
        What they are within.
    given : DataFrame, shape (n, q), optional
        What is held.
    """
    group = is_categorical(y)
    left = x.to_numpy(dtype=np.float64)
    left = left if group else np.asarray(pd.DataFrame(left).rank(), dtype=np.float64)
    right = _indicators(y) if group else np.asarray(y.rank(), dtype=np.float64)[:, None]
    basis = np.ones((len(y), 1)) / np.sqrt(len(y))
    if given is not None and not given.columns.empty:
        basis = design(given if group else ranked(given))
    elif strata is not None:  # what is permuted within has no effect on its means
        basis = design(strata.astype(str).to_frame())
    left, right = _rest(left, basis), _rest(right, basis)
    observed = _correlations(left, right, basis, np.arange(len(y))[None])[0]
    parts = np.array_split(orders, 1 + orders.size * (basis.shape[1] + left.shape[1]) // _AT_ONCE)
    null = np.concatenate([_correlations(left, right, basis, one).max(axis=1) for one in parts])
    each = (1 + (null >= observed[:, None] - TIE).sum(axis=1)) / (len(null) + 1)
    best = int(observed.argmax())
    return Single(
        str(x.columns[best]),
        float(observed[best]),
        float(each[best]),
        pd.Series(each, index=x.columns),
        null,
    )


def p_of_both(observed: tuple[float, float], nulls: tuple[_Array, _Array]) -> float:
    """One p of two statistics under the same permutations; see the module."""
    ranks = np.stack([_upper_ranks(np.append(*pair)) for pair in zip(nulls, observed, strict=True)])
    smallest = ranks.min(axis=0)
    return float((smallest <= smallest[-1]).sum() / len(smallest))


def _upper_ranks(values: _Array) -> NDArray[np.int64]:
    """How many of the values are as large as each of them."""
    ordered = np.sort(values)
    return len(values) - np.searchsorted(ordered, values - TIE, side="left")


def _indicators(y: pd.Series) -> _Array:
    """A column for each label, (n, labels); of two labels one is enough."""
    codes, labels = pd.factorize(y)
    columns = np.arange(len(labels) if len(labels) > 2 else 1)
    return np.equal.outer(codes, columns).astype(np.float64)


def _rest(values: _Array, basis: _Array) -> _Array:
    """What the basis leaves of each column, with length 1; 0 where that is rounding error."""
    size = np.sqrt(np.square(values).sum(axis=0))
    rest = residuals(values, basis)
    left = np.sqrt(np.square(rest).sum(axis=0))
    found: _Array = np.divide(rest, left, out=np.zeros_like(rest), where=left > 1e-9 * size)
    return found


def _correlations(left: _Array, right: _Array, basis: _Array, orders: _Orders) -> _Array:
    """|r| of each parameter, the largest over groups, with y in these orders; (reps, d).

    With y in the order p its correlation with what the basis leaves of x[p⁻¹] is taken: y itself
    stays without the basis, and only the length of x changes.
    """
    found = np.zeros((len(orders), left.shape[1]))
    for column in right.T:
        np.maximum(found, np.abs(column[orders] @ left), out=found)
    taken = np.zeros_like(found)
    for column in basis.T:
        taken += np.square(column[orders] @ left)
    length = np.sqrt(np.clip(1 - taken, 1e-12, None))
    return np.clip(found / length, 0.0, 1.0)
