"""Rows of blocks of persons, and sums over each person's: what a marginal likelihood is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from nme_core.batches.sequences import ROWS_PER_CHUNK, Batch
from nme_core.training.linear_layout import LinearLayout

#: Numbers of the matrices of the persons of one block.
_BLOCK_NUMBERS = 2**21


@dataclass(frozen=True)
class Rows:
    """Some units of rows of a block of persons, float64; padding has inputs 0.

    Attributes
    ----------
    x : Tensor, shape (U, L, p)
        Inputs and the constant.
    y : Tensor, shape (U, L)
        Outcome.
    mask : Tensor of bool, shape (U, L)
        True where there is a row.
    person : Tensor of int, shape (U,)
        Person of each unit, counted from the block's first.
    """

    x: Tensor
    y: Tensor
    mask: Tensor
    person: Tensor

    @classmethod
    def of(cls, batch: Batch, first: int) -> Rows:
        """Convert a batch."""
        ones = torch.ones(*batch.mask.shape, 1, dtype=torch.float64)
        x = torch.cat([batch.x.double(), ones], dim=2) * batch.mask.unsqueeze(2)
        y = batch.y.double() if batch.y.is_floating_point() else batch.y
        return cls(x, y, batch.mask, batch.groups[:, 0] - first)


def products_of_units(
    left: Tensor, right: Tensor, bend: Tensor, rows: list[int], columns: list[int]
) -> Tensor:
    """Σ_l left_l ⊗ right_l w_l[a, b] of each unit, shape (U, |rows|·p, |columns|·q)."""
    parts = [
        torch.cat([left.transpose(1, 2) @ (right * bend[..., a, b, None]) for b in columns], dim=2)
        for a in rows
    ]
    return torch.cat(parts, dim=1)


def products_of_all(x: Tensor, bend: Tensor) -> Tensor:
    """Σ x ⊗ x w[a, b] over all rows, shape (m p, m p)."""
    flat, m = x.flatten(0, 1), bend.shape[-1]
    weight = bend.flatten(0, 1)
    parts = [
        torch.cat([flat.T @ (flat * weight[:, a, b, None]) for b in range(m)], dim=1)
        for a in range(m)
    ]
    return torch.cat(parts)


def ends_of_blocks(
    batches: Sequence[Batch], layout: LinearLayout, n_persons: int
) -> list[tuple[int, int]]:
    """Ends of the blocks of persons: few enough rows, and numbers of their matrices, for memory."""
    rows = torch.zeros(n_persons, dtype=torch.int64)
    for batch in batches:
        length = torch.full((len(batch.mask),), batch.mask.shape[1])
        rows.index_add_(0, batch.groups[:, 0], length)
    numbers = layout.n_predictors * layout.n_columns * (len(layout.random) + 2)
    cost = rows / ROWS_PER_CHUNK + numbers / _BLOCK_NUMBERS
    block = cost.cumsum(0).floor().to(torch.int64)
    ends = [0, *(torch.nonzero(block.diff())[:, 0] + 1).tolist(), n_persons]
    return list(pairwise(ends))
