"""The page Fit: what it says of the intervals."""

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from dashboard.services import results

OpenPage = Callable[..., AppTest]


def words(app: AppTest) -> str:
    shown = [*app.markdown, *app.caption, *app.subheader]
    return "\n".join(str(element.value) for element in shown).replace("\\", "")


def record(run: str, notes: list[dict[str, str]]) -> None:
    folder = results.run_folder(run)
    folder.write_json("config", {**folder.config, "approximate": notes})


def test_a_run_without_the_record_says_so(open_page: OpenPage, mlp_run: str) -> None:
    app = open_page("fit", run=mlp_run)
    assert not app.exception
    assert "does not record" in words(app)


def test_each_reason_is_given_once_with_what_it_concerns(open_page: OpenPage, mlp_run: str) -> None:
    tables = ("fixed_effects", "random_effects")
    record(mlp_run, [{"table": table, "reason": "Few persons."} for table in tables])
    app = open_page("fit", run=mlp_run)
    assert not app.exception
    shown = words(app)
    assert shown.count("Few persons.") == 1
    assert "Concerns the fixed effects, the persons' parameters." in shown


def test_nothing_approximate(open_page: OpenPage, mlp_run: str) -> None:
    record(mlp_run, [])
    assert "No interval of this model" in words(open_page("fit", run=mlp_run))
