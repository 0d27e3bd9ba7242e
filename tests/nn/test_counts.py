"""Counts: the negative binomial beside torch's own, and Poisson as its limit."""

import math

import pytest
import torch
from torch.distributions import NegativeBinomial as Reference

from nme_core.nn import COUNTS, NegativeBinomial, Poisson

SIZE, OFFSET = 1.7, 0.4
Y = torch.tensor([[0.0, 1.0, 4.0], [30.0, 2.0, 0.0]], dtype=torch.float64)
OUTPUT = torch.tensor([[[-1.0], [0.3], [1.0]], [[2.5], [-3.0], [5.0]]], dtype=torch.float64)


def reference(output):
    mean = (output.squeeze(-1) + OFFSET).exp()
    return Reference(total_count=torch.tensor(SIZE).double(), logits=(mean / SIZE).log())


def test_its_density_is_that_of_torch():
    family = NegativeBinomial(OFFSET, SIZE)
    torch.testing.assert_close(family.log_density(OUTPUT, Y), reference(OUTPUT).log_prob(Y))


@pytest.mark.parametrize("name", COUNTS)
def test_score_and_curvature_are_the_derivatives(name):
    family = COUNTS[name](OFFSET)
    if name == "negative_binomial":
        family.size = SIZE
    output = OUTPUT.clone().requires_grad_()
    (slope,) = torch.autograd.grad(family.log_density(output, Y).sum(), output, create_graph=True)
    torch.testing.assert_close(family.score(output, Y), slope)
    (bend,) = torch.autograd.grad(slope.sum(), output)
    torch.testing.assert_close(family.curvature(output, Y).squeeze(-1), -bend)


def test_the_information_is_the_mean_curvature():
    family, output = NegativeBinomial(OFFSET, SIZE), OUTPUT[:1, :1]
    y = torch.arange(400.0, dtype=torch.float64).reshape(1, -1)
    at = output.expand(1, 400, 1)
    weights = family.log_density(at, y).exp()
    mean = (weights * family.curvature(at, y).squeeze((-1, -2))).sum()
    torch.testing.assert_close(mean, family.information(output).squeeze())


@pytest.mark.parametrize("family", [Poisson(), NegativeBinomial(0.0, SIZE)])
def test_the_distribution_adds_up_to_its_cumulative_one(family):
    y, mean = torch.arange(12.0, dtype=torch.float64), torch.full((12,), 3.0, dtype=torch.float64)
    density = family.log_density(mean.log().unsqueeze(-1), y).exp()
    torch.testing.assert_close(family.cumulative(mean, y), density.cumsum(0))
    assert family.cumulative(mean, y - 1)[0] == 0


def test_it_draws_counts_with_its_mean_and_variance():
    output = torch.full((1, 40_000, 1), 1.0, dtype=torch.float64)
    family, generator = NegativeBinomial(OFFSET, SIZE), torch.Generator().manual_seed(0)
    drawn, mean = family.sample(output, 1.0, generator), math.exp(1 + OFFSET)
    assert drawn.mean() == pytest.approx(mean, rel=0.03)
    assert drawn.var() == pytest.approx(mean + mean**2 / SIZE, rel=0.06)
    again = family.sample(output, 1.0, torch.Generator().manual_seed(0))
    assert torch.equal(drawn, again)


def test_a_large_size_is_poisson():
    many = NegativeBinomial(OFFSET, 1e7)
    torch.testing.assert_close(
        many.log_density(OUTPUT, Y), Poisson(OFFSET).log_density(OUTPUT, Y), atol=0, rtol=1e-4
    )
