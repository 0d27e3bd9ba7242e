"""Residuals that remember in networks and mixtures: ρ, one step ahead, new people, intervals."""

import numpy as np
import pandas as pd
import pytest

from nme_core import NMEMLPRegressor
from nme_core.analysis import person_effects
from nme_core.estimators import load
from nme_core.exceptions import FallbackWarning, OptionError

pytestmark = pytest.mark.filterwarnings(
    "ignore::nme_core.exceptions.BoundaryWarning", "ignore::nme_core.exceptions.ConvergenceWarning"
)


def diary(n_people: int = 20, n_rows: int = 15, rho: float = 0.5, seed: int = 0) -> pd.DataFrame:
    """A curve for everybody, levels of each person's own, residuals of SD 1."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n_people), n_rows)
    time = np.tile(np.arange(n_rows), n_people)
    rest = rng.normal(size=(n_people, n_rows))
    for t in range(1, n_rows):
        rest[:, t] = rho * rest[:, t - 1] + np.sqrt(1 - rho**2) * rest[:, t]
    x = rng.normal(size=len(person))
    level = rng.normal(size=n_people)
    y = np.maximum(x, 0) + level[person] + rest.ravel()
    return pd.DataFrame({"person": person, "time": time, "x": x, "y": y, "level": level[person]})


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return diary()


@pytest.fixture(scope="module")
def network(table) -> NMEMLPRegressor:
    model = NMEMLPRegressor((4,), epochs=300, residual="ar1")
    return model.fit(table[["x"]], table["y"], groups=table["person"], times=table["time"])


def test_the_autocorrelation_is_found_and_the_variance_is_that_of_residuals(network):
    process = network.residual_process()
    assert process.low < 0.5 < process.high
    assert 0.02 < process.se < 0.08
    assert process.p < 1e-4
    assert network.residual_variance_ == pytest.approx(1.0, abs=0.4)


def test_intervals_of_levels_are_wider_than_of_independent_residuals(network, table):
    alone = NMEMLPRegressor((4,), epochs=300, residual="iid")
    alone.fit(table[["x"]], table["y"], groups=table["person"], times=table["time"])
    assert np.isnan(alone.residual_autocorrelation_)
    level = table.groupby("person")["level"].first().to_numpy()
    width, held = [], []
    for model in (network, alone):
        effects = person_effects(model, table[["x"]])
        mine = effects[(effects["effect"] == "level") & (effects["person"] != "")]
        mine = mine.set_index("person").loc[[str(k) for k in range(20)]]
        truth = level - level.mean()
        held.append(((mine["ci_low"] <= truth) & (truth <= mine["ci_high"])).mean())
        width.append((mine["ci_high"] - mine["ci_low"]).median())
    assert width[0] > 1.15 * width[1]
    assert held[0] >= 0.9


def test_the_next_row_is_predicted_from_the_row_before(network, table):
    given = {"groups": table["person"], "times": table["time"]}
    ahead = network.predict_next(table[["x"]], table["y"], **given)
    plain = network.predict(table[["x"]], groups=table["person"])
    rest, rho = table["y"] - plain, network.residual_autocorrelation_
    np.testing.assert_allclose(ahead[1:15], plain[1:15] + rho * rest[:14])
    assert ahead[0] == plain[0]
    assert np.square(table["y"] - ahead).mean() < 0.85 * np.square(rest).mean()
    far = network.predict_ahead(table[["x"]], table["y"], **given, steps=(1, 5))
    np.testing.assert_array_equal(far[1], ahead)
    np.testing.assert_allclose(far[5][5:15], plain[5:15] + rho**5 * rest[:10])


def test_rows_in_another_order_change_nothing(network, table):
    mixed = table.sample(frac=1, random_state=1)
    model = NMEMLPRegressor((4,), epochs=300, residual="ar1")
    model.fit(mixed[["x"]], mixed["y"], groups=mixed["person"], times=mixed["time"])
    assert model.residual_process() == network.residual_process()
    np.testing.assert_array_equal(
        model.predict(table[["x"]], groups=table["person"]),
        network.predict(table[["x"]], groups=table["person"]),
    )


def test_a_file_keeps_it(network, table, tmp_path):
    network.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert again.residual_process() == network.residual_process()
    for one, other in zip(
        again.predict_interval(table[["x"]], table["person"]),
        network.predict_interval(table[["x"]], table["person"]),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_a_mixture_has_one_and_predicts_one_step_ahead(table):
    model = NMEMLPRegressor(epochs=10, residual="ar1")
    model.fit(table[["x"]], table["y"], groups=table["person"], times=table["time"])
    weights = model.candidates_["weight"].to_numpy()
    several = [one.residual_autocorrelation_ for _, one in model.candidates()]
    assert np.isfinite(several).all()
    assert model.residual_autocorrelation_ == pytest.approx(np.average(several, weights=weights))
    given = {"groups": table["person"], "times": table["time"]}
    parts = [one.predict_next(table[["x"]], table["y"], **given) for _, one in model.candidates()]
    ahead = model.predict_next(table[["x"]], table["y"], **given)
    np.testing.assert_allclose(ahead, np.average(parts, axis=0, weights=weights))


def test_new_people_count_it_where_their_times_are_given():
    """The mode and the spread of a new person's level by the correlated density."""
    table = diary(n_people=21)
    old, new = table[table["person"] < 20], table[table["person"] == 20]
    model = NMEMLPRegressor((), placement=["layers.0.bias"])
    model.fit(old[["x"]], old["y"], groups=old["person"], times=old["time"])
    adapted = model.adapt(new[["x"]], new["y"], groups=new["person"], times=new["time"])
    rho, variance = model.residual_autocorrelation_, model.residual_variance_
    apart = np.abs(new["time"].to_numpy()[:, None] - new["time"].to_numpy())
    inverse = np.linalg.inv(variance * rho**apart)
    one = np.ones(len(new))
    precision = one @ inverse @ one + 1 / model.random_effects_cov_.iloc[0, 0]
    rest = new["y"] - model.predict(new[["x"]], level="population")
    assert adapted.random_effects_.loc["20"].iloc[0] == pytest.approx(
        one @ inverse @ rest / precision, rel=1e-4
    )
    assert adapted.random_effects_se_.loc["20"].iloc[0] == pytest.approx(precision**-0.5, rel=1e-4)
    with pytest.warns(FallbackWarning, match="Give the times"):
        plain = model.adapt(new[["x"]], new["y"], groups=new["person"])
    assert (plain.random_effects_se_.loc["20"] < adapted.random_effects_se_.loc["20"]).all()


