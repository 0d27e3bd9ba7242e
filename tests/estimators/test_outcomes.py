import numpy as np
import pandas as pd
import pytest

from nme_core.estimators.outcomes import (
    check_classes,
    check_ordered,
    encode_classes,
    labels_as_text,
)
from nme_core.exceptions import DataError


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ([0, 1, 2], ["0", "1", "2"]),
        ([0.0, 1.0, np.nan], ["0", "1", None]),
        ([0.5, 1.0, 2.0], ["0.5", "1", "2"]),
        (["b", None, "a"], ["b", None, "a"]),
        ([True, False, True], ["True", "False", "True"]),
        (pd.Series(["x", "y", pd.NA], dtype="string"), ["x", "y", None]),
        (pd.Categorical(["x", None, "y"]), ["x", None, "y"]),
        (["nan", "x", None], ["nan", "x", None]),
    ],
)
def test_labels_become_text_and_missing_stays_missing(labels, text):
    found = labels_as_text(labels)
    assert [None if pd.isna(label) else label for label in found] == text


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([10, 2, 1, 2], np.array([1, 2, 10])),
        (["10", "2", "1"], np.array(["1", "10", "2"])),
        ([1.0, np.nan, 0.0], np.array([0.0, 1.0])),
        ([True, None, False], np.array([False, True])),
        (np.array([2, 1], dtype=np.int8), np.array([1, 2], dtype=np.int8)),
        (pd.Categorical([2, 1, 2]), np.array([1, 2])),
        ([1, "a"], np.array(["1", "a"])),
    ],
)
def test_classes_are_sorted_and_numbers_stay_numbers(labels, classes):
    found = check_classes(labels, missing_allowed=True)
    assert found.dtype == classes.dtype
    np.testing.assert_array_equal(found, classes)


@pytest.mark.parametrize("labels", [[0.5, 1.0, 2.0], [1.0, 2.0], ["0.5", "2"], [2]])
def test_a_label_is_found_whatever_stands_beside_it(labels):
    classes = check_classes([2.0, 0.5, 1.0], missing_allowed=False)
    assert classes[encode_classes(labels, classes)].tolist() == [float(one) for one in labels]


@pytest.mark.parametrize("levels", [["low", "high"], [3, 1]])
def test_the_order_of_a_categorical_is_kept(levels):
    y = pd.Series(pd.Categorical(levels[::-1] * 2, ["never", *levels], ordered=True))
    assert check_ordered(y).tolist() == levels
    assert check_ordered(pd.Series(["10", "9", "10"])).tolist() == ["9", "10"]


def test_codes_follow_the_classes():
    classes = check_classes(["b", "a", None, "c"], missing_allowed=True)
    assert encode_classes(["c", None, "a", "b"], classes).tolist() == [2, -1, 0, 1]
    assert encode_classes([np.nan, np.nan], classes).tolist() == [-1, -1]
    assert encode_classes(np.array([None, None]), classes).tolist() == [-1, -1]


def test_missing_single_and_unknown_labels_are_errors():
    with pytest.raises(DataError, match="2 missing labels, the first in row 1"):
        check_classes(["a", None, "b", None], missing_allowed=False)
    with pytest.raises(DataError, match="only one class"):
        check_classes(["a", "a", None], missing_allowed=True)
    with pytest.raises(DataError, match=r"'c' in row 1.*\(a, b\)") as error:
        encode_classes(["a", "c"], np.array(["a", "b"]))
    assert error.value.row == 1
