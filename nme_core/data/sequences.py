"""Rows of a table ↔ padded batches of units.

A *unit* is what the network computes in one piece: a run of one person's rows for an MLP, one
sequence for a CRF. Units are padded at the end to a common length, once, before training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: Padded rows that one optimiser step works on; larger studies are split into mini-batches.
ROWS_PER_STEP = 2**17


@dataclass(frozen=True)
class Batch:
    """A stack of U units of at most L rows, with F features.

    Attributes
    ----------
    x : Tensor, shape (U, L, F)
        Standardised features.
    y : Tensor, shape (U, L)
        Standardised number, or index of the class; −1 where the label of a step is missing.
    mask : Tensor of bool, shape (U, L)
        True where there is a row, False on padding.
    groups : Tensor of int, shape (U,)
        Person of each unit.
    initial : Tensor of int, shape (U,)
        State just before the unit's first step, −1 where it is not known.
    share : Tensor, shape (U,)
        Part of the person's rows that lie in the unit, n_u / n_i; sums to 1 over a person's units.
    rows : Tensor of int, shape (U, L)
        Row of the table, −1 on padding.
    """

    x: Tensor
    y: Tensor
    mask: Tensor
    groups: Tensor
    initial: Tensor
    share: Tensor
    rows: Tensor

    @property
    def lengths(self) -> Tensor:
        """Rows of each unit, shape (U,)."""
        return self.mask.sum(1)

    @property
    def n_rows(self) -> int:
        """Rows of all units together, without padding."""
        return int(self.mask.sum())

    def take(self, units: Tensor) -> Batch:
        """Return the batch of some of the units, cut to the longest of them."""
        length = int(self.mask[units].sum(1).max())
        parts = {field.name: getattr(self, field.name)[units] for field in fields(self)}
        return Batch(**{k: v[:, :length] if v.dim() > 1 else v for k, v in parts.items()})

    def to(self, device: torch.device) -> Batch:
        """Return the batch on another device."""
        return Batch(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


def pad_units(
    x: NDArray[np.float32],
    y: NDArray[np.float32] | NDArray[np.int64],
    groups: NDArray[np.int64],
    *,
    sequences: NDArray[np.int64] | None = None,
    initial: NDArray[np.int64] | None = None,
) -> list[Batch]:
    """Stack rows into padded units, bucketed by length so that padding stays under one half.

    Units of fewer than 8 rows share a bucket.

    Parameters
    ----------
    x : array, shape (n, F)
        Features.
    y : array, shape (n,)
        Outcome.
    groups : array of int, shape (n,)
        Person of each row, in any order.
    sequences : array of int, shape (n,), optional
        Sequence of each row; rows of a sequence stand in order of time. None: the order of rows
        does not matter, and the rows of a long person are cut into several units.
    initial : array of int, shape (n,), optional
        State before each row (read at the first row of a sequence), −1 where it is not known.
    """
    units = groups if sequences is None else sequences
    order = np.argsort(units, kind="stable")
    _, starts, sizes = np.unique(units[order], return_index=True, return_counts=True)
    if sequences is None:
        starts, sizes = _cut(starts, sizes, longest=max(8, int(np.ceil(sizes.mean()))))
    per_group = np.bincount(groups)
    bucket = np.ceil(np.log2(np.maximum(sizes, 8))).astype(int)
    if (sizes.max() * len(sizes)) <= 1.5 * sizes.sum():
        bucket[:] = 0
    return [
        _pad(x, y, groups, initial, order, starts[chosen], sizes[chosen], per_group)
        for chosen in (np.flatnonzero(bucket == b) for b in np.unique(bucket))
    ]


def steps(batches: list[Batch], generator: torch.Generator) -> Iterator[list[Batch]]:
    """Yield what each optimiser step of one epoch works on: all persons, or some at random.

    A person's units always come in the same step.
    """
    padded = sum(batch.mask.numel() for batch in batches)
    n_groups = 1 + max(int(batch.groups.max()) for batch in batches)
    n_steps = min(-(-padded // ROWS_PER_STEP), n_groups)
    if n_steps == 1:
        yield batches
        return
    step_of = torch.randperm(n_groups, generator=generator) % n_steps
    for step in range(n_steps):
        chosen = [
            (b, (step_of.to(b.groups.device)[b.groups] == step).nonzero()[:, 0]) for b in batches
        ]
        yield [batch.take(units) for batch, units in chosen if len(units)]


def _cut(
    starts: NDArray[np.int64], sizes: NDArray[np.int64], longest: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut units longer than `longest` into pieces."""
    pieces = -(-sizes // longest)
    unit = np.repeat(np.arange(len(sizes)), pieces)
    piece = np.arange(len(unit)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    offset = piece * longest
    return starts[unit] + offset, np.minimum(sizes[unit] - offset, longest)


def _pad(
    x: NDArray[np.float32],
    y: NDArray[np.float32] | NDArray[np.int64],
    groups: NDArray[np.int64],
    initial: NDArray[np.int64] | None,
    order: NDArray[np.int64],
    starts: NDArray[np.int64],
    sizes: NDArray[np.int64],
    per_group: NDArray[np.int64],
) -> Batch:
    position = np.arange(sizes.max())
    mask = position < sizes[:, None]  # (U, L)
    rows = order[np.where(mask, starts[:, None] + position, starts[:, None])]
    first = rows[:, 0]
    padding = -1 if np.issubdtype(y.dtype, np.integer) else 0
    return Batch(
        x=torch.from_numpy(np.where(mask[:, :, None], x[rows], 0.0).astype(x.dtype)),
        y=torch.from_numpy(np.where(mask, y[rows], padding).astype(y.dtype)),
        mask=torch.from_numpy(mask),
        groups=torch.from_numpy(groups[first]),
        initial=torch.from_numpy(
            np.full(len(first), -1) if initial is None else initial[first].astype(np.int64)
        ),
        share=torch.from_numpy((sizes / per_group[groups[first]]).astype(x.dtype)),
        rows=torch.from_numpy(np.where(mask, rows, -1)),
    )
