import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import DataError, OptionError
from nme_core.study import read_any, read_table
from nme_core.study.formats import text_body


@pytest.fixture
def csv(tmp_path):
    def write(content, encoding="utf-8", name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode(encoding))
        return path

    return write


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_delimiter_bom_and_line_ends_are_recognised(csv, delimiter, encoding, newline):
    rows = [["id", "größe", "note"], ["007", "1.5", "gut"], ["8", "", "so là"]]
    text = newline.join(delimiter.join(row) for row in rows) + newline
    table = read_table(csv(text, encoding), text=["id"])
    assert list(table.columns) == ["id", "größe", "note"]
    assert list(table["id"]) == ["007", "8"]
    np.testing.assert_array_equal(table["größe"], [1.5, np.nan])
    assert list(table["note"]) == ["gut", "so là"]


def test_rows_are_numbered_as_in_the_file_and_blank_lines_are_left_out(csv):
    table = read_table(csv("a,b\n1,2\n\n,\n3,4\n"))
    assert list(table.index) == [2, 5]
    assert table.index.name == "line"
    assert list(table["a"]) == [1, 3]


@pytest.mark.parametrize("code", ["", "NA", "NaN", "NULL", "."])
def test_missing_codes_leave_a_column_numeric(csv, code):
    table = read_table(csv(f"a,b\n1,x\n{code},y\n2.5,z\n"))
    np.testing.assert_array_equal(table["a"], [1, np.nan, 2.5])


def test_the_state_none_is_a_label_not_a_missing_value(csv):
    assert list(read_table(csv("a\nNone\nSome\n"))["a"]) == ["None", "Some"]


def test_decimal_commas_are_numbers_unless_the_comma_delimits(csv):
    assert list(read_table(csv("a;b\n1,5;2\n-2,25;3\n"))["a"]) == [1.5, -2.25]
    assert list(read_table(csv('a,b\n"1,5",2\n'))["a"]) == ["1,5"]


def test_truth_values_of_r_become_boolean(csv):
    column = read_table(csv("a,b\nTRUE,1\nNA,2\nFALSE,3\n"))["a"]
    assert column.dtype == "boolean"
    np.testing.assert_array_equal(column.to_numpy(float, na_value=np.nan), [1, np.nan, 0])


def test_quoted_cells_may_hold_the_delimiter(csv):
    assert list(read_table(csv('a,b\n"x, y",1\nz,2\n'))["a"]) == ["x, y", "z"]


def test_short_rows_are_filled_with_missing(csv):
    table = read_table(csv("a,b,c\n1,2,3\n4\n"))
    np.testing.assert_array_equal(table.iloc[1], [4, np.nan, np.nan])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,b\n", "no rows"),
        ("a,b\n\n,\n", "no rows"),
        ("a,b,a\n1,2,3\n", "column 'a' more than once"),
        ("a,b\n1,2\n3,4,5\n", "more cells than its header"),
    ],
)
def test_files_that_cannot_be_used_say_why(csv, text, message):
    with pytest.raises(DataError, match=message) as caught:
        read_table(csv(text))
    assert caught.value.remedy


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_recognised(csv, encoding):
    reading = read_any(csv("größe;b\n1,5;ü\n2;x\n", encoding))
    assert list(reading.frame.columns) == ["größe", "b"]
    assert list(reading.frame["größe"]) == [1.5, 2]
    assert list(reading.frame["b"]) == ["ü", "x"]
    assert reading.how.encoding == encoding
    assert reading.how.delimiter == ";"
    assert encoding.upper() in reading.how.words()


def test_an_encoding_that_is_given_is_taken(csv):
    path = csv("a,b\n1,ж\n", "cp1251")
    assert list(read_any(path, encoding="cp1251").frame["b"]) == ["ж"]
    with pytest.raises(DataError, match="not a text file in UTF-8"):
        read_any(path, encoding="utf-8")
    with pytest.raises(OptionError, match="No encoding is called 'klingon'"):
        read_any(path, encoding="klingon")


def test_bytes_are_read_under_a_name():
    assert list(read_any(b"a,b\n1,2\n3,4\n", "up/load.csv").frame["b"]) == [2, 4]
    with pytest.raises(DataError, match=r"^load.csv has a header"):
        read_any(b"a,b\n", "up/load.csv")


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(DataError, match="not a text file"):
        read_any(b"a,b\n1,\x00\x01\x02\n", "x.csv")


def test_missing_files_and_folders_are_data_errors(tmp_path):
    with pytest.raises(DataError, match="was not found"):
        read_table(tmp_path / "nothing.csv")
    with pytest.raises(DataError, match="cannot be read"):
        read_table(tmp_path)


def test_both_ways_of_reading_agree(tmp_path, monkeypatch):
    lines = [
        "id,whole,part,gap,sign,state",
        "007,1,0.30000000000000004,,-3,calm",
        " 8 ,2,1e-3,NA,+4,tense",
        "x,3, 7.25,.,5,",
    ]
    path = tmp_path / "long.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    fast = read_any(path, text=["id"]).frame
    monkeypatch.setattr(text_body, "_by_arrow", lambda *_: None)
    slow = read_any(path, text=["id"]).frame
    pd.testing.assert_frame_equal(slow, fast, check_index_type=False, check_dtype=False)
    assert list(fast["id"]) == ["007", "8", "x"]
    assert fast["part"].iloc[0] == 0.30000000000000004


