import numpy as np
import pandas as pd
import pytest

from nme_core.figures import summaries


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=1000),
        np.random.default_rng(0).standard_cauchy(500),
        np.array([1.0]), np.array([0.3, 0.3]), np.zeros(3), np.array([1, 2, 2, 9]),
        np.arange(1457), np.array([1e6, 1e6 + 1]), np.array([-3.0, np.nan, np.inf, 4]),
        np.array([0.1, 0.1 + 1e-17]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("whole", [True, False])
def test_every_finite_value_is_in_one_of_at_most_forty_bins(values, whole):
    bins = summaries.histogram(values, whole_numbers=whole)
    assert bins.counts.sum() == np.isfinite(values).sum()
    assert len(bins.counts) <= 40
    np.testing.assert_allclose(np.diff(bins.edges), bins.width)


def test_whole_numbers_have_a_bin_each():
    bins = summaries.histogram(np.array([1, 2, 2, 5]))
    np.testing.assert_array_equal(bins.centres, [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(bins.counts, [1, 2, 0, 0, 1])


def test_histogram_of_nothing_says_so():
    with pytest.raises(ValueError, match="No value"):
        summaries.histogram(np.array([np.nan]))


def test_normal_curve_has_the_area_of_the_histogram():
    bins = summaries.histogram(np.random.default_rng(0).normal(0, 0.5, 80))
    x, y = summaries.normal_curve(0.25, bins, 80)
    assert np.trapezoid(y, x) == pytest.approx(80 * bins.width, rel=0.01)
    assert x[np.argmax(y)] == pytest.approx(0, abs=0.03)


def test_least_squares_line():
    x = np.array([0.0, 1, 2, 4])
    line = summaries.least_squares(x, 3 - 2 * x)
    np.testing.assert_allclose(line.x[[0, -1]], [0, 4])
    np.testing.assert_allclose(line.y[[0, -1]], [3, -5])
    np.testing.assert_allclose(line.high, line.low, atol=1e-12)
    assert summaries.least_squares(np.ones(5), np.arange(5.0)) is None
    assert summaries.least_squares(np.arange(2.0), np.arange(2.0)) is None


def test_interval_of_the_line_is_that_of_statsmodels():
    import statsmodels.api as sm

    rng = np.random.default_rng(0)
    x = rng.normal(size=30)
    y = x + rng.normal(size=30)
    line = summaries.least_squares(x, y)
    fitted = sm.OLS(y, sm.add_constant(x)).fit()
    low, high = fitted.get_prediction(sm.add_constant(line.x)).conf_int().T
    np.testing.assert_allclose(line.low, low)
    np.testing.assert_allclose(line.high, high)


def test_box_agrees_with_matplotlib():
    from matplotlib.cbook import boxplot_stats

    values = np.random.default_rng(2).standard_t(2, 41)
    ours, theirs = summaries.box(values), boxplot_stats(values)[0]
    expected = [theirs[key] for key in ("q1", "med", "q3", "whislo", "whishi")]
    np.testing.assert_allclose([ours.q1, ours.median, ours.q3, ours.low, ours.high], expected)


def test_spread_is_centred_bounded_and_repeatable():
    offsets = summaries.spread(50)
    assert abs(offsets.mean()) < 1e-12
    assert np.abs(offsets).max() <= 0.3
    np.testing.assert_array_equal(offsets, summaries.spread(50))
    assert summaries.spread(1) == [0]


@pytest.mark.parametrize("readout", ["conditional", "expected", "observed"])
def test_probabilities_have_a_fixed_scale(readout):
    assert summaries.value_limits(readout, np.array([0.2, 0.3])) == (0, 1)


def test_scores_share_one_symmetric_scale():
    assert summaries.value_limits("scores", np.array([0.4, -2.2]), np.array([1.0])) == (-2.5, 2.5)


@pytest.mark.parametrize(
    ("difference", "limit"),
    [([0.0, 0.0], 0.2), ([-0.003, np.nan], 0.2), ([0.12, -0.31], 0.35), ([np.nan], 0.2)],
)
def test_a_trifling_difference_does_not_look_large(difference, limit):
    assert summaries.difference_limit(np.array(difference)) == pytest.approx(limit)


def test_padded_axis_is_at_least_so_wide():
    low, high = summaries.padded(149.5, 150.5, least=8)
    assert (low, high) == (146, 154)


@pytest.mark.parametrize("top", [0.04, 0.11, 0.3, 0.51, 1.0])
def test_share_ticks_stay_within_the_whole(top):
    ticks = summaries.share_ticks(top)
    assert ticks[0] == 0
    assert 3 <= len(ticks) <= 7
    assert max(ticks) <= 1


def test_losses_far_apart_get_a_logarithmic_axis():
    assert summaries.is_logarithmic(pd.Series([0.1, 100.0]))
    assert not summaries.is_logarithmic(pd.Series([1.0, 2.0]))
    assert not summaries.is_logarithmic(pd.Series([-1.0, 200.0]))


def test_curves_are_compared_over_the_values_that_each_person_had():
    curves = pd.DataFrame(
        [("", 0, 0.0), ("", 10, 10.0), ("a", 2, 0.0), ("a", 4, 1.0), ("b", 3, 5.0)],
        columns=["person", "x", "value"],
    )
    assert summaries.curve_changes(curves) == pytest.approx((1.0, 2.0))


def test_even_ticks_are_round_and_few() -> None:
    assert summaries.even_ticks(0.9, 5.1, most=10, whole=True) == [1, 2, 3, 4, 5]
    assert summaries.even_ticks(1, 177, most=5, whole=True) == [50, 100, 150]
    assert summaries.even_ticks(0, 1.05, most=5, whole=False) == pytest.approx([0, 0.5, 1.0])
    assert len(summaries.even_ticks(-3e5, 7e5, most=8, whole=True)) <= 9
    assert [summaries.round_step(least) for least in (0.3, 3, 7, 20)] == pytest.approx(
        [0.5, 5, 10, 20]
    )


def test_only_losses_far_above_the_later_ones_leave_the_axis() -> None:
    table = pd.DataFrame({"model": "nme", "epoch": range(1, 41), "loss": 1.0})
    table.loc[20:, "loss"] = 0.5
    assert summaries.settling_range(table) is None
    table.loc[1, "loss"] = 1.1
    assert summaries.settling_range(table) is None
    table.loc[1, "loss"] = 3.0
    assert summaries.settling_range(table) == (0.5, 1.0)
    other = table.assign(model="generic", loss=4.0)
    assert summaries.settling_range(pd.concat([table, other])) is None
