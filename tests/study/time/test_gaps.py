"""Gaps that are longer than a limit end a sequence."""

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import DataError, OptionError
from nme_core.study import Study, check_study

BEEPS = ["08:00", "10:00", "12:30", "14:00", "20:00"]


def days(n_days=3, persons=("a", "b")):
    """Five beeps a day; the nights have 12 hours, the longest gap within a day 6."""
    rng = np.random.default_rng(0)
    rows = [
        {"who": who, "when": f"2024-03-{day:02d} {beep}", "mood": rng.normal(), "x": rng.normal()}
        for who in persons
        for day in range(1, n_days + 1)
        for beep in BEEPS
    ]
    return pd.DataFrame(rows)


def read(table, **options):
    return Study.from_frame(
        table, person="who", outcome="mood", time="when", features=["x"], **options
    )


def pieces(study):
    return study.sequence_ids.value_counts(sort=False).to_dict()


def test_nights_are_not_steps_unless_asked():
    study = read(days())
    assert pieces(study) == {f"{who}/{day}": 5 for who in "ab" for day in (1, 2, 3)}
    assert study.max_gap == "6h"
    assert any(note.startswith("4 gaps break sequences: longer than 6h.") for note in study.notes)
    asked = read(days(), max_gap="none")
    assert pieces(asked) == {"a": 15, "b": 15}
    assert asked.max_gap is None
    assert not any("gap" in note for note in asked.notes)


def test_daily_rows_and_plain_numbers_stay_whole():
    daily = days()[lambda t: t["when"].str.endswith("08:00")]
    assert read(daily).max_gap is None
    assert pieces(read(daily)) == {"a": 3, "b": 3}
    counted = days().assign(when=np.tile([1, 2, 3, 40, 41], 6) + np.repeat(range(0, 600, 100), 5))
    assert pieces(read(counted)) == {"a": 15, "b": 15}


@pytest.mark.parametrize(
    ("limit", "first_day"),
    [
        ("5h", [4, 1]), ("300min", [4, 1]), ("18000 s", [4, 1]), ("0.1d", [2, 2, 1]),
        ("6h", [5]), ("21599s", [4, 1]), ("1d", [15]), ("2h", [2, 2, 1]), ("2H", [2, 2, 1]),
    ],
)  # fmt: skip
def test_the_limit_is_a_duration_and_equal_to_it_is_no_gap(limit, first_day):
    study = read(days(), max_gap=limit)
    own = [n for name, n in pieces(study).items() if name.startswith("a/")]
    assert own[: len(first_day)] == first_day
    assert study.max_gap == limit


@pytest.mark.parametrize("limit", [10, 10.0, "10", " 10 "])
def test_numeric_times_take_a_plain_number(limit):
    table = days(n_days=1).assign(when=[0, 5, 15, 26, 27, 0, 1, 2, 3, 100])
    study = read(table, max_gap=limit)
    assert pieces(study) == {"a/1": 3, "a/2": 2, "b/1": 4, "b/2": 1}
    assert study.max_gap == "10"
    assert "2 gaps break sequences: longer than 10." in study.notes


def test_sequences_that_are_named_are_broken_too():
    table = days(n_days=1).assign(when=[0, 5, 0, 50, 51, 0, 1, 2, 3, 100])
    table["session"] = list("kkmmm") * 2
    study = read(table, sequence="session", max_gap=20)
    assert pieces(study) == {"a/k/1": 2, "a/m/1": 1, "a/m/2": 2, "b/k/1": 2, "b/m/1": 2, "b/m/2": 1}


def test_the_order_of_the_file_does_not_matter():
    table = days()
    shuffled = table.sample(frac=1, random_state=0)
    for study in (read(table), read(shuffled)):
        steps = study.time.groupby(study.sequence_ids).diff().dropna()
        assert steps.max() == pd.Timedelta(hours=6)
        assert study.sequence_ids.groupby(study.time.dt.date).nunique().tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    ("table", "limit", "message"),
    [
        (days(), "8", "'8' needs a unit: 'when' holds dates and times. Write for example 8h"),
        (days(), 8, "'8' needs a unit"),
        (days(), "eight hours", "'eight hours' is no duration"),
        (days(), "8y", "'8y' is no duration"),
        (days(), "-8h", "'-8h' is no duration"),
        (days(), "0h", "is not above 0"),
        (days().assign(when=np.arange(30)), "8h", "has a unit, but the times in 'when' are plain"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(table, limit, message):
    with pytest.raises(OptionError, match=message):
        read(table, max_gap=limit)


def test_without_times_there_are_no_gaps():
    with pytest.raises(OptionError, match="cannot be seen without times"):
        Study.from_frame(days(), person="who", outcome="mood", features=["x"], max_gap="8h")


def test_pieces_that_would_be_confused_are_refused():
    table = days(n_days=2, persons=("a", "a/1"))
    table["session"] = np.where(table["who"] == "a", "1/1", "1")
    table.loc[table["who"] == "a", "session"] = "1/1"
    with pytest.raises(DataError, match="slash"):
        read(table, sequence="session", max_gap="1d")


def test_the_report_counts_what_was_broken_and_how_rows_are_spaced():
    report = check_study(read(days(), max_gap="5h"))
    text = "\n".join(report.lines())
    assert report.n_sequences == 12
    assert "10 gaps break sequences: longer than 5h." in text
    assert "usual step" in text
