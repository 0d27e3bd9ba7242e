"""Where a table stands in a text file: blocks above, several header lines, none, rows that are no
data, more than one table."""

import numpy as np
import pytest
from typer.testing import CliRunner

from nme_core.cli.app import app
from nme_core.exceptions import DataError, MissingColumnError, OptionError
from nme_core.study import Study, read_any

NAMES = ("id", "day", "sleep", "mood")
ROWS = [
    (f"P{person}", str(day), f"{6 + person / 8 + day / 4:.2f}", f"{4 + day / 8 - person / 4:.2f}")
    for person in range(1, 6)
    for day in range(1, 6)
]


def text(*lines, mark=",", pad=0):
    """Lines of cells as a file; a string is a line as it stands."""
    cells = [
        line if isinstance(line, str) else mark.join([*line, *[""] * (pad - len(line))])
        for line in lines
    ]
    return ("\n".join(cells) + "\n").encode()


def is_whole(reading, names=NAMES, rows=ROWS):
    """Whether every row was read as numbers, and nothing else."""
    frame = reading.frame
    assert tuple(frame.columns) == tuple(names)
    assert len(frame) == len(rows)
    assert frame.iloc[:, -3:].dtypes.map(lambda kind: kind.kind in "fi").all()
    np.testing.assert_allclose(frame.iloc[:, -1], [float(row[-1]) for row in rows])
    return frame


# Lines above the table

KEYS = [
    ("Observation id", "session 3"),
    (),
    ("Player #1", "film.mp4"),
    ("variable", "value"),
    ("room", "2"),
    (),
]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("pad", [0, 4])
def test_a_block_of_keys_above_the_table_is_left_out_and_told(mark, pad):
    reading = read_any(text(*KEYS, NAMES, *ROWS, mark=mark, pad=pad), "coded.csv")
    assert is_whole(reading).index[0] == 8
    assert reading.above["Observation id"] == "session 3"
    assert reading.how.header == "7"
    assert "6 lines above the header skipped" in reading.how.words()
    assert "Lines 1 to 6 above the table" in reading.notes[0]
    assert "header is line 7" in reading.notes[0]
    assert "session 3" not in reading.notes[0]  # what the keys hold may be personal


@pytest.mark.parametrize(
    "above",
    [
        ["Daily diary of the outpatient clinic, spring 2024"],
        ["Versuchsperson: X", "Datum: 3.4.2024", ""],
        ["Device,Actiwatch 2", "Serial,V13", "Epoch,60", "Rows,25"],
        ["-------- Data file created by X ----------", "Serial 4", "Start 3", "------------------"],
    ],
)
def test_other_blocks_above_the_table(above):
    assert is_whole(read_any(text(*above, NAMES, *ROWS), "x.csv")).index[0] == len(above) + 2


def test_keys_above_a_table_of_two_columns():
    rows = [(str(k), str(k * 1.5)) for k in range(20)]
    reading = read_any(text("Subject,P01", "Epoch,60", "time,value", *rows), "x.csv")
    assert list(reading.frame.columns) == ["time", "value"]
    assert len(reading.frame) == 20


# Several header lines


def test_lines_of_questions_and_of_import_ids_become_labels():
    ids = [f'"{{""ImportId"":""QID{k}""}}"' for k in range(4)]
    questions = ["Response ID", "Which day is it?", "Hours of sleep", "Mood now"]
    reading = read_any(text(NAMES, questions, ids, *ROWS), "export.csv")
    is_whole(reading)
    assert reading.labels.columns == dict(zip(NAMES, questions, strict=True))
    assert "Lines 2 and 3 explain the columns" in reading.notes[0]
    study = Study.from_frame(reading.frame, person="id", outcome="mood", time="day")
    assert study.n_persons == 5


@pytest.mark.parametrize(
    ("lines", "label"),
    [
        ([NAMES, ("", "(d)", "(h)", "(1 to 7)")], "(h)"),
        ([NAMES, ("-", "d", "h", "points")], "h"),
        ([NAMES, ("V1", "V2", "V3", "V4")], "V3"),
        ([NAMES, ("ITEM_01", "ITEM_02", "ITEM_03", "ITEM_04")], "ITEM_03"),
        ([("Person", "Day of study", "Hours of sleep", "Mood now"), NAMES], "Hours of sleep"),
        ([NAMES, ("Kennung", "Tag", "Wie lange geschlafen?", "Stimmung")], "Wie lange geschlafen?"),
    ],
)
def test_units_questions_and_codes_beside_the_names(lines, label):
    reading = read_any(text(*lines, *ROWS), "x.csv")
    is_whole(reading)
    assert reading.labels.columns["sleep"] == label
    assert "explains the columns" in reading.notes[0]


