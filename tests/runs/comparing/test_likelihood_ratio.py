"""Likelihood-ratio tests: their reference distributions, and their size where a variance is 0."""

import numpy as np
import pytest
from scipy.stats import chi2

from nme_core.runs.comparing import boundary_p, likelihood_ratio
from nme_core.runs.comparing.likelihood_ratio import CONSERVATIVE, INTERIOR, MIXTURE
from nme_core.training.linear_mixed import Sums, fit_linear_mixed_model


def test_p_of_the_mixture():
    """½ χ²₀ + ½ χ²₁: 5 % at 2.706; ½ χ²₁ + ½ χ²₂: 5.139 (Stram and Lee 1994)."""
    assert boundary_p(2.7055, 1) == pytest.approx(0.05, abs=1e-5)
    assert boundary_p(5.1384, 2) == pytest.approx(0.05, abs=1e-4)
    assert boundary_p(0.0, 1) == 1
    for df in (1, 2, 5):
        assert boundary_p(3.0, df) < chi2.sf(3.0, df)  # never above that of the interior


def test_which_reference():
    inside = likelihood_ratio(-100.0, -98.0, df=2, n_variances=0)
    assert (inside.statistic, inside.reference) == (4.0, INTERIOR)
    assert inside.p == pytest.approx(chi2.sf(4.0, 2))
    assert likelihood_ratio(-100.0, -98.0, df=2, n_variances=1).reference == MIXTURE
    assert likelihood_ratio(-100.0, -98.0, df=5, n_variances=3).reference == CONSERVATIVE
    with pytest.raises(ValueError, match="no parameter more"):
        likelihood_ratio(-1.0, -1.0, df=0, n_variances=0)


def test_a_larger_model_that_fits_worse_has_no_p():
    assert likelihood_ratio(-100.0, -100.001, df=1, n_variances=1).p == 1  # rounding
    assert np.isnan(likelihood_ratio(-100.0, -101.0, df=1, n_variances=1).p)


def simulate(rng, n_people, n_rows, intercept_sd):
    who = np.repeat(np.arange(n_people), n_rows)
    x = np.column_stack([rng.normal(size=len(who)), np.ones(len(who))])
    y = x[:, 0] + intercept_sd * rng.normal(size=n_people)[who] + rng.normal(size=len(who))
    return Sums.of(x, y, who)


def share_rejected(n_studies, intercept_sd, smaller, larger, df, n_variances, seed):
    rng, rejected = np.random.default_rng(seed), 0
    for _ in range(n_studies):
        sums = simulate(rng, 60, 6, intercept_sd)
        ends = [
            fit_linear_mixed_model(sums, columns, kind).log_likelihood
            for columns, kind in (smaller, larger)
        ]
        rejected += likelihood_ratio(*ends, df=df, n_variances=n_variances).p < 0.05
    return rejected / n_studies


@pytest.mark.parametrize(
    ("intercept_sd", "smaller", "larger", "df", "n_variances"),
    [
        (0.0, ([], "diagonal"), ([1], "diagonal"), 1, 1),
        (1.0, ([1], "full"), ([0, 1], "full"), 2, 1),
        (1.0, ([1], "diagonal"), ([0, 1], "diagonal"), 1, 1),
    ],
    ids=["any intercepts", "correlated slopes", "slopes"],
)
def test_size_at_the_boundary(intercept_sd, smaller, larger, df, n_variances):
    """5 % of studies in which the variance is 0, within three binomial standard errors.

    χ² without the mixture would reject half as often: 2.5 % of the first kind.
    """
    share = share_rejected(400, intercept_sd, smaller, larger, df, n_variances, seed=3)
    assert abs(share - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 400)


def test_power():
    assert share_rejected(30, 0.7, ([], "diagonal"), ([1], "diagonal"), 1, 1, seed=1) > 0.9
