"""Certificate: the linear mixed model equals lme4 and nlme on every model that was frozen."""

import numpy as np
import pytest

from nme_core.training.linear_autocorrelation import fit_autocorrelated
from nme_core.training.linear_mixed import Sums, fit_linear_mixed_model
from nme_core.training.linear_profiles import residual_profile, variance_profile
from nme_core.training.residual_process import TimedRows
from tests.reference.load import reference
from tests.reference.studies import study

#: Model → study, outcome, person, fixed columns, random columns, kind, REML.
LMER = {
    f"{name}_{likelihood}": (*rest, likelihood == "reml")
    for name, rest in {
        "sleepstudy_slope": ("sleepstudy", "Reaction", "Subject", ["Days"], ["Days"], "full"),
        "sleepstudy_diagonal": (
            "sleepstudy", "Reaction", "Subject", ["Days"], ["Days"], "diagonal",
        ),
        "sleepstudy_intercept": ("sleepstudy", "Reaction", "Subject", ["Days"], [], "full"),
    }.items()
    for likelihood in ("ml", "reml")
} | {
    "orthodont_ml": ("orthodont", "distance", "Subject", ["age"], ["age"], "full", False),
    "oxboys_ml": ("oxboys", "height", "Subject", ["age"], ["age"], "full", False),
}  # fmt: skip


def rows(name, outcome, person, fixed):
    table = study(name)
    x = np.column_stack([np.ones(len(table)), table[fixed].to_numpy(float)])
    codes = table[person].astype("category")
    return table, x, table[outcome].to_numpy(float), codes


def compare(fit, expected, factor, codes, names, *, rtol=1e-5):
    """Fixed effects, their standard errors, Σ, σ² and modes against R's."""
    np.testing.assert_allclose(fit.fixed, expected.fixed, rtol=rtol)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.fixed_covariance)), expected.fixed_se, rtol=rtol)
    sigma = expected.covariance(factor)
    assert list(sigma) == names
    scale = float(np.diag(sigma).max())
    np.testing.assert_allclose(fit.sigma, sigma, rtol=rtol * 10, atol=1e-7 * scale)
    assert fit.residual_variance == pytest.approx(expected.residual_variance, rel=rtol)
    modes = expected.modes(factor)
    places = [list(codes.cat.categories.astype(str)).index(str(level)) for level in modes.index]
    np.testing.assert_allclose(fit.effects.numpy()[places], modes, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("model", LMER)
def test_lmer(model):
    name, outcome, person, fixed, random, kind, reml = LMER[model]
    _, x, y, codes = rows(name, outcome, person, fixed)
    expected = reference("lme4", model)
    columns = [0, *(1 + fixed.index(column) for column in random)]
    sums = Sums.of(x, y, codes.cat.codes.to_numpy(np.int64))
    fit = fit_linear_mixed_model(sums, columns, kind, reml=reml)
    assert fit.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-6)
    compare(fit, expected, person, codes, ["(Intercept)", *random])
    if reml:
        df = fit.information.degrees_of_freedom(np.eye(len(fit.fixed)))
        np.testing.assert_allclose(df, expected.values("df_satterthwaite"), rtol=1e-3)
        return
    names = ["(Intercept)", *random]
    low, high = (expected.values(f"profile_{end}") for end in ("low", "high"))
    information = fit.information
    point, elements = information.point, information.elements
    for k, effect in enumerate(names):
        term = f"sd_{effect}|{person}"
        ends = variance_profile(point, elements, np.eye(len(names))[k]).interval()
        # lme4 interpolates its profile, roughly so near a singular Σ
        np.testing.assert_allclose(np.sqrt(ends), (low[term], high[term]), rtol=1e-3, atol=5e-3)
    ends = residual_profile(point, elements, error=information.residual_variance_se).interval()
    np.testing.assert_allclose(np.sqrt(ends), (low["sigma"], high["sigma"]), rtol=1e-3)


WAVE, GROWTH = ["sin", "cos"], ["Time", "diet2", "diet3", "Time_diet2", "Time_diet3"]
#: Model → study, outcome, person, fixed columns, random columns or None, kind, time, REML.
NLME = {
    f"{name}_{likelihood}": (*rest, likelihood == "reml")
    for name, rest in {
        "ovary_ar1": ("ovary", "follicles", "Mare", WAVE, [], "full", "occasion"),
        "ovary_car1": ("ovary", "follicles", "Mare", WAVE, [], "full", "Time"),
        "ovary_slope_ar1": ("ovary", "follicles", "Mare", WAVE, ["sin"], "diagonal", "occasion"),
        "ovary_gls_ar1": ("ovary", "follicles", "Mare", WAVE, None, "full", "occasion"),
        "ovary_gls_car1": ("ovary", "follicles", "Mare", WAVE, None, "full", "Time"),
        "bodyweight_car1": ("bodyweight", "weight", "Rat", GROWTH, ["Time"], "full", "Time"),
        "diary_ar1": ("diary", "y", "person", ["x"], [], "full", "occasion"),
        "diary_car1": ("diary", "y", "person", ["x"], [], "full", "time"),
        "diary_slope_car1": ("diary", "y", "person", ["x"], ["x"], "full", "time"),
        "diary_gls_car1": ("diary", "y", "person", ["x"], None, "full", "time"),
    }.items()
    for likelihood in ("ml", "reml")
}


@pytest.mark.parametrize("model", NLME)
def test_nlme(model):
    name, outcome, person, fixed, random, kind, time, reml = NLME[model]
    table, x, y, codes = rows(name, outcome, person, fixed)
    expected = reference("nlme", model)
    columns = [] if random is None else [0, *(1 + fixed.index(column) for column in random)]
    timed = TimedRows.of(x, y, codes.cat.codes.to_numpy(np.int64), table[time].to_numpy(float))
    found = fit_autocorrelated(timed, columns, kind, reml=reml)
    fit = found.fit
    assert fit.converged
    assert fit.log_likelihood > expected.log_likelihood - 1e-6
    if fit.log_likelihood > expected.log_likelihood + 1e-3:
        pytest.fail(f"nlme stopped {fit.log_likelihood - expected.log_likelihood:.4f} below")
    assert found.rho == pytest.approx(expected.number("phi"), rel=1e-3)
    if random is not None:
        names = ["(Intercept)", *random]
        compare(fit, expected, person, codes, names, rtol=1e-4)
    else:
        np.testing.assert_allclose(fit.fixed, expected.fixed, rtol=1e-4)
