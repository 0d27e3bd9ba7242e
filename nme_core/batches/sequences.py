"""Rows of a table ↔ padded batches of units.

A *unit* is what the network computes in one piece: a run of one person's rows for an MLP, one
sequence for a CRF. Units are padded at the end to a common length, once, before training.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray
from torch import Tensor

from nme_core.batches.scaling import Columns

#: Padded rows that one optimiser step works on; larger studies are split into mini-batches.
ROWS_PER_STEP = 2**22
#: Padded rows that are computed at once: few enough for the processor's cache and for memory.
ROWS_PER_CHUNK = 2**16
#: Rows of a person, in order of time, that one unit has at least where the person has so many.
ROWS_IN_ORDER = 1024


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
    groups : Tensor of int, shape (U, G)
        Person of each unit, and its group of every further grouping factor. The groups of all
        factors are counted through: persons first.
    initial : Tensor of int, shape (U,)
        State just before the unit's first step, −1 where it is not known.
    share : Tensor, shape (U, G)
        Part of the group's rows that lie in the unit, n_u / n_i; sums to 1 over a group's units.
    rows : Tensor of int32, shape (U, L)
        Row of the table, −1 on padding.
    gaps : Tensor, shape (U, L), optional
        Time since the unit's row before, inf at its first row and on padding. None: the order of
        rows says nothing.
    """

    x: Tensor
    y: Tensor
    mask: Tensor
    groups: Tensor
    initial: Tensor
    share: Tensor
    rows: Tensor
    gaps: Tensor | None = None

    @cached_property
    def lengths(self) -> Tensor:
        """Rows of each unit, shape (U,)."""
        return self.mask.sum(1)

    @cached_property
    def n_rows(self) -> int:
        """Rows of all units together, without padding."""
        return int(self.mask.sum())

    def take(self, units: Tensor | slice) -> Batch:
        """Return the batch of some of the units, cut to the longest; of a slice without copies."""
        length = int(self.mask[units].sum(1).max())
        parts = {name: value[units] for name, value in self._tensors()}
        padded = ("x", "y", "mask", "rows", "gaps")
        return Batch(**{k: v[:, :length] if k in padded else v for k, v in parts.items()})

    def precisely(self, x: Columns | None, y: NDArray[np.float64] | None) -> Batch:
        """Return the batch with inputs and outcome, by row of the table, in double precision.

        What is None stays as it is, without a copy.
        """
        rows, mask = self.rows.cpu().long().clamp_min(0).numpy(), self.mask.cpu().numpy()
        given = {}
        if x is not None:
            given["x"] = torch.from_numpy(_fill(x, rows, mask, np.float64))
        if y is not None:
            given["y"] = torch.from_numpy(np.where(mask, y[rows], 0.0))
        return replace(self, **{name: one.to(self.x.device) for name, one in given.items()})

    def to(self, device: torch.device) -> Batch:
        """Return the batch on another device."""
        return Batch(**{name: value.to(device) for name, value in self._tensors()})

    def _tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Name and value of all that it has."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                yield field.name, value


def pad_units(
    x: NDArray[np.float32] | Columns,
    y: NDArray[np.float32] | NDArray[np.int64],
    groups: NDArray[np.int64],
    *,
    sequences: NDArray[np.int64] | None = None,
    initial: NDArray[np.int64] | None = None,
    times: NDArray[np.float64] | None = None,
) -> list[Batch]:
    """Stack rows into padded units, bucketed by length so that padding stays under one half.

    Units of fewer than 8 rows share a bucket. Within a bucket the units of a person stand together.

    Parameters
    ----------
    x : array, shape (n, F), or F columns
        Features.
    y : array, shape (n,)
        Outcome.
    groups : array of int, shape (n,) or (n, G)
        Groups of each row, persons first, in any order; see `Batch.groups`.
    sequences : array of int, shape (n,), optional
        Sequence of each row; rows of a sequence stand in order of time. None: the order of rows
        does not matter, and the rows of a long person are cut into several units.
    initial : array of int, shape (n,), optional
        State before each row (read at the first row of a sequence), −1 where it is not known.
    times : array, shape (n,), optional
        When each row was taken: units have their rows in this order, and know their gaps.
    """
    groups = groups.reshape(len(groups), -1)
    units = _combinations(groups) if sequences is None else sequences
    order = np.argsort(units, kind="stable") if times is None else np.lexsort((times, units))
    _, starts, sizes = np.unique(units[order], return_index=True, return_counts=True)
    if sequences is None:
        longest = min(int(np.ceil(sizes.mean())), ROWS_PER_CHUNK)  # a unit is computed at once
        shortest = 8 if times is None else ROWS_IN_ORDER
        starts, sizes = _cut(starts, sizes, longest=max(shortest, longest))
    by_person = np.argsort(groups[order[starts], 0], kind="stable")
    starts, sizes = starts[by_person], sizes[by_person]
    per_group = np.bincount(groups.reshape(-1))
    bucket = np.ceil(np.log2(np.maximum(sizes, 8))).astype(int)
    if (sizes.max() * len(sizes)) <= 1.5 * sizes.sum():
        bucket[:] = 0
    layouts = [
        _Layout.of(order, starts[chosen], sizes[chosen])
        for chosen in (np.flatnonzero(bucket == b) for b in np.unique(bucket))
    ]
    columns = list(x.T) if isinstance(x, np.ndarray) else x
    features = _pad_features(columns, layouts, x.dtype if isinstance(x, np.ndarray) else np.float32)
    return [
        _pad(padded, y, groups, initial, layout, per_group, times)
        for padded, layout in zip(features, layouts, strict=True)
    ]


