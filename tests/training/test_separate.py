import numpy as np
import pytest
import torch

from nme_core.batches.sequences import pad_units
from nme_core.nn import MLP, Gaussian, MixedEffects
from nme_core.training import RandomEffectsCovariance, Schedule, Separate, train
from nme_core.training.separate import PATIENCE


def make_problem(n_persons: int = 3, change: float = 0.0) -> tuple[Separate, list]:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(n_persons), [30, 4, 12])
    x, y = rng.normal(size=(len(groups), 2)), rng.normal(size=len(groups))
    y[groups == 1] += change
    x[groups == 1] *= 1 + change
    network = MLP(2, (4,), 1)
    mixed = MixedEffects(network, [n for n, _ in network.named_parameters()], n_persons)
    covariance = RandomEffectsCovariance(mixed.n_random, "diagonal", start=1.0)
    problem = Separate(mixed, Gaussian(), [covariance], n_rows=len(x), weight=0.0)
    return problem, pad_units(x.astype(np.float32), y.astype(np.float32), groups)


def test_only_the_deviations_are_trained():
    problem, batches = make_problem()
    start = {k: v.detach().clone() for k, v in problem.mixed.fixed().items()}
    train(problem, batches, Schedule(epochs=5, decays=False), seed=0)
    for name, value in problem.mixed.fixed().items():
        torch.testing.assert_close(value, start[name], rtol=0, atol=0)
    assert (problem.mixed.deviations != 0).any()


def test_one_persons_data_change_nobody_else():
    trained = []
    for change in (0.0, 3.0):
        problem, batches = make_problem(change=change)
        train(problem, batches, Schedule(epochs=60, decays=False), seed=0)
        trained.append(problem.mixed.deviations.detach())
    torch.testing.assert_close(trained[0][[0, 2]], trained[1][[0, 2]], rtol=1e-3, atol=1e-5)
    assert (trained[0][1] - trained[1][1]).abs().max() > 0.05


def test_every_person_goes_back_to_the_own_best_network():
    problem, _ = make_problem()
    rows = torch.tensor([5.0, 5.0, 0.0])  # the third has no validation rows
    states = []
    for losses in ([3.0, 1.0, 0.0], [2.0, 2.0, 0.0], [4.0, 3.0, 0.0]):
        with torch.no_grad():
            problem.mixed.deviations.normal_()
        states.append(problem.mixed.deviations.detach().clone())
        problem.observe(torch.tensor(losses), rows)
    problem.finish(validated=True)
    found = problem.mixed.deviations
    torch.testing.assert_close(found[0], states[1][0])
    torch.testing.assert_close(found[1], states[0][1])
    torch.testing.assert_close(found[2], states[2][2])


def test_a_person_who_waited_too_long_is_done_whatever_the_others_do():
    problem, _ = make_problem()
    rows = torch.tensor([5.0, 5.0, 0.0])
    problem.observe(torch.tensor([1.0, 1.0, 0.0]), rows)
    for look in range(1, PATIENCE):
        assert problem.observe(torch.tensor([2.0, 0.9**look, 0.0]), rows)
    first = problem.mixed.deviations.detach()[0].clone()
    with torch.no_grad():
        problem.mixed.deviations.add_(1.0)
    assert problem.observe(torch.tensor([2.0, 1e-6, 0.0]), rows)
    problem.observe(torch.tensor([0.1, 1e-6, 0.0]), rows)  # too late for the first
    problem.finish(validated=True)
    torch.testing.assert_close(problem.mixed.deviations[0], first)


def test_training_goes_on_while_the_deviance_falls():
    """σ² follows the deviance, so their ratio would look as if nothing moved."""
    problem, batches = make_problem()
    history = train(problem, batches, Schedule(epochs=300, decays=False), seed=0).history
    losses = [row.train_loss for row in history]
    assert losses[-1] < 0.9 * losses[99] < 0.9 * losses[0]
    assert problem.residual_variance == pytest.approx(losses[-1])
