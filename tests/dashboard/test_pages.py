"""Each page without and with results: what a user reads, and that nothing went wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from benchmarks import dashboard
from dashboard.components import context
from dashboard.services import covariates, runs
from dashboard.words.pages import PAGES
from nme_core.figures import names
from nme_core.figures.catalogue import KINDS
from nme_core.io import RunFolder, RunState, Status
from tests.dashboard.conftest import STRATA

OpenPage = Callable[..., AppTest]
RESULT_PAGES = ("fit", "transitions", "random-effects", "covariates", "export")


def words(app: AppTest) -> str:
    """Everything readable on the page."""
    shown = [*app.markdown, *app.text, *app.caption, *app.info, *app.warning, *app.error]
    return "\n".join(str(element.value) for element in shown).replace("\xa0", " ")


class DrawnAnewError(Exception):
    """The page asked to be drawn anew."""


def draw_anew() -> None:
    raise DrawnAnewError


def assert_sound(app: AppTest) -> None:
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]


@pytest.mark.parametrize("page", [*RESULT_PAGES, "new-person"])
def test_without_a_study_says_to_load_one(open_page: OpenPage, page: str) -> None:
    app = open_page(page)
    assert_sound(app)
    assert "No study yet" in words(app)


@pytest.mark.parametrize("page", [*RESULT_PAGES, "new-person"])
def test_without_a_run_says_to_train(open_page: OpenPage, state_study: str, page: str) -> None:
    app = open_page(page, study=state_study)
    assert_sound(app)
    assert "No model yet" in words(app)


def test_a_page_of_an_unfinished_run_says_where_it_stands_and_fills_by_itself(
    open_page: OpenPage, crf_run: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_process", lambda *_: object())
    monkeypatch.setattr(runs, "queue", lambda: ["another", crf_run])
    folder = RunFolder(home / "runs" / crf_run)
    done = folder.status
    folder.write_status(Status(RunState.QUEUED))
    app = open_page("transitions", run=crf_run)
    assert_sound(app)
    assert "This training waits for its turn" in words(app)
    assert "1 before it" in app.get("progress")[0].proto.text
    assert app.title[0].value == "Transitions"
    assert not app.get("plotly_chart")
    assert "Waiting" in [heading.value for heading in open_page("model", run=crf_run).header]
    folder.write_status(Status(RunState.RUNNING, progress=0.5, message="nme, epoch 40"))
    app = open_page("transitions", run=crf_run)
    assert "Training is still going on" in words(app)
    assert "epoch 40" in app.get("progress")[0].proto.text
    # What the page calls every two seconds draws it anew once the run has ended.
    folder.write_status(done)
    monkeypatch.setattr(context.st, "rerun", draw_anew)
    with pytest.raises(DrawnAnewError):
        context._follow.__wrapped__(crf_run)


@pytest.mark.parametrize("page", [*RESULT_PAGES, "model"])
def test_an_unknown_run_says_so(open_page: OpenPage, page: str) -> None:
    app = open_page(page, run="../../etc")
    assert_sound(app)
    assert "No run was found at this address" in words(app)


@pytest.mark.parametrize("page", RESULT_PAGES)
@pytest.mark.parametrize("run", ["crf_run", "mlp_run"])
def test_loaded(open_page: OpenPage, request: pytest.FixtureRequest, run: str, page: str) -> None:
    app = open_page(page, run=request.getfixturevalue(run))
    assert_sound(app)
    assert app.title
    assert not [text for text in words(app).splitlines() if "nan" in text.split()]


def test_hsic_is_run_from_the_page(open_page: OpenPage, crf_run: str) -> None:
    app = open_page("covariates", run=crf_run)
    assert "run the test" in words(app)
    app.selectbox(key="covariate").select("clinic").run()
    app.selectbox(key=f"guard_{crf_run}").set_value("strata")
    app.button(key="run_hsic").click().run()
    assert_sound(app)
    assert app.dataframe[0].value["covariate"].tolist() == ["clinic"]
    assert "Tests corrected together: 1." in words(app)
    assert len(app.get("plotly_chart")) == 3
    assert "HSIC answers whether" in words(app)


def test_a_networks_single_weights_are_shown_last(open_page: OpenPage, mlp_run: str) -> None:
    app = open_page("covariates", run=mlp_run)
    app.selectbox(key=f"guard_{mlp_run}").set_value("strata").run()
    app.button(key="run_hsic").click().run()
    assert_sound(app)
    assert app.expander[-1].label == "Single parameters"
    assert len(app.expander[-1].dataframe) == 1
    assert len(app.dataframe) == 3
    assert "a description, not a test" in words(app)
    assert len(app.get("plotly_chart")) == 3


def test_curves_by_covariate_are_exported(open_page: OpenPage, mlp_run: str) -> None:
    app = open_page("export", run=mlp_run)
    app.selectbox(key="export_figure").select("Response curves by covariate").run()
    assert_sound(app)
    assert app.selectbox(key="covariate").options == ["depression", "clinic"]


@pytest.mark.parametrize("kind", ["mlp_run", "crf_run"])
def test_every_figure_that_the_run_has_is_offered(
    open_page: OpenPage, kind: str, request: pytest.FixtureRequest, home: Path
) -> None:
    run = request.getfixturevalue(kind)
    covariates.run_tests(run, "depression", STRATA)
    app = open_page("export", run=run)
    there = {name.partition(":")[0] for name in names(home / "runs" / run)}
    labels = [one.label for name, one in KINDS.items() if name in there]
    assert app.selectbox(key="export_figure").options == labels
    for label in labels:
        app.selectbox(key="export_figure").select(label).run()
        assert_sound(app)
        assert app.button(key="pin_export"), label


def test_a_compliance_trap_is_announced(open_page: OpenPage, crf_run: str, home: Path) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    effects = folder.table("random_effects")
    effects["n_obs"] = 100 - effects["person"].map(folder.covariates["depression"])
    folder.write_table("random_effects", effects)
    app = open_page("covariates", run=crf_run)
    app.selectbox(key="covariate").select("depression").run()
    assert "ρ\xa0\\=\xa0−1\\.00," in app.warning[0].value
    assert "fewer observations" in app.warning[0].value


def test_person_and_readout_change_the_figure(open_page: OpenPage, crf_run: str) -> None:
    app = open_page("transitions", run=crf_run)
    before = words(app)
    app.selectbox(key="person").select("011").run()
    assert_sound(app)
    assert "Person 011" in words(app) != before
    app.selectbox(key="readout").select("scores").run()
    assert_sound(app)
    assert "Not a probability" in words(app)


def test_counted_transitions_rest_on_no_fit(open_page: OpenPage, crf_run: str) -> None:
    app = open_page("transitions", run=crf_run)
    assert "second fit" in words(app)
    app.selectbox(key="readout").select("observed").run()
    assert_sound(app)
    assert "second fit" not in words(app)
    assert "Counted in the recorded sequences, no model involved" in words(app)


def test_the_loss_of_sequences_is_explained(
    open_page: OpenPage, crf_run: str, mlp_run: str
) -> None:
    assert "held\\-out segment together" in words(open_page("fit", run=crf_run))
    assert "held\\-out segment together" not in words(open_page("fit", run=mlp_run))


def test_separate_networks_say_which_epoch_was_kept(
    open_page: OpenPage, crf_run: str, home: Path
) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    verdicts = {"nme": "converged", "specific": "converged"}
    folder.write_json("config", folder.config | {"verdicts": verdicts})
    shown = words(open_page("fit", run=crf_run)).replace("\\", "")
    assert "NME (person-specific) converged; specific (one per person) best epoch" in shown
    assert "best epoch of each person kept" in shown


def test_every_export_is_offered(open_page: OpenPage, crf_run: str) -> None:
    app = open_page("export", run=crf_run)
    keys = {button.key for button in app.get("download_button")}
    assert keys == {
        "export_png", "export_svg", "export_pdf", "export_csv", "export_html", "report_html",
        "report_pdf", "bundle_zip", "person_pdf", "words_docx", "bib", "table_csv", "table_html",
        "table_tex", "table_docx",
    }  # fmt: skip
    assert "24 people" in app.code[0].value
    assert not app.error


def test_an_unexpected_error_is_logged_and_not_shown(
    open_page: OpenPage, crf_run: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("dashboard.services.results.readouts", fail)
    app = open_page("transitions", run=crf_run)
    assert not app.exception
    assert "a secret" not in words(app)
    assert "Something went wrong" in words(app)
    assert "a secret" in (home / "dashboard.log").read_text()


def test_every_page_and_section_is_timed(crf_run: str) -> None:
    taken = {name: cpu for name, cpu, _ in dashboard.times(crf_run)}
    assert {name for name in taken if ":" not in name} == set(PAGES)
    assert {"transitions: Groups", "random-effects: People"} <= set(taken)
    assert all(cpu > 0 for cpu in taken.values())


def test_the_side_bar_says_how_far_training_is_on_every_page(
    open_page: OpenPage, crf_run: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_process", lambda *_: object())
    monkeypatch.setattr(runs, "queue", list)
    folder = RunFolder(home / "runs" / crf_run)
    folder.write_status(Status(RunState.RUNNING, progress=0.4, message="nme, epoch 40"))
    app = open_page("study", run=crf_run)
    assert_sound(app)
    (bar,) = app.sidebar.get("progress")
    assert bar.proto.text == "Training, 40 %"
    folder.write_status(Status(RunState.DONE, progress=1.0))
    assert not open_page("study", run=crf_run).sidebar.get("progress")
