import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sklearn_metrics

from nme_core import metrics
from nme_core.exceptions import DataError
from nme_core.metrics.regression import REGRESSION_METRICS, regression_metrics


@pytest.fixture
def values():
    rng = np.random.default_rng(0)
    y = rng.normal(3, 2, size=50)
    return y, 0.5 * y + rng.normal(size=50)


def test_errors_equal_scikit_learn(values):
    assert metrics.mse(*values) == pytest.approx(sklearn_metrics.mean_squared_error(*values))
    assert metrics.mae(*values) == pytest.approx(sklearn_metrics.mean_absolute_error(*values))


def test_pearson_equals_numpy(values):
    assert metrics.pearson(*values) == pytest.approx(np.corrcoef(*values)[0, 1])


def test_crps_equals_its_definition_by_pairs_of_draws():
    rng = np.random.default_rng(0)
    y, draws = rng.normal(size=5), rng.normal(size=(7, 5))
    for row in range(5):
        own = draws[:, row]
        pairs = np.abs(own[:, None] - own)[~np.eye(7, dtype=bool)]
        expected = np.abs(own - y[row]).mean() - pairs.mean() / 2
        assert metrics.crps(y, draws)[row] == pytest.approx(expected)


def test_crps_of_a_normal_distribution_is_the_closed_form():
    # Gneiting and Raftery (2007): σ [z (2Φ(z) − 1) + 2φ(z) − 1/√π]
    mean, sd, y = 1.0, 2.0, np.array([-4.0, 0.0, 1.0, 2.5])
    z = (y - mean) / sd
    normal = stats.norm
    expected = sd * (z * (2 * normal.cdf(z) - 1) + 2 * normal.pdf(z) - 1 / np.sqrt(np.pi))
    draws = normal.ppf((np.arange(4000) + 0.5) / 4000, mean, sd)[:, None].repeat(4, axis=1)
    np.testing.assert_allclose(metrics.crps(y, draws), expected, atol=2e-3)


def test_crps_without_spread_is_the_absolute_error():
    assert metrics.crps([3.0], np.ones((4, 1))) == pytest.approx([2.0])


def test_ccc_by_hand():
    # means 2 and 3, variances 2/3 and 2/3 (over n), covariance 2/3
    assert metrics.ccc([1, 2, 3], [2, 3, 4]) == pytest.approx((4 / 3) / (4 / 3 + 1))
    assert metrics.ccc([1, 2, 3], [1, 2, 3]) == 1
    assert metrics.ccc([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)


def test_ccc_by_the_formula(values):
    y, f = values
    expected = 2 * np.mean((y - y.mean()) * (f - f.mean()))
    expected /= y.var() + f.var() + (y.mean() - f.mean()) ** 2
    assert metrics.ccc(y, f) == pytest.approx(expected)
    assert abs(metrics.ccc(y, f)) < abs(metrics.pearson(y, f))


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9 + 0.1])
def test_constants_give_nan_without_a_warning(constant):
    # 0.1 summed 7 times leaves rounding error in the mean
    assert np.isnan(metrics.pearson(np.arange(7.0), np.full(7, constant)))
    assert metrics.ccc(np.arange(7.0), np.full(7, constant)) == 0
    assert np.isnan(metrics.ccc(np.full(7, constant), np.full(7, constant)))
    assert metrics.mse(np.full(7, constant), np.full(7, constant)) == 0


def test_one_row_and_none():
    assert metrics.mse([1.0], [3.0]) == 4
    assert np.isnan(metrics.pearson([1.0], [3.0]))
    assert np.isnan(metrics.mse([], []))


def test_two_rows_have_no_correlation():
    # two points always lie on a line
    table = regression_metrics([1, 2, 1, 2, 4], [5, 3, 1, 2, 3], np.array([0, 0, 1, 1, 1]), 2)
    assert table["mse"].tolist() == pytest.approx([8.5, 1 / 3])
    for name in ("pearson", "ccc"):
        assert np.isnan(getattr(metrics, name)([1.0, 2.0], [1.0, 2.0]))
        assert np.isnan(table[name][0])
        assert table[name][1] > 0.8


def test_groups_equal_their_rows_alone(values):
    y, f = values
    groups = np.random.default_rng(1).integers(0, 5, size=50)
    table = regression_metrics(y, f, groups, 6)
    for name in REGRESSION_METRICS:
        for group in range(5):
            alone = getattr(metrics, name)(y[groups == group], f[groups == group])
            assert table[name][group] == pytest.approx(alone)
        assert np.isnan(table[name][5])


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=20))
def test_bounds(pairs):
    y, f = np.array(pairs).T
    r, c = metrics.pearson(y, f), metrics.ccc(y, f)
    assert np.isnan(r) or abs(r) <= 1
    assert np.isnan(c) or abs(c) <= 1 + 1e-12


def test_missing_values_and_lengths_are_refused():
    with pytest.raises(DataError, match="y_true holds no finite number at position 1"):
        metrics.mse([1.0, np.nan], [1.0, 2.0])
    with pytest.raises(DataError, match="y_pred"):
        metrics.ccc([1.0, 2.0], [np.inf, 2.0])
    with pytest.raises(DataError, match="must agree"):
        metrics.mae([1.0, 2.0], [1.0])
