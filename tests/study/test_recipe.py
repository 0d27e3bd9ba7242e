"""A recipe is stored whole, read with care, and makes the same of new rows as of old ones."""

import json
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import DataError, NMEError, OptionError
from nme_core.study import Recipe, Remedy, Study
from nme_core.study.clean.privacy import Privacy
from nme_core.study.formats.result import HowRead
from nme_core.study.loading import load_study, read_tables
from nme_core.study.recipe import read_recipe, recipe_of
from nme_core.study.recipe_json import Kept

WHOLE = Recipe(
    "id",
    "mood",
    "when",
    "session",
    ("clinic",),
    features=("sleep", "stress"),
    exclude=("note",),
    covariates=("bdi",),
    outcome_kind="number",
    remedies=(Remedy("set_missing", ("sleep",), ("-99",)),),
    max_gap="6h",
    missing="carry",
    reading=HowRead("csv", encoding="cp1252", delimiter=";", decimal=",", given=("decimal",)),
    second=HowRead("xlsx", sheet="People", given=("sheet",)),
    kept=Kept(
        (Remedy("wide_to_long", ("mood_1", "mood_2")), Remedy("read_dates", ("when",), to="dmy")),
        Privacy(codes=True),
        ("when",),
        ("Dates became days.",),
        "ab12",
    ),
)


@pytest.mark.parametrize("recipe", [WHOLE, Recipe("p", "y")])
def test_a_recipe_comes_back_as_it_was(recipe):
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


def test_its_json_says_every_step_by_name():
    content = WHOLE.to_json()
    assert set(content) == {
        "version", "reading", "reshaping", "remedies", "privacy", "roles", "gap", "missing",
        "covariates",
    }  # fmt: skip
    assert [one["kind"] for one in content["remedies"]] == [
        "wide_to_long", "read_dates", "set_missing",
    ]  # fmt: skip
    assert content["reshaping"][0]["columns"] == ["mood_1", "mood_2"]
    assert (content["gap"], content["privacy"]["days"]) == ("6h", ["when"])


def broken():
    """Recipes with one entry that is gone or is something else."""
    for name in WHOLE.to_json():
        without = WHOLE.to_json()
        del without[name]
        yield without
        for value in (3, [1], {"x": 1}, "text"):
            yield {**WHOLE.to_json(), name: value}


@pytest.mark.parametrize("content", [*broken(), [], None, "{}"])
def test_a_damaged_recipe_is_an_error_of_ours_or_a_recipe(content, tmp_path):
    (tmp_path / "recipe.json").write_text(json.dumps(content))
    with suppress(NMEError):
        assert isinstance(read_recipe(tmp_path / "recipe.json"), Recipe)


def test_a_later_version_is_refused_with_what_to_do():
    with pytest.raises(DataError, match=r"later version.*Update"):
        Recipe.from_json({**WHOLE.to_json(), "version": 99})


def test_options_go_before_a_recipe():
    mixed = recipe_of(WHOLE, outcome="sadness", features=["sleep"], time=None)
    assert (mixed.outcome, mixed.features, mixed.time) == ("sadness", ("sleep",), "when")
    with pytest.raises(OptionError, match="--outcome"):
        recipe_of(person="id")


@pytest.fixture
def files(tmp_path):
    """A long table with dates, and a covariate table that also holds a test person."""
    rng = np.random.default_rng(0)
    people = [f"p{k}" for k in range(6)]
    long = pd.DataFrame(
        {
            "id": np.repeat([*people, "TEST"], 6),
            "when": [
                f"2024-03-{d:02d} {h:02d}:00" for _ in range(7) for d in (1, 2) for h in (9, 13, 18)
            ],
            "sleep": rng.normal(7, 1, 42).round(1).astype(str),
            "mood": rng.normal(5, 1, 42).round(1),
        }
    )
    long.loc[long["id"] == "TEST", "sleep"] = "test"
    long.to_csv(tmp_path / "long.csv", index=False)
    table = pd.DataFrame({"id": [*people, "TEST"], "bdi": [*map(str, range(10, 16)), "x"]})
    table.to_csv(tmp_path / "people.csv", index=False)
    return tmp_path


EXCLUDED = Recipe("id", "mood", "when", remedies=(Remedy("exclude_persons", ("id",), ("TEST",)),))


def test_people_are_left_out_of_both_tables_and_columns_looked_at_anew(files):
    study = load_study(EXCLUDED, files / "long.csv", files / "people.csv")
    assert study.feature_names == ("sleep",)
    assert study.covariates["bdi"].tolist() == [10, 11, 12, 13, 14, 15]
    assert sum("TEST" in note for note in study.notes) == 1


def test_a_study_says_what_was_decided_and_is_made_again_from_that(files):
    study = load_study(EXCLUDED, files / "long.csv", files / "people.csv")
    assert (study.recipe.features, study.recipe.max_gap) == (("sleep",), "6h")
    again = load_study(study.recipe, files / "long.csv", files / "people.csv")
    pd.testing.assert_frame_equal(study.X, again.X)
    pd.testing.assert_frame_equal(study.covariates, again.covariates)
    assert again.recipe == study.recipe


