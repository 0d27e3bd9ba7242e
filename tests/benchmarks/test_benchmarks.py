"""Every benchmark runs, on tiny sizes; nothing here is timed."""

from importlib import import_module

import pytest

from benchmarks import __main__ as command
from benchmarks import hsic_calibration
from benchmarks.__main__ import THEMES, main
from benchmarks.table import Row, markdown, seconds

#: Themes that import or train too much for a test; what `dashboard` times is tested with the pages.
LARGE = ("imports", "hsic", "dashboard")


@pytest.mark.parametrize("theme", [theme for theme in THEMES if theme not in LARGE])
def test_each_theme_gives_rows(theme):
    rows = import_module(f"benchmarks.{theme}").run(small=True)
    assert rows
    assert all(isinstance(row, Row) and row.measured for row in rows)


def test_the_table_says_what_is_met():
    rows = [
        Row.ratio("a", 0.5, 1.0, "remark", why="it is slow"),
        Row.ratio("b", 2.0, 1.0, "remark", why="it is slow"),
        Row.ratio("c", 3.0, None),
    ]
    assert [row.met for row in rows] == [True, False, None]
    lines = markdown(rows).splitlines()
    assert lines[0] == "| what | target | measured | met | remark |"
    assert lines[2] == "| a | ≤ 1 | 0.5 | yes | remark |"
    assert lines[3] == "| b | ≤ 1 | 2 | NO | remark; over by 100%: it is slow |"


def test_times_are_taken_in_turns():
    calls = []
    seconds(lambda: calls.append("a"), lambda: calls.append("b"), repeats=2)
    assert "".join(calls) == "ab" + "abab"


def test_a_theme_takes_the_place_of_what_was_measured_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "RESULTS", tmp_path / "RESULTS.md")
    tables = {name: markdown([Row.ratio(name, 0.5, 1.0)]) for name in ("crf", "mlp", "new")}
    command.keep("crf", tables["crf"])
    command.keep("mlp", tables["mlp"])
    command.keep("crf", tables["new"])
    _, mlp, crf = command.RESULTS.read_text(encoding="utf-8").split("\n## ")
    assert mlp.strip() == "mlp\n\n" + tables["mlp"]
    assert crf.strip() == "crf\n\n" + tables["new"]


def test_an_unknown_theme_is_named(capsys):
    assert main(["weather"]) == 2
    assert "'weather'" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
@pytest.mark.filterwarnings("ignore::nme_core.exceptions.SingularWarning")
@pytest.mark.filterwarnings("ignore::nme_core.exceptions.ConvergenceWarning")
def test_the_calibration_of_tests_prints_a_table(capsys, monkeypatch):
    hsic_calibration.linear(2, only="no effect, 40")
    hsic_calibration.few(2, only="skewed effects, 40")
    hsic_calibration.confounder(2, only="no effect, 30")
    for name, value in (("FITTED", 16), ("DRAWN", 8)):
        monkeypatch.setattr(hsic_calibration, name, value)
    hsic_calibration.crf(2, only="no effect")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| condition | none | strata | reliability (default) | draws |"
    assert lines[2].startswith("| no effect, 40 people, compliance 0.0 |")
    assert lines[2].count("±") == 4
    head = "| condition | none | strata | reliability (default) |"
    assert lines[4] == head
    assert lines[12] == f"{head} its HSIC alone | its largest single alone |"
    assert lines[8] == "| condition | not held | held |"
    assert [line.split("|")[1].strip() for line in lines[6:8]] == [
        "skewed effects, 40 people, compliance 0.0",
        "skewed effects, 40 people, compliance 0.9",
    ]
    assert lines[14].startswith("| moves: no effect, covariate made of the number of steps |")
