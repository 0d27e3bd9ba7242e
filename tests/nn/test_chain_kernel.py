"""Derivatives of linear chains against every path written out, and finite differences."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
import torch

from nme_core.nn import contrasts
from nme_core.nn.chain_kernel import Chains
from nme_core.training import RandomEffectsCovariance
from nme_core.training.chain_data import ChainData
from nme_core.training.chain_modes import ChainModes
from nme_core.training.chain_sums import Sums

K, F = 3, 2
LENGTHS, OWNERS = [4, 1, 3, 5], [0, 2, 3, 4]
INITIAL = [-1, 2, 0, -1]
STEP = 1e-5


def make(
    missing: float, *, emissions: bool, lengths: list[int] = LENGTHS, n_states: int = K
) -> tuple[ChainData, torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(3)
    n = sum(lengths)
    y = rng.integers(0, n_states, n)
    y[rng.random(n) < missing] = -1
    chains = Chains(
        rng.normal(size=(n, F)).astype(np.float32),
        y,
        np.concatenate([[0], np.cumsum(lengths)]),
        np.array(INITIAL),
        np.array(OWNERS),
    )
    n_layer = (n_states - 1) * (F + 1)
    places = torch.arange(0 if emissions else n_layer, n_layer + n_states**2)
    data = ChainData(chains, contrasts(n_states).numpy(), places)
    theta = torch.from_numpy(rng.normal(size=data.n_parameters))
    return data, theta, torch.from_numpy(rng.normal(size=(3, len(places))) / 2)


def naive_log_likelihood(data: ChainData, psi: np.ndarray, i: int) -> float:
    """log p of all sequences of a person, every path written out."""
    chains, total = data.chains, 0.0
    weight = psi[: data.n_emission].reshape(K - 1, F + 1)
    moves = psi[data.n_emission :].reshape(K, K)
    for u in range(chains.owners[i], chains.owners[i + 1]):
        rows = slice(chains.edges[u], chains.edges[u + 1])
        x, y = np.pad(chains.x[rows], ((0, 0), (0, 1)), constant_values=1), chains.y[rows]
        scores = x.astype(float) @ (data.basis @ weight).T
        agreeing = everything = 0.0
        for path in product(range(K), repeat=len(y)):
            score = sum(scores[t, k] for t, k in enumerate(path))
            score += sum(moves[j, k] for j, k in pairwise(path))
            if chains.initial[u] >= 0:
                score += moves[chains.initial[u], path[0]]
            everything += np.exp(score)
            agreeing += np.exp(score) * all(y[t] in (-1, k) for t, k in enumerate(path))
        total += np.log(agreeing / everything)
    return total


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_log_likelihood_is_that_of_every_path(missing: float) -> None:
    data, theta, eta = make(missing, emissions=True)
    expected = [naive_log_likelihood(data, (theta + own).numpy(), i) for i, own in enumerate(eta)]
    np.testing.assert_allclose(data.log_likelihoods(theta, eta), expected, rtol=1e-12)


#: Longer than the steps whose products are taken at once, and more states than are added at once.
LONG, MANY = [150, 1, 3, 65], 5


@pytest.mark.parametrize(("lengths", "n_states"), [(LENGTHS, K), (LONG, MANY)])
@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_gradient_and_curvature_are_those_of_differences(
    missing: float, lengths: list[int], n_states: int
) -> None:
    data, theta, eta = make(missing, emissions=False, lengths=lengths, n_states=n_states)
    people = slice(0, 3)
    _, gradient, curvature = data.derivatives(theta, eta, people)
    for r, unit in enumerate(torch.eye(len(theta), dtype=torch.float64)):
        up = data.derivatives(theta + STEP * unit, eta, people, order=1)
        down = data.derivatives(theta - STEP * unit, eta, people, order=1)
        slope = (up[0] - down[0]) / (2 * STEP)
        np.testing.assert_allclose(gradient[:, r], slope, atol=2e-9 * max(lengths))
        bend = -(up[1] - down[1]) / (2 * STEP)
        np.testing.assert_allclose(curvature[:, :, r], bend, atol=2e-9 * max(lengths))


@pytest.mark.parametrize(("lengths", "n_states"), [(LENGTHS, K), (LONG, MANY)])
@pytest.mark.parametrize("emissions", [False, True])
@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_slopes_of_the_curvature_are_those_of_differences(
    missing: float, emissions: bool, lengths: list[int], n_states: int
) -> None:
    data, theta, eta = make(missing, emissions=emissions, lengths=lengths, n_states=n_states)
    rng, people, q = np.random.default_rng(0), slice(0, 3), eta.shape[1]
    roots = torch.from_numpy(rng.normal(size=(3, q, q)))
    slopes = data.curvature_slopes(theta, eta, roots, people)
    for r, unit in enumerate(torch.eye(len(theta), dtype=torch.float64)):
        up = data.derivatives(theta + STEP * unit, eta, people)[2]
        down = data.derivatives(theta - STEP * unit, eta, people)[2]
        change = ((up - down) / (2 * STEP))[:, data.places][:, :, data.places]
        expected = (roots @ roots.transpose(1, 2) * change).sum((1, 2))
        np.testing.assert_allclose(slopes[:, r], expected, atol=2e-7 * max(lengths))


def naive_moves(data: ChainData, psi: np.ndarray, i: int) -> np.ndarray:
    """Moves that a person's features alone let expect, every path written out."""
    chains, total = data.chains, np.zeros((K, K))
    weight = psi[: data.n_emission].reshape(K - 1, F + 1)
    moves = psi[data.n_emission :].reshape(K, K)
    for u in range(chains.owners[i], chains.owners[i + 1]):
        rows = slice(chains.edges[u], chains.edges[u + 1])
        x = np.pad(chains.x[rows], ((0, 0), (0, 1)), constant_values=1)
        scores, everything, found = x.astype(float) @ (data.basis @ weight).T, 0.0, np.zeros((K, K))
        for path in product(range(K), repeat=len(x)):
            steps = list(pairwise(path))
            weighed = np.exp(
                sum(scores[t, k] for t, k in enumerate(path)) + sum(moves[j, k] for j, k in steps)
            )
            everything += weighed
            for j, k in steps:
                found[j, k] += weighed
        total += found / everything
    return total


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_expected_moves_are_those_of_every_path_and_their_slopes_of_differences(
    missing: float,
) -> None:
    data, theta, eta = make(missing, emissions=True)
    counts, slopes = data.expected_moves(theta, eta)
    for i, own in enumerate(eta):
        expected = naive_moves(data, (theta + own).numpy(), i)
        np.testing.assert_allclose(counts[i].view(K, K), expected, atol=1e-10)
    for r, unit in enumerate(torch.eye(len(theta), dtype=torch.float64)):
        up, down = (data.expected_moves(theta + s * STEP * unit, eta)[0] for s in (1, -1))
        np.testing.assert_allclose(slopes[:, :, r], (up - down) / (2 * STEP), atol=1e-8)


