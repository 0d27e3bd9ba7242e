"""`hidden="auto"`: a mixture behaves as one model, and is what its candidates make of it."""

import warnings

import numpy as np
import pandas as pd
import pytest

from nme_core import NMEMLPClassifier, NMEMLPRegressor
from nme_core.estimators import baseline, load
from nme_core.exceptions import DataError, FallbackWarning, OptionError

pytestmark = pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
N_PERSONS, N_ROWS = 8, 20


def draw(seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    persons = np.repeat([f"p{k}" for k in range(N_PERSONS)], N_ROWS)
    x = random.normal(size=(len(persons), 2))
    level = np.repeat(random.normal(size=N_PERSONS), N_ROWS)
    y = 5 + level + 2 * np.tanh(2 * x[:, 0]) + 0.3 * random.normal(size=len(persons))
    return pd.DataFrame(x, columns=["a", "b"]), y, persons


def split(persons: np.ndarray) -> np.ndarray:
    return np.tile(np.arange(N_ROWS) < 14, N_PERSONS)


#: Classes that features and people do not settle: their variances have a maximum to climb to.
NOISE = 1.5 * np.random.default_rng(1).normal(size=N_PERSONS * N_ROWS)
OUTCOMES = {
    "number": (NMEMLPRegressor, None, lambda y: y),
    "count": (NMEMLPRegressor, "poisson", lambda y: np.round(np.abs(y))),
    "class": (NMEMLPClassifier, None, lambda y: np.array(["low", "middle", "high"])[
        np.digitize(y + NOISE, [4, 6])]),
    "ordinal": (NMEMLPClassifier, "ordinal", lambda y: np.digitize(y, [4, 6])),
}  # fmt: skip


@pytest.fixture(scope="module", params=list(OUTCOMES))
def fitted(request):
    kind, family, outcome = OUTCOMES[request.param]
    X, y, persons = draw()
    y, train = outcome(y), split(persons)
    model = kind(family=family, epochs=40)
    model.fit(
        X[train], y[train], groups=persons[train],
        validation=(X[~train], y[~train], persons[~train]),
    )  # fmt: skip
    return model, X, y, persons


def expected(model, X, persons, **options):
    read = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    return read(X, persons, **options)


def test_a_prediction_is_the_weighted_mean_of_the_candidates(fitted):
    model, X, _, persons = fitted
    table = model.candidates_
    assert table["model"].tolist() == ["linear", "relu", "tanh", "tanh, all layers"]
    assert table["weight"].sum() == pytest.approx(1)
    assert (table["weight"] > 0).all()
    assert table["validation_loss"].notna().all()
    for level in ("person", "population"):
        parts = [expected(one, X, persons, level=level) for _, one in model.candidates()]
        mean = np.tensordot(table["weight"], np.stack(parts), axes=1)
        np.testing.assert_allclose(expected(model, X, persons, level=level), mean, rtol=1e-12)


def test_the_spread_between_candidates_widens_the_interval(fitted):
    model, X, _, persons = fitted
    low, high = model.predict_interval(X, persons)
    weights = model.candidates_["weight"]
    parts = np.stack([expected(one, X, persons) for _, one in model.candidates()])
    between = np.sqrt(np.tensordot(weights, np.square(parts - np.tensordot(weights, parts, 1)), 1))
    free = (low > 0) & (high < 1) if hasattr(model, "classes_") else np.ones(low.shape, bool)
    assert (high - low >= 2 * 1.96 * between * 0.999)[free].all()
    assert (low <= high).all()


def test_saving_keeps_the_mixture(fitted, tmp_path):
    model, X, _y, persons = fitted
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(expected(again, X, persons), expected(model, X, persons))
    pd.testing.assert_frame_equal(again.candidates_, model.candidates_)
    assert again.hidden == "auto"
    pd.testing.assert_frame_equal(again.random_effects_, model.random_effects_)


def test_parameters_are_those_of_the_candidate_with_the_largest_weight(fitted):
    model = fitted[0]
    leader = [one for _, one in model.candidates()][int(model.candidates_["weight"].argmax())]
    pd.testing.assert_frame_equal(model.random_effects_, leader.random_effects_)
    pd.testing.assert_series_equal(model.fixed_effects_, leader.fixed_effects_)
    pd.testing.assert_frame_equal(model.random_effects_cov_, leader.random_effects_cov_)
    assert model.residual_variance_ == leader.residual_variance_


def test_new_persons_join_every_candidate(fitted):
    model, X, y, _persons = fitted
    rows = slice(0, 10)
    new = np.repeat("newcomer", 10)
    adapted = model.adapt(X[rows], y[rows], groups=new)
    assert "newcomer" in adapted.groups_
    assert "newcomer" not in model.groups_
    parts = [expected(one, X[rows], new) for _, one in adapted.candidates()]
    mean = np.tensordot(model.candidates_["weight"], np.stack(parts), axes=1)
    np.testing.assert_allclose(expected(adapted, X[rows], new), mean, rtol=1e-12)


def test_simulated_outcomes_come_from_all_candidates(fitted):
    model, X, _, persons = fitted
    drawn = list(model.simulate(X, persons))
    assert len(drawn) == 64
    assert drawn[0].shape == (len(X),)


def test_weights_stay_when_it_is_fitted_to_all_rows(fitted):
    model, X, y, persons = fitted
    again = model.refit(X, y, groups=persons)
    assert again.candidates_["weight"].tolist() == model.candidates_["weight"].tolist()
    assert again.n_obs_.sum() == len(X)
    assert model.n_obs_.sum() < len(X)


def test_without_validation_rows_it_holds_some_back_and_then_takes_all():
    X, y, persons = draw()
    model = NMEMLPRegressor(epochs=40).fit(X, y, groups=persons)
    assert model.n_obs_.sum() == len(X)
    assert model.candidates_["validation_loss"].notna().all()


def test_candidates_learn_what_the_rows_show():
    """A bend that no straight line has, on rows of many people: the networks get the weight."""
    X, y, persons = draw(1)
    train = split(persons)
    model = NMEMLPRegressor().fit(
        X[train], y[train], groups=persons[train],
        validation=(X[~train], y[~train], persons[~train]),
    )  # fmt: skip
    error = np.square(model.predict(X[~train], persons[~train]) - y[~train]).mean()
    linear = model.candidates_.query("model == 'linear'").iloc[0]
    assert error < 0.5 * linear["validation_loss"]
    assert linear["weight"] < 0.3


def test_a_named_network_is_one_candidate():
    X, y, persons = draw()
    model = NMEMLPRegressor((4,), activation="tanh", epochs=3).fit(X, y, groups=persons)
    (row,) = model.candidates_.to_dict("records")
    assert (row["model"], row["hidden"], row["activation"], row["weight"]) == (
        "tanh", "4", "tanh", 1.0,
    )  # fmt: skip


def test_a_candidate_that_cannot_be_fitted_is_left_out_by_name(monkeypatch):
    X, y, persons = draw()
    build = NMEMLPRegressor._build

    def refuse(self):
        if self.hidden == ():
            raise DataError("The rows leave it open.")
        return build(self)

    monkeypatch.setattr(NMEMLPRegressor, "_build", refuse)
    with pytest.warns(FallbackWarning, match="'linear' of the mixture was left out"):
        model = NMEMLPRegressor(epochs=5).fit(
            X, y, groups=persons, validation=(X, y, persons)
        )  # fmt: skip
    assert model.candidates_["model"].tolist() == ["relu", "tanh", "tanh, all layers"]


def test_baselines_of_a_mixture():
    X, y, persons = draw()
    model = NMEMLPRegressor(epochs=5)
    generic = baseline(model, "generic").fit(X, y, groups=persons, validation=(X, y, persons))
    assert len(generic.candidates_) >= 3
    assert baseline(model, "specific").hidden == (32,)
    assert baseline(model, "mlp-lme").hidden == (32,)


@pytest.mark.parametrize(
    "options",
    [
        {"pooling": "none"},
        {"estimator": "em"},
        {"activation": "tanh"},
        {"placement": ["layers.0.bias"]},
        {"placement": "layers.0.bias"},
        {"hidden": "automatic"},
    ],
)
def test_what_a_mixture_cannot_be(options):
    X, y, persons = draw()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(OptionError):
            NMEMLPRegressor(**options).fit(X, y, groups=persons)
