"""Replication: what is frozen, what it lets expect, and what two studies say together."""

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import OptionError
from nme_core.io import RunFolder
from nme_core.runs.research.frozen import combined, prediction_interval, replication_table
from nme_core.runs.research.replicate import replicate
from nme_core.runs.research.verdict import verdicts_of

pytestmark = pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")


def effect(rho, n, parameter="level"):
    half = 1.959964 * (1 / (n - 3)) ** 0.5
    low, high = np.tanh([np.arctanh(rho) - half, np.arctanh(rho) + half])
    return {
        "parameter": parameter, "group": "", "kind": "spearman", "effect": rho, "ci_low": low,
        "ci_high": high, "p": 0.04,
    }  # fmt: skip


class Found:
    """The tables of a test."""

    def __init__(self, *effects):
        self.effects = pd.DataFrame(effects)
        self.hsic = pd.DataFrame(
            {"strength": [0.1], "strength_low": [0.0], "strength_high": [0.2], "p": [0.03]}
        )


def test_the_prediction_interval_of_correlations_is_fisher_s():
    own, other = (pd.Series(effect(0.4, n)) for n in (50, 80))
    low, high = prediction_interval(own, other)
    half = 1.959964 * np.sqrt(1 / 47 + 1 / 77)
    assert [low, high] == pytest.approx(np.tanh([np.arctanh(0.4) - half, np.arctanh(0.4) + half]))


def test_prediction_intervals_hold_the_second_of_two_studies():
    rng, held, reps = np.random.default_rng(0), 0, 2000
    for _ in range(reps):
        a, b = (np.tanh(np.arctanh(0.3) + rng.normal() / np.sqrt(n - 3)) for n in (60, 90))
        low, high = prediction_interval(pd.Series(effect(a, 60)), pd.Series(effect(b, 90)))
        held += low <= b <= high
    assert held / reps == pytest.approx(0.95, abs=0.02)


def test_p_of_study_b_is_one_sided_in_the_direction_of_study_a():
    table = replication_table(
        Found(effect(0.4, 50), effect(-0.3, 50, "slope")),
        Found(effect(0.3, 50), effect(0.3, 50, "slope")),
    ).set_index("parameter")
    assert table.loc["level", ["p_b", "same_direction"]].tolist() == [0.02, True]
    assert table.loc["slope", ["p_b", "same_direction"]].tolist() == [0.98, False]
    assert table.loc["slope", "inside_prediction_interval"] is False
    assert table.iloc[0]["what"] == "hsic"


def test_an_effect_that_study_b_lacks_stays_empty():
    table = replication_table(Found(effect(0.4, 50)), Found(effect(0.3, 50, "slope")))
    assert table.set_index("parameter").loc["level", ["estimate_b", "p_b"]].isna().all()


def test_two_studies_together():
    found = combined(0.04, 0.03, 50, 50)
    assert found["fisher"] == pytest.approx(0.0012 * (1 - np.log(0.0012)))  # χ² with 4 df
    assert found["stouffer"] < 0.01
    assert combined(0.5, 0.5, 10, 90)["stouffer"] == pytest.approx(0.5)


@pytest.fixture(scope="module")
def first(nme, tmp_path_factory):
    """Study A, whose people's levels rise with `dep`, its run, and a study B like it."""
    folder = tmp_path_factory.mktemp("replicate")
    for seed, name in enumerate(("a", "b")):
        rng = np.random.default_rng(seed)
        dep, who = rng.normal(size=24), np.repeat(np.arange(24), 6)
        x = rng.normal(size=len(who))
        y = (0.9 * dep + 0.3 * rng.normal(size=24))[who] + 0.3 * x + 0.5 * rng.normal(size=len(who))
        ids = np.array([f"{name}{k}" for k in range(24)])
        pd.DataFrame({"id": ids[who], "x": x, "y": y}).to_csv(folder / f"{name}.csv", index=False)
        pd.DataFrame({"id": ids, "dep": dep}).to_csv(folder / f"{name}_c.csv", index=False)
    said = nme(
        *("fit", folder / "a.csv", "--covariates", folder / "a_c.csv", "--person", "id"),
        *("--outcome", "y", "--model", "nme-mlp", "--hidden", "none", "--baselines", "none"),
        *("--quiet", "--out", folder / "run"),
    )
    assert said.code == 0, said
    return folder


def test_what_is_there_in_both_replicates(nme, first, tmp_path):
    said = nme(
        *("replicate", first / "run", first / "b.csv", "--covariates", first / "b_c.csv"),
        *("--covariate", "dep", "--reps", "99", "--out", tmp_path / "out"),
    )
    assert said.code == 0, said
    assert "It replicates" in said.out
    numbers = verdicts_of(tmp_path / "out")["replicate"]["numbers"]
    assert numbers["direction"] == 1
    assert numbers["frozen_sha256"] == (tmp_path / "out" / "frozen.sha256").read_text().strip()


def test_it_is_frozen_before_study_b_is_opened(first, tmp_path):
    (tmp_path / "b.csv").write_text("no,study\n1,2\n")
    with pytest.raises(Exception, match="id"):
        replicate(RunFolder(first / "run"), tmp_path / "b.csv", "dep", tmp_path / "out",
                  first / "b_c.csv")  # fmt: skip
    assert (tmp_path / "out" / "frozen.json").is_file()
    assert not (tmp_path / "out" / "replication.csv").exists()


def test_the_same_rows_replicate_nothing(first, tmp_path):
    with pytest.raises(OptionError, match="--halves"):
        replicate(RunFolder(first / "run"), first / "a.csv", "dep", tmp_path / "out")
