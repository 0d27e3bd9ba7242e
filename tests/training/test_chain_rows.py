"""What a linear chain says of rows: marginals as the layer's, and averages as draws have them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nme_core.batches.sequences import Batch, pad_units
from nme_core.nn import CRFNetwork, MixedEffects
from nme_core.nn.crf import forward_backward
from nme_core.training import ChainRows

K, F = 3, 2


def chains(missing: bool = False) -> tuple[MixedEffects, Batch]:
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], [5, 4])
    x = rng.normal(size=(9, F)).astype(np.float32)
    y = rng.integers(0, K, 9)
    if missing:
        y[2] = -1
    (batch,) = pad_units(x, y, groups, sequences=groups)
    mixed = MixedEffects(CRFNetwork(F, (), K), ["transitions"], 2).double()
    with torch.no_grad():
        mixed.deviations.copy_(torch.from_numpy(rng.normal(0, 0.5, mixed.deviations.shape)))
    return mixed.requires_grad_(False), batch


def test_marginals_are_those_of_the_layer() -> None:
    mixed, batch = chains()
    total = torch.zeros(batch.n_rows, K, dtype=torch.float64)
    ChainRows(mixed, batch).add_marginals(mixed.fixed(), mixed.deviations, total)
    emissions, moves = mixed(batch.x, groups=batch.groups)
    expected = forward_backward(emissions.double(), moves.double(), batch.lengths).unary
    np.testing.assert_allclose(total, expected[batch.mask], atol=1e-7)


def test_known_parameters_are_not_averaged_over() -> None:
    mixed, batch = chains()
    rows, p = ChainRows(mixed, batch), sum(value.numel() for value in mixed.fixed().values())
    found = rows.log_expected(
        mixed.fixed(), mixed.deviations, lambda some: torch.zeros(some.stop - some.start, p, p)
    )
    expected = rows.log_likelihoods(mixed.fixed(), mixed.deviations)
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("missing", [False, True])
def test_the_average_is_that_of_many_draws(missing: bool) -> None:
    mixed, batch = chains(missing)
    rows, fixed = ChainRows(mixed, batch), mixed.fixed()
    p = sum(value.numel() for value in fixed.values())
    generator = torch.Generator().manual_seed(0)
    root = 0.1 * torch.randn(2, p, p, generator=generator, dtype=torch.float64)
    found = rows.log_expected(fixed, mixed.deviations, lambda some: (root @ root.mT)[some])
    probability = torch.zeros(2, dtype=torch.float64)
    sizes = [value.numel() for value in fixed.values()]
    for _ in range(4000):
        noise = torch.randn(p, generator=generator, dtype=torch.float64)
        for side in (1, -1):
            for k in (0, 1):
                parts = torch.split(side * root[k] @ noise, sizes)
                moved = {
                    name: value + part.view_as(value)
                    for (name, value), part in zip(fixed.items(), parts, strict=True)
                }
                probability[k] += rows.log_likelihoods(moved, mixed.deviations)[k].exp()
    np.testing.assert_allclose(found, (probability / 8000).log(), atol=0.06)


@pytest.mark.parametrize("scale", [3.0, 30.0])
def test_what_little_is_known_gives_no_probability_above_1(scale: float) -> None:
    mixed, batch = chains()
    rows, fixed = ChainRows(mixed, batch), mixed.fixed()
    p = sum(value.numel() for value in fixed.values())
    spread = scale**2 * torch.eye(p, dtype=torch.float64)
    found = rows.log_expected(
        fixed, mixed.deviations, lambda some: spread.expand(some.stop - some.start, p, p)
    )
    assert bool((found < 0).all())
    # of nine labels of three classes that nothing is known of
    assert bool((found > -9 * np.log(3) - 3).all())
