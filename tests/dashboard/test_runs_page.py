"""The library page: what a user reads, opens, renames, deletes, compares."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import runs, settings
from nme_core.io import RunFolder, RunState, Status

OpenPage = Callable[..., AppTest]


def words(app: AppTest) -> str:
    shown = [*app.markdown, *app.text, *app.caption, *app.info, *app.warning, *app.error]
    return "\n".join(str(element.value) for element in shown).replace("\\", "").replace("\xa0", " ")


def test_empty_says_what_to_do(open_page: OpenPage) -> None:
    app = open_page("runs")
    assert not app.exception
    assert "Nothing here yet" in words(app)


def test_a_run_stands_under_its_study_with_its_metric(open_page: OpenPage, crf_run: str) -> None:
    app = open_page("runs")
    assert not app.exception
    assert not app.error
    assert "log-loss 0.700 (generic 0.800)" in words(app)
    assert "converged after 10 epochs" in words(app)
    assert "People's own parameters help to predict them" in words(app)
    assert "finished" in words(app)
    app.button(key=f"open_{crf_run}").click().run()
    assert app.title[0].value == "Fit"
    assert app.query_params["run"] == crf_run


def test_rename_and_delete_after_a_tick(open_page: OpenPage, crf_run: str, home: Path) -> None:
    app = open_page("runs", run=crf_run)
    app.text_input(key=f"name_{crf_run}").set_value("pilot").run()
    app.button(key=f"rename_{crf_run}").click().run()
    assert "pilot" in words(app)
    assert app.button(key=f"delete_{crf_run}").disabled
    app.checkbox(key=f"sure_{crf_run}").check().run()
    app.button(key=f"delete_{crf_run}").click().run()
    assert not app.exception
    assert not list((home / "runs").iterdir())
    assert "run" not in app.query_params
    assert "No model was trained on it yet" in words(app)


def test_delete_a_study_with_its_runs(
    open_page: OpenPage, crf_run: str, state_study: str, home: Path
) -> None:
    app = open_page("runs", run=crf_run)
    assert "its 1 run" in words(app)
    app.checkbox(key=f"sure_{state_study}").check().run()
    app.button(key=f"delete_{state_study}").click().run()
    assert not app.exception
    assert not list((home / "runs").iterdir())
    assert "Nothing here yet" in words(app)


def test_a_run_that_died_says_so_and_is_started_again(
    open_page: OpenPage, crf_run: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RunFolder(home / "runs" / crf_run).write_status(Status(RunState.RUNNING, progress=0.4))
    again = []
    monkeypatch.setattr(runs, "restart", again.append)
    app = open_page("runs")
    assert "ended from outside" in words(app)
    app.button(key=f"restart_{crf_run}").click().run()
    assert again == [crf_run]
    app = open_page("model", run=crf_run)
    app.button(key="restart").click().run()
    assert again == [crf_run, crf_run]


def test_the_queue_is_shown_in_order(
    open_page: OpenPage, crf_run: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_process", lambda *_: object())
    monkeypatch.setattr(runs, "queue", lambda: ["another", crf_run])
    RunFolder(home / "runs" / crf_run).write_status(Status(RunState.QUEUED))
    app = open_page("runs")
    assert not app.exception
    assert "waiting for its turn, 1 before it" in app.get("progress")[0].proto.text
    app.number_input(key="at_once").set_value(3).run()
    assert settings.trainings_at_once() == 3


def test_two_runs_are_compared(open_page: OpenPage, crf_run: str, home: Path) -> None:
    import shutil

    later = "20260102-000000-0000beef"
    shutil.copytree(home / "runs" / crf_run, home / "runs" / later)
    folder = RunFolder(home / "runs" / later)
    content = folder.read_json("run")
    content["options"]["placement"] = "last+transitions"
    folder.write_json("run", content)
    folder.write_json("config", folder.config | {"placement": "last+transitions"})
    app = open_page("runs")
    app.selectbox(key="compare_first").set_value(crf_run).run()
    app.selectbox(key="compare_second").set_value(later).run()
    assert not app.exception
    assert not app.error
    metrics, choices = (frame.value for frame in app.dataframe[:2])
    assert metrics["metric"].tolist() == ["log-loss", "Cohen's κ"]
    assert choices.iloc[0].tolist() == [
        "where people differ", "transitions", "last layer and transitions", "yes",
    ]  # fmt: skip
    used = choices.set_index("choice")
    assert used.loc["model", "first"] == "NME-CRF"
    assert used.loc["family", "second"] == "categorical"
    assert used.loc["passes through the data", "first"] == "until it has converged"
    assert "default" not in choices.to_numpy()


def test_a_failed_run_says_in_full_width_and_words_of_the_app_why(
    open_page: OpenPage, crf_run: str, home: Path
) -> None:
    message = (
        "An NME-CRF needs states as outcome, not a number. "
        "Read the study with outcome_kind='class', or use nme-mlp."
    )
    RunFolder(home / "runs" / crf_run).write_status(Status(RunState.FAILED, message=message))
    app = open_page("runs")
    assert not app.exception
    assert "The outcome is: class (state)" in words(app)
    assert "outcome_kind" not in words(app)
    (column,) = [one for one in app.columns if any("states" in text.value for text in one.caption)]
    assert column.weight > 0.7
    assert app.button(key=f"restart_{crf_run}").label == "Train again"
