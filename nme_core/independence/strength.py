"""How strong a dependence is: normalised HSIC without bias, with an interval over persons.

With K and L the kernels of both sides, zeros on their diagonals, n persons and the U-statistic

    HSIC(K, L) = [ Σ_ij K_ij L_ij + ΣΣ K · ΣΣ L / ((n - 1)(n - 2)) - 2 Σ_i k_i l_i / (n - 2) ]
                 / (n (n - 3)),     k_i = Σ_j K_ij,  l_i = Σ_j L_ij

(Song et al. 2012, Feature selection via dependence maximization), the strength is

    HSIC(K, L) / sqrt(HSIC(K, K) · HSIC(L, L)),

0 on average where the sides are independent and 1 where their kernels are the same: what the
squared correlation is for one straight line, for dependence of any shape. It differs from the
statistic of `hsic_test` by the ones on the diagonals, which move that one up in small samples.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nme_core.exceptions import DataError

_Array = NDArray[np.float64]


class Strength(NamedTuple):
    """Normalised HSIC and its interval, each missing where it is not defined."""

    value: float
    low: float
    high: float


def strength(kernel_x: _Array, kernel_y: _Array, *, level: float = 0.95) -> Strength:
    """Strength of the dependence of two sides, with a jackknife interval over persons.

    Parameters
    ----------
    kernel_x, kernel_y : arrays, shape (n, n)
        Symmetric; their diagonals are not used.
    level : float
        Coverage of the interval: Student's t with the jackknife's standard error (each person
        left out once, the kernels' bandwidths held).

    Raises
    ------
    DataError
        Where the kernels differ in shape, or there are fewer than 5 persons.
    """
    from scipy.special import stdtrit

    k, l = (np.array(kernel, dtype=np.float64) for kernel in (kernel_x, kernel_y))  # noqa: E741
    n = len(k)
    if k.shape != l.shape or k.shape != (n, n) or n < 5:
        raise DataError(f"The kernels have the shapes {k.shape} and {l.shape}.")
    np.fill_diagonal(k, 0.0)
    np.fill_diagonal(l, 0.0)
    parts = [_with_and_without(a, b) for a, b in ((k, l), (k, k), (l, l))]
    value = _normalised(*(whole for whole, _ in parts))
    without = _normalised(*(each for _, each in parts))
    error = np.sqrt((n - 1) / n * np.square(without - without.mean()).sum())
    width = float(stdtrit(n - 1, 0.5 + level / 2) * error)
    estimate = float(value[0])
    if not math.isfinite(width):  # one of two in a group left out: there is no group left
        return Strength(estimate, math.nan, math.nan)
    return Strength(estimate, max(-1.0, estimate - width), min(1.0, estimate + width))


def _with_and_without(a: _Array, b: _Array) -> tuple[_Array, _Array]:
    """HSIC of all persons, shape (1,), and with each left out, shape (n,)."""
    n = len(a)
    rows_a, rows_b = a.sum(axis=1), b.sum(axis=1)
    total_a, total_b = rows_a.sum(), rows_b.sum()
    product = (a * b).sum(axis=1)
    shared = rows_a @ rows_b
    whole: _Array = _hsic(np.array([product.sum()]), total_a * total_b, np.array([shared]), n)
    left = shared - rows_a * rows_b - a @ rows_b - b @ rows_a + product
    each = _hsic(
        product.sum() - 2 * product,
        (total_a - 2 * rows_a) * (total_b - 2 * rows_b),
        left,
        n - 1,
    )
    return whole, each


def _hsic(product: _Array, totals: _Array | float, shared: _Array, n: int) -> _Array:
    total = product + totals / ((n - 1) * (n - 2)) - 2 * shared / (n - 2)
    return np.asarray(total / (n * (n - 3)), dtype=np.float64)


def _normalised(both: _Array, x: _Array, y: _Array) -> _Array:
    scale = np.sqrt(np.maximum(x, 0.0) * np.maximum(y, 0.0))
    ratio: _Array = np.divide(both, scale, out=np.full_like(both, np.nan), where=scale > 0)
    return ratio
