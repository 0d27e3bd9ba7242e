"""Rows ↔ padded units: nothing lost, nothing twice, nothing mixed."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nme_core.batches import sequences as sequences_module
from nme_core.batches.sequences import Batch, pad_units, steps


def make_rows(sizes: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x (whose first column is the row number), y and groups, persons interleaved."""
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    x = np.column_stack([np.arange(len(groups)), rng.normal(size=len(groups))])
    return x, rng.normal(size=len(groups)), groups


def test_every_row_lies_in_one_unit_with_its_values():
    x, y, groups = make_rows([30, 1, 7, 90, 12])
    batches = pad_units(x, y, groups)
    seen = np.concatenate([batch.rows[batch.mask].numpy() for batch in batches])
    assert sorted(seen) == list(range(len(x)))
    for batch in batches:
        rows = batch.rows[batch.mask].numpy()
        np.testing.assert_array_equal(batch.x[batch.mask].numpy(), x[rows])
        np.testing.assert_array_equal(batch.y[batch.mask].numpy(), y[rows])
        whose = batch.groups[:, :1].expand_as(batch.mask)[batch.mask].numpy()
        np.testing.assert_array_equal(whose, groups[rows])
        assert (batch.x[~batch.mask] == 0).all()
        assert (batch.rows[~batch.mask] == -1).all()


def test_shares_of_a_persons_units_add_up_to_one():
    x, y, groups = make_rows([30, 1, 7, 90, 12])
    batches = pad_units(x, y, groups)
    total = torch.zeros(5, dtype=torch.float64)
    for batch in batches:
        total.index_add_(0, batch.groups[:, 0], batch.share[:, 0])
    torch.testing.assert_close(total, torch.ones_like(total), rtol=1e-14, atol=0)
    assert max(int((b.groups == 3).sum()) for b in batches) > 1, "the long person is not cut"


def test_sequences_stay_whole_and_in_order():
    rng = np.random.default_rng(1)
    sequences = rng.permutation(np.repeat(np.arange(6), [40, 3, 1, 40, 25, 8]))
    groups = sequences // 2
    x = np.column_stack([np.arange(len(groups))]).astype(float)
    batches = pad_units(x, rng.integers(0, 3, len(x)), groups, sequences=sequences)
    found = {}
    for batch in batches:
        for unit in range(len(batch.groups)):
            rows = batch.rows[unit][batch.mask[unit]].numpy()
            (number,) = set(sequences[rows])
            assert number not in found
            found[number] = rows
            assert int(batch.groups[unit]) == number // 2
            assert float(batch.share[unit]) == pytest.approx(
                len(rows) / (groups == number // 2).sum()
            )
    assert sorted(found) == list(range(6))
    for number, rows in found.items():
        np.testing.assert_array_equal(rows, np.flatnonzero(sequences == number))


def test_initial_state_is_that_of_the_first_row():
    groups = np.array([0, 1, 0, 1, 1])
    initial = np.array([2, -1, 0, 1, 1])
    (batch,) = pad_units(
        np.zeros((5, 1)), np.zeros(5, int), groups, sequences=groups, initial=initial
    )
    assert batch.initial.tolist() == [2, -1]
    (batch,) = pad_units(np.zeros((5, 1)), np.zeros(5, int), groups, sequences=groups)
    assert batch.initial.tolist() == [-1, -1]


def test_labels_are_padded_as_missing():
    groups = np.array([0, 0, 0, 1])
    (batch,) = pad_units(np.zeros((4, 1)), np.ones(4, int), groups, sequences=groups)
    assert batch.y.tolist() == [[1, 1, 1], [1, -1, -1]]
    assert batch.lengths.tolist() == [3, 1]
    assert batch.n_rows == 4


@given(st.lists(st.integers(1, 400), min_size=1, max_size=40), st.booleans())
def test_padding_stays_under_one_half_but_for_units_under_eight_rows(sizes, whole):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    batches = pad_units(
        np.zeros((len(groups), 1)), groups, groups, sequences=groups if whole else None
    )
    padded = sum(batch.mask.numel() for batch in batches)
    units = torch.cat([batch.lengths for batch in batches])
    assert int(units.sum()) == len(groups)
    assert padded <= 2 * int(units.clamp_min(4).sum())


def test_taking_units_cuts_to_the_longest_of_them():
    groups = np.repeat(np.arange(3), [6, 5, 4])
    (batch,) = pad_units(np.arange(15.0)[:, None], np.arange(15.0), groups, sequences=groups)
    part = batch.take(torch.tensor([2, 1]))
    assert part.mask.shape == (2, 5)
    assert part.groups.tolist() == [[2], [1]]
    assert part.y[0, :4].tolist() == [11, 12, 13, 14]


def collect(batches: list[Batch], seed: int) -> list[list[int]]:
    """Rows of each step of one epoch."""
    return [
        sorted(int(row) for batch in step for row in batch.rows[batch.mask])
        for step in steps(batches, torch.Generator().manual_seed(seed))
    ]


def test_a_small_study_is_one_step():
    batches = pad_units(*make_rows([5, 9]))
    assert list(steps(batches, torch.Generator())) == [batches]


def test_mini_batches_take_every_row_once_and_persons_whole(monkeypatch):
    monkeypatch.setattr(sequences_module, "ROWS_PER_STEP", 40)
    x, y, groups = make_rows([30, 1, 7, 90, 12, 20, 20])
    batches = pad_units(x, y, groups)
    parts = collect(batches, seed=1)
    assert len(parts) > 2
    assert sorted(row for part in parts for row in part) == list(range(len(x)))
    persons = [set(groups[part]) for part in parts]
    assert sum(len(some) for some in persons) == 7
    assert collect(batches, seed=1) == parts
    assert collect(batches, seed=2) != parts


def test_few_persons_with_many_rows_never_give_an_empty_step(monkeypatch):
    monkeypatch.setattr(sequences_module, "ROWS_PER_STEP", 10)
    batches = pad_units(*make_rows([100, 100]))
    for step in steps(batches, torch.Generator().manual_seed(0)):
        assert step
    assert len(collect(batches, seed=0)) == 2


def test_a_unit_is_never_longer_than_what_is_computed_at_once(monkeypatch):
    monkeypatch.setattr(sequences_module, "ROWS_PER_CHUNK", 16)
    x = np.arange(100, dtype=np.float32).reshape(50, 2)
    batches = pad_units(x, x[:, 0], np.zeros(50, dtype=np.int64))
    assert max(int(batch.lengths.max()) for batch in batches) == 16
    assert sum(batch.n_rows for batch in batches) == 50
