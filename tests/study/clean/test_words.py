"""Features of words: yes and no become 0 and 1 and say so; others are offered as columns."""

import json

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import DataError, OptionError
from nme_core.study import Remedy, Study, apply_remedies, find_problems, read_any
from nme_core.study.clean.remedies import effect_names, for_new_rows, source_columns
from nme_core.study.clean.remedy_files import as_records
from nme_core.study.clean.words import two_words

ROLES = {"person": "id", "outcome": "mood", "time": "day"}


def diary(**columns):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": np.repeat(["007", "008", "009"], 10),
            "day": np.tile(np.arange(10), 3),
            "mood": rng.normal(5, 1, 30).round(2),
        },
        index=pd.RangeIndex(2, 32, name="line"),
    )
    return frame.assign(**{name: (cells * 30)[:30] for name, cells in columns.items()})


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["yes", "no"], ("no", "yes")),
        (["ja", "nein", "Ja"], ("nein", "ja")),
        (["oui", "non"], ("non", "oui")),
        (["si", "no"], ("no", "si")),
        (["wahr", "falsch"], ("falsch", "wahr")),
        (["m", "f"], ("f", "m")),
        (["outdoors", "indoors"], ("indoors", "outdoors")),
    ],
)
def test_two_words_are_a_feature_of_0_and_1(cells, words):
    frame = diary(alone=[*cells, None])
    study = Study.from_frame(frame, **ROLES, features=["alone"])
    expected = frame["alone"].str.casefold().map({words[0]: 0.0, words[1]: 1.0})
    np.testing.assert_array_equal(study.X["alone"], expected)
    assert f"'alone' is 1 where it says {words[1]!r}, and 0 where it says {words[0]!r}." in (
        study.notes
    )
    assert study.remedies == (Remedy("indicators", ("alone",), words),)
    assert effect_names(study.remedies) == {"alone": f"alone = {words[1]}"}
    assert find_problems(frame, **ROLES, features=["alone"]) == ()


def test_numbers_no_answers_and_single_slips_are_no_two_words():
    assert two_words(pd.Series(["1 (a)", "2 (b)"] * 5)) is None
    assert two_words(pd.Series(["yes", "k.A."] * 5)) is None
    assert two_words(pd.Series(["yes"] * 29 + ["xxx"])) is None
    assert two_words(pd.Series([1.0, 2.0])) is None


def test_a_few_words_are_offered_as_columns_of_0_and_1():
    frame = diary(place=["home", "work", "home", "shop"])
    (problem,) = find_problems(frame, **ROLES, features=["place"])
    fix, leave_out = problem.fixes
    assert fix == Remedy("indicators", ("place",), ("home", "work", "shop"))
    assert leave_out == Remedy("exclude_columns", ("place",))
    assert "2 columns of 0 and 1" in problem.effects[0]
    study = Study.from_frame(frame, **ROLES, features=["place"], remedies=[fix])
    assert study.feature_names == ("place = work", "place = shop")
    np.testing.assert_array_equal(study.X["place = work"], frame["place"] == "work")
    assert find_problems(frame, **ROLES, features=["place"], remedies=[fix]) == ()
    # New rows hold the words; the run's features name the columns that are made of them.
    assert source_columns(study.feature_names, [fix]) == ["place"]
    assert for_new_rows([fix], study.feature_names) == (fix,)


def test_several_answers_in_a_cell_are_offered_as_a_column_each():
    frame = diary(company=["alone", "family; friends", "friends", "family", "friends;family"])
    (problem,) = find_problems(frame, **ROLES, features=["company"])
    fix = problem.fixes[0]
    assert fix.to == "several"
    study = Study.from_frame(frame, **ROLES, features=["company"], remedies=[fix])
    assert set(study.feature_names) == {
        "company = family", "company = friends", "company = alone",
    }  # fmt: skip
    np.testing.assert_array_equal(study.X["company = family"][:5], [0, 1, 0, 1, 1])


def test_a_word_that_is_not_known_is_refused_with_its_place():
    frame = diary(alone=["yes", "no", "maybe"])
    with pytest.raises(DataError, match=r"'maybe' in column 'alone' .line 4. is none of the"):
        apply_remedies(frame, [Remedy("indicators", ("alone",), ("no", "yes"))])
    with pytest.raises(OptionError, match="one column"):
        Remedy("indicators", ("a", "b"), ("no", "yes"))


def test_a_word_for_no_answer_is_dealt_with_first():
    frame = diary(alone=["yes", "no", "keine Angabe"])
    (problem,) = find_problems(frame, **ROLES, features=["alone"])
    assert problem.fixes == (Remedy("set_missing", ("alone",), ("keine Angabe",)),)
    assert "10 cells emptied, 20 of 30 remain" in problem.effects[0]
    study = Study.from_frame(frame, **ROLES, features=["alone"], remedies=problem.fixes)
    assert study.X["alone"].isna().sum() == 10
    assert study.X["alone"].sum() == 10


