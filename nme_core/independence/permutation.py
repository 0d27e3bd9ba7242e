"""Seeded permutations of persons, within strata where there are some."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nme_core.exceptions import DataError, OptionError


def permutations(
    n: int,
    reps: int,
    *,
    strata: ArrayLike | None = None,
    random_state: int = 0,
) -> NDArray[np.intp]:
    """Random permutations of ``0 .. n-1`` that leave every stratum's members in the stratum.

    Parameters
    ----------
    n, reps : int
        Number of persons, number of permutations.
    strata : array, shape (n,), optional
        Label of each person's stratum, none missing. Without it all persons are exchangeable.
    random_state : int
        Seed.

    Returns
    -------
    array of int, shape (reps, n)
        Uniform over the permutations that are allowed, independent of each other.

    Raises
    ------
    DataError
        Where a stratum is missing, or no stratum holds two persons.
    OptionError
        Where reps is below 1.
    """
    if reps < 1:
        raise OptionError(f"A permutation test needs at least one permutation, not {reps}.")
    codes = _stratum_codes(n, strata)
    rng = np.random.default_rng(random_state)
    by_stratum = np.argsort(codes, kind="stable")
    # keys in [code, code + 1): sorting them shuffles inside the strata and keeps their order
    keys = rng.random((reps, n)) + codes
    drawn = np.empty((reps, n), dtype=np.intp)
    drawn[:, by_stratum] = np.argsort(keys, axis=1)
    return drawn


def quantile_strata(values: pd.Series, n_strata: int = 5) -> pd.Series:
    """Strata of about equal size by the quantiles of a number; equal values stay together.

    Parameters
    ----------
    values : Series
        One number per person, none missing: usually the number of observations.
    n_strata : int
        Wanted number; there are fewer where many values are equal.

    Returns
    -------
    Series of int
        Stratum from 0 (lowest values), same index.
    """
    numbers = pd.to_numeric(values).astype("float64")
    if numbers.isna().any():
        person = str(numbers.index[numbers.isna()][0])
        raise DataError(
            f"Person {person!r} has no value of {values.name!r} to form strata by.",
            remedy="Leave the person out or permute without strata.",
            column=None if values.name is None else str(values.name),
            person=person,
        )
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, n_strata + 1)[1:-1]))
    codes = np.searchsorted(edges, numbers.to_numpy(), side="left")
    return pd.Series(np.unique(codes, return_inverse=True)[1], index=values.index, name=values.name)


def _stratum_codes(n: int, strata: ArrayLike | None) -> NDArray[np.intp]:
    if strata is None:
        return np.zeros(n, dtype=np.intp)
    labels = np.asarray(strata, dtype=object)
    if labels.shape != (n,):
        raise DataError(f"strata has the shape {labels.shape}; {n} people need ({n},).")
    codes, _ = pd.factorize(labels, sort=False)
    if (codes < 0).any():
        raise DataError(
            f"The person at position {int(np.argmin(codes))} belongs to no stratum.",
            remedy="Leave out people without a stratum.",
        )
    if np.bincount(codes).max() < 2:
        raise DataError(
            "No stratum holds two people, so nothing can be permuted.",
            remedy="Use fewer strata.",
        )
    return codes.astype(np.intp)
