import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import DataError
from nme_core.study import Remedy, Study, find_problems, propose_wide, read_any, reshape
from nme_core.study.clean.wide import proposal_of


@pytest.mark.parametrize(
    ("names", "measures"),
    [
        (["mood_1", "mood_2", "mood_30"], {"mood": [1, 2, 30]}),
        (["bdi.pre", "bdi.2m", "bdi.3m", "bdi.5m", "bdi.8m"], {"bdi": [2, 3, 5, 8]}),
        (["T1_phq9", "T2_phq9", "T3_phq9"], {"phq9": [1, 2, 3]}),
        (["bdi_baseline", "bdi_4weeks", "bdi_8weeks"], {"bdi": [0, 4, 8]}),
        (["mood (1)", "mood (2)", "mood (3)"], {"mood": [1, 2, 3]}),
        (["2019", "2020", "2021"], {"value": [2019, 2020, 2021]}),
        (["Woche 1", "Woche 2", "Woche 3"], {"value": [1, 2, 3]}),
        (["Jan", "Feb", "Mar"], {"value": [1, 2, 3]}),
        (["mood_mo", "mood_di", "mood_mi"], {"mood": [0, 1, 2]}),
        (["a1", "a2", "a3", "b1"], {"a": [1, 2, 3]}),
        (["a_t1", "a_t2", "a_t3", "b_t3", "b_t1", "b_t2"], {"a": [1, 2, 3], "b": [1, 2, 3]}),
        (
            ["a_x_1", "a_x_2", "a_x_3", "a_y_1", "a_y_2", "a_y_3"],
            {"a_x": [1, 2, 3], "a_y": [1, 2, 3]},
        ),
        (["phq9 day 1", "phq9 day 2", "phq9 day 3"], {"phq9": [1, 2, 3]}),
        ([f"T{t}_q{q}" for t in (1, 2, 3) for q in (1, 2)], {"q1": [1, 2, 3], "q2": [1, 2, 3]}),
    ],
)
def test_columns_of_occasions_are_recognised(names, measures):
    frame = pd.DataFrame([["p", *range(len(names))]], columns=["id", *names])
    proposal = propose_wide(frame)
    assert {name: list(columns) for name, columns in proposal.measures.items()} == measures
    assert proposal.person == "id"
    assert f"{len(next(iter(measures.values())))} occasions" in proposal.sentence


def test_a_long_table_is_not_taken_for_a_wide_one():
    rows = {"id": np.repeat(["a", "b", "c"], 4), "t": [1, 2, 3, 4] * 3}
    items = {f"phq_{k}": np.arange(12) for k in range(1, 10)}
    assert propose_wide(pd.DataFrame({**rows, **items})) is None
    assert (
        propose_wide(pd.DataFrame({"id": ["a", "b"], "mood": [1, 2], "lag1_mood": [1, 2]})) is None
    )


def test_a_wide_table_becomes_long():
    wide = pd.DataFrame(
        {
            "sex": ["f", "m"],
            "id": ["007", "8"],
            "mood_1": [1.0, np.nan],
            "mood_3": [3.0, 30.0],
            "mood_2": [2.0, np.nan],
            "sad_1": [5.0, np.nan],
            "sad_2": [6.0, 7.0],
            "sad_4": [np.nan, 8.0],
        },
        index=pd.Index([2, 3], name="line"),
    )
    long, note = reshape(wide, propose_wide(wide))
    expected = pd.DataFrame(
        {
            "sex": ["f", "f", "f", "m", "m", "m"],
            "id": ["007", "007", "007", "8", "8", "8"],
            "occasion": [1, 2, 3, 2, 3, 4],
            "mood": [1, 2, 3, np.nan, 30, np.nan],
            "sad": [5, 6, np.nan, 7, np.nan, 8],
        },
        index=pd.Index([2, 2, 2, 3, 3, 3], name="line"),
    )
    pd.testing.assert_frame_equal(long, expected, check_dtype=False)
    assert "2 rows and 4 occasions became 6 rows; 2 without any measure left out" in note


def test_rows_without_an_id_are_counted():
    wide = pd.DataFrame({"drug": ["No", "Yes", "No"], **{f"y{k}": [1.5, 2, 3] for k in (1, 2, 3)}})
    proposal = propose_wide(wide)
    assert proposal.person is None
    long, _ = reshape(wide, proposal)
    assert list(long["person"]) == ["1"] * 3 + ["2"] * 3 + ["3"] * 3


