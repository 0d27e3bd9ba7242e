"""Correction of p-values for the number of tests."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nme_core.exceptions import OptionError

Adjustment = Literal["bh", "holm", "none"]


def adjust_p(p: ArrayLike, method: str = "bh") -> NDArray[np.float64]:
    """Adjusted p-values of one family of tests.

    Parameters
    ----------
    p : array, shape (m,)
        The p-values. Missing ones stay missing and do not count as tests.
    method : {"bh", "holm", "none"}
        Benjamini and Hochberg (1995), false discovery rate; Holm (1979), family-wise error rate;
        or as they are.

    Returns
    -------
    array, shape (m,)
        In the order of `p`, at most 1.

    Raises
    ------
    OptionError
        For a method that does not exist.
    """
    values = np.asarray(p, dtype=np.float64)
    _check_method(method)
    adjusted = values.copy()
    known = ~np.isnan(values)
    m = int(known.sum())
    if method == "none" or m == 0:
        return adjusted
    order = np.argsort(values[known], kind="stable")
    ordered = values[known][order]
    rank = np.arange(1, m + 1)
    if method == "bh":
        corrected = np.minimum.accumulate((ordered * m / rank)[::-1])[::-1]
    else:
        corrected = np.maximum.accumulate(ordered * (m - rank + 1))
    restored = np.empty(m)
    restored[order] = np.minimum(corrected, 1.0)
    adjusted[known] = restored
    return adjusted


def needed_reps(n_tests: int, reps: int, alpha: float = 0.05) -> int:
    """Number of permutations with which `n_tests` corrected tests can reach `alpha` at all.

    A permutation p-value cannot fall below 1 / (reps + 1), and the smallest of m corrected ones
    not below m / (reps + 1): `reps` is raised above m / alpha where it is not there already.
    """
    if reps < 1:
        raise OptionError(
            f"A permutation test needs at least one permutation, not {reps}.",
            remedy="Give reps=2000, for instance.",
        )
    return max(reps, math.floor(n_tests / alpha + 1e-9) + 1)


def _check_method(method: str) -> None:
    if method not in ("bh", "holm", "none"):
        raise OptionError(
            f"No correction is called {method!r}.", remedy='Choose "bh", "holm" or "none".'
        )
