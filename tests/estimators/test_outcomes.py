import numpy as np
import pandas as pd
import pytest

from nme_core.estimators.outcomes import check_classes, encode_classes, labels_as_text
from nme_core.exceptions import DataError


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ([0, 1, 2], ["0", "1", "2"]),
        ([0.0, 1.0, np.nan], ["0", "1", None]),
        ([0.5, 1.0, 2.0], ["0.5", "1.0", "2.0"]),
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


def test_classes_are_sorted_as_text():
    assert check_classes([10, 2, 1, 2], missing_allowed=False).tolist() == ["1", "10", "2"]


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
