"""Fits that are degenerate say so, whatever the units; a variance of 0 has no reliability of 1."""

import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest

from nme_core.analysis import (
    person_effects,
    random_effects_table,
    response_curves,
    summary_table,
)
from nme_core.estimators import NMECRF, NMEMLPClassifier, NMEMLPRegressor
from nme_core.estimators.person_posterior import person_posterior
from nme_core.exceptions import BoundaryWarning, IdentificationWarning, SingularWarning
from nme_core.io import RunFolder
from nme_core.reports import words

SLOPE, BIAS = "layers.0.weight[0,0]", "layers.0.bias[0]"


def balanced(n_people, n_rows, *, slope_sd, intercept_sd, seed, mean=0.0, sd=1.0):
    """Own intercepts and slopes; the noise has neither, so that a variance of 0 is found as 0."""
    rng = np.random.default_rng(seed)
    x = np.tile(np.linspace(-1, 1, n_rows), n_people)
    who = np.repeat(np.arange(n_people), n_rows)
    noise = rng.normal(size=(n_people, n_rows))
    design = np.column_stack([np.ones(n_rows), np.linspace(-1, 1, n_rows)])
    noise -= noise @ design @ np.linalg.inv(design.T @ design) @ design.T
    own = rng.normal(0, 1, (n_people, 2)) * [intercept_sd, slope_sd]
    y = 3 + x + own[who, 0] + own[who, 1] * x + noise.ravel()
    return pd.DataFrame({"x": mean + sd * x}), y, [f"p{k}" for k in who]


STUDIES = {
    "few people": {"n_people": 6, "n_rows": 10, "seed": 0},
    "many people, other units": {"n_people": 150, "n_rows": 5, "seed": 1, "mean": 2e3, "sd": 300.0},
    "long, small numbers": {"n_people": 12, "n_rows": 60, "seed": 2, "sd": 1e-4},
}


@pytest.fixture(params=STUDIES)
def shape(request):
    return STUDIES[request.param]


@pytest.mark.parametrize("covariance", ["diagonal", "full"])
@pytest.mark.parametrize("estimator", ["laplace", "variational"])
def test_a_variance_of_zero(shape, covariance, estimator):
    X, y, groups = balanced(**shape, slope_sd=0.0, intercept_sd=2.0)
    model = NMEMLPRegressor((), "all", covariance=covariance, estimator=estimator)
    with pytest.warns(BoundaryWarning, match=r"weight\[0,0\] cannot be told from 0"):
        model.fit(X, y, groups=groups)
    assert (model.reliability_[SLOPE] == 0).all()
    posterior = person_posterior(model, "weights")
    assert (posterior.reliability()[SLOPE] == 0).all()
    table = random_effects_table(model)
    assert (table.loc[table["parameter"] == SLOPE, "reliability"] == 0).all()
    summary = summary_table(model, X).set_index(["parameter", "quantity"])["value"]
    assert summary[SLOPE, "mean_reliability"] == 0
    assert np.isnan(summary[SLOPE, "shrinkage"])


def test_no_variance_at_all(shape):
    X, y, groups = balanced(**shape, slope_sd=0.0, intercept_sd=0.0)
    model = NMEMLPRegressor((), "all", estimator="laplace")
    with pytest.warns(BoundaryWarning, match="No variance between people"):
        model.fit(X, y, groups=groups)
    assert (model.reliability_ == 0).all(axis=None)
    posterior = person_posterior(model, "weights")
    assert (posterior.reliability() == 0).all(axis=None)
    assert not posterior.reliability_together(standardise=False) > 0


def test_effects_that_are_one(shape):
    X, y, groups = balanced(**shape, slope_sd=0.0, intercept_sd=0.0)
    rng = np.random.default_rng(shape["seed"])
    people = pd.factorize(np.array(groups))[0]
    own = 2 * rng.normal(size=shape["n_people"])[people]
    z = (X["x"] - X["x"].mean()) / X["x"].std(ddof=0)
    model = NMEMLPRegressor((), "all", covariance="full", estimator="laplace")
    with pytest.warns(SingularWarning, match="perfectly correlated"):
        model.fit(X, y + own * (1 + 0.5 * z), groups=groups)
    # the effects as such are known
    assert (model.reliability_ > 0.3).all(axis=None)


