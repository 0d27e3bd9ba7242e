import numpy as np
import pandas as pd
import pytest

from nme_core import independence
from nme_core.exceptions import DataError
from nme_core.independence import hsic
from nme_core.independence.kernel_sums import permuted_sums


@pytest.fixture
def study():
    rng = np.random.default_rng(0)
    persons = [f"{number:03d}" for number in range(30)]
    x = pd.DataFrame(rng.normal(size=(30, 3)), index=persons, columns=["a", "b", "c"])
    y = (x["a"] ** 2 + 0.3 * rng.normal(size=30)).rename("score")
    return x, y


def test_finds_a_nonlinear_dependence(study):
    x, y = study
    result = independence.hsic_test(x[["a"]], y, reps=500)
    assert result.p == (1 + np.sum(result.null >= result.statistic)) / 501
    assert result.p < 0.01
    assert result.null.shape == (500,)
    assert (result.reps, result.n_persons, result.strata, result.seed) == (500, 30, "none", 0)
    assert result.method == "hsic gaussian x gaussian"


def test_statistic_and_null_by_a_loop(study):
    x, y = study
    result = independence.hsic_test(x, y, reps=20, random_state=5)
    kernels = independence.gaussian_kernel(x), independence.gaussian_kernel(y)
    assert result.statistic == pytest.approx(independence.hsic_statistic(*kernels), abs=1e-14)
    drawn = independence.permutations(30, 20, random_state=5)
    one_way = [independence.hsic_statistic(kernels[0], kernels[1][o][:, o]) for o in drawn]
    other = [independence.hsic_statistic(kernels[0][o][:, o], kernels[1]) for o in drawn]
    assert np.allclose(result.null, one_way) or np.allclose(result.null, other)
    extreme = np.sum(result.null >= result.statistic)
    assert result.p == pytest.approx((1 + extreme) / 21)


def test_same_seed_same_numbers(study):
    first = independence.hsic_test(*study, reps=50, random_state=1)
    again = independence.hsic_test(*study, reps=50, random_state=1)
    other = independence.hsic_test(*study, reps=50, random_state=2)
    np.testing.assert_array_equal(first.null, again.null)
    assert (first.null != other.null).any()


def test_units_and_order_of_arguments_change_nothing(study):
    x, y = study
    reference = independence.hsic_test(x, y, reps=200)
    rescaled = independence.hsic_test(x * [100, 0.01, -1] + 3, 5 - 0.2 * y, reps=200)
    swapped = independence.hsic_test(y, x, reps=200)
    for other in (rescaled, swapped):
        assert other.statistic == pytest.approx(reference.statistic, abs=1e-12)
        assert other.p == reference.p


def test_order_of_rows_and_names_of_categories_change_nothing(study):
    x, y = study
    group = pd.Series(np.where(y > y.median(), "high", "low"), index=y.index, name="group")
    reference = independence.hsic_test(x, group, reps=200)
    renamed = independence.hsic_test(
        x.sample(frac=1, random_state=0), group.map({"high": 0, "low": 7}), reps=200
    )
    assert renamed.statistic == pytest.approx(reference.statistic, abs=1e-12)
    assert renamed.p == reference.p
    assert reference.method == renamed.method == "hsic gaussian x delta"


def test_pandas_sides_are_matched_by_person(study):
    x, y = study
    fewer = y.drop(["003", "007"]).sample(frac=1, random_state=1)
    result = independence.hsic_test(x, fewer, reps=50)
    kept = x.drop(["003", "007"])
    expected = independence.hsic_test(kept.to_numpy(), y[kept.index].to_numpy(), reps=50)
    assert result.n_persons == 28
    assert result.statistic == pytest.approx(expected.statistic, abs=1e-12)


@pytest.mark.parametrize("as_text", [False, True])
def test_persons_without_the_covariate_are_left_out(study, as_text):
    x, y = study
    y = (y > 0.5).map({True: "yes", False: "no"}) if as_text else y
    gaps = y.copy()
    gaps.iloc[[1, 4, 9]] = None
    result = independence.hsic_test(x, gaps, reps=50)
    expected = independence.hsic_test(x.drop(gaps.index[[1, 4, 9]]), y, reps=50)
    assert result.n_persons == 27
    assert (result.statistic, result.p) == (expected.statistic, expected.p)


