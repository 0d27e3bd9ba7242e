"""Columns that cannot be told apart."""

import numpy as np
import pytest
import torch

from nme_core.exceptions import IdentificationWarning
from nme_core.training.linear_mixed import CollinearColumnError, Sums, fit_linear_mixed_model
from nme_core.training.weak_prior import (
    collinear_columns,
    explained_inputs,
    prior_precision,
    warn_of_collinear,
)
from tests.training.linear_studies import simulated


def doubled():
    x, y, person = simulated()
    return np.column_stack([x, x[:, 0] - 2 * x[:, 1], np.zeros(len(y))]), y, person


def test_they_are_found():
    x, _, _ = doubled()
    assert collinear_columns(x.T @ x) == [4, 5]
    assert collinear_columns(torch.from_numpy(x[:, :4].T @ x[:, :4])) == []
    x[:, 5] = 1 + 1e-7 * np.random.default_rng(0).normal(size=len(x))
    assert collinear_columns(x.T @ x) == [4, 5]


def test_what_explains_them_is_named():
    rng = np.random.default_rng(1)
    a, b, c = rng.normal(size=(3, 50))
    inputs = np.column_stack([a, b, a - 2 * b + 3, np.full(50, 7.0), c, 5 * c, np.ones(50)])
    assert explained_inputs(inputs.T @ inputs) == {2: (0, 1), 3: (), 5: (4,)}


@pytest.mark.parametrize("reml", [False, True])
def test_with_the_prior_all_else_is_as_without_them(reml):
    x, y, person = doubled()
    with pytest.raises(CollinearColumnError):
        fit_linear_mixed_model(Sums.of(x, y, person), [3], "full", reml=reml)
    prior = prior_precision(6, [4, 5])
    fit = fit_linear_mixed_model(Sums.of(x, y, person), [3], "full", reml=reml, prior=prior)
    plain = fit_linear_mixed_model(Sums.of(x[:, :4], y, person), [3], "full", reml=reml)
    np.testing.assert_allclose(fit.fixed[:4], plain.fixed, atol=1e-8)
    np.testing.assert_allclose(fit.fixed[4:], 0, atol=1e-10)
    np.testing.assert_allclose(
        fit.fixed_covariance[:4, :4], plain.fixed_covariance, rtol=1e-4, atol=1e-9
    )
    np.testing.assert_allclose(fit.sigma, plain.sigma, rtol=1e-7)
    np.testing.assert_allclose(fit.effects, plain.effects, atol=1e-7)
    assert fit.log_likelihood == pytest.approx(plain.log_likelihood)


def test_they_are_named():
    with pytest.warns(IdentificationWarning, match="'sum' is a combination of 'a', 'b'"):
        warn_of_collinear("'sum'", ["'a'", "'b'"])
    with pytest.warns(IdentificationWarning, match="'steps' is constant"):
        warn_of_collinear("'steps'", [])
