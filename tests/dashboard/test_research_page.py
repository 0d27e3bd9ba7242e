"""Research: hidden from clinicians, asks what makes sense, shows what was found."""

import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.components import links
from dashboard.services import jobs, research, settings
from dashboard.words.research import RESEARCH, TOOLS
from nme_core.io import RunFolder, RunState
from nme_core.runs.research import answers
from nme_core.runs.research.verdict import Verdict, write_tables

OpenPage = Callable[..., AppTest]
POWER = pd.DataFrame(
    {"n_persons": [50, 100], "n_rows": 30, "effect": 0.5, "test": "hsic", "power": [0.4, 0.9],
     "ci_low": [0.2, 0.7], "ci_high": [0.6, 1.0], "reps": 20}
)  # fmt: skip


@pytest.fixture(autouse=True)
def _researcher(home: Path) -> None:
    settings.set_view("researcher")


def text(app: AppTest) -> str:
    said = [*app.markdown, *app.caption, *app.info, *app.error]
    return "\n".join(one.value.replace("\\", "") for one in said)


def test_words_are_those_of_the_tools() -> None:
    assert set(TOOLS) == set(answers.TABLES)


def test_only_researchers_have_it_in_the_navigation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links.st, "Page", lambda *_, **how: (how["title"], how["visibility"]))

    def shown(researcher: bool) -> set[str]:
        pages = links.navigation_pages(researcher=researcher)
        return {title for title, visibility in pages if visibility == "visible"}

    assert shown(True) - shown(False) == {"Research"}


@pytest.mark.parametrize("run", ["crf_run", "mlp_run"])
@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_has_its_form(
    open_page: OpenPage, request: pytest.FixtureRequest, run: str, tool: str
) -> None:
    app = open_page("research", run=request.getfixturevalue(run))
    app.selectbox(key="tool").set_value(tool).run()
    assert not app.exception
    assert TOOLS[tool][1] in text(app)
    assert RESEARCH["none"] in text(app)
    assert app.button(key="ask_tool").label == RESEARCH["ask"]


def test_what_was_found_is_shown_with_its_figure(
    open_page: OpenPage, mlp_run: str, home: Path
) -> None:
    folder = answers.place(RunFolder(home / "runs" / mlp_run), "power")
    write_tables(folder, {"power": POWER})
    numbers = {"on": "level", "covariate": "depression", "alpha": 0.05, "wanted": 0.8}
    Verdict("power", "100 people are enough.", numbers, ("A note.",)).write(folder)
    app = open_page("research", run=mlp_run)
    app.selectbox(key="tool").set_value("power").run()
    assert not app.exception
    assert "100 people are enough." in text(app)
    assert "A note." in text(app)
    assert len(app.get("plotly_chart")) == 1
    assert list(app.dataframe[0].value["power"]) == [0.4, 0.9]


def test_a_job_that_is_refused_says_why(crf_run: str, home: Path) -> None:
    run = RunFolder(home / "runs" / crf_run)
    job = RunFolder(run.path / jobs.FOLDER / research.kind_of("multiverse"))
    study = RunFolder(run.path).read_json("run")["study"]
    asked = {"claim": {"covariate": "shoe size", "parameter": "stay"}}
    research.start(crf_run, study, "multiverse", asked)
    until = time.monotonic() + 120
    while jobs.is_active(crf_run, research.kind_of("multiverse")) and time.monotonic() < until:
        time.sleep(0.1)
    assert job.status.state is RunState.FAILED
    assert "shoe size" in job.status.message


def test_a_job_can_be_stopped(crf_run: str, home: Path) -> None:
    study = RunFolder(home / "runs" / crf_run).read_json("run")["study"]
    research.start(crf_run, study, "calibrate", {"reps": 500})
    kind = research.kind_of("calibrate")
    assert jobs.is_active(crf_run, kind)
    jobs.cancel(crf_run, kind)
    found = jobs.status(crf_run, kind)
    assert found is not None
    assert found.state is RunState.CANCELLED
    assert not jobs.is_active(crf_run, kind)
    jobs.cancel(crf_run, kind)  # nothing is at work
