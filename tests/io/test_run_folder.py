"""The run folder: what is written comes back, nothing is half written, damage is named."""

import json
import os
import stat

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import RunFolderError
from nme_core.io import TABLES, RunFolder, RunState, Status
from nme_core.io.renewal import clear


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path / "deep" / "run")


def covariance(**columns):
    return pd.DataFrame({"parameter": ["a"], "parameter_2": ["b"], "value": [0.5], **columns})


def test_nothing_is_made_before_something_is_written(run):
    assert not run.has_table("covariance")
    assert not run.path.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_only_the_owner_can_look_into_the_folder(run):
    run.write_status(Status(RunState.QUEUED))
    assert stat.S_IMODE(run.path.stat().st_mode) == 0o700


def test_status_comes_back(run):
    status = Status(RunState.RUNNING, "2026-01-01T10:00:00+00:00", None, "Wir fangen an …", 0.25, 7)
    run.write_status(status)
    assert run.status == status
    assert json.loads((run.path / "status.json").read_text(encoding="utf-8"))["state"] == "running"


def test_ids_and_names_stay_text(run):
    ids = ["007", "1e3", "None", "NA", "true", " x"]
    frame = pd.DataFrame({"person": ids, "n_obs": 3, "parameter": "0", "estimate": 0.25})
    run.write_table("random_effects", frame.assign(se=np.nan, reliability=1.0))
    back = run.table("random_effects")
    assert back["person"].tolist() == ids
    assert back["parameter"].tolist() == ["0"] * len(ids)
    assert back["se"].isna().all()
    assert back["n_obs"].dtype.kind == "i"


def test_an_empty_person_is_empty_text_and_an_empty_number_is_missing(run):
    columns = dict.fromkeys(TABLES["transitions"], np.nan)
    frame = pd.DataFrame([columns | {"person": "", "readout": "scores", "from": "1", "to": "nan"}])
    run.write_table("transitions", frame)
    back = run.table("transitions").iloc[0]
    assert (back["person"], back["from"], back["to"]) == ("", "1", "nan")
    assert np.isnan(back["value"])


@pytest.mark.parametrize("proba", [{}, {"p_0": 0.5, "p_1": 0.5}], ids=["number", "class"])
def test_outcomes_are_numbers_unless_there_are_classes(run, proba):
    frame = pd.DataFrame([dict.fromkeys(TABLES["predictions"], "1") | proba])
    run.write_table("predictions", frame)
    back = run.table("predictions").iloc[0]
    assert back["predicted"] == ("1" if proba else 1)
    assert back["observed"] == ("1" if proba else 1)
    assert back["person"] == "1"


def test_numbers_come_back_exactly(run):
    values = np.array([1 / 3, 1e-300, -0.0, 12345678901234.5])
    frame = pd.DataFrame({"parameter": list("abcd"), "estimate": values})
    run.write_table("fixed_effects", frame)
    assert run.table("fixed_effects")["estimate"].to_numpy() == pytest.approx(values, rel=1e-15)


def test_columns_stand_in_the_order_of_the_contract_and_extra_ones_last(run):
    run.write_table("covariance", covariance()[["value", "parameter", "parameter_2"]].assign(z=1))
    header = (run.path / "covariance.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "parameter,parameter_2,value,z"


def test_a_table_without_its_columns_is_refused(run):
    with pytest.raises(ValueError, match="value"):
        run.write_table("covariance", covariance().drop(columns="value"))
    assert not run.has_table("covariance")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(run, monkeypatch):
    run.write_table("covariance", covariance())
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        run.write_table("covariance", covariance(value=[9.0]))
    monkeypatch.undo()
    assert [path.name for path in run.path.iterdir()] == ["covariance.csv"]
    assert run.table("covariance")["value"].tolist() == [0.5]


def test_json_that_no_reader_understands_is_not_written(run):
    with pytest.raises(ValueError, match="JSON"):
        run.write_json("config", {"loss": float("nan")})
    assert not (run.path / "config.json").exists()


def test_covariates_come_back(run):
    index = pd.Index(["007", "None", "nan"], name="id")
    table = pd.DataFrame(
        {"score": [1.5, np.nan, 3.0], "group": ["None", "b", None], "person": [1.0, 2.0, 3.0]},
        index=index,
    )
    run.write_covariates(table)
    back = run.covariates
    assert back.index.tolist() == ["007", "None", "nan"]
    assert back.index.name == "person"
    assert back["group"].tolist()[:2] == ["None", "b"]
    assert back["group"].isna().tolist() == [False, False, True]
    assert back["score"].isna().tolist() == [False, True, False]
    assert back["person"].tolist() == [1, 2, 3]


def test_without_covariates_there_are_no_columns(run):
    assert run.covariates.shape == (0, 0)
    run.write_covariates(pd.DataFrame(index=pd.Index(["007", "8"])))
    assert run.covariates.index.tolist() == ["007", "8"]
    assert run.covariates.shape == (2, 0)


@pytest.mark.parametrize("name", ["status", "config", "data", "roles"])
def test_a_missing_file_says_which_folder_is_meant(run, name):
    with pytest.raises(RunFolderError, match=r"has no .*json\. Give the folder that"):
        getattr(run, name)


def test_a_missing_table_is_named(run):
    with pytest.raises(RunFolderError, match=r"no metrics\.csv"):
        run.table("metrics")


@pytest.mark.parametrize("content", ['{"state": ', "[1]", "", "\udcff", "{}", '{"state": "odd"}'])
def test_a_damaged_status_is_named(run, content):
    run.path.mkdir(parents=True)
    (run.path / "status.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(RunFolderError, match=r"status\.json"):
        _ = run.status


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", 'parameter,"parameter_2\n'])
def test_a_damaged_table_is_named(run, content):
    run.path.mkdir(parents=True)
    (run.path / "covariance.csv").write_text(content, encoding="utf-8")
    with pytest.raises(RunFolderError, match=r"covariance\.csv is damaged"):
        run.table("covariance")


def test_data_without_roles_is_damaged(run):
    run.write_json("data", {"roles": None})
    with pytest.raises(RunFolderError, match=r"data\.json is damaged"):
        _ = run.roles


def test_clearing_keeps_the_status_and_what_is_not_of_a_run(run):
    run.write_status(Status(RunState.QUEUED))
    run.write_table("covariance", covariance())
    run.write_covariates(pd.DataFrame(index=["a"]))
    run.write_json("config", {})
    for name in ("train.log", "run.json"):
        (run.path / name).write_text("{}", encoding="utf-8")
    clear(run)
    assert {path.name for path in run.path.iterdir()} == {"status.json", "train.log", "run.json"}


def test_a_folder_that_is_no_run_is_not_cleared(run):
    run.write_covariates(pd.DataFrame(index=["a"]))
    clear(run)
    assert (run.path / "covariates.csv").is_file()


def test_knows_its_own_files(run, tmp_path):
    assert run.writes(run.path / "covariates.csv")
    assert run.writes(run.path / ".." / "run" / "metrics.csv")
    assert not run.writes(run.path / "long.csv")
    assert not run.writes(tmp_path / "covariates.csv")
