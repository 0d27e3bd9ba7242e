"""Spreads of all persons together, against each person's own matrices."""

import numpy as np
import pytest
import torch

from nme_core.batches.sequences import pad_units
from nme_core.nn import MLP, Gaussian, MixedEffects
from nme_core.training import Laplace, RandomEffectsCovariance
from nme_core.training import covariance as parts
from nme_core.training.objective import group_divergence, sum_over_groups
from nme_core.training.spread import PersonSpread

N_PERSONS, N_RANDOM, VARIANCE = 7, 3, 0.5
FACTOR = torch.tensor([2.0, 0.5, 1.5])


@pytest.fixture(params=[2**20, 20], ids=["all people at once", "two at a time"])
def at_once(request, monkeypatch):
    monkeypatch.setattr(parts, "AT_ONCE", request.param)


def curvatures(seed=0):
    root = torch.randn(
        N_PERSONS, N_RANDOM, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    return root @ root.transpose(1, 2)


def followed(dtype=torch.float64):
    spread = PersonSpread(torch.zeros(N_PERSONS, N_RANDOM, dtype=dtype), std=0.05)
    prior = torch.diag(torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64))
    spread.follow(curvatures(), prior, VARIANCE)
    return spread, torch.linalg.inv(curvatures() / VARIANCE + prior)


@pytest.mark.usefixtures("at_once")
def test_it_is_the_inverse_curvature_with_the_prior():
    spread, exact = followed()
    torch.testing.assert_close(spread.covariances(), exact)
    torch.testing.assert_close(spread.mean, exact.mean(0))
    torch.testing.assert_close(spread.log_determinant, torch.logdet(exact).mean())


@pytest.mark.usefixtures("at_once")
def test_a_change_of_scale_reaches_everything():
    spread, exact = followed()
    for _ in range(2):
        spread.rescale(FACTOR.unsqueeze(0))
    square = FACTOR.double().square()
    scaled = square.unsqueeze(1) * exact * square
    torch.testing.assert_close(spread.covariances(), scaled)
    torch.testing.assert_close(spread.mean, scaled.mean(0))
    torch.testing.assert_close(spread.log_determinant, torch.logdet(scaled).mean())
    units = torch.eye(N_RANDOM, dtype=torch.float64)
    columns = torch.stack(
        [spread.draw(spread.lower, unit.expand(N_PERSONS, -1)) for unit in units], dim=2
    )
    torch.testing.assert_close(columns @ columns.transpose(1, 2), scaled)


def test_it_goes_back_to_a_state():
    spread, exact = followed()
    back = spread.snapshot()
    spread.rescale(FACTOR.unsqueeze(0))
    spread.follow(curvatures(1), torch.eye(N_RANDOM, dtype=torch.float64), VARIANCE)
    back()
    torch.testing.assert_close(spread.covariances(), exact)
    torch.testing.assert_close(spread.mean, exact.mean(0))
    torch.testing.assert_close(spread.log_determinant, torch.logdet(exact).mean())


@pytest.mark.parametrize("kind", ["diagonal", "full"])
def test_the_divergence_is_that_of_every_person(kind):
    """Over the batches of an epoch; and its gradient by the means."""
    torch.manual_seed(1)
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(N_PERSONS), 4)
    x = rng.normal(size=(len(groups), 2)).astype(np.float32)
    batches = pad_units(x, x[:, 0], groups)
    mixed = MixedEffects(MLP(2, (), 1), ["layers.0.weight", "layers.0.bias"], N_PERSONS).double()
    with torch.no_grad():
        mixed.deviations.normal_()
    sigma = RandomEffectsCovariance(N_RANDOM, kind, start=0.3)
    sigma.update(torch.cov(torch.randn(N_RANDOM, 9)), rate=0.5)
    problem = Laplace(
        mixed, Gaussian(), [sigma], n_rows=len(groups), seed=0, batches=batches
    )  # fmt: skip
    problem.spread.follow(curvatures(), sigma.precision, VARIANCE)
    problem.spread.rescale(FACTOR.unsqueeze(0))
    lower = torch.linalg.cholesky(problem.spread.covariances())
    logs = lower.diagonal(dim1=1, dim2=2).log()
    expected = group_divergence(mixed.deviations, logs, lower, sigma).sum()
    halves = [[batch.take(slice(0, 3)), batch.take(slice(3, None))] for batch in batches]
    each = problem.spread.divergence(mixed, [sigma], mixed.deviations, lower)
    found = sum(sum_over_groups([half], each) for pair in halves for half in pair)
    torch.testing.assert_close(found, expected)
    gradients = [torch.autograd.grad(value, mixed.deviations)[0] for value in (found, expected)]
    torch.testing.assert_close(*gradients)
