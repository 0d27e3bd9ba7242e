"""The study page: a sample or an upload becomes a study with a report."""

from collections.abc import Callable

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import studies

OpenPage = Callable[..., AppTest]


def words(app: AppTest) -> str:
    shown = [*app.markdown, *app.text, *app.caption, *app.info, *app.subheader]
    return "\n".join(str(element.value) for element in shown)


def upload(app: AppTest, table: pd.DataFrame, key: str = "upload_long") -> AppTest:
    content = table.to_csv(index=False).encode()
    return app.file_uploader(key=key).upload(f"{key}.csv", content, "text/csv").run()


def diary(persons: tuple[str, ...] = ("007", "008", "009", "010", "011", "012")) -> pd.DataFrame:
    rows = [
        (person, day, 6 + (day * 7 % 5) / 2 + i / 3, 5 + (day * 3 % 7) / 2)
        for i, person in enumerate(persons)
        for day in range(12)
    ]
    return pd.DataFrame(rows, columns=["pid", "day", "sleep", "mood"])


def test_empty(open_page: OpenPage) -> None:
    app = open_page("study")
    assert not app.exception
    assert app.selectbox(key="sample_study").value is None
    assert "Simulated studies" in words(app)
    assert [uploader.key for uploader in app.file_uploader] == ["upload_long", "upload_covariates"]


def test_sample_study_is_loaded_with_its_report(open_page: OpenPage) -> None:
    app = open_page("study")
    app.selectbox(key="sample_study").select("dyads").run()
    assert app.selectbox(key="role_outcome").value == "state"
    assert "depression" in app.multiselect(key="role_covariates").value
    app.button(key="load_study").click().run()
    assert not app.exception
    assert not app.error
    assert "Report on dyads" in words(app)
    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["Persons"] == "100"
    kept = studies.list_studies()
    assert [study.name for study in kept] == ["dyads"]
    assert app.query_params["study"] == kept[0].id


def test_upload_with_changed_roles(open_page: OpenPage) -> None:
    app = upload(open_page("study"), diary())
    scores = pd.DataFrame({"pid": diary()["pid"].unique(), "bdi": [3, 9, 14, 2, 20, 31]})
    app = upload(app, scores, "upload_covariates")
    assert app.selectbox(key="role_person").value == "pid"
    assert app.multiselect(key="role_covariates").value == ["bdi"]
    app.selectbox(key="role_outcome").select("sleep").run()
    assert "sleep" not in app.multiselect(key="role_features").options
    app.multiselect(key="role_features").set_value(["mood"]).run()
    app.button(key="load_study").click().run()
    assert not app.exception
    assert not app.error
    (kept,) = studies.list_studies()
    assert kept.roles["outcome"] == "sleep"
    assert kept.roles["features"] == ["mood"]
    assert kept.roles["covariates"] == ["bdi"]


def test_a_table_that_cannot_be_used_is_explained_and_nothing_is_lost(open_page: OpenPage) -> None:
    table = pd.concat([diary(), diary().head(1)])
    app = upload(open_page("study"), table)
    app.button(key="load_study").click().run()
    assert not app.exception
    assert "007" in app.error[0].value
    assert app.selectbox(key="role_person").value == "pid"
    assert studies.list_studies() == []


def test_an_empty_file_is_explained(open_page: OpenPage) -> None:
    app = open_page("study")
    app.file_uploader(key="upload_long").upload("empty.csv", b"", "text/csv").run()
    assert not app.exception
    assert len(app.error) == 1


def test_without_an_outcome_there_is_nothing_to_load(open_page: OpenPage) -> None:
    app = upload(open_page("study"), diary().rename(columns={"mood": "zz"}))
    assert app.selectbox(key="role_outcome").value is None
    assert app.button(key="load_study").disabled


def test_ids_with_markup_never_reach_markdown(open_page: OpenPage) -> None:
    bad = ("<img src=x>", "**b**", "$x$", "[a](http://b.c)", ":red[d]", "`e`")
    table = pd.concat([diary(bad), diary(bad).head(1)])
    app = upload(open_page("study"), table)
    app.button(key="load_study").click().run()
    shown = "\n".join(str(element.value) for element in [*app.markdown, *app.error, *app.caption])
    assert "img src" in shown
    assert "<img" not in shown.replace(r"\<img", "")


@pytest.mark.parametrize("study", ["20260101-000000-00000000", "../../etc"])
def test_an_unknown_study_says_so(open_page: OpenPage, study: str) -> None:
    app = open_page("study", study=study)
    assert not app.exception
    assert "no study at this address" in words(app)


def test_earlier_runs_open_again(open_page: OpenPage, crf_run: str) -> None:
    app = open_page("study")
    (label,) = app.selectbox(key="earlier_run").options
    assert label == "diary, nme-crf, transitions, 2026-01-01 10:00 UTC, finished"
    app.selectbox(key="earlier_run").select(label).run()
    app.button(key="open_run").click().run()
    assert not app.exception
    assert app.title[0].value == "Fit"
    assert app.query_params["run"] == crf_run
