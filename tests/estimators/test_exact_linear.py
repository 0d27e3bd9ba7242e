"""REML, residuals that remember and exact degrees of freedom of the linear model."""

import numpy as np
import pandas as pd
import pytest
import torch

from nme_core import NMEMLPRegressor
from nme_core.estimators.residuals import read_times
from nme_core.exceptions import (
    DataError,
    FallbackWarning,
    OptionError,
    TrainingError,
)
from nme_core.training.linear_mixed import Sums, fit_linear_mixed_model
from tests.reference.load import reference
from tests.reference.studies import study


def linear(**options) -> NMEMLPRegressor:
    options = {"placement": "all", "covariance": "full", "estimator": "laplace"} | options
    return NMEMLPRegressor((), **options)


def diary() -> pd.DataFrame:
    return study("diary")


@pytest.mark.parametrize("estimator", ["laplace", "variational"])
def test_reml_is_that_of_lmer(estimator):
    table, expected = study("sleepstudy"), reference("lme4", "sleepstudy_slope_reml")
    model = linear(reml=True, estimator=estimator)
    model.fit(table[["Days"]], table["Reaction"], groups=table["Subject"])
    assert model.log_likelihood_ == pytest.approx(expected.log_likelihood, abs=1e-5)
    fixed = expected.fixed[["Days", "(Intercept)"]]
    np.testing.assert_allclose(model.fixed_effects_, fixed, rtol=1e-5)
    error = expected.fixed_se[["Days", "(Intercept)"]]
    np.testing.assert_allclose(model.fixed_effects_se_, error, rtol=1e-5)
    df = expected.values("df_satterthwaite")[["Days", "(Intercept)"]]
    np.testing.assert_allclose(model.fixed_effects_df_, df, rtol=1e-3)
    sigma = expected.covariance("Subject").loc[fixed.index, fixed.index]
    np.testing.assert_allclose(model.random_effects_cov_, sigma, rtol=1e-4)
    low, high = model.fixed_effects_interval()
    half = 2.1098155778 * error.to_numpy()  # t of 17 degrees of freedom
    np.testing.assert_allclose((high - low) / 2, half, rtol=1e-4)


@pytest.mark.parametrize("reml", [False, True])
def test_autocorrelated_residuals_are_those_of_nlme(reml):
    table = diary()
    expected = reference("nlme", f"diary_slope_car1_{'reml' if reml else 'ml'}")
    model = linear(reml=reml)
    model.fit(table[["x"]], table["y"], groups=table["person"], times=table["time"])
    assert model.log_likelihood_ == pytest.approx(expected.log_likelihood, abs=1e-5)
    assert model.residual_autocorrelation_ == pytest.approx(expected.number("phi"), rel=1e-4)
    np.testing.assert_allclose(
        model.fixed_effects_se_, expected.fixed_se[["x", "(Intercept)"]], rtol=1e-4
    )
    np.testing.assert_allclose(
        model.random_effects_.sort_index()["layers.0.bias[0]"],
        expected.modes("person").sort_index()["(Intercept)"],
        atol=1e-4,
    )
    if not reml:
        assert model.aic_ == pytest.approx(expected.number("aic"), abs=1e-4)
    process = model.residual_process()
    assert process.low < process.rho < process.high
    assert process.p < 0.05


def test_intervals_count_the_autocorrelation():
    table = diary()
    rows = table[["x"]], table["y"]
    alone = linear().fit(*rows, groups=table["person"])
    counted = linear().fit(*rows, groups=table["person"], times=table["time"])
    assert np.isnan(alone.residual_autocorrelation_)
    wider = counted.effects().error["layers.0.bias[0]"] / alone.effects().error["layers.0.bias[0]"]
    assert wider.mean() > 1.05
    assert linear(residual="iid").fit(
        *rows, groups=table["person"], times=table["time"]
    ).log_likelihood_ == pytest.approx(alone.log_likelihood_)


def test_order_of_rows_and_names_do_not_matter():
    table = diary()
    mixed = table.sample(frac=1, random_state=0)
    one = linear().fit(table[["x"]], table["y"], groups=table["person"], times=table["time"])
    renamed = "q" + mixed["person"].str[::-1]
    other = linear().fit(mixed[["x"]], mixed["y"], groups=renamed, times=mixed["time"])
    assert one.residual_autocorrelation_ == pytest.approx(other.residual_autocorrelation_, abs=1e-8)
    np.testing.assert_allclose(one.fixed_effects_, other.fixed_effects_, atol=1e-8)


def test_it_comes_back_from_a_file(tmp_path):
    table = diary()
    model = linear().fit(table[["x"]], table["y"], groups=table["person"], times=table["time"])
    model.save(tmp_path / "model")
    again = NMEMLPRegressor.load(tmp_path / "model")
    assert again.residual_process() == model.residual_process()
    pd.testing.assert_series_equal(again.fixed_effects_df_, model.fixed_effects_df_)


