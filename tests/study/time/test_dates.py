import pandas as pd
import pytest

from nme_core.exceptions import DataError, OptionError
from nme_core.study import Remedy, Study, find_problems
from nme_core.study.clean.privacy import Privacy, deidentify, find_personal
from nme_core.study.clean.remedies import apply_remedies
from nme_core.study.time.dates import AmbiguousDatesError, parse_dates
from nme_core.study.time.times import UndecidedDatesError, as_time


def stamps(*cells):
    return [str(time) for time in parse_dates(pd.Series(cells, dtype="str"))]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("31.03.2024", "2024-03-31 00:00:00"),
        ("1.2.24", "2024-02-01 00:00:00"),
        ("1.2.68", "2068-02-01 00:00:00"),
        ("1.2.69", "1969-02-01 00:00:00"),
        ("31/03/24", "2024-03-31 00:00:00"),
        ("3/31/2024 2:05 PM", "2024-03-31 14:05:00"),
        ("3/31/2024 12:05 am", "2024-03-31 00:05:00"),
        ("2024/03/31 14:30:10", "2024-03-31 14:30:10"),
        ("99-12-31", "1999-12-31 00:00:00"),
        ("31-MAR-2024 14:30:00", "2024-03-31 14:30:00"),
        ("3. März 2024", "2024-03-03 00:00:00"),
        ("So, 31.03.2024, 14.30 Uhr", "2024-03-31 14:30:00"),
        ("Sonntag, 3. Dezember 2023", "2023-12-03 00:00:00"),
        ("Mar 3rd, 2024", "2024-03-03 00:00:00"),
        ("5/5/2024", "2024-05-05 00:00:00"),  # the same either way
    ],
)
def test_dates_as_people_write_them(cell, expected):
    assert stamps(cell) == [expected]


@pytest.mark.parametrize("cell", ["31.02.2024", "1/2/3/4", "word", "12:30", "1.2.3", "3 Foo 2024"])
def test_what_is_no_date_is_missing(cell):
    assert stamps(cell) == ["NaT"]


def test_one_decisive_value_tells_how_a_whole_column_is_read():
    assert stamps("1/2/2024", "13/2/2024") == ["2024-02-01 00:00:00", "2024-02-13 00:00:00"]
    assert stamps("1/2/2024", "2/13/2024") == ["2024-01-02 00:00:00", "2024-02-13 00:00:00"]


@pytest.mark.parametrize(
    "cells",
    [["1/2/2024", "3/4/2024"], ["13/2/2024", "2/13/2024", "1/2/2024"], ["24-03-31", "24-03-30"]],
)
def test_where_the_column_does_not_tell_nothing_is_guessed(cells):
    with pytest.raises(AmbiguousDatesError):
        parse_dates(pd.Series(cells, dtype="str"))


def table(cells):
    return pd.DataFrame(
        {
            "id": ["a"] * 3 + ["b"] * 3,
            "when": [*cells, *cells],
            "x": [1.0, 2.5, 3.0, 2.0, 4.0, 3.5],
            "mood": [1.0, 2.0, 4.0, 3.0, 1.5, 2.5],
        }
    )


ROLES = {"person": "id", "time": "when", "outcome": "mood"}
UNDECIDED = table(["01/02/2024", "02/02/2024", "03/02/2024"])


def test_undecided_dates_stop_a_study_with_two_remedies_each_of_which_mends_it():
    with pytest.raises(UndecidedDatesError, match="which number is the day"):
        Study.from_frame(UNDECIDED, **ROLES)
    (problem,) = find_problems(UNDECIDED, **ROLES)
    assert [fix.to for fix in problem.fixes] == ["dmy", "mdy"]
    by_day, by_month = (
        Study.from_frame(UNDECIDED, remedies=[fix], **ROLES) for fix in problem.fixes
    )
    assert (by_day.time.diff().iloc[1:3] == pd.Timedelta(days=1)).all()
    assert by_month.time.diff().iloc[1] == pd.Timedelta(days=31)
    assert any("day, month, year; 6 cells" in note for note in by_day.notes)
    assert find_problems(UNDECIDED, remedies=problem.fixes[:1], **ROLES) == ()


def test_an_order_that_does_not_fit_names_the_cell():
    frame = table(["13/02/2024", "14/02/2024", "15/02/2024"])
    with pytest.raises(DataError, match=r"'13/02/2024' in column 'when' .* month, day, year"):
        apply_remedies(frame, [Remedy("read_dates", ("when",), to="mdy")])
    with pytest.raises(DataError, match="holds no dates"):
        apply_remedies(frame, [Remedy("read_dates", ("mood",), to="mdy")])
    with pytest.raises(OptionError, match="dym"):
        Remedy("read_dates", ("when",), to="dym")
    with pytest.raises(OptionError, match="needs columns, to"):
        Remedy("read_dates", ("when",))


def test_times_that_are_decided_need_no_remedy():
    assert str(as_time(pd.Series(["1/2/24", "31/1/24"]))[0]) == "2024-02-01 00:00:00"
    with pytest.raises(DataError, match=r"'soon'.*cannot be read"):
        as_time(pd.Series(["1/2/24", "31/1/24", "soon"]))


def test_undecided_dates_are_noticed_and_never_stored():
    births = pd.DataFrame({"id": ["a", "b"], "birthdate": ["01/02/1980", "03/04/1990"]})
    (one,) = find_personal(births.assign(score=[1, 2]))
    assert (one.column, one.kind) == ("birthdate", "birth dates")
    long = table(["2024-01-01", "2024-01-02", "2024-01-03"])
    kept = deidentify(long, births, Privacy(), person="id", time="when")
    assert list(kept.covariates) == ["id"]
    assert any("'birthdate' were left out" in note for note in kept.notes)


def test_years_of_two_digits_stand_first_where_the_dates_then_lie_together():
    days = [f"24/03/{day:02d}" for day in (1, 2, 5, 9)]
    assert stamps(*days) == [f"2024-03-{day:02d} 00:00:00" for day in (1, 2, 5, 9)]
    frame = pd.DataFrame(
        {"id": ["a", "b"] * 8, "day": [f"24/03/{k // 2 + 1:02d}" for k in range(16)]}
    )
    frame = frame.assign(x=range(16), mood=[k % 3 for k in range(16)])
    study = Study.from_frame(frame, person="id", outcome="mood", time="day", features=["x"])
    assert any("year, month, day" in note for note in study.notes)
    assert stamps("24/03/20", "25/03/20", "26/03/20") == [
        f"2020-03-{day} 00:00:00" for day in (24, 25, 26)
    ]
    with pytest.raises(AmbiguousDatesError):
        parse_dates(pd.Series(["01/03/24", "02/03/24", "03/03/24"]))
