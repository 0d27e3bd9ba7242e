import numpy as np
import pandas as pd
import pytest

from nme_core.batches.blocks import Blocks, Column, draw, draw_present, extent


@pytest.fixture
def persons():
    return Blocks.of(pd.Series(["b"] * 3 + ["a"] + ["c"] * 4))


def test_blocks_know_where_each_person_is(persons):
    assert list(persons.names) == ["b", "a", "c"]
    assert list(persons.starts) == [0, 3, 4]
    assert list(persons.sizes) == [3, 1, 4]
    assert list(persons.positions()) == [0, 1, 2, 0, 0, 1, 2, 3]
    assert list(persons.steps()) == [1, 2, 5, 6, 7]
    assert list(persons.count(np.arange(8) % 2 == 0)) == [2, 0, 2]


def test_a_column_is_summed_up_by_person_whatever_is_missing(persons):
    values = np.array([np.nan, 2, 2, np.nan, 1, np.nan, 7, 1])
    column = Column.of(values, persons, 3)
    assert (column.low, column.high) == (1, 7)
    assert list(column.varies) == [False, False, True]
    assert not column.constant
    assert Column.of(np.where(np.isnan(values), np.nan, 4.0), persons, 3).constant
    assert Column.of(np.full(8, np.nan), persons, 8).constant
    assert np.isnan(extent(np.array([]))).all()


def test_what_is_drawn_is_all_or_so_many_different_rows_and_always_the_same():
    assert list(draw(5, 10)) == [0, 1, 2, 3, 4]
    drawn = draw(100_000, 1000)
    assert len(set(drawn)) == 1000
    assert (np.diff(drawn) > 0).all()
    assert drawn.mean() == pytest.approx(50_000, abs=5 * 100_000 / np.sqrt(12 * 1000))
    assert np.array_equal(drawn, draw(100_000, 1000))


def test_values_are_drawn_from_those_that_are_there():
    values = np.full(50_000, np.nan)
    values[::10] = 1.0
    assert len(draw_present(values, 1000)) == 1000
