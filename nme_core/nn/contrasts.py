"""Scores of K classes from K − 1 numbers: what a constant added to all scores cannot change."""

from __future__ import annotations

import torch
from torch import Tensor


def contrasts(n_classes: int) -> Tensor:
    """B, shape (K, K − 1): scores s = B h sum to zero over the classes whatever h is.

    The columns are orthogonal, of length 1/√2 (Helmert's contrasts): independent h of one variance
    give scores that treat all classes alike, so that relabelling them changes nothing. Of two
    classes h is the log-odds of the second. Float64.
    """
    steps = torch.arange(1, n_classes, dtype=torch.float64)
    helmert = -torch.ones(n_classes, n_classes - 1, dtype=torch.float64).triu()
    helmert[1:] += steps.diag()
    return helmert / (2 * steps * (steps + 1)).sqrt()


def against_first(n_classes: int) -> Tensor:
    """L, shape (K − 1, K − 1): L h are the log-odds of every other class against the first."""
    basis = contrasts(n_classes)
    return basis[1:] - basis[:1]