def test_three_effects_of_which_two_are_one():
    rng = np.random.default_rng(5)
    who = np.repeat(np.arange(80), 15)
    X = pd.DataFrame(rng.normal(size=(1200, 2)), columns=["a", "b"])
    own = rng.normal(size=(80, 2))[who]
    y = own[:, 0] * (1 + X["a"]) + own[:, 1] * X["b"] + rng.normal(0, 0.2, 1200)
    model = NMEMLPRegressor((), "all", covariance="full", estimator="laplace")
    with pytest.warns(SingularWarning, match=r"weight\[0,0\], layers.0.bias\[0\]") as caught:
        model.fit(X, y, groups=who)
    assert len(caught) == 1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mean", [0.0, 2000.0])
def test_high_but_honest_correlations_are_not(seed, mean):
    """ρ = .9 of effects at the mean, and an intercept far outside the data: no warning."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(60), 20)
    x = rng.normal(0, 5, 1200)
    own = rng.normal(size=(60, 2)) @ np.linalg.cholesky([[1, 0.9], [0.9, 1]]).T
    y = own[who, 0] + own[who, 1] * x / 5 + rng.normal(size=1200)
    model = NMEMLPRegressor((), "all", covariance="full", estimator="laplace")
    model.fit(pd.DataFrame({"x": mean + x}), y, groups=who)  # a warning would be an error


@pytest.mark.filterwarnings("always::nme_core.exceptions.NMEWarning")
@pytest.mark.parametrize(
    ("kind", "covariance"), [("BoundaryWarning", "diagonal"), ("SingularWarning", "full")]
)
def test_every_surface_shows_it(kind, covariance, nme, tmp_path):
    """The terminal, config.json and the report; the Fit page shows what config.json has."""
    X, y, groups = balanced(10, 20, slope_sd=0.0, intercept_sd=1.0, seed=3)
    if kind == "SingularWarning":
        y = y + 2 * X["x"] * pd.Series(y).groupby(np.array(groups)).transform("mean")
    table = X.assign(id=groups, day=np.tile(np.arange(20), 10), mood=y)
    table.to_csv(tmp_path / "study.csv", index=False)
    said = nme(
        *("fit", tmp_path / "study.csv", "--person", "id", "--time", "day", "--outcome", "mood"),
        *("--features", "x", "--model", "nme-mlp", "--hidden", "", "--covariance", covariance),
        *("--baselines", "none", "--quiet", "--out", tmp_path / "run"),
    )
    assert said.code == 0
    run = RunFolder(tmp_path / "run")
    notes = [note for note in run.config["warnings"] if note["model"] == "nme (all rows)"]
    assert [note["kind"] for note in notes] == [kind]
    text = {"BoundaryWarning": "cannot be told from 0", "SingularWarning": "perfectly correlated"}
    assert text[kind] in said.err
    assert text[kind] in words(run).text
    reliable = run.table("random_effects").groupby("parameter")["reliability"].max()
    variances = run.table("covariance").query("parameter == parameter_2")
    for name, value in zip(variances["parameter"], variances["value"], strict=True):
        assert value > 1e-6 or reliable[name] == 0


def classes_of(rng, groups, level_sd):
    """Three classes by a person's own levels, `level_sd` in log-odds of each, and a feature."""
    x = rng.normal(size=(len(groups), 2))
    levels = rng.normal(0, level_sd, (groups.max() + 1, 3))
    score = levels[groups] + x[:, :1] * np.array([1.0, 0.0, -1.0])
    return x, np.array(["a", "b", "c"])[(score + rng.gumbel(size=score.shape)).argmax(1)]


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
@pytest.mark.parametrize("kind", ["classes", "ordered", "crossed"])
def test_a_variance_that_runs_away_has_a_weak_prior_and_no_interval(kind):
    """People have a class of their own, but for a few rows: a likelihood without end."""
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(30), 20)
    own = rng.integers(3, size=30)[groups]
    y = np.where(rng.random(600) < 0.03, rng.integers(3, size=600), own).astype(str)
    x, late = pd.DataFrame({"x": rng.normal(size=600)}), np.tile(np.arange(20) >= 12, 30)
    factors = pd.DataFrame({"person": groups})
    if kind == "crossed":
        factors["clinic"] = rng.integers(5, size=600)
    family = "ordinal" if kind == "ordered" else None
    model = NMEMLPClassifier((), ["layers.0.bias"], family=family)
    with pytest.warns(IdentificationWarning, match="not tell how much people differ in"):
        model.fit(x[~late], y[~late], groups=factors[~late])
    assert 3 < np.sqrt(np.diag(model.random_effects_cov_)).min() < 12
    assert model.variance_intervals()[["low", "high"]].isna().all(axis=None)
    assert model.likelihood() is None
    share = model.predict_proba(x[late], groups=factors[late])
    at = np.array([[*model.classes_].index(one) for one in y[late]])
    assert -np.log(share[np.arange(len(at)), at]).mean() < 0.35  # .66 where it ran away
    assert share.mean(0) == pytest.approx(np.bincount(at) / len(at), abs=0.03)


