"""By the curvature of what rows say, against the likelihood itself where that is a parabola."""

from dataclasses import replace

import numpy as np
import torch

from nme_core.training.covariance_coordinates import Coordinates
from nme_core.training.information import PersonCurvature
from nme_core.training.integrated_covariance import GivenCovariance, IntegratedCovariance
from nme_core.training.integrated_curvature import integrated_by_curvature


def with_slope(given):
    """The same with the derivative of the log-likelihood by Σ, by differences."""

    def slope(sigma):
        found, h = np.empty_like(sigma), 1e-6
        for r, s in np.ndindex(sigma.shape):
            step = np.zeros_like(sigma)
            step[r, s] += h / 2
            step[s, r] += h / 2
            found[r, s] = (given(sigma + step, None).value - given(sigma - step, None).value) / (
                2 * h
            )
        return found

    return lambda sigma, _: replace(given(sigma, None), by_sigma=lambda: slope(sigma))


def test_a_gaussian_likelihood_is_integrated_exactly():
    rng = np.random.default_rng(1)
    n, sigma = 14, np.diag([0.5, 0.2])
    own = np.stack([a @ a.T for a in rng.normal(size=(n, 2, 3))])
    best = rng.normal(size=(n, 2))  # each person's rows alone
    coordinates = Coordinates(np.arange(2), full=True)

    def given(at, _):
        spread = at + np.linalg.inv(own)  # best ~ N(0, Σ + H⁻¹)
        density = -0.5 * np.linalg.slogdet(spread)[1]
        density -= 0.5 * np.einsum("pr,prs,ps->p", best, np.linalg.inv(spread), best)
        inverse = np.linalg.inv(own + np.linalg.inv(at))
        moved = np.einsum("prs,pst,pt->pr", inverse, own, best)
        nothing = np.zeros(0), np.zeros((0, 0))
        parts = moved, inverse, np.zeros((n, 2, 0))
        return GivenCovariance(float(density.sum()), lambda: parts, lambda: nothing, at)

    effects = given(sigma, None).effects()[0]
    expected = IntegratedCovariance.of(with_slope(given), coordinates, sigma, effects).error
    slope = np.einsum("prs,ps->pr", own, best - effects)
    none = torch.zeros(0, dtype=torch.int64)
    curvature = PersonCurvature((), torch.from_numpy(own), none, torch.arange(2))
    tensors = map(torch.from_numpy, (sigma, effects, slope))
    found = integrated_by_curvature(
        curvature, coordinates, *tensors, torch.zeros(0, 0, dtype=torch.float64)
    )
    np.testing.assert_allclose(found.error, expected, rtol=1e-6)


def test_a_mean_that_is_not_known_is_integrated_too():
    rng = np.random.default_rng(2)
    n, sigma = 9, np.diag([0.6, 0.1])
    own = np.stack([a @ a.T for a in rng.normal(size=(n, 2, 3))])
    best = np.array([1.0, -2.0]) + rng.normal(size=(n, 2))  # each person's rows alone
    coordinates = Coordinates(np.arange(2), full=False)

    def of_mean(at):
        weight = np.linalg.inv(at + np.linalg.inv(own))  # best ~ N(mean, Σ + H⁻¹)
        variance = np.linalg.inv(weight.sum(0))
        return weight, variance, variance @ np.einsum("prs,ps->r", weight, best)

    mean = of_mean(sigma)[2]

    def given(at, _):
        weight, variance, middle = of_mean(at)
        apart = best - middle
        value = 0.5 * np.linalg.slogdet(weight)[1].sum() + 0.5 * np.linalg.slogdet(variance)[1]
        value -= 0.5 * np.einsum("pr,prs,ps->", apart, weight, apart)
        conditional = np.linalg.inv(own + np.linalg.inv(at))
        moved = np.einsum("prs,pst,pt->pr", conditional, own, apart)
        coupling = -conditional @ own
        shared = middle - mean, variance
        return GivenCovariance(value, lambda: (moved, conditional, coupling), lambda: shared, at)

    effects = given(sigma, None).effects()[0]
    expected = IntegratedCovariance.of(with_slope(given), coordinates, sigma, effects)
    slope = np.einsum("prs,ps->pr", own, best - mean - effects)
    both = torch.arange(2)
    found = integrated_by_curvature(
        PersonCurvature((), torch.from_numpy(own), both, both),
        coordinates,
        *map(torch.from_numpy, (sigma, effects, slope, of_mean(sigma)[1])),
    )
    np.testing.assert_allclose(found.fits.whole, expected.fits.whole, rtol=1e-5)
    np.testing.assert_allclose(found.error, expected.error, rtol=1e-5)
    np.testing.assert_allclose(found.across, expected.across, rtol=1e-5, atol=1e-9)
    assert (np.diag(found.fits.whole) > np.diag(of_mean(sigma)[1])).all()


def integrated(known):
    """Six effects of two standard deviations, of which a seventh parameter is nobody's own."""
    rng = np.random.default_rng(3)
    rows = torch.from_numpy(np.stack([a @ a.T for a in rng.normal(size=(40, 7, 9))]))
    effects, slope = torch.from_numpy(0.5 * rng.normal(size=(2, 40, 6)))
    coordinates = Coordinates(np.array([0, 0, 0, 1, 1, 1]), full=False, known=known)
    curvature = PersonCurvature((), rows, torch.arange(7), torch.arange(6))
    sigma = torch.full((6,), 0.3).double()
    shared = torch.linalg.inv(curvature.given(sigma).shared)
    return coordinates, integrated_by_curvature(
        curvature, coordinates, sigma, effects, slope, shared
    )


def test_second_derivatives_that_are_known_are_those_of_differences(monkeypatch):
    errors = [integrated(known)[1].error for known in (False, True)]
    np.testing.assert_allclose(errors[1], errors[0], rtol=0.01, atol=1e-3)
    monkeypatch.setattr(IntegratedCovariance, "of", lambda given, *_: given)
    coordinates, given = integrated(known=True)
    at, h = np.array([-0.4, 0.3]), 1e-3

    def height(*step):
        place = at + h * np.array(step)
        return given(coordinates.sigma(place), None).value + coordinates.log_prior(place)

    own = [2 * height(0, 0) - height(*one) - height(*(-one)) for one in np.eye(2)]
    mixed = height(1, -1) + height(-1, 1) - height(1, 1) - height(-1, -1)
    expected = np.diag(own) + mixed / 4 * (1 - np.eye(2))
    found = given(coordinates.sigma(at), None).information()
    np.testing.assert_allclose(coordinates.information(at, found), expected / h**2, rtol=1e-4)


def test_too_much_work_is_left():
    n = 40_000
    curvature = PersonCurvature((), torch.ones(1, 2, 2), torch.arange(0), torch.arange(2))
    tensors = (
        torch.eye(2),
        torch.zeros(n, 2),
        torch.zeros(n, 2),
        torch.zeros(0, 0, dtype=torch.float64),
    )
    assert integrated_by_curvature(curvature, Coordinates(np.arange(2), False), *tensors) is None
