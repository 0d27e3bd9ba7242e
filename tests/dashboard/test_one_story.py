"""One story per person: the same number, population and verdict on every page, in both views."""

import html
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.components.effects import respect
from dashboard.services import newcomers, runs, settings
from nme_core.figures import figure
from nme_core.io import RunFolder, RunState, Status
from nme_core.reports.render import render

OpenPage = Callable[..., AppTest]
PEOPLE = ("001", "002", "003")


def words(app: AppTest) -> str:
    return (
        "\n".join(str(element.value) for element in app.markdown)
        .replace("\\", "")
        .replace("\xa0", " ")
    )


@pytest.fixture
def told(crf_run: str, home: Path) -> tuple[str, pd.DataFrame]:
    """A run of which 001 is apart, 002 is not, and 003 was never in low and seldom in tense."""
    folder = RunFolder(home / "runs" / crf_run)
    table = folder.table("transitions")
    own = table["person"] != ""
    for person, reach in (("001", 0.001), ("002", 0.9), ("003", 0.001)):
        mine = (table["person"] == person) & (table["readout"] == "conditional")
        table.loc[mine, "ci_low"] = (table.loc[mine, "value"] - reach).clip(0, 1)
        table.loc[mine, "ci_high"] = (table.loc[mine, "value"] + reach).clip(0, 1)
    table.loc[own, "visits"] = 30.0
    rare = table["person"].eq("003") & table["from"].eq("tense")
    never = table["person"].eq("003") & table["from"].eq("low")
    table.loc[rare, "visits"], table.loc[never, "visits"] = 4.0, 0.0
    table.loc[rare | never, "value"] = np.where(table.loc[rare | never, "to"] == "low", 0.98, 0.01)
    folder.write_table("transitions", table)
    folder.write_status(folder.status)
    return crf_run, table


def expected(table: pd.DataFrame, person: str) -> tuple[str, str]:
    """The move that differs most with its numbers, and the verdict, straight from the table."""
    rows = table[table["readout"] == "conditional"].set_index(["from", "to"])
    own, shared = rows[rows["person"] == person], rows[rows["person"] == ""]["value"]
    own = own[own["visits"] >= 5]
    start, end = (own["value"] - shared.reindex(own.index)).abs().idxmax()
    row, population = own.loc[(start, end)], shared[(start, end)]
    what = f"stays in {end}" if start == end else f"moves from {start} to {end}"
    way = "more" if row["value"] > population else "less"
    ends = f"[{row['ci_low']:.2f}, {row['ci_high']:.2f}]"
    verb = "includes" if row["ci_low"] <= population <= row["ci_high"] else "excludes"
    return (
        f"{what} {way} often than the population: probability {row['value']:.2f} {ends} against "
        f"{population:.2f}",
        f"the 95 % interval {verb} the population's value",
    )


@pytest.mark.parametrize("view", ["clinician", "researcher"])
def test_every_page_says_the_same_of_a_person(
    open_page: OpenPage,
    told: tuple[str, pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
    home: Path,
    view: str,
) -> None:
    settings.set_view(view)
    identity, table = told
    folder, record = RunFolder(home / "runs" / identity), runs.run_record(identity)
    monkeypatch.setattr(newcomers, "status", lambda *_: Status(RunState.DONE))
    monkeypatch.setattr(newcomers, "cautions", lambda *_: [])
    app = open_page("transitions", run=identity)
    for person in PEOPLE:
        both = expected(table, person)
        app.selectbox(key="person").select(person).run()
        drawn = figure(folder, "transitions", person)
        rows = table[(table["readout"] == "conditional") & table["person"].isin([person, ""])]
        monkeypatch.setattr(newcomers, "narrowing", lambda *_, rows=rows: rows.assign(k=9))
        new = open_page("new-person", run=identity, job="job")
        assert not app.exception
        assert not new.exception
        for said in (
            words(app), words(new), respect(record, person), drawn.sentence,
            html.unescape(render(folder, person=person).decode()),
        ):  # fmt: skip
            assert all(part in said for part in both)


def test_nothing_is_said_of_where_a_person_never_was(
    open_page: OpenPage, told: tuple[str, pd.DataFrame], home: Path
) -> None:
    identity, _ = told
    folder = RunFolder(home / "runs" / identity)
    drawn = figure(folder, "transitions", "003")
    page = html.unescape(render(folder, person="003").decode())
    for said in (drawn.sentence, page):
        assert "This person was never in low, so nothing is shown for it" in said
        assert "stays in low" not in said
        assert "from low" not in said
    for ends in ("person", "low", "high"):
        assert drawn.arguments[ends].loc["low"].isna().all()
    app = open_page("transitions", run=identity)
    app.segmented_control(key="section").set_value("time").run()
    app.selectbox(key="person").select("003").run()
    assert not app.exception
    assert "from low" not in words(app)


def test_the_page_about_a_person_is_of_the_one_who_was_chosen(
    open_page: OpenPage, crf_run: str
) -> None:
    app = open_page("export", run=crf_run)
    app.selectbox(key="person").select("007").run()
    assert not app.exception
    assert app.selectbox(key="report_person").value == "007"
