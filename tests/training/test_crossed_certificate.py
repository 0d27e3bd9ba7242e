"""Several grouping factors: equal to lme4 for numbers, to glmmTMB for all others."""

import numpy as np
import pytest

from nme_core.nn import Categorical, Poisson
from nme_core.training.crossed import CrossedFit, fit_crossed
from tests.reference.load import reference
from tests.reference.studies import study

#: Outcome, fixed effects, and the random effects of each factor beyond the intercept.
NUMBERS = {
    "penicillin": ("diameter", [], {"plate": [], "sample": []}),
    "pastes": ("strength", [], {"batch": [], "sample": []}),
    "pixel": ("pixel", ["day", "day2"], {"Dog": ["day"], "side": []}),
    "schools": ("y", ["x"], {"school": ["x"], "class": []}),
    "ratings": ("y", ["x"], {"person": ["x"], "item": []}),
    "insteval": ("y", [], {"s": [], "d": [], "dept": []}),
}
OTHERS = {
    "ratings_binary": ("yes", Categorical(2), ["x"], {"person": ["x"], "item": []}),
    "verbagg": (
        "r2",
        Categorical(2),
        ["anger", "male", "scold", "shout", "self"],
        {"id": [], "item": []},
    ),
    "grouseticks_full": (
        "TICKS",
        Poisson(),
        ["year96", "year97", "cHEIGHT"],
        {"BROOD": [], "LOCATION": [], "INDEX": []},
    ),
}


def fitted(name, outcome, fixed, factors, family=None, **options):
    """The fit, and the levels of each factor."""
    frame = study(name.split("_")[0])
    x = np.column_stack([np.ones(len(frame)), frame[fixed].to_numpy(float)])
    levels = {factor: np.unique(frame[factor], return_inverse=True) for factor in factors}
    random = [[0, *(1 + fixed.index(one) for one in own)] for own in factors.values()]
    y = frame[outcome].to_numpy()
    y = y if isinstance(family, Categorical) else y.astype(float)
    codes = [codes for _, codes in levels.values()]
    fit = fit_crossed(x, y, codes, random, "full", family, **options)
    assert fit.converged
    return fit, {factor: names.tolist() for factor, (names, _) in levels.items()}


def agree(fit: CrossedFit, levels: dict[str, list[str]], peer, *, se: str, rtol: float) -> None:
    """Everything is that of the peer, effects to `rtol` of their standard errors."""
    assert fit.log_likelihood == pytest.approx(peer.log_likelihood, rel=1e-8)
    error = peer.values(se).to_numpy()
    assert np.abs(fit.fixed - peer.fixed.to_numpy()).max() < rtol * error.max()
    np.testing.assert_allclose(np.sqrt(np.diag(fit.fixed_covariance)), error, rtol=rtol)
    for g, (factor, names) in enumerate(levels.items()):
        sigma = peer.covariance(factor).to_numpy()
        size = np.sqrt(np.outer(np.diag(sigma), np.diag(sigma)))
        assert np.abs((fit.sigma[g] - sigma) / size).max() < 4 * rtol
        modes, sds = peer.modes(factor), peer.mode_sds(factor)
        rows = [names.index(level) for level in modes.index]
        assert (np.abs(fit.effects[g][rows] - modes.to_numpy()) / sds.to_numpy()).max() < 4 * rtol
        if peer.package == "lme4":  # those of glmmTMB count more
            variances = np.diagonal(fit.effects_covariance[g][rows], 0, 1, 2)
            np.testing.assert_allclose(np.sqrt(variances), sds, rtol=4 * rtol)


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_equal_lme4(name, reml):
    if name == "insteval" and reml:
        pytest.skip("frozen by maximum likelihood only")
    fit, levels = fitted(name, *NUMBERS[name], reml=reml)
    peer = reference("lme4", f"{name}_{'reml' if reml else 'ml'}")
    agree(fit, levels, peer, se="fixed_se", rtol=5e-4)
    assert fit.residual_variance == pytest.approx(peer.residual_variance, rel=1e-4)
    assert fit.n_parameters == peer.number("parameters")


@pytest.mark.parametrize("name", OTHERS)
def test_others_equal_glmmtmb(name):
    outcome, family, fixed, factors = OTHERS[name]
    fit, levels = fitted(name, outcome, fixed, factors, family)
    peer = reference("glmmTMB", f"{name}_laplace")
    agree(fit, levels, peer, se="fixed_se", rtol=5e-4)
    assert fit.n_parameters == peer.number("parameters")