def test_strata_restrict_the_permutations(study):
    x, y = study
    strata = pd.Series(np.arange(30) // 10, index=x.index, name="clinic")
    x = x.add(5 * strata, axis=0)
    y = 5 * strata + np.random.default_rng(1).normal(size=30)
    free = independence.hsic_test(x, y, reps=300)
    within = independence.hsic_test(x, y, reps=300, strata=strata)
    assert free.p < 0.01
    assert within.p > 0.05
    assert within.statistic == free.statistic
    assert within.strata == "clinic"


def test_equal_statistics_count_as_extreme():
    # inside these strata only the last two can change something: half of all permutations do
    x, strata = [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 9.0], [0, 0, 1, 1, 2, 2, 3, 3]
    y = [1.3, 1.3, 5.1, 5.1, 9.7, 9.7, 12.0, 40.0]
    result = independence.hsic_test(x, y, strata=strata, reps=999)
    assert 0.45 < result.p < 0.55


def test_a_p_that_could_only_be_1_is_refused():
    x = [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]
    with pytest.raises(DataError, match="No permutation changes the statistic"):
        independence.hsic_test(x, [1.3, 1.3, 5.1, 5.1, 9.7, 9.7], strata=x, reps=99)
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="one person is set apart"):
        independence.hsic_test(rng.normal(size=14), ["A"] * 13 + ["B"], reps=99)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x, y * 0), "same value"),
        (lambda x, y: (x * 0, y), "same value"),
        (lambda x, y: (x.assign(a=x["a"].drop("004")), y), "'004'"),
        (lambda x, y: (x, y[:4]), "Only 4 people"),
        (lambda x, y: (x, y.add_prefix("p")), "Only 0 people"),
        (lambda x, y: (x, y.index.to_series()), "label of their own"),
        (lambda x, y: (x, pd.concat([y, y[:1]])), "more than one row for person '000'"),
        (lambda x, y: (x.to_numpy(), y.to_numpy()[:20]), "30 rows and y 20"),
        (lambda x, y: (x.assign(c="text"), y), "'c' of x holds no numbers"),
        (lambda x, y: (x.to_numpy()[None], y), "3 dimensions"),
    ],
)
def test_what_cannot_be_tested_is_said(study, change, message):
    x, y = change(*study)
    with pytest.raises(DataError, match=message):
        independence.hsic_test(x, y, reps=10)


def test_the_ones_on_the_diagonals_add_a_constant(study):
    # 1 - K is a distance with zeros there: the sums of the U-statistic
    kernels = [independence.gaussian_kernel(side) for side in study]
    moved = kernels[1][::-1][:, ::-1]
    for a, b in ((kernels[0], kernels[1]), (kernels[0], moved), (kernels[0], kernels[0])):
        with_ones = np.vdot(hsic._centre(a), hsic._centre(b))
        without = np.vdot(hsic._centre(1 - a), hsic._centre(1 - b))
        assert with_ones - without == pytest.approx(30 / 29, abs=1e-10)


def test_ready_kernels_must_fit_together():
    with pytest.raises(DataError, match="must agree"):
        independence.hsic_statistic(np.eye(5), np.eye(6))
    with pytest.raises(DataError, match="n × n"):
        independence.hsic_statistic(np.ones((5, 4)), np.eye(5))


def test_permuted_sums_are_those_of_the_permuted_kernel():
    rng = np.random.default_rng(0)
    sides = rng.normal(size=(2, 13, 13))
    fixed, moving = ((side + side.T) * (1 - np.eye(13)) for side in sides)
    drawn = np.array([rng.permutation(13) for _ in range(7)])
    expected = [np.vdot(fixed, moving[np.ix_(order, order)]) for order in drawn]
    np.testing.assert_allclose(permuted_sums(fixed, moving, drawn), expected, rtol=1e-12)
