"""Malformed files end in a table, a study or an error that says what to do, soon."""

import re

import pandas as pd
import pyreadstat
import pytest

from benchmarks.hostile_files import end_of, make
from nme_core.exceptions import DataError
from nme_core.study import Study, read_any
from nme_core.study.clean.privacy import find_personal
from nme_core.study.formats import statistics


@pytest.mark.parametrize("first", [0, 20, 40])
def test_hostile_files_never_end_in_another_error(first):
    ends = {end_of(make(number)[1]) for number in range(first, first + 20)}
    assert ends <= {"table", "refused", "study"}


@pytest.mark.parametrize("number", [365, 1740, 7415, 10337, 12520, 13805])
def test_files_that_once_ended_in_another_error_do_no_more(number):
    assert end_of(make(number)[1]) in {"table", "refused"}


def test_ten_thousand_columns_are_read_and_more_are_refused():
    names = ["id", *(f"x{k}" for k in range(9_999))]
    rows = [",".join([f"p{k % 3}", *["1.5"] * 9_999]) for k in range(3)]
    frame = read_any("\n".join([",".join(names), *rows]).encode(), "x.csv").frame
    assert frame.shape == (3, 10_000)
    with pytest.raises(DataError, match="30,000 columns"):
        read_any(",".join(f"c{k}" for k in range(30_000)).encode() + b"\n1", "x.csv")


def test_text_from_a_file_is_text_and_nothing_else():
    ids = ["<script>alert(1)</script>", "=1+1", "\u202eabc", "**bold**"]
    table = pd.DataFrame({"id": ids * 3, "x": range(12), "y": [1.5, 2, 0] * 4})
    frame = read_any(table.to_csv(index=False).encode(), "x.csv", text=["id"]).frame
    study = Study.from_frame(frame, person="id", outcome="y")
    assert list(study.persons) == [ids[0], ids[1], "abc", ids[3]]  # without what is not seen


def test_names_that_look_alike_are_the_same_name():
    with pytest.raises(DataError, match=re.escape("'mood' more than once")):
        read_any("mood,\u202emood\u202c,x\n1,2,3\n".encode(), "x.csv")


def test_a_long_name_of_digits_is_looked_at_soon():
    # A pattern that backtracks does not come to an end here.
    assert not find_personal(pd.DataFrame({f"{'0' * 60}x": ["a", "b"]}))


def test_a_file_that_ends_the_reader_is_refused(tmp_path, monkeypatch):
    """The library is in C: some damaged files (10337) end its process."""
    path = tmp_path / "study.sav"
    pyreadstat.write_sav(pd.DataFrame({"id": ["a", "b"], "x": [1.0, 2.0]}), path)
    assert len(read_any(path).frame) == 2
    monkeypatch.setattr(statistics, "_TRIAL", "import os; os.abort()")
    with pytest.raises(DataError, match="damaged: it is no SPSS file"):
        read_any(path)
