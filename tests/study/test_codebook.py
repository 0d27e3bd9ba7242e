import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import DataError
from nme_core.study.codebook import COLUMNS, check_codebook, make_codebook
from nme_core.study.formats.result import Labels

ROLES = {"id": "person", "day": "time", "x": "feature", "mood": "outcome", "sex": "covariate"}


def book(**words):
    long = pd.DataFrame(
        {
            "id": ["007", "007", "008"],
            "day": pd.to_datetime(["2024-01-01", "2024-01-02", None]),
            "note": ["a", "b", "c"],
            "x": [1.5, np.nan, 7.0],
            "mood": ["calm", "low", "calm"],
        }
    )
    covariates = pd.DataFrame({"id": ["007", "008"], "sex": [0, 1]})
    return make_codebook(long, covariates, ROLES, **words)


def test_every_column_with_a_role_is_described():
    table = book(states=True).set_index("name")
    assert list(table.index) == ["id", "day", "x", "mood", "sex"]
    assert table.loc["x"].tolist() == ["", "number", "", "1.5 to 7", "1", "feature"]
    assert table.loc["mood", ["type", "range", "missing"]].tolist() == ["state", "calm; low", "0"]
    assert table.loc["day", ["type", "missing"]].tolist() == ["date-time", "1"]
    assert table.loc["id", "range"] == "2 different"  # ids are not listed
    assert "007" not in table.to_csv()


def test_the_words_of_the_file_are_taken_over():
    labels = Labels({"x": "Hours of sleep"}, {"sex": {"0": "female"}}, {}, {"x": "hours"})
    table = book(labels=labels).set_index("name")
    assert table.loc["x", ["label", "type", "unit"]].tolist() == [
        "Hours of sleep", "duration", "hours",
    ]  # fmt: skip
    assert table.loc["sex", "range"] == "0 = female; 1"


def test_an_edited_codebook_is_text_in_one_line_with_known_types():
    table = book()
    names = table["name"].tolist()
    edited = table.assign(label=["a\nb", None, "", " c ", "d"])
    assert check_codebook(edited, names)["label"].tolist() == ["a b", "", "", "c", "d"]
    assert list(check_codebook(edited, names).columns) == list(COLUMNS)
    with pytest.raises(DataError, match="No type is called 'colour'"):
        check_codebook(table.assign(type="colour"), names)
    with pytest.raises(DataError, match="not the codebook"):
        check_codebook(table.assign(name="x"), names)
    with pytest.raises(DataError, match="not the codebook"):
        check_codebook(table.drop(columns="unit"), names)
