"""Binary, count and ordered outcomes against R: lme4's glmer, ordinal's clmm, glmmTMB.

None of these studies was looked at while the engine was built, but cbpp.
"""

import numpy as np
import pandas as pd
import pytest

from nme_core.estimators import NMEMLPClassifier
from tests.reference.certificates import ALL, INTERCEPTS, UNORDERED
from tests.reference.load import reference

# epilepsy and grouseticks vary more than Poisson, as R's users fit them here
pytestmark = pytest.mark.filterwarnings("ignore::nme_core.exceptions.DispersionWarning")


def name_of(one):
    return f"{one.package} {one.model}"


@pytest.mark.parametrize("one", ALL, ids=name_of)
def test_effects_errors_and_variances_are_those_of_r(one):
    table = one.compare()
    apart = (table["ours"] - table["reference"]).abs()
    assert apart["log-likelihood"] < 5e-5
    size = table["reference"].abs()
    errors = [name for name in table.index if name.startswith("se ")]
    # clmm takes its second derivative by differences of an inner search
    close = 2e-2 if one.package == "ordinal" else 5e-3
    assert (apart[errors] <= close * size[errors]).all()
    rest = table.index.difference(["log-likelihood", *errors])
    assert (apart[rest] <= 2e-4 + 2e-3 * size[rest]).all()


@pytest.mark.parametrize("one", INTERCEPTS, ids=name_of)
def test_people_are_those_of_r(one):
    model, table = one.fit(), one.reference.table[lambda rows: rows["factor"] == one.factors[0]]
    shown = table.query("quantity == 'mode'").set_index("level")["value"]
    modes = model.random_effects_.iloc[:, 0].rename(index=str).loc[shown.index]
    np.testing.assert_allclose(modes, shown.astype(float), rtol=5e-3, atol=2e-3)
    if one.package == "lme4":  # those of glmmTMB and clmm count other things
        spread = table.query("quantity == 'mode_sd'").set_index("level")
        found = model.random_effects_se_.iloc[:, 0].rename(index=str).loc[spread.index]
        np.testing.assert_allclose(found, spread["value"].astype(float), rtol=5e-3)


def test_ordered_thresholds_are_those_of_clmm():
    r = reference("ordinal", "wine_laplace")
    model = next(one for one in INTERCEPTS if one.model == "wine_laplace").fit()
    fixed = model.fixed_effects_
    gaps = [label for label in fixed.index if label.startswith("gaps")]
    cuts = -fixed["layers.0.bias[0]"] + np.concatenate([[0], np.exp(fixed[gaps]).cumsum()])
    expected = r.values("fixed")[["1|2", "2|3", "3|4", "4|5"]]
    np.testing.assert_allclose(cuts, expected, rtol=1e-4)
    # as published in the package's own tutorial (Christensen 2015, section 2)
    published = model.fixed_effects_se_[["layers.0.weight[0,0]", "layers.0.weight[0,1]"]]
    np.testing.assert_allclose(published, [0.5954, 0.5125], atol=2e-4)


@pytest.mark.parametrize("one", UNORDERED, ids=name_of)
def test_unordered_classes_are_those_of_the_likelihood_written_out_in_r(one):
    fit, r, table = one.fit(), one.reference, one.compare()
    apart = (table["ours"] - table["reference"]).abs()
    assert apart["log-likelihood"] < 1e-5
    # what the approximation lacks of the integral by quadrature
    assert fit.log_likelihood_ == pytest.approx(r.number("log_likelihood_integrated"), rel=1e-2)
    effects = [name for name in table.index if name.startswith("effect ")]
    errors = [name.replace("effect", "se", 1) for name in effects]
    assert (apart[effects].to_numpy() / table["reference"][errors].to_numpy()).max() < 1e-3
    assert (apart[errors] <= 2e-3 * table["reference"][errors]).all()
    np.testing.assert_allclose(fit.random_effects_cov_, r.covariance("id"), rtol=2e-3)
    modes = fit.random_effects_.rename(index=str).loc[r.modes("id").index]
    np.testing.assert_allclose(modes, r.modes("id"), rtol=5e-3, atol=2e-3)


def simulate(n_persons=30, n_rows=12, seed=0):
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n_persons), n_rows)
    x = rng.normal(size=(len(person), 2))
    own = rng.normal(size=n_persons)[person]
    score = np.stack([0 * own, 0.8 * x[:, 0] + own, -0.5 * x[:, 1] - 0.7 * own])
    return x, np.array(["a", "b", "c"])[(score + rng.gumbel(size=score.shape)).argmax(0)], person


def scores(model, classes):
    """Effects of every person on the score of each class, these in this order; (n, K)."""
    own = model.random_effects_ + model.fixed_effects_[model.random_effects_.columns]
    parts = []
    for what in ("weight[{},0]", "weight[{},1]", "bias[{}]"):
        odds = own[[f"layers.0.{what.format(k)}" for k in range(len(classes) - 1)]].to_numpy()
        all_ = np.column_stack([np.zeros(len(odds)), odds])
        part = pd.DataFrame(all_ - all_.mean(axis=1, keepdims=True), columns=model.classes_)
        parts.append(part[list(classes)].to_numpy())
    return np.stack(parts)


@pytest.mark.filterwarnings("ignore:The (co)?variance:UserWarning")
def test_relabelling_classes_changes_nothing():
    x, y, person = simulate()
    renamed = pd.Series(y).map({"a": "z", "b": "a", "c": "m"})
    # the full Σ is singular here, where its elements are known less well than the likelihood
    for covariance, close in (("diagonal", 1e-8), ("full", 1e-4)):
        options = {"hidden": (), "covariance": covariance}
        model = NMEMLPClassifier(**options).fit(x, y, groups=person, uncertainty=False)
        again = NMEMLPClassifier(**options).fit(x, renamed, groups=person, uncertainty=False)
        assert again.log_likelihood_ == pytest.approx(model.log_likelihood_, abs=1e-8)
        np.testing.assert_allclose(scores(again, "zam"), scores(model, "abc"), atol=close)
