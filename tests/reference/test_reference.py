"""The frozen numbers are readable, whole, and of the rows that `study` gives."""

from functools import cache

import numpy as np
import pytest

from tests.reference.load import PACKAGES, models, reference, versions
from tests.reference.studies import STUDIES, study

ROWS = {
    "sleepstudy": 180, "orthodont": 108, "oxboys": 234, "penicillin": 144, "pastes": 60,
    "pixel": 102, "insteval": 73421, "cbpp": 842, "contraception": 1934, "respiratory": 444,
    "verbagg": 7584, "grouseticks": 403, "epilepsy": 236, "wine": 72, "soup": 1847,
    "arthritis": 888, "ovary": 308, "bodyweight": 176, "diary": 322, "ratings": 776, "schools": 297,
    "housing": 1289, "swearing": 2400,
}  # fmt: skip
rows_of = cache(study)
CASES = [(package, model) for package in PACKAGES for model in models(package)]


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_has_the_rows_that_r_has(name):
    frame = rows_of(name)
    assert len(frame) == ROWS[name]
    assert not frame.isna().any().any()
    assert list(frame.index) == list(range(len(frame)))


@pytest.mark.parametrize(("package", "model"), CASES)
def test_a_model_was_fitted_to_the_rows_of_its_study(package, model):
    found = reference(package, model)
    name = model.split("_")[0]
    frame = rows_of(name)
    assert found.number("rows") == len(frame)
    sums = frame.select_dtypes("number").sum()
    assert np.isclose(sums, found.number("outcome_sum"), rtol=1e-12).any()
    for factor in found.factors:
        levels = set(frame[factor])
        assert factor in frame
        if found.table["quantity"].eq("mode").any():
            assert set(found.modes(factor).index) <= levels


@pytest.mark.parametrize(("package", "model"), CASES)
def test_the_numbers_of_a_model_agree_with_each_other(package, model):
    found = reference(package, model)
    deviance = -2 * found.log_likelihood
    assert found.number("aic") == pytest.approx(deviance + 2 * found.number("parameters"))
    assert list(found.fixed.index) == list(found.fixed_se.index)
    assert (found.fixed_se > 0).all()
    # Optimisers started apart end at the same height.
    assert found.number("optimiser_gap") < 1e-3
    for factor in found.factors:
        sigma = found.covariance(factor)
        np.testing.assert_allclose(np.sqrt(np.diag(sigma)), found.values("sd", factor), rtol=1e-12)
        assert np.linalg.eigvalsh(sigma).min() >= -1e-9 * np.trace(sigma)


@pytest.mark.parametrize("package", PACKAGES)
def test_versions_are_named(package):
    assert {"R", package} - {"multinomial"} <= set(versions(package))


def test_packages_agree_on_the_same_model():
    for end in ("ml", "reml"):
        ours, theirs = (reference(p, f"sleepstudy_slope_{end}") for p in ("lme4", "nlme"))
        assert ours.log_likelihood == pytest.approx(theirs.log_likelihood, abs=1e-8)
        np.testing.assert_allclose(ours.fixed_se, theirs.fixed_se, rtol=1e-6)
        np.testing.assert_allclose(
            ours.covariance("Subject"), theirs.covariance("Subject"), rtol=1e-5
        )


@pytest.mark.parametrize("model", sorted(set(models("lme4")) & set(models("glmmTMB"))))
def test_lme4_and_glmmtmb_agree(model):
    first, second = reference("lme4", model), reference("glmmTMB", model)
    # glmer reports less than the Laplace approximation at its own estimates (README), verbagg most.
    loose = 10 if model == "verbagg_laplace" else 1
    assert first.log_likelihood == pytest.approx(second.log_likelihood, abs=5e-5 * loose)
    apart = (first.fixed - second.fixed) / second.fixed_se
    assert apart.abs().max() < (2e-3 if loose > 1 else 1e-4)
    np.testing.assert_allclose(first.fixed_se, second.fixed_se, rtol=1e-3 * loose)
    for factor in first.factors:
        np.testing.assert_allclose(
            first.covariance(factor), second.covariance(factor), rtol=1e-4 * loose, atol=1e-12
        )


def test_quadrature_reaches_the_integral():
    for name in ("cbpp", "contraception", "grouseticks_brood", "epilepsy", "respiratory"):
        found = reference("lme4", f"{name}_agq25")
        integral = found.number("log_likelihood_integrated")
        assert found.log_likelihood == pytest.approx(integral, abs=5e-6)


def test_nlme_and_glmmtmb_agree_on_residuals_that_correlate():
    for model, phi in (("ovary_ar1_ml", "ar1_phi"), ("diary_car1_ml", "ou_phi")):
        first, second = reference("nlme", model), reference("glmmTMB", model)
        assert first.log_likelihood == pytest.approx(second.log_likelihood, abs=1e-4)
        (rho,) = second.values(phi, second.factors[0])
        assert first.number("phi") == pytest.approx(rho, rel=1e-3)


def test_an_unknown_model_is_refused_with_the_names():
    with pytest.raises(KeyError, match="cbpp_laplace"):
        reference("lme4", "nothing")
    with pytest.raises(KeyError, match="no 'phi'"):
        reference("lme4", "cbpp_laplace").number("phi")
