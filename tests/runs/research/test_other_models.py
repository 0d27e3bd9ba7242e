"""The research tools with models of sequences, and with small networks."""

import json

import pandas as pd
import pytest

pytestmark = pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
MODELS = {
    "sequences": ("--outcome", "state", "--model", "nme-crf", "--hidden", "none"),
    "network": ("--outcome", "mood", "--model", "nme-mlp", "--hidden", "8", "--epochs", "5"),
}


@pytest.fixture(params=list(MODELS))
def asked(request, tiny_study):
    roles = ("--person", "id", "--sequence", "session", "--time", "beep", "--features", "stress")
    return (tiny_study / "long.csv", *roles, *MODELS[request.param]), request.param


def test_placements(nme, asked, tmp_path):
    study, kind = asked
    places = "transitions" if kind == "sequences" else "last,all"
    grid = ("--placements", places, "--shares", "0.5,1", "--seeds", "1")
    said = nme("ablate", *study, *grid, "--out", tmp_path / "out")
    assert said.code == 0, said
    table = pd.read_csv(tmp_path / "out" / "ablation.csv", keep_default_na=False)
    assert set(table["placement"]) == {"", *places.split(",")}
    summary = pd.read_csv(tmp_path / "out" / "ablation_summary.csv")
    metric = "log_loss" if kind == "sequences" else "mse"
    assert metric in set(table["metric"])
    assert summary["difference"].notna().all()
    answer = json.loads((tmp_path / "out" / "verdict.json").read_text())["answer"]
    assert "erson-specific parameters in" in answer


def test_worlds(nme, asked, tiny_study, tmp_path):
    study, kind = asked
    few = {"missing": ["drop"], "exclusions": ["none"], "covariance": ["diagonal"]}
    place = "transitions" if kind == "sequences" else "last"
    claim = {"covariate": "depression", "choices": {**few, "placement": [place]}}
    (tmp_path / "claim.json").write_text(json.dumps(claim))
    who = ("--covariates", tiny_study / "covariates.csv", "--claim", tmp_path / "claim.json")
    said = nme("multiverse", *study, *who, "--worlds", "3", "--out", tmp_path / "out")
    assert said.code == 0, said
    table = pd.read_csv(tmp_path / "out" / "multiverse.csv", keep_default_na=False)
    assert set(table["note"]) == {""}
    assert (table["ci_low"].astype(float) <= table["estimate"].astype(float)).all()
    assert len(set(table["hidden"])) == (1 if kind == "sequences" else 2)


def test_numbers_of_people(nme, asked, tiny_study, tmp_path):
    study, kind = asked
    who = ("--covariates", tiny_study / "covariates.csv", "--baselines", "none", "--quiet")
    assert nme("fit", *study, *who, "--out", tmp_path / "run").code == 0
    grid = ("--effect", "0.5", "--persons", "12", "--rows", "9", "--reps", "2")
    how = ("--covariate", "depression", *grid, "--out", tmp_path / "out")
    said = nme("power", tmp_path / "run", *how)
    if kind == "network":
        assert said.code == 2
        assert "hidden layers" in said.err
        return
    assert said.code == 0, said
    table = pd.read_csv(tmp_path / "out" / "power.csv")
    assert set(table["test"]) == {"hsic", "spearman (bh)"}
    assert table["power"].between(0, 1).all()
