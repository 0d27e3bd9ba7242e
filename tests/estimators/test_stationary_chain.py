"""The stationary chain: a long path's, by differences, and what changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nme_core.estimators.stationary_chain import log_slope, stationary_chain
from nme_core.nn.crf import forward_backward

K = 3


@pytest.fixture
def scores() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(2, K, K)), rng.normal(size=(2, K))


def test_it_is_the_chain_of_a_long_path(scores):
    transitions, emission = scores
    steps = torch.from_numpy(emission).unsqueeze(1).expand(-1, 4000, -1)
    moves = forward_backward(steps, torch.from_numpy(transitions), torch.tensor([4000, 4000]))
    shares = moves.pairwise.numpy() / moves.pairwise.numpy().sum(2, keepdims=True)
    np.testing.assert_allclose(stationary_chain(transitions, emission), shares, atol=1e-4)


def test_constants_of_rows_and_columns_with_the_opposite_in_the_emission_change_nothing(scores):
    transitions, emission = scores
    shift, chain = np.array([0.3, -1.0, 2.0]), stationary_chain(transitions, emission)
    for moved in (transitions + shift, transitions + shift[:, None]):
        np.testing.assert_allclose(stationary_chain(moved, emission - shift), chain, atol=1e-12)
    np.testing.assert_allclose(stationary_chain(transitions + 5, emission + 7), chain, atol=1e-12)


def test_its_slope_is_that_of_differences(scores):
    transitions, emission = scores
    slope = log_slope(stationary_chain(transitions, emission))
    for n, unit in enumerate(np.eye(K**2 + K) * 1e-6):
        ends = [
            np.log(
                stationary_chain(
                    transitions + side * unit[: K**2].reshape(K, K), emission + side * unit[K**2 :]
                )
            )
            for side in (1, -1)
        ]
        change = ((ends[0] - ends[1]) / 2e-6).reshape(2, -1)
        np.testing.assert_allclose(slope[:, :, n], change, atol=1e-7)
