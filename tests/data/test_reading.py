import numpy as np
import pandas as pd
import pytest

from nme_core.data import read_any, read_table, reading
from nme_core.exceptions import DataError, OptionError


@pytest.fixture
def csv(tmp_path):
    def write(text, encoding="utf-8", name="table.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
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
        ("\na,b\n1,2\n", "first line .* is empty"),
        ("a,b\n", "no rows"),
        ("a,b\n\n,\n", "no rows"),
        ("a,b,a\n1,2,3\n", "column 'a' more than once"),
        ("a,,\n1,2,3\n", "several columns without a name"),
        ("a,b\n1,2\n3,4,5\n", "more cells than its header"),
        ("a,b\n1,2,3\n4,5,6\n", "more cells than its header"),
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
    with pytest.raises(OptionError, match="no encoding 'klingon'"):
        read_any(path, encoding="klingon")


def test_bytes_are_read_under_a_name():
    assert list(read_any(b"a,b\n1,2\n3,4\n", "up/load.csv").frame["b"]) == [2, 4]
    with pytest.raises(DataError, match=r"^load.csv has a header"):
        read_any(b"a,b\n", "up/load.csv")


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(DataError, match="not a text file"):
        read_any(b"a,b\n1,\x00\x01\x02\n", "x.csv")


def test_missing_files_and_folders_are_data_errors(tmp_path):
    with pytest.raises(DataError, match="no file"):
        read_table(tmp_path / "nothing.csv")
    with pytest.raises(DataError, match="cannot be read"):
        read_table(tmp_path)


def test_a_file_of_numbers_reads_the_same_by_both_ways(tmp_path, monkeypatch):
    lines = [
        "id,whole,part,gap,sign",
        "007,1,0.30000000000000004,,-3",
        " 8 ,2,1e-3,NA,+4",
        "x,3, 7.25,.,5",
    ]
    path = tmp_path / "long.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    fast = reading._read_numbers(content, ["id", "whole", "part", "gap", "sign"], ",", {"id"})
    assert fast is not None
    monkeypatch.setattr(reading, "_read_numbers", lambda *_: None)
    pd.testing.assert_frame_equal(read_table(path, text=["id"]), fast)
