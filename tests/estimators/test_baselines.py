import numpy as np
import pandas as pd
import pytest

from nme_core.estimators import NMEMLPRegressor, baseline


def fit(case, model, **changes):
    X, y = changes.get("X", case.X), changes.get("y", case.y)
    validation = (X, y, case.groups, *case.context.values())
    return model.fit(X, y, groups=case.groups, **case.context, validation=validation)


def test_baselines_keep_everything_else(case):
    model = case.make(hidden=(5,), random_state=9, covariance="full")
    for name, pooling in (("generic", "complete"), ("specific", "none")):
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
