"""Which sheets of a workbook are read, and what is told of their cells."""

import datetime as dt
import io

import numpy as np
import openpyxl
import pandas as pd
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.filters import FilterColumn, Filters

from nme_core.exceptions import DataError, MissingColumnError, OptionError
from nme_core.study import Study, read_any
from nme_core.study.reading import people_sheet, read_second

DIARY = [["id", "day", "sleep", "mood"]] + [
    [f"P{p}", day, 6 + (3 * p + day) % 4 / 2, (2 * p + day) % 5 + 0.5]
    for p in range(1, 5)
    for day in range(1, 7)
]
PEOPLE = [["id", "bdi"], *([f"P{p}", 10 + 3 * p] for p in range(1, 5))]
ROLES = {"person": "id", "outcome": "mood", "time": "day"}


def book_of(**sheets):
    """A workbook with these sheets."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name.replace("__", " "))
        for row in rows:
            sheet.append(row)
    return book


def saved(book):
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def notes_of(content, **said):
    return "\n".join(read_any(content, "b.xlsx", **said).notes)


# Which sheet


@pytest.mark.parametrize(
    "others",
    [
        {"Codebook": [["variable", "meaning"], *([f"v{k}", "a word"] for k in range(90))]},
        {"Hinweise": [["Nr", "Text"], *([k, "x"] for k in range(300))]},
        {"Info": [["what", "value"], ["Study", "sleep"]], "Persons": PEOPLE},
        {"empty": [], "a__title": [["Study of mood, 2025"]]},
    ],
)
def test_the_sheet_that_looks_like_data_is_read_and_the_others_are_named(others):
    content = saved(book_of(**others, Diary=DIARY))
    reading = read_any(content, "b.xlsx")
    assert reading.how.sheet == "Diary"
    assert all(repr(name.replace("__", " ")) in reading.notes[0] for name in others)


def test_the_sheet_with_the_columns_that_are_needed_is_read():
    larger = [["a", "b", "c"], *([k, k, k] for k in range(500))]
    content = saved(book_of(larger=larger, Diary=DIARY))
    assert read_any(content).how.sheet == "larger"
    assert read_any(content, columns=["id", "mood"]).how.sheet == "Diary"
    with pytest.raises(DataError, match=r"No sheet of b\.xlsx has the column 'vpn'.*'Diary' has"):
        read_any(content, "b.xlsx", columns=["vpn", "stimmung"])


def test_a_hidden_sheet_is_read_only_where_nothing_else_fits():
    book = book_of(raw=DIARY, short=DIARY[:8])
    book["raw"].sheet_state = "hidden"
    reading = read_any(saved(book))
    assert reading.how.sheet == "short"
    assert "'raw (hidden)'" in reading.notes[0]
    book["short"]["B1"] = "other"
    assert read_any(saved(book), columns=["id", "day"]).how.sheet == "raw"
    assert "'raw' is hidden" in notes_of(saved(book), columns=["id", "day"])


def test_both_tables_lie_in_one_workbook(tmp_path):
    content = saved(book_of(Info=[["a", "b"], ["c", "d"]], Data=DIARY, Persons=PEOPLE))
    path = tmp_path / "b.xlsx"
    path.write_bytes(content)
    assert people_sheet(content, "b.xlsx", "id", ["P1", "P2", "P3", "P4"]) == "Persons"
    assert people_sheet(content, "b.xlsx", "id", ["X1"]) is None
    assert people_sheet(b"a,b\n1,2\n", "b.csv", "a", ["1"]) is None
    assert read_second(path, "id").how.sheet == "Persons"
    for how in ({"covariates": path}, {"covariates_sheet": "Persons"}):
        study = Study.from_file(path, **ROLES, **how)
        assert list(study.covariates["bdi"]) == [13, 16, 19, 22]
        assert any("sheet 'Persons'" in note for note in study.notes)
    with pytest.raises(OptionError, match="has no sheet 'Person'"):
        Study.from_file(path, **ROLES, covariates_sheet="Person")


# Several sheets as one table


def test_one_sheet_per_person_is_one_table_with_the_sheets_as_people():
    header = ["day", "sleep", "mood"]
    sheets = {
        f"VP{p}": [header, *([d, 7 + d % 3, (p * d) % 7] for d in range(1, 6 + p))]
        for p in (1, 2, 3)
    }
    content = saved(book_of(**sheets, Legende=[["Wort", "Bedeutung"], ["mood", "Stimmung"]]))
    reading = read_any(content, "b.xlsx")
    assert list(reading.frame.columns) == ["sheet", *header]
    assert reading.frame["sheet"].value_counts().to_dict() == {"VP1": 6, "VP2": 7, "VP3": 8}
    assert reading.roles == {"person": "sheet"}
    assert reading.how.sheet == "*"
    assert "'VP1', 'VP2', 'VP3' have the same columns" in "\n".join(reading.notes)
    assert reading.frame.index.is_unique
    again = read_any(content, "b.xlsx", sheet=reading.how.sheet)
    pd.testing.assert_frame_equal(again.frame, reading.frame)
    assert list(read_any(content, "b.xlsx", sheet="VP2").frame.columns) == header
    study = Study.from_frame(reading.frame, person="sheet", outcome="mood", time="day")
    assert study.persons == ("VP1", "VP2", "VP3")


def test_sheets_with_ids_leave_the_person_to_them():
    waves = {f"T{w}": [["id", "mood"], *([f"P{p}", p + 3 * w] for p in range(9))] for w in (1, 2)}
    reading = read_any(saved(book_of(**waves)))
    assert len(reading.frame) == 18
    assert reading.roles == {}


def test_a_copy_of_a_sheet_is_not_read_twice():
    reading = read_any(saved(book_of(Data=DIARY, Data__backup=DIARY[:20])))
    assert reading.how.sheet == "Data"
    assert len(reading.frame) == 24


# Cells


@pytest.mark.parametrize("name", ["id", "day", "mood", "sleep"])
def test_formulas_without_results_are_named_with_the_way_out(name):
    book = book_of(Data=DIARY)
    column = DIARY[0].index(name) + 1
    for row in range(3, 7):
        book["Data"].cell(row, column, "=1+1")
    content = saved(book)
    assert f"{name!r} holds formulas without stored results (4 cells" in notes_of(content)
    with pytest.raises(DataError, match=r"formulas without stored results.*first \w3") as caught:
        read_any(content, "b.xlsx", columns=[name])
    assert "save it" in caught.value.remedy
    assert caught.value.column == name


def test_a_formula_that_gives_an_empty_text_is_an_empty_cell():
    book = book_of(Data=DIARY)
    book["Data"]["C3"] = "=1"
    content = saved(book)
    with_text = content  # openpyxl stores no result; Excel stores t="str" and an empty one
    import zipfile

    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                assert b'<c r="C3"><f>1</f>' in data
                data = data.replace(b'<c r="C3"><f>1</f>', b'<c r="C3" t="str"><f>1</f>')
            new.writestr(entry, data)
    assert "formulas" in notes_of(with_text)
    assert "formulas" not in notes_of(target.getvalue())


def test_merged_cells_are_filled_down_and_told():
    book = book_of(Data=DIARY)
    sheet = book["Data"]
    for p in range(4):
        sheet.merge_cells(start_row=2 + 6 * p, end_row=7 + 6 * p, start_column=1, end_column=1)
    sheet.merge_cells("B2:B3")
    reading = read_any(saved(book))
    assert list(reading.frame["id"]) == [row[0] for row in DIARY[1:]]
    assert list(reading.frame["day"][:3]) == [1, 1, 3]
    told = "\n".join(reading.notes)
    assert "Merged cells of 'id' were filled down: 20 cells" in told
    assert "Merged cells of 'day' were filled down: cell B3" in told


def test_a_header_of_two_rows_with_merged_cells_gives_names_of_both():
    rows = [
        ["id", "day", "morning", None, "evening", None],
        [None, None, "mood", "sleep", "mood", "sleep"],
        *([f"P{k % 3}", k, k % 5, 7, k % 4, 8] for k in range(12)),
    ]
    book = book_of(Data=rows)
    for cells in ("C1:D1", "E1:F1", "A1:A2", "B1:B2"):
        book["Data"].merge_cells(cells)
    reading = read_any(saved(book))
    assert list(reading.frame.columns) == [
        *("id", "day", "morning mood", "morning sleep", "evening mood", "evening sleep")
    ]
    assert list(reading.frame["day"]) == list(range(12))


def test_a_title_that_is_merged_over_all_columns_is_a_title():
    book = book_of(Data=[["Diary of 2025", None, None, None], *DIARY])
    book["Data"].merge_cells("A1:D1")
    reading = read_any(saved(book))
    assert list(reading.frame.columns) == DIARY[0]
    assert reading.how.title_lines == 1


def test_errors_percent_hidden_and_filtered_cells_are_told():
    book = book_of(Data=DIARY)
    sheet = book["Data"]
    for row, word in ((4, "#N/A"), (5, "#DIV/0!"), (9, "#N/A")):
        sheet.cell(row, 3, word).data_type = "e"
    for row in range(2, 12):
        sheet.cell(row, 4).number_format = "0.0%"
    for row in (20, 21, 22):
        sheet.row_dimensions[row].hidden = True
    sheet.column_dimensions["B"].hidden = True
    told = notes_of(saved(book))
    assert "'sleep' with an error (#N/A, #DIV/0!) are missing: 3 cells, first C4" in told
    assert "'mood' are shown as percent; 50% is 0.5 here (10 cells, first D2). 14 other" in told
    assert "3 rows are hidden in the sheet (first: row 20)" in told
    assert "hidden in the sheet were read all the same: 'day'" in told
    sheet.auto_filter.ref = "A1:D25"
    sheet.auto_filter.filterColumn.append(FilterColumn(colId=0, filters=Filters(filter=["P1"])))
    assert "3 rows are hidden by a filter" in notes_of(saved(book))
    assert read_any(saved(book)).frame["sleep"].isna().sum() == 3


def test_days_as_numbers_among_dates_are_dates():
    start = dt.datetime(2025, 3, 1)
    rows = [["id", "when", "x"], *(["a", start + dt.timedelta(k), k] for k in range(6))]
    rows[3][1] = 45719.5
    reading = read_any(saved(book_of(Data=rows)))
    assert reading.frame["when"].iloc[2] == pd.Timestamp("2025-03-03 12:00")
    assert "among the dates of 'when' were read as days: 1" in "\n".join(reading.notes)
    rows[3][1] = 7
    assert "among the dates" not in notes_of(saved(book_of(Data=rows)))


def test_days_as_numbers_are_counted_from_1904_where_the_workbook_says_so():
    rows = [["id", "date", "steps"], *(["a", 43890 + k, 40000.5 + k] for k in range(6))]
    book = book_of(Data=rows)
    book.epoch = CALENDAR_MAC_1904
    frame = read_any(saved(book)).frame
    assert frame["date"].iloc[0] == pd.Timestamp("2024-03-01")
    assert frame["steps"].iloc[0] == 40000.5
    assert "'date' are dates: days since 1 January 1904" in notes_of(saved(book))
    assert read_any(saved(book_of(Data=rows))).frame["date"].iloc[0] == 43890


def test_a_sheet_without_the_columns_names_the_one_that_has_them(tmp_path):
    path = tmp_path / "b.xlsx"
    path.write_bytes(saved(book_of(Codes=[["variable", "text"], ["mood", "1 to 5"]], Data=DIARY)))
    with pytest.raises(MissingColumnError, match="Another sheet, 'Data', has 'id', 'day', 'mood'"):
        Study.from_file(path, **ROLES, sheet="Codes")


def test_ordinary_workbooks_have_nothing_to_be_told():
    assert read_any(saved(book_of(Data=DIARY))).notes == ()
    np.testing.assert_array_equal(
        read_any(saved(book_of(Data=DIARY))).frame["mood"], [row[3] for row in DIARY[1:]]
    )


@pytest.mark.parametrize("names", [["id", "age"], ["Code", "age"]])
@pytest.mark.parametrize("left", [False, True])
def test_a_table_beside_the_table_is_named_and_no_part_of_it(names, left):
    people = [names, *([f"P{p}", 30 + p] for p in range(1, 5))]
    people += [[None, None]] * (len(DIARY) - len(people))
    rows = [
        [*two, None, *one] if left else [*one, None, *two]
        for one, two in zip(DIARY, people, strict=True)
    ]
    text = "\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in rows)
    for content, name in ((saved(book_of(Data=rows)), "x.xlsx"), (text.encode(), "x.csv")):
        reading = read_any(content, name)
        assert list(reading.frame.columns) == DIARY[0]
        assert len(reading.frame) == len(DIARY) - 1
        assert f"Another table stands beside this one, behind an empty column (it begins with "\
            f"{names[0]!r}); it was not read." in " ".join(reading.notes)  # fmt: skip


def test_remarks_behind_an_empty_column_belong_to_the_table():
    rows = [[*row, None, "remark" if k == 0 else "late" if k % 5 == 3 else None]
            for k, row in enumerate(DIARY)]  # fmt: skip
    frame = read_any(saved(book_of(Data=rows)), "x.xlsx").frame
    assert frame["remark"].notna().sum() == 5
