"""HSIC of parameters and a covariate given other numbers of the persons: confounders, summaries.

Freedman and Lane (1983), for kernels. With Z the confounders (an intercept, numbers as they are,
categories as indicators), both sides are replaced by what Z leaves of them in a least-squares fit,

    E = (I − QQᵀ) X,   r = (I − QQᵀ) y        (Q an orthonormal basis of Z),

HSIC is computed between E and r, and for the null distribution the rows of E are permuted, added
to their fitted values, and fitted by Z again – which comes to (I − QQᵀ) E[p], brought back to the
spread of E. A number y gets a Gaussian kernel of r; a category the kernel D of equality with Z
taken out of it, (I − QQᵀ) D (I − QQᵀ).

This assumes that what Z tells of the parameters is linear in Z, and that the persons' residuals
are exchangeable (within the strata that are permuted in): a curved influence of Z, or one on their
spread, can look like dependence. It is exact where Z is empty and approximate else.

Winkler et al. (2014), Permutation inference for the general linear model.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.exceptions import DataError
from nme_core.independence.hsic import MIN_PERSONS, HSICResult, permutation_p
from nme_core.independence.kernels import category_kernel, gaussian_kernel, is_categorical
from nme_core.independence.permutation import permutations
from nme_core.independence.strength import Strength, strength

_Array = NDArray[np.float64]

#: Share of a side's variance that has to be left by the confounders.
_LEAST_LEFT = 1e-8


def design(given: pd.DataFrame) -> _Array:
    """Orthonormal basis of an intercept and the columns of a table, shape (n, rank).

    Numbers enter as they are, categories as an indicator of each label.
    """
    columns = [np.ones((len(given), 1))]
    for name in given:
        column = given[name]
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            values = column.to_numpy(dtype=np.float64)
            spread = values.std()
            columns.append(((values - values.mean()) / (spread if spread > 0 else 1.0))[:, None])
        else:
            codes, labels = pd.factorize(column)
            columns.append(np.equal.outer(codes, np.arange(len(labels))).astype(np.float64))
    basis, values, _ = np.linalg.svd(np.hstack(columns), full_matrices=False)
    return np.ascontiguousarray(basis[:, values > 1e-10 * values[0]])


def ranked(given: pd.DataFrame) -> pd.DataFrame:
    """The table with the ranks of its numbers."""
    numeric = given.select_dtypes("number").columns
    return given.assign(**{name: given[name].rank() for name in numeric})


def residuals(values: _Array, basis: _Array) -> _Array:
    """What the basis leaves of each column, shape (n, d)."""
    rest: _Array = values - basis @ (basis.T @ values)
    return rest


def conditional_test(
    x: pd.DataFrame,
    y: pd.Series,
    given: pd.DataFrame,
    *,
    reps: int,
    strata: pd.Series | None = None,
    standardise: bool = True,
    random_state: int = 0,
) -> tuple[HSICResult, Strength]:
    """Test whether `x` and `y` are independent given other numbers of the persons.

    Parameters
    ----------
    x : DataFrame, shape (n, d)
        Parameters, one row per person.
    y : Series, shape (n,)
        Covariate.
    given : DataFrame, shape (n, q)
        What is held: numbers and categories. All three have the same index and nothing missing.
    reps, strata, standardise, random_state
        As in `hsic_test`. The statistic is the `strength` of the residuals.

    Raises
    ------
    DataError
        Where fewer than 5 persons are left beyond the columns of the design, or the confounders
        determine a side.
    """
    basis = design(given)
    n, rank = basis.shape
    if n - rank < MIN_PERSONS:
        raise DataError(
            f"{n} people are too few to hold {rank - 1} numbers of each.",
            remedy=f"Hold fewer: {MIN_PERSONS} people have to be left beyond them.",
        )
    left = residuals(_columns(x, standardise), basis)
    if np.square(left).sum() <= _LEAST_LEFT * n * left.shape[1]:
        raise DataError("What is held determines the parameters.", remedy="Hold fewer numbers.")
    if standardise:
        spread = left.std(axis=0)
        left = np.where(spread > np.sqrt(_LEAST_LEFT), left / np.where(spread > 0, spread, 1), 0.0)
    left = left / _bandwidth(left)
    kernel_y, name = _kernel_of_rest(y, basis)
    kernel_x = _gaussian(left)
    found = strength(kernel_x, kernel_y)
    drawn = permutations(n, reps, strata=strata, random_state=random_state)
    from nme_core.independence.kernel_sums import residual_sums

    other = u_centred(kernel_y)
    scale = np.sqrt(np.square(other).sum())
    null: _Array = residual_sums(left, basis, other, drawn, standardise) / scale
    result = HSICResult(
        statistic=found.value,
        p=permutation_p(found.value, null),
        reps=reps,
        n_persons=n,
        null=null,
        strata="none" if strata is None else str(strata.name),
        seed=random_state,
        method=f"conditional hsic gaussian x {name}",
        orders=np.argsort(drawn, axis=1),
    )
    return result, found


def u_centred(kernel: _Array) -> _Array:
    """A kernel with zeros on its diagonal and rows that sum to 0, shape (n, n)."""
    values = np.array(kernel, dtype=np.float64)
    np.fill_diagonal(values, 0.0)
    n, rows = len(values), values.sum(axis=1) / (len(values) - 2)
    total = values.sum() / ((n - 1) * (n - 2))
    centred: _Array = values - rows[:, None] - rows[None, :] + total
    np.fill_diagonal(centred, 0.0)
    return centred


def _columns(x: pd.DataFrame, standardise: bool) -> _Array:
    values = x.to_numpy(dtype=np.float64)
    values = values - values.mean(axis=0)
    spread = values.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    if not standardise:
        overall = float(np.sqrt(np.square(spread).mean()))
        scale = np.full_like(spread, overall if overall > 0 else 1.0)
    scaled: _Array = values / scale
    return scaled


def _kernel_of_rest(y: pd.Series, basis: _Array) -> tuple[_Array, str]:
    """Kernel of the covariate without what the basis explains, and what it is called."""
    if is_categorical(y):
        delta = category_kernel(y.to_numpy(dtype=object))
        rest = residuals(residuals(delta, basis).T, basis)
        if np.trace(rest) <= _LEAST_LEFT * len(delta):
            raise _determined(y)
        return rest, "delta"
    values = y.to_numpy(dtype=np.float64)
    if values.std() == 0:
        raise DataError("All people have the same value.", remedy="A constant cannot be tested.")
    rest = residuals(((values - values.mean()) / values.std())[:, None], basis)
    if np.square(rest).sum() <= _LEAST_LEFT * len(values):
        raise _determined(y)
    return gaussian_kernel(rest), "gaussian"


def _determined(y: pd.Series) -> DataError:
    return DataError(
        f"What is held determines {y.name!r}, so that nothing is left to test.",
        remedy="Leave the covariate itself out of the confounders.",
    )


def _bandwidth(values: _Array) -> float:
    from scipy.spatial.distance import pdist

    distances = pdist(values)
    median = float(np.median(distances))
    return median if median > 0 else float(np.median(distances[distances > 0]))


def _gaussian(values: _Array) -> _Array:
    from scipy.spatial.distance import pdist, squareform

    kernel: _Array = np.exp(-0.5 * squareform(pdist(values, "sqeuclidean")))
    return kernel
