"""Reading tells how far it has come, and reads the same."""

from itertools import pairwise

import pandas as pd
import pytest

from nme_core.study import read_any
from nme_core.study.formats import text_body
from nme_core.study.progress import reading_reported

N_ROWS = 3000


@pytest.fixture(params=["alike", "ragged"])
def content(request):
    """A table whose rows Arrow reads, and one whose rows are read one by one."""
    ending = "" if request.param == "alike" else "\n\n1,2,3\n"
    lines = "".join(f"{row},{row % 7},{row / 8}\n" for row in range(N_ROWS))
    return f"person,t,y\n{lines}{ending}".encode()


def test_it_grows_to_its_end_and_begins_again_at_most_once(content, monkeypatch):
    monkeypatch.setattr(text_body, "_BLOCK", 2**13)
    monkeypatch.setattr(text_body, "_ROWS_AT_ONCE", 900)
    told = []
    with reading_reported(lambda what, part: told.append((what, part))):
        reported = read_any(content, "diary.csv")
    parts = [part for _, part in told]
    assert sum(after < before for before, after in pairwise(parts)) <= 1
    assert len({part for part in parts if part < 0.6}) >= 4
    assert 0 <= parts[0] < 0.2
    assert 0.8 < parts[-1] < 1
    assert told[0][0] == "Reading diary.csv"
    assert told[-1][0] == "Reading diary.csv: y"
    pd.testing.assert_frame_equal(reported.frame, read_any(content, "diary.csv").frame)


def test_nobody_is_told_afterwards(content):
    told = []
    with reading_reported(lambda what, part: told.append(part)):
        pass
    read_any(content, "diary.csv")
    assert not told
