"""Standard errors of the linear mixed model, against differences, lmerTest and simulation."""

import numpy as np
import pytest

from nme_core.training.linear_mixed import Sums, fit_linear_mixed_model
from tests.training.linear_studies import from_r, log_density, simulated

RANDOM = [0, 3]


def sleep():
    return from_r("lme4", "sleepstudy", "Reaction", "Subject", ["Days"])


def test_standard_errors_are_those_of_the_whole_curvature():
    """−∂² log L by (β, Σ, σ²) together, by differences of the density."""
    study = simulated(n_persons=40, rows=(4, 9))
    fit = fit_linear_mixed_model(Sums.of(*study), RANDOM, "full")
    row, column = np.tril_indices(2)
    at = np.concatenate([fit.fixed, fit.sigma.numpy()[row, column], [fit.residual_variance]])

    def value(parameters):
        sigma = np.zeros((2, 2))
        sigma[row, column] = sigma[column, row] = parameters[4:7]
        return log_density(study, RANDOM, parameters[:4], sigma, parameters[7])

    steps = 1e-3 * np.eye(8)
    second = np.array(
        [
            [
                value(at + a + b) - value(at + a - b) - value(at - a + b) + value(at - a - b)
                for b in steps
            ]
            for a in steps
        ]
    )
    se = np.sqrt(np.diag(np.linalg.inv(-second / 4e-6)))
    information = fit.information
    np.testing.assert_allclose(information.sigma_se[row, column], se[4:7], rtol=1e-4)
    assert information.residual_variance_se == pytest.approx(se[7], rel=1e-4)


@pytest.mark.parametrize(
    ("reml", "kind", "df"),
    [  # lmerTest 3.1: coef(summary(lmer(Reaction ~ Days + (Days | Subject), sleepstudy, REML =)))
        (False, "full", (18.0011347664, 18.0001769285)),
        (True, "full", (16.9997262885, 16.9999837256)),
        (False, "diagonal", (19.3484154409, 19.3492076579)),
        (True, "diagonal", (18.1561960496, 18.1560912913)),
    ],
)
def test_degrees_of_freedom_are_those_of_lmer_test(reml, kind, df):
    fit = fit_linear_mixed_model(Sums.of(*sleep()), [0, 1], kind, reml=reml)
    found = fit.information.degrees_of_freedom(np.eye(2))
    np.testing.assert_allclose(found, df, rtol=1e-4)


def test_without_random_effects_the_degrees_of_freedom_are_those_of_least_squares():
    x, y, person = simulated()
    fit = fit_linear_mixed_model(Sums.of(x, y, person), [], "full", reml=True)
    np.testing.assert_allclose(fit.information.degrees_of_freedom(np.eye(4)), len(y) - 4)
    rest = y - x @ fit.fixed.numpy()
    assert fit.residual_variance == pytest.approx(rest @ rest / (len(y) - 4))


def test_effects_error_is_that_of_henderson():
    """The block of the inverse of the mixed model equations."""
    x, y, person = simulated(n_persons=12, rows=(4, 9))
    fit = fit_linear_mixed_model(Sums.of(x, y, person), RANDOM, "full")
    z = np.zeros((len(x), 24))
    for k, column in enumerate(RANDOM):
        z[np.arange(len(x)), 2 * person + k] = x[:, column]
    both = np.column_stack([x, z])
    left = both.T @ both / fit.residual_variance
    left[4:, 4:] += np.kron(np.eye(12), np.linalg.inv(fit.sigma.numpy()))
    inverse = np.linalg.inv(left)
    np.testing.assert_allclose(fit.fixed_covariance, inverse[:4, :4], rtol=1e-8)
    expected = np.stack([inverse[4 + 2 * i : 6 + 2 * i, 4 + 2 * i : 6 + 2 * i] for i in range(12)])
    np.testing.assert_allclose(fit.effects_error(), expected, rtol=1e-7)


def test_at_the_boundary_there_is_no_standard_error():
    rng = np.random.default_rng(3)
    person = np.repeat(np.arange(20), 10)
    x = np.column_stack([rng.normal(size=200), np.ones(200)])
    noise = rng.normal(size=200)
    noise -= np.repeat([noise[person == i].mean() for i in range(20)], 10)
    y = x[:, 0] * (1 + rng.normal(size=20)[person]) + noise
    fit = fit_linear_mixed_model(Sums.of(x, y, person), [0, 1], "diagonal")
    assert fit.sigma[1, 1] == 0
    error = fit.information.sigma_se
    assert np.isfinite(error[0, 0])
    assert np.isnan(error[1]).all()
    assert np.isfinite(fit.information.residual_variance_se)
    assert (fit.information.degrees_of_freedom(np.eye(2)) > 0).all()
