"""A CRF for each person alone: at the maximum, finite, and chosen by the validation rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nme_core.batches.sequences import Batch, pad_units
from nme_core.nn import CRFNetwork, MixedEffects
from nme_core.training import RandomEffectsCovariance, SeparateChain
from nme_core.training.exact_chain import chain_data
from nme_core.training.separate_chain import RIDGES, newton

K, F = 3, 2


def rows(n_people: int = 4, n_steps: int = 30, seed: int = 0) -> list[Batch]:
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_people), n_steps)
    x = rng.normal(size=(len(groups), F)).astype(np.float32)
    y = (x[:, 0] + rng.normal(size=len(groups)) > 0).astype(np.int64)
    y[groups > 0] += x[groups > 0, 1] > 1  # the first person is never in the last state
    return pad_units(x, y, groups, sequences=groups)


def untrained(n_people: int = 4) -> SeparateChain:
    network = CRFNetwork(F, (), K)
    mixed = MixedEffects(network, [name for name, _ in network.named_parameters()], n_people)
    return SeparateChain(mixed, [RandomEffectsCovariance(mixed.n_random, "diagonal", start=1.0)])


def fitted(train: list[Batch], held: list[Batch]) -> SeparateChain:
    problem = untrained()
    problem.solve(train, held, None)
    return problem


def test_every_person_is_at_the_maximum() -> None:
    train = rows()
    problem = fitted(train, rows(seed=1))
    data = chain_data(problem.mixed, train)
    theta = torch.zeros(data.n_parameters, dtype=torch.float64)
    eta = problem.mixed.deviations.detach()
    slope = data.derivatives(theta, eta, slice(0, 4), order=1)[1][:, data.places]
    np.testing.assert_allclose(slope, problem.ridge * eta, atol=1e-9)
    assert all(bool((value == 0).all()) for value in problem.mixed.fixed().values())


def test_a_state_that_a_person_never_is_in_has_a_finite_score() -> None:
    eta = fitted(rows(), rows(seed=1)).mixed.deviations
    assert bool(torch.isfinite(eta).all())
    assert float(eta.detach().abs().max()) < 20


def test_the_ridge_is_the_one_with_the_least_loss_on_the_validation_rows() -> None:
    train, held = rows(), rows(seed=1)
    problem = fitted(train, held)
    data, other = chain_data(problem.mixed, train), chain_data(problem.mixed, held)
    theta = torch.zeros(data.n_parameters, dtype=torch.float64)
    start = torch.zeros(4, data.n_parameters, dtype=torch.float64)
    losses = {
        ridge: -float(other.log_likelihoods(theta, newton(data, theta, start, ridge, 1e-12)).sum())
        for ridge in RIDGES[::2]
    }
    here = -float(other.log_likelihoods(theta, problem.mixed.deviations.detach()).sum())
    assert here < min(losses.values()) + 0.05


@pytest.mark.parametrize("ridge", [0.1, 10.0])
def test_nobody_learns_from_another(ridge: float) -> None:
    train, found = rows(), []
    for change in (0, 1):
        train[0].y[1] = (train[0].y[1] + change) % K
        data = chain_data(untrained().mixed, train)
        theta = torch.zeros(data.n_parameters, dtype=torch.float64)
        start = torch.zeros(4, data.n_parameters, dtype=torch.float64)
        found.append(newton(data, theta, start, ridge, 1e-14))
    np.testing.assert_allclose(found[0][[0, 2, 3]], found[1][[0, 2, 3]], atol=1e-8)
    assert float((found[0][1] - found[1][1]).abs().max()) > 0.1
