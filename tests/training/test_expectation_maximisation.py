"""EM of linear random effects on the last hidden layer, against what is known of it."""

import math

import numpy as np
import pytest
import torch

from nme_core.batches.sequences import pad_units
from nme_core.nn import MLP, MixedEffects
from nme_core.training import ExpectationMaximisation, RandomEffectsCovariance
from nme_core.training.linear_mixed import Sums, fit_linear_mixed_model

SIZES = [9, 15, 4, 12, 7]


def make_problem(hidden=(3,), kind="full"):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(len(SIZES)), SIZES)
    x = rng.normal(size=(len(groups), 2))
    y = np.abs(x[:, 0]) + rng.normal(size=len(SIZES))[groups] + rng.normal(size=len(groups))
    last = f"layers.{len(hidden)}"
    mixed = MixedEffects(MLP(2, hidden, 1), [f"{last}.weight", f"{last}.bias"], len(SIZES)).double()
    covariance = RandomEffectsCovariance(mixed.n_random, kind, start=0.3)
    batches = pad_units(x, y, groups)
    problem = ExpectationMaximisation(mixed, [covariance], batches=batches, n_rows=len(y))
    return problem, batches, x, y, groups


def minus_twice_log_likelihood(problem, x, y, groups) -> float:
    """From the covariance matrix of each person's outcomes."""
    h = problem.hidden(torch.from_numpy(x)).detach().numpy()
    beta = problem.mixed.fixed_vector().detach().numpy()
    total = 0.0
    for person in range(len(SIZES)):
        z, own = h[groups == person], y[groups == person]
        v = z @ problem.covariances[0].matrix.numpy() @ z.T
        v += problem.residual_variance * np.eye(len(z))
        error = own - z @ beta
        total += np.linalg.slogdet(2 * np.pi * v)[1] + error @ np.linalg.solve(v, error)
    return total


@pytest.mark.parametrize("kind", ["diagonal", "full"])
def test_the_loss_is_the_likelihood_after_an_e_step_and_a_bound_of_it_elsewhere(kind):
    problem, batches, x, y, groups = make_problem(kind=kind)
    constant = math.log(2 * math.pi)

    def gap() -> float:
        loss = float(problem.loss(batches).detach()) + constant
        return loss - minus_twice_log_likelihood(problem, x, y, groups) / len(y)

    # the divergence leaves out the −R of twice KL; it is part of neither side here
    assert gap() == pytest.approx(0, abs=1e-10)
    with torch.no_grad():
        problem.mixed.module.layers[0].weight.add_(0.1)
    assert gap() > 1e-4
    problem.after_epoch()
    assert gap() == pytest.approx(0, abs=1e-10)


def test_its_gradient_is_that_of_the_likelihood():
    """Right after an E-step, by differences of −2 log L."""
    problem, batches, x, y, groups = make_problem()
    problem.loss(batches).backward()
    weight = problem.mixed.module.layers[0].weight
    for index in [(0, 0), (1, 1), (2, 0)]:
        ends = []
        for side in (1e-5, -1e-5):
            with torch.no_grad():
                weight[index] += side
            ends.append(minus_twice_log_likelihood(problem, x, y, groups) / len(y))
            with torch.no_grad():
                weight[index] -= side
        assert float(weight.grad[index]) == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-4)


def test_every_round_lowers_the_deviance_down_to_the_best_fit_of_the_features():
    problem, _, x, y, groups = make_problem()
    deviances = [problem._rounds(1) for _ in range(50)]
    assert (np.diff(deviances) < 1e-12).all()
    problem._rounds(1000)
    h = problem.hidden(torch.from_numpy(x)).detach().numpy()
    best = fit_linear_mixed_model(Sums.of(h, y, groups), list(range(h.shape[1])), "full")
    found = minus_twice_log_likelihood(problem, x, y, groups)
    assert -2 * best.log_likelihood == pytest.approx(found, abs=0.05)
    assert found >= -2 * best.log_likelihood - 1e-6


def test_a_unit_that_is_off_changes_nothing():
    problem, *_ = make_problem()
    with torch.no_grad():
        problem.mixed.module.layers[0].weight[1] = 0.0
        problem.mixed.module.layers[0].bias[1] = -1.0
    before = problem.mixed.fixed_vector()[1].item()
    deviance = problem._rounds(20)
    assert math.isfinite(deviance)
    assert problem.mixed.fixed_vector()[1].item() == pytest.approx(before, abs=1e-6)
    assert math.isfinite(float(problem.mixed.deviations.abs().max()))


def test_it_goes_back_to_the_best_state_seen():
    problem, _, x, y, groups = make_problem()
    rows = torch.ones(len(SIZES))
    assert problem.observe(torch.full((len(SIZES),), 1.0), rows)
    kept = minus_twice_log_likelihood(problem, x, y, groups)
    spread = problem.posterior_covariance()
    with torch.no_grad():
        problem.mixed.module.layers[0].weight.add_(1.0)
    problem.after_epoch()
    assert not problem.observe(torch.full((len(SIZES),), 2.0), rows)
    assert minus_twice_log_likelihood(problem, x, y, groups) != pytest.approx(kept)
    problem.finish(validated=True)
    assert minus_twice_log_likelihood(problem, x, y, groups) == pytest.approx(kept)
    torch.testing.assert_close(problem.posterior_covariance(), spread)


def test_only_the_network_below_the_last_layer_is_left_to_the_optimiser():
    problem, *_ = make_problem(hidden=(3, 2))
    assert sorted(map(tuple, (p.shape for p in problem.parameters()))) == [
        (2,), (2, 3), (3,), (3, 2),
    ]  # fmt: skip
