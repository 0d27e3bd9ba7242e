"""ρ of residuals in a network: whitened deviance, scoring, and its standard error."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from nme_core.batches.sequences import pad_units
from nme_core.nn import Gaussian
from nme_core.training import ResidualMemory


def rows(spacing: str, *, n_people: int = 40, seed: int = 0):
    """Residuals with ρ = .6 over one unit of time, rows in no order; person, time, residual."""
    rng = np.random.default_rng(seed)
    people, times, rests = [], [], []
    for person in range(n_people):
        n = int(rng.integers(12, 30))
        gaps = np.ones(n) if spacing == "equal" else rng.exponential(size=n) + 0.1
        time = np.cumsum(gaps)
        correlation = 0.6 ** np.abs(time[:, None] - time)
        rests.append(rng.multivariate_normal(np.zeros(n), 4 * correlation))
        people.append(np.full(n, person))
        times.append(time)
    shuffled = rng.permutation(sum(map(len, people)))
    return tuple(np.concatenate(part)[shuffled] for part in (people, times, rests))


def batches_of(person, time, rest):
    x = np.random.default_rng(3).normal(size=(len(rest), 1)).astype(np.float32)
    return pad_units(x, rest.astype(np.float32), person.astype(np.int64), times=time)


@pytest.mark.parametrize("spacing", ["equal", "any"])
def test_the_whitened_deviance_is_that_of_the_correlated_density(spacing):
    person, time, rest = rows(spacing, n_people=5)
    batches = batches_of(person, time, rest)
    memory = ResidualMemory.of(batches)
    family = Gaussian(memory.share)
    deviance = sum(float(family.deviance(torch.zeros(*b.y.shape, 1), b).sum()) for b in batches)
    rho, expected = memory.rho, 0.0
    assert 0.3 < rho < 0.9
    for who in range(5):
        mine = person == who
        correlation = rho ** np.abs(time[mine][:, None] - time[mine])
        density = multivariate_normal.logpdf(rest[mine], cov=correlation)
        expected += -2 * density - mine.sum() * np.log(2 * np.pi)
    assert deviance + memory.log_determinant(batches) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("spacing", ["equal", "any"])
def test_scoring_ends_where_the_likelihood_is_highest(spacing):
    batches = batches_of(*rows(spacing))
    memory = ResidualMemory.of(batches)

    def deviance() -> float:
        family = Gaussian(memory.share)
        total = sum(float(family.deviance(torch.zeros(*b.y.shape, 1), b).sum()) for b in batches)
        return total / 4 + memory.log_determinant(batches)

    for _ in range(200):
        memory.follow(batches, [b.y for b in batches], 4.0)
    best, at = deviance(), memory.correlation
    assert memory.rho == pytest.approx(0.6, abs=3 * memory.rho_se)
    low, high = memory.rho_interval
    assert low < memory.rho < high
    assert memory.p_independent < 1e-6
    for side in (-0.02, 0.02):
        memory.correlation = at.moved(at.free + side)
        assert deviance() > best


def test_the_standard_error_counts_levels_that_are_not_known():
    """Beside people's own levels ρ is less certain than where residuals are seen."""
    person, time, rest = rows("equal")
    level = np.random.default_rng(1).normal(size=40)[person]
    alone, beside = (
        ResidualMemory.of(batches_of(person, time, values)) for values in (rest, rest + 5 * level)
    )
    plain = ResidualMemory(alone._gaps)
    plain.correlation = alone.correlation
    assert plain.rho_se < alone.rho_se * 1.0001
    assert beside.rho_se > 1.1 * plain.rho_se


def test_units_without_times_have_no_memory():
    person, _, rest = rows("equal")
    x = rest[:, None].astype(np.float32)
    assert ResidualMemory.of(pad_units(x, x[:, 0], person.astype(np.int64))) is None
    assert ResidualMemory.of(pad_units(x[:3], x[:3, 0], np.arange(3), times=np.ones(3))) is None
