import numpy as np
import pandas as pd

from nme_core.data import Study
from nme_core.data.missing import MOST_STEPS, missing_grid


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
