"""Scores of classes from contrasts."""

import pytest
import torch

from nme_core.nn import against_first, contrasts


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_scores_sum_to_zero_and_all_classes_are_treated_alike(n_classes):
    basis = contrasts(n_classes)
    torch.testing.assert_close(basis.sum(0), torch.zeros(n_classes - 1).double())
    torch.testing.assert_close(basis.T @ basis, torch.eye(n_classes - 1).double() / 2)
    covariance = basis @ basis.T  # of the scores of independent h
    torch.testing.assert_close(covariance.diagonal(), covariance[0, 0].expand(n_classes))
    off = covariance[~torch.eye(n_classes, dtype=torch.bool)]
    torch.testing.assert_close(off, off[0].expand_as(off))


def test_of_two_classes_it_is_the_log_odds_of_the_second():
    assert contrasts(2).tolist() == [[-0.5], [0.5]]
    assert against_first(2).tolist() == [[1.0]]


def test_log_odds_are_differences_of_scores():
    h = torch.randn(3).double()
    scores = contrasts(4) @ h
    torch.testing.assert_close(against_first(4) @ h, scores[1:] - scores[0])
