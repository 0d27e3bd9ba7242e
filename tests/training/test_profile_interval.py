"""Intervals by profile, against what is known in closed form and against lme4."""

import math

import numpy as np
import pytest
from scipy.stats import chi2

from nme_core.exceptions import TrainingError
from nme_core.training.linear_mixed import Sums, fit_linear_mixed_model
from nme_core.training.linear_profiles import residual_profile, variance_profile
from nme_core.training.profile_interval import Profile
from tests.training.linear_studies import from_r


def test_of_a_parabola_it_is_the_normal_interval():
    low, high = Profile(lambda v: -0.5 * ((v - 3) / 0.5) ** 2, 3.0, 0.0, error=0.4).interval()
    assert (low, high) == pytest.approx((3 - 0.9799819923, 3 + 0.9799819923), rel=1e-6)


def test_of_a_sample_variance_both_ends_have_the_likelihood_that_they_should():
    n, square = 7, 2.0

    def log_likelihood(v: float) -> float:
        return -0.5 * n * (math.log(v) + square / v) if v > 0 else -math.inf

    best = log_likelihood(square)
    ends = Profile(log_likelihood, square, best).interval()
    for end in ends:
        assert 2 * (best - log_likelihood(end)) == pytest.approx(chi2.ppf(0.95, 1), rel=1e-4)
    assert ends[1] - square > square - ends[0]


def test_an_end_that_is_not_reached_is_where_the_parameter_ends():
    assert Profile(lambda v: -v, 0.0, 0.0, error=0.1).interval()[0] == 0
    assert Profile(lambda v: -v, 0.0, 0.0).interval()[1] == pytest.approx(1.9207294103)
    flat = Profile(lambda v: -1 / (1 + v), 5.0, 0.0).interval()
    assert flat == (0.0, math.inf)
    low, high = Profile(lambda v: -(v**2), 0.5, -0.25 + 0.25, lowest=-1, highest=1).interval()
    assert (low, high) == (-1, 1)


def test_a_search_that_ends_elsewhere_the_second_time_changes_nothing():
    """Each value is asked for once: what falls by 1.92 the first time may not the next."""
    asked = set()

    def maximised(v: float) -> float:
        again = v in asked
        asked.add(v)
        return -0.5 * (v - 3) ** 2 - (2.0 if again or v == 3.0 else 0.0)

    low, high = Profile(maximised, 3.0, 0.0, error=1.0).interval()
    assert (low, high) == pytest.approx((3 - 1.959963985, 3 + 1.959963985), rel=1e-5)


def test_a_maximum_that_is_none_is_refused():
    with pytest.raises(TrainingError, match="above its maximum"):
        Profile(lambda v: v, 1.0, 1.0).interval()


@pytest.mark.parametrize(
    ("kind", "ends"),
    [  # lme4 1.1-31: confint(lmer(Reaction ~ Days + (Days | Subject), sleepstudy, REML = FALSE))
        ("full", ((14.381481, 37.716019), (3.801165, 8.753367), (22.898266, 28.857997))),
        ("diagonal", ((15.258646, 37.786464), (3.964074, 8.769160), (22.880555, 28.787598))),
    ],
)
def test_they_are_those_of_lme4(kind, ends):
    study = from_r("lme4", "sleepstudy", "Reaction", "Subject", ["Days"])
    fit = fit_linear_mixed_model(Sums.of(*study), [0, 1], kind)
    information = fit.information
    point, elements = information.point, information.elements
    for k in range(2):
        error = information.sigma_se[k, k]
        found = variance_profile(point, elements, np.eye(2)[k], error=error).interval()
        np.testing.assert_allclose(np.sqrt(found), ends[k], rtol=1e-4)
    found = residual_profile(point, elements, error=information.residual_variance_se).interval()
    np.testing.assert_allclose(np.sqrt(found), ends[2], rtol=1e-4)


def test_a_singular_fit_has_intervals_from_zero():
    """lme4: sd of the intercept 0 to 4.691522, of age 0 to .392861 (singular on the way)."""
    study = from_r("nlme", "Orthodont", "distance", "Subject", ["age"])
    sex = (np.arange(len(study[1])) >= 64).astype(float)
    x = np.column_stack([study[0], sex])
    fit = fit_linear_mixed_model(Sums.of(x, study[1], study[2]), [0, 1], "full")
    information = fit.information
    found = variance_profile(
        information.point, information.elements, np.array([1.0, 0.0])
    ).interval()
    np.testing.assert_allclose(np.sqrt(found), (0, 4.691522), rtol=1e-4)


@pytest.mark.parametrize("kind", ["full", "diagonal"])
def test_a_combination_at_its_estimate_has_the_likelihood_of_the_maximum(kind):
    study = from_r("lme4", "sleepstudy", "Reaction", "Subject", ["Days"])
    fit = fit_linear_mixed_model(Sums.of(*study), [0, 1], kind)
    direction = np.array([1.0, 4.5])
    estimate = float(direction @ fit.sigma.numpy() @ direction)
    low, high = variance_profile(
        fit.information.point, fit.information.elements, direction
    ).interval()
    assert 0 < low < estimate < high
    # the same, with Days counted from the middle; a diagonal Σ is not one there
    if kind == "full":
        x = study[0] - [0, 4.5]
        turned = fit_linear_mixed_model(Sums.of(x, *study[1:]), [0, 1], kind)
        of_intercept = variance_profile(
            turned.information.point, turned.information.elements, np.array([1.0, 0.0])
        ).interval()
        np.testing.assert_allclose((low, high), of_intercept, rtol=1e-5)


@pytest.mark.parametrize("kind", ["full", "diagonal"])
def test_what_an_interval_holds_can_be_asked_without_its_ends(kind):
    fit = fit_linear_mixed_model(
        Sums.of(*from_r("lme4", "sleepstudy", "Reaction", "Subject", ["Days"])), [0, 1], kind
    )
    information = fit.information
    point, elements = information.point, information.elements
    profiles = [variance_profile(point, elements, np.eye(2)[k]) for k in range(2)]
    profiles.append(residual_profile(point, elements, error=information.residual_variance_se))
    for profile in profiles:
        low, high = profile.interval()
        asked = [0.0, 0.99 * low, 1.01 * low, profile.estimate, 0.99 * high, 1.01 * high]
        assert [profile.holds(value) for value in asked] == [False, False, True, True, True, False]


def test_what_is_asked_ends_a_search_as_soon_as_it_is_known():
    asked = []

    def maximised(v: float, enough: float | None = None) -> float:
        asked.append(enough)
        return -0.5 * (v - 3) ** 2

    profile = Profile(maximised, 3.0, 0.0, error=1.0)
    assert profile.holds(4.9)
    assert not profile.holds(5.0)
    assert asked == [pytest.approx(-chi2.ppf(0.95, 1) / 2)] * 2
