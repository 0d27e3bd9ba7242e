"""The model page: choices, a run in its own process, and how it may end."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import runs, settings, studies
from nme_core.io import RunFolder, RunState, Status
from nme_core.vocabulary.settings import FitSettings

OpenPage = Callable[..., AppTest]


def words(app: AppTest) -> str:
    shown = [*app.markdown, *app.text, *app.caption, *app.info, *app.warning, *app.error]
    return "\n".join(str(element.value) for element in shown).replace("\xa0", " ")


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training that waits, so that a test can look at it."""
    program = "import time; time.sleep(600)"
    monkeypatch.setattr(runs, "command", lambda *_: [sys.executable, "-c", program])


def test_without_a_study_says_to_load_one(open_page: OpenPage) -> None:
    app = open_page("model")
    assert not app.exception
    assert "No study yet" in words(app)


def test_a_state_outcome_offers_both_models(open_page: OpenPage, state_study: str) -> None:
    app = open_page("model", study=state_study)
    assert app.radio(key="model_kind").value == "nme-crf"
    assert app.selectbox(key="placement").value == "last+transitions"
    app.selectbox(key="placement").select("transitions").run()
    app.radio(key="model_kind").set_value("nme-mlp").run()
    assert app.selectbox(key="placement").options == ["last layer", "first layer", "all layers"]
    assert not app.exception


def test_a_number_outcome_has_no_sequence_model(open_page: OpenPage, number_study: str) -> None:
    app = open_page("model", study=number_study)
    assert app.radio(key="model_kind").options == ["NME-MLP"]


def test_layers_that_make_no_sense_are_refused(open_page: OpenPage, state_study: str) -> None:
    app = open_page("model", study=state_study)
    app.text_input(key="hidden_nme-crf").set_value("16,many").run()
    assert "whole numbers" in app.error[0].value
    assert app.button(key="train").disabled


def test_what_a_network_does_not_take_is_refused_before_training(
    open_page: OpenPage, number_study: str
) -> None:
    app = open_page("model", study=number_study)
    app.checkbox(key="reml").check().run()
    assert "“Restricted likelihood (REML)” is for a model without" in app.error[0].value
    assert app.button(key="train").disabled
    app.text_input(key="hidden_nme-mlp").set_value("").run()
    assert not app.error
    assert not app.button(key="train").disabled


@pytest.mark.usefixtures("patient")
def test_train_follow_and_cancel(open_page: OpenPage, state_study: str) -> None:
    app = open_page("model", study=state_study)
    app.text_input(key="hidden_nme-crf").set_value("8, 4").run()
    app.selectbox(key="placement").select("transitions").run()
    app.button(key="train").click().run()
    assert not app.exception
    (run,) = runs.list_runs()
    assert run.options["hidden"] == [8, 4]
    assert run.options["placement"] == "transitions"
    assert run.active
    assert app.query_params["run"] == run.id
    assert app.expander[0].label == "Train another model meanwhile"
    app.button(key="cancel").click().run()
    assert not app.exception
    assert runs.run_record(run.id).status.state is RunState.CANCELLED
    assert "Cancelled" in words(app)
    assert "nothing of this run can be used" in words(app)
    assert app.button(key="train")


@pytest.mark.parametrize("page", ["model", "fit", "transitions"])
def test_a_cancelled_run_says_what_is_kept(
    open_page: OpenPage, crf_run: str, home: Path, page: str
) -> None:
    runs.cancel(crf_run)
    folder = RunFolder(home / "runs" / crf_run)
    assert folder.status.state is RunState.DONE
    folder.write_status(Status(RunState.RUNNING, message="nme, epoch 40", progress=0.4))
    runs.cancel(crf_run)
    app = open_page(page, run=crf_run)
    assert not app.exception
    assert not app.error
    assert "Kept: metrics and predictions of NME" in words(app).replace("\\", "")
    assert len(app.dataframe) == (1 if page == "fit" else 0)
    app = open_page("study")
    (label,) = app.selectbox(key="earlier_run").options
    app.selectbox(key="earlier_run").select(label).run()
    app.button(key="open_run").click().run()
    assert app.title[0].value == "Fit"


@pytest.mark.usefixtures("home")
@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
@pytest.mark.parametrize("model", ["nme-crf", "nme-mlp"])
def test_untouched_options_are_the_shell_s(
    open_page: OpenPage,
    nme: Callable[..., object],
    state_study: str,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
) -> None:
    started = []
    monkeypatch.setattr(runs, "start", lambda *given: started.append(given) or "none")
    app = open_page("model", study=state_study)
    app.radio(key="model_kind").set_value(model).run()
    app.multiselect(key="baselines").set_value(["generic", "specific"]).run()
    app.button(key="train").click().run()
    ((record, options),) = started
    study = home / "studies" / state_study
    book = studies.codebook(state_study)
    book.loc[book["name"] == "sleep", "label"] = "Hours asleep"
    studies.keep_codebook(state_study, book)
    words_given = runs.command(study, record, options, tmp_path / "page")[3:]
    roles = ["--person", "pid", "--outcome", "feeling", "--time", "day"]
    roles += ["--features", "sleep,steps", "--covariates", study / "covariates.csv"]
    words_shell = ["fit", study / "long.csv", *roles, "--model", model, "--out", tmp_path / "shell"]
    configs = []
    for name, given in {"page": words_given, "shell": words_shell}.items():
        said = nme(*given, "--epochs", 1)
        assert said.code == 0, said.err
        config = RunFolder(tmp_path / name).config
        del config["command"]
        configs.append(config)
    assert configs[0] == configs[1]
    assert configs[0]["hidden"] == ([] if model == "nme-crf" else "auto")
    told = RunFolder(tmp_path / "page").table("codebook").set_index("name")
    assert told.loc["sleep", ["label", "role"]].tolist() == ["Hours asleep", "feature"]


