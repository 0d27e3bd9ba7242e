"""Covariates that were taken from the outcome, in made-up data and in a real trial."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nme_core.study import Study, check_study

PERSONS = [f"p{i:02d}" for i in range(40)]
DATA = [parent / "shared" / "data" / "btheb" for parent in Path(__file__).resolve().parents]
BTHEB = next((folder for folder in DATA if folder.is_dir()), None)


def long(outcome: str = "number") -> pd.DataFrame:
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "person": np.repeat(PERSONS, 10),
            "day": np.tile(np.arange(10), len(PERSONS)),
            "sleep": rng.normal(7, 1, 400),
        }
    )
    states = rng.choice(["calm", "low", "tense"], 400)
    table["mood"] = rng.normal(5, 2, 400) if outcome == "number" else states
    return table


def circular(table: pd.DataFrame, score: pd.Series) -> list[str]:
    """Messages on the score; the file's rows are given in another order than that of time."""
    covariates = pd.DataFrame({"person": score.index, "score": score.to_numpy()})
    study = Study.from_frame(
        table.sample(frac=1, random_state=2), person="person", outcome="mood", time="day",
        features=["sleep"], covariates=covariates,
    )  # fmt: skip
    found = [one for one in check_study(study).findings if "circular" in one.message]
    if found:
        (fix,) = found[0].fixes
        again = Study.from_frame(
            table, person="person", outcome="mood", time="day", features=["sleep"],
            covariates=covariates, remedies=[fix],
        )  # fmt: skip
        assert "score" not in again.covariates
        assert {one.severity for one in found} == {"look"}
    return [one.message for one in found]


@pytest.mark.parametrize("what", ["first", "last", "mean"])
def test_a_covariate_that_is_a_persons_own_outcome_is_named(what: str) -> None:
    table = long()
    score = table.groupby("person")["mood"].agg(what)
    (said,) = circular(table, score)
    assert f"'score' equals the {what} 'mood' of 40 of 40 people" in said
    rounded = score.round(2) if what == "mean" else score
    rounded.iloc[:2] = 99.5
    (said,) = circular(table, rounded)
    assert "38 of 40 people" in said


def test_a_covariate_that_only_goes_with_the_outcome_is_left_alone() -> None:
    table = long()
    first = table.groupby("person")["mood"].first()
    assert not circular(table, first + np.random.default_rng(3).normal(0, 0.5, 40))
    few = first.copy()
    few.iloc[:3] += 5  # 37 of 40 are below 95 %
    assert not circular(table, few)
    # The first known outcome counts where the first is missing.
    table.loc[table["day"] == 0, "mood"] = np.nan
    assert not circular(table, first)
    assert circular(table, table.groupby("person")["mood"].first())


def test_a_state_as_covariate_is_named_but_not_one_that_nearly_all_have() -> None:
    table = long("class")
    first = table.groupby("person")["mood"].first()
    (said,) = circular(table, first)
    assert "equals the first 'mood' of 40 of 40 people" in said
    table.loc[table["day"] == 0, "mood"] = "calm"
    same = pd.Series("calm", first.index)
    same.iloc[0] = "low"
    assert not circular(table, same)


@pytest.mark.skipif(BTHEB is None, reason="shared/data/btheb is not here")
def test_the_score_before_a_trial_that_is_its_first_outcome() -> None:
    assert BTHEB is not None
    study = Study.from_frame(
        pd.read_csv(BTHEB / "long.csv"), person="person", outcome="bdi", time="t",
        features=["month"], covariates=pd.read_csv(BTHEB / "covariates.csv"),
    )  # fmt: skip
    found = [one for one in check_study(study).findings if "circular" in one.message]
    assert [one.column for one in found] == ["bdi_pre"]
    assert "first 'bdi' of 73 of 73 people" in found[0].message
