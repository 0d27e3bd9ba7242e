"""Binary, count and ordered outcomes against R: lme4's glmer, ordinal's clmm, glmmTMB.

None of these studies was looked at while the engine was built, but cbpp.
"""

import numpy as np
import pandas as pd
import pytest

from nme_core.estimators import NMEMLPClassifier, NMEMLPRegressor
from tests.reference.load import reference
from tests.reference.studies import study

CHILDREN = ["age", "age2", "urban", "livch1", "livch2", "livch3"]
ILL = ["treatment", "month", "age", "male", "centre2", "baseline"]
FITS = ["treatment", "base", "age", "period"]
#: Package, model, study, outcome, factor, features: a random intercept each.
INTERCEPTS = [
    ("lme4", "cbpp_laplace", "cbpp", "incidence", "herd", ["period2", "period3", "period4"]),
    ("glmmTMB", "cbpp_laplace", "cbpp", "incidence", "herd", ["period2", "period3", "period4"]),
    ("lme4", "contraception_laplace", "contraception", "use", "district", CHILDREN),
    ("glmmTMB", "contraception_laplace", "contraception", "use", "district", CHILDREN),
    ("lme4", "respiratory_laplace", "respiratory", "good", "subject", ILL),
    ("lme4", "epilepsy_laplace", "epilepsy", "seizures", "subject", FITS),
    ("glmmTMB", "epilepsy_laplace", "epilepsy", "seizures", "subject", FITS),
    (
        "lme4", "grouseticks_brood_laplace", "grouseticks", "TICKS", "BROOD",
        ["year96", "year97", "cHEIGHT"],
    ),
    ("ordinal", "wine_laplace", "wine", "rating", "judge", ["warm", "contact"]),
    (
        "ordinal", "arthritis_laplace", "arthritis", "y", "id",
        ["treatment", "baseline", "time"],
    ),
]  # fmt: skip


def fit(rows, outcome, factor, features, package):
    counts = outcome in ("seizures", "TICKS")
    options = {"hidden": (), "placement": ["layers.0.bias"]}
    if counts:
        model, y = NMEMLPRegressor(family="poisson", **options), rows[outcome]
    elif package == "ordinal":
        model, y = NMEMLPClassifier(family="ordinal", **options), rows[outcome]
    else:
        model, y = NMEMLPClassifier(**options), rows[outcome].astype(str)
    return model.fit(rows[features].astype(float), y, groups=rows[factor])


@pytest.mark.parametrize(
    ("package", "name", "data", "outcome", "factor", "features"),
    INTERCEPTS,
    ids=[f"{row[0]} {row[1]}" for row in INTERCEPTS],
)
def test_a_random_intercept(package, name, data, outcome, factor, features):
    rows, r = study(data), reference(package, name)
    model = fit(rows, outcome, factor, features, package)
    assert model.log_likelihood_ == pytest.approx(r.log_likelihood, abs=2e-5)
    fixed, errors = r.values("fixed"), r.values("fixed_se")
    slopes = [f"layers.0.weight[0,{k}]" for k in range(len(features))]
    np.testing.assert_allclose(model.fixed_effects_[slopes], fixed[features], rtol=2e-3, atol=2e-4)
    # clmm takes its second derivative by differences of an inner search
    close = 2e-2 if package == "ordinal" else 5e-3
    np.testing.assert_allclose(model.fixed_effects_se_[slopes], errors[features], rtol=close)
    if package == "ordinal":
        first = -fixed[[term for term in fixed.index if "|" in term]].iloc[0]
    else:
        first = fixed["(Intercept)"]
    assert model.fixed_effects_["layers.0.bias[0]"] == pytest.approx(first, rel=2e-3, abs=2e-4)
    sd = float(model.random_effects_cov_.iloc[0, 0]) ** 0.5
    assert sd == pytest.approx(r.values("sd", factor).iloc[0], rel=2e-3)
    shown = r.table.query("quantity == 'mode' and factor == @factor").set_index("level")["value"]
    modes = model.random_effects_.iloc[:, 0].rename(index=str).loc[shown.index]
    np.testing.assert_allclose(modes, shown.astype(float), rtol=5e-3, atol=2e-3)
    spread = r.table.query("quantity == 'mode_sd' and factor == @factor").set_index("level")
    found = model.random_effects_se_.iloc[:, 0].rename(index=str).loc[spread.index]
    # glmmTMB's and clmm's count the fixed effects or Σ too, or leave them out
    if package == "lme4":
        np.testing.assert_allclose(found, spread["value"].astype(float), rtol=5e-3)


def test_ordered_thresholds_are_those_of_clmm():
    rows, r = study("wine"), reference("ordinal", "wine_laplace")
    model = fit(rows, "rating", "judge", ["warm", "contact"], "ordinal")
    fixed = model.fixed_effects_
    gaps = [label for label in fixed.index if label.startswith("gaps")]
    cuts = -fixed["layers.0.bias[0]"] + np.concatenate([[0], np.exp(fixed[gaps]).cumsum()])
    expected = r.values("fixed")[["1|2", "2|3", "3|4", "4|5"]]
    np.testing.assert_allclose(cuts, expected, rtol=1e-4)
    # as published in the package's own tutorial (Christensen 2015, section 2)
    published = model.fixed_effects_se_[["layers.0.weight[0,0]", "layers.0.weight[0,1]"]]
    np.testing.assert_allclose(published, [0.5954, 0.5125], atol=2e-4)


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
        model = NMEMLPClassifier(**options).fit(x, y, groups=person)
        again = NMEMLPClassifier(**options).fit(x, renamed, groups=person)
        assert again.log_likelihood_ == pytest.approx(model.log_likelihood_, abs=1e-8)
        np.testing.assert_allclose(scores(again, "zam"), scores(model, "abc"), atol=close)
