import math

import numpy as np
import pytest
import torch

from nme_core.batches.sequences import pad_units
from nme_core.nn import MLP, Gaussian, MixedEffects
from nme_core.training import Annealed, RandomEffectsCovariance
from nme_core.training.annealed import ANNEALED_AT, ANNEALING


def make_problem(n_persons: int = 5, kind: str = "full") -> tuple[Annealed, list]:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(n_persons), 8)
    x, y = rng.normal(size=(len(groups), 2)), rng.normal(size=len(groups))
    mixed = MixedEffects(MLP(2, (), 1), ["layers.0.weight", "layers.0.bias"], n_persons).double()
    covariance = RandomEffectsCovariance(3, kind, start=1.0)
    return Annealed(mixed, Gaussian(), [covariance], n_rows=len(x)), pad_units(x, y, groups)


def move(problem: Annealed, scale: float = 1.0) -> None:
    with torch.no_grad():
        problem.mixed.deviations.normal_().mul_(scale).add_(0.7)


def test_residual_variance_is_the_mean_deviance_of_the_epoch():
    problem, batches = make_problem()
    move(problem)
    expected = (
        sum(
            float(Gaussian().deviance(problem.mixed(b.x, groups=b.groups), b).sum().detach())
            for b in batches
        )
        / 40
    )
    problem.loss(batches)
    problem.after_epoch()
    assert problem.residual_variance == pytest.approx(expected)


def test_covariance_is_that_of_all_persons_around_their_mean():
    problem, _ = make_problem()
    move(problem, scale=10.0)
    problem.after_epoch()
    values = problem.mixed.deviations.detach().numpy()
    np.testing.assert_allclose(problem.covariances[0].matrix, np.cov(values.T, ddof=0))


def test_variances_stay_above_the_annealing_bound_which_falls():
    problem, _ = make_problem(kind="diagonal")
    for epoch in range(1, 4):
        problem.after_epoch()
        assert problem.covariances[0].variances.tolist() == pytest.approx([ANNEALING**epoch] * 3)


def test_training_may_stop_only_when_annealing_has_ended():
    problem, _ = make_problem()
    epochs = 0
    while not problem.settled:
        problem.after_epoch()
        epochs += 1
    assert ANNEALING**epochs <= ANNEALED_AT < ANNEALING ** (epochs - 1)
    without = MixedEffects(MLP(2, (), 1), [], 3)
    empty = RandomEffectsCovariance(0, "diagonal", start=1.0)
    assert Annealed(without, Gaussian(), [empty], n_rows=1).settled


def test_finish_goes_back_to_the_best_state():
    problem, batches = make_problem()
    x, groups = batches[0].x, batches[0].groups
    rows = torch.full((5,), 8.0)
    move(problem, scale=5.0)
    problem.loss(batches)
    problem.after_epoch()
    assert problem.observe(torch.full((5,), 3.0), rows)
    best = (
        problem.mixed(x, groups=groups).detach(),
        problem.residual_variance,
        problem.covariances[0].matrix.clone(),
    )
    move(problem, scale=9.0)
    problem.loss(batches)
    problem.after_epoch()
    assert not problem.observe(torch.full((5,), 3.1), rows)
    assert not torch.allclose(problem.mixed(x, groups=groups), best[0])
    problem.finish(validated=True)
    torch.testing.assert_close(problem.mixed(x, groups=groups), best[0])
    assert problem.residual_variance == best[1]
    torch.testing.assert_close(problem.covariances[0].matrix, best[2])


def test_without_validation_the_last_state_is_kept():
    problem, batches = make_problem()
    move(problem)
    last = problem.mixed(batches[0].x, groups=batches[0].groups).detach()
    problem.finish(validated=False)
    torch.testing.assert_close(problem.mixed(batches[0].x, groups=batches[0].groups), last)


def test_the_mean_of_the_deviations_ends_in_the_fixed_part():
    problem, _ = make_problem()
    move(problem)
    fixed = problem.mixed.fixed_vector().detach().clone()
    mean = problem.mixed.deviations.detach().mean(0)
    problem.finish(validated=False)
    torch.testing.assert_close(problem.mixed.fixed_vector(), fixed + mean)
    torch.testing.assert_close(problem.mixed.deviations.mean(0), torch.zeros(3).double())


def test_one_person_alone_survives():
    problem, batches = make_problem(n_persons=1)
    move(problem)
    problem.loss(batches).backward()
    problem.after_epoch()
    assert torch.isfinite(problem.covariances[0].matrix).all()
    assert float(problem.covariances[0].variances.min()) == pytest.approx(ANNEALING)


def test_points_have_no_posterior():
    problem, _ = make_problem()
    assert problem.posterior_covariance() is None
    assert problem.shared_spread() == {}


def test_loss_is_minus_twice_the_joint_log_density_so_that_progress_shows():
    problem, batches = make_problem()
    move(problem)
    problem.after_epoch()
    move(problem)
    problem.residual_variance = 0.3
    deviance = sum(
        float(Gaussian().deviance(problem.mixed(b.x, groups=b.groups), b).sum().detach())
        for b in batches
    )
    penalty = float(problem.covariances[0].penalty(problem.mixed.deviations).sum().detach())
    log_determinant = float(torch.logdet(problem.covariances[0].matrix))
    expected = (deviance / 0.3 + penalty + 5 * log_determinant) / 40 + math.log(0.3)
    assert float(problem.loss(batches).detach()) == pytest.approx(expected)