def test_the_next_row_is_predicted_better_than_without_the_row_before():
    table = diary()
    arguments = {"groups": table["person"], "times": table["time"]}
    model = linear().fit(table[["x"]], table["y"], **arguments)
    ahead = model.predict_next(table[["x"]], table["y"], **arguments)
    plain = model.predict(table[["x"]], groups=table["person"])
    first = ~table["person"].duplicated()
    np.testing.assert_array_equal(ahead[first], plain[first])
    second = np.flatnonzero(first)[0] + 1
    gap = table["time"][second] - table["time"][second - 1]
    kept = model.residual_autocorrelation_**gap * (table["y"][second - 1] - plain[second - 1])
    assert ahead[second] == pytest.approx(plain[second] + kept)
    assert np.square(table["y"] - ahead).mean() < np.square(table["y"] - plain).mean()
    missing = table["y"].where(table.index != second - 1)
    assert model.predict_next(table[["x"]], missing, **arguments)[second] == plain[second]
    with pytest.raises(OptionError, match="no residual autocorrelation"):
        linear().fit(table[["x"]], table["y"], groups=table["person"]).predict_next(
            table[["x"]], table["y"], **arguments
        )


def test_two_rows_at_a_time_are_named_or_told():
    table = diary()
    times = table["time"].copy()
    times[1] = times[0]
    rows = {"X": table[["x"]], "y": table["y"], "groups": table["person"], "times": times}
    with pytest.raises(DataError, match="'p00' has two rows at the same time") as error:
        linear(residual="ar1").fit(**rows)
    assert error.value.person == "p00"
    with pytest.warns(FallbackWarning, match="independent") as told:
        model = linear().fit(**rows)
    assert "In all" not in str(told[0].message)
    assert np.isnan(model.residual_autocorrelation_)
    own = np.flatnonzero(table["person"] == "p01")
    times.iloc[own[1:4]] = times.iloc[own[0]]
    with pytest.warns(FallbackWarning, match="In all, 4 rows of 2 people"):
        linear().fit(**rows)


@pytest.mark.parametrize(
    "options",
    [
        {"hidden": (4,), "residual": "ar1", "estimator": "annealed"},
        {"hidden": (4,), "reml": True},
        {"hidden": (), "reml": True, "family": "poisson"},
        {"hidden": (), "reml": True, "estimator": "annealed"},
        {"hidden": (), "residual": "ar2"},
    ],
)
def test_options_that_do_not_fit_are_refused(options):
    table = diary()
    with pytest.raises(OptionError):
        NMEMLPRegressor(**options).fit(
            table[["x"]], table["y"], groups=table["person"], times=table["time"]
        )


def test_ar1_needs_times():
    table = diary()
    with pytest.raises(OptionError, match="when each row was taken"):
        linear(residual="ar1").fit(table[["x"]], table["y"], groups=table["person"])


def test_dates_are_days():
    dates = pd.Series(pd.to_datetime(["2024-01-01 00:00", "2024-01-02 12:00"]))
    np.testing.assert_allclose(np.diff(read_times(dates)), 1.5)
    np.testing.assert_allclose(np.diff(read_times(dates.dt.tz_localize("Europe/Berlin"))), 1.5)
    np.testing.assert_allclose(read_times([0, 2.5]), [0, 2.5])
    with pytest.raises(DataError, match="row 2"):
        read_times([0, None])
    with pytest.raises(DataError, match="row 1"):
        read_times(["noon", 1])


@pytest.mark.parametrize("unit", [1e8, 1e-8])
def test_units_do_not_matter(unit):
    table = study("sleepstudy")
    one = linear().fit(table[["Days"]], table["Reaction"], groups=table["Subject"])
    other = linear().fit(unit * table[["Days"]], table["Reaction"] / unit, groups=table["Subject"])
    np.testing.assert_allclose(
        other.fixed_effects_ * [unit**2, unit], one.fixed_effects_, rtol=1e-5
    )


def test_one_row_of_each_person_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(TrainingError, match="too few rows"):
        linear().fit(rng.normal(size=(50, 1)), rng.normal(size=50), groups=np.arange(50))


def test_new_people_of_a_model_whose_residuals_remember_are_told_of():
    table = diary()
    known = table["person"] != "p00"
    old, new = table[known], table[~known]
    model = linear().fit(old[["x"]], old["y"], groups=old["person"], times=old["time"])
    with pytest.warns(FallbackWarning, match="count as independent"):
        model.adapt(new[["x"]], new["y"], groups=new["person"])


def test_numbers_reach_the_exact_engine_in_double_precision():
    """The log-likelihood is that of the rows as they are, not as single precision rounds them."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(40), 25)
    x = rng.normal(size=(len(person), 2))
    y = 100 + x[:, 0] + rng.normal(size=40)[person] + rng.normal(size=len(person))
    model = NMEMLPRegressor((), "layers.0.bias", estimator="laplace").fit(x, y, groups=person)
    columns = torch.from_numpy(np.column_stack([x - x.mean(0), np.ones(len(x))]))
    outcome, own = torch.from_numpy(y - y.mean()), torch.from_numpy(person)
    xx = torch.zeros(40, 3, 3, dtype=torch.float64)
    xx.index_add_(0, own, columns.unsqueeze(2) * columns.unsqueeze(1))
    xy = torch.zeros(40, 3, dtype=torch.float64).index_add_(0, own, columns * outcome[:, None])
    sums = Sums(xx, xy, outcome.square().sum(), len(x))
    exact = fit_linear_mixed_model(sums, [2], "diagonal")
    assert model.log_likelihood_ == pytest.approx(exact.log_likelihood, abs=1e-9)
