"""The two views: what each shows, and that the switch is remembered."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import settings

OpenPage = Callable[..., AppTest]
# What a clinician is never asked or shown.
TECHNICAL = ("at_once", "covariance", "seed", "baselines", "readout", "parameter", "compare_first")


def words(app: AppTest) -> str:
    shown = [*app.markdown, *app.text, *app.caption, *app.info, *app.warning, *app.error]
    return "\n".join(str(element.value) for element in shown).replace("\\", "").replace("\xa0", " ")


@pytest.mark.parametrize(
    ("page", "run"),
    [
        ("runs", "crf_run"), ("model", "crf_run"), ("fit", "crf_run"), ("transitions", "crf_run"),
        ("random-effects", "crf_run"), ("random-effects", "mlp_run"), ("covariates", "crf_run"),
        ("export", "mlp_run"),
    ],
)  # fmt: skip
def test_a_clinician_sees_each_page_without_settings(
    open_page: OpenPage, request: pytest.FixtureRequest, page: str, run: str
) -> None:
    identity = request.getfixturevalue(run)
    settings.set_view("clinician")
    app = open_page(page, run=identity)
    assert not app.exception
    assert not app.error
    assert app.title
    shown = {getattr(widget, "key", None) for widget in app.main}
    assert not shown & {*TECHNICAL} or page == "export"


def test_the_switch_changes_the_page_and_is_remembered(open_page: OpenPage, crf_run: str) -> None:
    app = open_page("fit", run=crf_run)
    assert "Each person's own, averaged over people" in [heading.value for heading in app.header]
    app.radio(key="view").set_value("clinician").run()
    assert not app.exception
    assert not app.header
    assert "giving people parameters of their own predicts better" in words(app)
    assert app.dataframe[0].value.columns.tolist()[:2] == ["model", "log-loss"]
    assert settings.view() == "clinician"
    later = open_page("fit", run=crf_run)
    assert not later.header


def test_the_language_changes_the_page_at_once_and_is_remembered(
    open_page: OpenPage, crf_run: str
) -> None:
    app = open_page("fit", run=crf_run)
    assert app.title[0].value == "Fit"
    app.radio(key="language").set_value("de").run()
    assert not app.exception
    assert app.title[0].value == "Güte"
    assert app.radio(key="view").label == "Ansicht"
    assert settings.language() == "de"
    later = open_page("study")
    assert later.title[0].value == "Studie"
    later.radio(key="language").set_value("en").run()
    assert later.title[0].value == "Study"


def test_another_session_does_not_switch_what_was_chosen(open_page: OpenPage) -> None:
    settings.set_view("clinician")
    open_before = open_page("study")
    settings.set_view("researcher")
    open_before.run()
    assert open_before.radio(key="view").value == "clinician"
    assert settings.view() == "researcher"


def test_a_clinician_reads_in_words_where_persons_differ(open_page: OpenPage, crf_run: str) -> None:
    app = open_page("fit", run=crf_run)
    assert "CRF, transitions" in words(app)
    settings.set_view("clinician")
    shown = words(open_page("fit", run=crf_run))
    assert "CRF, transitions" not in shown
    assert "How people move between states" in shown
