"""The curvature, against what is known of it, autograd and finite differences."""

import copy

import numpy as np
import pytest
import torch

from nme_core.batches.sequences import pad_units
from nme_core.nn import (
    MLP,
    Categorical,
    CRFNetwork,
    Gaussian,
    LinearChain,
    MixedEffects,
    contrasts,
)
from nme_core.training import Laplace, RandomEffectsCovariance
from nme_core.training.laplace import in_double, without_negative
from nme_core.training.objective import total_deviance

SIZES = [5, 9, 2]


def make_problem(family, network, random, y) -> Laplace:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(3), SIZES)
    x = rng.normal(size=(len(groups), 2)).astype(np.float32)
    mixed = MixedEffects(network, random, 3)
    with torch.no_grad():
        mixed.deviations.normal_()
    sequences = groups if isinstance(family, LinearChain) else None
    batches = pad_units(x, y(rng, len(groups)), groups, sequences=sequences)
    covariance = RandomEffectsCovariance(mixed.n_random, "diagonal", start=0.5)
    problem = Laplace(mixed, family, [covariance], n_rows=16, seed=0, batches=batches)
    return problem, x, groups


def test_of_the_last_layer_it_is_known():
    random = ["layers.1.weight", "layers.1.bias"]
    problem, x, groups = make_problem(
        Gaussian(), MLP(2, (3,), 1), random, lambda r, n: r.normal(size=n).astype(np.float32)
    )
    hidden = torch.relu(problem.mixed.module.layers[0](torch.from_numpy(x))).detach().numpy()
    design = np.column_stack([hidden, np.ones(len(x))])
    found = problem.curvature()
    for person in range(3):
        z = design[groups == person]
        np.testing.assert_allclose(found[person], z.T @ z, rtol=1e-5, atol=1e-5)
    problem.residual_variance = 0.7
    problem.finish(validated=False)
    for person in range(3):
        z = design[groups == person]
        expected = np.linalg.inv(z.T @ z / 0.7 + np.eye(4) / 0.5)
        own = problem.posterior_covariance()[person]
        np.testing.assert_allclose(own, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("states", [False, True])
def test_it_is_the_second_derivative(states):
    """Against autograd, one person after the other; the chain through its torch recursion."""
    if states:
        family, network = LinearChain(), CRFNetwork(2, (), 3)
        random = ["transitions", "emission.layers.0.bias"]
    else:
        family, network = Categorical(3), MLP(2, (), 2)
        random = ["layers.0.weight", "layers.0.bias"]
    problem, x, groups = make_problem(family, network, random, lambda r, n: r.integers(0, 3, n))
    found = problem.curvature().double()
    for person in range(3):
        rows = torch.from_numpy(x[groups == person]).double()

        def log_partition(eta, rows=rows, person=person):
            mixed = problem.mixed.double()
            at = mixed.deviations[person].detach() + eta
            output = mixed(rows.unsqueeze(0), deviations=at.unsqueeze(0))
            if not states:
                return torch.logsumexp(output[0] @ contrasts(3).T, dim=1).sum()
            emissions, transitions = output[0][0], output[1][0]
            alpha = emissions[0]
            for row in emissions[1:]:
                alpha = torch.logsumexp(alpha.unsqueeze(1) + transitions, dim=0) + row
            return torch.logsumexp(alpha, dim=0)

        expected = torch.autograd.functional.hessian(
            log_partition, torch.zeros(problem.mixed.n_random).double()
        )
        torch.testing.assert_close(found[person], expected.detach(), rtol=1e-4, atol=1e-5)


def second_derivative(problem: Laplace, person: int) -> torch.Tensor:
    """Of half a person's deviance, by differences of its gradient; float64."""
    mixed = copy.deepcopy(problem.mixed).double()
    rows = [in_double(batch) for batch in problem._rows]
    mean = mixed.deviations.detach()

    def slope(k: int, step: float) -> torch.Tensor:
        at = mean.clone()
        at[person, k] += step
        at.requires_grad_()
        half = total_deviance(mixed, problem.family, rows, deviations=at) / 2
        return torch.autograd.grad(half, at)[0][person]

    step = 1e-5
    found = [(slope(k, step) - slope(k, -step)) / (2 * step) for k in range(mixed.n_random)]
    return torch.stack(found)


LAST = ["emission.layers.1.weight", "emission.layers.1.bias", "transitions"]


@pytest.mark.parametrize(
    ("family", "random"),
    [
        (Categorical(3), ["layers.1.weight", "layers.1.bias"]),
        (Categorical(3), ["layers.0.weight"]),
        (LinearChain(), LAST),
        (LinearChain(), ["transitions"]),
        (LinearChain(), ["emission.layers.0.weight"]),
    ],
)
def test_it_is_the_second_derivative_where_the_scores_are_linear(family, random):
    """As they are, between the kinks of ReLU, in one layer and in transitions."""
    states = isinstance(family, LinearChain)
    network = CRFNetwork(2, (4,), 3) if states else MLP(2, (4,), 2)
    problem, *_ = make_problem(family, network, random, lambda r, n: r.integers(0, 3, n))
    found = problem.curvature().double()
    for person in range(3):
        expected = second_derivative(problem, person)
        torch.testing.assert_close(found[person], expected, rtol=1e-4, atol=1e-4)


def test_missing_labels_and_the_state_before_are_counted():
    """Several sequences of a person, with gaps in their labels and a known state before them."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(3), [8, 9, 4])
    sequences = np.repeat(np.arange(5), [3, 5, 2, 7, 4])
    y = rng.integers(0, 3, len(groups))
    y[rng.random(len(y)) < 0.4] = -1
    batches = pad_units(
        rng.normal(size=(len(y), 2)).astype(np.float32),
        y,
        groups,
        sequences=sequences,
        initial=rng.integers(-1, 3, len(y)),
    )
    mixed = MixedEffects(CRFNetwork(2, (4,), 3), LAST, 3)
    with torch.no_grad():
        mixed.deviations.normal_()
    prior = RandomEffectsCovariance(mixed.n_random, "diagonal", start=0.5)
    problem = Laplace(mixed, LinearChain(), [prior], n_rows=21, seed=0, batches=batches)
    found = problem.curvature().double()
    for person in range(3):
        expected = second_derivative(problem, person)
        torch.testing.assert_close(found[person], expected, rtol=1e-4, atol=1e-4)


def test_negative_curvature_counts_as_flat():
    vectors = torch.linalg.qr(torch.randn(4, 4).double()).Q
    values = torch.tensor([2.0, 0.3, -1e-3, -4.0]).double()
    good = vectors * values.abs() @ vectors.T
    both = torch.stack([vectors * values @ vectors.T, good])
    found = without_negative(both, 1e-6 * torch.eye(4).double())
    torch.testing.assert_close(found[0], vectors * values.clamp_min(0) @ vectors.T)
    assert torch.equal(found[1], good)


@pytest.mark.parametrize(("layers", "agree"), [((1,), True), ((0,), True), ((0, 1), False)])
def test_gauss_and_newton_is_the_curvature_where_the_output_is_linear(layers, agree):
    """As it is, between the kinks of ReLU, in one layer; not in two layers at once."""
    random = [f"layers.{layer}.{part}" for layer in layers for part in ("weight", "bias")]
    network = MLP(2, (4,), 2)
    problem, *_ = make_problem(Categorical(3), network, random, lambda r, n: r.integers(0, 3, n))
    exact = torch.stack([second_derivative(problem, person) for person in range(3)])
    assert torch.allclose(problem.curvature().double(), exact, rtol=1e-3, atol=1e-4) == agree