def test_names_of_groups_of_columns_go_before_the_names_below_them():
    lines = [("", "", "Sleep", "", "Mood", ""), ("id", "day", "am", "pm", "am", "pm")]
    rows = [(f"P{p}", str(d), "7.5", "1", f"{p}", f"{d}.5") for p in range(4) for d in range(4)]
    frame = read_any(text(*lines, *rows), "x.csv").frame
    assert list(frame.columns) == ["id", "day", "Sleep am", "Sleep pm", "Mood am", "Mood pm"]
    assert len(frame) == 16


def test_a_first_row_with_missing_answers_is_no_header_line():
    first = [("P1", "0", "NA", "k.A."), ("P1", "", "k.A.", "k.A.")]
    assert len(read_any(text(NAMES, *first, *ROWS), "x.csv").frame) == 27
    frame = read_any(text(("id", "sleep"), ("P1", "k.A."), *[row[::2] for row in ROWS])).frame
    assert len(frame) == 26


# No header


@pytest.mark.parametrize(
    "rows",
    [
        ROWS,
        [row[1:] for row in ROWS],
        [(row[0], f"2024-01-{int(row[1]):02}", *row[2:]) for row in ROWS],
        [(row[0], "calm" if k % 3 else "tense", *row[2:]) for k, row in enumerate(ROWS)],
        [(row[3],) for row in ROWS],
        [(row[0], "calm" if k % 3 else "tense") for k, row in enumerate(ROWS)],
        [(row[0], "calm" if k % 10 < 5 else "tense") for k, row in enumerate(ROWS)],
    ],
)
def test_without_a_header_no_row_is_lost_and_it_is_said(rows):
    reading = read_any(text(*rows), "events.csv")
    assert len(reading.frame) == 25
    assert list(reading.frame.columns) == [f"column {k + 1}" for k in range(len(rows[0]))]
    assert reading.frame.index[0] == 1
    assert reading.how.header == "none"
    assert "line 1 is data" in reading.notes[0]
    assert "header 1" in reading.notes[0]
    assert len(read_any(text(*rows), "events.csv", header=1).frame) == 24


@pytest.mark.parametrize(
    "names",
    [("id", "1", "2", "3"), ("Name", "7", "14", "21"), ("V1", "V2", "V3", "V4")],
)
def test_names_that_are_numbers_are_names(names):
    assert tuple(read_any(text(names, *ROWS), "x.csv").frame.columns) == names


def test_years_above_numbers_are_names_and_it_is_said():
    reading = read_any(b"1940,1945,1950\n22.2,44.5,59.6\n10.5,15.5,29\n", "x.csv")
    assert list(reading.frame.columns) == ["1940", "1945", "1950"]
    assert "equal steps" in reading.notes[0]


def test_a_column_that_is_not_there_for_lack_of_a_header_says_so(tmp_path):
    (tmp_path / "events.csv").write_bytes(text(*ROWS))
    with pytest.raises(MissingColumnError, match="No line names the columns: line 1 is data"):
        Study.from_csv(tmp_path / "events.csv", person="id", outcome="mood")


def test_who_says_that_there_is_no_header_gets_every_row():
    assert len(read_any(text(NAMES, *ROWS), "x.csv", header="none").frame) == 26


# One cell more, or less


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("mark", [",", "\t", " "])
def test_names_of_rows_as_r_writes_them(quote, mark):
    rows = [(f"{quote}{k}{quote}", *row) for k, row in enumerate(ROWS, 1)]
    reading = read_any(text(NAMES, *rows, mark=mark), "from_r.csv")
    is_whole(reading, ("column 1", *NAMES))
    assert "one cell more than the header" in reading.notes[0]


def test_a_delimiter_at_the_end_of_every_row_is_no_column():
    is_whole(read_any(text(NAMES, *[(*row, "") for row in ROWS]), "x.csv"))


def test_a_delimiter_at_the_end_of_the_header_alone_is_no_column():
    is_whole(read_any(text((*NAMES, ""), *ROWS), "x.csv"))


@pytest.mark.parametrize("rows", [[0], [0, 2, 4, 6, 8], [3]])
def test_a_row_with_a_cell_too_many_is_named_and_the_header_kept(rows):
    lines = [(*row, "0") if k in rows else row for k, row in enumerate(ROWS)]
    with pytest.raises(DataError, match=f"line {rows[0] + 2} has 5, the header 4"):
        read_any(text(NAMES, *lines), "x.csv")


