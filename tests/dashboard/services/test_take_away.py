"""Files that a run leaves the app as."""

import json
import shutil

import pytest

from dashboard.services import take_away
from dashboard.services.home import NMEError, new_id


@pytest.fixture
def run(home, fit_tiny) -> str:
    """A real finished run among those of the app."""
    identity, path = new_id("runs")
    shutil.copytree(fit_tiny("nme-mlp", "--epochs", "2"), path, dirs_exist_ok=True)
    content = {
        "name": "tiny",
        "study": "gone",
        "created": "2026-01-01",
        "options": {"model": "nme-mlp"},
    }
    (path / "run.json").write_text(json.dumps(content), encoding="utf-8")
    return identity


def test_a_report_is_made_and_leaves_nothing_behind(run, home):
    before = {path.name for path in home.iterdir()}
    report = take_away.report(run, "html")
    assert report.startswith(b"<!DOCTYPE html>")
    assert b"Report: tiny<" in report  # called as its run is
    assert take_away.report(run, "html", "007").startswith(b"<!DOCTYPE html>")
    assert {path.name for path in home.iterdir()} == before


def test_what_went_wrong_is_said(run):
    with pytest.raises(NMEError, match="The run has no person 'nobody'"):
        take_away.report(run, "pdf", "nobody")


def test_persons_and_tables(run):
    assert len(take_away.persons(run)) == 12
    one = take_away.words(run).tables[1]
    assert take_away.table_file(one, "tex").startswith(b"% needs")
    assert take_away.table_file(one, "docx").startswith(b"PK")


def test_a_report_names_its_study_once(crf_run, home):
    file = home / "runs" / crf_run / "run.json"
    content = json.loads(file.read_text("utf-8"))
    assert content["name"].startswith("diary, ")
    assert take_away._title(crf_run) == ["--title", content["name"]]
    file.write_text(json.dumps(content | {"name": "last"}), encoding="utf-8")
    assert take_away._title(crf_run) == ["--title", "diary, last"]
