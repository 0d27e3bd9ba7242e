"""`nme compare`: runs of the same rows, refused otherwise; tables, sentences, verdict.json."""

import json

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import OptionError, RunFolderError
from nme_core.io import RunFolder
from nme_core.runs.comparing import compare_runs

ROLES = ("--person", "id", "--time", "day", "--outcome", "mood")
MLP = ("--model", "nme-mlp", "--baselines", "none", "--quiet")
LINEAR = (*MLP, "--hidden", "", "--features", "sleep", "--estimator", "laplace")


def study(seed: int = 0) -> pd.DataFrame:
    """20 people × 20 days; own intercepts and slopes, and a state."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(20), 20)
    sleep = rng.normal(7, 1, 400)
    own = rng.normal(size=(20, 2))[who]
    mood = 5 + own[:, 0] + (0.5 + own[:, 1]) * (sleep - 7) + rng.normal(0, 0.7, 400)
    state = np.where(mood + rng.normal(size=400) > 5, "good", "low")
    days = np.tile(np.arange(20), 20)
    ids = [f"p{k}" for k in who]
    table = {"id": ids, "day": days, "sleep": sleep, "mood": mood, "state": state}
    return pd.DataFrame(table)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("compare")
    study().to_csv(path / "long.csv", index=False)
    return path


@pytest.fixture(scope="module")
def runs(folder, nme):
    """Runs with a person's own intercept, slope too, and a network."""
    asked = {
        "intercept": (*LINEAR, "--placement", "layers.0.bias"),
        "slope": (*LINEAR, "--covariance", "full"),
        "network": (*MLP, "--hidden", "3", "--epochs", "5", "--features", "sleep"),
    }
    for name, words in asked.items():
        said = nme("fit", folder / "long.csv", *ROLES, *words, "--out", folder / name)
        assert said.code == 0, said.err
    return {name: RunFolder(folder / name) for name in asked}


def test_the_larger_model_is_asked_for(runs):
    found = compare_runs([runs["intercept"], runs["slope"]])
    (test,) = found.tests.to_dict("records")
    assert (test["smaller"], test["larger"]) == ("intercept", "slope")
    assert (test["df"], test["reference"]) == (2, "mixture")
    ends = found.likelihood.set_index("run")["log_likelihood"]
    assert test["statistic"] == pytest.approx(2 * (ends["slope"] - ends["intercept"]))
    assert test["p"] < 1e-3
    metrics = found.metrics[found.metrics["metric"] == "mse"].iloc[0]
    assert (metrics["model"], metrics["reference"]) == ("slope", "intercept")
    assert metrics["difference"] < 0
    said = found.sentences()
    assert said[0].startswith("slope predicts better than intercept: mse −")
    assert said[1].startswith("The rows ask for slope rather than intercept")


def test_the_order_of_the_runs_turns_the_differences_not_the_test(runs):
    one = compare_runs([runs["intercept"], runs["slope"]])
    other = compare_runs([runs["slope"], runs["intercept"]])
    assert other.tests["p"].tolist() == one.tests["p"].tolist()
    np.testing.assert_allclose(other.metrics["difference"], -one.metrics["difference"])


def test_agreement_is_of_what_both_have(runs):
    found = compare_runs([runs["intercept"], runs["slope"]]).agreement
    tables = [runs[name].table("person_effects") for name in ("intercept", "slope")]
    people = [table[table["person"] != ""] for table in tables]
    wide = [t.pivot(index="person", columns="effect", values="estimate") for t in people]
    row = found.set_index("effect").loc["level"]
    a, b = (one["level"] for one in wide)
    assert row["correlation"] == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert row["mean_absolute_difference"] == pytest.approx((a - b).abs().mean())
    assert row["n_persons"] == 20


