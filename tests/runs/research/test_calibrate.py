"""Coverage of a study's own intervals: repetitions against what is known of them."""

import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from nme_core.estimators import NMEMLPRegressor, load
from nme_core.estimators.transition_intervals import wilson
from nme_core.exceptions import OptionError
from nme_core.io import RunFolder
from nme_core.io.inputs import find_input
from nme_core.parallel import Outcome
from nme_core.runs.fit.rows import StudyRows
from nme_core.runs.research.calibrate import calibrate
from nme_core.runs.research.calibrate_words import coverage_table, verdict
from nme_core.runs.research.opening import arguments_of, opened
from nme_core.runs.research.repeating import drawn_outcomes, drawn_people
from nme_core.runs.research.verdict import verdicts_of

#: What the verdict asks of a run.
RUN = SimpleNamespace(config={"hidden": []}, parameter_names=SimpleNamespace(words=str))

pytestmark = pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")


@pytest.fixture(scope="module")
def fitted(nme, tmp_path_factory):
    """A small linear run and its file."""
    folder, rng = tmp_path_factory.mktemp("calibrate"), np.random.default_rng(5)
    who = np.repeat(np.arange(25), 8)
    x = rng.normal(size=len(who))
    slope = 0.5 + 0.8 * rng.normal(size=25)
    y = 1 + rng.normal(size=25)[who] + slope[who] * x + rng.normal(size=len(who))
    pd.DataFrame({"who": who, "x": x, "y": y}).to_csv(folder / "long.csv", index=False)
    said = nme(
        *("fit", folder / "long.csv", "--person", "who", "--outcome", "y", "--quiet"),
        *("--model", "nme-mlp", "--hidden", "none", "--baselines", "none", "--out", folder / "run"),
    )
    assert said.code == 0, said
    return RunFolder(folder / "run"), folder / "long.csv"


def test_intervals_of_a_linear_study_hold(nme, fitted):
    run, _ = fitted
    said = nme("calibrate", run.path, "--reps", "12")
    assert said.code == 0, said
    table = run.table("calibration_study")
    people = table[(table["quantity"] == "random_effects") & (table["parameter"] == "")].iloc[0]
    assert 12 * 25 < people["n_intervals"] <= 12 * 25 * 2  # none where a variance is 0
    assert 0.85 < people["coverage"] < 0.99
    assert {*table["quantity"]} >= {"fixed_effects", "variances", "residual_variance"}
    assert verdicts_of(run.path)["calibrate"]["numbers"]["n_studies"] == 12
    run.require_whole()


def test_the_table_is_found_where_it_was_read_and_else_asked_for(fitted, tmp_path, monkeypatch):
    run, long = fitted
    sha256 = run.data["inputs"][0]["sha256"]
    assert find_input(sha256) == long.resolve()
    monkeypatch.setenv("NME_HOME", str(tmp_path / "empty"))
    assert find_input(sha256) is None
    with pytest.raises(OptionError, match=r"nme calibrate RUN LONG\.csv"):
        calibrate(run)
    assert str(long) not in "".join(p.read_text("utf-8") for p in run.path.glob("*.json"))


def test_a_run_that_was_fitted_anew_is_opened_anew(fitted, tmp_path):
    run = RunFolder(shutil.copytree(fitted[0].path, tmp_path / "run"))
    before = opened(*arguments_of(run, fitted[1], None).values())
    assert opened(*arguments_of(run, fitted[1], None).values()) is before
    run.write_json("config", {**run.config, "seed": 7})
    after = opened(*arguments_of(RunFolder(run.path), fitted[1], None).values())
    assert (before.options.seed, after.options.seed) == (0, 7)


