"""What a linear model needs to know of the rows: sums of products over each person's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nme_core.batches.sequences import Batch, chunks

Array = NDArray[np.float64]

#: Rows that are worked on at once: as many as the processor's cache holds.
_ROWS_AT_ONCE = 2**15


@dataclass(frozen=True)
class Sums:
    """Sums over the rows of each person, float64.

    Attributes
    ----------
    xx : Tensor, shape (P, p, p)
        X_iᵀX_i.
    xy : Tensor, shape (P, p)
        X_iᵀy_i.
    yy : Tensor, shape ()
        yᵀy of all rows.
    n_rows : int
        N.
    """

    xx: Tensor
    xy: Tensor
    yy: Tensor
    n_rows: int

    @classmethod
    def of_batches(cls, batches: Sequence[Batch], n_groups: int) -> Self:
        """Sums of the inputs, 1 and the outcome over each person's rows."""
        p, device = batches[0].x.shape[2] + 1, batches[0].x.device
        xx = torch.zeros(n_groups, p, p, dtype=torch.float64, device=device)
        xy, yy, n_rows = xx.new_zeros(n_groups, p), xx.new_zeros(()), 0
        for batch in chunks(batches):
            mask = batch.mask.unsqueeze(2)
            x = torch.cat([batch.x.double(), torch.ones_like(mask, dtype=torch.float64)], dim=2)
            x, y = torch.where(mask, x, 0.0), torch.where(batch.mask, batch.y.double(), 0.0)
            persons = batch.groups[:, 0]
            xx.index_add_(0, persons, x.transpose(1, 2) @ x)
            xy.index_add_(0, persons, torch.einsum("ulp,ul->up", x, y))
            yy = yy + y.square().sum()
            n_rows += batch.n_rows
        return cls(xx.cpu(), xy.cpu(), yy.cpu(), n_rows)

    @classmethod
    def of(cls, x: Array, y: Array, groups: NDArray[np.int64]) -> Self:
        """Add up rows x, shape (n, p), and y, (n,), of persons 0 to P − 1 in any order."""
        n_groups, p = int(groups.max()) + 1, x.shape[1]
        products = sums_of_products(np.column_stack([x, y]), groups, n_groups)
        return cls(
            torch.from_numpy(np.ascontiguousarray(products[:, :p, :p])),
            torch.from_numpy(np.ascontiguousarray(products[:, :p, p])),
            torch.tensor(float(products[:, p, p].sum()), dtype=torch.float64),
            len(x),
        )


def sums_of_products(
    rows: Array, groups: NDArray[np.int64], n_groups: int, other: Array | None = None
) -> Array:
    """Σ r rᵀ over the rows of each person, (n, q) → (P, q, q); Σ (r sᵀ + s rᵀ) with `other` s."""
    if len(groups) and (np.diff(groups) < 0).any():
        order = np.argsort(groups, kind="stable")
        rows, groups = rows[order], groups[order]
        other = None if other is None else other[order]
    q = rows.shape[1]
    found = np.zeros((q, q, n_groups))
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        left, own = np.ascontiguousarray(rows[part].T), groups[part]
        right = left if other is None else np.ascontiguousarray(other[part].T)
        first, size = int(own[0]), int(own[-1] - own[0]) + 1
        for k in range(q):
            for m in range(k + 1):
                product = left[k] * right[m]
                if other is not None:
                    product += right[k] * left[m]
                found[k, m, first : first + size] += np.bincount(own - first, product, size)
    for k in range(q):
        found[:k, k] = found[k, :k]
    return np.ascontiguousarray(found.transpose(2, 0, 1))
