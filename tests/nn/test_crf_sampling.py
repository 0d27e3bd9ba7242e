"""Paths drawn from a chain come as often as enumeration says."""

import itertools

import numpy as np
import torch
from scipy.stats import chisquare

from nme_core.nn.crf import sample_paths


def test_every_path_comes_with_its_probability():
    generator = torch.Generator().manual_seed(0)
    emissions = torch.randn(2, 3, 2, generator=generator)
    transitions = torch.tensor([[[1.0, -1.0], [0.5, 0.0]], [[0.0, 2.0], [-1.0, 0.3]]])
    n, lengths = 4000, torch.tensor([3, 2])
    many = sample_paths(
        emissions.repeat(n, 1, 1), transitions.repeat(n, 1, 1), lengths.repeat(n), generator
    ).view(n, 2, 3)
    assert (many[:, 1, 2] == -1).all()
    for s, length in enumerate(lengths.tolist()):
        paths = list(itertools.product(range(2), repeat=length))
        scores = [
            sum(float(emissions[s, t, path[t]]) for t in range(length))
            + sum(float(transitions[s, path[t - 1], path[t]]) for t in range(1, length))
            for path in paths
        ]
        expected = np.exp(scores) / np.exp(scores).sum()
        drawn = [tuple(path) for path in many[:, s, :length].tolist()]
        counts = [drawn.count(path) for path in paths]
        assert chisquare(counts, expected * n).pvalue > 0.001


def test_scores_far_apart_leave_the_likeliest_path():
    emissions = torch.tensor([[[0.0, -1500.0], [-1500.0, 0.0], [0.0, -1500.0]]])
    transitions = torch.tensor([[[0.0, -2000.0], [-2000.0, 0.0]]])
    path = sample_paths(emissions, transitions, torch.tensor([3]), torch.Generator())
    assert path.tolist() == [[0, 0, 0]]
