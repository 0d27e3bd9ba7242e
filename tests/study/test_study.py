import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import DataError, MissingColumnError, OptionError
from nme_core.study import Study


@pytest.fixture
def long():
    return pd.DataFrame(
        {
            "id": ["b", "b", "b", "a", "a", "a"],
            "day": [2, 1, 3, 1, 2, 3],
            "sleep": [7.0, 6.0, np.nan, 8.0, 5.0, 6.5],
            "events": [1, 0, 2, 1, 1, 0],
            "age": [30, 30, 30, 41, 41, 41],
            "note": ["x", "y", "z", "x", "y", "z"],
            "mood": [3.0, 2.0, 5.0, np.nan, 4.0, 1.0],
        }
    )


ROLES = {"person": "id", "time": "day", "outcome": "mood"}


def test_rows_are_sorted_by_first_appearance_of_person_then_time(long):
    study = Study.from_frame(long, **ROLES)
    assert list(study.groups) == ["b"] * 3 + ["a"] * 3
    assert list(study.time) == [1, 2, 3, 1, 2, 3]
    np.testing.assert_array_equal(study.X["sleep"], [6, 7, np.nan, 8, 5, 6.5])
    np.testing.assert_array_equal(study.y, [2, 3, 5, np.nan, 4, 1])
    for table in (study.X, study.y, study.groups, study.sequence_ids, study.time):
        assert list(table.index) == list(range(6))
    assert study.persons == ("b", "a")
    assert (study.n_rows, study.n_persons) == (6, 2)


def test_shuffling_the_rows_of_a_table_changes_only_the_order_of_persons(long):
    study = Study.from_frame(long, **ROLES)
    shuffled = Study.from_frame(long.sample(frac=1, random_state=3), **ROLES)
    for person in study.persons:
        pd.testing.assert_frame_equal(
            study.X[study.groups == person].reset_index(drop=True),
            shuffled.X[shuffled.groups == person].reset_index(drop=True),
        )


def test_columns_find_their_roles(long):
    study = Study.from_frame(long, **ROLES)
    assert study.feature_names == study.roles.features == ("sleep", "events")
    assert study.roles.covariates == tuple(study.covariates.columns) == ("age",)
    assert study.covariates.loc["a", "age"] == 41
    assert study.X.dtypes.eq("float64").all()
    assert any("'note'" in note for note in study.notes)
    assert any("'age'" in note for note in study.notes)


def test_named_and_excluded_features(long):
    assert Study.from_frame(long, **ROLES, features=["age"]).feature_names == ("age",)
    study = Study.from_frame(long, **ROLES, exclude=["sleep", "age"])
    assert study.feature_names == ("events",)
    assert study.covariates.shape == (2, 0)


def test_true_and_false_are_features(long):
    study = Study.from_frame(long.assign(weekend=[True, False] * 3), **ROLES)
    assert list(study.X["weekend"]) == [0, 1, 1, 0, 1, 0]


