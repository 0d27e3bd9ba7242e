import numpy as np
import pandas as pd
import pytest

from nme_core.batches.scaling import FeatureScaler, TableRows
from nme_core.exceptions import DataError


def test_inputs_have_mean_zero_and_sd_one():
    x = np.random.default_rng(0).normal([5.0, -300.0], [0.01, 40.0], (200, 2))
    scaled = FeatureScaler.learn(x.T, ("a", "b")).transform(x.T)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axis=0), 1, rtol=1e-5)
    assert scaled.dtype == np.float32


def test_values_far_from_all_that_was_seen_are_counted():
    scaler = FeatureScaler.learn(np.array([[1.0, 3.0, np.nan], [0.0, 0.0, 0.0]]), ("a", "flat"))
    rows = np.array([[4.1, 3.9, -0.1, 0.1, np.nan], [0.0, 1.0, 1.1, 0.0, -5.0]])
    assert scaler.outside(rows) == {"a": 2, "flat": 2}
    assert scaler.outside(rows[:, 3:4]) == {}


def test_new_rows_are_scaled_by_what_was_learned():
    scaler = FeatureScaler.learn(np.array([[1.0, 3.0]]), ("a",))
    np.testing.assert_allclose(scaler.transform(np.array([[7.0, 2.0]])), [[5.0], [0.0]])


def test_missing_values_are_the_mean_beside_an_indicator():
    x = np.array([[1.0, np.nan], [3.0, 10.0], [np.nan, 20.0], [2.0, 30.0]])
    x = np.column_stack([x, [0.0, 1.0, 2.0, 3.0]])
    scaler = FeatureScaler.learn(x.T, ("a", "b", "c"))
    assert scaler.flagged == (0, 1)
    assert scaler.input_names == ("a", "b", "c", "a (missing)", "b (missing)")
    inputs = scaler.transform(x.T)
    assert inputs.shape == (4, 5)
    assert inputs[0, 1] == inputs[2, 0] == 0
    np.testing.assert_array_equal(inputs[:, 3:], np.isnan(x[:, :2]))
    observed = inputs[[0, 1, 3], 0]
    np.testing.assert_allclose([observed.mean(), observed.std()], [0, 1], atol=1e-6)


def test_a_value_missing_only_later_is_the_mean():
    scaler = FeatureScaler.learn(np.array([[1.0, 3.0]]), ("a",))
    assert scaler.transform(np.array([[np.nan]])).tolist() == [[0.0]]


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9])
def test_a_constant_feature_is_zero(constant):
    x = np.full((50, 1), constant)
    scaled = FeatureScaler.learn(x.T, ("a",)).transform(x.T)
    np.testing.assert_allclose(scaled, 0, atol=1e-6)


def test_a_feature_without_values_is_named():
    x = np.array([[1.0, np.nan], [2.0, np.nan]])
    with pytest.raises(DataError, match="'b' has no value") as error:
        FeatureScaler.learn(x.T, ("a", "b"))
    assert error.value.column == "b"


def test_chosen_rows_of_a_table_are_what_a_copy_of_them_would_be():
    table = pd.DataFrame({"a": [1.0, 2.0, np.nan, 4.0], "b": np.arange(4, dtype=np.float32)})
    rows = np.array([3, 2, 0])
    chosen = TableRows(table, rows)
    assert len(chosen) == 2
    for column, name in zip(chosen, table, strict=True):
        np.testing.assert_array_equal(column, table[name].to_numpy()[rows])
        assert column.dtype == table[name].dtype
