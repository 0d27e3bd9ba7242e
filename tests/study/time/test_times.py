"""Columns that are times: what they are read as, with which unit, and what is told."""

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import DataError
from nme_core.study import Study, find_problems
from nme_core.study.time.times import UndecidedDatesError, read_as, read_times, times_of


def column(cells, name="day"):
    return pd.Series(cells, name=name, index=pd.RangeIndex(2, 2 + len(cells), name="line"))


def hours(times):
    """Distances of the rows from the first, in hours."""
    return ((times.values - times.values.iloc[0]) / pd.Timedelta(hours=1)).tolist()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["2024-03-31T00:30:00+01:00", "2024-03-31T03:30:00+02:00"], [0, 2]),
        (["2024-03-31 00:30 CET", "2024-03-31 03:30 CEST"], [0, 2]),
        (["31.03.2024 00:30 MEZ", "31.03.2024 03:30 MESZ"], [0, 2]),
        (["2024-03-31 00:30 Europe/Berlin", "2024-03-31 03:30 Europe/Berlin"], [0, 2]),
        (["2024-10-27T02:30+0200", "2024-10-27T02:30+0100"], [0, 1]),  # the hour that comes twice
        (["2024-03-30T23:30:00Z", "2024-03-31T03:30:00.000+02:00"], [0, 2]),
        (["Sun Mar 31 2024 00:30:00 GMT+0100 (CET)", "Sun, 31 Mar 2024 03:30 +0200"], [0, 2]),
        (["2024-11-03 00:30 EDT", "2024-11-03 02:30 EST"], [0, 3]),
    ],
)
def test_times_with_a_zone_are_instants(cells, expected):
    times = read_times(column(cells))
    assert hours(times) == expected
    assert "UTC" in times.notes[0]


def test_what_instant_is_meant_is_not_guessed():
    with pytest.raises(DataError, match=r"others do not \('2024-03-31T03:30:00', line 3\)"):
        read_times(column(["2024-03-31T00:30:00+01:00", "2024-03-31T03:30:00"]))
    with pytest.raises(DataError, match=r"'2024-10-27 02:30 Europe/Berlin'.*line 2, occurs twice"):
        read_times(column(["2024-10-27 02:30 Europe/Berlin"]))


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-03-01", "02.03.2024", "2024-03-03"],
        ["1 March 2024", "2.3.24", "20240303"],
        ["13/02/2024", "2024-02-14", "15. Februar 2024"],
        ["2/13/2024", "14/2/2024", "15/2/2024"],  # each tells by itself
        ["2024-02-01", "45324", "2024-02-03"],  # a spreadsheet made a number of one
        ["2024-02-01 24:00", "3. février 2024", "4 de febrero de 2024"],
        ["1er mars 2024", "2 maart 2024", "3 marzo 2024"],
    ],
)
def test_forms_of_dates_may_be_mixed_where_each_tells(cells):
    assert hours(read_times(column(cells))) == [0, 24, 48]


def test_dates_that_do_not_tell_are_named():
    with pytest.raises(
        UndecidedDatesError, match=r"'01/02/2024', '03/02/2024' \(line 3\)"
    ) as caught:
        read_times(column(["2024-02-01", "01/02/2024", "03/02/2024"]))
    assert caught.value.row == 3
    told = read_times(column(["01/02/2024", "03/02/2024", "13/02/2024"]))
    assert (told.form, hours(told)) == ("dmy", [0, 48, 288])
    assert told.notes == ("Dates in 'day' were read as day, month, year.",)


