"""Remedies: what each changes, that the table is left alone, and the file that records them."""

import json

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import DataError, MissingColumnError, OptionError
from nme_core.io import RunFolder
from nme_core.study import Remedy, Study, apply_remedies, read_remedies
from nme_core.study.clean.remedy_files import as_records, as_remedies

DUPLICATES = Remedy("drop_duplicates", ("id", "day"))
NO_VALUE = Remedy("set_missing", ("sleep",), ("-99", "?"))


def table():
    """Two rows for one beep, -99 and ? for missing, a rare state, ids with zeros."""
    return pd.DataFrame(
        {
            "id": ["007", "007", "007", "008", "008"],
            "day": [1, 1, 2, 1, 2],
            "sleep": ["7", "8", "-99", "6.5", "?"],
            "state": ["calm", "tense", "odd", "calm", "odd"],
        },
        index=pd.Index([2, 3, 4, 5, 6], name="line"),
    )


def test_of_duplicates_the_last_is_kept_and_the_table_is_left_alone():
    before = table()
    after, (note,) = apply_remedies(before, [DUPLICATES])
    assert list(after.index) == [3, 4, 5, 6]
    assert "1 row left out" in note
    pd.testing.assert_frame_equal(before, table())


def test_missing_codes_are_emptied_and_leave_numbers():
    before = table()
    after, (note,) = apply_remedies(before, [NO_VALUE])
    np.testing.assert_array_equal(after["sleep"], [7, 8, np.nan, 6.5, np.nan])
    assert "2 cells emptied" in note
    pd.testing.assert_frame_equal(before, table())
    numeric = pd.DataFrame({"sleep": [7, -99, 6]})
    emptied, _ = apply_remedies(numeric, [NO_VALUE])
    np.testing.assert_array_equal(emptied["sleep"], [7, np.nan, 6])


def test_ids_that_look_like_numbers_stay_text():
    after, _ = apply_remedies(table(), [Remedy("set_missing", ("id",), ("008",))])
    assert list(after["id"].dropna()) == ["007"] * 3


def test_words_that_are_left_keep_a_column_text():
    after, _ = apply_remedies(table(), [Remedy("set_missing", ("sleep",), ("-99",))])
    assert list(after["sleep"].dropna()) == ["7", "8", "6.5", "?"]


def test_states_are_merged_and_numbered_ones_stay_numbers():
    after, (note,) = apply_remedies(table(), [Remedy("merge_states", ("state",), ("odd",), "calm")])
    assert list(after["state"]) == ["calm", "tense", "calm", "calm", "calm"]
    assert "2 cells changed" in note
    numbered = pd.DataFrame({"state": [0.0, 1.0, 2.0, np.nan]})
    after, _ = apply_remedies(numbered, [Remedy("merge_states", ("state",), ("2",), "1")])
    np.testing.assert_array_equal(after["state"], [0, 1, 1, np.nan])
    after, _ = apply_remedies(numbered, [Remedy("merge_states", ("state",), ("1", "2"), "high")])
    assert list(after["state"].dropna()) == ["0", "high", "high"]


def test_persons_are_excluded():
    after, (note,) = apply_remedies(table(), [Remedy("exclude_persons", ("id",), ("007",))])
    assert list(after["id"]) == ["008", "008"]
    assert "3 rows left out" in note


def test_the_order_counts():
    drop = Remedy("drop_duplicates", ("id", "state"))
    merge = Remedy("merge_states", ("state",), ("tense",), "calm")
    assert len(apply_remedies(table(), [merge, drop])[0]) == 4
    assert len(apply_remedies(table(), [drop, merge])[0]) == 5


def test_a_column_that_is_not_there_or_there_twice():
    with pytest.raises(MissingColumnError, match="'mood'"):
        apply_remedies(table(), [Remedy("set_missing", ("mood",), ("-99",))])
    twice = table().set_axis(["id", "day", "sleep", "sleep"], axis=1)
    with pytest.raises(DataError, match="more than once"):
        apply_remedies(twice, [NO_VALUE])


@pytest.mark.parametrize(
    "entries",
    [
        ("delete_everything", ("id",)),
        ("drop_duplicates", ()),
        ("drop_duplicates", ("id",), ("x",)),
        ("set_missing", ("sleep",)),
        ("merge_states", ("state",), ("odd",)),
        ("exclude_persons", ("id",), ("007",), "x"),
    ],
)
def test_a_remedy_that_makes_no_sense_is_refused(entries):
    with pytest.raises(OptionError):
        Remedy(*entries)


def test_a_file_round_trips(tmp_path):
    merge = Remedy("merge_states", ("state",), ("odd",), "calm")
    remedies = (DUPLICATES, NO_VALUE, merge)
    path = tmp_path / "remedies.json"
    path.write_text(json.dumps(as_records(remedies)), encoding="utf-8")
    assert read_remedies(path) == remedies


@pytest.mark.parametrize(
    "content",
    [{}, ["x"], [{"kind": "set_missing", "columns": "sleep", "values": ["-99"]}],
     [{"kind": "set_missing", "columns": ["sleep"], "values": [-99]}],
     [{"kind": "drop_duplicates", "columns": ["id"], "more": 1}], [{"columns": ["id"]}]],
)  # fmt: skip
def test_what_is_no_list_of_remedies_is_refused(content):
    with pytest.raises(DataError, match="not remedies"):
        as_remedies(content)