@pytest.mark.parametrize("emissions", [False, True])
def test_a_diagonal_covariance_adds_up_to_what_a_full_one_does(emissions: bool) -> None:
    data, theta, eta = make(0.0, emissions=emissions)
    precision = torch.linspace(0.5, 3, eta.shape[1], dtype=torch.float64)
    short, long = (Sums.at(data, theta, eta, p, exact=True) for p in (precision, precision.diag()))
    for name in ("curvature", "score", "bent", "own", "bend", "spread", "squares", "conditional"):
        np.testing.assert_allclose(getattr(short, name), getattr(long, name), atol=1e-9)
    np.testing.assert_allclose(short.coupling(), long.coupling(), atol=1e-6)
    np.testing.assert_allclose(short.behind(theta), long.behind(theta), atol=1e-5)
    np.testing.assert_allclose(short.gathered(eta), long.gathered(eta), atol=1e-5)
    assert short.tilt == pytest.approx(long.tilt)


def test_the_modes_follow_a_covariance_that_moves() -> None:
    """A small step of Σ leaves a mode with an error of its square."""
    data, theta, eta = make(0.0, emissions=False)
    covariance = RandomEffectsCovariance(eta.shape[1], "diagonal", start=0.5)
    modes, far = ChainModes(data, covariance, (torch.arange(len(theta)) < 6).double()), []
    for _ in range(30):
        modes.step()
        modes.exact = False  # log|M_i| is not followed
    at = modes.theta, modes.eta
    for change in (0.02, 0.01):
        modes.theta, modes.eta = at
        covariance.update(torch.full((eta.shape[1],), 0.5))
        modes.follow(modes.sums(), torch.full((eta.shape[1],), 0.5 + change).double().diag())
        far.append(float(modes.sums().own.abs().max()))
    assert far[0] / far[1] == pytest.approx(4, rel=0.1)


def test_the_slope_of_a_variance_at_0_is_that_of_differences() -> None:
    data, theta, _ = make(0.0, emissions=False)
    moving = torch.arange(9) < 5
    own = replace(data, places=data.places[moving])
    covariance = RandomEffectsCovariance(9, "diagonal", start=0.5)
    modes = ChainModes(data, covariance, torch.zeros(len(theta), dtype=torch.float64))

    def height(variance: float, k: int) -> float:
        sigma = torch.where(moving, 0.5, 1e-8).double()
        sigma[k] = variance
        covariance.update(sigma)
        modes.theta, modes.eta = theta, torch.zeros(3, 9, dtype=torch.float64)
        for _ in range(40):
            modes.eta = modes.eta + modes.sums().own
        return modes.value(modes.sums())

    height(1e-8, 8)
    idle = data.places[~moving]
    precision = torch.full((5,), 2.0, dtype=torch.float64)
    sums = Sums.at(own, theta, modes.eta[:, moving], precision, exact=True, idle=idle)
    for k, rise in zip((5, 6, 7, 8), sums.rise, strict=True):
        slope = (height(2e-4, k) - height(1e-4, k)) / 1e-4
        assert slope == pytest.approx(float(rise) / 2, rel=2e-3, abs=1e-4)


def test_scores_far_apart_do_not_overflow() -> None:
    data, theta, eta = make(0.4, emissions=False)
    value, gradient, curvature = data.derivatives(30 * theta, eta, slice(0, 3))
    assert all(bool(torch.isfinite(part).all()) for part in (gradient, curvature))
    assert bool((value <= 0).all())