@pytest.mark.parametrize(
    ("cells", "kinds"),
    [
        (["1 = home", "2 = work", "3 = shop"], ["read_numbers", "indicators"]),
        (["0 (never)", "1 (often)"], ["read_numbers", "indicators"]),
        (["<5", "7", "12", "> 20"], ["read_numbers", "set_missing"]),
        (["500 mg", "1 g"], ["exclude_columns"]),
        (["7", "8", "k.A."], ["set_missing"]),
        (["1 (not at all)", "3", "k.A.", "5 (very)"], ["set_missing"]),
    ],
)
def test_what_is_not_certain_is_asked(cells, kinds):
    (problem,) = find_problems(diary(x=cells), **ROLES, features=["x"])
    assert [fix.kind for fix in problem.fixes] == kinds


def test_no_fix_makes_a_part_of_a_scale_missing():
    frame = diary(x=["1 (not at all)", "3", "k.A.", "5 (very)"])
    (problem,) = find_problems(frame, **ROLES, features=["x"])
    assert problem.fixes[0].values == ("k.A.",)
    study = Study.from_frame(frame, **ROLES, features=["x"], remedies=problem.fixes)
    np.testing.assert_array_equal(study.X["x"][:4], [1, 3, np.nan, 5])


def test_limits_are_taken_as_values_where_that_is_wanted_and_counted():
    frame = diary(x=["<5", "7", "12", "> 20"])
    (problem,) = find_problems(frame, **ROLES, features=["x"])
    study = Study.from_frame(frame, **ROLES, features=["x"], remedies=problem.fixes[:1])
    np.testing.assert_array_equal(study.X["x"][:4], [5, 7, 12, 20])
    assert any("15 cells with a limit became the limit itself" in note for note in study.notes)


def test_a_repeated_header_is_one_finding_that_names_its_line():
    frame = diary(sleep=["7", "8"]).astype("str")
    frame.loc[12] = frame.columns
    roles = {**ROLES, "features": ["sleep"]}
    (problem,) = find_problems(frame, **roles)
    assert "repeats the header: line 12" in problem.message
    assert problem.effects == ("rows with 'id' in 'id' left out; 1 row; 29 of 30 rows remain, "
                               "of 3 of 4 people.",)  # fmt: skip
    study = Study.from_frame(frame, **roles, remedies=problem.fixes)
    assert study.n_rows == 29
    emptied = [Remedy("set_missing", (name,), (name,)) for name in ("mood", "sleep")]
    (left,) = find_problems(frame, **roles, remedies=emptied)
    assert "line 12" in left.message


def test_one_cell_that_is_no_time_is_named_and_its_row_can_be_left_out():
    frame = diary(sleep=[7, 8]).astype({"day": "str"})
    frame.loc[9, "day"] = "Total"
    roles = {**ROLES, "features": ["sleep"]}
    (problem,) = find_problems(frame, **roles)
    assert "'Total' in column 'day', line 9" in problem.message
    assert Study.from_frame(frame, **roles, remedies=problem.fixes).n_rows == 29


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
def test_a_run_keeps_the_meaning_for_new_rows(nme, tmp_path):
    frame = diary(alone=["yes", "no", "no"], place=["home", "work", "home", "shop"])
    frame.to_csv(tmp_path / "long.csv", index=False)
    fix = Remedy("indicators", ("place",), ("home", "work", "shop"))
    (tmp_path / "fix.json").write_text(json.dumps(as_records([fix])))
    roles = ("--person", "id", "--outcome", "mood", "--time", "day", "--features", "alone,place")
    flags = ("--model", "nme-mlp", "--hidden", "none", "--baselines", "none", "--refit", "none")
    fitted = nme("fit", tmp_path / "long.csv", *roles, *flags, "--remedy", tmp_path / "fix.json",
                 "--out", tmp_path / "run", "--quiet")  # fmt: skip
    assert fitted.code == 0, fitted
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["network_inputs"] == ["alone = yes", "place = work", "place = shop"]
    frame.head(4).drop(columns="mood").to_csv(tmp_path / "new.csv", index=False)
    done = nme("predict", tmp_path / "run", tmp_path / "new.csv", "--out", tmp_path / "out.csv")
    assert done.code == 0, done
    frame.head(1).assign(alone="perhaps").to_csv(tmp_path / "odd.csv", index=False)
    refused = nme("predict", tmp_path / "run", tmp_path / "odd.csv", "--out", tmp_path / "o.csv")
    assert refused.code == 2
    assert "'perhaps' in column 'alone'" in refused.err


