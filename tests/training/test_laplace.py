"""The curvature by finite differences, against what is known of it."""

import numpy as np
import pytest
import torch

from nme_core.data.sequences import pad_units
from nme_core.nn import MLP, Categorical, CRFNetwork, Gaussian, LinearChain, MixedEffects
from nme_core.training import Laplace, RandomEffectsCovariance
from nme_core.training.laplace import curvature_by_differences, without_negative

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
        family, network = Categorical(), MLP(2, (), 3)
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
                return torch.logsumexp(output[0], dim=1).sum()
            emissions, transitions = output[0][0], output[1][0]
            alpha = emissions[0]
            for row in emissions[1:]:
                alpha = torch.logsumexp(alpha.unsqueeze(1) + transitions, dim=0) + row
            return torch.logsumexp(alpha, dim=0)

        expected = torch.autograd.functional.hessian(
            log_partition, torch.zeros(problem.mixed.n_random).double()
        )
        torch.testing.assert_close(found[person], expected.detach(), rtol=1e-4, atol=1e-5)


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
    network = MLP(2, (4,), 3)
    problem, *_ = make_problem(Categorical(), network, random, lambda r, n: r.integers(0, 3, n))
    exact = curvature_by_differences(problem.mixed, problem.family, problem._rows)
    assert torch.allclose(problem.curvature().double(), exact, rtol=1e-3, atol=1e-4) == agree
