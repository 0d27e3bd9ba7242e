"""JSON of apps and watches: lists of objects, and one object a line."""

import json

import numpy as np
import pytest

from nme_core.exceptions import DataError, NMEError
from nme_core.study import Study, read_any
from nme_core.study.roles.proposal import propose_study

ROWS = [
    {
        "user": f"u{person}",
        "day": f"2024-03-{day:02d}",
        "sleep": {"minutes": 400 + 7 * day + person, "stages": {"deep": 60 + day}},
        "mood": (day + person) % 5 + 1,
        "note": None,
        "awake": [1, 2],
    }
    for person in range(1, 6)
    for day in range(1, 9)
]
FORMS = {
    "list": json.dumps(ROWS, indent=1),
    "lines": "\n".join(map(json.dumps, ROWS)) + "\n",
    "in a key": json.dumps({"meta": {"version": 1}, "summaries": ROWS}),
    "byte order mark": "\ufeff" + json.dumps(ROWS),
}


@pytest.mark.parametrize("form", FORMS)
def test_objects_are_rows_and_objects_within_them_columns(form):
    reading = read_any(FORMS[form].encode(), "export.json")
    assert reading.how.format == "json"
    assert list(reading.frame.columns) == [
        "user", "day", "sleep.minutes", "sleep.stages.deep", "mood", "note",
    ]  # fmt: skip
    assert reading.frame["sleep.stages.deep"].tolist()[:3] == [61, 62, 63]
    told = " ".join(reading.notes)
    assert "Columns with lists were left out: 'awake'." in told
    assert ("'summaries'" in told) is (form == "in a key")
    proposal, *_ = propose_study(reading.frame, None, reading.roles)
    assert (proposal.person, proposal.time, proposal.outcome) == ("user", "day", "mood")


def test_ids_that_are_numbers_stay_as_they_are_written(tmp_path):
    path = tmp_path / "long.jsonl"
    rows = [
        {"id": 900 + k // 6, "day": k % 6, "x": (3 * k) % 7 + 0.5, "y": k % 4} for k in range(30)
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    study = Study.from_file(path, person="id", outcome="y", time="day", features=["x"])
    assert study.persons == ("900", "901", "902", "903", "904")


@pytest.mark.parametrize(
    "content",
    [
        '{"a": 1}',
        "[[1, 2], [3, 4]]",
        '[{"a": 1}, 3]',
        '{"a": [{"x": 1}], "b": [{"y": 1}]}',
        '[{"a"',
    ],
)
def test_other_json_says_the_way_out(content):
    with pytest.raises(DataError, match=r"JSON|header|rows"):
        read_any(content.encode(), "x.json")


def test_no_mutant_raises_anything_but_an_error_with_a_remedy():
    rng = np.random.default_rng(3)
    forms = [text.encode()[:4000] for text in FORMS.values()] + [FORMS["lines"].encode()]
    for k in range(150):
        data = bytearray(forms[k % len(forms)])
        for _ in range(int(rng.integers(1, 5))):
            at = int(rng.integers(len(data)))
            data[at : at + int(rng.integers(0, 3))] = rng.choice(
                [b"[", b"{", b'"', b"9" * 400, b"1e999", b"null", b"\xff", b"NaN", b"true", b"{}"]
            )
        try:
            read_any(bytes(data), "x.json")
        except NMEError as error:
            if not error.remedy:
                raise
