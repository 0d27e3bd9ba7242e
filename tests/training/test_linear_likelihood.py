"""Likelihood of the linear mixed model and its derivatives, against its definition."""

import numpy as np
import pytest

from nme_core.training.linear_curvature import Curvature, Elements
from nme_core.training.linear_likelihood import Cross
from nme_core.training.sums import Sums
from tests.training.linear_studies import covariance, log_density, simulated

RANDOM = [0, 1, 3]
BOTH = pytest.mark.parametrize(
    ("reml", "kind"), [(a, b) for a in (False, True) for b in ("full", "diagonal")]
)


def setting(reml: bool, kind: str):
    cross = Cross.of(Sums.of(*simulated()), RANDOM, reml=reml)
    elements = Elements.of(3, kind)
    theta = np.random.default_rng(1).normal(size=len(elements))
    return cross, elements, np.append(theta, 0.5)


@BOTH
def test_it_is_the_density(reml, kind):
    cross, elements, at = setting(reml, kind)
    scale, variance = elements.fill(at[:-1]), np.exp(at[-1])
    point = cross.at(scale)
    x, y, person = simulated()
    whole = covariance(x, person, RANDOM, scale @ scale.T, 1.0)
    beta = np.linalg.solve(x.T @ np.linalg.solve(whole, x), x.T @ np.linalg.solve(whole, y))
    np.testing.assert_allclose(point.fixed, beta, rtol=1e-10)
    sigma = variance * scale @ scale.T
    expected = log_density((x, y, person), RANDOM, beta, sigma, variance, reml=reml)
    assert -0.5 * point.deviance_at(variance) == pytest.approx(expected, rel=1e-12)


@BOTH
def test_first_and_second_derivatives_are_those_of_differences(reml, kind):
    cross, elements, at = setting(reml, kind)

    def value(values):
        return cross.at(elements.fill(values[:-1])).deviance_at(np.exp(values[-1]))

    def slope(values):
        point, variance = cross.at(elements.fill(values[:-1])), np.exp(values[-1])
        by_factor = elements.of_factor(point.slope_at(variance), point.scale)
        return np.append(by_factor, cross.degrees - point.rest / variance)

    def differences(function):
        steps = 1e-5 * np.eye(len(at))
        return np.array([(function(at + d) - function(at - d)) / 2e-5 for d in steps])

    np.testing.assert_allclose(slope(at), differences(value), rtol=1e-6, atol=1e-6)
    point, variance = cross.at(elements.fill(at[:-1])), np.exp(at[-1])
    found = Curvature.of(point, elements, variance).by_factor(point, elements, variance)
    np.testing.assert_allclose(found, differences(slope), rtol=1e-6, atol=1e-5)


def test_people_in_parts_are_the_people(monkeypatch):
    sums = Sums.of(*simulated(n_persons=200))
    elements, scale = Elements.of(3, "full"), np.tril(np.ones((3, 3)))
    whole = Cross.of(sums, RANDOM, reml=True).at(scale)
    expected = whole.deviance, whole.slope, Curvature.of(whole, elements, 1.0).psi
    monkeypatch.setattr("nme_core.training.linear_likelihood._AT_ONCE", 1)
    parts = Cross.of(sums, RANDOM, reml=True).at(scale)
    found = parts.deviance, parts.slope, Curvature.of(parts, elements, 1.0).psi
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-9)


def test_turned_effects_have_the_same_likelihood():
    turn = np.array([[1.0, 0.5, 0.2], [0.0, 1.0, 0.0], [0.3, 0.0, 1.0]])
    cross, sigma = Cross.of(Sums.of(*simulated()), RANDOM), np.diag([1.0, 2.0, 0.5])
    ours = cross.at(np.linalg.cholesky(sigma)).deviance
    assert cross.turned(turn).at(np.linalg.cholesky(turn @ sigma @ turn.T)).deviance == (
        pytest.approx(ours)
    )
