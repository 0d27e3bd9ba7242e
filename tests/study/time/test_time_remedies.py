"""Times in two columns are joined, times that run in a circle are counted on; new rows follow."""

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import DataError
from nme_core.study import Study
from nme_core.study.reading import read_any

ROLES = {"person": "id", "outcome": "mood", "features": ["x"]}


def table(n_rows=6, **columns):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": np.repeat(["a", "b"], n_rows),
            "x": rng.normal(size=2 * n_rows),
            "mood": rng.normal(size=2 * n_rows),
        }
    )
    return frame.assign(**{name: [*cells, *cells] for name, cells in columns.items()})


def steps(study):
    """Distances within the first person, in hours where they have a unit."""
    own = study.time[study.groups == "a"].diff().dropna()
    return (own / pd.Timedelta(hours=1)).tolist() if own.dtype.kind == "m" else own.tolist()


NIGHT = ["20:00", "22:00", "23:00", "00:00", "01:00", "03:00"]


@pytest.mark.parametrize(
    ("cells", "distances", "unit"),
    [
        (NIGHT, [2, 1, 1, 1, 2], "h"),
        (["8:00 PM", "11:00 PM", "1:00 AM", "2:00 AM", "4 am", "5 am"], [3, 2, 1, 2, 1], "h"),
        (["Thu", "Fri", "Sat", "Sun", "Mon", "Tue"], [1] * 5, "d"),
        (["Freitag", "Samstag", "Sonntag", "Montag", "Dienstag", "Freitag"], [1, 1, 1, 1, 3], "d"),
    ],
)
def test_times_that_run_in_a_circle_are_counted_on(cells, distances, unit):
    study = Study.from_frame(table(when=cells), time="when", **ROLES)
    assert steps(study) == distances
    assert study.time_unit == unit
    assert study.recipe.remedies[0].kind == "count_on"
    assert any("count on after" in note for note in study.notes)
    again = Study.of(study.recipe, table(when=cells))
    assert steps(again) == distances


def test_clock_times_of_a_file_are_counted_on_whatever_their_name(tmp_path):
    path = tmp_path / "night.csv"
    table(begin=NIGHT).to_csv(path, index=False)
    assert read_any(path).frame.attrs["units"] == {"begin": "hours"}
    study = Study.from_file(path, time="begin", max_gap="90min", **ROLES)
    assert steps(study) == [2, 1, 1, 1, 2]
    assert study.sequence_ids.value_counts(sort=False).tolist() == [1, 4, 1] * 2


def test_clock_times_without_an_order_are_refused():
    mixed = ["20:00", "08:00", "21:00", "07:00", "22:00", "06:00"]
    with pytest.raises(DataError, match="begin anew after midnight"):
        Study.from_frame(table(clock=["8 pm", "8 am", "9 pm", "7 am", "10 pm", "6 am"]),
                         time="clock", **ROLES)  # fmt: skip
    study = Study.from_frame(table(clock=sorted(mixed)), time="clock", **ROLES)
    assert study.recipe.remedies == ()


DATES = ["2024-03-01"] * 2 + ["2024-03-02"] * 4
CLOCKS = ["09:00", "21:00", "09:00", "12:00", "15:30", "18:00"]


@pytest.mark.parametrize(
    ("columns", "time", "distances"),
    [
        ({"date": DATES, "clock": CLOCKS}, "date", [12, 12, 3, 3.5, 2.5]),
        ({"date": DATES, "clock": CLOCKS}, "clock", [12, 12, 3, 3.5, 2.5]),
        ({"Datum": [20240301] * 2 + [20240302] * 4, "Uhrzeit": CLOCKS}, "Uhrzeit",
         [12, 12, 3, 3.5, 2.5]),
        ({"day": [1, 1, 2, 2, 2, 2], "clock": CLOCKS}, "day", [12, 12, 3, 3.5, 2.5]),
        ({"week": [1, 1, 2, 2, 3, 3], "weekday": ["Mon", "Fri", "Mon", "Tue", "Mon", "Sun"]},
         "week", [4, 3, 1, 6, 6]),
        ({"Woche": [1, 1, 2, 2, 3, 3], "Tag": ["Mo", "Fr", "Mo", "Di", "Mo", "So"]},
         "Tag", [4, 3, 1, 6, 6]),
        ({"local": ["2024-03-31 00:30", "2024-03-31 03:30", *(f"2024-04-0{i} 03:30" for i in
          range(1, 5))], "utc_offset": ["+01:00", *["+02:00"] * 5]}, "local", [2, 24, 24, 24, 24]),
    ],
)  # fmt: skip
def test_two_columns_are_one_time(columns, time, distances):
    frame = table(**columns)
    study = Study.from_frame(frame, time=time, **ROLES)
    assert steps(study) == distances
    (remedy,) = study.recipe.remedies
    assert remedy.kind == "join_times"
    assert any("became one time" in note for note in study.notes)
    new, _ = study.recipe.apply_to_new_rows(frame.drop(columns="mood"))
    assert not set(remedy.columns[1:]) & set(new.columns)


def test_columns_that_only_look_like_a_clock_are_left_alone():
    for columns in (
        {"date": DATES, "sleep_time": CLOCKS},  # a duration
        {
            "date": [f"2024-03-0{i}" for i in range(1, 7)],
            "clock": CLOCKS,
        },  # dates tell by themselves
        {"date": DATES, "start": CLOCKS, "end time": CLOCKS},
    ):
        study = Study.from_frame(table(**columns), time="date", **ROLES)
        assert study.recipe.remedies == ()
    named = Study.from_frame(
        table(date=DATES, hour=[9, 21, 9, 12, 15, 18]),
        time="date",
        **{**ROLES, "features": ["hour"]},
    )
    assert named.recipe.remedies == ()


def test_the_order_that_a_column_tells_holds_for_new_rows():
    dates = [f"{day:02d}/02/2024" for day in (1, 2, 3, 13, 14, 15)]
    study = Study.from_frame(table(when=dates), time="when", **ROLES)
    new, _ = study.recipe.apply_to_new_rows(pd.DataFrame({"id": ["c"], "when": ["04/05/2024"]}))
    assert new["when"].tolist() == [pd.Timestamp("2024-05-04")]


def test_a_longest_gap_is_a_duration_wherever_the_unit_is_known():
    days = Study.from_frame(
        table(when=["Day 1", "Day 2", "Day 3", "Day 6", "Day 7", "Day 8"]), time="when",
        max_gap="36h", **ROLES,
    )  # fmt: skip
    assert days.sequence_ids.nunique() == 4
