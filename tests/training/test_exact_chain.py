"""The exact engine of chains: at the maximum, whatever the order, and what it says of bad rows."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from nme_core.batches.sequences import Batch, pad_units
from nme_core.estimators.placement import class_pools
from nme_core.exceptions import NMEWarning
from nme_core.nn import CRFNetwork, MixedEffects
from nme_core.training import ExactChain, NoMovesError, RandomEffectsCovariance, Verdict
from nme_core.training.chain_sums import Sums
from nme_core.training.exact_chain import chain_data

K, F = 3, 2
LAYER = ["emission.layers.0.weight", "emission.layers.0.bias"]
PLACEMENTS = {"transitions": ["transitions"], "last": LAYER, "both": [*LAYER, "transitions"]}


def rows(
    n_people: int = 12, n_steps: int = 25, *, missing: float = 0.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, states and people of chains that stay, each person for a time of their own."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_people), n_steps)
    x = rng.normal(size=(len(groups), F)).astype(np.float32)
    y = np.zeros(len(groups), dtype=np.int64)
    stays = rng.normal(0.8, 1, n_people)
    for i, person in enumerate(groups):
        score = np.array([0.0, x[i, 0], 0.3])
        if i and groups[i - 1] == person:
            score[y[i - 1]] += stays[person]
        y[i] = rng.choice(K, p=np.exp(score) / np.exp(score).sum())
    y[rng.random(len(y)) < missing] = -1
    return x, y, groups


def untrained(
    batches: list[Batch], n_states: int, n_people: int, placement: str, kind: str = "diagonal"
) -> ExactChain:
    random = PLACEMENTS.get(placement, [])
    network = CRFNetwork(batches[0].x.shape[2], (), n_states)
    mixed = MixedEffects(network, random, n_people)
    pools = class_pools(mixed, "emission.layers.0") if kind == "diagonal" else None
    covariance = RandomEffectsCovariance(mixed.n_random, kind, start=0.1, pools=pools)
    return ExactChain(mixed, [covariance])


def fitted(
    x: np.ndarray, y: np.ndarray, groups: np.ndarray, placement: str = "transitions", **kind: str
) -> tuple[ExactChain, list[Batch]]:
    batches = pad_units(x, y, groups, sequences=groups)
    problem = untrained(batches, 1 + int(y.max()), int(groups.max()) + 1, placement, **kind)
    assert problem.solve(batches, None).verdict is Verdict.CONVERGED
    return problem, batches


def log_likelihood(problem: ExactChain, batches: list[Batch], theta: torch.Tensor) -> float:
    """The Laplace-approximated log-likelihood, its modes found afresh."""
    data, eta = chain_data(problem.mixed, batches), problem.fit.eta
    (covariance,) = problem.covariances
    for _ in range(30):
        sums = Sums.at(data, theta, eta, covariance.precision, exact=False)
        eta = eta + sums.own
    sums = Sums.at(data, theta, eta, covariance.precision, exact=False)
    own = sums.penalty + sums.log_determinant
    return sums.log_likelihood - own - data.n_people / 2 * float(covariance.log_determinant)


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("placement", ["transitions", "last", "both"])
def test_the_fit_is_a_maximum_of_the_likelihood(placement: str, missing: float) -> None:
    problem, batches = fitted(*rows(missing=missing), placement)
    theta, (covariance,) = problem.fit.theta, problem.covariances
    best = log_likelihood(problem, batches, theta)
    # here a variance of 0 is 1e-8
    assert problem.fit.log_likelihood == pytest.approx(best, abs=2e-6)
    step = 1e-3
    for unit in torch.eye(len(theta), dtype=torch.float64):
        ends = [log_likelihood(problem, batches, theta + s * step * unit) for s in (1, -1)]
        assert ends[0] - ends[1] == pytest.approx(0, abs=2 * step * 2e-3)
        assert max(ends) < best + 1e-7
    at = covariance.variances.clone()
    for k in range(covariance.n_pools):
        own, ends = covariance.pools == k, []
        for factor in (1.01, 0.99):
            covariance.update(torch.where(own, at * factor, at))
            ends.append(log_likelihood(problem, batches, theta))
        covariance.update(at)
        assert max(ends) < best + 1e-6


def test_a_full_covariance_is_no_worse_than_a_diagonal_one() -> None:
    study = rows(40)
    diagonal = fitted(*study)[0]
    full = fitted(*study, kind="full")[0]
    assert full.fit.log_likelihood > diagonal.fit.log_likelihood


def test_the_order_of_people_changes_nothing() -> None:
    x, y, groups = rows()
    order = np.random.default_rng(1).permutation(12)
    first, _ = fitted(x, y, groups, "both")
    second, _ = fitted(x, y, order[groups], "both")
    np.testing.assert_allclose(second.fit.theta, first.fit.theta, atol=1e-8)
    np.testing.assert_allclose(second.fit.eta[order], first.fit.eta, atol=1e-8)
    variances = [one.covariances[0].variances for one in (first, second)]
    np.testing.assert_allclose(variances[0], variances[1], atol=1e-8)


def test_relabelling_states_changes_nothing() -> None:
    x, y, groups = rows()
    labels = np.array([2, 0, 1])
    first, batches = fitted(x, y, groups, "both")
    second, again = fitted(x, labels[y], groups, "both")
    assert second.fit.log_likelihood == pytest.approx(first.fit.log_likelihood, abs=1e-8)
    for one, other in zip(batches, again, strict=True):
        emission, moves = first.mixed(one.x.double(), groups=one.groups)
        relabelled, moved = second.mixed(other.x.double(), groups=other.groups)
        # where a step promises 1e-10 of ℓ, numbers are known to some 1e-6
        np.testing.assert_allclose(relabelled[:, :, labels].detach(), emission.detach(), atol=1e-5)
        moved = moved[:, labels][:, :, labels]
        np.testing.assert_allclose(moved.detach(), moves.detach(), atol=1e-5)


def test_what_changes_no_probability_is_0_and_known() -> None:
    problem, _ = fitted(*rows())
    constant = torch.zeros(problem.mixed.fixed()["transitions"].numel() + 6, dtype=torch.float64)
    constant[:9] = 1.0  # the network's first parameters are its transitions
    assert float(problem.fit.theta[6:].sum()) == pytest.approx(0, abs=1e-10)
    assert float(constant @ problem.shared_covariance() @ constant) == pytest.approx(0, abs=1e-10)
    assert problem.fit.n_parameters == 6 + 9 - 1 + 9


def test_without_person_specific_parameters_it_is_the_plain_maximum() -> None:
    problem, batches = fitted(*rows(), "none")
    data = chain_data(problem.mixed, batches)
    none = torch.zeros(12, 0, dtype=torch.float64)
    gradient = data.derivatives(problem.fit.theta, none, slice(0, 12), order=1)[1].sum(0)
    assert float(gradient.abs().max()) < 1e-4
    assert problem.posterior_covariance().shape == (12, 0, 0)


def test_a_move_that_nobody_makes_is_named() -> None:
    x, y, groups = rows()
    same = np.concatenate([[False], groups[1:] == groups[:-1]])
    for i in np.flatnonzero(same):
        if y[i - 1] == 0 and y[i] == 2:
            y[i] = 1
    problem, _ = fitted(x, y, groups)
    assert problem.never == [(0, 2)]
    assert bool(torch.isfinite(problem.fit.theta).all())


def test_a_feature_that_tells_a_state_apart_is_named() -> None:
    x, y, groups = rows()
    x[:, 1] = np.where(y == 2, 1.0, -1.0)
    problem, _ = fitted(x, y, groups)
    assert problem.separated.get(1) == 2
    assert float(problem.fit.theta.abs().max()) < 50


def test_a_constant_feature_is_named() -> None:
    x, y, groups = rows()
    x[:, 1] = 0
    problem, _ = fitted(x, y, groups)
    assert problem.collinear == {1: ()}


@pytest.mark.parametrize("case", ["one person", "a person without labels", "a state seen once"])
def test_sparse_rows_have_an_answer(case: str) -> None:
    x, y, groups = rows()
    sequences = groups
    if case == "one person":
        x, y, groups, sequences = x[:25], y[:25], groups[:25], groups[:25]
    elif case == "a person without labels":
        y[groups == 3] = -1
    else:
        y[y == 2] = 1
        y[40] = 2
    batches = pad_units(x, y, groups, sequences=sequences)
    problem = untrained(batches, int(y.max()) + 1, int(groups.max()) + 1, "both")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NMEWarning)
        problem.solve(batches, None)
    assert bool(torch.isfinite(problem.fit.theta).all())
    assert bool(torch.isfinite(problem.shared_covariance()).all())
    assert bool(torch.isfinite(problem.posterior_covariance()).all())


def test_without_a_single_move_there_is_no_answer() -> None:
    x, y, groups = rows()
    batches = pad_units(x, y, groups, sequences=np.arange(len(groups)))
    with pytest.raises(NoMovesError):
        untrained(batches, K, 12, "both").solve(batches, None)
