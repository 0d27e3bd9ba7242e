import numpy as np
import pandas as pd
import pytest

from nme_core.batches.splits import people_for_classes, split_within_person
from nme_core.exceptions import DataError, OptionError
from nme_core.study import Study
from nme_core.study.held_back import plan_split

STUDIES = {
    "moodregulation": "mood_sum",
    "btheb": "bdi",
    "gratitude": "pa_mean",
    "nonverbal": "state",
    "orthodont": "distance",
    "oxboys": "height",
    "sleepstudy": "reaction",
}


def test_a_person_is_cut_at_60_and_80_percent_in_time_order():
    parts = split_within_person(["a"] * 10)
    assert list(parts) == ["train"] * 6 + ["validation"] * 2 + ["test"] * 2


def test_persons_are_cut_each_on_their_own_also_when_their_rows_alternate():
    parts = split_within_person(["a", "b"] * 5)
    assert list(parts[::2]) == ["train"] * 3 + ["validation", "test"]
    assert list(parts[1::2]) == ["train"] * 3 + ["validation", "test"]


def test_short_persons_are_in_training_only():
    parts = split_within_person(["a"] * 4 + ["b"] * 5)
    assert set(parts[:4]) == {"train"}
    assert set(parts[4:]) == {"train", "validation", "test"}


@pytest.mark.parametrize("n_rows", [5, 25, 35, 45, 55, 95, 1005])
def test_cut_points_are_exact_where_rounding_could_lose_a_row(n_rows):
    parts = split_within_person(["a"] * n_rows)
    assert np.sum(parts == "train") == n_rows * 6 // 10
    assert np.sum(parts != "test") == n_rows * 8 // 10


@pytest.mark.parametrize("fractions", [(0.6, 0.2, 0.3), (0.0, 0.5, 0.5), (1.2, -0.1, -0.1)])
def test_fractions_that_cannot_split_are_refused(fractions):
    with pytest.raises(OptionError, match="sum to 1"):
        split_within_person(["a"] * 10, fractions)


@pytest.mark.parametrize("name", STUDIES)
def test_real_studies_are_split_as_their_source_was(name, shared_data):
    path = shared_data / name / "long.csv"
    study = Study.from_csv(path, person="person", time="t", outcome=STUDIES[name])
    source = pd.read_csv(path)["part"].replace({"val": "validation"})
    assert list(split_within_person(study.groups, min_rows=1)) == list(source)


def test_half_of_the_people_who_reach_a_state_late_teach_it():
    groups = pd.Series(np.repeat(["a", "b", "c", "d"], 10))
    y = pd.Series((["calm"] * 9 + ["relapse"]) * 3 + ["calm"] * 10)
    part = split_within_person(groups)
    assert people_for_classes(part, groups, y) == {"relapse": ["a", "b"]}
    assert people_for_classes(part, groups, y.replace("relapse", "calm")) == {}
    y[0] = "relapse"  # a training row
    assert people_for_classes(part, groups, y) == {}


def parts_of(n_rows, n_people):
    people = np.repeat([f"p{k}" for k in range(n_people)], n_rows)
    return pd.DataFrame({"person": people, "part": split_within_person(people)})


@pytest.mark.parametrize("n_rows", [3, 4])
def test_of_few_waves_the_last_is_held_back_in_turn(n_rows):
    parts = parts_of(n_rows, 10)
    last = parts.groupby("person").tail(1)["part"]
    assert list(last) == ["test", "validation"] * 5
    assert (parts["part"] == "train").sum() == 10 * (n_rows - 1)


def test_of_two_waves_most_people_keep_both():
    parts = parts_of(2, 10)
    assert parts["part"].value_counts().to_dict() == {"train": 16, "test": 2, "validation": 2}
    both = parts.groupby("person")["part"].apply(lambda own: (own == "train").all())
    assert both.sum() == 6


def test_uneven_numbers_of_rows():
    people = ["a"] * 9 + ["b"] * 3 + ["c"] * 3 + ["d"] * 1
    parts = split_within_person(people)
    assert list(parts[:9]) == ["train"] * 5 + ["validation"] * 2 + ["test"] * 2
    assert (parts[11], parts[14], parts[15]) == ("test", "validation", "train")


def test_a_state_that_comes_last_only_is_learned():
    steps = np.tile(np.arange(10), 3)
    frame = pd.DataFrame(
        {
            "id": np.repeat(["a", "b", "c"], 10),
            "step": steps,
            "x": np.sin(np.arange(30.0)),
            "state": np.where(steps < 4, "calm", np.where(steps < 8, "tense", "relapse")),
        }
    )
    study = Study.from_frame(frame, person="id", outcome="state", time="step", features=["x"])
    plan = plan_split(study)
    split = plan.parts
    assert set(study.y[split == "train"]) == {"calm", "tense", "relapse"}
    assert (split == "test").any()
    assert (split == "validation").any()
    assert "'relapse' of 'state' occurs only late" in plan.classes


def test_a_class_of_one_held_back_row_in_the_only_long_person_is_refused():
    frame = pd.DataFrame(
        {"id": ["a"] * 5 + ["b"], "x": range(6), "state": ["u", "v", "u", "v", "w", "u"]}
    )
    study = Study.from_frame(frame, person="id", outcome="state", features=["x"])
    with pytest.raises(DataError, match="'w' of 'state' occurs only in rows that are held back"):
        plan_split(study)


def test_rows_of_one_time_are_in_one_part():
    tied = np.array([False, True, True] * 4)
    parts = split_within_person(["a"] * 12, tied=tied)
    assert list(parts) == ["train"] * 6 + ["validation"] * 3 + ["test"] * 3


@pytest.mark.parametrize(
    ("tied", "parts"),
    [
        ([0, 0, 1, 0, 1, 0], [["train"] * 3 + ["validation"] * 2 + ["test"]] * 2),
        ([0, 0, 0, 1, 1, 1], [["train", "validation"] + ["test"] * 4] * 2),
        (
            [0, 1, 1, 0, 1, 1],
            [["train"] * 3 + ["test"] * 3, ["train"] * 3 + ["validation"] * 3],
        ),
        ([0, 1, 1, 1, 1, 1], [["train"] * 6] * 2),
    ],
)
def test_whole_times_leave_no_part_without_rows(tied, parts):
    """Trials or raters at a few times: each person is cut by times where rows do not do."""
    found = split_within_person(np.repeat(["a", "b"], 6), tied=np.array(tied * 2, dtype=bool))
    assert [list(found[:6]), list(found[6:])] == parts
