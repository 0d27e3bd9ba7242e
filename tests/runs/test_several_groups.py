"""Person and clinic through the command: fit, tables, test against a covariate, predictions."""

import warnings

import numpy as np
import pandas as pd
import pytest

from nme_core.io import RunFolder
from nme_core.metrics.simple_rules import rules_for

N_PERSONS, N_ROWS = 24, 15


@pytest.fixture(scope="module")
def table():
    """y = person + clinic + 0.5 x + ε; a person moves to another clinic after ten days."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(N_PERSONS), N_ROWS)
    day = np.tile(np.arange(N_ROWS), N_PERSONS)
    clinic = (person + (day >= 10)) % 6
    x = rng.normal(size=len(person))
    y = rng.normal(0, 1.5, N_PERSONS)[person] + rng.normal(0, 1, 6)[clinic] + 0.5 * x
    return pd.DataFrame(
        {
            "who": [f"p{k:02d}" for k in person],
            "clinic": [f"c{k}" for k in clinic],
            "day": day,
            "x": x,
            "y": y + 0.5 * rng.normal(size=len(person)),
            "age": 20 + person,
        }
    )


@pytest.fixture(scope="module")
def run(table, nme, tmp_path_factory):
    folder = tmp_path_factory.mktemp("groups")
    table.to_csv(folder / "long.csv", index=False)
    said = nme(
        *("fit", folder / "long.csv", "--person", "who", "--group", "clinic", "--time", "day"),
        *("--outcome", "y", "--features", "x", "--model", "nme-mlp", "--hidden", ""),
        *("--placement", "layers.0.bias", "--epochs", "150", "--quiet", "--out", folder / "run"),
    )
    assert (said.code, said.err) == (0, "")
    return RunFolder(folder / "run")


def test_tables_have_the_groups_of_every_factor(run, table):
    effects = run.table("random_effects")
    assert effects.groupby("group")["person"].nunique().to_dict() == {"who": 24, "clinic": 6}
    counts = effects[effects["group"] == "clinic"].set_index("person")["n_obs"]
    assert counts.to_dict() == table["clinic"].value_counts().to_dict()
    assert set(run.table("covariance")["group"]) == {"who", "clinic"}
    assert run.roles["groups"] == ["clinic"]
    models = {"nme", "generic", "specific"}
    assert set(run.table("metrics")["model"]) == {*models, *rules_for("number")}


def test_covariates_are_tested_against_persons(run, nme):
    said = nme("hsic", run.path, "--covariate", "age", "--reps", "99")
    assert said.code == 0
    assert run.table("hsic")["n_persons"].tolist() == [24]


def test_new_rows_need_the_clinic(run, nme, table, tmp_path):
    rows = table.head(40).drop(columns="y")
    rows.loc[3, "clinic"] = "new"
    rows.to_csv(tmp_path / "new.csv", index=False)
    said = nme("predict", run.path, tmp_path / "new.csv", "--out", tmp_path / "out.csv")
    assert said.code == 0
    found = pd.read_csv(tmp_path / "out.csv")
    assert found["predicted"].isna().to_numpy().nonzero()[0].tolist() == [3]
    assert found["population_predicted"].notna().all()
    rows.drop(columns="clinic").to_csv(tmp_path / "new.csv", index=False)
    said = nme("predict", run.path, tmp_path / "new.csv", "--out", tmp_path / "out.csv")
    assert said.code == 2
    assert "'clinic'" in said.err


def test_curves_of_persons_leave_the_clinic_out(run):
    curves = run.table("response_curves").pivot(index="x", columns="person", values="value")
    own = curves.drop(columns="").sub(curves[""], axis=0).mean()
    effects = run.table("random_effects").query("group == 'who'").set_index("person")["estimate"]
    np.testing.assert_allclose(own, effects[own.index], rtol=1e-4, atol=1e-4)
    assert len(own) == N_PERSONS
    assert any("'clinic' at the population's value" in note for note in run.data["notes"])


def test_laplace_of_a_network_says_that_it_takes_one_factor(nme, table, tmp_path):
    table.to_csv(tmp_path / "long.csv", index=False)
    said = nme(
        *("fit", tmp_path / "long.csv", "--person", "who", "--group", "clinic", "--outcome", "y"),
        *("--features", "x", "--model", "nme-mlp", "--hidden", "4", "--estimator", "laplace"),
        *("--baselines", "none", "--quiet", "--out", tmp_path / "run"),
    )
    assert said.code == 2
    assert "several grouping factors (who, clinic) without hidden layers" in said.err
    assert "variational" in said.err


def test_a_column_has_one_role(nme, table, tmp_path):
    table.to_csv(tmp_path / "long.csv", index=False)
    said = nme(
        "check", tmp_path / "long.csv", "--person", "who", "--group", "who", "--outcome", "y"
    )
    assert said.code == 2
    assert "cannot be both person and group" in said.err


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
@pytest.mark.filterwarnings("ignore:.*The rows do not tell how much")  # nearly settled grades
@pytest.mark.parametrize(
    ("family", "outcome", "metric"),
    [("poisson", "count", "mse"), ("ordinal", "grade", "log_loss")],
)
def test_other_families(nme, table, tmp_path, family, outcome, metric):
    rng = np.random.default_rng(1)
    more = table.assign(
        count=rng.poisson(np.exp(0.3 * table["y"])),
        grade=np.digitize(table["y"], [-1, 0, 1.5]),
    ).drop(columns="y")
    more.to_csv(tmp_path / "long.csv", index=False)
    said = nme(
        *("fit", tmp_path / "long.csv", "--person", "who", "--time", "day", "--outcome", outcome),
        *("--features", "x", "--model", "nme-mlp", "--family", family, "--epochs", "10"),
        *("--hidden", "8", "--baselines", "generic", "--quiet", "--out", tmp_path / "run"),
    )
    assert (said.code, said.err) == (0, "")
    folder = RunFolder(tmp_path / "run")
    assert folder.config["family"] == family
    assert metric in set(folder.table("metrics")["metric"])


def test_warnings_of_the_fit_are_kept(nme, table, tmp_path):
    """All persons are alike: the variance is 0."""
    flat = table.assign(y=table["x"] + table.groupby("who")["x"].transform(lambda v: v - v.mean()))
    noise = np.random.default_rng(2).normal(size=len(flat))
    flat["y"] = flat["x"] + noise - pd.Series(noise).groupby(flat["who"]).transform("mean")
    flat.to_csv(tmp_path / "long.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        said = nme(
            *("fit", tmp_path / "long.csv", "--person", "who", "--time", "day", "--outcome", "y"),
            *("--features", "x", "--model", "nme-mlp", "--hidden", "", "--estimator", "laplace"),
            *("--placement", "layers.0.bias", "--baselines", "none", "--quiet"),
            *("--out", tmp_path / "run"),
        )
    assert said.code == 0
    assert "boundary" in said.err
    kinds = {note["kind"] for note in RunFolder(tmp_path / "run").config["warnings"]}
    assert kinds == {"BoundaryWarning"}
