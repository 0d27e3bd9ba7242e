"""Ids and labels that are written in several ways."""

import numpy as np
import pandas as pd
import pytest

from nme_core.study.clean.labels import abbreviations, alike, core, difference, written
from nme_core.study.columns import as_ids, respelled


@pytest.mark.parametrize(
    "texts",
    [
        ["P01", "p01"], ["P-01", "P01", "p 1", "P_1"], ["007", "7"], ["1.0", "1"],
        ["Zoe\u0308", "zoë"], ["\u0420-4", "P4"], ["non-binary", "Non binary"], ["a\u00a01", "A1"],
        ["Müller", "mueller"], ["José", "Jose"], ["PO1", "P01"], ["VP1l", "VP11"],
    ],
)  # fmt: skip
def test_one_id_in_several_forms(texts):
    assert alike(["other", *texts]) == [texts]


@pytest.mark.parametrize(
    "texts",
    [
        ["1-11", "11-1", "111"], ["1 11", "11 1", "111"], ["-1", "1"],
        ["A+", "A-", "A"], ["1", "10", "100"],
        ["1.0", "1.5", "15"], ["S1.01", "S1.1"], ["P1", "P11"], ["ö", "o"],
    ],
)  # fmt: skip
def test_different_ids_stay_different(texts):
    assert alike(texts) == []
    assert len({core(text) for text in texts}) == len(texts)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["P01", "p01"], "capitals"), (["P 1", "P1"], "spaces"), (["07", "7"], "leading zeros"),
        (["é1", "e1"], "accents"), (["P1O", "P10"], "letters that look like digits"),
        (["P1", "1"], "the letters in front"),
        (["P-1", "P1"], "marks"), (["P_01", "P1"], "marks and leading zeros"),
    ],
)  # fmt: skip
def test_the_difference_has_a_name(texts, words):
    assert difference(texts) == words


def test_letters_in_front_count_only_where_all_have_the_same():
    assert alike(["P01", "P02", "1", "2", "test"]) == [["P01", "1"], ["P02", "2"]]
    assert alike(["A1", "B1", "1", "2"]) == []


def test_single_letters_are_short_for_the_one_word_that_begins_so():
    assert abbreviations(["F", "female", "m", "Male", "d"]) == {"F": "female", "m": "Male"}
    assert abbreviations(["s", "school", "street", "h", "a", "ab"]) == {}


def test_what_looks_the_same_is_one_id_and_is_known():
    column = pd.Series([" P01", "P01\u00a0", "P\u200b01", "\uff3001"], name="id")
    assert set(as_ids(column, role="person id")) == {"P01"}
    assert respelled(column) == dict.fromkeys(column, "P01")
    assert written("Zoe\u0308  M ") == "Zoë M"


def test_whole_numbers_as_ids_have_no_decimals():
    assert list(as_ids(pd.Series(["1.0", "2.0", "2"]), role="id")) == ["1", "2", "2"]
    assert list(as_ids(pd.Series([1.0, 2.0]), role="id")) == ["1", "2"]
    assert list(as_ids(pd.Series(["1.0", "1.5"]), role="id")) == ["1.0", "1.5"]
    assert list(as_ids(pd.Series(["007", "7"]), role="id")) == ["007", "7"]
    assert respelled(pd.Series([1.0, 2.0])) == {}
    assert as_ids(pd.Series(np.array(["a", "b"], dtype=object)), role="id").dtype == "str"
