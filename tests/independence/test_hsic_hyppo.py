"""The statistic is hyppo's; all calls of hyppo, which is slow to load, stand here."""

import warnings

import numba
import numpy as np
import pytest

from nme_core import independence


@pytest.fixture(scope="module")
def hsic():
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        # hyppo 0.5.2 imports a name that scipy has moved
        warnings.simplefilter("ignore", DeprecationWarning)
        # as plain Python its functions give the same numbers without a minute of compiling
        patch.setattr(numba.config, "DISABLE_JIT", 1)
        from hyppo.independence import Hsic
    return Hsic


@pytest.fixture(scope="module")
def sides():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3)) * [1.0, 50.0, 0.01]
    return {
        "x": x,
        "y": 100 * x[:, 0] ** 2 + rng.normal(size=40),
        "ties": rng.integers(0, 4, size=40).astype(float),
        "labels": rng.choice(["low", "middle", "high"], size=40),
    }


@pytest.mark.parametrize("other", ["y", "ties", "labels"])
def test_equals_hyppo_on_ready_kernels(hsic, sides, other):
    kernel_x = independence.gaussian_kernel(sides["x"])
    if other == "labels":
        kernel_y = independence.category_kernel(sides[other])
    else:
        kernel_y = independence.gaussian_kernel(sides[other])
    expected = hsic(compute_kernel=None).statistic(kernel_x, kernel_y)
    assert independence.hsic_statistic(kernel_x, kernel_y) == pytest.approx(expected, abs=1e-10)
    result = independence.hsic_test(sides["x"], sides[other], reps=5)
    assert result.statistic == pytest.approx(expected, abs=1e-10)


def test_equals_hyppos_own_gaussian_kernel_where_the_bandwidths_agree(hsic):
    # hyppo takes the bandwidth of x for y: the same where y is x in another order
    rng = np.random.default_rng(1)
    x = rng.normal(size=30)
    x = (x - x.mean()) / x.std()
    y = np.where(rng.random(30) < 0.8, x, -x)
    y = np.concatenate([y, -y])
    x = np.concatenate([x, -x])
    expected, p = hsic().test(x[:, None], y[:, None], reps=1000, auto=False)
    result = independence.hsic_test(x, y, reps=1000)
    assert result.statistic == pytest.approx(expected, abs=1e-10)
    assert result.statistic > 0.1
    assert result.p == pytest.approx(p, abs=0.005)
