"""Σ = L Lᵀ + D of a linear mixed model: its likelihood, derivatives and maximum."""

import numpy as np
import pytest
import torch

from nme_core.training.covariance import fewest_effects, saves_numbers
from nme_core.training.integrated_covariance import FactorCoordinates
from nme_core.training.linear_curvature import Curvature, Elements
from nme_core.training.linear_likelihood import Cross
from nme_core.training.linear_mixed import Sums, fit_linear_mixed_model
from tests.training.linear_studies import log_density, simulated

KINDS = ["factor", "factor2"]


def study(sigma, *, seed=0, people=40, rows=8):
    rng = np.random.default_rng(seed)
    r, person = len(sigma), np.repeat(np.arange(people), rows)
    x = np.column_stack([rng.normal(size=(len(person), r - 1)), np.ones(len(person))])
    own = rng.multivariate_normal(np.zeros(r), sigma, size=people)[person]
    return x, (x * own).sum(1) + 0.5 * rng.normal(size=len(x)), person


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_derivatives(kind, reml):
    elements = Elements.of(4, kind)
    cross = Cross.of(Sums.of(*simulated()), [0, 1, 2, 3], reml=reml)
    theta, variance = np.random.default_rng(1).normal(size=len(elements)), 0.6

    def slope(at):
        return elements.of_factor(cross.at(elements.fill(at)).slope_at(variance), elements.fill(at))

    point, steps = cross.at(elements.fill(theta)), 1e-5 * np.eye(len(theta))
    taken = Curvature.of(point, elements, variance).by_factor(point, elements, variance)
    values = [[cross.at(elements.fill(theta + side * step)).deviance_at(variance)
               for side in (1, -1)] for step in steps]  # fmt: skip
    by_steps = np.diff(values, axis=1)[:, 0] / -2e-5
    np.testing.assert_allclose(slope(theta), by_steps, rtol=1e-5, atol=1e-4)
    curved = np.array([slope(theta + step) - slope(theta - step) for step in steps]) / 2e-5
    np.testing.assert_allclose(taken[:-1, :-1], curved, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(("r", "kind"), [(4, "factor"), (5, "factor2")])
def test_the_maximum_is_one_and_of_the_likelihood_by_its_definition(r, kind):
    data, random = study(np.full((r, r), 0.5) + 0.5 * np.eye(r)), list(range(r))
    fit = fit_linear_mixed_model(Sums.of(*data), random, kind)
    full = fit_linear_mixed_model(Sums.of(*data), random, "full")
    diagonal = fit_linear_mixed_model(Sums.of(*data), random, "diagonal")
    assert fit.converged
    assert diagonal.log_likelihood + 2 < fit.log_likelihood < full.log_likelihood + 1e-8
    sigma, beta, variance = fit.sigma.numpy(), fit.fixed.numpy(), fit.residual_variance
    found = log_density(data, random, beta, sigma, variance)
    assert found == pytest.approx(fit.log_likelihood, abs=1e-8)
    rng = np.random.default_rng(2)
    scale, elements = fit.information.point.scale, fit.information.elements
    for _ in range(6):
        moved = scale + 0.03 * elements.fill(rng.normal(size=len(elements)))
        less = log_density(data, random, beta, variance * moved @ moved.T, variance)
        assert less < fit.log_likelihood


@pytest.mark.parametrize("seed", range(4))
def test_no_start_finds_a_higher_maximum(seed):
    """Where two pairs of effects go together, one factor can take either."""
    pairs = np.kron(np.eye(2), [[1.0, 0.6], [0.6, 1.0]])
    x, y, person = study(pairs, seed=seed)
    heights = []
    for order in ([0, 1, 2, 3], [2, 3, 0, 1], [3, 0, 2, 1]):
        fit = fit_linear_mixed_model(Sums.of(x, y, person), order, "factor")
        heights.append(fit.log_likelihood)
    np.testing.assert_allclose(heights, heights[0], atol=1e-6)


def test_with_three_effects_one_factor_makes_any_positive_full_covariance():
    data = study(np.full((3, 3), 0.6) + 0.4 * np.eye(3))
    fits = [fit_linear_mixed_model(Sums.of(*data), [0, 1, 2], kind) for kind in ("factor", "full")]
    torch.testing.assert_close(fits[0].sigma, fits[1].sigma, rtol=1e-4, atol=1e-5)
    errors = [fit.information.sigma_se for fit in fits]
    np.testing.assert_allclose(*errors, rtol=1e-3)


def test_how_many_effects_a_structure_takes():
    assert [fewest_effects(kind) for kind in ("diagonal", "full", *KINDS)] == [1, 1, 3, 5]
    assert [saves_numbers("factor", r) for r in (3, 4)] == [False, True]


def test_coordinates_give_the_matrix_back():
    load, own = np.array([0.5, -0.3, 0.5, 0.2]), np.array([0.6, 0.8, 0.5, 0.9])
    coordinates = FactorCoordinates(np.column_stack([np.diag(own), load]))
    sigma = np.outer(load, load) + np.diag(own**2)
    at = coordinates.start(sigma)
    assert len(at) == coordinates.n == 8
    np.testing.assert_allclose(coordinates.sigma(at), sigma, rtol=1e-9)
    z = np.zeros(8)
    z[-1] = 0.8
    even = coordinates.log_prior(z) - coordinates.log_prior(np.zeros(8))
    assert even == pytest.approx(np.log(1 - np.tanh(0.8) ** 2))