def test_a_part_of_a_scale_is_not_made_missing():
    frame = diary(x=["1 (never)", "2 (at times)", "3 (often)", "9 (no answer)"])
    ends = Remedy("set_missing", ("x",), ("1 (never)", "3 (often)"))
    with pytest.raises(DataError, match=r"'1 .never.', '3 .often.' in 'x' is part of a scale"):
        apply_remedies(frame, [ends])
    steps = [Remedy("set_missing", ("x",), ("9 (no answer)",)), Remedy("read_numbers", ("x",))]
    after, _ = apply_remedies(frame, steps)
    np.testing.assert_array_equal(after["x"][:4], [1, 2, 3, np.nan])


@pytest.mark.parametrize(
    ("cells", "kinds"),
    [
        (["1 - never", "2 - often"] * 4, {"read_numbers", "indicators"}),
        (["0", "3", "5", "10+"] * 2, {"read_numbers", "set_missing"}),
        (["0", "3", "5", "k.A."] * 2, {"set_missing"}),
    ],
)
def test_an_error_names_the_fixes_that_a_check_names(cells, kinds):
    table = pd.DataFrame({"id": list("aaaabbbb"), "x": cells, "y": np.arange(8.0)})
    with pytest.raises(DataError) as caught:
        Study.from_frame(table, person="id", outcome="y", features=["x"])
    assert {fix.kind for fix in caught.value.fixes} == kinds
    long = pd.DataFrame({"id": list("aabbccdd"), "y": np.arange(8.0), "z": [1.5, 2] * 4})
    persons = pd.DataFrame({"id": list("abcd"), "score": ["<5", "7", "9", "12"]})
    with pytest.raises(DataError) as caught:
        Study.from_frame(long, person="id", outcome="y", covariates=persons)
    assert {fix.kind for fix in caught.value.fixes} == {"read_numbers", "set_missing", "as_labels"}


def test_marks_of_footnotes_stand_behind_numbers():
    reading = read_any(b"id;score\na;12*\nb;9\nc;22*\nd;7\n", "x.csv")
    assert reading.frame["score"].tolist() == [12, 9, 22, 7]
    assert any("'*'" in note for note in reading.notes)


@pytest.mark.parametrize("slip", ["1O", "12.5.1", "7½"])
def test_a_slip_among_numbers_is_emptied_alone(slip):
    frame = diary(sleep=[*map(str, range(4, 13)), slip, *map(str, range(5, 25))])
    (found,) = find_problems(frame, **ROLES, features=["sleep"])
    assert f"holds numbers, but also {slip!r} (in 1 cell; the first is line 11)" in found.message
    assert found.fixes == (Remedy("set_missing", ("sleep",), (slip,)),)
    study = Study.from_frame(frame, **ROLES, features=["sleep"], remedies=found.fixes)
    assert study.X["sleep"].isna().sum() == 1


def test_an_outcome_with_a_slip_offers_to_empty_it():
    frame = diary(x=[1, 2, 4]).assign(mood=[*map(str, range(29)), "3O"])
    with pytest.raises(DataError) as caught:
        Study.from_frame(frame, **ROLES, features=["x"])
    assert caught.value.fixes == (Remedy("set_missing", ("mood",), ("3O",)),)


def test_several_labels_at_one_number_keep_their_numbers():
    frame = diary(stress=["1 (never)", "2", "3", "5 (always)", "5 (very often)"])
    (found,) = find_problems(frame, **ROLES, features=["stress"])
    assert found.fixes[0] == Remedy("read_numbers", ("stress",))
    study = Study.from_frame(frame, **ROLES, features=["stress"], remedies=found.fixes[:1])
    assert study.X["stress"].tolist()[:5] == [1, 2, 3, 5, 5]


def test_the_ends_of_a_scale_are_never_made_missing():
    frame = diary(x=["2", "not at all", "3", "very much", "4"])
    (problem,) = find_problems(frame, **ROLES, features=["x"])
    assert [(fix.values, fix.to) for fix in problem.fixes] == [
        (("not at all",), "1"), (("very much",), "5"),
    ]  # fmt: skip
    study = Study.from_frame(frame, **ROLES, features=["x"], remedies=problem.fixes)
    np.testing.assert_array_equal(study.X["x"][:5], [2, 1, 3, 5, 4])
    (other,) = find_problems(diary(x=["2", "n/a?", "3", "broken", "4"]), **ROLES, features=["x"])
    assert [fix.kind for fix in other.fixes] == ["set_missing"]


def test_a_ticked_box_is_0_where_it_is_empty():
    frame = diary(x=["x", None, None])
    (problem,) = find_problems(frame, **ROLES, features=["x"])
    assert [fix.kind for fix in problem.fixes] == ["fill_missing", "exclude_columns"]
    study = Study.from_frame(frame, **ROLES, features=["x"], remedies=problem.fixes[:1])
    np.testing.assert_array_equal(study.X["x"][:3], [1, 0, 0])


def test_dates_are_not_offered_as_columns_of_0_and_1():
    frame = diary(x=["2024-03-01", "2024-03-02", "2024-03-05"])
    (problem,) = find_problems(frame, **ROLES, features=["x"])
    assert [fix.kind for fix in problem.fixes] == ["exclude_columns"]
