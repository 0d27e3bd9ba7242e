import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import DataError, OptionError
from nme_core.study import Study
from nme_core.study.clean.missing import MOST_STEPS, fill_features, missing_grid


def study(time="day", n=4, **changes):
    frame = pd.DataFrame(
        {
            "id": ["b"] * n + ["a"] * n,
            "day": [*range(5, 5 + n), *range(100, 100 + n)],
            "x": np.arange(2 * n, dtype=float),
            "z": np.arange(2 * n)[::-1] + 0.5,
            "mood": np.arange(2 * n) % 3 + 0.5,
        }
    ).assign(**changes)
    return Study.from_frame(frame, person="id", time=time, outcome="mood")


def test_shares_stand_at_their_person_column_and_step():
    one = study(x=[np.nan, 1, 2, 3, 4, 5, np.nan, 7], mood=[np.nan, 1.5, 2, 3, 4, 5, 6, 7])
    by_person = missing_grid(one, "person")
    assert list(by_person.index) == ["b", "a"]
    assert list(by_person.columns) == [0, 1, 2, 3]
    np.testing.assert_allclose(by_person, [[2 / 3, 0, 0, 0], [0, 0, 1 / 3, 0]])
    by_column = missing_grid(one, "column")
    assert list(by_column.index) == ["mood", "x", "z"]
    np.testing.assert_allclose(by_column, [[0.5, 0, 0, 0], [0.5, 0, 0.5, 0], [0, 0, 0, 0]])


def test_steps_without_a_row_are_empty_and_dates_count_in_days():
    days = [*pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-02", "2024-01-04"]),
            *pd.date_range("2023-05-01", periods=4)]  # fmt: skip
    days[2] += pd.Timedelta(hours=12)
    grid = missing_grid(study(day=days), "person")
    assert grid.shape == (2, MOST_STEPS)
    assert grid.columns[1] == 3 / MOST_STEPS
    assert grid.loc["b"].notna().sum() == 4
    assert grid.loc["b"].iloc[30] == 0  # a day and a half of three days


def test_long_studies_are_drawn_in_few_steps_and_single_rows_in_one():
    grid = missing_grid(study(n=300), "person")
    assert grid.shape == (2, 60)
    assert list(grid.columns[:3]) == [0, 5, 10]
    assert grid.notna().all().all()
    assert missing_grid(study(time=None), "column").shape == (4, 4)  # day is a feature then
    assert missing_grid(study(day=1, time=None), "column").columns.tolist() == [0, 1, 2, 3]


def gappy():
    return study(x=[np.nan, 1, np.nan, np.nan, 4, np.nan, 6, 7], z=[0.5, 1, 2, np.nan, 4, 5, 6, 7])


def test_many_have_their_thousands_marked():
    empty = np.where(np.arange(4000) % 2, np.nan, np.arange(4000.0))
    said = fill_features(study(n=2000, x=empty)).notes[-1]
    assert said.startswith("2,000 missing feature values in 2,000 rows")


def test_the_default_changes_nothing_and_says_how_much_is_missing():
    filled = fill_features(gappy())
    pd.testing.assert_frame_equal(filled.X, gappy().X)
    assert filled.missing == "indicator"
    assert filled.notes[-1].startswith("5 missing feature values in 4 rows: they take the mean")
    assert fill_features(study()).notes == study().notes


def test_the_last_value_is_the_persons_own_and_from_earlier_rows_only():
    filled = fill_features(gappy(), "carry")
    np.testing.assert_array_equal(filled.X["x"], [np.nan, 1, 1, 1, 4, 4, 6, 7])
    np.testing.assert_array_equal(filled.X["z"], [0.5, 1, 2, 2, 4, 5, 6, 7])
    assert list(filled.X.columns) == list(gappy().X.columns)
    assert "4 took the person's last known value" in filled.notes[-1]
    assert "1 before any known value" in filled.notes[-1]


def test_rows_that_lack_a_feature_can_be_left_out():
    filled = fill_features(gappy(), "drop")
    assert filled.n_rows == 4
    assert not filled.X.isna().any().any()
    assert "5 missing feature values in 4 rows: these rows were left out" in filled.notes[-1]
    odd, n = np.arange(8) % 2 == 1, np.arange(8.0)
    with pytest.raises(DataError, match="No row"):
        fill_features(study(x=np.where(odd, np.nan, n), z=np.where(odd, n, np.nan)), "drop")


def test_another_way_is_refused():
    with pytest.raises(OptionError, match="'median'"):
        fill_features(study(), "median")
