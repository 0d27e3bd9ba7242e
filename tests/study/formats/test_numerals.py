"""Numbers with something beside them: read as numbers where that is certain, and told."""

import numpy as np
import pandas as pd
import pytest

from nme_core.study import read_any
from nme_core.study.clean.no_answer import means_no_answer
from nme_core.study.formats.numerals import find_numerals, label_of


def read(*cells, decimal=None):
    lines = "\n".join(f"P{k};{cell}" for k, cell in enumerate(cells))
    return read_any(f"id;x\n{lines}\n".encode(), "t.csv", decimal=decimal)


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (("1 (not at all)", "2", "3", "5 (very much)"), [1, 2, 3, 5]),
        (("0 = nie", "1", "2", "3 = immer"), [0, 1, 2, 3]),
        (("1 - nie", "2", "5 – sehr"), [1, 2, 5]),
        (("10 = worst", "9", "8"), [10, 9, 8]),
        (("(2) non", "1", "3"), [2, 1, 3]),
        (("jamais (0)", "1", "2", "toujours (3)"), [0, 1, 2, 3]),
        (("1 (less than 3 times)", "2", "3 (6 times or more)"), [1, 2, 3]),
        (("7 h", "6 h", "8,5 h", "7"), [7, 6, 8.5, 7]),
        (("120 mg", "85mg", "1000 mg"), [120, 85, 1000]),
        (("85 %", "90%", "13.5%"), [85, 90, 13.5]),
        (("1 day", "2 days", "3 days"), [1, 2, 3]),
        (("1 Tag", "2 Tage", "10 Tage"), [1, 2, 10]),
        (("36.6°C", "37.1 °C"), [36.6, 37.1]),
        (("€5", "€ 6", "€12"), [5, 6, 12]),
        (("\u22123", "2", "\u20131", "0"), [-3, 2, -1, 0]),
        (("\u22120,5", "1,5", "0"), [-0.5, 1.5, 0]),
        (("1'234", "2'345", "10"), [1234, 2345, 10]),
    ],
)
def test_what_stands_beside_a_number_is_taken_off(cells, numbers):
    np.testing.assert_array_equal(read(*cells).frame["x"], numbers)


@pytest.mark.parametrize(
    "cells",
    [
        ("0 = nie", "1 = selten", "2 = oft"),  # a scale or kinds: to be asked
        ("1 home", "2 work", "3 other"),
        ("<5", "> 10", "7", "8"),
        ("500 mg", "1 g"),
        ("1. Mai", "2. Mai", "3. Juni"),
        ("7:30 Uhr", "8:30 Uhr"),
        ("10 AM", "11 AM", "1 PM"),
        ("3a", "4b", "5"),
        ("1st", "2nd", "3"),
        ("12 Main St", "5 High St"),
        ("1-2", "3-4", "5"),
        ("P 1", "P 2"),
        ("2 apples or so", "3", "2 pears"),
    ],
)
def test_what_is_not_certain_stays_text(cells):
    assert list(read(*cells).frame["x"]) == list(cells)


def test_what_was_read_so_is_told():
    ends = read("1 (not at all)", "2", "5 (very much)")
    assert ends.labels.values == {"x": {"1": "not at all", "5": "very much"}}
    assert "'not at all' is 1, 'very much' is 5" in ends.notes[0]
    hours = read("7 h", "6 h")
    assert hours.labels.units == {"x": "h"}
    assert hours.notes == ("Read as numbers, without the unit 'h' behind them: 'x'.",)


def test_a_number_behind_its_words_is_one_at_both_ends_of_a_scale_only():
    ends = find_numerals(pd.Series(["gar nicht 1", "2", "3", "4", "sehr 5"]))
    assert ends.labels == {"1": "gar nicht", "5": "sehr"}
    assert ends.certain
    for cells in (["test 7", "1", "2"], ["room 1", "room 2"], ["low 2", "1", "3", "high 4"]):
        assert find_numerals(pd.Series(cells)) is None


def test_plain_numbers_and_words_are_no_numerals():
    assert find_numerals(read("7", "calm").frame["x"]) is None
    assert label_of("1 (not at all)") == "not at all"
    assert label_of("7") is None


def test_a_code_for_missing_beside_states_of_its_kind_is_kept_where_cells_are_blank():
    kept = read("PA", "NA", "", "PA", "neutral")
    assert list(kept.frame["x"].dropna()) == ["PA", "NA", "PA", "neutral"]
    assert "'NA' in 'x' is kept as a word (1 cell)" in kept.notes[0]
    taken = read("PA", "NA", "NA", "neutral")
    assert taken.frame["x"].isna().sum() == 2
    assert taken.labels.taken == {"x": {"NA": 2}}
    sex = read("m", "NA", "", "f")
    assert sex.labels.taken == {"x": {"NA": 1, "": 1}}
    assert read("7", "NA", "8").labels.taken == {}


@pytest.mark.parametrize(
    "words",
    ["No answer", "keine Angabe", "k.A.", "Refused", "Don’t know", "NS/NC", "sans réponse",
     "weiß nicht", "Not applicable", "Don't know/Refused", "n/a", "Prefer not to say",
     "geen antwoord", "Nie dotyczy", "non so", "No contesta", "Missing", "inget svar"],
)  # fmt: skip
def test_words_that_mean_no_answer(words):
    assert means_no_answer(words)


@pytest.mark.parametrize(
    "words", ["never", "no", "none", "calm", "trifft nicht zu", "neither", "not at all", "nie", ""]
)
def test_words_that_are_answers(words):
    assert not means_no_answer(words)


@pytest.mark.parametrize(
    ("cells", "hours"),
    [
        (["7h30", "6h00", "10h05"], [7.5, 6, 10 + 5 / 60]),
        (["7 h 30 min", "8 h", "6 h 15 min"], [7.5, 8, 6.25]),
        (["7 Std. 30 Min.", "6 Std. 45 Min."], [7.5, 6.75]),
        (["7 uur 30", "8 uur 0"], [7.5, 8]),
    ],
)
def test_durations_with_letters_are_hours(cells, hours):
    reading = read_any("\n".join(["id;sleep", *(f"a;{cell}" for cell in cells)]).encode(), "x.csv")
    assert reading.frame["sleep"].tolist() == pytest.approx(hours)
    assert reading.labels.units == {"sleep": "hours"}
