"""Person-specific and population predictions, against the network's own arithmetic."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax

from nme_core import NMEMLPClassifier, NMEMLPRegressor


def linear_inputs(case):
    """Features in units of the data with missing ones at their mean, and the indicators."""
    filled = case.X.fillna(case.X.mean())
    return np.column_stack([filled, case.X["stress"].isna()])


def coefficients(table, n_outputs=1):
    """Weights (n_outputs, n_inputs) and biases by parameter name, per person or shared."""
    weight = [[table[f"layers.0.weight[{o},{k}]"] for k in range(4)] for o in range(n_outputs)]
    bias = [table[f"layers.0.bias[{o}]"] for o in range(n_outputs)]
    return np.array(weight), np.array(bias)


@pytest.mark.parametrize("name", ["regressor", "regressor annealed"])
@pytest.mark.parametrize("placement", ["all", ["layers.0.bias"], ["layers.0.weight"]])
def test_a_linear_model_predicts_with_its_effects_in_units_of_the_data(cases, name, placement):
    case = cases[name]
    model = case.fit(hidden=(), placement=placement, epochs=40)
    x = linear_inputs(case)
    weight, bias = coefficients(model.fixed_effects_)
    population = x @ weight[0] + bias[0]
    np.testing.assert_allclose(model.predict(case.X, level="population"), population, rtol=1e-5)
    own = pd.DataFrame(0.0, model.groups_, model.fixed_effects_.index)
    own[model.random_effects_.columns] = model.random_effects_
    deviations, shift = coefficients(own.loc[case.groups])
    expected = population + np.einsum("nk,kn->n", x, deviations[0]) + shift[0]
    np.testing.assert_allclose(model.predict(case.X, case.groups), expected, rtol=1e-5)
    assert np.abs(expected - population).max() > 0.1


def test_a_linear_classifier_is_the_softmax_of_its_effects(cases):
    case = cases["classifier annealed"]
    model = case.fit(hidden=(), placement="all", epochs=30)
    weight, bias = coefficients(model.fixed_effects_, n_outputs=2)
    log_odds = linear_inputs(case) @ weight.T + bias  # against the first class
    expected = softmax(np.column_stack([np.zeros(len(log_odds)), log_odds]), axis=1)
    probabilities = model.predict_proba(case.X, level="population")
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_covariance_and_errors_follow_the_effects_into_units_of_the_data(cases):
    """The deviations in the data are M η: so are draws from Σ and from the posterior."""
    case = cases["regressor"]
    model = case.fit(hidden=(), placement=["layers.0.weight"], covariance="full", epochs=40)
    names = model.random_effects_.columns
    assert "layers.0.bias[0]" in names, "a person's slope moves the intercept at 0"
    rng = np.random.default_rng(0)
    sd = np.append(case.X.std(ddof=0), 1.0)
    mean = np.append(case.X.mean(), 0.0)
    for covariance, found in (
        (model._posterior.sigma[0].numpy(), model.random_effects_cov_.to_numpy()),
        (model._posterior.covariance[2].numpy(), None),
    ):
        eta = rng.multivariate_normal(np.zeros(4), covariance, 200_000)
        slopes = eta * case.y.std(ddof=0) / sd
        moved = np.column_stack([slopes, -slopes @ mean])
        if found is None:
            found = model.random_effects_se_.iloc[2].to_numpy() ** 2
            np.testing.assert_allclose(moved.var(axis=0), found, rtol=0.02)
        else:
            scale = np.sqrt(np.outer(found.diagonal(), found.diagonal()))
            np.testing.assert_allclose(np.cov(moved.T) / scale, found / scale, atol=0.02)


def test_probabilities_add_up_and_lead_to_the_class(cases):
    for name in ("classifier", "classifier annealed"):
        case = cases[name]
        model = case.fit(epochs=20)
        probabilities = model.predict_proba(case.X, case.groups)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
        chosen = model.classes_[probabilities.argmax(axis=1)]
        np.testing.assert_array_equal(model.predict(case.X, case.groups), chosen)
        assert model.classes_.tolist() == ["calm", "low", "tense"]
        assert model.residual_variance_ == 1.0


def test_predictions_are_averaged_over_the_posterior(cases):
    """Many draws of a network by hand have the mean that predict gives."""
    case = cases["regressor"]
    model = case.fit(placement="all", hidden=(4,), epochs=30)
    torch.manual_seed(0)
    mixed, n = model._posterior.mixed, 4000
    x = torch.from_numpy(model._encoder.scaler.transform(case.X.to_numpy()[:1].T))
    shared_spread = model._posterior.spread
    spread = torch.linalg.cholesky(model._posterior.covariance[0]).float()
    draws = []
    for _ in range(n):
        fixed = {k: v + shared_spread[k] * torch.randn_like(v) for k, v in mixed.fixed().items()}
        own = mixed.deviations[0] + spread @ torch.randn(mixed.n_random)
        draws.append(float(mixed(x.unsqueeze(0), fixed=fixed, deviations=own.unsqueeze(0))))
    expected = case.y.mean() + case.y.std(ddof=0) * np.array(draws)
    error = expected.std() / np.sqrt(64)
    assert model.predict(case.X[:1], ["007"])[0] == pytest.approx(expected.mean(), abs=3 * error)


def test_population_takes_persons_that_were_never_seen(one_of_each):
    case = one_of_each
    model = case.fit(epochs=20)
    strangers = ["zoe"] * len(case.X)
    by_stranger = model.predict(case.X, strangers, level="population")
    by_nobody = model.predict(case.X, level="population")
    if "sequence_ids" not in case.context:
        known = model.predict(case.X, case.groups, level="population")
        np.testing.assert_array_equal(by_stranger, known)
    np.testing.assert_array_equal(by_stranger, by_nobody)


def test_population_has_no_deviations(one_of_each):
    case = one_of_each
    model = case.fit(epochs=20)
    before = case.predict(model, level="population")
    with torch.no_grad():
        model._posterior.mixed.deviations.mul_(50)
    np.testing.assert_array_equal(case.predict(model, level="population"), before)
    assert np.abs(case.predict(model) - before).max() > 0.01


def test_ids_are_text_whatever_they_were(cases):
    case = cases["regressor"]
    numbers = pd.factorize(case.groups)[0]
    model = case.make().fit(case.X, case.y, groups=numbers)
    assert model.groups_.tolist() == ["0", "1", "2", "3", "4"]
    np.testing.assert_array_equal(
        model.predict(case.X, numbers), model.predict(case.X, [str(k) for k in numbers])
    )


def test_arrays_do_as_well_as_tables(one_of_each):
    case = one_of_each
    context = {k: v.to_numpy() for k, v in case.context.items()}
    arrays = (case.X.to_numpy(), case.y.to_numpy())
    model = case.make().fit(*arrays, groups=case.groups.to_numpy(), **context)
    assert model.feature_names_in_.tolist() == ["x0", "x1", "x2"]
    np.testing.assert_array_equal(
        model.predict(arrays[0], case.groups.tolist(), **context),
        case.fit().predict(case.X, case.groups, **case.context),
    )
    np.testing.assert_array_equal(
        model.predict(case.X, case.groups, **case.context),
        model.predict(arrays[0], case.groups, **context),
    )


def test_missing_values_that_are_new_are_taken_at_the_mean(cases):
    case = cases["regressor"]
    model = case.fit()
    gap, mean = case.X.copy(), case.X.copy()
    gap.loc[5, "sleep"], mean.loc[5, "sleep"] = np.nan, case.X["sleep"].mean()
    np.testing.assert_allclose(
        model.predict(gap, case.groups), model.predict(mean, case.groups), rtol=1e-6
    )


def test_intervals_of_the_expected_outcome_are_those_of_a_random_intercept() -> None:
    rng = np.random.default_rng(5)
    groups = np.repeat([f"p{i}" for i in range(30)], 10)
    x = rng.normal(size=(300, 1))
    y = np.repeat(rng.normal(0, 1, 30), 10) + x[:, 0] + rng.normal(0, 0.5, 300)
    model = NMEMLPRegressor(hidden=(), estimator="laplace", placement="layers.0.bias").fit(
        x, y, groups=groups
    )
    low, high = model.predict_interval(x, groups)
    assert (low + high) / 2 == pytest.approx(model.predict(x, groups), abs=1e-4)
    # 32 independent draws know an SD to 1 / √64 = 12.5 %; their mean over 30 persons far better.
    se = model.random_effects_se_["layers.0.bias[0]"].loc[groups].to_numpy()
    assert ((high - low) / 2 / 1.96 / se).mean() == pytest.approx(1, rel=0.06)


def test_expected_counts_have_no_ends_below_0() -> None:
    rng = np.random.default_rng(0)
    person, x = np.repeat(np.arange(8), 6), rng.normal(size=(48, 1))
    model = NMEMLPRegressor((), "last", family="poisson")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(x, rng.poisson(0.4, 48), groups=person)
    low, high = model.predict_interval(4 * x, person)
    assert low.min() == 0
    assert (high > low).all()


def test_probabilities_have_intervals_within_0_and_1_and_points_have_none() -> None:
    rng = np.random.default_rng(6)
    groups = np.repeat([f"p{i}" for i in range(10)], 12)
    x = rng.normal(size=(120, 2))
    labels = np.where(x[:, 0] + rng.normal(size=120) > 0, "yes", "no")
    model = NMEMLPClassifier(hidden=(3,), epochs=30).fit(x, labels, groups=groups)
    low, high = model.predict_interval(x, groups)
    proba = model.predict_proba(x, groups)
    assert low.shape == (120, 2)
    assert np.all((low >= 0) & (low < proba) & (proba < high) & (high <= 1))
    point = NMEMLPRegressor(hidden=(), estimator="annealed", epochs=5).fit(
        x, x[:, 0], groups=groups
    )
    assert np.isnan(point.predict_interval(x, groups)).all()