def test_ids_stay_text(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("id,x,y,group\n" + "007,1,2,5\n007,2,3,5\n7,3,5,6\n7,5,4,6\n")
    other = tmp_path / "covariates.csv"
    other.write_text("id,score\n7,3\n007,12\n")
    study = Study.from_csv(path, person="id", outcome="y", covariates=other)
    assert study.persons == ("007", "7")
    assert study.covariates.loc["007", "score"] == 12
    assert study.roles.covariates == ("score", "group")


@pytest.mark.parametrize("ids", [[1, 1, 2, 2], [1.0, 1.0, 2.0, 2.0], ["1", "1", " 2", "2 "]])
def test_ids_of_any_type_become_the_same_text(ids):
    frame = pd.DataFrame({"id": ids, "x": [1, 2, 3, 5], "y": [1, 2, 3, 4]})
    assert Study.from_frame(frame, person="id", outcome="y").persons == ("1", "2")


@pytest.mark.parametrize(
    ("values", "asked", "kind", "classes"),
    [
        ([1.5, 2, 3, 4, 5, 6], None, "number", ()),
        ([0, 1, 0, 1, 0, 1], None, "class", ("0", "1")),
        ([0, 1, 0, 1, 0, 1], "number", "number", ()),
        ([0.0, 1.0, 2.0, np.nan, 2.0, 1.0], "class", "class", ("0", "1", "2")),
        (["low", "high", None, "low", "mid", "mid"], None, "class", ("high", "low", "mid")),
        ([True, False, True, True, False, True], None, "class", ("False", "True")),
        (pd.Categorical([1, 2, 3, 1, 2, 3]), None, "class", ("1", "2", "3")),
        (pd.Categorical([1, 2, 3, 1, 2, 3]), "number", "number", ()),
        (np.array([1, 2, 3, 1, None, 3], dtype=object), None, "number", ()),
    ],
)
def test_outcome_kinds(long, values, asked, kind, classes):
    frame = long.assign(mood=values)
    study = Study.from_frame(frame, **ROLES, outcome_kind=asked)
    assert (study.outcome_kind, study.classes) == (kind, classes)
    assert study.y.name == "mood"
    assert study.y.isna().sum() == pd.isna(pd.Series(values)).sum()
    if kind == "class":
        assert all(isinstance(label, str) for label in study.y.dropna())


def test_sequences_are_unique_over_persons_and_ordered():
    frame = pd.DataFrame(
        {
            "id": ["a"] * 5 + ["b"] * 2,
            "session": [10, 10, 2, 2, 2, 2, 2],
            "step": [0, 1, 2, 0, 1, 0, 1],
            "x": [1, 2, 3, 4, 5, 6, 7],
            "y": [1, 2, 3, 4, 5, 6, 7],
        }
    )
    study = Study.from_frame(frame, person="id", sequence="session", time="step", outcome="y")
    assert list(study.sequence_ids) == ["a/2"] * 3 + ["a/10"] * 2 + ["b/2"] * 2
    assert list(study.y) == [4, 5, 3, 1, 2, 6, 7]
    alone = Study.from_frame(frame.drop(columns="session"), person="id", outcome="y")
    assert list(alone.sequence_ids) == list(alone.groups)


def test_sequence_names_that_would_collide_are_refused(long):
    frame = long.assign(id=["a/b"] * 3 + ["a"] * 3, part=["c"] * 3 + ["b/c"] * 3)
    assert "slash" in str(refused(frame, sequence="part"))


def test_named_sequences_follow_time_where_they_do_not_overlap():
    frame = pd.DataFrame(
        {
            "id": ["a"] * 4 + ["b"],
            "session": ["late", "late", "early", "early", "only"],
            "time": [7, 8, 1, 2, 3],
            "x": [1, 2, 3, 4, 5],
            "y": [1, 2, 3, 4, 5],
        }
    )
    roles = {"person": "id", "sequence": "session", "time": "time", "outcome": "y"}
    assert list(Study.from_frame(frame, **roles).y) == [3, 4, 1, 2, 5]
    overlapping = frame.assign(time=[0, 1, 0, 1, 0])
    assert list(Study.from_frame(overlapping, **roles).y) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "texts",
    [
        ["2024-03-02", "2024-03-01", "2024-03-03"] * 2,
        ["2024-03-02 08:00", "2024-03-01T20:15", "2024-03-03 07:00:30"] * 2,
        ["2.3.2024", "1.3.2024", "3.3.2024"] * 2,
    ],
)
def test_dates_as_text_are_read_and_sorted(long, texts):
    study = Study.from_frame(long.assign(day=texts), **ROLES)
    assert study.time.dt.day.tolist() == [1, 2, 3, 1, 2, 3]


def test_covariate_table_is_matched_by_person_and_says_who_is_missing(long):
    table = pd.DataFrame({"id": ["c", "b"], "bdi": [20, 31], "site": ["north", "south"]})
    study = Study.from_frame(long, **ROLES, covariates=table)
    assert list(study.covariates.index) == ["b", "a"]
    assert study.covariates.index.name == "person"
    np.testing.assert_array_equal(study.covariates["bdi"], [31, np.nan])
    assert study.covariates["site"].tolist()[0] == "south"
    assert any("without covariates: 'a'" in note for note in study.notes)
    assert any("'c'" in note for note in study.notes)


def test_listed_covariates_may_be_text_and_must_be_constant(long):
    frame = long.assign(site=["n", "n", None, "s", "s", "s"])
    study = Study.from_frame(frame, **ROLES, covariates=["site"])
    assert study.covariates["site"].tolist() == ["n", "s"]
    assert study.roles.covariates == ("site",)
    with pytest.raises(DataError, match="'sleep' is not constant within person 'b'") as caught:
        Study.from_frame(long, **ROLES, covariates=["sleep"])
    assert (caught.value.column, caught.value.person) == ("sleep", "b")


def test_take_keeps_order_and_the_covariates_of_who_remains(long):
    study = Study.from_frame(long, **ROLES)
    part = study.take([5, 3])
    assert list(part.time) == [1, 3]
    assert part.persons == ("a",)
    assert list(part.covariates.index) == ["a"]
    assert list(part.X.index) == [0, 1]
    by_mask = study.take(np.array([False, False, False, True, False, True]))
    pd.testing.assert_frame_equal(part.X, by_mask.X)
    with pytest.raises(DataError, match="No row"):
        study.take(np.zeros(6, dtype=bool))
    with pytest.raises(DataError, match="The mask has 2 entries"):
        study.take([True, False])


