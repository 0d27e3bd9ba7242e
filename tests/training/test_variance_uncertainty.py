"""Uncertainty of variances against numerical integration and in simulation."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from nme_core.training import VarianceUncertainty


def one_way(n_persons, variance, error, seed):
    """True effects, estimates at the ML variance, conditional variances and that variance."""
    rng = np.random.default_rng(seed)
    own = rng.normal(0, variance**0.5, n_persons)
    b = own + rng.normal(0, error**0.5, n_persons)
    at = max(float(np.mean(b**2)) - error, 1e-8)
    shrunk = at / (at + error)
    columns = (own, b * shrunk, np.full(n_persons, shrunk * error), np.array([at]))
    return [torch.from_numpy(column) for column in columns]


def test_mean_and_variance_are_those_of_the_integral():
    _, estimate, conditional, at = one_way(20, 1.0, 2.0, seed=2)
    found = VarianceUncertainty.of(estimate.unsqueeze(1), conditional.unsqueeze(1), at)
    b = (estimate / (at / (at + 2.0))).numpy()

    def density(root):
        total = root**2 + 2.0
        fit = -0.5 * np.sum(np.log(total / 2.0) + b**2 / total - b**2 / 2.0)
        return np.exp(fit) / (1 + root**2)

    mass, mean, square = (
        quad(lambda root, k=k: density(root) * root ** (2 * k), 0, 5)[0] for k in range(3)
    )
    assert float(found.mean) == pytest.approx(mean / mass, rel=0.02)
    assert float(found.variance) == pytest.approx(square / mass - (mean / mass) ** 2, rel=0.05)
    assert float(found.mean) > float(at)


def test_many_persons_leave_nothing_uncertain():
    _, estimate, conditional, at = one_way(20_000, 1.0, 0.5, seed=1)
    found = VarianceUncertainty.of(estimate.unsqueeze(1), conditional.unsqueeze(1), at)
    assert float(found.mean) == pytest.approx(float(at), rel=0.02)
    added = found.added(estimate.unsqueeze(1), conditional.unsqueeze(1))
    assert float((added / conditional.unsqueeze(1)).max()) < 0.02


def test_a_full_matrix_keeps_its_correlations():
    sigma = torch.tensor([[4.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
    uncertainty = VarianceUncertainty(
        sigma.diagonal(), torch.tensor([8.0, 1.0]).double(), torch.ones(2).double()
    )
    widened = uncertainty.widened(sigma)
    assert widened.diagonal().tolist() == pytest.approx([8.0, 1.0])
    assert float(widened[0, 1] / (8.0 * 1.0) ** 0.5) == pytest.approx(0.5)


def test_few_persons_are_covered_where_the_maximum_alone_is_not():
    """12 persons with as much error as variance, 400 studies: binomial error 0.3 % and more."""
    plain, counted = [], []
    for seed in range(400):
        own, estimate, conditional, at = one_way(12, 1.0, 1.0, seed)
        found = VarianceUncertainty.of(estimate.unsqueeze(1), conditional.unsqueeze(1), at)
        variance = found.mean / (found.mean + 1.0)
        variance = variance + found.added(estimate.unsqueeze(1), conditional.unsqueeze(1))[:, 0]
        error = (estimate - own).abs()
        plain.append(float((error < 1.96 * conditional.sqrt()).double().mean()))
        counted.append(float((error < 1.96 * variance.sqrt()).double().mean()))
    assert np.mean(plain) < 0.88
    assert 0.90 < np.mean(counted) < 0.97
