"""Ablation: rows that are kept, what a summary recommends, and a study whose truth is known."""

import json
import os

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import OptionError
from nme_core.runs.fit import FitOptions
from nme_core.runs.research.ablate import COLUMNS, AblateOptions, ablate, shortened
from nme_core.runs.research.ablation_summary import GENERIC, _from_when, summarised
from nme_core.runs.research.study_files import StudyFiles, study_of
from nme_core.runs.research.tasks import TaskOptions
from nme_core.study import Study


def test_the_last_rows_before_the_test_are_kept():
    parts = ["train"] * 6 + ["validation"] * 2 + ["test"] * 2
    groups = pd.Series(["a"] * 10 + ["b"] * 3)
    split = pd.Categorical(parts + ["train"] * 3, categories=["train", "validation", "test"])
    half = list(shortened(split, groups, 0.5))
    assert half[:4] == [np.nan] * 4
    assert half[4:10] == ["train"] * 3 + ["validation"] + ["test"] * 2
    assert list(shortened(split, groups, 1.0)) == list(split)
    least = list(shortened(split, groups, 0.01))
    assert least[6:8] == ["train", "validation"]  # one row of each is left
    assert least[10:] == [np.nan, "train", "train"]


def test_from_when_gains_stay():
    gain = np.array([[1.0, 1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]])
    assert _from_when(gain).tolist() == [0, 1, 2, 3]


def losses(gains, *, noise=0.05, n=40):
    """Losses of people by share: those of one model for all less a gain."""
    rng = np.random.default_rng(0)
    rows = []
    for k, share in enumerate((0.1, 0.5, 1.0)):
        own = rng.normal(2, 0.3, n)
        for placement, each in {GENERIC: (0, 0, 0), **gains}.items():
            for who, base in enumerate(own):
                value = base - each[k] + noise * rng.normal()
                rows.append((placement, share, n, 0, str(who), value, (3, 15, 30)[k], "mse"))
    names = ["placement", "share", "n_persons", "seed", "person", "value", "rows", "metric"]
    return pd.DataFrame(rows, columns=names)


def test_the_recommendation_is_what_was_planted():
    people = losses({"first": (-0.4, 0.1, 0.2), "last": (-0.3, 0.3, 0.5)})
    summary, answer, numbers = summarised(people, ("first", "last"))
    assert numbers["placement"] == "last"
    assert numbers["pays_from_rows"] == 15
    assert numbers["pays_from_rows_resamples"]["15"] > 0.95
    assert numbers["chosen_in_resamples"] > 0.95
    assert "in the last layer pay from about 15 rows a person on" in answer
    assert numbers["best_by_rows"] == ["last", "last", "last"]
    one = summary[(summary["placement"] == "last") & (summary["reference"] == "first")]
    assert one["difference"].to_numpy() == pytest.approx([-0.1, -0.2, -0.3], abs=0.05)
    assert (summary["ci_low"] <= summary["difference"]).all()
    never, said, _ = summarised(losses({"last": (-0.3, -0.2, -0.1)}), ("last",))
    assert "do not pay with up to 30 rows" in said
    assert "no other placement" in answer
    for one in (said, summarised(losses({"last": (0.1, 0.2, 0.3)}), ("last",))[1]):
        assert "no other placement" not in one
        assert " % higher (95 % interval: " in one or " % lower (95 % interval: " in one
    assert (never["difference"] > 0).all()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """People whose slopes differ much, and whose levels do not."""
    rng, n, m = np.random.default_rng(1), 12, 30
    x, slope = rng.normal(size=(n, m)), rng.normal(size=(n, 1))
    y = 3 + 2 * slope * x + rng.normal(size=(n, m))
    who, day = np.repeat([f"p{i}" for i in range(n)], m), np.tile(range(m), n)
    long = pd.DataFrame({"who": who, "day": day, "x": x.ravel(), "y": y.ravel()})
    path = tmp_path_factory.mktemp("study") / "long.csv"
    long.to_csv(path, index=False, sep=";")
    study = Study.from_file(path, person="who", outcome="y", time="day")
    return StudyFiles(path, None, study.recipe), study


OPTIONS = FitOptions("nme-mlp", hidden=(), residual="iid", baselines=())


def test_a_placement_that_fails_with_few_rows_hides_no_share_from_the_others():
    """ "From the fewest rows here on" was said of the fewest with every placement."""
    people = losses({"first": (0.1, 0.1, 0.2), "last": (0.3, 0.3, 0.5)})
    failed = (people["placement"] == "first") & (people["share"] == 0.1)
    _, answer, numbers = summarised(people[~failed], ("first", "last"))
    assert numbers["rows"] == [3, 15, 30]
    assert numbers["pays_from_rows"] == 3
    assert numbers["pays_from_rows_by_placement"] == {"first": 15, "last": 3}
    assert "from the fewest rows here on (3 to 3 in 95 %" in answer


def test_slopes_that_differ_are_recommended_and_an_interrupted_grid_goes_on(files, tmp_path):
    grid = AblateOptions(("layers.0.bias", "all", "last"), (0.2, 1.0), persons=(8, 12), seeds=1)
    said = []

    def stop(message, part):
        said.append(message)
        if len(said) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ablate(*files, OPTIONS, grid, tmp_path, report=stop)
    go_on, left = TaskOptions(resume=True), []
    table, summary, verdict = ablate(
        *files, OPTIONS, grid, tmp_path, go_on, report=lambda *one: left.append(one)
    )
    assert len(left) == 12 - 3
    assert tuple(table.columns) == COLUMNS
    assert set(table["n_persons"]) == {8, 12}
    assert set(table.loc[table["model"] == "generic", "placement"]) == {""}
    assert verdict.numbers["placement"] == "all"
    assert verdict.numbers["n_persons"] == 12
    assert "last is the same as all" in " ".join(verdict.notes)
    one = summary.query("placement == 'all' and reference == 'layers.0.bias' and share == 1")
    assert (one["difference"] < 0).all()
    assert one.loc[one["n_persons"] == 12, "ci_high"].item() < 0
    assert sorted(os.listdir(tmp_path)) == ["ablation.csv", "ablation_summary.csv", "verdict.json"]
    assert json.loads((tmp_path / "verdict.json").read_text())["tool"] == "ablate"


def test_the_study_is_the_same_in_other_processes(files):
    again = study_of(files[0].arguments)
    pd.testing.assert_frame_equal(again.X, files[1].X)
    dropped = study_of(files[0].arguments, missing="drop", exclude=("day",))
    assert len(dropped.X) == len(files[1].X)


def test_what_cannot_be_is_refused(files, tmp_path):
    for grid, words in (
        (AblateOptions(("all",), (1.5,)), "1.5"),
        (AblateOptions(("all",), (0.5,), persons=(50,)), "12 people"),
        (AblateOptions(("nowhere",), (0.5,)), "nowhere"),
        (AblateOptions((), (0.5,)), "Nothing to compare"),
    ):
        with pytest.raises(OptionError, match=words):
            ablate(*files, OPTIONS, grid, tmp_path / "out")
    assert not (tmp_path / "out").exists()
