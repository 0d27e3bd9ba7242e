"""The page Covariates: choices, what was found, its cautions, groups, both views."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import covariates, jobs, settings
from nme_core.io import RunFolder, RunState, Status
from nme_core.study.check.attendance import TRAP
from nme_core.study.check.circular import CIRCULAR
from tests.dashboard.conftest import STRATA

OpenPage = Callable[..., AppTest]


def words(app: AppTest) -> str:
    shown = [*app.markdown, *app.text, *app.caption, *app.info, *app.warning, *app.error]
    return "\n".join(str(element.value) for element in shown).replace("\\", "").replace("\xa0", " ")


def titles(app: AppTest) -> list[str]:
    return [heading.value for heading in app.header]


def assert_sound(app: AppTest) -> None:
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]


def folder(home: Path, run: str) -> RunFolder:
    return RunFolder(home / "runs" / run)


def test_choices_begin_at_the_core_s_defaults(open_page: OpenPage, crf_run: str) -> None:
    app = open_page("covariates", run=crf_run)
    assert_sound(app)
    guard = app.selectbox(key=f"guard_{crf_run}")
    assert guard.value == covariates.guard_of(covariates.CovariateOptions())
    assert len(guard.options) == len(covariates.guards())
    assert app.multiselect(key=f"confounders_{crf_run}_depression").value == []
    assert app.checkbox(key=f"incremental_{crf_run}").disabled


def test_what_is_chosen_is_how_it_is_tested(open_page: OpenPage, crf_run: str, home: Path) -> None:
    persons = folder(home, crf_run).covariates.index
    values = np.random.default_rng(0).uniform(1, 2, (2, len(persons)))
    rows = [
        pd.DataFrame({"person": persons, "summary": name, "value": own, "n": 20})
        for name, own in zip(("mean", "sd"), values, strict=True)
    ]
    folder(home, crf_run).write_table("person_summaries", pd.concat(rows))
    app = open_page("covariates", run=crf_run)
    app.selectbox(key=f"guard_{crf_run}").set_value("none")
    app.multiselect(key=f"confounders_{crf_run}_depression").set_value(["clinic"])
    app.radio(key=f"adjust_{crf_run}").set_value("holm")
    app.checkbox(key=f"incremental_{crf_run}").check()
    app.button(key="run_hsic").click().run()
    assert_sound(app)
    row = folder(home, crf_run).table("hsic").iloc[0]
    assert (row["strata"], row["given"], row["incremental"]) == ("none", "clinic", True)
    assert row["method"].endswith("holm")
    shown = words(app)
    assert "Given clinic" in shown
    assert "Incremental: tested is whether" in shown
    table = app.dataframe[0].value
    assert list(table.columns[:7]) == [
        "covariate", "taken as", "strength", "clearest single effect", "p", "corrected p",
        "people",
    ]  # fmt: skip
    assert table["clearest single effect"].str.contains(r"(?:higher|lower): .*\[").all()
    later = open_page("covariates", run=crf_run)
    assert later.multiselect(key=f"confounders_{crf_run}_depression").value == ["clinic"]
    assert later.selectbox(key=f"guard_{crf_run}").value == "none"


def test_every_covariate_tested_counts_and_says_so(open_page: OpenPage, crf_run: str) -> None:
    covariates.run_tests(crf_run, "clinic", STRATA)
    app = open_page("covariates", run=crf_run)
    assert "Tested on this run before: clinic." in words(app)
    assert "depression has not been tested on this run yet" in words(app)
    app.button(key="run_hsic").click().run()
    assert_sound(app)
    assert "Tests corrected together: 2." in words(app)
    assert "corrected for 2 tests" in words(app)


def test_low_reliability_of_what_is_tested_is_a_caution(
    open_page: OpenPage, crf_run: str, home: Path
) -> None:
    run = folder(home, crf_run)
    covariates.run_tests(crf_run, "clinic", covariates.replace(STRATA, of="weights"))
    run.write_table("random_effects", run.table("random_effects").assign(reliability=0.12))
    app = open_page("covariates", run=crf_run)
    assert_sound(app)
    assert "reliability of 0.12, below .30" in words(app)
    assert app.button(key="run_stability")
    names = [*run.table("random_effects")["parameter"].unique(), "all"]
    halves = {"parameter": names, "split_half": 0.71, "n_persons": 24, "seed_agreement": 0.9}
    run.write_table("stability", pd.DataFrame(halves).assign(halves="odd and even rows"))
    checked = app.run()
    assert "from halves of each person's data: 0.71" in words(checked)
    assert "another seed: 0.90" in words(checked)
    assert "below .30: most" not in words(checked)
    assert "run_stability" not in {button.key for button in checked.button}


def test_stability_is_asked_for_as_a_job(
    open_page: OpenPage, crf_run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}
    monkeypatch.setattr(
        jobs, "start", lambda run, kind, **request: asked.update(request, kind=kind)
    )
    app = open_page("covariates", run=crf_run)
    app.button(key="run_stability").click().run()
    assert_sound(app)
    assert asked["kind"] == "stability"
    assert Path(asked["long"]).is_file()
    assert asked["seeds"] == 1


def test_a_long_test_runs_beside_the_page(
    open_page: OpenPage, crf_run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}
    monkeypatch.setattr(jobs, "start", lambda run, kind, **request: asked.update(request))
    app = open_page("covariates", run=crf_run)
    app.selectbox(key=f"guard_{crf_run}").set_value("draws")
    app.button(key="run_hsic").click().run()
    assert_sound(app)
    assert asked["family"] == ("depression",)
    assert asked["how"]["guard"] == "draws"
    assert not covariates.tested(crf_run)


def test_bands_are_kept_from_the_page(open_page: OpenPage, crf_run: str, home: Path) -> None:
    covariates.run_tests(crf_run, "depression", STRATA)
    app = open_page("covariates", run=crf_run)
    assert "Transitions by group" in titles(app)
    assert "neither in the lowest nor in the highest third" in words(app)
    app.selectbox(key=f"bands_{crf_run}_depression").set_value("CES-D").run()
    assert "Radloff" in words(app)
    app.button(key=f"keep_bands_{crf_run}_depression").click().run()
    assert_sound(app)
    assert "Usual bands, Radloff (1977)" in words(app)
    assert folder(home, crf_run).read_json("bands")["depression"][1][0] == 16


def test_a_clinician_reads_one_sentence_and_sees_one_figure(
    open_page: OpenPage, crf_run: str, mlp_run: str
) -> None:
    settings.set_view("clinician")
    moves, weights = "how people move between states", "what the model learned of each person"
    for run, what in ((crf_run, moves), (mlp_run, weights)):
        covariates.run_tests(run, "depression", STRATA)
        app = open_page("covariates", run=run)
        assert_sound(app)
        shown = words(app)
        assert what in shown
        assert "HSIC" not in shown
        assert "ρ" not in shown
        assert not app.dataframe
        assert not app.expander
        assert len(app.get("plotly_chart")) == 1


def test_a_clinician_is_told_of_the_trap_without_statistics(
    open_page: OpenPage, crf_run: str, home: Path
) -> None:
    run = folder(home, crf_run)
    rows = run.table("random_effects")
    rows["n_obs"] = 100 - rows["person"].map(run.covariates["depression"])
    run.write_table("random_effects", rows)
    settings.set_view("clinician")
    doubt = TRAP.format(who="People with a higher 'depression' have fewer observations")
    found = {"column": "depression", "severity": "look", "message": doubt, "remedy": ""}
    other = TRAP.format(who="The groups of 'clinic' differ in their number of observations")
    others = found | {"column": "clinic", "message": other}
    run.write_table("findings", pd.DataFrame([found, others]))
    covariates.run_tests(crf_run, ("depression", "clinic"), STRATA)
    app = open_page("covariates", run=crf_run)
    shown = words(app)
    assert "People with a higher score have fewer observations" in shown
    assert TRAP.removeprefix("{who}") not in shown  # it is told once
    assert "ρ" not in shown
    app.selectbox(key="covariate").select("clinic").run()
    assert other in words(app)
    assert doubt not in words(app)


def test_all_covariates_are_tested_in_one_press(open_page: OpenPage, crf_run: str) -> None:
    app = open_page("covariates", run=crf_run)
    app.selectbox(key=f"guard_{crf_run}").set_value("strata").run()
    assert app.button(key="run_all").label == "Test all 2"
    app.button(key="run_all").click().run()
    assert_sound(app)
    assert app.dataframe[0].value["covariate"].tolist() == ["depression", "clinic"]
    assert "Tests corrected together: 2." in words(app)


def test_a_press_during_a_test_waits_for_its_turn(
    open_page: OpenPage, crf_run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(jobs, "start", lambda run, kind, **request: asked.append(request["family"]))
    working = [True]
    monkeypatch.setattr(jobs, "is_active", lambda run, kind: working[0])
    monkeypatch.setattr(
        jobs, "status", lambda run, kind: Status(RunState.RUNNING) if working[0] else None
    )
    app = open_page("covariates", run=crf_run)
    app.selectbox(key=f"guard_{crf_run}").set_value("draws").run()
    app.button(key="run_hsic").click().run()
    assert_sound(app)
    assert asked == []
    assert "Tested next: depression." in words(app)
    working[0] = False
    app.run()
    assert asked == [("depression",)]
    assert "Tested next" not in words(app)


def test_what_is_part_of_the_outcome_is_no_finding(
    open_page: OpenPage, mlp_run: str, home: Path
) -> None:
    run = folder(home, mlp_run)
    message = CIRCULAR.format(name="depression", what="first", outcome="feeling", sum=24, equal=24)
    found = {"column": "depression", "severity": "look", "message": message, "remedy": ""}
    run.write_table("findings", pd.DataFrame([found]))
    covariates.run_tests(mlp_run, ("depression", "clinic"), STRATA)
    settings.set_view("clinician")
    app = open_page("covariates", run=mlp_run)
    app.selectbox(key="covariate").select("depression").run()
    assert "**depression is part of the outcome itself" in words(app)
    assert "that they differ is no finding" in words(app)
    assert "strength" not in app.markdown[-3].value
    app.selectbox(key="covariate").select("clinic").run()
    assert message not in words(app)