def test_a_network_has_no_test_but_the_rest(runs):
    found = compare_runs([runs["slope"], runs["network"], runs["intercept"]])
    notes = found.tests.set_index(["smaller", "larger"])["note"]
    assert "bound" in notes["slope", "network"]
    assert "bound" in notes["network", "intercept"]
    assert found.tests["p"].notna().sum() == 1
    assert set(found.metrics["model"]) == {"network", "intercept"}
    row = found.likelihood.set_index("run").loc["network"]
    assert row["method"] == "bound"
    assert np.isnan(row["aic"])


def test_from_the_terminal(runs, nme, folder, tmp_path):
    said = nme("compare", *(run.path for run in runs.values()), "--out", tmp_path / "out")
    assert said.code == 0, said.err
    assert "The rows ask for slope rather than intercept" in said.out
    assert "Likelihood-ratio tests:" in said.out
    verdict = json.loads((tmp_path / "out" / "verdict.json").read_text("utf-8"))
    assert verdict["runs"] == ["intercept", "slope", "network"]
    assert verdict["answer"].startswith("slope predicts better")
    assert {row["metric"] for row in verdict["numbers"]["metrics"]} == {"mse"}
    for name in ("comparison", "likelihood", "likelihood_ratio", "agreement"):
        table = pd.read_csv(tmp_path / "out" / f"{name}.csv")
        assert len(table), name
    over = nme("compare", runs["slope"].path, runs["network"].path, "--out", folder / "slope")
    assert over.code == 2
    assert "is the folder of a run" in over.err


@pytest.fixture(scope="module")
def others(folder, nme):
    """Runs that are of other rows, each in its own way."""
    few = (*LINEAR, "--placement", "layers.0.bias")
    study(1).to_csv(folder / "other.csv", index=False)
    study().assign(mood=lambda t: t["state"].eq("good") + t["sleep"]).to_csv(
        folder / "long2.csv", index=False
    )
    asked = {
        "another file": (folder / "other.csv", *ROLES, *few),
        "another outcome": (
            *(folder / "long.csv", "--person", "id", "--time", "day", "--outcome", "state"),
            *(*MLP, "--family", "categorical", "--hidden", "3", "--epochs", "3"),
            *("--features", "sleep"),
        ),
        "without time": (folder / "long.csv", *ROLES[:2], *ROLES[4:], *few),
    }
    for name, words in asked.items():
        said = nme("fit", *words, "--out", folder / name)
        assert said.code == 0, said.err
    return {name: RunFolder(folder / name) for name in asked}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("another file", "files that they were fitted to differ"),
        ("another outcome", "the outcome is mood in one, state in the other"),
        ("without time", "the time is day in one, no column in the other"),
    ],
)
def test_other_rows_are_refused_with_the_reason(runs, others, name, reason):
    with pytest.raises(OptionError, match=reason):
        compare_runs([runs["intercept"], others[name]])


def test_less_than_two_and_unfinished_runs_are_refused(runs, nme, tmp_path):
    with pytest.raises(OptionError, match="two or more different runs"):
        compare_runs([runs["slope"], runs["slope"]])
    unfinished = RunFolder(tmp_path)
    unfinished.write_json("status", {"state": "failed"})
    with pytest.raises(RunFolderError, match="not a finished run"):
        compare_runs([runs["slope"], unfinished])
    assert nme("compare", runs["slope"].path).code == 2


def test_chains_are_compared_by_their_moves(folder, nme):
    names = []
    for placement in ("transitions", "last+transitions"):
        names.append(RunFolder(folder / placement.replace("+", "_")))
        said = nme(
            *("fit", folder / "long.csv", "--person", "id", "--time", "day"),
            *("--outcome", "state", "--features", "sleep", "--model", "nme-crf", "--epochs", "5"),
            *("--placement", placement, "--baselines", "none", "--quiet"),
            *("--out", names[-1].path),
        )
        assert said.code == 0, said.err
    found = compare_runs(names)
    assert found.agreement["readout"].eq("moves").all()
    assert set(found.agreement["effect"]) == {
        f"{a} → {b}" for a in ("good", "low") for b in ("good", "low")
    }
    assert found.agreement["correlation"].between(-1, 1).all()
    assert found.sentences()[0].count("log-loss") == 1
