import numpy as np
import pandas as pd
import pytest

from nme_core import independence
from nme_core.exceptions import DataError


def test_gaussian_kernel_by_hand():
    # distances 1, 2, 3 (each pair once): the median is 2
    kernel = independence.gaussian_kernel([0.0, 1.0, 3.0], standardise=False)
    expected = np.exp(-np.array([[0, 1, 9], [1, 0, 4], [9, 4, 0]]) / 8)
    np.testing.assert_allclose(kernel, expected, rtol=1e-14)


def test_standardised_columns_make_units_irrelevant():
    x = np.random.default_rng(0).normal(size=(20, 3))
    kernel = independence.gaussian_kernel(x)
    np.testing.assert_allclose(
        independence.gaussian_kernel(x * [1000, 0.001, -5] + [7, -3, 1e4]), kernel, atol=1e-9
    )
    relative = independence.gaussian_kernel(x * [1000, 1, 1], standardise=False)
    assert np.abs(relative - kernel).max() > 0.1
    np.testing.assert_allclose(
        independence.gaussian_kernel(x * 1000, standardise=False),
        independence.gaussian_kernel(x, standardise=False),
        rtol=1e-12,
    )


def test_a_constant_column_weighs_nothing():
    x = np.random.default_rng(0).normal(size=(20, 2))
    with_constant = np.column_stack([x, np.full(20, 0.1)])
    np.testing.assert_allclose(
        independence.gaussian_kernel(with_constant), independence.gaussian_kernel(x), atol=1e-12
    )


def test_bandwidth_where_most_values_are_tied():
    kernel = independence.gaussian_kernel([0.0] * 8 + [2.0, 2.0], standardise=False)
    assert kernel[0, -1] == pytest.approx(np.exp(-0.5))
    assert kernel[0, 1] == 1


@pytest.mark.parametrize("values", [[1.0, 1.0, 1.0], [0.1 + 0.2, 0.3, 0.3], [[2.0], [2.0]]])
def test_constant_numbers_are_refused(values):
    with pytest.raises(DataError, match="same value"):
        independence.gaussian_kernel(values)


def test_values_that_are_not_finite_are_refused_with_their_place():
    with pytest.raises(DataError, match="Row 1, column 0"):
        independence.gaussian_kernel([1.0, np.nan, 2.0])
    with pytest.raises(DataError, match="Row 0, column 1"):
        independence.gaussian_kernel([[1.0, np.inf], [2.0, 1.0]])


def test_category_kernel_is_equality():
    kernel = independence.category_kernel(["a", "b", "a"])
    np.testing.assert_array_equal(kernel, [[1, 0, 1], [0, 1, 0], [1, 0, 1]])


@pytest.mark.parametrize(
    ("labels", "message"),
    [(["a", "a"], "same value"), (["a", "b"], "label of their own"), (["a", None], "no label")],
)
def test_categories_that_say_nothing_are_refused(labels, message):
    with pytest.raises(DataError, match=message):
        independence.category_kernel(labels)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.5, 2.0, 3.0], False),
        ([0, 1, None, 1], True),
        (["a", "b", "c"], True),
        ([True, False, True], True),
    ],
)
def test_what_counts_as_a_category(values, expected):
    assert independence.is_categorical(pd.Series(values)) is expected