def test_every_option_has_a_help_text(open_page: OpenPage, state_study: str) -> None:
    app = open_page("model", study=state_study)
    options = (app.selectbox(key="covariance"), app.selectbox(key="estimator"))
    for widget in (*options, app.number_input(key="seed")):
        assert len(widget.help) > 40
    assert app.multiselect(key="baselines").options == ["generic", "specific", "unregularised"]


def test_a_preset_sets_what_is_compared(open_page: OpenPage, state_study: str) -> None:
    app = open_page("model", study=state_study)
    assert app.multiselect(key="baselines").value == ["generic"]
    app.radio(key="preset").set_value("thorough").run()
    assert app.multiselect(key="baselines").value == ["generic", "specific", "unregularised"]
    assert app.number_input(key="tune").value == 10
    app.multiselect(key="baselines").set_value([]).run()
    assert app.multiselect(key="baselines").value == []
    assert not app.exception


def test_a_network_has_a_kind_of_outcome_and_a_sequence_model_has_none(
    open_page: OpenPage, state_study: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    monkeypatch.setattr(runs, "start", lambda *given: started.append(given[1]) or "none")
    app = open_page("model", study=state_study)
    assert "family" not in {widget.key for widget in app.selectbox}
    app.radio(key="model_kind").set_value("nme-mlp").run()
    app.selectbox(key="family").select("ordinal").run()
    app.selectbox(key="estimator").select("annealed").run()
    app.button(key="train").click().run()
    assert (started[0].family, started[0].estimator) == ("ordinal", "annealed")


def test_a_clinician_has_a_preset_and_a_button(
    open_page: OpenPage, state_study: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    monkeypatch.setattr(runs, "start", lambda *given: started.append(given[1]) or "none")
    settings.set_view("clinician")
    app = open_page("model", study=state_study)
    assert not app.expander
    app.button(key="train").click().run()
    (options,) = started
    assert options == FitSettings("nme-crf", "last+transitions", baselines=("generic",))


def test_time_is_judged_by_earlier_trainings(
    open_page: OpenPage, crf_run: str, state_study: str, home: Path
) -> None:
    settings.set_view("clinician")
    assert "Nothing is known yet" in words(open_page("model", study=state_study))
    folder = RunFolder(home / "runs" / crf_run)
    content = folder.read_json("run")
    content["options"] |= {"placement": "last+transitions", "hidden": None}
    folder.write_json("run", content)
    shown = words(open_page("model", study=state_study))
    assert "about 60 seconds, judged by 1 earlier training of this kind" in shown


def test_progress_is_shown(
    open_page: OpenPage, crf_run: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_process", lambda *_: object())
    folder = RunFolder(home / "runs" / crf_run)
    folder.write_status(Status(RunState.RUNNING, message="nme, epoch 40", progress=0.4))
    app = open_page("model", run=crf_run)
    assert not app.exception
    assert app.get("progress")[0].proto.value == 40
    assert "epoch 40" in app.get("progress")[0].proto.text
    # Losses, and the variances of residuals and random effects.
    assert len(app.get("plotly_chart")) == 2


def test_another_training_is_asked_for_while_one_is_at_work(
    open_page: OpenPage, crf_run: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_process", lambda *_: object())
    started: list[FitSettings] = []
    monkeypatch.setattr(runs, "start", lambda *given: started.append(given[1]) or "none")
    RunFolder(home / "runs" / crf_run).write_status(Status(RunState.RUNNING, progress=0.4))
    app = open_page("model", run=crf_run)
    assert app.get("progress")
    assert "waits for its turn" in words(app)
    app.number_input(key="seed").set_value(7).run()
    app.button(key="train").click().run()
    assert [options.seed for options in started] == [7]
    settings.set_view("clinician")
    app = open_page("model", run=crf_run)
    assert app.get("progress")
    assert "train" not in {button.key for button in app.button}  # nothing could be chosen anew


def test_a_failed_run_says_why(open_page: OpenPage, crf_run: str, home: Path) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    folder.write_status(Status(RunState.FAILED, message="The outcome is constant."))
    app = open_page("model", run=crf_run)
    assert "outcome is constant" in app.error[0].value
    assert app.button(key="train")


def test_a_finished_run_has_a_verdict_and_the_way_on(open_page: OpenPage, crf_run: str) -> None:
    app = open_page("model", run=crf_run)
    assert not app.exception
    assert "does worse" in words(app)


def test_a_preset_holds_where_the_page_is_left_and_opened_again(
    open_page: OpenPage, state_study: str
) -> None:
    app = open_page("model", study=state_study)
    assert app.multiselect(key="baselines").value == ["generic"]
    app.switch_page("pages/runs.py").run()
    app.switch_page("pages/model.py").run()
    assert app.multiselect(key="baselines").value == ["generic"]
