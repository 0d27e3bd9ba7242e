"""The loop, on a problem of one number whose losses are known beforehand."""

import math
import subprocess
import sys
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nme_core.batches.sequences import Batch, pad_units
from nme_core.exceptions import ConvergenceWarning, DivergenceWarning, TrainingError
from nme_core.nn import MLP, Gaussian, MixedEffects
from nme_core.training import (
    Annealed,
    Progress,
    RandomEffectsCovariance,
    Schedule,
    Variational,
    Verdict,
    train,
)
from nme_core.training.loop import RECOVERIES, SMALLER, SNAPSHOT_EVERY


class Bowl:
    """The loss (w − 1)²; validation losses from a list, or from the distance to 1."""

    settled = True
    residual_variance = 0.25

    def __init__(self, validation: list[float] | None = None, poison: range = range(0)) -> None:
        self.mixed = MixedEffects(MLP(1, (), 1), ["layers.0.bias"], 1)
        self.family = Gaussian()
        self.covariances = [RandomEffectsCovariance(1, "diagonal", start=0.1)]
        self.w = nn.Parameter(torch.tensor(0.0))
        self.validation, self.poison = validation, poison
        self.looks = self.steps = self.epochs = 0
        self.best, self.finished = math.inf, False

    def parameters(self) -> list[nn.Parameter]:
        return [self.w]

    def loss(self, batches: list[Batch]) -> Tensor:
        self.steps += 1
        poison = float("nan") if self.steps in self.poison else 0.0
        return (self.w - 1.0).square() + poison

    def after_step(self) -> None:
        assert torch.isfinite(self.w)

    def after_epoch(self) -> None:
        self.epochs += 1

    def snapshot(self) -> Callable[[], None]:
        value = float(self.w.detach())

        def restore() -> None:
            with torch.no_grad():
                self.w.fill_(value)

        return restore

    def observe(self, losses: Tensor, rows: Tensor) -> bool:
        self.looks += 1
        loss = float(losses.sum()) if self.validation is None else self.validation[self.looks - 1]
        improved = loss < self.best
        self.best = min(loss, self.best)
        return improved

    def finish(self, *, validated: bool) -> None:
        self.finished = True
        self.validated = validated


def rows(n: int = 6) -> list[Batch]:
    return pad_units(
        np.zeros((n, 1), np.float32), np.arange(n, dtype=np.float32), np.zeros(n, dtype=np.int64)
    )


@pytest.mark.parametrize("decays", [True, False])
@pytest.mark.parametrize("epochs", [1, 2, 17])
def test_a_number_of_epochs_is_kept_exactly(epochs, decays):
    bowl = Bowl()
    training = train(bowl, rows(), Schedule(epochs=epochs, decays=decays), seed=0)
    assert bowl.epochs == epochs
    assert [row.epoch for row in training.history] == list(range(1, epochs + 1))
    assert training.verdict is Verdict.FIXED
    assert training.history[-1].fraction == 1.0
    assert bowl.finished


def test_a_number_of_epochs_is_kept_although_validation_gets_worse():
    bowl = Bowl(validation=[float(k) for k in range(200)])
    schedule = Schedule(epochs=120, decays=False, validate_every=1)
    assert len(train(bowl, rows(), schedule, seed=0, validation=rows()).history) == 120


def test_history_has_what_happened_in_each_epoch():
    seen: list[Progress] = []
    training = train(Bowl(), rows(), Schedule(epochs=4), seed=0, report=seen.append)
    assert list(training.history) == seen
    first = seen[0]
    assert first.train_loss == 1.0
    assert first.residual_variance == 0.25
    assert first.mean_random_variance == pytest.approx(0.1)
    assert first.validation_loss is None
    assert seen[0].train_loss > seen[3].train_loss
    assert seen[3].seconds >= seen[0].seconds >= 0


def test_it_converges_and_then_anneals_the_learning_rate():
    bowl = Bowl()
    training = train(bowl, rows(), Schedule(learning_rate=0.05), seed=0)
    assert training.verdict is Verdict.CONVERGED
    assert bowl.w.item() == pytest.approx(1.0, abs=1e-3)
    assert 200 <= len(training.history) < 1500
    without = train(Bowl(), rows(), Schedule(learning_rate=0.05, decays=False), seed=0)
    assert without.verdict is Verdict.CONVERGED
    assert len(without.history) < len(training.history)


def test_reaching_the_limit_is_a_warning():
    schedule = Schedule(learning_rate=1e-3, longest=210, tolerance=1e-9, decays=False)
    with pytest.warns(ConvergenceWarning, match="210 epochs"):
        training = train(Bowl(), rows(), schedule, seed=0)
    assert len(training.history) == 210
    assert training.verdict is Verdict.LIMIT


def test_it_does_not_stop_before_the_problem_is_settled():
    bowl = Bowl(validation=[1.0, *([2.0] * 2000)])
    bowl.settled = False
    schedule = Schedule(decays=False, validate_every=1, longest=400)
    with pytest.warns(ConvergenceWarning):
        training = train(bowl, rows(), schedule, seed=0, validation=rows())
    assert len(training.history) == 400


