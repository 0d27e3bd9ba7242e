"""Structures of Σ in the exact engine of rows: what Λ is made of, and the maxima they reach."""

import numpy as np
import pytest
import torch

from nme_core.batches.sequences import pad_units
from nme_core.nn import MLP, Categorical, MixedEffects, Poisson
from nme_core.training import ExactRows, RandomEffectsCovariance
from nme_core.training.factor_numbers import FactorNumbers
from nme_core.training.glmm_search import GLMMSearch

LOADS = torch.tensor([[0.9, 0.0], [0.7, 0.4], [-0.6, 0.3], [0.5, -0.5], [0.6, 0.4]]).double()
OWN = torch.tensor([0.3, 0.4, 0.5, 0.3, 0.2]).double()


def numbers(kind, n_random, structure=None):
    return FactorNumbers.of(RandomEffectsCovariance(n_random, kind, start=0.1), structure or kind)


@pytest.mark.parametrize(("kind", "columns"), [("factor", 1), ("factor2", 2)])
def test_a_covariance_of_factors_is_made_of_its_numbers(kind, columns):
    factor = numbers(kind, 5)
    sigma = LOADS[:, :columns] @ LOADS[:, :columns].T + OWN.diag()
    scale = factor.matrix(factor.of_covariance(sigma))
    assert scale.shape == (5, 5 + columns)
    assert factor.n == {1: 10, 2: 14}[columns]  # no rotation is left
    torch.testing.assert_close(scale @ scale.T, sigma, rtol=0, atol=0.02)
    slope = torch.arange(float(scale.numel())).view_as(scale).double()
    assert (factor.matrix(factor.gather(slope)) == slope)[scale != 0].all()


def test_blocks_leave_the_intercept_apart():
    blocks = numbers("blocks", 4, [0, 1, 0, 0])
    sigma = LOADS[:4] @ LOADS[:4].T + OWN[:4].diag()
    apart = blocks.pooled(sigma)
    assert apart[1].count_nonzero() == 1
    scale = blocks.matrix(blocks.of_covariance(apart))
    torch.testing.assert_close(scale @ scale.T, apart, rtol=0, atol=1e-5)
    assert blocks.n == 7


def problem(covariance, n_inputs, *, count=False, seed=0, n_persons=40, n_rows=12):
    """People whose intercept and slopes share one trait."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n_persons), n_rows)
    x = rng.normal(size=(len(person), n_inputs)).astype(np.float32)
    loads = np.array([0.9, 0.8, -0.7, 0.8])[: n_inputs + 1]
    own = rng.normal(size=(n_persons, 1)) * loads
    own = (own + 0.5 * rng.normal(size=own.shape))[person]
    score = own[:, 0] + (own[:, 1:] * x).sum(1)
    if count:
        network, family = MLP(n_inputs, (), 1), Poisson(0.3)
        y = rng.poisson(np.exp(0.3 + 0.5 * score)).astype(np.float32)
    else:
        network, family = MLP(n_inputs, (), 1), Categorical(2)
        y = (rng.logistic(size=len(score)) < score).astype(np.int64)
    mixed = MixedEffects(network, [n for n, _ in network.named_parameters()], n_persons)
    sigma = RandomEffectsCovariance(mixed.n_random, covariance, start=0.1)
    one = ExactRows(mixed, family, [sigma])
    one.solve(pad_units(x, y, person), None)
    assert one.fit.ascent.converged
    return one


def height(one):
    return one.fit.log_likelihood


@pytest.mark.parametrize(("count", "seed"), [(True, 1), (False, 0)])
def test_one_factor_of_three_effects_is_a_full_covariance_where_that_is_one(count, seed):
    """Six numbers each: Σ is D + l lᵀ where no r_jk r_jl / r_kl, a variance's share, is over 1."""
    factor, full = (
        problem(kind, 2, count=count, seed=seed, n_persons=80) for kind in ("factor", "full")
    )
    sd = full.covariances[0].variances.sqrt()
    r = full.covariances[0].matrix / sd / sd.unsqueeze(1)
    shares = r[0, 1] * r[0, 2] / r[1, 2], r[0, 1] * r[1, 2] / r[0, 2], r[0, 2] * r[1, 2] / r[0, 1]
    if max(shares) > 1:
        assert not count
        assert height(full) - 1 < height(factor) < height(full) - 0.01
        return
    assert count
    assert height(factor) == pytest.approx(height(full), abs=1e-6)
    torch.testing.assert_close(
        factor.covariances[0].matrix, full.covariances[0].matrix, rtol=0, atol=1e-4
    )
    torch.testing.assert_close(factor.fit.effects, full.fit.effects, rtol=0, atol=1e-4)
    torch.testing.assert_close(
        factor.fit.fixed_covariance, full.fit.fixed_covariance, rtol=1e-3, atol=1e-6
    )


@pytest.mark.parametrize("count", [False, True])
def test_structures_lie_between_diagonal_and_full(count):
    found = {kind: problem(kind, 3, count=count) for kind in ("diagonal", "blocks", "factor",
                                                               "full")}  # fmt: skip
    assert height(found["diagonal"]) < height(found["blocks"]) < height(found["full"])
    assert height(found["diagonal"]) + 3 < height(found["factor"]) < height(found["full"])
    n = {kind: one.fit.n_parameters - found["diagonal"].fit.n_parameters
         for kind, one in found.items()}  # fmt: skip
    assert n == {"diagonal": 0, "blocks": 3, "factor": 4, "full": 6}
    sigma = found["blocks"].covariances[0].matrix
    assert sigma[3, :3].abs().max() == 0  # the bias comes last


def test_no_other_start_ends_higher():
    one = problem("factor", 3)
    factor, marginal = one._variances.factor, one._variances.marginal
    best, d = height(one), len(one.fit.fixed)
    torch.manual_seed(0)
    for _ in range(3):
        begin = torch.cat([one.fit.fixed, torch.randn(factor.n).double()])
        search = GLMMSearch(marginal, factor, factor, begin[:d], lambda *_: None, begin)
        found = search.highest(to_the_end=False)
        assert found.value <= best + 1e-6
