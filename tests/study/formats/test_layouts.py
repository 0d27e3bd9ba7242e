"""m-Path's export and openESM's tables, in the shape of their published examples."""

import json

import numpy as np
import pytest

from nme_core.exceptions import DataError
from nme_core.study import Study, read_any

HEAD = (
    "connectionId;legacyCode;alias;questionListName;timeStampScheduled;timeStampSent;"
    "happy_sliderNeutralPos;place_multipleChoice_string;doing_multipleChoice_index;"
    "doing_multipleChoice_string;note_open\n"
)
ROWS = (
    '234609;!9v@jp;abc;"Intake, one";0;1713434142;;;;;"""\\/ first\\n"""\n'
    '234609;!9v@jp;abc;main;1713514593;1713514596;50;"""Work""";1,3;"""Worked"",""Rested""";\n'
    '235458;!5b@jp;pet;main;1713517226;1713517228;84;"""Friend\'s place """;2,4;"""Rested"""\n'
)
QUESTIONS = (
    "columnName;fullQuestion;typeQuestion;typeAnswer;fullQuestion_mixed\n"
    'happy_sliderNeutralPos;"<p style=""font-size: 30px;"">How <strong>happy</strong> &amp; well?'
    '</p>";sliderNeutralPos;int;0\n'
    "place_multipleChoice_string;Where?;multipleChoice;string;0\n"
)


def test_an_export_of_mpath_needs_no_mapping(tmp_path):
    (tmp_path / "study_basic.csv").write_text(HEAD + ROWS, encoding="utf-8")
    (tmp_path / "study_meta.csv").write_text(QUESTIONS, encoding="utf-8")
    reading = read_any(tmp_path / "study_basic.csv")
    frame = reading.frame
    assert reading.layout == "m-Path"
    assert reading.roles == {"person": "connectionId", "time": "timeStampSent"}
    np.testing.assert_array_equal(frame["timeStampScheduled"], [np.nan, 1713514593, 1713517226])
    np.testing.assert_array_equal(frame["happy_sliderNeutralPos"], [np.nan, 50, 84])
    assert list(frame["doing_multipleChoice_index"].iloc[1:]) == ["1,3", "2,4"]
    assert list(frame["doing_multipleChoice_string"].iloc[1:]) == ["Worked, Rested", "Rested"]
    assert list(frame["place_multipleChoice_string"].iloc[1:]) == ["Work", "Friend's place"]
    assert frame["note_open"].iloc[0] == "/ first"
    assert reading.labels.columns["happy_sliderNeutralPos"] == "How happy & well?"
    assert "m-Path" in reading.notes[-1]


def metadata(**feature):
    features = [
        {"name": "id", "description": "Participant ID", "variable_type": "categorical"},
        {"name": "scheduled", "description": "Time of beep", "variable_type": "PosixCt"},
        {
            "name": "worry",
            "description": "Worried",
            "variable_type": "rating_scale",
            "details": "I was worried about different things",
            "labels": "1 = Not at all \n2 = Slightly\n3 = Very",
            **feature,
        },
    ]
    return json.dumps({"dataset_id": "0001", "features": features}).encode()


TABLE = (
    "id\tscheduled\tworry\tday\n125\t2020-03-16 12:00:00\t1\t1\n125\t2020-03-16 15:00:00\tNA\t1\n"
)
MORE = "126\t2020-03-16 12:00:00\t3\t1\n126\t2020-03-16 15:00:00\t2\t2\n126\t2020-03-17\t2\t3\n"


def test_a_table_of_openesm_is_explained_by_its_metadata(tmp_path):
    path = tmp_path / "0001_fried_ts.tsv"
    path.write_text(TABLE + MORE, encoding="utf-8")
    assert read_any(path).layout is None
    (tmp_path / "0001_fried_metadata.json").write_bytes(metadata())
    reading = read_any(path)
    assert reading.layout == "openESM"
    assert reading.roles == {"person": "id", "time": "scheduled"}
    assert reading.labels.columns["worry"] == "I was worried about different things"
    assert reading.labels.values == {"worry": {"1": "Not at all", "2": "Slightly", "3": "Very"}}
    assert "0001_fried_metadata.json" in reading.notes[-1]
    study = Study.from_file(path, **reading.roles, outcome="worry")
    assert study.persons == ("125", "126")


def test_older_metadata_have_their_labels_in_the_coding():
    given = metadata(labels="", coding="How much?\n1 = no\n2 = yes")
    reading = read_any((TABLE + MORE).encode(), "x.tsv", metadata=given)
    assert reading.labels.values == {"worry": {"1": "no", "2": "yes"}}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (b'{"a": 1}', "does not explain columns"),
        (b"{broken", "does not explain columns"),
        (b"a,b\n1,2\n", "does not explain columns"),
        (b'{"features": [{"name": "other"}]}', "explains none of the columns"),
    ],
)
def test_other_files_are_no_metadata(given, message):
    with pytest.raises(DataError, match=message) as caught:
        read_any((TABLE + MORE).encode(), "x.tsv", metadata=given)
    assert caught.value.remedy
