"""The page New person: what it asks for, and what it shows of what came out."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import newcomers
from nme_core.io import RunFolder, RunState, Status

OpenPage = Callable[..., AppTest]
STATES = ("calm", "tense", "low")


def words(app: AppTest) -> str:
    shown = [*app.markdown, *app.text, *app.caption, *app.info, *app.warning, *app.error]
    return "\n".join(str(element.value) for element in shown).replace("\\", "").replace("\xa0", " ")


def give_roles(home: Path, run: str) -> None:
    folder = RunFolder(home / "runs" / run)
    roles = {"person": "pid", "outcome": "feeling", "time": "day", "sequence": None}
    folder.write_json("data", {**folder.data, "roles": {**roles, "features": ["sleep", "steps"]}})


def believed(keys: pd.DataFrame) -> pd.DataFrame:
    parts = [
        keys.assign(person=person, k=k, value=0.5, ci_low=0.5 - 0.4 / k, ci_high=0.5 + 0.4 / k)
        for k in (1, 3, 5)
        for person in ("new", "")
    ]
    return pd.concat(parts)


@pytest.mark.parametrize("run", ["crf_run", "mlp_run"])
def test_what_is_believed_is_shown_with_its_narrowing(
    open_page: OpenPage,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    home: Path,
    run: str,
) -> None:
    identity = request.getfixturevalue(run)
    give_roles(home, identity)
    if run == "crf_run":
        keys = pd.DataFrame([(a, b) for a in STATES for b in STATES], columns=["from", "to"])
    else:
        x = np.linspace(4, 9, 6)
        keys = pd.DataFrame({"feature": "sleep", "class": "", "x": x})
    monkeypatch.setattr(newcomers, "narrowing", lambda *_: believed(keys))
    monkeypatch.setattr(newcomers, "status", lambda *_: Status(RunState.DONE))
    told = "Some values lie outside of what the model was fitted on."
    monkeypatch.setattr(newcomers, "cautions", lambda *_: [told])
    unseen = "Coverage of intervals of new people was not examined for such studies."
    monkeypatch.setattr(newcomers, "approximate", lambda *_: [unseen])
    app = open_page("new-person", run=identity, job="job")
    assert not app.exception, app.exception
    assert not app.error
    assert told in words(app)
    assert unseen in words(app)
    assert len(app.get("plotly_chart")) == 2
    assert "After 1 outcome the interval" in words(app)
    assert "is 0.80 wide, after 5 it is 0.16 wide" in words(app)


def test_rows_without_an_outcome_are_refused_on_the_page(
    open_page: OpenPage, mlp_run: str, home: Path
) -> None:
    give_roles(home, mlp_run)
    app = open_page("new-person", run=mlp_run)
    assert not app.exception, app.exception
    assert "pid, day, sleep, steps, feeling" in app.get("file_uploader")[0].label.replace("\\", "")
    app.button(key="adapt_typed").click().run()
    assert "No row has a value of 'feeling'" in app.error[0].value.replace("\\", "")


def test_time_and_outcome_are_typed_in_first(
    open_page: OpenPage, crf_run: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_roles(home, crf_run)
    typed: list[pd.DataFrame] = []
    monkeypatch.setattr(newcomers, "typed_table", lambda _, rows: typed.append(rows) or rows)
    monkeypatch.setattr(newcomers, "start", lambda *_: "abcd1234")
    app = open_page("new-person", run=crf_run)
    assert "“day” may stay empty in all rows" in words(app)
    app.button(key="adapt_typed").click().run()
    assert list(typed[0].columns) == ["day", "feeling", "sleep", "steps"]


def test_a_model_with_two_grouping_factors_says_that_it_cannot(
    open_page: OpenPage, mlp_run: str, home: Path
) -> None:
    give_roles(home, mlp_run)
    folder = RunFolder(home / "runs" / mlp_run)
    data = folder.data
    folder.write_json("data", {**data, "roles": {**data["roles"], "groups": ["clinic"]}})
    assert "cannot be adapted" in words(open_page("new-person", run=mlp_run))


def test_a_model_that_leaves_every_feature_out_says_that_it_cannot(
    open_page: OpenPage, mlp_run: str, home: Path
) -> None:
    give_roles(home, mlp_run)
    (home / "runs" / mlp_run / "response_curves.csv").unlink()
    app = open_page("new-person", run=mlp_run)
    assert not app.error
    assert "transitions or response curves" in words(app)


def test_the_address_keeps_the_job_and_lets_go_of_it_with_the_run(
    open_page: OpenPage, home: Path, mlp_run: str, crf_run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run in (mlp_run, crf_run):
        give_roles(home, run)
    monkeypatch.setattr(newcomers, "start", lambda *_: "abcd1234")
    monkeypatch.setattr(newcomers, "typed_table", lambda *_: pd.DataFrame())
    app = open_page("new-person", run=mlp_run)
    app.button(key="adapt_typed").click().run()
    assert app.query_params["job"] == "abcd1234"
    app.switch_page("pages/runs.py").run()
    app.button(key=f"open_{crf_run}").click().run()
    assert app.query_params["run"] == crf_run
    assert "job" not in app.query_params