def test_a_column_may_change_its_kind_far_below(csv):
    rows = ["1,1,1"] * 2000
    table = read_any(csv("\n".join(["a,b,c", *rows, "2,2.5,two"]))).frame
    assert table["a"].dtype == np.int64
    assert table["b"].iloc[-1] == 2.5
    assert list(table["c"].iloc[-2:]) == ["1", "two"]


def test_lines_above_the_header_are_skipped_and_said(csv):
    reading = read_any(csv("# made by x\n#\nsep=;\n\nStudy A\nid;mood\n1;2\n\n# no\n3;4\n"))
    assert list(reading.frame["mood"]) == [2, 4]
    assert list(reading.frame.index) == [7, 10]
    assert "2 comment lines skipped, 1 line above the header skipped" in reading.how.words()
    assert reading.how.as_dict()["title_lines"] == 1
    assert list(read_any(csv("#id\tmood\n1\t2\n")).frame.columns) == ["id", "mood"]


def test_a_row_below_blank_lines_or_line_breaks_keeps_its_line(csv):
    assert list(read_any(csv('a,b\n"x\ny",1\nz,2\n')).frame.index) == [2, 4]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(csv, end):
    table = read_any(csv(end.join(["a,b", "1,2", "3,4"]))).frame
    assert table["b"].tolist() == [2, 4]
    assert list(table.index) == [2, 3]


@pytest.mark.parametrize(
    ("cells", "numbers", "decimal", "thousands"),
    [
        ("1,5;2;-0,25", [1.5, 2, -0.25], ",", None),
        ("1.234,5;2,25;1.000.000", [1234.5, 2.25, 1e6], ",", "."),
        ("1.234;2,5;12", [1234, 2.5, 12], ",", "."),
        ("1,234;2.5;1,000,000", [1234, 2.5, 1e6], ".", ","),
        ("1'234.5;2;3", [1234.5, 2, 3], ".", "'"),
        ("1 234,5;2,0;3", [1234.5, 2, 3], ",", " "),
        ("1\u202f234;2;1.5", [1234, 2, 1.5], ".", "\u202f"),
        ("1e-3;2.5E+2;.5", [0.001, 250, 0.5], ".", None),
    ],
)
def test_decimal_and_thousands_marks(csv, cells, numbers, decimal, thousands):
    reading = read_any(csv("n;b\n" + "\n".join(f"{cell};x" for cell in cells.split(";"))))
    np.testing.assert_allclose(reading.frame["n"], numbers, rtol=0)
    assert (reading.how.decimal, reading.how.thousands) == (decimal, thousands)


def test_columns_may_differ_in_their_decimal_mark(csv):
    reading = read_any(csv("a;b\n1,5;1.5\n2,25;7.25\n"))
    assert reading.frame["a"].tolist() == [1.5, 2.25]
    assert reading.frame["b"].tolist() == [1.5, 7.25]


def test_codes_with_zeros_in_front_stay_text(csv):
    table = read_any(csv("id,month,n\n007,01,100\n012,12,200\n")).frame
    assert list(table["id"]) == ["007", "012"]
    assert table["month"].tolist() == [1, 12]


def test_durations_become_hours(csv):
    reading = read_any(csv("id,sleep,lag\nstar,7:30,-0:00:36\nmoon,,1:00:00\n"))
    np.testing.assert_allclose(reading.frame["sleep"], [7.5, np.nan])
    np.testing.assert_allclose(reading.frame["lag"], [-0.01, 1])
    assert reading.labels.units == {"sleep": "hours", "lag": "hours"}
    assert "'sleep', 'lag'" in reading.notes[0]


def test_names_are_stripped_and_said_and_columns_get_one(csv):
    reading = read_any(csv('"Subject ",, a\u200b ,\n1,2,3,\n4,5,6,\n'))
    assert list(reading.frame.columns) == ["Subject", "column 2", "a"]
    assert any("'Subject', 'a'" in note for note in reading.notes)
    assert any("'column 2'" in note for note in reading.notes)


def test_cells_in_apostrophes_and_columns_between_spaces(csv):
    reading = read_any(csv("'id','b'\n'x,y','1'\n'z','2'\n"))
    assert list(reading.frame["id"]) == ["x,y", "z"]
    assert reading.how.quote == "'"
    spaced = read_any(csv('"id" "mood"\n"a b" 1\n"c" 2\n'))
    assert list(spaced.frame["id"]) == ["a b", "c"]
    assert "separated by space" in spaced.how.words()


def test_what_is_given_is_not_recognised_again(csv):
    path = csv("a,b;c\n1,5;2\n2,5;3\n")
    assert list(read_any(path, delimiter=",").frame.columns) == ["a", "b;c"]
    quoted = csv('a,b\n"1,5",2\n"2,5",3\n')
    assert read_any(quoted, decimal=",").frame["a"].tolist() == [1.5, 2.5]


def test_a_cell_without_end_is_refused(csv):
    with pytest.raises(DataError, match=r"A cell in line 3 of .* has no end") as caught:
        read_any(csv('a,b\n1,x\n2,"y\n3,z\n4,z\n'))
    assert caught.value.row == 3
    assert "quotation mark" in caught.value.remedy
    assert list(read_any(csv('a,b\n1,5" nail\n2,x\n')).frame["b"]) == ['5" nail', "x"]