def steps(batches: list[Batch], generator: torch.Generator) -> Iterator[list[Batch]]:
    """Yield what each optimiser step of one epoch works on: all persons, or a part of them.

    A person's units always come in the same step. The parts are the same in every epoch and come
    in random order.
    """
    padded = sum(batch.mask.numel() for batch in batches)
    n_persons = 1 + max(int(batch.groups[:, 0].max()) for batch in batches)
    n_steps = min(-(-padded // ROWS_PER_STEP), n_persons)
    if n_steps == 1:
        yield batches
        return
    bounds = torch.linspace(0, n_persons, n_steps + 1).round().long()
    for step in torch.randperm(n_steps, generator=generator).tolist():
        slices = []
        for batch in batches:
            persons = batch.groups[:, 0].contiguous()
            edge = torch.searchsorted(persons, bounds[step : step + 2].to(persons.device)).tolist()
            if edge[0] < edge[1]:
                slices.append(batch.take(slice(*edge)))
        yield slices


def chunks(batches: Iterable[Batch], columns: int = 1) -> Iterator[Batch]:
    """Cut batches into pieces of few enough rows to be computed at once, without copies.

    `columns` is how many times as much memory as usual a row needs.
    """
    for batch in batches:
        n_units, length = batch.mask.shape
        n_chunks = max(1, round(n_units * length * columns / ROWS_PER_CHUNK))
        size = -(-n_units // n_chunks)
        if size >= n_units:
            yield batch
        else:
            for start in range(0, n_units, size):
                yield batch.take(slice(start, start + size))


def _combinations(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Code of each row's combination of groups, shape (n,)."""
    code = groups[:, 0]
    for column in groups.T[1:]:
        code = np.unique(code * (column.max() + 1) + column, return_inverse=True)[1]
    return code


def _cut(
    starts: NDArray[np.int64], sizes: NDArray[np.int64], longest: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut units longer than `longest` into pieces."""
    pieces = -(-sizes // longest)
    unit = np.repeat(np.arange(len(sizes)), pieces)
    piece = np.arange(len(unit)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    offset = piece * longest
    return starts[unit] + offset, np.minimum(sizes[unit] - offset, longest)


@dataclass(frozen=True)
class _Layout:
    """Where the rows of a stack of units stand: row of the table (its first on padding), (U, L)."""

    rows: NDArray[np.int64]
    mask: NDArray[np.bool_]
    sizes: NDArray[np.int64]

    @classmethod
    def of(
        cls, order: NDArray[np.int64], starts: NDArray[np.int64], sizes: NDArray[np.int64]
    ) -> _Layout:
        position = np.arange(sizes.max())
        mask = position < sizes[:, None]
        rows = order[np.where(mask, starts[:, None] + position, starts[:, None])]
        return cls(rows, mask, sizes)


def _pad_features(
    columns: Columns, layouts: list[_Layout], dtype: DTypeLike
) -> list[NDArray[np.float32]]:
    """Features of each stack, (U, L, F), filled column by column; 0 on padding."""
    features = [np.empty((*layout.rows.shape, len(columns)), dtype) for layout in layouts]
    for k, column in enumerate(columns):
        for padded, layout in zip(features, layouts, strict=True):
            padded[..., k] = np.where(layout.mask, column[layout.rows], 0)
    return features


def _fill(
    columns: Columns, rows: NDArray[np.int64], mask: NDArray[np.bool_], dtype: DTypeLike
) -> NDArray[Any]:
    """Features of one stack of units, (U, L, F); 0 on padding."""
    padded = np.empty((*rows.shape, len(columns)), dtype)
    for k, column in enumerate(columns):
        padded[..., k] = np.where(mask, column[rows], 0)
    return padded


def _pad(
    features: NDArray[np.float32],
    y: NDArray[np.float32] | NDArray[np.int64],
    groups: NDArray[np.int64],
    initial: NDArray[np.int64] | None,
    layout: _Layout,
    per_group: NDArray[np.int64],
    times: NDArray[np.float64] | None,
) -> Batch:
    rows, mask, sizes = layout.rows, layout.mask, layout.sizes
    gaps = None
    if times is not None:
        between = np.diff(times[rows], axis=1, prepend=-np.inf)
        gaps = torch.from_numpy(np.where(mask, between, np.inf).astype(np.float32))
    first = rows[:, 0]
    padding = -1 if np.issubdtype(y.dtype, np.integer) else 0
    share = sizes[:, None] / per_group[groups[first]]
    return Batch(
        x=torch.from_numpy(features),
        y=torch.from_numpy(np.where(mask, y[rows], padding).astype(y.dtype, copy=False)),
        mask=torch.from_numpy(mask),
        groups=torch.from_numpy(groups[first]),
        initial=torch.from_numpy(
            np.full(len(first), -1) if initial is None else initial[first].astype(np.int64)
        ),
        share=torch.from_numpy(share.astype(features.dtype)),
        rows=torch.from_numpy(np.where(mask, rows, -1).astype(np.int32)),
        gaps=gaps,
    )
