"""A run whose residuals remember: what it writes, from the command line."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from nme_core import Study
from nme_core.cli import app
from nme_core.exceptions import OptionError
from nme_core.io import RunFolder
from nme_core.metrics.simple_rules import rules_for
from nme_core.reports.methods import methods
from nme_core.runs.fit import FitOptions
from tests.reference.studies import study


@pytest.fixture
def long(tmp_path):
    path = tmp_path / "diary.csv"
    study("diary").drop(columns="occasion").to_csv(path, index=False)
    return path


def fitted(long, out, *options) -> RunFolder:
    command = ["fit", str(long), "--person", "person", "--outcome", "y", "--time", "time"]
    command += ["--model", "nme-mlp", "--hidden", "", "--placement", "all", "--covariance", "full"]
    command += ["--estimator", "laplace", "--out", str(out), "--quiet", *options]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    return RunFolder(out)


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
def test_a_run_says_what_it_found_of_the_residuals(long, tmp_path):
    run = fitted(long, tmp_path / "run", "--baselines", "generic,specific,lme", "--reml")
    config = json.loads((run.path / "config.json").read_text())
    assert (config["residual"], config["reml"]) == ("auto", True)
    process = config["residual_autocorrelation"]
    assert process["low"] < process["rho"] < process["high"]
    metrics = run.table("metrics")
    ahead = metrics.query("model == 'nme (one step ahead)'")
    assert set(ahead["split"]) == {"test"}
    assert {"mse", "mae", "pearson", "ccc"} <= {*ahead["metric"]}  # of points, not densities
    main = metrics.query("model == 'nme' and split == 'test'")
    main = main[main["metric"].isin(ahead["metric"])]
    assert len(ahead) == len(main)
    assert ahead["n"].tolist() == main["n"].tolist()
    assert "nme (one step ahead)" not in set(run.table("predictions")["model"])


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
def test_the_held_back_block_is_predicted_without_its_outcomes(long, tmp_path):
    one = fitted(long, tmp_path / "one", "--baselines", "none", "--refit", "none")
    table = study("diary").drop(columns="occasion")
    held = one.table("predictions").query("split == 'test'")
    last = table["person"] != table["person"].shift(-1)
    table.loc[last, "y"] += 5
    table.to_csv(long, index=False)
    other = fitted(long, tmp_path / "two", "--baselines", "none", "--refit", "none")
    again = other.table("predictions").query("split == 'test'")
    np.testing.assert_array_equal(held["predicted"], again["predicted"])


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
def test_independent_residuals_have_no_row_of_their_own(long, tmp_path):
    run = fitted(long, tmp_path / "run", "--baselines", "none", "--residual", "iid")
    assert run.config["residual_autocorrelation"] is None
    assert set(run.table("metrics")["model"]) == {"nme", *rules_for("number")}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--hidden", "4", "--residual", "ar1", "--estimator", "annealed"), "Gaussian residuals"),
        (("--hidden", "4", "--reml"), "linear model"),
        (("--hidden", "", "--residual", "ar3"), "does not exist"),
    ],
)
def test_options_that_do_not_fit_are_refused(long, tmp_path, options, said):
    command = ["fit", str(long), "--person", "person", "--outcome", "y", "--time", "time"]
    command += ["--model", "nme-mlp", "--out", str(tmp_path / "run"), "--quiet", *options]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, OptionError)
    assert said in str(result.exception)


def test_states_have_no_restricted_likelihood(tiny_study):
    table = Study.from_csv(tiny_study / "long.csv", person="id", time="beep", outcome="state",
                           features=["sleep", "stress"], sequence="session")  # fmt: skip
    options = FitOptions(model="nme-crf", reml=True)
    with pytest.raises(OptionError, match="--reml is for a number"):
        options.estimator_for(table)


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
def test_shrinkage_is_an_option_of_the_command_line(long, tmp_path):
    run = fitted(long, tmp_path / "run", "--baselines", "none", "--shrink", "inputs")
    assert (run.config["shrink"], run.config["quadrature"]) == ("inputs", 1)
    assert any("shrunk" in paragraph for paragraph in methods(run))
    assert not run.has_table("likelihood") or run.table("likelihood").empty
    assert any("for prediction" in one["reason"] for one in run.config["approximate"])