@pytest.mark.parametrize(
    ("numbers", "name", "expected"),
    [
        ([20240131, 20240201], "day", ["2024-01-31", "2024-02-01"]),
        ([20240228.0, 20240301.0], "t", ["2024-02-28", "2024-03-01"]),
        ([202312, 202401], "t", ["2023-12-01", "2024-01-01"]),
        ([202401312330, 202402010030], "t", ["2024-01-31 23:30", "2024-02-01 00:30"]),
        ([31012024, 1022024], "t", ["2024-01-31", "2024-02-01"]),
        ([240131, 240201], "date", ["2024-01-31", "2024-02-01"]),
        ([1706743800, 1706747400], "t", ["2024-01-31 23:30", "2024-02-01 00:30"]),
        ([1706743800000, 1706747400000], "t", ["2024-01-31 23:30", "2024-02-01 00:30"]),
        ([45322.5, 45323.25], "t", ["2024-01-31 12:00", "2024-02-01 06:00"]),
        ([45322, 45323], "Datum", ["2024-01-31", "2024-02-01"]),
        ([739282.5, 739283.25], "t", ["2024-01-31 12:00", "2024-02-01 06:00"]),  # MATLAB
    ],
)
def test_numbers_that_are_dates_are_read_and_told(numbers, name, expected):
    times = read_times(column(numbers, name))
    assert times.values.tolist() == [pd.Timestamp(one) for one in expected]
    assert times.notes[0].startswith(f"The numbers in {name!r} were read as ")


@pytest.mark.parametrize(
    ("numbers", "name"),
    [
        ([1, 2, 3], "day"),
        ([20240130, 20240131, 20240132], "t"),  # the last is no date
        ([45001, 45002], "trial"),
        ([202401, 202402], "t"),  # a counter has the same distances
        ([240131, 240132], "beep"),
        ([10_000_000, 10_000_001], "t"),
        ([45322.123, 45323.77], "t"),
        ([0.5, 1.25], "date"),
        ([123_456_789, 123_456_790], "rows"),
        ([29_700, 30_600, 31_500], "second"),
    ],
)
def test_plain_counters_stay_counters(numbers, name):
    times = read_times(column(numbers, name))
    assert times.values.tolist() == numbers
    assert times.notes == ()


def test_one_number_that_is_no_date_among_dates_is_named():
    numbers = [*range(20240120, 20240132), 20240230]
    with pytest.raises(DataError, match=r"'20240230' in column 'day' .* is no date, but") as caught:
        read_times(column(numbers, "day"))
    assert "say that the numbers are no dates" in caught.value.remedy


def test_the_occasion_that_cannot_be_read_is_named_and_not_the_baseline():
    with pytest.raises(DataError, match="'follow-up'"):
        read_times(column(["baseline", "week 4", "week 8", "follow-up"]))


def test_digits_that_tell_neither_day_nor_month_are_asked_for():
    with pytest.raises(UndecidedDatesError):
        read_times(column([10022024, 11022024]))


@pytest.mark.parametrize(
    ("cells", "numbers", "unit"),
    [
        (["Day 1", "Day 2", "day 10"], [1, 2, 10], "d"),
        (["Tag 1", "Tag 3"], [1, 3], "d"),
        (["Week 1", "Week 2"], [1, 2], "w"),
        (["t1", "T2"], [1, 2], None),
        (["Woche 2, Montag", "Woche 2, Mittwoch"], [7, 9], "d"),
        (["baseline", "Week 4", "week 8"], [0, 4, 8], "w"),
        (["1st day", "2nd day"], [1, 2], "d"),
        (["D1B3", "D2B1"], [3, 4], None),
        (["Day 1 08:00", "Day 2 20:30"], [8, 44.5], "h"),
        (["pre", "post", "follow-up"], [0, 2, 3], None),
        (["pre", "post", "FU 1", "FU 2"], [0, 2, 3, 4], None),
        (["first", "Third", "second"], [1, 3, 2], None),
        (["Erste Sitzung", "Zweite Sitzung"], [1, 2], None),
        (["premier jour", "deuxième jour"], [1, 2], "d"),
        (["8:00 PM", "12:30 am"], [20, 0.5], "h"),
        (["Messung 1", "Messung 2"], [1, 2], None),
    ],
)
def test_occasions_in_words_are_numbers_with_their_unit(cells, numbers, unit):
    times = read_times(column(cells))
    assert times.values.tolist() == numbers
    assert times.unit == unit
    assert f"such as {cells[0]!r}" in times.notes[0]


