"""The same table in every format; workbooks, SPSS and Parquet files with what they alone have."""

import datetime as dt
import gzip
import io
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest
from pyarrow import parquet

from nme_core.exceptions import DataError, NMEError, OptionError
from nme_core.study import read_any
from nme_core.study.formats import excel
from nme_core.study.formats import packed as packing

TABLE = pd.DataFrame(
    {
        "id": ["007", "007", "12"],
        "mood": [1.5, np.nan, -2.0],
        "n": [1, 2, 3],
        "state": ["calm", None, "größer"],
    }
)


def workbook(*rows, **others):
    """A workbook as bytes: the first sheet's rows, and further sheets by name."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name, lines in others.items():
        sheet = book.create_sheet(name)
        for row in lines:
            sheet.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def packed(**members):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def written(kind, tmp_path):
    """TABLE as bytes in a format."""
    text = TABLE.to_csv(index=False)
    if kind == "csv":
        return text.encode()
    if kind == "gzip":
        return gzip.compress(text.encode())
    if kind == "zip":
        return packed(**{"folder/table.csv": text, "__MACOSX/._table.csv": "x"})
    if kind == "xlsx":
        rows = TABLE.astype(object).where(TABLE.notna(), None).values.tolist()
        return workbook(list(TABLE.columns), *rows)
    path = tmp_path / "table"
    if kind == "sav":
        pyreadstat.write_sav(TABLE, path)
    else:
        TABLE.to_parquet(path, index=False)
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["csv", "gzip", "zip", "xlsx", "sav", "parquet"])
def test_every_format_gives_the_same_table(kind, tmp_path):
    reading = read_any(written(kind, tmp_path), f"table.{kind}", text=["id"])
    frame = reading.frame.reset_index(drop=True)
    pd.testing.assert_frame_equal(frame, TABLE.astype({"state": "str"}), check_dtype=False)
    assert reading.how.words().endswith(".")
    assert reading.how.format == ("csv" if kind in ("gzip", "zip") else kind)
    assert reading.how.compression == (kind if kind in ("gzip", "zip") else None)


def test_what_a_file_is_is_seen_in_its_bytes_not_in_its_name(tmp_path):
    assert read_any(written("xlsx", tmp_path), "table.csv").how.format == "xlsx"
    assert read_any(written("csv", tmp_path), "table.xlsx").how.format == "csv"


# Workbooks


def test_a_workbook_tells_which_sheet_was_read():
    content = workbook(["only", "a header"], mood=[["id", "m"], ["a", 1]], other=[["b"], [2]])
    reading = read_any(content, "book.xlsx")
    assert reading.how.sheet == "mood"
    assert reading.sheets == ("Sheet", "mood", "other")
    assert "'Sheet', 'other'" in reading.notes[0]
    assert list(read_any(content, "book.xlsx", sheet="other").frame["b"]) == [2]
    with pytest.raises(OptionError, match="no sheet 'third'") as caught:
        read_any(content, "book.xlsx", sheet="third")
    assert "'mood'" in caught.value.remedy
    with pytest.raises(OptionError, match="has no sheets"):
        read_any(b"a,b\n1,2\n", "table.csv", sheet="mood")


def test_cells_of_a_workbook():
    reading = read_any(
        workbook(
            ["Study of mood, 2025"],
            [],
            ["Subject ", "when", "day", "lag", "sleep", "yes", "mood", "code", "mixed"],
            [
                *("007", dt.datetime(2025, 12, 31, 14, 30), dt.date(2025, 1, 2)),
                *(dt.timedelta(hours=30), dt.time(7, 30), True, "#DIV/0!", "1,5", "x"),
            ],
            ["8", dt.datetime(2026, 1, 1), None, None, None, False, 2, "2,25", 3.0],
            [],
            ["9", None, None, None, None, None, 3.5, None, None],
        )
    )
    frame = reading.frame
    assert list(frame.index) == [4, 5, 7]
    assert frame.index.name == "row"
    assert reading.how.title_lines == 1
    assert list(frame["Subject"]) == ["007", "8", "9"]
    assert frame["when"].iloc[0] == pd.Timestamp("2025-12-31 14:30")
    assert frame["day"].iloc[0] == pd.Timestamp("2025-01-02")
    assert frame["lag"].iloc[0] == 30
    assert frame["sleep"].iloc[0] == 7.5
    assert reading.labels.units == {"lag": "hours", "sleep": "hours"}
    assert frame["yes"].dtype == "boolean"
    np.testing.assert_array_equal(frame["mood"], [np.nan, 2, 3.5])
    np.testing.assert_array_equal(frame["code"], [1.5, 2.25, np.nan])
    assert list(frame["mixed"].iloc[:2]) == ["x", "3"]


def test_a_formula_is_not_evaluated():
    with pytest.raises(DataError, match="no sheet with a table"):
        read_any(workbook(["a"], []), "book.xlsx")
    frame = read_any(workbook(["a", "b"], ["=1+1", 1]), "book.xlsx").frame
    assert frame["a"].isna().all()


def test_numbers_of_a_workbook_stay_ids_as_text():
    frame = read_any(workbook(["id", "m"], [7, 1], [8.0, 2]), text=["id"]).frame
    assert list(frame["id"]) == ["7", "8"]


# SPSS


def test_labels_missing_values_and_dates_of_spss(tmp_path):
    table = pd.DataFrame(
        {
            "id": [1.0, 1.0],
            "m": [3.0, -99.0],
            "s": [1.0, 2.0],
            "when": pd.to_datetime(["2025-12-31 14:30", "2025-01-01 00:00"]),
            "lag": [90000.0, 36.0],
        }
    )
    path = tmp_path / "x.sav"
    pyreadstat.write_sav(
        table,
        path,
        column_labels={"m": "Mood today"},
        variable_value_labels={"s": {1: "calm", 2: "tense"}},
        missing_ranges={"m": [-99], "s": [{"lo": 8, "hi": 9}]},
        variable_format={"when": "DATETIME20", "lag": "TIME8"},
    )
    reading = read_any(path, text=["id"])
    frame, labels = reading.frame, reading.labels
    assert list(frame["id"]) == ["1", "1"]
    np.testing.assert_array_equal(frame["m"], [3, np.nan])
    assert list(frame["when"]) == list(table["when"])
    np.testing.assert_allclose(frame["lag"], [25, 0.01])
    assert labels.columns == {"m": "Mood today"}
    assert labels.values == {"s": {"1": "calm", "2": "tense"}}
    assert labels.missing == {"m": ("-99",), "s": ("8 to 9",)}
    assert labels.units == {"lag": "hours"}
    assert "'m', 's'" in reading.notes[0]


# Parquet


def test_types_of_parquet():
    table = pa.table(
        {
            "id": pa.array(["a", "a", None]).dictionary_encode(),
            "day": pa.array([dt.date(2025, 1, 2)] * 3),
            "when": pa.array([dt.datetime(2025, 1, 2, 3)] * 3, pa.timestamp("ns", "UTC")),
            "lag": pa.array([dt.timedelta(minutes=90), None, dt.timedelta(0)]),
            "clock": pa.array([dt.time(7, 30)] * 3, pa.time32("s")),
            "yes": pa.array([True, None, False]),
            "n": pa.array([1, None, 3], pa.int8()),
            "list": pa.array([[1], [2], None]),
            "none": pa.nulls(3),
        }
    )
    target = io.BytesIO()
    parquet.write_table(table, target)
    reading = read_any(target.getvalue(), "x.parquet")
    frame = reading.frame
    assert frame["id"].tolist()[:2] == ["a", "a"]
    assert frame["id"].isna().iloc[2]
    assert frame["day"].iloc[0] == pd.Timestamp("2025-01-02")
    assert frame["when"].iloc[0] == pd.Timestamp("2025-01-02 03:00")
    np.testing.assert_array_equal(frame["lag"], [1.5, np.nan, 0])
    assert frame["clock"].iloc[0] == 7.5
    assert frame["yes"].dtype == "boolean"
    np.testing.assert_array_equal(frame["n"], [1, np.nan, 3])
    assert frame["none"].isna().all()
    assert "list" not in frame
    assert "'list'" in reading.notes[0]


def test_a_parquet_file_that_decodes_to_too_much_is_refused(monkeypatch):
    from nme_core.study.formats import parquet as reader

    monkeypatch.setattr(reader, "LARGEST", 1_000_000)
    table = pa.table({"id": pa.array(["x" * 1000] * 5000).dictionary_encode()})
    target = io.BytesIO()
    parquet.write_table(table, target)
    assert len(target.getvalue()) < 20_000
    with pytest.raises(DataError, match="larger than 1 MB"):
        read_any(target.getvalue(), "x.parquet")


# Packed files


@pytest.mark.parametrize("kind", ["gzip", "zip", "xlsx"])
def test_bombs_are_refused(kind, monkeypatch):
    monkeypatch.setattr(packing, "_HARMLESS", 100_000)
    monkeypatch.setattr(excel, "LARGEST", 1_000_000)
    zeros = bytes(3_000_000)
    if kind == "gzip":
        content = gzip.compress(zeros, 9)
    elif kind == "zip":
        content = packed(**{"table.csv": zeros})
    else:
        content = packed(**{"[Content_Types].xml": b"", "xl/worksheets/sheet1.xml": zeros})
    with pytest.raises(DataError, match="unpack"):
        read_any(content, "bomb")


def test_a_size_that_an_archive_states_wrongly_is_of_no_use_to_it(monkeypatch):
    monkeypatch.setattr(packing, "_HARMLESS", 100_000)
    zeros = bytes(3_000_000)
    content = packed(**{"table.csv": zeros}).replace(
        len(zeros).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    )
    with pytest.raises(DataError, match=r"damaged|unpack"):
        read_any(content, "bomb.zip")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (packed(a="x", b="y"), "holds 2 files"),
        (packed(), "holds no file"),
        (packed(**{"../../evil.csv": "a,b\n1,2\n"}), None),
        (gzip.compress(b"a,b\n1,2\n" * 100, mtime=0)[:-20], "damaged"),
        (written("zip", None)[:-10], "packed document|not a text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Excel file"),
        (b"%PDF-1.7\n1 0 obj", "a PDF file"),
        (packed(**{"mimetype": "application/vnd.oasis", "content.xml": ""}), "packed document"),
        (packed(**{"[Content_Types].xml": "", "xl/workbook.xml": "<a"}), "damaged"),
        (b"PAR1 nothing PAR1", "damaged"),
        (b"$FL2 nothing", "damaged"),
        (packed(**{"[Content_Types].xml": "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"}), "entities"),
    ],
)
def test_files_that_are_no_table_say_what_they_are(content, message):
    if message is None:
        assert read_any(content, "x.zip").how.member == "evil.csv"
        return
    with pytest.raises(NMEError, match=message) as caught:
        read_any(content, "x")
    assert caught.value.remedy


def test_numbers_with_decimal_commas_beside_words_are_written_with_points():
    reading = read_any(b"id;sleep;note\n1;6,6;a,b\n2;k.A.;c\n3;7,0;1,5\n4;8;d\n", "german.csv")
    assert reading.frame["sleep"].tolist() == ["6.6", "k.A.", "7.0", "8"]
    assert reading.frame["note"].tolist() == ["a,b", "c", "1,5", "d"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_values_that_spaces_alone_told_apart_are_told_of(tmp_path, kind):
    table = pd.DataFrame({"id": [" A1", "A1", "B2", "B2  ", "C", "C"], "y": [1.5, 2, 3, 2, 4, 2.5]})
    file = tmp_path / f"table.{kind}"
    if kind == "csv":
        table.to_csv(file, index=False)
    else:
        table.to_excel(file, index=False)
    found = read_any(file)
    assert found.frame["id"].tolist() == ["A1", "A1", "B2", "B2", "C", "C"]
    assert [note for note in found.notes if "Spaces around" in note] == [
        "Spaces around the words in 'id' were removed: 2 values differed from others only in these."
    ]
    table["id"] = ["A1", "A1", "B2 ", "B2 ", "C", "C"]  # of which none is joined
    table.to_csv(tmp_path / "plain.csv", index=False)
    assert not any("Spaces around" in note for note in read_any(tmp_path / "plain.csv").notes)