def test_named_covariates_are_taken_from_either_table(files):
    long = pd.read_csv(files / "long.csv").assign(sex=1)
    long["sex"] = long["id"].str[-1].isin(["1", "3"]).astype(int)
    long.to_csv(files / "long.csv", index=False)
    recipe = recipe_of(EXCLUDED, covariates=["bdi", "sex"])
    study = load_study(recipe, files / "long.csv", files / "people.csv")
    assert list(study.covariates) == ["bdi", "sex"]
    only = load_study(
        recipe_of(EXCLUDED, covariates=["sex"]), files / "long.csv", files / "people.csv"
    )
    assert list(only.covariates) == ["sex"]


KEPT = Recipe(
    "id",
    "mood",
    "when",
    features=("sleep", "age"),
    remedies=(Remedy("set_missing", ("sleep",), ("-99",)),),
    max_gap="6h",
    kept=Kept((Remedy("read_dates", ("when",), to="dmy"),), Privacy(), ("when",)),
)


def test_new_rows_become_what_the_studys_rows_became():
    given = pd.DataFrame(
        {
            "id": ["q", "q", "r"],
            "when": ["3/4/2024 09:00", "4/4/2024 21:00", "1/5/2024 09:00"],
            "sleep": [7, -99, 6],
            "age": [95, 95, 30],
        }
    )
    made, notes = KEPT.apply_to_new_rows(given)
    assert made["when"].tolist() == [0, 1.5, 0]
    assert made["sleep"].isna().tolist() == [False, True, False]
    assert made["age"].tolist() == [90, 90, 30]
    assert len(notes) == 2
    again, nothing = KEPT.apply_to_new_rows(made)
    pd.testing.assert_frame_equal(again, made)
    assert nothing == ()
    read = given.assign(when=pd.to_datetime(given["when"], dayfirst=True))  # a workbook
    pd.testing.assert_frame_equal(KEPT.apply_to_new_rows(read)[0], made)


def test_a_gap_in_hours_breaks_days(files):
    days = pd.DataFrame({"id": np.repeat(["a", "b"], 6), "when": [0, 0.1, 0.3, 1, 1.1, 1.3] * 2})
    days = days.assign(x=np.arange(12.0), mood=np.arange(12.0) % 5)
    roles = {"features": ("x",), "remedies": ()}
    n_sequences = [
        Study.of(recipe_of(KEPT, **roles, max_gap=gap), days, stored=True).sequence_ids.nunique()
        for gap in ("6h", "90min", "0.25", "2d", "none")
    ]
    assert n_sequences == [4, 12, 4, 2, 2]


def test_each_file_is_parsed_once(files, nme, monkeypatch):
    from nme_core.study import reading

    parsed = []
    whole = reading._read
    monkeypatch.setattr(
        reading, "_read", lambda file, **how: parsed.append(file.name) or whole(file, **how)
    )
    roles = ("--person", "id", "--outcome", "mood", "--time", "when", "--features", "sleep")
    tables = (files / "long.csv", "--covariates", files / "people.csv")
    assert nme("check", *tables, *roles).code == 2  # the words are found in the same parse
    assert sorted(parsed) == ["long.csv", "people.csv"]
    parsed.clear()
    (files / "fix.json").write_text(
        '[{"kind": "exclude_persons", "columns": ["id"], "values": ["TEST"]}]'
    )
    done = nme(
        *("fit", *tables, *roles, "--remedy", files / "fix.json", "--model", "nme-mlp"),
        *("--hidden", "", "--baselines", "none", "--epochs", 1, "--out", files / "run", "--quiet"),
    )
    assert done.code == 0, done
    assert sorted(parsed) == ["long.csv", "people.csv"]
    assert read_recipe(files / "run" / "recipe.json").remedies[0].values == ("TEST",)


def test_a_recipe_stands_for_all_options(files, nme):
    words = ("--recipe", files / "recipe.json")
    (files / "recipe.json").write_text(json.dumps(EXCLUDED.to_json()))
    said = nme("check", files / "long.csv", "--covariates", files / "people.csv", *words)
    assert "36 rows" in said.out or "6 p" in said.out
    assert "STOP" not in said.out
    assert nme("check", files / "long.csv", *words, "--outcome", "none").code == 2


def test_tables_are_read_as_was_said(tmp_path):
    text = "id;x;y\n" + "".join(f"p{k // 4};{k},5;{k % 3}\n" for k in range(16))
    (tmp_path / "t.csv").write_bytes(text.encode("utf-16"))
    recipe = Recipe("id", "y", reading=HowRead("csv", encoding="utf-16", given=("encoding",)))
    assert read_tables(recipe, tmp_path / "t.csv").long.how.given == ("encoding",)
    assert load_study(recipe, tmp_path / "t.csv").X["x"].iloc[1] == 1.5