def test_it_stops_when_validation_no_longer_improves():
    bowl = Bowl(validation=[3.0, 2.0, 1.0, *([2.0] * 2000)])
    schedule = Schedule(learning_rate=1e-4, decays=False, validate_every=1, patience=20, window=500)
    training = train(bowl, rows(), schedule, seed=0, validation=rows())
    assert len(training.history) == 3 + 20
    assert training.verdict is Verdict.CONVERGED
    assert bowl.validated


def test_validation_loss_is_the_mean_deviance_per_row():
    bowl = Bowl()
    with torch.no_grad():
        bowl.mixed.module.layers[0].bias.fill_(2.0)
        bowl.mixed.deviations.fill_(0.5)
    schedule = Schedule(epochs=4, validate_every=2)
    history = train(bowl, rows(), schedule, seed=0, validation=rows(5)).history
    expected = np.mean((np.arange(5) - 2.5) ** 2)
    assert [row.validation_loss for row in history] == 2 * [None, pytest.approx(expected)]


def test_a_loss_that_is_no_number_from_the_start_is_an_error_with_the_epoch():
    with pytest.raises(TrainingError, match=f"epoch {3 + RECOVERIES}"):
        train(Bowl(poison=range(3, 99)), rows(), Schedule(epochs=9), seed=0)


def test_after_a_loss_that_is_no_number_training_goes_on_from_the_last_good_state():
    bowl = Bowl(poison=range(70, 71))
    training = train(bowl, rows(), Schedule(epochs=200, decays=False), seed=0)
    assert training.verdict is Verdict.FIXED
    assert [row.epoch for row in training.history] == [*range(1, 70), *range(71, 201)]
    losses = [row.train_loss for row in training.history]
    assert losses[69] == pytest.approx(losses[SNAPSHOT_EVERY], rel=1e-6), "not where it was"
    steps = np.diff(np.sqrt(losses))
    assert steps[70] == pytest.approx(SMALLER * steps[1], rel=0.1), "not with a smaller step"


def test_what_does_not_recover_has_diverged_and_keeps_the_last_good_state():
    bowl = Bowl(poison=range(70, 999))
    with pytest.warns(DivergenceWarning, match=f"after epoch {SNAPSHOT_EVERY}"):
        training = train(bowl, rows(), Schedule(epochs=200, decays=False), seed=0)
    assert training.verdict is Verdict.DIVERGED
    assert float(bowl.w.detach()) == pytest.approx(0.01 * SNAPSHOT_EVERY, rel=0.2)
    assert bowl.finished


@pytest.mark.parametrize("kind", ["diagonal", "full"])
def test_parameters_that_are_no_numbers_stop_the_training(kind):
    mixed = MixedEffects(MLP(1, (), 1), ["layers.0.weight", "layers.0.bias"], 1)
    covariance = RandomEffectsCovariance(2, kind, start=0.1)
    problem = Variational(mixed, Gaussian(), [covariance], n_rows=6, seed=0)
    with torch.no_grad():
        mixed.module.layers[0].weight.fill_(float("nan"))
    with pytest.raises(TrainingError):
        train(problem, rows(), Schedule(epochs=2), seed=0)


def test_what_the_report_raises_stops_the_training():
    def report(progress: Progress) -> None:
        if progress.epoch == 3:
            raise KeyboardInterrupt

    bowl = Bowl()
    with pytest.raises(KeyboardInterrupt):
        train(bowl, rows(), Schedule(epochs=9), seed=0, report=report)
    assert bowl.epochs == 3


def test_early_stopping_ends_with_the_best_validation_loss():
    """A network that overfits: what is kept has the lowest loss of all that were looked at."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)

    def draw(n: int) -> list[Batch]:
        x = rng.normal(size=(n, 4)).astype(np.float32)
        y = (x[:, 0] + rng.normal(size=n)).astype(np.float32)
        return pad_units(x, y, np.arange(n) % 3)

    network = MLP(4, (20,), 1)
    mixed = MixedEffects(network, ["layers.1.weight"], 3)
    problem = Annealed(
        mixed,
        Gaussian(),
        [RandomEffectsCovariance(20, "diagonal", start=1.0)],
        n_rows=24,
    )
    training_rows, validation = draw(24), draw(30)
    schedule = Schedule(epochs=250, decays=False, validate_every=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = train(problem, training_rows, schedule, seed=0, validation=validation).history
    seen = [row.validation_loss for row in history]
    kept = (
        sum(
            float(Gaussian().deviance(mixed(b.x, groups=b.groups), b).sum().detach())
            for b in validation
        )
        / 30
    )
    assert kept == pytest.approx(min(seen), rel=1e-5)
    assert min(seen) < seen[-1] - 0.05, "it does not overfit, so the test tells nothing"
    best = history[int(np.argmin(seen))]
    assert problem.residual_variance == pytest.approx(best.residual_variance)


def test_a_fit_leaves_the_compiler_of_torch_unloaded():
    code = (
        "import sys, numpy as np\n"
        "from nme_core.estimators import NMEMLPRegressor\n"
        "x, groups = np.arange(12.0), np.repeat([0, 1, 2], 4)\n"
        "model = NMEMLPRegressor((3,), estimator='laplace', epochs=2)\n"
        "model.fit(x[:, None], np.sin(x), groups=groups)\n"
        "assert 'torch._dynamo' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
