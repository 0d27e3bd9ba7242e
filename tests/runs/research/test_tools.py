"""Research tools by name: each is asked of one run, and its answer is found again."""

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import OptionError
from nme_core.figures.drawing import Paper
from nme_core.figures.of_research import of_tool
from nme_core.io import RunFolder
from nme_core.reports.content import study_report
from nme_core.runs.research import answers, tools
from nme_core.vocabulary.terms import QUESTIONS

pytestmark = pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
CLAIM = {"covariate": "score", "parameter": "level", "direction": "positive",
         "choices": {"exclusions": ["none"], "covariance": ["diagonal"]}}  # fmt: skip
ASKED = {
    "covariance": ({}, None),
    "calibrate": ({"reps": 3}, "study_coverage"),
    "power": ({"covariate": "score", "effects": [1.0], "persons": [12], "rows": [6], "reps": 2},
              "power_curve"),
    "ablate": ({"placements": ["layers.0.bias"], "shares": [0.5, 1.0], "seeds": 1},
               "learning_curve"),
    "multiverse": ({"claim": CLAIM, "worlds": 2}, "specification_curve"),
    "replicate": ({"covariate": "score"}, "replication"),
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory, nme):
    rng, n, m = np.random.default_rng(5), 24, 10
    score, x = rng.normal(size=n), rng.normal(size=(n, m))
    y = 5 + score[:, None] + x + 0.7 * rng.normal(size=(n, 1)) + 0.5 * rng.normal(size=(n, m))
    who = np.repeat([f"p{i:02d}" for i in range(n)], m)
    folder = tmp_path_factory.mktemp("study")
    long = pd.DataFrame({"id": who, "t": np.tile(range(m), n), "x": x.ravel(), "y": y.ravel()})
    long.to_csv(folder / "long.csv", index=False)
    people = pd.DataFrame({"id": sorted(set(who)), "score": score})
    people.to_csv(folder / "people.csv", index=False)
    found = nme(
        "fit", folder / "long.csv", "--covariates", folder / "people.csv", "--person", "id",
        "--time", "t", "--outcome", "y", "--model", "nme-mlp", "--hidden", "none", "--residual",
        "iid", "--baselines", "none", "--out", folder / "run", "--quiet",
    )  # fmt: skip
    assert found.code == 0, found
    files = tools.Files(str(folder / "long.csv"), str(folder / "people.csv"))
    return RunFolder(folder / "run"), files


def test_every_tool_has_a_table_and_is_tried():
    assert set(answers.TABLES) == set(ASKED)


@pytest.mark.parametrize("tool", ASKED)
def test_a_tool_answers(run, tool):
    folder, files = run
    asked, figure = ASKED[tool]
    told = []
    tools.ask(tool, folder, asked, files, report=lambda what, part: told.append(part))
    found = answers.answer(folder, tool)
    assert found is not None
    assert found.verdict["tool"] == tool
    assert found.verdict["answer"]
    assert len(found.table)
    assert told[-1] == 1
    drawn = of_tool(tool, found.table, found.verdict, folder)
    assert (None if drawn is None else drawn.name) == figure
    assert drawn is None or drawn.file("png", Paper(dpi=60)).startswith(b"\x89PNG")


def test_answers_of_a_run_are_found_together(run):
    folder, files = run
    tools.ask("power", folder, ASKED["power"][0], files)
    tools.ask("covariance", folder, {}, files)
    assert {"power", "covariance"} <= set(answers.answers(folder))
    assert tools.may_move(folder) == ["level", "slope:x"]


def test_the_report_has_what_was_found(run):
    folder, files = run
    tools.ask("power", folder, ASKED["power"][0], files)
    (section,) = [one for one in study_report(folder).sections if one.title == "Further questions"]
    answer = answers.answer(folder, "power").verdict["answer"]
    assert f"{QUESTIONS['power']} {answer}" in [getattr(one, "text", "") for one in section.blocks]
    assert "power_curve" in [getattr(one, "name", "") for one in section.blocks]


def test_a_tool_that_there_is_not(run):
    folder, files = run
    with pytest.raises(OptionError, match="no tool 'luck'"):
        tools.ask("luck", folder, {}, files)
    assert answers.answer(RunFolder(folder.path / "nowhere"), "power") is None
