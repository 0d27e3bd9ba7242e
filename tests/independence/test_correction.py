import numpy as np
import pytest
from scipy.stats import false_discovery_control

from nme_core import independence
from nme_core.exceptions import OptionError


def test_benjamini_hochberg_equals_scipy():
    p = np.random.default_rng(0).random(50) ** 3
    np.testing.assert_allclose(independence.adjust_p(p, "bh"), false_discovery_control(p))


def test_holm_by_hand():
    adjusted = independence.adjust_p([0.04, 0.01, 0.02, 0.9], "holm")
    np.testing.assert_allclose(adjusted, [0.08, 0.04, 0.06, 0.9])


def test_none_leaves_them():
    np.testing.assert_array_equal(independence.adjust_p([0.5, 0.01], "none"), [0.5, 0.01])


@pytest.mark.parametrize("method", ["bh", "holm"])
def test_a_single_test_needs_no_correction_and_nothing_exceeds_one(method):
    np.testing.assert_allclose(independence.adjust_p([0.03], method), [0.03])
    assert independence.adjust_p([0.9, 0.8, 0.99], method).max() <= 1
    assert independence.adjust_p([], method).shape == (0,)


@pytest.mark.parametrize("method", ["bh", "holm", "none"])
def test_missing_p_values_do_not_count(method):
    with_missing = independence.adjust_p([0.01, np.nan, 0.02], method)
    np.testing.assert_array_equal(with_missing[[0, 2]], independence.adjust_p([0.01, 0.02], method))
    assert np.isnan(with_missing[1])


def test_unknown_correction():
    with pytest.raises(OptionError, match="bonferroni"):
        independence.adjust_p([0.1], "bonferroni")


@pytest.mark.parametrize("m", [1, 3, 40, 500])
def test_needed_reps_let_a_corrected_p_fall_below_alpha(m):
    reps = independence.needed_reps(m, 1)
    assert m / (reps + 1) < 0.05
    assert m / (reps - 1) >= 0.05 - 1e-12  # and not one permutation more
    assert independence.needed_reps(m, 20_000) == 20_000


def test_no_permutations_at_all():
    with pytest.raises(OptionError, match="at least one"):
        independence.needed_reps(1, 0)
