"""Decimal commas in files whose columns are parted by commas; other commas stay what they are."""

import pandas as pd
import pytest

from nme_core.study.formats.cells import from_text
from nme_core.study.reading import read_any


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["3,5", "5,6", "7,7", "12,0"], [3.5, 5.6, 7.7, 12.0]),
        (["10", "7,5"], [10.0, 7.5]),
        (["0,123", "1,234", "2,5"], [0.123, 1.234, 2.5]),
        (["0,123", "0,200"], [0.123, 0.2]),
        (["3,50", "4,75"], [3.5, 4.75]),
        (["1.234,5", "2.000,7"], [1234.5, 2000.7]),
        (["3.5", "4,2", "5,1"], [3.5, 4.2, 5.1]),  # both marks
        (["-1,5", "2,0", "-0,3"], [-1.5, 2.0, -0.3]),
    ],
)
@pytest.mark.parametrize("decimal", [None, "."])
def test_what_can_only_be_a_decimal_comma(cells, numbers, decimal):
    found = from_text(pd.Series(cells, dtype="str"), text=False, decimal=decimal)
    assert found.values.tolist() == numbers
    assert found.comma


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,234", "12,345"], [1234, 12345]),
        (["1,234.5", "1,000.0"], [1234.5, 1000.0]),
        (["1,3", "2,4", "1,2"], ["1,3", "2,4", "1,2"]),  # answers 1 and 3, 2 and 4 …
        (["1,2", "1,2,3", "2"], ["1,2", "1,2,3", "2"]),
        (["Bonn, D", "Basel, CH"], ["Bonn, D", "Basel, CH"]),
    ],
)
def test_other_commas(cells, values):
    found = from_text(pd.Series(cells, dtype="str"), text=False)
    assert found.values.tolist() == values
    assert not found.comma


def test_it_is_said_of_which_column():
    reading = read_any(b'id,bdi,x\na,"3,5",1.5\nb,"12,0",2.5\nc,"7,5",1\n', "scores.csv")
    assert reading.frame["bdi"].tolist() == [3.5, 12.0, 7.5]
    assert reading.frame["x"].tolist() == [1.5, 2.5, 1.0]
    assert "A comma was read as the decimal mark in 'bdi'." in reading.told()


def test_numbers_beside_a_word_wait_for_its_remedy():
    reading = read_any(b'id,bdi\na,"3,5"\nb,k.A.\nc,"7,5"\nd,"9,0"\n', "scores.csv")
    assert reading.frame["bdi"].tolist() == ["3.5", "k.A.", "7.5", "9.0"]


def test_commas_before_three_digits_only_are_told_and_can_mark_thousands():
    content = b"id;steps;x\na;7,343;1\na;6,120;2\nb;8,900;3\n"
    reading = read_any(content, "x.csv")
    assert reading.frame["steps"].tolist() == [7.343, 6.12, 8.9]
    assert "7,343 is 7.343" in reading.notes[0]
    told = read_any(content, "x.csv", decimal=".")
    assert (told.frame["steps"].tolist(), told.notes) == ([7343, 6120, 8900], ())
    assert read_any(content.replace(b"8,900", b"8,9"), "x.csv").notes == ()