def test_a_large_variance_that_the_rows_tell_has_no_prior():
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(80), 60)
    x, y = classes_of(rng, groups, 4.0)
    model = NMEMLPClassifier((), ["layers.0.bias"])
    model.fit(x, y, groups=groups)  # a warning would be an error
    found, truth = model.variance_intervals(), 2 * 4.0**2  # of log-odds against the first class
    assert len(found) == 2
    assert ((found["low"] < truth) & (truth < found["high"])).all()
    assert model.likelihood() is not None


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.SingularWarning")
def test_a_large_variance_in_a_singular_covariance_has_no_prior():
    """A full Σ whose modes change their sign at the end: there was an error."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(60), 16)
    x = rng.normal(size=(960, 2))
    level = 3 * rng.normal(size=60)[groups] + 0.8 * x[:, 0]
    y = np.digitize(level + 0.25 * rng.logistic(size=960), [-3, -1, 0, 1, 3]).astype(str)
    found = {}
    for covariance in ("diagonal", "full"):
        model = NMEMLPClassifier((), "last", family="ordinal", covariance=covariance)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BoundaryWarning)
            model.fit(x, y, groups=groups, uncertainty=False)  # the search had the error
        found[covariance] = model.log_likelihood_
    assert found["full"] > found["diagonal"]


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
@pytest.mark.parametrize("kind", ["number", "number and clinic", "count", "classes", "states"])
def test_a_feature_that_others_explain_is_left_out_and_all_else_is_as_without_it(kind, tmp_path):
    rng = np.random.default_rng(5)
    who, day = np.repeat(np.arange(25), 16), np.tile(np.arange(16), 25)
    x = pd.DataFrame(rng.normal(size=(400, 2)), columns=["sad", "tense"])
    x.insert(1, "total", 3 * x["sad"] + 1)
    x["both"] = x["sad"] + x["tense"]
    score = (
        0.6 * x["sad"]
        + (0.3 + 0.5 * rng.normal(size=25)[who]) * x["tense"]
        + rng.normal(size=25)[who]
    )
    if kind.startswith("number"):
        y, new = score + rng.normal(size=400), partial(NMEMLPRegressor, (), "last")
    elif kind == "count":
        y, new = (
            rng.poisson(np.exp(0.5 * score)),
            partial(NMEMLPRegressor, (), "last", family="poisson"),
        )
    else:
        y = np.array(list("abc"))[np.digitize(score + rng.logistic(size=400), [-0.7, 0.7])]
        new = partial(NMECRF, ()) if kind == "states" else partial(NMEMLPClassifier, (), "last")
    groups = pd.DataFrame({"who": who})
    if kind == "number and clinic":
        groups["clinic"] = rng.integers(6, size=400)
    rows = {"groups": groups, "sequence_ids": who} if kind == "states" else {"groups": groups}
    rows |= {"times": day} if kind == "number" else {}
    with pytest.warns(IdentificationWarning) as told:
        model = new().fit(x, y, **rows)
    said = [str(one.message) for one in told if one.category is IdentificationWarning]
    assert [one.split(", so that")[0] for one in said] == [
        "'total' is a combination of 'sad'",
        "'both' is a combination of 'sad', 'tense'",
    ]
    plain = new().fit(x[["sad", "tense"]], y, **rows)
    out, kept = model.fixed_effects_se_.isna(), ~model.fixed_effects_se_.isna()
    assert (model.fixed_effects_[out] == 0).all()
    assert out.sum() == 2 * (len(plain.network_ends()[1]) or 1)
    pairs = [(model.fixed_effects_[kept], plain.fixed_effects_)]
    pairs += [(model.fixed_effects_se_[kept], plain.fixed_effects_se_)]
    for found, expected in pairs:
        np.testing.assert_allclose(found, expected, rtol=0.02 if kind == "states" else 1e-4)
    ours, theirs = model.likelihood(), plain.likelihood()
    assert ours.value == pytest.approx(theirs.value, abs=1e-6)
    assert ours.n_parameters == theirs.n_parameters
    model.save(tmp_path / "model.safetensors")
    again = type(model).load(tmp_path / "model.safetensors")
    assert again.fixed_effects_se_.isna().equals(out)
    if kind != "states":
        assert {*response_curves(again, x, pd.Series(who))["feature"]} == {"sad", "tense"}
        slopes = person_effects(again, x).query("person == ''").set_index("effect")
        left = slopes.index.str.contains("total|both")
        assert slopes["se"].isna().tolist() == left.tolist()


def test_features_that_are_missing_together_are_no_reason_to_warn():
    rng = np.random.default_rng(6)
    who, x = (
        np.repeat(np.arange(20), 12),
        pd.DataFrame(rng.normal(size=(240, 2)), columns=["a", "b"]),
    )
    y = x["a"] + rng.normal(size=20)[who] + rng.normal(size=240)
    x[rng.random(240) < 0.1] = np.nan
    model = NMEMLPRegressor((), ["layers.0.bias"])
    model.fit(x, y, groups=who)  # a warning would be an error
    assert model.network_ends()[0] == ["a", "b", "a (missing)", "b (missing)"]
    assert model.fixed_effects_se_.isna().tolist() == [False, False, False, True, False]


def test_a_feature_left_out_is_known_by_its_place_not_by_its_name():
    rng = np.random.default_rng(7)
    who, x = np.repeat(np.arange(20), 10), pd.DataFrame({"mood": rng.normal(size=200)})
    x["mood[1]"] = 2 * x["mood"]
    model = NMEMLPRegressor((), ["layers.0.bias"])
    with pytest.warns(IdentificationWarning, match="is a combination of 'mood'"):
        model.fit(x, rng.normal(size=20)[who] + x["mood"] + rng.normal(size=200), groups=who)
    errors = person_effects(model, x).groupby("effect")["se"].count()
    assert errors.to_dict() == {"level": 21, "slope:mood": 21, "slope:mood[1]": 0}


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
def test_a_study_whose_only_feature_is_constant_has_a_fit_and_no_curves(nme, tmp_path):
    rng = np.random.default_rng(8)
    who = np.repeat(np.arange(20), 10)
    y = rng.normal(size=20)[who] + rng.normal(size=200)
    table = pd.DataFrame({"id": who, "day": np.tile(np.arange(10), 20), "c": 1.0, "y": y})
    table.to_csv(tmp_path / "study.csv", index=False)
    table[table["id"] < 3].assign(id="new").head(8).to_csv(tmp_path / "new.csv", index=False)
    said = nme(
        *("fit", tmp_path / "study.csv", "--person", "id", "--time", "day", "--outcome", "y"),
        *("--features", "c", "--model", "nme-mlp", "--hidden", "none", "--baselines", "none"),
        *("--placement", "layers.0.bias", "--quiet", "--out", tmp_path / "run"),
    )
    assert said.code == 0, said.err
    run = RunFolder(tmp_path / "run")
    assert not run.has_table("response_curves")
    assert "leaves every feature out" in str(run.data["notes"])
    assert nme("report", tmp_path / "run", "--out", tmp_path / "report.html").code == 0
    more = nme("adapt", tmp_path / "run", tmp_path / "new.csv", "--out", tmp_path / "adapted")
    assert more.code == 0, more.err
    assert not RunFolder(tmp_path / "adapted").has_table("response_curves")