def test_a_cell_that_is_no_time_is_named_and_not_its_neighbours():
    with pytest.raises(DataError, match=r"'soon' in column 'day', line 4, cannot be read"):
        read_times(column(["Day 1", "Day 2", "soon", "Day 3"]))
    with pytest.raises(DataError, match=r"'31\.02\.2024' in column 'day', line 3"):
        read_times(column(["28.02.2024", "31.02.2024", "01.03.2024"]))


def test_missing_cells_stay_missing():
    assert read_times(column([20240131, np.nan])).values.isna().tolist() == [False, True]
    assert read_times(column(["Day 1", None])).values.isna().tolist() == [False, True]


def test_numbers_as_text_are_numbers_and_a_word_among_them_is_named():
    assert read_times(column(["1", "2.5", "3"])).values.tolist() == [1, 2.5, 3]
    with pytest.raises(DataError, match=r"'soon' in column 'day', line 4"):
        read_times(column(["1", "2", "soon", "4"]))


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [(["Oct", "Nov", "Dec"], [10, 11, 12]), (["März", "April", "Mai"], [3, 4, 5])],
)
def test_months_are_numbers_that_begin_anew(cells, numbers):
    times = read_times(pd.Series(cells, name="month"))
    assert times.values.tolist() == numbers
    assert (times.unit, times.cycle) == ("mo", 12)


@pytest.mark.parametrize(
    ("cells", "last"),
    [
        (["2023Q3", "2023Q4", "2024Q1"], "2024-01-01"),
        (["Q4 2023", "Q1 2024"], "2024-01-01"),
        ([202351, 202352, 202401], "2024-01-01"),
        (["202351", "202352", "202402"], "2024-01-08"),
    ],
)
def test_quarters_and_weeks_are_dates(cells, last):
    assert read_times(pd.Series(cells, name="week")).values.iloc[-1] == pd.Timestamp(last)


def test_digits_that_end_in_the_year_are_read_where_zeros_keep_them_text():
    column = pd.Series(["29012024", "31012024", "01022024"], name="day")
    form = read_times(column).form
    assert read_as(column, form).dt.strftime("%m-%d").tolist() == ["01-29", "01-31", "02-01"]


def test_rows_are_left_out_only_where_most_times_can_be_read():
    table = pd.DataFrame(
        {"id": list("ab" * 8), "t": ["soon", "later", "soon", "late"] * 4, "y": np.arange(16.0)}
    )
    (finding, *_) = find_problems(table, person="id", outcome="y", time="t")
    assert not finding.fixes
    table["t"] = ["x", *map(str, range(15))]
    (finding, *_) = find_problems(table, person="id", outcome="y", time="t")
    assert finding.fixes[0].values == ("x",)


def test_a_long_cell_is_soon_known_to_be_no_time():
    assert times_of(pd.Series(["x" * 5_000_000, "1"])) is None


def test_times_of_day_with_a_point_count_on_after_midnight():
    clock = [21.30, 22.45, 23.50, 0.40, 1.55, 3.10]
    frame = pd.DataFrame(
        {"id": np.repeat(["a", "b"], 6), "uur": clock * 2, "x": range(12), "mood": [1.5, 2, 4] * 4}
    )
    study = Study.from_frame(frame, person="id", outcome="mood", time="uur", features=["x"])
    hours = study.time[study.groups == "a"].round(3).tolist()
    assert hours == [21.5, 22.75, 23.833, 24.667, 25.917, 27.167]
    assert any("in the order of the file; 21.30 is 21:30" in note for note in study.notes)


@pytest.mark.parametrize(
    "numbers",
    [
        [0.25, 0.57, 1.12, 2.02, 3.82, 7.03, 24.3],  # hours with decimals
        [1.10, 2.20, 3.30, 4.40, 5.50, 6.10],  # nothing in the afternoon
        [13.5, 14.0, 14.5, 15.0, 15.5, 16.0],
        [16.75, 17.25, 18.10, 19.40, 20.20, 21.05],
    ],
)
def test_other_numbers_are_no_times_of_day(numbers):
    assert read_times(pd.Series(numbers, name="time")).unit is None