def test_names_that_cannot_be_used_are_named():
    wide = pd.DataFrame({"id": ["a"], "mood": [1], "mood_1": [1], "mood_2": [2], "mood_3": [3]})
    with pytest.raises(DataError, match="'mood' would be the name of two columns"):
        reshape(wide, propose_wide(wide))
    with pytest.raises(DataError, match="'mood' does not say which occasion"):
        proposal_of(wide, ["mood_1", "mood"])


def test_the_remedy_that_is_found_makes_the_study(tmp_path):
    path = tmp_path / "wide.csv"
    rng = np.random.default_rng(0)
    names = [f"{name}_{k}" for name in ("mood", "sleep") for k in (1, 2, 3, 4)]
    frame = pd.DataFrame(rng.normal(size=(6, 8)), columns=names)
    frame.insert(0, "id", [f"0{k}1" for k in range(6)])
    frame.to_csv(path, index=False)
    read = read_any(path, text=["id"]).frame
    first = find_problems(read, person="id", outcome="mood", time="occasion")[0]
    assert "wide" in first.message
    assert first.fixes == (Remedy("wide_to_long", tuple(frame.columns[1:])),)
    roles = {"person": "id", "outcome": "mood", "time": "occasion"}
    study = Study.from_file(path, **roles, remedies=first.fixes)
    assert study.n_persons == 6
    np.testing.assert_allclose(study.y, frame.iloc[:, 1:5].to_numpy().ravel())
    assert "became 24 rows" in study.notes[0]
    assert not find_problems(read, **roles, remedies=first.fixes)


@pytest.mark.parametrize(
    ("names", "measures"),
    [
        (["phq_pre", "phq_post"], {"phq": [0, 2]}),
        (["pre_phq", "post_phq", "fu_phq"], {"phq": [0, 2, 3]}),
        (["phq_baseline", "phq_post"], {"phq": [0, 2]}),
        (["moodT1", "moodT2", "moodT3"], {"mood": [1, 2, 3]}),
        (["moodDay1", "moodDay2", "moodDay10"], {"mood": [1, 2, 10]}),
        (["Stimmung_Vorher", "Stimmung_Nachher"], {"Stimmung": [0, 2]}),
    ],
)
def test_occasions_are_words_or_written_in_capitals(names, measures):
    frame = pd.DataFrame({"id": ["a", "b", "c"], **{name: [1.5, 2.0, 3.0] for name in names}})
    proposal = propose_wide(frame)
    assert {name: list(found) for name, found in proposal.measures.items()} == measures
    assert len(reshape(frame, proposal_of(frame, proposal.columns))[0]) == 3 * len(names)


def test_before_and_after_are_features_of_a_long_table():
    frame = pd.DataFrame(
        {
            "response": list("abcdefghi"),
            "id": [1, 1, 1, 2, 2, 2, 3, 3, 3],
            "mood_before": [1.5] * 9,
            "mood_after": [2.5] * 9,
        }
    )
    assert propose_wide(frame) is None


def test_numbered_items_of_a_long_table_are_no_occasions():
    items = {f"panas_{k}": [k % 5, 2, 3, 1] * 6 for k in range(1, 5)}
    when = pd.date_range("2024-05-01 09:00", periods=24, freq="3h")
    assert propose_wide(pd.DataFrame({"when": when, **items})) is None
    people = {"obs": range(24), "participant": np.repeat(["a", "b", "c"], 8)}
    assert propose_wide(pd.DataFrame({**people, **items})) is None
    assert propose_wide(pd.DataFrame({"who": range(24), **items}), {"time": "who"}) is None


def test_a_date_of_birth_is_no_person_of_a_wide_table():
    born = [f"1970-03-{day:02d}" for day in range(1, 9)]
    wide = propose_wide(pd.DataFrame({"dob": born, **{f"mood_{k}": range(8) for k in (1, 2, 3)}}))
    assert wide.person is None
    assert len(wide.columns) == 3


def test_dates_as_names_count_days():
    names = ["mood_2024-02-28", "mood_2024-02-29", "mood_2024-03-02"]
    wide = pd.DataFrame({"id": ["a", "b"], **{name: [1.0, 2.0] for name in names}})
    long, note = reshape(wide, propose_wide(wide))
    assert long["occasion"].tolist() == [0, 1, 3] * 2
    assert long["mood"].tolist() == [1, 1, 1, 2, 2, 2]
    assert note.endswith("'occasion' counts the days since 2024-02-28.")


def test_a_name_that_is_no_date_or_no_weekday_makes_no_table_wide():
    for names in (
        ["mood_2024-02-30", "x", "y"],
        ["sat", "sun_hours", "mar"],
        ["sat_1", "sun", "y"],
    ):
        frame = pd.DataFrame([["p", 1, 2, 3]], columns=["id", *names])
        assert propose_wide(frame) is None
