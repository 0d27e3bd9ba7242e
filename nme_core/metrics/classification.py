"""Metrics of classes and states, from counts of (observed, predicted) per group of rows.

They equal scikit-learn's ``accuracy_score``, ``balanced_accuracy_score``, ``cohen_kappa_score``,
``f1_score(average="macro")`` and ``log_loss``; `classification_metrics` gives them for all persons
in one pass. ``alpha`` is Krippendorff's (2011) for two raters and nominal classes,
1 − D_o/D_e: D_o the share of rows in disagreement, D_e that of pairs of all 2n labels.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nme_core.exceptions import DataError

_Array = NDArray[np.float64]

#: Names of the metrics, in the order of the tables.
CLASSIFICATION_METRICS = (
    "accuracy", "balanced_accuracy", "kappa", "alpha", "macro_f1", "log_loss",
)  # fmt: skip


def classification_metrics(
    y_true: ArrayLike, y_pred: ArrayLike, groups: NDArray[np.intp], n_groups: int
) -> dict[str, _Array]:
    """Accuracy, balanced accuracy, kappa, alpha and macro F1 of every group.

    Parameters
    ----------
    y_true, y_pred : array of labels, shape (n,)
        None missing.
    groups : array of int, shape (n,)
        Group of each row, 0 to `n_groups` - 1.
    n_groups : int

    Returns
    -------
    dict of metric -> array, shape (n_groups,)
        NaN for a group without rows, and for kappa and alpha where one and the same class is all
        there is. Macro F1 is the mean over the classes that the group's rows show, observed or
        predicted; balanced accuracy that of the share of hits, over the classes observed.
    """
    counts = _counts(y_true, y_pred, groups, n_groups)[0].astype(np.float64)
    n = counts.sum(axis=(1, 2))
    observed, predicted = counts.sum(axis=2), counts.sum(axis=1)  # shape: (n_groups, n_classes)
    hits = np.einsum("gkk->gk", counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        agreement = hits.sum(axis=1) / n
        chance = (observed * predicted).sum(axis=1) / n**2
        cohen = (agreement - chance) / np.where(chance == 1.0, np.nan, 1.0 - chance)
        shown = observed + predicted > 0
        f1 = np.where(shown, 2 * hits / (observed + predicted), 0.0)
        macro = f1.sum(axis=1) / shown.sum(axis=1)
        recall = np.where(observed > 0, hits / observed, 0.0)
        balanced = recall.sum(axis=1) / (observed > 0).sum(axis=1)
        both = observed + predicted
        alike = (both * (both - 1)).sum(axis=1) / (2 * n * (2 * n - 1))
        alpha = 1 - (1 - agreement) / np.where(alike == 1.0, np.nan, 1.0 - alike)
    return {
        "accuracy": agreement, "balanced_accuracy": balanced, "kappa": cohen, "alpha": alpha,
        "macro_f1": macro,
    }  # fmt: skip


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Share of labels that are predicted exactly; arrays of shape (n,)."""
    return _single(y_true, y_pred, "accuracy")


def kappa(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Cohen's kappa of arrays of shape (n,); NaN where one and the same class is all there is."""
    return _single(y_true, y_pred, "kappa")


def balanced_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Share of hits in each class that is observed, averaged; arrays of shape (n,)."""
    return _single(y_true, y_pred, "balanced_accuracy")


def alpha(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Krippendorff's alpha of (n,) labels; NaN where one and the same class is all there is."""
    return _single(y_true, y_pred, "alpha")


def macro_f1(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """F1 of each class that is observed or predicted, averaged; arrays of shape (n,)."""
    return _single(y_true, y_pred, "macro_f1")


def confusion(y_true: ArrayLike, y_pred: ArrayLike) -> pd.DataFrame:
    """Counts of each observed (rows) and predicted (columns) label, sorted, of (n,) labels."""
    one_group = np.zeros(np.shape(y_true), dtype=np.intp)
    counts, labels = _counts(y_true, y_pred, one_group, 1)
    return pd.DataFrame(
        counts[0],
        index=pd.Index(labels, name="observed"),
        columns=pd.Index(labels, name="predicted"),
    )


def log_loss(y_true: ArrayLike, proba: pd.DataFrame) -> float:
    """Mean of -log p(observed class), in nats.

    Parameters
    ----------
    y_true : array of labels, shape (n,)
    proba : DataFrame, shape (n, n_classes)
        Probability of each class; its columns are the labels.

    Raises
    ------
    DataError
        Where an observed label has no column.
    """
    losses = row_losses(y_true, proba)
    return float(losses.mean()) if losses.size else float("nan")


def row_losses(y_true: ArrayLike, proba: pd.DataFrame) -> _Array:
    """-log p(observed class) of every row, shape (n,); p is taken as at least 2.2e-16."""
    labels = np.asarray(y_true, dtype=object)
    column = proba.columns.get_indexer(pd.Index(labels))
    if (column < 0).any():
        label = labels[int(np.argmin(column))]
        raise DataError(
            f"No probability is given for the class {label!r}.",
            remedy=f"The classes are {', '.join(repr(str(name)) for name in proba.columns)}.",
        )
    p = proba.to_numpy(dtype=np.float64)[np.arange(len(labels)), column]
    losses: _Array = -np.log(np.clip(p, np.finfo(np.float64).eps, 1.0))
    return losses


def _single(y_true: ArrayLike, y_pred: ArrayLike, metric: str) -> float:
    one_group = np.zeros(np.shape(y_true), dtype=np.intp)
    return float(classification_metrics(y_true, y_pred, one_group, 1)[metric][0])


def _counts(
    y_true: ArrayLike, y_pred: ArrayLike, groups: NDArray[np.intp], n_groups: int
) -> tuple[NDArray[np.intp], list[object]]:
    """Counts, shape (n_groups, n_classes, n_classes): observed, predicted; and the labels."""
    true, predicted = np.asarray(y_true, dtype=object), np.asarray(y_pred, dtype=object)
    if not true.shape == predicted.shape == groups.shape:
        raise DataError(
            f"y_true has the shape {true.shape}, y_pred {predicted.shape} and groups "
            f"{groups.shape}; they must agree."
        )
    codes, labels = pd.factorize(np.concatenate([true, predicted]), sort=True)
    if (codes < 0).any():
        raise DataError(
            f"The label at position {int(np.argmin(codes)) % len(true)} is missing.",
            remedy="Leave out rows whose outcome is missing.",
        )
    k = len(labels)
    cell = (groups * k + codes[: len(true)]) * k + codes[len(true) :]
    counts = np.bincount(cell, minlength=n_groups * k * k).reshape(n_groups, k, k)
    return counts, list(labels)
