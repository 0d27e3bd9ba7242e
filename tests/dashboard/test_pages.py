"""Each page without and with results: what a user reads, and that nothing went wrong."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

OpenPage = Callable[..., AppTest]
RESULT_PAGES = ("fit", "transitions", "random-effects", "covariates", "export")


def words(app: AppTest) -> str:
    """Everything readable on the page."""
    shown = [*app.markdown, *app.text, *app.caption, *app.info, *app.warning, *app.error]
    return "\n".join(str(element.value) for element in shown)


def assert_sound(app: AppTest) -> None:
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]


@pytest.mark.parametrize("page", RESULT_PAGES)
def test_without_a_study_says_to_load_one(open_page: OpenPage, page: str) -> None:
    app = open_page(page)
    assert_sound(app)
    assert "No study yet" in words(app)


@pytest.mark.parametrize("page", RESULT_PAGES)
def test_without_a_run_says_to_train(open_page: OpenPage, state_study: str, page: str) -> None:
    app = open_page(page, study=state_study)
    assert_sound(app)
    assert "No model yet" in words(app)


@pytest.mark.parametrize("page", [*RESULT_PAGES, "model"])
def test_an_unknown_run_says_so(open_page: OpenPage, page: str) -> None:
    app = open_page(page, run="../../etc")
    assert_sound(app)
    assert "no run at this address" in words(app)


@pytest.mark.parametrize("page", RESULT_PAGES)
@pytest.mark.parametrize("run", ["crf_run", "mlp_run"])
def test_loaded(open_page: OpenPage, request: pytest.FixtureRequest, run: str, page: str) -> None:
    app = open_page(page, run=request.getfixturevalue(run))
    assert_sound(app)
    assert app.title
    assert not [text for text in words(app).splitlines() if "nan" in text.split()]
