"""The command nme: every step on every sample study and on real ones, and how a run ends."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nme_core.analysis import person_parameters
from nme_core.cli.progress import ProgressBar
from nme_core.io import RunFolder, RunState
from nme_core.metrics import evaluate
from nme_core.metrics.classification import CLASSIFICATION_METRICS
from nme_core.metrics.regression import REGRESSION_METRICS, SPREAD_METRICS
from nme_core.metrics.simple_rules import rules_for
from nme_core.runs.fit.judging import ONE_STEP
from nme_core.simulate import SAMPLES

ROOT = Path(__file__).resolve().parents[1]
ROLES = {
    "dyads": ("--person", "dyad", "--time", "step", "--outcome", "state"),
    "mood": ("--person", "person", "--time", "day", "--outcome", "mood"),
    "null": ("--person", "person", "--time", "prompt", "--outcome", "state"),
    "gratitude": ("--person", "person", "--time", "t", "--outcome", "pa_mean",
                  "--features", "na_insecure,na_fearful,na_sad,dayno,beepno"),
    "moodregulation": ("--person", "person", "--time", "t", "--outcome", "state",
                       "--features", "neg_event,pos_event,weekend,gap_min,hour_sin,hour_cos"),
}  # fmt: skip
CRF = ("--model", "nme-crf", "--placement", "transitions")
MODEL = {
    "dyads": CRF,
    "mood": ("--model", "nme-mlp", "--hidden", "32"),
    "null": CRF,
    "gratitude": ("--model", "nme-mlp"),
    "moodregulation": ("--model", "nme-crf"),
}
COVARIATE = {"gratitude": "wellBeing_group", "moodregulation": "Neuroticism"}
KIND = {"nme-mlp": "number", "nme-crf": "class"}
METRICS = {
    "nme-mlp": {*REGRESSION_METRICS, *SPREAD_METRICS},
    "nme-crf": {*CLASSIFICATION_METRICS},
}


def fit(nme, name, folder, out, *options):
    return nme(
        *("fit", folder / "long.csv", "--covariates", folder / "covariates.csv"),
        *(*ROLES[name], *MODEL[name], "--out", out, *options),
    )


@pytest.mark.parametrize("name", [*SAMPLES, "gratitude", "moodregulation"])
def test_the_whole_way(name, nme, tmp_path, request):
    if name in SAMPLES:
        folder = tmp_path / "study"
        said = nme("sample", name, "--out", folder)
        assert (said.code, said.err) == (0, "")
        assert "simulated" in said.out
        files = {path.name for path in folder.iterdir()}
        assert files == {"long.csv", "covariates.csv", "truth.json", "README.md"}
    else:
        folder = request.getfixturevalue("shared_data") / name

    said = nme(
        *("check", folder / "long.csv", "--covariates", folder / "covariates.csv"), *ROLES[name]
    )
    assert (said.code, said.err) == (0, "")
    assert said.out.endswith("Usable.\n")
    if name in SAMPLES:  # only the null study has the compliance trap
        assert ("have fewer observations" in said.out) == (name == "null")

    run = tmp_path / "run"
    said = fit(nme, name, folder, run, "--epochs", 3, "--baselines", "generic")
    assert (said.code, said.err) == (0, "")
    assert f"Run folder: {run}" in said.out
    folder_of_run = RunFolder(run)
    assert folder_of_run.status.state is RunState.DONE
    metrics = folder_of_run.table("metrics")
    assert set(metrics["metric"]) == METRICS[MODEL[name][1]]
    rivals = {"nme", "generic", *rules_for(KIND[MODEL[name][1]])}
    if MODEL[name][1] == "nme-mlp":  # a network has its linear twin beside it
        rivals.add("linear")
    assert set(metrics["model"]) - {ONE_STEP} == rivals
    for metric in METRICS[MODEL[name][1]]:
        assert metric in said.out
    assert (folder_of_run.table("comparison")["reference"] == "nme").all()

    covariate = COVARIATE.get(name, "depression")
    said = nme("hsic", run, "--covariate", covariate, "--reps", 199)
    assert (said.code, said.err) == (0, "")
    assert covariate in said.out
    assert max(map(len, said.out.splitlines())) <= 100
    hsic = folder_of_run.table("hsic")
    assert hsic["covariate"].tolist() == [covariate]
    assert hsic[["reps", "guard", "strata", "seed"]].iloc[0].tolist() == [
        *(199, "reliability", "none", 0)
    ]
    assert 0 < hsic["p"].iloc[0] <= hsic["p_adjusted"].iloc[0] <= 1
    own = set(folder_of_run.table("effects")["parameter"])
    assert own == {*person_parameters(folder_of_run).values.columns}
    moves = "nme-crf" in MODEL[name]
    assert all(one.startswith("moves[") for one in own) if moves else "level" in own

    out = tmp_path / "deep" / "predictions.csv"
    said = nme("predict", run, folder / "long.csv", "--out", out)
    assert (said.code, said.err) == (0, "")
    predictions = pd.read_csv(out, dtype={"person": "str"})
    long = pd.read_csv(folder / "long.csv", dtype={ROLES[name][1]: "str"})
    assert predictions["person"].tolist() == long[ROLES[name][1]].tolist()
    assert predictions["time"].tolist() == long[ROLES[name][3]].tolist()
    assert predictions.notna().all(axis=None)
    assert f"Wrote {len(long)} predictions to {out}." in said.out


def test_both_covariates_are_corrected_together(nme, fit_tiny):
    run = RunFolder(fit_tiny("nme-crf", "--placement", "transitions"))
    words = ("hsic", run.path, "--covariate", "depression", "--covariate", "clinic")
    assert nme(*words, "--strata", "none", "--adjust", "holm", "--seed", 3).code == 0
    hsic = run.table("hsic").set_index("covariate")
    assert (hsic["n_persons"] == 11).all()
    assert (hsic["reps"] == 2000).all()
    assert hsic[["strata", "seed"]].drop_duplicates().to_numpy().tolist() == [["none", 3]]
    p = hsic["p"].to_numpy()
    assert hsic["p_adjusted"].min() == pytest.approx(min(1, 2 * p.min()))
    kinds = run.table("effects").groupby("covariate")["kind"].unique()
    assert kinds["depression"].tolist() == ["spearman"]
    assert kinds["clinic"].tolist() == ["mean difference"]
    first = run.table("hsic")
    nme(*words, "--strata", "none", "--adjust", "holm", "--seed", 3)
    pd.testing.assert_frame_equal(first, run.table("hsic"))
    nme(*words, "--strata", "none", "--adjust", "holm", "--seed", 4)
    assert not first["p"].equals(run.table("hsic")["p"])


def test_new_persons_are_said_and_left_empty(nme, fit_tiny, tiny_study, tmp_path):
    long = pd.read_csv(tiny_study / "long.csv", dtype={"id": "str"})
    long["id"] = long["id"].replace("007", "700")
    long.to_csv(tmp_path / "new.csv", index=False)
    said = nme("predict", fit_tiny("nme-mlp"), tmp_path / "new.csv", "--out", tmp_path / "p.csv")
    assert said.code == 0
    assert "1 person is new: only population_predicted is filled" in said.out
    found = pd.read_csv(tmp_path / "p.csv", dtype={"person": "str"})
    new = found["person"] == "700"
    assert new.sum() == 18
    assert (found["predicted"].isna() == new).all()
    assert found["population_predicted"].notna().all()
    assert "000" in set(found["person"])


def test_new_persons_get_the_populations_probabilities(nme, fit_tiny, tiny_study, tmp_path):
    long = pd.read_csv(tiny_study / "long.csv", dtype={"id": "str"})
    long["id"] = long["id"].replace("007", "700")
    long.to_csv(tmp_path / "new.csv", index=False)
    said = nme("predict", fit_tiny("nme-crf"), tmp_path / "new.csv", "--out", tmp_path / "p.csv")
    assert "filled, and p_<class> with the average probabilities over people." in said.out
    found = pd.read_csv(tmp_path / "p.csv", dtype={"person": "str"})
    chances = found[["p_low", "p_mid", "p_top"]]
    assert chances.sum(axis=1).to_numpy() == pytest.approx(1)


def test_quiet_says_nothing(nme, tiny_study, tmp_path):
    words = ("fit", tiny_study / "long.csv", "--person", "id", "--outcome", "mood")
    words += (
        "--model",
        "nme-mlp",
        "--hidden",
        "32",
        "--epochs",
        2,
        "--baselines",
        "none",
        "--quiet",
    )
    assert nme(*words, "--out", tmp_path / "run") == (0, "", "")


def test_options_arrive_in_the_run(nme, tiny_study, tmp_path):
    said = nme(
        *("fit", tiny_study / "long.csv", "--person", "id", "--sequence", "session"),
        *("--time", "beep", "--outcome", "state", "--exclude", "mood,note", "--model", "nme-crf"),
        *("--placement", "first+transitions", "--hidden", "3, 2", "--covariance", "full"),
        *("--estimator", "annealed", "--baselines", "specific", "--epochs", 2, "--seed", 8),
        *("--refit", "none", "--out", tmp_path / "run"),
    )
    assert (said.code, said.err) == (0, "")
    run = RunFolder(tmp_path / "run")
    config = run.config
    assert config["hidden"] == [3, 2]
    assert config["placement"] == "first+transitions"
    assert (config["covariance"], config["estimator"]) == ("full", "annealed")
    assert (config["baselines"], config["seed"], config["refit"]) == (["specific"], 8, "none")
    assert run.roles["features"] == ["sleep", "stress"]
    parameters = run.table("random_effects")["parameter"]
    assert set(parameters.str.split("[").str[0]) == {
        "emission.layers.0.weight",
        "emission.layers.0.bias",
        "transitions",
    }


@pytest.mark.parametrize(("hidden", "layers"), [("", 1), ("4", 2), ("4,3", 3)])
def test_hidden_layers(nme, tiny_study, tmp_path, hidden, layers):
    words = ("fit", tiny_study / "long.csv", "--person", "id", "--outcome", "mood")
    words += ("--features", "sleep,stress", "--model", "nme-mlp", "--hidden", "32", "--epochs", 1)
    words += ("--baselines", "none", "--refit", "none", "--out", tmp_path / "run")
    assert nme(*words, "--hidden", hidden).code == 0
    fixed = RunFolder(tmp_path / "run").table("fixed_effects")["parameter"]
    assert fixed.str.extract(r"^layers\.(\d+)")[0].nunique() == layers


def test_an_integer_outcome_can_be_a_class(nme, tiny_study, tmp_path):
    words = ("fit", tiny_study / "long.csv", "--person", "id", "--outcome", "beep")
    words += (
        "--features",
        "sleep",
        "--model",
        "nme-mlp",
        "--hidden",
        "32",
        "--epochs",
        1,
        "--baselines",
        "none",
    )
    assert nme(*words, "--outcome-kind", "class", "--out", tmp_path / "run").code == 0
    predictions = RunFolder(tmp_path / "run").table("predictions")
    assert [f"p_{k}" for k in range(9)] == [c for c in predictions if c.startswith("p_")]
    assert set(predictions["observed"]) == set("012345678")


def test_the_command_in_the_config_repeats_the_run(nme, tiny_study, tmp_path):
    out = tmp_path / "a run"
    words = ("fit", tiny_study / "long.csv", "--person", "id", "--time", "beep", "--sequence")
    words += (
        "session",
        "--outcome",
        "mood",
        "--model",
        "nme-mlp",
        "--hidden",
        "32",
        "--epochs",
        3,
        "--seed",
        2,
    )
    nme(*words, "--baselines", "generic", "--out", out, "--quiet")
    run = RunFolder(out)
    names = ("metrics", "predictions", "fixed_effects", "random_effects", "response_curves")
    before = {name: run.table(name) for name in names}
    first, *again = shlex.split(run.config["command"])
    assert first == "nme"
    assert str(out) not in run.config["command"]  # no path: it may tell who is in a file
    files = {"LONG.csv": words[1], "RUN": out}
    config = run.config
    assert nme(*(files.get(word, word) for word in again)).code == 0
    assert run.config == config
    for name in names:
        pd.testing.assert_frame_equal(before[name], run.table(name), check_exact=True)


def python(*words, **options):
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def test_python_m_nme_core_is_the_same_command(nme):
    said = python("-m", "nme_core", "--help")
    assert said.returncode == 0
    assert said.stdout.startswith("Usage: nme ")
    assert said.stdout == nme("--help").out


@pytest.mark.parametrize("shown", [True, False])
def test_the_bar_is_for_terminals(capsys, shown):
    with ProgressBar(shown=shown) as bar:
        time.sleep(0.12)  # the bar is drawn ten times a second at most
        bar.show("Reading long.csv", 0.5)
    said = capsys.readouterr()
    assert ("Reading long.csv" in said.err) == shown
    assert not said.out


def test_importing_nme_core_is_light():
    heavy = ("torch", "streamlit", "plotly", "matplotlib", "sklearn", "numba")
    code = "import nme_core, nme_core.cli, sys; print(*sys.modules)"
    said = python("-c", code)
    assert said.returncode == 0, said.stderr
    loaded = set(said.stdout.split())
    assert "nme_core.cli" in loaded
    assert not loaded & set(heavy)


@pytest.mark.skipif(os.name == "nt", reason="signals are sent the POSIX way here")
def test_ctrl_c_keeps_what_was_finished(tmp_path):
    run = RunFolder(tmp_path / "run")
    long = ROOT / "sample_data" / "mood" / "long.csv"
    words = ["-m", "nme_core", "fit", str(long), *ROLES["mood"], "--model", "nme-mlp"]
    words += ["--hidden", "32", "--epochs", "120", "--out", str(run.path)]
    process = subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 100
    while not run.has_table("candidates") and time.monotonic() < deadline:
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "nme: stopped; what was finished is kept.\n"
    status = run.status
    assert status.state is RunState.CANCELLED
    assert status.finished
    assert status.pid == process.pid
    metrics = run.table("metrics")
    assert "nme" in set(metrics["model"])
    assert "specific" not in set(metrics["model"])
    assert run.has_table("comparison")
    history = run.table("history")
    assert (history["model"] == "nme").sum() == 120
    again = evaluate(run.table("predictions"), "number")
    both = again.merge(metrics, on=["model", "split", "scope", "person", "metric"])
    assert {"mse", "mae"} <= {*both["metric"]}
    assert both["value_x"].to_numpy() == pytest.approx(both["value_y"], nan_ok=True)
    json.loads((run.path / "config.json").read_text(encoding="utf-8"))
    assert np.isfinite(history["train_loss"]).all()


def test_roles_are_proposed_with_the_command_that_checks_them(nme, tmp_path):
    assert nme("sample", "mood", "--out", tmp_path / "mood").code == 0
    files = (tmp_path / "mood" / "long.csv", "--covariates", tmp_path / "mood" / "covariates.csv")
    said = nme("check", *files)
    assert (said.code, said.err) == (0, "")
    assert "person: it repeats; 60 different values" in said.out
    command = said.out.strip().splitlines()[-1]
    again = nme(*shlex.split(command)[1:])
    assert again.code == 0
    assert again.out.endswith("Usable.\n")
    bare = tmp_path / "bare.csv"
    bare.write_text("a,b\n1.5,2\n2.5,3\n")
    said = nme("check", bare)
    assert said.code == 2
    assert "No column seems to be the person or the outcome. Name them" in said.err


def test_a_sheet_is_chosen_and_how_a_file_was_read_is_said(nme, tiny_study, tmp_path):
    path = tmp_path / "study.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"about": ["nothing"]}).to_excel(book, sheet_name="notes", index=False)
        table = pd.read_csv(tiny_study / "long.csv", dtype={"id": "str"})
        table.to_excel(book, sheet_name="beeps", index=False)
    roles = ("--person", "id", "--outcome", "mood", "--time", "beep", "--sequence", "session")
    said = nme("check", path, *roles, "--sheet", "beeps")
    assert said.code == 0
    assert "Read: Excel workbook, sheet 'beeps'." in said.out
    said = nme("check", path, *roles)  # the sheet that has these columns
    assert said.code == 0
    assert "sheet 'beeps'" in said.out
    assert nme("check", path, *roles, "--sheet", "none").code == 2