def test_rows_without_outcome_are_left_out_and_counted(long):
    study = Study.from_frame(long, **ROLES).with_observed_outcome()
    assert study.n_rows == 5
    assert study.y.notna().all()
    assert any("1 row was left out" in note for note in study.notes)


def refused(frame, **changes):
    with pytest.raises(DataError) as caught:
        Study.from_frame(frame, **{**ROLES, **changes})
    assert caught.value.remedy
    return caught.value


def test_missing_columns_are_named_with_those_there_are(long):
    for role in ("person", "time", "outcome", "sequence"):
        error = refused(long, **{role: "nothing"})
        assert isinstance(error, MissingColumnError)
        assert error.column == "nothing"
        assert "sleep" in str(error)
    assert isinstance(refused(long, features=["nothing"]), MissingColumnError)
    assert isinstance(refused(long, exclude=["nothing"]), MissingColumnError)
    assert isinstance(refused(long, covariates=["nothing"]), MissingColumnError)
    assert "covariate table" in str(refused(long, covariates=pd.DataFrame({"x": [1]})))


def test_tables_that_cannot_be_a_study_say_why(long):
    assert "no rows" in str(refused(long.iloc[:0]))
    assert "one person only, 'b'" in str(refused(long[long["id"] == "b"]))
    assert "single row" in str(refused(long.assign(id=range(6))))
    assert "more than once" in str(refused(long.rename(columns={"note": "age"})))
    assert "constant" in str(refused(long.assign(mood=3.0)))
    assert "missing in every row" in str(refused(long.assign(mood=np.nan)))
    assert "both" in str(refused(long, outcome="day"))
    assert "two roles" in str(refused(long, features=["mood"]))
    assert "No feature" in str(refused(long, exclude=["sleep", "events"]))
    assert "is empty" in str(refused(long.assign(sleep=np.nan), features=["sleep"]))


def test_empty_columns_are_left_out_with_a_note(long):
    study = Study.from_frame(long.assign(steps=np.nan), **ROLES)
    assert study.feature_names == ("sleep", "events")
    assert any("empty: 'steps'" in note for note in study.notes)


