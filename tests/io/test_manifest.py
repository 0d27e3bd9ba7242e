"""The manifest names every file of a run; what is cut, changed or missing is named by a reader."""

import hashlib
import json
import os

import pandas as pd
import pytest

from nme_core.exceptions import RunFolderError
from nme_core.io import RunFolder, RunState, Status, durable, manifest


def table(value=0.5):
    return pd.DataFrame({"parameter": ["a"], "parameter_2": ["b"], "value": [value]})


@pytest.fixture
def run(tmp_path):
    """A small finished run."""
    folder = RunFolder(tmp_path / "run")
    folder.write_status(Status(RunState.RUNNING))
    folder.write_table("covariance", table())
    folder.write_covariates(pd.DataFrame({"age": [1.0]}, index=["a"]))
    folder.write_json("config", {"model": "nme-mlp"})
    folder.write_json("run", {"name": "of the app"})
    with folder.writing("model.safetensors") as path:
        path.write_bytes(b"weights")
    folder.finish(Status(RunState.DONE))
    return folder


def sums(folder):
    return json.loads((folder.path / "manifest.json").read_text(encoding="utf-8"))["sha256"]


def test_every_file_of_the_run_is_named_with_its_sum(run):
    names = {path.name for path in run.path.iterdir()} - {"manifest.json", "run.json"}
    assert set(sums(run)) == names
    for name, digest in sums(run).items():
        assert hashlib.sha256((run.path / name).read_bytes()).hexdigest() == digest
    run.require_whole()


READ = {
    "covariance.csv": lambda run: run.table("covariance"),
    "covariates.csv": lambda run: run.covariates,
    "config.json": lambda run: run.config,
    "status.json": lambda run: run.status,
    "model.safetensors": lambda run: run.model_path,
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("how", ["cut", "changed", "missing"])
def test_a_reader_says_which_file_is_cut_changed_or_missing(run, name, how):
    path = run.path / name
    content = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(content[:-1] if how == "cut" else content[:-1] + b"~")
    for read in (READ[name], lambda run: run.require_whole()):
        with pytest.raises(RunFolderError, match=f"{name}.* {how}"):
            read(run)
    for other, read in READ.items():  # the rest can be read
        if other != name:
            read(run)


def test_missing_weights_say_how_to_have_them_again(run):
    run.model_path.unlink()
    with pytest.raises(RunFolderError, match=r"missing.*weights of the model.*again: nme fit"):
        _ = run.model_path


def test_a_missing_table_is_not_taken_for_one_that_was_never_written(run):
    assert not run.has_table("hsic")
    (run.path / "covariance.csv").unlink()
    with pytest.raises(RunFolderError, match=r"covariance\.csv is missing"):
        run.has_table("covariance")


def test_a_table_that_is_added_or_written_again_is_in_the_manifest(run):
    run.write_table("covariance", table(0.7))
    run.write_table("correlations", pd.DataFrame(columns=[
        "parameter", "parameter_2", "correlation", "model_correlation",
        "simulated_mean", "simulated_low", "simulated_high", "p_adjusted",
    ]))  # fmt: skip
    run.require_whole()
    assert "correlations.csv" in sums(run)
    assert run.table("covariance")["value"].tolist() == [0.7]


class Killed(BaseException):
    """Nothing is tidied up after it."""


@pytest.mark.parametrize("name", ["covariance", "correlations"])
@pytest.mark.parametrize("at", range(4))
def test_a_kill_at_any_step_of_adding_a_table_leaves_a_whole_run(run, monkeypatch, name, at):
    new = table(0.7)
    if name == "correlations":
        columns = ["correlation", "model_correlation", "simulated_mean", "simulated_low",
                   "simulated_high", "p_adjusted"]  # fmt: skip
        new = new.drop(columns="value").assign(**dict.fromkeys(columns, 0.0))
    steps = []
    real = os.replace

    def replace(source, target):
        if len(steps) >= at:  # from here on the disk does not change: the process is gone
            raise Killed
        steps.append(target)
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        try:
            run.write_table(name, new)
        except Killed:
            assert at < 3
        else:
            assert at == 3
    run.require_whole()
    assert run.has_table(name) == (name == "covariance" or at > 1)


def test_a_run_without_a_manifest_still_opens(run):
    (run.path / "manifest.json").unlink()
    (run.path / "covariance.csv").write_text("parameter,parameter_2,value\na,b,9\n")
    assert run.table("covariance")["value"].tolist() == [9]
    run.write_table("covariance", table())
    assert not (run.path / "manifest.json").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"sha256": 1}', '{"odd": {}}'])
def test_a_damaged_manifest_is_named(run, content):
    (run.path / "manifest.json").write_text(content)
    with pytest.raises(RunFolderError, match=r"manifest\.json is damaged"):
        run.table("covariance")


def test_two_that_add_tables_at_once_lose_nothing(run):
    """The second waits for the first's lock: both tables stay in the manifest."""
    other = RunFolder(run.path)
    with run.writing("covariance.csv") as new:
        new.write_bytes((run.path / "covariance.csv").read_bytes())
        other.write_json("data", {"roles": {}})  # in between
    run.require_whole()
    assert {"covariance.csv", "data.json"} <= set(sums(run))
    assert manifest.read(run.path).before == {}
    assert not [path for path in run.path.iterdir() if durable.is_leftover(path.name)]
