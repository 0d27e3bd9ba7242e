"""Levels and slopes: exact where the model is linear, and derivatives where it is not."""

import numpy as np
import pandas as pd
import pytest
import torch

from nme_core import NMEMLPClassifier, NMEMLPRegressor
from nme_core.analysis import person_effects

pytestmark = pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
N_PERSONS, N_ROWS = 12, 25


def draw(seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    persons = np.repeat([f"p{k:02d}" for k in range(N_PERSONS)], N_ROWS)
    X = pd.DataFrame(
        {"a": random.normal(3, 2, len(persons)), "b": random.integers(0, 2, len(persons)) * 4.0}
    )
    own = np.repeat(random.normal(size=(N_PERSONS, 3)), N_ROWS, axis=0)
    y = 10 + 2 * own[:, 0] + (0.5 + 0.4 * own[:, 1]) * X["a"] + (0.3 + 0.4 * own[:, 2]) * X["b"]
    return X, (y + random.normal(size=len(persons))).to_numpy(), persons


def wide(table: pd.DataFrame, column: str) -> pd.DataFrame:
    return table[table["person"] != ""].pivot(index="person", columns="effect", values=column)


@pytest.mark.parametrize("covariance", ["diagonal", "full"])
def test_in_a_linear_model_they_are_the_random_intercepts_and_slopes(covariance):
    X, y, persons = draw()
    model = NMEMLPRegressor((), covariance=covariance).fit(X, y, groups=persons)
    table = person_effects(model, X)
    own, mean = model.random_effects_, X.mean()
    slopes = own[["layers.0.weight[0,0]", "layers.0.weight[0,1]"]].to_numpy() * [1, 4]
    level = own["layers.0.bias[0]"] + own["layers.0.weight[0,0]"] * mean["a"]
    level = level + own["layers.0.weight[0,1]"] * mean["b"]
    found = wide(table, "estimate")
    np.testing.assert_allclose(found["level"], level, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found[["slope:a", "slope:b"]], slopes, rtol=1e-5, atol=1e-7)
    errors = model.effects().error.iloc[:, :2].to_numpy() * [1, 4]
    np.testing.assert_allclose(wide(table, "se")[["slope:a", "slope:b"]], errors, rtol=1e-6)
    np.testing.assert_allclose(
        wide(table, "reliability")[["slope:a", "slope:b"]],
        model.reliability_.iloc[:, :2], atol=1e-7,
    )  # fmt: skip
    fixed, se = model.fixed_effects_, model.fixed_effects_se_
    population = table[table["person"] == ""].set_index("effect")
    assert population.loc["slope:a", "estimate"] == pytest.approx(fixed["layers.0.weight[0,0]"])
    assert population.loc["slope:a", "se"] == pytest.approx(se["layers.0.weight[0,0]"])
    at_mean = pd.DataFrame([mean])
    expected = model.predict(at_mean, level="population")[0]
    assert population.loc["level", "estimate"] == pytest.approx(expected, rel=1e-6)
    value = wide(table, "value")["level"]
    np.testing.assert_allclose(
        value, model.predict(pd.DataFrame([mean] * N_PERSONS), value.index.to_numpy()), rtol=1e-5
    )


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("placement", ["last", "all"])
def test_of_a_network_they_are_what_predictions_show(activation, placement):
    X, y, persons = draw()
    X = X.iloc[:, ::-1]  # so that the feature with two values comes first
    rows = np.arange(0, len(X), 6)  # as many rows as slopes are averaged over: all of them count
    model = NMEMLPRegressor((6,), placement, activation=activation, epochs=150)
    model.fit(X, y, groups=persons)
    table = person_effects(model, X.iloc[rows])
    for person in ("p03", "p11"):
        who = np.repeat(person, len(rows))
        values = [model.predict(X.iloc[rows].assign(b=end), who) for end in (4.0, 0.0)]
        step = 0.05 * X["a"].std(ddof=0)
        ends = [model.predict(X.iloc[rows].assign(a=X["a"].iloc[rows] + s), who)
                for s in (step, -step)]  # fmt: skip
        value = table[table["person"] == person].set_index("effect")["value"]
        assert value["slope:b"] == pytest.approx((values[0] - values[1]).mean(), rel=1e-4)
        assert value["slope:a"] == pytest.approx(((ends[0] - ends[1]) / 2 / step).mean(), rel=1e-3)
        level = model.predict(pd.DataFrame([X.mean()]), [person])[0]
        assert value["level"] == pytest.approx(level, rel=1e-5)
    assert table["reliability"].dropna().between(0, 1).all()
    assert (table["ci_low"] < table["ci_high"]).all()


def test_a_mixture_weighs_its_candidates_and_counts_the_spread_between_them():
    X, y, persons = draw()
    model = NMEMLPRegressor(epochs=60).fit(X, y, groups=persons)
    several = [person_effects(one, X) for _, one in model.candidates()]
    weights = model.candidates_["weight"].to_numpy()
    table = person_effects(model, X)
    means = np.stack([one["estimate"] for one in several])
    mean = np.tensordot(weights, means, axes=1)
    np.testing.assert_allclose(table["estimate"], mean, rtol=1e-9)
    within = np.square(np.stack([one["se"] for one in several]))
    variance = np.tensordot(weights, within + np.square(means - mean), axes=1)
    np.testing.assert_allclose(table["se"], np.sqrt(variance), rtol=1e-9)


def test_the_order_of_rows_does_not_matter():
    X, y, persons = draw()
    model = NMEMLPRegressor((4,), epochs=10).fit(X, y, groups=persons)
    turned = X.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(person_effects(model, turned), person_effects(model, X))


@pytest.mark.parametrize("hidden", [(), (4,)])
@pytest.mark.parametrize("kind", ["binary", "three", "ordinal", "count"])
def test_classes_and_counts_are_read_on_the_scale_of_their_link(kind, hidden):
    X, y, persons = draw()
    y = np.digitize(y, np.quantile(y, [0.3, 0.6]))
    if kind == "count":
        model = NMEMLPRegressor(hidden, family="poisson", epochs=20)
    else:
        family = "ordinal" if kind == "ordinal" else None
        model = NMEMLPClassifier(hidden, family=family, epochs=20)
    model.fit(X, y > 0 if kind == "binary" else y, groups=persons)
    model._posterior = pointed(model._posterior)
    table = person_effects(model, X)
    at_mean = pd.DataFrame([X.mean()] * N_PERSONS)
    who = model.groups_
    if kind == "count":
        expected = {"level": np.log(model.predict(at_mean, who))}
    else:
        p = model.predict_proba(at_mean, who)
        if kind == "three":
            expected = {f"level[{k}]": np.log(p[:, k] / p[:, 0]) for k in (1, 2)}
        else:
            expected = {"level": np.log((1 - p[:, 0]) / p[:, 0])}
    for name, values in expected.items():
        np.testing.assert_allclose(wide(table, "value").loc[who, name], values, atol=2e-4)


def pointed(posterior):
    """The posterior without its spread: what is read off it has no draws."""
    from dataclasses import replace

    return replace(posterior, covariance=None, uncertainty=None)


def test_slopes_are_mean_derivatives():
    X, y, persons = draw()
    model = NMEMLPRegressor((5,), "all", activation="tanh", epochs=80).fit(X, y, groups=persons)
    model._posterior = pointed(model._posterior)
    table = person_effects(model, X.iloc[:40])
    mixed, scaler = model._posterior.mixed, model._encoder.scaler
    inputs = torch.from_numpy(scaler.transform([X["a"].iloc[:40], X["b"].iloc[:40]]))
    x = inputs.unsqueeze(0).requires_grad_()
    (slope,) = torch.autograd.grad(mixed(x, groups=torch.tensor([2])).sum(), x)
    expected = float(slope[0, :, 0].mean()) * model._outcome.scale[1] / scaler.sd[0]
    found = wide(table, "value").loc["p02", "slope:a"]
    assert found == pytest.approx(expected, rel=2e-3)