def test_a_cell_too_many_beside_trailing_delimiters_moves_no_column():
    lines = [(*row, "x" if k == 4 else "") for k, row in enumerate(ROWS)]
    with pytest.raises(DataError, match="line 6 has 5, the header 4"):
        read_any(text(NAMES, *lines), "x.csv")


def test_a_name_too_many_is_refused():
    with pytest.raises(DataError, match="one cell less than its header") as caught:
        read_any(text(("index", *NAMES), *ROWS), "x.csv")
    assert "Take the name out" in caught.value.remedy


# Rows that hold no data


@pytest.mark.parametrize("again", [NAMES, ("ID", "Day", "Sleep", " Mood ")])
def test_a_header_that_repeats_is_left_out_with_its_line(again):
    reading = read_any(text(NAMES, *ROWS[:15], again, *ROWS[15:20], "", again, *ROWS[20:]), "x.csv")
    frame = is_whole(reading)
    assert 17 not in frame.index
    assert reading.notes == ("Lines 17 and 24 repeat the header: left out.",)


@pytest.mark.parametrize(
    "below",
    [
        [("Total", "", "190.5", "")],
        ["", ("n", "25"), ("M", "", "6.7", "4.1")],
        ["", "Source: our clinic in 2024"],
        [("Mittelwert", "", "6.7", "4.5"), ("SD", "", "1", "1")],
        ["* sleep as it was reported"],
    ],
)
def test_totals_and_notes_below_the_table_are_left_out(below):
    reading = read_any(text(NAMES, *ROWS, *below), "x.csv")
    if below[-1][0] != "SD":  # SD alone may be an id
        is_whole(reading)
        assert "below the table" in reading.notes[-1]


def test_remarks_between_rows_are_left_out():
    reading = read_any(text(NAMES, *ROWS[:9], "# away, 2 days", *ROWS[9:]), "x.csv")
    is_whole(reading)
    assert reading.notes == ("Line 11 is a remark: left out.",)


def test_a_short_last_row_and_a_person_called_max_stay():
    assert len(read_any(text(NAMES, *ROWS, ("P9",)), "x.csv").frame) == 26
    people = [("id", "age"), ("Anna", "30"), ("Bob", "41"), ("Max", "52")]
    assert list(read_any(text(*people), "x.csv").frame["id"]) == ["Anna", "Bob", "Max"]


def test_the_end_of_a_long_file_and_headers_far_below_are_seen():
    rows = [(f"P{k // 100:03}", str(k % 100), "7.25", "4.5") for k in range(20_000)]
    lines = [NAMES, *rows[:15_000], NAMES, *rows[15_000:], "", "Total,,145000,"]
    reading = read_any(text(*lines), "long.csv")
    is_whole(reading, rows=rows)
    assert "Line 20004 below the table" in " ".join(reading.notes)
    assert "Line 15002 repeats the header" in " ".join(reading.notes)


# More than one table


def test_the_largest_of_two_tables_is_read_and_the_other_named():
    people = [("id", "age"), ("P1", "30"), ("P2", "41"), ("P3", "35")]
    content = text(NAMES, *ROWS, "", *people)
    reading = read_any(content, "x.csv")
    is_whole(reading)
    assert "Another table begins in line 28" in reading.notes[-1]
    other = read_any(content, "x.csv", header=28)
    assert other.frame["age"].tolist() == [30, 41, 35]
    assert other.how.given == ("header",)
    is_whole(read_any(text("People", *people, "", "Diary", NAMES, *ROWS), "x.csv"))


def test_a_table_in_another_order_of_columns_is_not_put_below_the_first():
    turned = [row[::-1] for row in [NAMES, *ROWS]]
    reading = read_any(text(NAMES, *ROWS, *turned), "x.csv")
    is_whole(reading)
    assert "Another table begins in line 27" in reading.notes[-1]


@pytest.mark.parametrize("header", ["0", "third", -1, "1.5", 400])
def test_a_header_that_is_no_line_is_refused(header):
    with pytest.raises(OptionError) as caught:
        read_any(text(NAMES, *ROWS), "x.csv", header=header)
    assert caught.value.remedy


def test_the_header_is_an_option_of_the_command(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(text("a,1", NAMES, *ROWS))
    runner = CliRunner()
    result = runner.invoke(app, ["check", str(path), "--header", "2"])
    assert "--header 2" in result.output
    roles = ["--person", "id", "--outcome", "mood", "--time", "day"]
    assert runner.invoke(app, ["check", str(path), "--header", "2", *roles]).exit_code == 0
    study = Study.from_file(path, header=2, person="id", outcome="mood", time="day")
    assert study.recipe.reading.as_dict()["header"] == "2"
