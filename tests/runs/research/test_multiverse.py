"""Multiverse: a true and a false claim, worlds that are made of choices, claims that are none."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nme_core.estimators import NMECRF
from nme_core.exceptions import OptionError
from nme_core.runs.fit import FitOptions
from nme_core.runs.research.claims import Claim, Found
from nme_core.runs.research.multiverse import COLUMNS, multiverse
from nme_core.runs.research.study_files import StudyFiles
from nme_core.runs.research.tasks import TaskOptions
from nme_core.runs.research.worlds import CHOICES, choices_of, study_in, worlds_of
from nme_core.study import Study

pytestmark = pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
OPTIONS = FitOptions("nme-mlp", hidden=(), residual="iid", baselines=())


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """People whose level rises with one score, not with another; some cells are missing."""
    rng, n, m = np.random.default_rng(3), 24, 14
    score, other, x = rng.normal(size=n), rng.normal(size=n), rng.normal(size=(n, m))
    y = 5 + 1.5 * score[:, None] + x + 0.5 * rng.normal(size=(n, m)) + 0.4 * rng.normal(size=(n, 1))
    x[rng.random((n, m)) < 0.05] = np.nan
    who = np.repeat([f"p{i:02d}" for i in range(n)], m)
    long = pd.DataFrame({"id": who, "t": np.tile(range(m), n), "x": x.ravel(), "y": y.ravel()})
    long = long.drop(index=long.index[(long["id"] == "p03") & (long["t"] > 7)])
    people = pd.DataFrame({"id": sorted(set(who)), "score": score, "other": other})
    folder = tmp_path_factory.mktemp("study")
    long.to_csv(folder / "long.csv", index=False)
    people.to_csv(folder / "people.csv", index=False)
    study = Study.from_file(folder / "long.csv", person="id", outcome="y", time="t",
                            covariates=folder / "people.csv")  # fmt: skip
    return StudyFiles(folder / "long.csv", folder / "people.csv", study.recipe), study


def claim(**given):
    few = {"placement": ["layers.0.bias"], "residual": ["iid"], "covariance": ["diagonal"]}
    return Claim.of({"choices": few, "parameter": "level", **given})


def test_a_true_claim_holds_in_all_worlds_and_goes_on_where_it_was_stopped(files, tmp_path):
    said = []

    def stop(message, part):
        said.append(message)
        if len(said) == 2:
            raise KeyboardInterrupt

    asked = claim(covariate="score", direction="positive")
    with pytest.raises(KeyboardInterrupt):
        multiverse(*files, OPTIONS, asked, tmp_path, report=stop)
    go_on, left = TaskOptions(resume=True), []
    table, verdict = multiverse(
        *files, OPTIONS, asked, tmp_path, go_on, report=lambda *one: left.append(one)
    )
    assert tuple(table.columns) == COLUMNS
    # the person with few rows in or out, and outliers; missing cells in three ways
    assert set(table["exclusions"]) == {"none", "fewer than 10 rows", "outliers"}
    assert set(table["missing"]) == {"indicator", "carry", "drop"}
    assert len(table) == 9
    assert len(left) == 9 - 2
    assert table["holds"].all()
    assert (table["ci_low"] > 0.5).all()
    assert "level rises with score holds in 9 of 9 worlds (100 %)" in verdict.answer
    assert json.loads((tmp_path / "verdict.json").read_text())["numbers"]["share"] == 1.0


def test_a_false_claim_does_not_hold(files, tmp_path):
    asked = claim(covariate="score", direction="negative")
    few = replace(asked, choices={**asked.choices, "missing": ["drop"], "exclusions": ["none"]})
    table, verdict = multiverse(*files, OPTIONS, few, tmp_path)
    assert not table["holds"].any()
    assert "in 0 of 1 worlds" in verdict.answer


def test_a_claim_about_a_person(files, tmp_path):
    highest = files[1].covariates["score"].idxmax()
    asked = claim(person=highest, direction="higher")
    few = replace(asked, choices={**asked.choices, "missing": ["carry"]})
    table, verdict = multiverse(*files, OPTIONS, few, tmp_path)
    assert table["holds"].all()
    assert f"level of {highest} is above the population's" in verdict.answer
    assert (table["estimate"] - 1.5 * files[1].covariates["score"].max()).abs().max() < 1.2


def test_a_claim_about_a_persons_move():
    rng = np.random.default_rng(0)
    steps = np.where(rng.random((8, 40)) < np.array([0.1] + 7 * [0.6])[:, None], 1, 0)
    y = pd.Series(np.array(["calm", "tense"])[steps.cumsum(axis=1).ravel() % 2])
    X, groups = pd.DataFrame(index=range(320)), pd.Series(np.repeat(list("abcdefgh"), 40))
    X["x"] = rng.normal(size=320)
    model = NMECRF((), placement="transitions").fit(X, y, groups=groups)
    asked = Claim.of({"person": "a", "parameter": "calm > tense", "direction": "below"})
    name, found = asked.ask(model, X, pd.DataFrame())
    assert name == "calm>tense"
    assert found.low < found.estimate < found.high
    assert asked.holds(found)
    with pytest.raises(OptionError, match="names one"):
        Claim.of({"person": "a", "parameter": "stay"}).ask(model, X, pd.DataFrame())


def test_worlds_are_all_combinations_or_some_by_chance(files):
    choices = choices_of(*files, OPTIONS, claim(covariate="score"))
    assert choices["missing"][0] == "indicator"
    assert choices["max_gap"] == [None] or len(choices["max_gap"]) == 1
    every = worlds_of(choices, 500, 0)
    assert len(every) == np.prod([len(values) for values in choices.values()])
    assert every[0] == {name: choices[name][0] for name in CHOICES}
    some = worlds_of({**choices, "seed": range(400)}, 50, 0)
    assert len(some) == 50
    assert some[0] == {**every[0], "seed": 0}
    assert len({json.dumps(one) for one in some}) == 50
    without = study_in(files[0].arguments, {**every[0], "exclusions": "fewer than 10 rows"})
    assert set(files[1].persons) - set(without.persons) == {"p03"}
    kept = choices_of(*files, OPTIONS, Claim.of({"person": "p03"}))
    assert "fewer than 10 rows" not in kept["exclusions"]
    assert "layers.0.bias" in kept["placement"]
    slope = Claim.of({"covariate": "score", "parameter": "slope:x"})
    assert choices_of(*files, OPTIONS, slope)["placement"] == ["all"]


@pytest.mark.parametrize(
    ("found", "above", "below", "either"),
    [
        (Found(0.5, 0.1, 0.9), True, False, True),
        (Found(-0.5, -0.9, -0.1), False, True, True),
        (Found(0.5, -0.1, 0.9), False, False, False),
    ],
)
def test_when_a_claim_holds(found, above, below, either):
    said = [Claim.of({"person": "a", "direction": one}) for one in ("above", "-", "any")]
    assert [one.holds(found) for one in said] == [above, below, either]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], "is an object"),
        ({"person": "a", "covariate": "b"}, "one person or one covariate"),
        ({"about": "person", "covariate": "b"}, "one person or one covariate"),
        ({"person": "a", "direction": "sideways"}, "sideways"),
        ({"person": "a", "parametre": "level"}, "parametre"),
        ({"person": "a", "choices": [1]}, "object of lists"),
    ],
)
def test_what_is_no_claim_is_refused(content, words):
    with pytest.raises(OptionError, match=words):
        Claim.of(content)


def test_what_the_study_does_not_have_is_refused(files, tmp_path):
    for asked, words in (
        (Claim.of({"person": "nobody"}), "no person 'nobody'"),
        (Claim.of({"covariate": "age"}), "no covariate 'age'"),
        (Claim.of({"covariate": "score", "choices": {"weather": ["good"]}}), "weather"),
    ):
        with pytest.raises(OptionError, match=words):
            multiverse(*files, OPTIONS, asked, tmp_path / "out")
    broken = tmp_path / "claim.json"
    broken.write_text("{")
    with pytest.raises(OptionError, match="no JSON"):
        Claim.read(broken)
