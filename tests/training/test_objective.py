"""J and the divergences, against loops and torch.distributions, in float64."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from nme_core.batches import sequences as sequences_module
from nme_core.batches.sequences import Batch, pad_units, steps
from nme_core.nn import MLP, CRFNetwork, Gaussian, LinearChain, MixedEffects
from nme_core.training import RandomEffectsCovariance
from nme_core.training.objective import group_divergence, penalised_deviance, shared_divergence

SIZES = [40, 3, 17, 1, 90, 25]
RESIDUAL_VARIANCE = 0.7


def draw_covariance(n: int, kind: str, seed: int = 0) -> RandomEffectsCovariance:
    root = torch.randn(n, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    covariance = RandomEffectsCovariance(n, kind, start=1.0)
    covariance.update(root @ root.T + 0.5 * torch.eye(n))
    return covariance


def number_study() -> tuple[MixedEffects, Gaussian, list[Batch]]:
    """Persons with several units each, some very short."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(len(SIZES)), SIZES))
    x, y = rng.normal(size=(len(groups), 2)), rng.normal(size=len(groups))
    mixed = MixedEffects(MLP(2, (3,), 1), ["layers.0.bias", "layers.1.weight"], len(SIZES))
    batches = pad_units(x, y, groups)
    assert sum(len(batch.groups) for batch in batches) > len(SIZES) + 2
    return mixed, Gaussian(), batches


def state_study() -> tuple[MixedEffects, LinearChain, list[Batch]]:
    """Persons with several sequences each, some labels missing."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    sequences = np.repeat(np.arange(len(SIZES)), SIZES)
    groups = sequences // 2
    x, y = rng.normal(size=(len(groups), 2)), rng.integers(-1, 3, len(groups))
    mixed = MixedEffects(CRFNetwork(2, (), 3), ["transitions", "emission.layers.0.bias"], 3)
    return mixed, LinearChain(), pad_units(x, y, groups, sequences=sequences)


STUDIES = {"numbers": number_study, "states": state_study}


def randomise(mixed: MixedEffects) -> MixedEffects:
    mixed = mixed.double()
    with torch.no_grad():
        mixed.deviations.normal_()
    return mixed


def loop_over_units(mixed, family, batches, covariance, weight) -> float:
    """J from its definition, one unit and one person after the other."""
    total, n_rows = 0.0, 0
    persons = set()
    for batch in batches:
        for unit in range(len(batch.groups)):
            alone = batch.take(torch.tensor([unit]))
            output = mixed(alone.x, groups=alone.groups)
            total += float(family.deviance(output, alone).sum().detach()) / RESIDUAL_VARIANCE
            n_rows += alone.n_rows
            persons.add(int(alone.groups[0]))
    inverse = torch.linalg.inv(covariance.matrix)
    for person in persons:
        eta = mixed.deviations[person]
        total += weight * float((eta @ inverse @ eta).detach())
    return total / n_rows


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("kind", ["diagonal", "full"])
@pytest.mark.parametrize("weight", [1.0, 0.0, 2.5])
def test_one_epoch_of_mini_batches_adds_up_to_the_objective(study, kind, weight, monkeypatch):
    mixed, family, batches = STUDIES[study]()
    mixed = randomise(mixed)
    covariance = draw_covariance(mixed.n_random, kind)
    n_rows = sum(batch.n_rows for batch in batches)

    def objective(some: list[Batch]) -> tuple[float, float]:
        value, deviance = penalised_deviance(
            mixed,
            family,
            some,
            covariances=[covariance],
            residual_variance=RESIDUAL_VARIANCE,
            n_rows=n_rows,
            weight=weight,
        )
        return float(value.detach()), float(deviance)

    whole, deviance = objective(batches)
    by_loop = loop_over_units(mixed, family, batches, covariance, weight)
    assert whole == pytest.approx(by_loop, rel=1e-12)
    monkeypatch.setattr(sequences_module, "ROWS_PER_STEP", 50)
    parts = [objective(step) for step in steps(batches, torch.Generator().manual_seed(1))]
    assert len(parts) > 2
    assert sum(j for j, _ in parts) == pytest.approx(whole, rel=1e-13)
    assert sum(d for _, d in parts) == pytest.approx(deviance, rel=1e-13)


def test_gradients_of_mini_batches_add_up_too():
    mixed, family, batches = number_study()
    mixed = randomise(mixed)
    options = {
        "covariances": [draw_covariance(mixed.n_random, "full")],
        "residual_variance": RESIDUAL_VARIANCE,
        "n_rows": sum(batch.n_rows for batch in batches),
    }
    penalised_deviance(mixed, family, batches, **options)[0].backward()
    whole = mixed.deviations.grad.clone()
    mixed.zero_grad()
    for batch in batches:
        for unit in range(len(batch.groups)):
            part = batch.take(torch.tensor([unit]))
            penalised_deviance(mixed, family, [part], **options)[0].backward()
    torch.testing.assert_close(mixed.deviations.grad, whole, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", ["diagonal", "full"])
def test_penalty_is_the_quadratic_part_of_the_normal_density(kind):
    covariance = draw_covariance(4, kind)
    eta = torch.randn(7, 4, dtype=torch.float64)
    normal = MultivariateNormal(torch.zeros(4, dtype=torch.float64), covariance.matrix)
    at_zero = normal.log_prob(torch.zeros(4, dtype=torch.float64))
    expected = -2 * (normal.log_prob(eta) - at_zero)
    torch.testing.assert_close(covariance.penalty(eta), expected)


def lower_factors(n: int, r: int) -> tuple[Tensor, Tensor]:
    log_diagonal = 0.4 * torch.randn(n, r, dtype=torch.float64)
    below = torch.tril(torch.randn(n, r, r, dtype=torch.float64), -1)
    return log_diagonal, below + torch.diag_embed(log_diagonal.exp())


@pytest.mark.parametrize("kind", ["diagonal", "full"])
@pytest.mark.parametrize("spread", ["diagonal", "full"])
def test_divergence_of_persons_is_that_of_the_normal_distributions(kind, spread):
    covariance = draw_covariance(3, kind)
    mean = torch.randn(5, 3, dtype=torch.float64)
    log_diagonal, lower = lower_factors(5, 3)
    if spread == "diagonal":
        lower = torch.diag_embed(log_diagonal.exp())
    prior = MultivariateNormal(torch.zeros(3, dtype=torch.float64), covariance.matrix)
    expected = 2 * kl_divergence(MultivariateNormal(mean, scale_tril=lower), prior)
    given = lower if spread == "full" else lower.new_zeros(5, 0, 0)
    result = group_divergence(mean, log_diagonal, given, covariance)
    torch.testing.assert_close(result, expected)


@pytest.mark.parametrize("n_prior", [1, 4])
def test_divergence_of_shared_weights_is_that_of_the_normal_distributions(n_prior):
    mean, log_std = torch.randn(3, 4).double(), torch.randn(3, 4).double()
    prior_variance = torch.rand(1, n_prior).double() + 0.2
    expected = 2 * kl_divergence(
        Normal(mean, log_std.exp()), Normal(0.0, prior_variance.sqrt().expand_as(mean))
    )
    result = shared_divergence(mean, log_std, prior_variance.expand_as(mean))
    torch.testing.assert_close(result, expected.sum())
    torch.testing.assert_close(shared_divergence(mean, log_std, prior_variance), expected.sum())
