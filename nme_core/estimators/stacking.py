"""Weights of several models by what they say of rows that were held back."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.batches.splits import split_within_person

Floats = NDArray[np.float64]

#: Share of each person's rows, the last ones, that is held back where no other rows are given.
HELD_BACK = 0.2
#: Rows that the pull towards the simplest model counts for, and that towards each other one.
PULL, SLIGHT = 10.0, 0.2


def stacking_weights(log_scores: Floats, pull: Floats) -> Floats:
    """Weights on the simplex under which the mixture gives held-out rows the highest density.

    Maximises Σ_j log Σ_k w_k p_k(y_j) + Σ_k a_k log w_k, the log score (Yao et al. 2018) with a
    Dirichlet prior: a model begins with the weight of a_k rows that speak for it. By EM.

    Parameters
    ----------
    log_scores : array, shape (n, K)
        log p_k(y_j) of each row under each model.
    pull : array, shape (K,)
        a.

    Returns
    -------
    array, shape (K,)
        Weights; in the proportions of `pull` where there is no row.
    """
    n_rows = len(log_scores)
    weights = np.asarray(pull / pull.sum())
    if not n_rows:
        return weights
    density = np.exp(log_scores - log_scores.max(axis=1, keepdims=True))
    for _ in range(1000):
        share = density * weights
        share /= share.sum(axis=1, keepdims=True)
        new = (share.sum(axis=0) + pull) / (n_rows + pull.sum())
        if np.abs(new - weights).max() < 1e-8:
            return np.asarray(new)
        weights = new
    return weights


def normal_scores(errors: Floats) -> Floats:
    """Log densities of outcomes under normal distributions of one variance for all models.

    Only the means are compared: where each model has a variance of its own, a few outliers give
    the weight to the model with the largest. The variance is the least mean squared error.

    Parameters
    ----------
    errors : array, shape (n, K)
        Prediction less outcome of each row under each model.

    Returns
    -------
    array, shape (n, K)
        Up to a constant.
    """
    variance = np.square(errors).mean(axis=0).min(initial=np.inf)
    return np.asarray(-0.5 * np.square(errors) / max(variance, np.finfo(float).tiny))


def hold_back(y: pd.Series, groups: pd.DataFrame, *, classes: bool) -> NDArray[np.bool_]:
    """Which rows are held back: the last fifth of each person's, in the order of the rows.

    Rows stay in training where no other row has their class, or their further group.

    Parameters
    ----------
    y : Series, shape (n,)
        Outcome.
    groups : DataFrame, shape (n, G)
        Grouping factors, the persons first.
    classes : bool
        Whether the outcome is a class.
    """
    part = split_within_person(groups.iloc[:, 0], (1 - HELD_BACK, HELD_BACK, 0.0))
    held = np.asarray(part == "validation")
    columns = [groups.iloc[:, k] for k in range(1, groups.shape[1])] + ([y] if classes else [])
    for column in columns:
        held = held & column.isin(column[~held].unique()).to_numpy()
    return held