def test_drawn_people_and_rows_are_the_model_s_own(fitted):
    run, long = fitted
    model = load(run.model_path)
    drawn = [drawn_people(model, seed).effects().estimate.to_numpy() for seed in range(200)]
    sigma = model.covariance_of().to_numpy()
    found = np.cov(np.concatenate(drawn).T)
    assert found == pytest.approx(sigma, abs=0.08 * sigma.max())
    frame = pd.read_csv(long)
    from nme_core.study import Study

    study = Study.from_frame(frame, person="who", outcome="y", features=["x"])
    rows, truth = StudyRows.of(study, False), drawn_people(model, 1)
    y = drawn_outcomes(truth, rows, 2)
    left = y - truth.predict(rows.X, rows.groups)
    assert left.mean() == pytest.approx(0, abs=0.3)
    assert left.var() == pytest.approx(model.residual_variance_, rel=0.3)
    assert not np.allclose(y, drawn_outcomes(truth, rows, 3))


def test_residuals_that_remember_are_drawn_so():
    n, rho = 4000, 0.6
    rng = np.random.default_rng(0)
    day = np.tile(np.arange(n // 2), 2)
    frame = pd.DataFrame({"who": np.repeat(["a", "b"], n // 2), "day": day})
    frame["x"], noise = rng.normal(size=n), rng.normal(size=n)
    for t in range(1, n):
        noise[t] = rho * noise[t - 1] + noise[t] * (1 - rho**2) ** 0.5
    frame["y"] = frame["x"] + noise + (frame["who"] == "a")
    model = NMEMLPRegressor((), "last")
    model.fit(frame[["x"]], frame["y"], groups=frame["who"], times=frame["day"], uncertainty=False)
    from nme_core.study import Study

    study = Study.from_frame(frame, person="who", outcome="y", time="day", features=["x"])
    rows, truth = StudyRows.of(study, False), drawn_people(model, 0)
    left = (drawn_outcomes(truth, rows, 1) - truth.predict(rows.X, rows.groups)).to_numpy()
    assert np.corrcoef(left[:-1], left[1:])[0, 1] == pytest.approx(rho, abs=0.07)


def test_moves_of_a_chain_are_measured(fit_tiny, tiny_study):
    run = RunFolder(fit_tiny("nme-crf", "--placement", "transitions"))
    found = calibrate(run, tiny_study / "long.csv", reps=2)
    table = found.table.set_index(["quantity", "parameter"])
    assert table.loc[("conditional", ""), "n_reps"] == 2
    assert ("population_conditional", "low → top") in table.index
    assert table["coverage"].between(0, 1).all()


def test_coverage_counts_studies_not_intervals():
    """Ten intervals of one study that all fail or hold together are one piece of evidence."""
    held = [10, 10, 10, 0]
    done = [Outcome(str(k), [["random_effects", "a", h, 10, 1.0, 0.0]]) for k, h in enumerate(held)]
    row = coverage_table(done).iloc[0]
    assert row["coverage"] == 0.75
    assert row["n_intervals"] == 40
    low, high = wilson(np.array(0.75), np.array(4.0))  # as of four intervals
    assert (row["ci_low"], row["ci_high"]) == (float(low), float(high))
    assert row["status"] == "not told apart"


def test_ten_studies_without_a_miss_do_not_say_too_wide():
    done = [Outcome(str(k), [["fixed_effects", "a", 5, 5, 1.0, 0.0]]) for k in range(10)]
    table = coverage_table(done)
    row = table.iloc[0]
    assert row["ci_low"] == pytest.approx(0.72, abs=0.01)
    assert row["status"] == "not told apart"
    said = verdict(RUN, table, 10, 10).answer
    assert said.startswith(
        "Taken together, nothing speaks against these intervals; for fixed effects, more"
    )


def test_intervals_that_are_too_wide_are_no_danger():
    done = [Outcome(str(k), [["fixed_effects", "a", 1, 1, 1.0, 0.0]]) for k in range(300)]
    table = coverage_table(done)
    assert table.iloc[0]["status"] == "outside"
    said = verdict(RUN, table, 300, 300).answer
    assert "as often as they should; those of fixed effects are wider than they need be" in said


def test_intervals_that_are_too_narrow_are_named():
    done = [Outcome(str(k), [["fixed_effects", "a", int(k < 60), 1, 1.0, 0.0]]) for k in range(100)]
    row = coverage_table(done).iloc[0]
    assert row["status"] == "outside"
    assert 0.5 < row["ci_low"] < 0.6 < row["ci_high"] < 0.7