def test_a_new_person_may_have_one_row_and_rows_at_one_time_count_as_independent():
    table = diary(n_people=21)
    old, new = table[table["person"] < 20], table[table["person"] == 20]
    model = NMEMLPRegressor((), placement=["layers.0.bias"])
    model.fit(old[["x"]], old["y"], groups=old["person"], times=old["time"])
    first = new.head(1)
    model.adapt(first[["x"]], first["y"], groups=first["person"], times=first["time"])
    with pytest.warns(FallbackWarning, match="Person '20' has two rows at the same time"):
        model.adapt(new[["x"]], new["y"], groups=new["person"], times=new["time"] * 0)


def test_the_average_of_numbers_is_that_of_a_typical_person(network, table):
    average = network.predict(table[["x"]], level="average")
    np.testing.assert_array_equal(average, network.predict(table[["x"]], level="population"))


@pytest.mark.parametrize(
    "options",
    [
        {"hidden": (4,), "estimator": "annealed"},
        {"hidden": (), "family": "poisson"},
        {"hidden": (4,), "pooling": "free"},
    ],
)
def test_where_it_cannot_be_estimated_it_is_refused(options, table):
    model = NMEMLPRegressor(**options, residual="ar1")
    with pytest.raises(OptionError, match="Gaussian residuals"):
        model.fit(table[["x"]], table["y"].abs().round(), groups=table["person"],
                  times=table["time"])  # fmt: skip


def test_a_network_estimates_it_only_where_it_is_asked_to(table):
    assert not NMEMLPRegressor((4,)).reads_times
    assert not NMEMLPRegressor().reads_times
    assert NMEMLPRegressor((4,), residual="ar1").reads_times
    assert NMEMLPRegressor(()).reads_times


def test_a_mixture_estimates_it_in_all_candidates_or_in_none(table):
    model = NMEMLPRegressor(epochs=5)
    model.fit(table[["x"]], table["y"], groups=table["person"], times=table["time"])
    several = [one.residual_autocorrelation_ for _, one in model.candidates()]
    assert np.isnan([model.residual_autocorrelation_, *several]).all()


def test_a_network_for_everybody_has_none(table):
    model = NMEMLPRegressor((4,), pooling="complete", epochs=5, residual="auto")
    model.fit(table[["x"]], table["y"], groups=table["person"], times=table["time"])
    assert np.isnan(model.residual_autocorrelation_)
