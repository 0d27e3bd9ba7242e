"""Groups inside groups: who lies where, and how their posteriors hang together."""

import numpy as np
import pytest
import torch

from nme_core.batches.sequences import pad_units
from nme_core.training import Nesting

SIZES = (6, 3, 2)  # persons, clinics, countries
CLINIC = np.array([6, 6, 7, 7, 8, 8])
COUNTRY = {6: 9, 7: 9, 8: 10}


def make_nesting() -> Nesting:
    person = np.repeat(np.arange(6), 4)
    clinic = CLINIC[person]
    country = np.array([COUNTRY[c] for c in clinic])
    groups = np.column_stack([person, clinic, country])
    batches = pad_units(np.zeros((24, 1)), np.zeros(24), groups)
    return Nesting.of(batches, SIZES)


def test_the_nearest_home_is_found():
    nesting = make_nesting()
    assert nesting.home.tolist() == [*CLINIC, 9, 9, 10, -1, -1]
    assert not nesting.is_empty


def test_factors_that_cross_have_no_home():
    groups = np.array([[0, 2], [0, 3], [1, 2], [1, 3]])
    nesting = Nesting.of(pad_units(np.zeros((4, 1)), np.zeros(4), groups), (2, 2))
    assert nesting.home.tolist() == [-1] * 4
    assert nesting.is_empty
    spread = torch.randn(4, 2)
    assert nesting.combine(torch.zeros(0, 2), spread) is spread


def by_recursion(nesting: Nesting, a: torch.Tensor, spread: torch.Tensor) -> torch.Tensor:
    """δ of every group from its definition."""

    def total(i: int) -> torch.Tensor:
        return delta(i) + (total(nesting.home[i]) if nesting.home[i] >= 0 else 0.0)

    def delta(i: int) -> torch.Tensor:
        around = total(nesting.home[i]) if nesting.home[i] >= 0 else torch.zeros_like(a[i])
        return a[i] * around + spread[i]

    return torch.stack([delta(i) for i in range(len(spread))])


def test_deviations_depend_on_those_around():
    nesting, (a, spread) = make_nesting(), torch.randn(2, 11, 3).double()
    torch.testing.assert_close(nesting.combine(a, spread), by_recursion(nesting, a, spread))


@pytest.mark.parametrize("diagonal", [True, False])
def test_marginal_covariance_is_that_of_draws(diagonal):
    nesting = make_nesting()
    generator = torch.Generator().manual_seed(0)
    a = -torch.rand(11, 2, generator=generator).double()
    lower = torch.tril(torch.rand(11, 2, 2, generator=generator).double() + 0.2)
    if diagonal:
        lower = torch.diag_embed(lower.diagonal(dim1=1, dim2=2))
    own = lower @ lower.transpose(1, 2)
    noise = torch.randn(20_000, 11, 2, generator=generator).double()
    draws = torch.stack(
        [nesting.combine(a, s) for s in torch.einsum("pij,npj->npi", lower, noise)[:4000]]
    )
    given = own.diagonal(dim1=1, dim2=2) if diagonal else own
    found = nesting.marginal(a, given)
    for group in range(11):
        expected = torch.cov(draws[:, group].T)
        mine = found[group].diag() if diagonal else found[group]
        torch.testing.assert_close(mine.diagonal(), expected.diagonal(), rtol=0.1, atol=0.01)
        if not diagonal:
            torch.testing.assert_close(mine, expected, rtol=0.2, atol=0.03)
