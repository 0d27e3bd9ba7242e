"""Is Σ diagonal? Simulated studies in which it is and is not."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nme_core.estimators import NMECRF, NMEMLPClassifier, NMEMLPRegressor
from nme_core.exceptions import OptionError
from nme_core.io import RunFolder
from nme_core.runs.research.covariance import covariance_models, refit
from nme_core.runs.research.covariance_evidence import _chosen, _lowest
from nme_core.runs.research.covariance_words import Evidence, notes
from nme_core.runs.research.tasks import TaskOptions
from nme_core.runs.research.verdict import verdicts_of
from tests.training.test_chain_fit import chains

pytestmark = pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")


def table(correlation, *, people=40, rows=8, slopes=1, seed=0, apart=False):
    """Intercepts and slopes of people with one correlation, or of the slopes alone."""
    rng = np.random.default_rng(seed)
    sigma = np.full((slopes + 1, slopes + 1), correlation)
    if apart:
        sigma[0] = sigma[:, 0] = 0
    np.fill_diagonal(sigma, 1.0)
    own = rng.multivariate_normal(np.zeros(slopes + 1), sigma, size=people)
    x = rng.normal(size=(people, rows, slopes))
    y = own[:, :1] + np.einsum("prk,pk->pr", x, own[:, 1:]) + 0.7 * rng.normal(size=(people, rows))
    features = {f"x{k}": x[..., k].ravel() for k in range(slopes)}
    who = np.repeat(np.arange(people), rows)
    return pd.DataFrame({"who": who, "day": np.tile(np.arange(rows), people), "y": y.ravel()}
                        | features)  # fmt: skip


@pytest.fixture(scope="module")
def fitted(nme, tmp_path_factory):
    """Fit a linear model to a table; returns the run and the file."""

    def fit(frame, *options):
        folder = tmp_path_factory.mktemp("covariance")
        frame.to_csv(folder / "long.csv", index=False)
        said = nme(
            *("fit", folder / "long.csv", "--person", "who", "--outcome", "y", "--time", "day"),
            *("--model", "nme-mlp", "--hidden", "none", "--residual", "iid", "--quiet"),
            *("--baselines", "none", "--out", folder / "run", *options),
        )
        assert said.code == 0, said
        return RunFolder(folder / "run"), folder / "long.csv"

    return fit


@pytest.fixture(scope="module")
def correlated(fitted):
    return fitted(table(0.7))


def test_correlated_intercepts_and_slopes_are_not_diagonal(nme, correlated):
    run, long = correlated
    said = nme("covariance", run.path, long)
    assert said.code == 0, said
    assert "Σ is not diagonal" in said.out
    assert "a full Σ is chosen" in said.out
    models = run.table("covariance_models").set_index("covariance")
    assert list(models.index) == ["diagonal", "full"]
    assert models["chosen"].tolist() == [False, True]
    assert models.loc["full", "n_parameters"] == models.loc["diagonal", "n_parameters"] + 1
    assert models.loc["full", "aic"] < models.loc["diagonal", "aic"] - 5
    found = verdicts_of(run.path)["covariance"]["numbers"]
    assert found["diagonal"] is False
    assert found["likelihood_ratio"]["p"] < 1e-3
    assert found["correlations"]["p_adjusted"] < 0.01
    assert {found["correlations"][k] for k in ("parameter", "parameter_2")} == {"x0", "intercept"}
    run.require_whole()


def test_the_likelihood_is_that_of_the_run(correlated):
    run, long = correlated
    own = run.table("likelihood").set_index("model").loc["nme (all rows)"]
    found = covariance_models(run, long).table.set_index("covariance").loc["diagonal"]
    assert found["log_likelihood"] == pytest.approx(own["log_likelihood"], abs=1e-6)
    assert found["aic"] == pytest.approx(own["aic"], abs=1e-6)


def test_independent_ones_are_diagonal(fitted):
    found = covariance_models(*fitted(table(0.0, seed=4)))
    assert found.verdict.numbers["diagonal"] is True
    assert found.table.set_index("covariance").loc["diagonal", "chosen"]
    assert found.verdict.answer.startswith("A diagonal Σ does")
    assert found.verdict.numbers["readouts"]["median"] < 0.1


def test_slopes_that_covary_apart_from_the_intercept_are_blocks(fitted):
    found = covariance_models(*fitted(table(0.8, slopes=2, apart=True, seed=1)))
    models = found.table.set_index("covariance")
    assert list(models.index) == ["diagonal", "blocks", "full"]
    assert models.loc["blocks", "chosen"]
    low, middle, high = models["log_likelihood"]
    assert low + 2 < middle <= high < middle + 5
    assert (models["n_parameters"].diff().dropna() == [1, 2]).all()


def test_a_block_covariance_is_zero_between_intercept_and_slopes():
    frame = table(0.7, slopes=2, seed=2)
    X, y, who = frame[["x0", "x1"]], frame["y"], frame["who"]
    model = NMEMLPRegressor((), "all", covariance="blocks", estimator="laplace")
    model.fit(X, y, groups=who, uncertainty=False)
    sigma = model._posterior.sigma[0]
    names = model.parameter_names()
    place = names.index("layers.0.bias[0]")
    others = [k for k in range(3) if k != place]
    assert sigma[place, others].abs().max() == 0
    assert abs(float(sigma[others[0], others[1]])) > 0.1


def test_blocks_of_what_is_not_linear_are_refused():
    with pytest.raises(OptionError, match="blocks"):
        NMEMLPRegressor((4,), covariance="blocks").fit([[0.0]], [0.0], groups=[0])
    with pytest.raises(OptionError, match="an NME-MLP without hidden layers"):
        NMECRF((), covariance="blocks").fit([[0.0]], ["a"], groups=[0])


def test_a_model_of_sequences_is_decided_by_correlations(fit_tiny, tiny_study):
    run = RunFolder(fit_tiny("nme-crf"))
    found = covariance_models(run, tiny_study / "long.csv")
    assert list(found.table["covariance"]) == ["diagonal", "full"]
    assert found.verdict.numbers["decided_by"] in ("correlations", "")
    assert found.verdict.numbers["likelihood_ratio"] is None
    json.dumps(found.verdict.content(), allow_nan=False)


def test_inertia_is_one_trait(nme, tmp_path):
    """People who stay in one state for longer stay in all: one factor, on real AIC."""
    x, y, groups = chains(40, 25, 0)
    frame = pd.DataFrame({"who": groups, "day": np.arange(len(y)), "x": x[:, 0], "y": y})
    frame.to_csv(tmp_path / "long.csv", index=False)
    said = nme(
        *("fit", tmp_path / "long.csv", "--person", "who", "--outcome", "y", "--time", "day"),
        *("--model", "nme-crf", "--placement", "transitions", "--baselines", "none", "--quiet"),
        *("--out", tmp_path / "run"),
    )
    assert said.code == 0, said
    found = covariance_models(RunFolder(tmp_path / "run"), tmp_path / "long.csv")
    models = found.table.set_index("covariance")
    assert list(models.index) == ["diagonal", "factor", "factor2", "full"]
    assert models["chosen"].idxmax() == "factor" == models["aic"].idxmin()
    assert "one trait that shows in all" in found.verdict.answer


def test_one_parameter_has_no_correlations(fitted):
    run, long = fitted(table(0.0, people=12), "--placement", "layers.0.bias")
    with pytest.raises(OptionError, match="fewer than two parameters"):
        covariance_models(run, long)


def test_another_file_is_refused(nme, correlated, tmp_path):
    run, long = correlated
    shutil.copy(long, tmp_path / "other.csv")
    (tmp_path / "other.csv").write_text(long.read_text() + "99,0,1,1\n")
    said = nme("covariance", run.path, tmp_path / "other.csv")
    assert said.code == 2
    assert "not the file" in said.err


def test_what_was_interrupted_is_taken_up(correlated, monkeypatch):
    run, long = correlated
    fitted = []

    def told(**given):
        fitted.append(given["covariance"])
        if given["covariance"] == "full" and len(fitted) < 3:
            raise KeyboardInterrupt
        return refit(**given)

    monkeypatch.setattr("nme_core.runs.research.covariance.refit", told)
    with pytest.raises(KeyboardInterrupt):
        covariance_models(run, long)
    covariance_models(run, long, tasks=TaskOptions(resume=True))
    assert fitted == ["diagonal", "full", "full"]


LOADS = np.array([0.9, 0.8, -0.7, 0.8])
FACTOR = np.outer(LOADS, LOADS) + 0.2 * np.eye(4)


def traits(sigma, *, seed=0, people=40, rows=8):
    """People with an intercept and three slopes of this covariance; their effects too."""
    rng = np.random.default_rng(seed)
    own = rng.multivariate_normal(np.zeros(len(sigma)), sigma, size=people)
    x = rng.normal(size=(people, rows, len(sigma) - 1))
    y = own[:, :1] + np.einsum("prk,pk->pr", x, own[:, 1:]) + 0.5 * rng.normal(size=(people, rows))
    features = {f"x{k}": x[..., k].ravel() for k in range(x.shape[2])}
    who, day = np.repeat(np.arange(people), rows), np.tile(np.arange(rows), people)
    return pd.DataFrame({"who": who, "day": day, "y": y.ravel()} | features), own


#: Two pairs that have nothing to do with each other: no one factor makes both.
PAIRS = np.kron(np.eye(2), [[1.0, 0.8], [0.8, 1.0]])


@pytest.mark.parametrize(
    ("sigma", "chosen"), [(np.eye(4), "diagonal"), (FACTOR, "factor"), (PAIRS, "full")]
)
def test_the_structure_of_the_simulation_is_chosen(fitted, sigma, chosen):
    frame, _ = traits(sigma)
    found = covariance_models(*fitted(frame))
    models = found.table.set_index("covariance")
    assert list(models.index) == ["diagonal", "blocks", "factor", "full"]
    assert models.index[models["chosen"]].tolist() == [chosen]
    own = models["n_parameters"] - models.loc["diagonal", "n_parameters"]
    assert own.to_dict() == {"diagonal": 0, "blocks": 3, "factor": 4, "full": 6}
    height = models["log_likelihood"]
    assert height["diagonal"] <= height["factor"] <= height["full"] + 1e-6
    assert ("one trait" in found.verdict.answer) == (chosen == "factor")
    assert models["test_loss"].notna().all()


def test_a_run_with_a_factor_is_read_like_any_other(nme, fitted, tmp_path):
    frame, own = traits(FACTOR, rows=5)
    run, _ = fitted(frame, "--covariance", "factor")
    effects = run.table("random_effects")
    half = (effects["ci_high"] - effects["ci_low"]) / 2
    assert (half > 0).all()
    slope = effects[effects["parameter"].str.contains("0,0")].set_index("person")["estimate"]
    assert np.corrcoef(slope.loc[[str(k) for k in range(len(own))]], own[:, 1])[0, 1] > 0.8
    new = tmp_path / "new.csv"
    frame.drop(columns="y").to_csv(new, index=False)
    assert nme("predict", run.path, new, "--out", tmp_path / "out.csv").code == 0
    assert pd.read_csv(tmp_path / "out.csv").shape[0] == len(frame)
    assert nme("report", run.path, "--out", tmp_path / "words.txt").code == 0
    assert "N(0, Σ), Σ being one-factor" in (tmp_path / "words.txt").read_text()


@pytest.mark.parametrize("kind", ["factor", "factor2"])
def test_too_few_parameters_or_another_model_are_refused(kind):
    frame, _ = traits(np.eye(2), people=10, rows=4)
    X, y, who = frame[["x0"]], frame["y"], frame["who"]
    with pytest.raises(OptionError, match=r"takes (3|5) person-specific parameters or more; here"):
        NMEMLPRegressor((), "all", covariance=kind).fit(X, y, groups=who)
    for other in ({"hidden": (4,)}, {"epochs": 5}, {"estimator": "annealed"}):
        with pytest.raises(OptionError, match="without hidden layers that is fitted by its"):
            NMEMLPRegressor(**{"hidden": ()} | other, covariance=kind).fit(X, y, groups=who)
    classes = np.resize(["a", "b", "c"], len(y))
    with pytest.raises(OptionError, match="takes one grouping factor"):
        NMEMLPClassifier((), covariance=kind).fit(X, classes, groups=frame[["who", "day"]])


def test_the_structures_of_a_yes_or_no_are_set_side_by_side(fitted):
    frame, _ = traits(FACTOR, people=25, rows=8)
    chance = 1 / (1 + np.exp(-2 * frame["y"]))
    frame["y"] = np.where(np.random.default_rng(1).random(len(frame)) < chance, "yes", "no")
    found = covariance_models(*fitted(frame))
    models = found.table.set_index("covariance")
    assert list(models.index) == ["diagonal", "blocks", "factor", "full"]
    own = models["n_parameters"] - models.loc["diagonal", "n_parameters"]
    assert own.to_dict() == {"diagonal": 0, "blocks": 3, "factor": 4, "full": 6}
    height = models["log_likelihood"]
    assert height["diagonal"] <= height["factor"] <= height["full"] + 1e-6
    assert height["diagonal"] <= height["blocks"] <= height["full"] + 1e-6


def test_what_aic_alone_would_choose_is_told():
    nothing = dict.fromkeys(("likelihood_ratio", "correlations", "held_out", "readouts"))
    found = Evidence(50, True, 0.06, "likelihood ratio", n_at_zero=0, chosen="diagonal",
                     lowest="factor", **nothing)  # fmt: skip
    told = " ".join(notes(found, {}, ["diagonal", "blocks", "factor", "full"]))
    assert told.count("By AIC alone a one-factor Σ would be chosen") == 1
    assert "By AIC" not in " ".join(notes(replace(found, lowest="diagonal"), {}, []))


def test_a_structure_without_a_likelihood_is_not_chosen_beside_such_as_have_one():
    """It was, for its loss of .8 was less than any AIC."""
    loss = {"metrics": [{"scope": "pooled", "value": 0.8}]}
    aic = {"diagonal": 210.0, "factor": 200.0, "factor2": 205.0, "full": None}
    fits = {kind: {"aic": one, **loss} for kind, one in aic.items()}
    assert _chosen(fits, is_diagonal=False) == "factor" == _lowest(fits)
    assert (
        _chosen({"diagonal": fits["diagonal"], "full": fits["full"]}, is_diagonal=False) == "full"
    )
    nothing = dict.fromkeys(("likelihood_ratio", "correlations", "held_out", "readouts"))
    found = Evidence(50, False, 0.01, "correlations", n_at_zero=0, chosen="factor", **nothing)
    assert "A full Σ has a weak prior" in " ".join(notes(found, {}, list(fits), ["full"]))
