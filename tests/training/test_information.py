"""Information on shared and own parameters against dense matrices of all of them."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

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
from nme_core.training import affordable, person_curvature, shared_covariance

N_PERSONS, N_ROWS = 4, 5


def rows(y):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(N_PERSONS * N_ROWS, 2)).astype(np.float32)
    return x, pad_units(
        x,
        y,
        np.repeat(np.arange(N_PERSONS), N_ROWS),
        sequences=np.repeat(np.arange(N_PERSONS), N_ROWS),
    )


def network(module, random, seed=0):
    mixed = MixedEffects(module, random, N_PERSONS)
    generator = torch.Generator().manual_seed(seed)
    for value in mixed.parameters():
        value.data = 0.5 * torch.randn(value.shape, generator=generator)
    return mixed.double().requires_grad_(False)


def dense(value, phi, eta):
    """Inverse of half the second derivative of `value` of (φ, all η)."""
    start = torch.cat([phi, eta.reshape(-1)])

    def flat(at):
        return value(at[: len(phi)], at[len(phi) :].view_as(eta))

    return torch.linalg.inv(torch.autograd.functional.hessian(flat, start) / 2)


def check(information, whole, precision):
    """V and every cov(η_i) are blocks of the dense inverse."""
    shared = shared_covariance(information, precision)
    p, n_random = len(shared), information.conditional.shape[1]
    torch.testing.assert_close(shared, whole[:p, :p], rtol=1e-3, atol=1e-5)
    effects = information.effects_covariance(shared)
    cross = information.coupling @ shared
    for i in range(N_PERSONS):
        place = slice(p + i * n_random, p + (i + 1) * n_random)
        torch.testing.assert_close(effects[i], whole[place, place], rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(cross[i], whole[place, :p], rtol=1e-3, atol=1e-5)


def test_linear_model_gives_hendersons_equations():
    y = np.random.default_rng(0).normal(size=N_PERSONS * N_ROWS).astype(np.float32)
    x, batches = rows(y)
    mixed = network(MLP(2, (), 1), ["layers.0.bias"])
    sigma, variance = torch.tensor([0.7], dtype=torch.float64), 0.4
    information = person_curvature(
        mixed.float(), Gaussian(), batches, free=["layers.0.weight", "layers.0.bias"],
        residual_variance=variance,
    ).given(sigma)  # fmt: skip
    X = np.column_stack([x, np.ones(len(x))])
    Z = np.kron(np.eye(N_PERSONS), np.ones((N_ROWS, 1)))
    both = np.hstack([X, Z])
    equations = both.T @ both / variance
    equations[3:, 3:] += np.eye(N_PERSONS) / 0.7
    check(information, torch.from_numpy(np.linalg.inv(equations)), {})
    V = variance * np.eye(len(X)) + 0.7 * Z @ Z.T
    fixed = np.linalg.inv(X.T @ np.linalg.solve(V, X))
    np.testing.assert_allclose(shared_covariance(information, {}), fixed, rtol=1e-4)


def naive_log_partition(emissions, transitions):
    """Of one sequence, over every path."""
    n_steps, n_states = emissions.shape
    scores = [
        sum(emissions[t, path[t]] for t in range(n_steps))
        + sum(transitions[path[t - 1], path[t]] for t in range(1, n_steps))
        for path in itertools.product(range(n_states), repeat=n_steps)
    ]
    return torch.logsumexp(torch.stack(scores), 0)


def test_sequences_give_the_dense_curvature():
    y = np.random.default_rng(1).integers(0, 2, N_PERSONS * N_ROWS)
    x, batches = rows(y)
    mixed = network(CRFNetwork(2, (), 2), ["transitions"])
    free = ["transitions", "emission.layers.0.weight", "emission.layers.0.bias"]
    assert set(free) == {*mixed.fixed()}
    sigma = torch.tensor([0.5, 0.4, 0.3, 0.6], dtype=torch.float64)
    precision = {name: torch.full_like(value, 0.5) for name, value in mixed.fixed().items()}
    information = person_curvature(
        mixed, LinearChain(), batches, free=free, residual_variance=1.0
    ).given(sigma)
    inputs = torch.from_numpy(x).double().view(N_PERSONS, N_ROWS, 2)
    labels = torch.from_numpy(y).view(N_PERSONS, N_ROWS)

    def value(phi, eta):
        shared, weight, bias = phi[:4].view(2, 2), phi[4:6].view(1, 2), phi[6:]
        total = 0.5 * phi.square().sum() + (eta.square() / sigma).sum()
        for i in range(N_PERSONS):
            emissions = (inputs[i] @ weight.T + bias) @ contrasts(2).T
            own = shared + eta[i].view(2, 2)
            score = emissions[torch.arange(N_ROWS), labels[i]].sum()
            score = score + own[labels[i, :-1], labels[i, 1:]].sum()
            total = total + 2 * (naive_log_partition(emissions, own) - score)
        return total

    phi = torch.cat([mixed.fixed()[name].reshape(-1) for name in free])
    check(information, dense(value, phi, mixed.deviations.data), precision)


def test_the_last_layer_of_a_network_for_classes():
    """Parameters that are not free count as known; those of a person need not be free."""
    y = np.random.default_rng(2).integers(0, 3, N_PERSONS * N_ROWS)
    x, batches = rows(y)
    mixed = network(MLP(2, (3,), 2), ["layers.1.bias"])
    free = ["layers.1.weight"]
    sigma = torch.full((2,), 0.5, dtype=torch.float64)
    precision = {name: torch.full_like(value, 0.2) for name, value in mixed.fixed().items()}
    information = person_curvature(
        mixed.float(), Categorical(3), batches, free=free, residual_variance=1.0
    ).given(sigma)
    fixed = {name: value.double() for name, value in mixed.fixed().items()}
    hidden = torch.from_numpy(x).double() @ fixed["layers.0.weight"].T + fixed["layers.0.bias"]
    units = nn.functional.relu(hidden)

    def value(phi, eta):
        own = (fixed["layers.1.bias"] + eta).repeat_interleave(N_ROWS, dim=0)
        output = (units @ phi.view(2, 3).T + own) @ contrasts(3).T
        loss = nn.functional.cross_entropy(output, torch.from_numpy(y), reduction="sum")
        return 2 * loss + 0.2 * phi.square().sum() + (eta.square() / 0.5).sum()

    phi = fixed["layers.1.weight"].reshape(-1)
    check(information, dense(value, phi, mixed.deviations.data.double()), precision)


def test_what_the_data_leave_open_has_no_covariance():
    """Two features that are the same have no weights of their own without a prior."""
    x, _ = rows(np.random.default_rng(2).integers(0, 2, N_PERSONS * N_ROWS))
    twice = np.repeat(x[:, :1], 2, axis=1)
    y = np.random.default_rng(2).integers(0, 2, N_PERSONS * N_ROWS)
    batches = pad_units(twice, y, np.repeat(np.arange(N_PERSONS), N_ROWS))
    mixed = network(MLP(2, (), 1), ["layers.0.bias"]).float()
    information = person_curvature(
        mixed, Categorical(2), batches, free=["layers.0.weight"], residual_variance=1.0
    ).given(torch.ones(1, dtype=torch.float64))
    assert shared_covariance(information, {}) is None
    prior = {"layers.0.weight": torch.ones(1, 2)}
    assert shared_covariance(information, prior) is not None


@pytest.mark.parametrize(("persons", "n_rows", "fits"), [(10, 100, True), (10**7, 100, False)])
def test_large_studies_are_left_out(persons, n_rows, fits):
    mixed = MixedEffects(MLP(2, (), 1), ["layers.0.bias"], persons)
    assert affordable(mixed, ["layers.0.weight", "layers.0.bias"], n_rows) is fits
    assert not affordable(mixed, ["layers.0.weight", "layers.0.bias"], 10**9)