def test_text_in_a_named_feature_is_found_by_column_row_and_value(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("id,day,sleep,mood\na,1,7,1\n\na,2,7h,2\nb,1,6,3\nb,2,5,4\n")
    with pytest.raises(DataError, match="'sleep' is not numeric: line 4 holds '7h'") as caught:
        Study.from_csv(path, **ROLES, features=["sleep"])
    assert (caught.value.column, caught.value.row) == ("sleep", 4)


def test_numbers_with_a_typing_error_are_not_taken_for_classes(long):
    error = refused(long.assign(mood=["1", "2", "3", "4o", "5", "6"]))
    assert "'4o'" in str(error)
    assert error.row == 3
    assert "not numeric" in str(refused(long.assign(mood=list("abcabc")), outcome_kind="number"))


def test_rows_at_one_time_are_refused_only_where_order_matters(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("id,day,sleep,mood\na,1,7,1\na,2,7,2\nb,1,6,3\nb,5,5,4\nb,5,4,4\n")
    study = Study.from_csv(path, **ROLES)
    assert study.tied.tolist() == [False, False, False, False, True]
    with pytest.raises(DataError, match=r"An NME-CRF needs .* person 'b' .* 'day' = 5") as caught:
        study.refuse_ties("An NME-CRF")
    assert (caught.value.person, caught.value.column) == ("b", "day")
    assert "sequence" in caught.value.remedy


def test_the_order_of_the_table_changes_nothing_within_one_time(long):
    frame = long.assign(day=[1, 1, 2, 1, 1, 1])
    study = Study.from_frame(frame, **ROLES)
    turned = Study.from_frame(frame.iloc[[2, 1, 0, 5, 4, 3]], **ROLES)
    pd.testing.assert_frame_equal(study.X, turned.X)
    pd.testing.assert_series_equal(study.y, turned.y)


def test_the_same_time_in_two_sequences_is_no_tie(long):
    frame = long.assign(day=1, session=[1, 2, 3] * 2)
    Study.from_frame(frame, **ROLES, sequence="session").refuse_ties("An NME-CRF")
    tied = Study.from_frame(frame.assign(session=[1, 2, 2] * 2), **ROLES, sequence="session")
    with pytest.raises(DataError, match="sequence 'b/2'"):
        tied.refuse_ties("An NME-CRF")


def test_missing_ids_and_times_are_counted_and_placed(long):
    error = refused(long.assign(id=["b", "b", None, "a", "a", None]))
    assert "2 rows have no person id" in str(error)
    assert error.row == 2
    assert "no time" in str(refused(long.assign(day=[1, 2, np.nan, 1, 2, 3])))
    assert "cannot be read" in str(refused(long.assign(day=["1.1.2024", "soon"] * 3)))


@pytest.mark.parametrize("column", ["sleep", "mood", "day", "age"])
def test_infinite_values_are_refused(long, column):
    frame = long.astype({column: float})
    frame.loc[frame["id"] == "a", column] = np.inf
    error = refused(frame)
    assert "infinite" in str(error)
    assert error.column == column


def test_covariate_tables_that_do_not_fit_say_why(long):
    assert "no rows" in str(refused(long, covariates=pd.DataFrame({"id": [], "bdi": []})))
    twice = pd.DataFrame({"id": ["a", "b", "a"], "bdi": [1, 2, 3]})
    error = refused(long, covariates=twice)
    assert "'a' more than once (row 0, row 2)" in str(error)
    strangers = pd.DataFrame({"id": ["0a", "0b"], "bdi": [1, 2]})
    error = refused(long, covariates=strangers)
    assert "no person in common" in str(error)
    assert "'b'" in str(error)
    assert "'0a'" in str(error)


def test_unknown_outcome_kind(long):
    with pytest.raises(OptionError, match="ordinal"):
        Study.from_frame(long, **ROLES, outcome_kind="ordinal")


def test_a_number_with_decimals_is_no_state():
    long = pd.DataFrame({"person": list("ab") * 20, "mood": np.arange(40) / 7, "x": range(40)})
    with pytest.raises(DataError, match=r"'mood' is a number \(40 different values, such as 0\)"):
        Study.from_frame(long, person="person", outcome="mood", outcome_kind="class")
    halves = long.assign(mood=np.arange(40) % 3 / 2)  # 0, 0.5 and 1 may be classes
    study = Study.from_frame(halves, person="person", outcome="mood", outcome_kind="class")
    assert len(study.classes) == 3


def test_class_outcome_and_number_outcome_of_the_same_real_study(shared_data):
    folder = shared_data / "moodregulation"
    roles = {"person": "person", "time": "t", "covariates": folder / "covariates.csv"}
    number = Study.from_csv(folder / "long.csv", **roles, outcome="mood_sum")
    states = Study.from_csv(folder / "long.csv", **roles, outcome="state", outcome_kind="class")
    assert (number.outcome_kind, states.outcome_kind) == ("number", "class")
    assert states.classes == ("0", "1", "2")
    assert number.n_rows == states.n_rows == 8355
    assert number.n_persons == states.n_persons == 163
    assert "Neuroticism" in number.covariates
    assert not number.covariates.isna().any(axis=None)


def test_the_time_can_be_the_only_feature(long):
    trend = Study.from_frame(long[["id", "day", "mood"]], person="id", outcome="mood", time="day")
    assert trend.feature_names == ("day",)
    assert "The only feature is the time, 'day'" in trend.notes[-1]
    both = Study.from_frame(
        long, person="id", outcome="mood", time="day", features=["day", "sleep"]
    )
    np.testing.assert_array_equal(both.X["day"], both.time)
    dates = long[["id", "mood"]].assign(day=pd.date_range("2024-01-01", periods=6).astype(str))
    with pytest.raises(DataError, match="holds no numbers") as caught:
        Study.from_frame(dates, person="id", outcome="mood", time="day", features=["day"])
    assert "counts the days" in caught.value.remedy


def test_columns_of_numbers_that_tell_who_somebody_is_are_used_only_where_they_are_named():
    frame = pd.DataFrame(
        {
            "id": np.repeat(["a", "b", "c"], 6),
            "day": np.tile(np.arange(6), 3),
            "mood": np.arange(18) % 7 + 0.5,
            "sleep": np.arange(18) % 5,
            "latitude": np.repeat([52.1, 48.2, 50.3], 6),
            "longitude": np.arange(18) / 10,
        }
    )
    roles = {"person": "id", "outcome": "mood", "time": "day"}
    study = Study.from_frame(frame, **roles)
    assert study.feature_names == ("sleep",)
    assert study.covariates.empty
    assert "Left out because it holds places on the map: 'latitude'." in study.notes
    named = Study.from_frame(frame, **roles, features=["sleep", "longitude"])
    assert named.feature_names == ("sleep", "longitude")