@pytest.mark.parametrize("content", [b"", b"[", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_no_json_is_refused(tmp_path, content):
    path = tmp_path / "remedies.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"remedies\.json is not a JSON file"):
        read_remedies(path)
    with pytest.raises(DataError, match="was not found"):
        read_remedies(tmp_path / "none.json")


def test_a_study_is_read_with_its_remedies_and_says_so(tmp_path):
    table().to_csv(tmp_path / "long.csv", index=False)
    roles = {"person": "id", "time": "day", "outcome": "state", "features": ["sleep"]}
    with pytest.raises(DataError):
        Study.from_csv(tmp_path / "long.csv", **roles)
    study = Study.from_csv(tmp_path / "long.csv", **roles, remedies=[DUPLICATES, NO_VALUE])
    assert study.n_rows == 4
    assert study.remedies == (DUPLICATES, NO_VALUE)
    assert sum(note.startswith("Remedy:") for note in study.notes) == 2
    assert study.take([0, 1, 2, 3]).remedies == study.remedies


@pytest.mark.filterwarnings(
    "ignore::nme_core.exceptions.BoundaryWarning", "ignore::nme_core.exceptions.BlankWarning"
)
def test_check_fit_and_predict_follow_the_file(nme, tiny_study, tmp_path):
    long = pd.read_csv(tiny_study / "long.csv", dtype={"id": str})
    roles = ("--person", "id", "--outcome", "mood")
    feature = Study.from_csv(
        tiny_study / "long.csv", person="id", outcome="mood"
    ).feature_names[0]  # fmt: skip
    messy, file = tmp_path / "messy.csv", tmp_path / "remedies.json"
    long.assign(**{feature: long[feature].astype(object).mask(long.index % 7 == 0, -99)}).to_csv(
        messy, index=False
    )
    remedy = Remedy("set_missing", (feature, "mood"), ("-99",))
    file.write_text(json.dumps(as_records([remedy])), encoding="utf-8")
    said = nme("check", messy, *roles, "--remedy", file)
    assert said.code == 0, said
    assert f"{(long.index % 7 == 0).sum()} cells emptied" in said.out

    run = tmp_path / "run"
    flags = ("--model", "nme-mlp", "--epochs", "1", "--baselines", "none", "--refit", "none")
    fitted = nme("fit", messy, *roles, *flags, "--remedy", file, "--out", run, "--quiet")
    assert fitted.code == 0, fitted
    assert as_remedies(RunFolder(run).data["remedies"]) == (remedy,)

    predictions = []
    for value in ("-99", ""):
        new, out = tmp_path / f"new{value}.csv", tmp_path / f"out{value}.csv"
        long.head(3).drop(columns="mood").assign(**{feature: value}).to_csv(new, index=False)
        done = nme("predict", run, new, "--out", out)
        predictions.append((done, out))
    (with_code, first), (empty, second) = predictions
    assert with_code.code == 0, with_code
    assert empty.code == 0, empty
    assert first.read_bytes() == second.read_bytes()


def with_test_rows():
    """A diary in which only the rows of TEST hold words, in three columns."""
    return pd.DataFrame(
        {
            "id": ["TEST", "007", "007", "008", "008"],
            "day": ["x", "1", "2", "1", "2"],
            "sleep": ["abc", "6.5", None, "7", "k.A."],
            "awake": ["a", "false", "true", "true", "false"],
            "place": ["test", "home", "work", "home", "home"],
        },
        index=pd.Index([2, 3, 4, 5, 6], name="line"),
    )


NO_TEST = Remedy("exclude_persons", ("id",), ("TEST",))


def test_columns_become_numbers_once_the_rows_with_words_are_gone():
    after, (note,) = apply_remedies(with_test_rows(), [NO_TEST], person="id")
    assert "1 row left out; 4 of 5 rows remain, of 2 of 3 people." in note
    assert list(after["day"]) == [1, 2, 1, 2]
    assert list(after["awake"]) == [False, True, True, False]
    assert list(after["id"]) == ["007", "007", "008", "008"]  # ids stay text
    assert list(after["place"]) == ["home", "work", "home", "home"]
    assert list(after["sleep"].dropna()) == ["6.5", "7", "k.A."]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_chains_of_remedies_type_columns_in_any_order(order):
    chain = (NO_TEST, Remedy("set_missing", ("sleep",), ("k.A.",)))
    after, notes = apply_remedies(with_test_rows(), [chain[k] for k in order])
    np.testing.assert_array_equal(after["sleep"], [6.5, np.nan, 7, np.nan])
    assert any("1 cell emptied" in note for note in notes)


@pytest.mark.parametrize("remedy", [
    Remedy("drop_rows", ("day",), ("x",)), Remedy("drop_rows", ("id",), ("TEST",)),
])  # fmt: skip
def test_rows_that_are_no_observations_are_left_out(remedy):
    after, (note,) = apply_remedies(with_test_rows(), [remedy])
    assert list(after["day"]) == [1, 2, 1, 2]
    assert "4 of 5 rows remain" in note
    assert "Leave out the rows with" in str(remedy)


def test_what_is_left_of_the_cells_is_told():
    _, (note,) = apply_remedies(with_test_rows(), [Remedy("set_missing", ("sleep",), ("7", "abc"))])
    assert "2 cells emptied, 2 of 4 remain." in note
