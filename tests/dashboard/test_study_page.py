"""The study page: a sample or an upload becomes a study with a report."""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import settings, studies
from nme_core.study import Remedy

OpenPage = Callable[..., AppTest]


def words(app: AppTest) -> str:
    shown = [*app.markdown, *app.text, *app.caption, *app.info, *app.warning, *app.header]
    return "\n".join(str(element.value) for element in shown).replace("\xa0", " ")


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
    assert metrics["People"] == "100"
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
    table = diary().assign(mood=5.0)
    app = upload(open_page("study"), table)
    app.selectbox(key="role_outcome").select("mood").run()
    app.multiselect(key="role_features").set_value(["sleep"]).run()
    assert not app.exception
    assert "constant (5.0)" in words(app)
    assert app.button(key="load_study").disabled
    assert app.selectbox(key="role_person").value == "pid"
    one = upload(open_page("study"), diary().assign(pid="A1"))
    assert "names one person only" in words(one)
    assert one.button(key="load_study").disabled


def press(app: AppTest, label: str) -> AppTest:
    (button,) = [one for one in app.button if label in str(one.label).replace("\\", "")]
    return button.click().run()


def test_problems_are_mended_by_clicks_and_undone(open_page: OpenPage) -> None:
    table = diary().astype({"sleep": object})
    table.loc[3, "sleep"] = "k.A."
    table.loc[20, "mood"] = -99
    table = pd.concat([table, table.tail(1)])
    app = upload(open_page("study"), table)
    app.multiselect(key="role_features").set_value(["sleep"]).run()
    assert "holds numbers, but also 'k.A.' (in 1 cell; the first is line 5)" in words(app)
    press(app, "Treat 'k.A.'")
    assert "has to be fixed" not in words(app)
    press(app, "Load study")
    assert not app.error
    assert not app.exception
    assert "1 row repeats another one in every column" in words(app)
    press(app, "Keep the last of the rows alike")
    (kept,) = studies.list_studies()
    assert [one.kind for one in kept.remedies] == ["set_missing", "drop_duplicates"]
    assert "holds -99 (once)" in words(app)
    press(app, "Treat '-99'")
    assert studies.open_study(kept.id)[0].y.isna().sum() == 1
    assert "holds -99" not in words(app)
    app.button(key="undo_2").click().run()
    assert "holds -99 (once)" in words(app)
    assert not app.exception


def test_a_change_that_breaks_the_study_can_be_undone(open_page: OpenPage) -> None:
    app = upload(open_page("study"), diary())
    press(app, "Load study")
    (kept,) = studies.list_studies()
    persons = tuple(studies.open_study(kept.id)[0].persons)  # random codes
    studies.change_study(kept.id, remedies=(Remedy("exclude_persons", ("pid",), persons),))
    app.run()
    assert "no rows" in app.error[0].value
    app.button(key="undo_0").click().run()
    assert not app.error
    assert {metric.label: metric.value for metric in app.metric}["People"] == "6"


def test_a_hopeless_table_says_what_is_wrong_and_offers_nothing(open_page: OpenPage) -> None:
    app = upload(open_page("study"), diary(("007",)))
    app.selectbox(key="role_person").select("pid").run()
    app.selectbox(key="role_outcome").select("mood").run()
    app.multiselect(key="role_features").set_value(["sleep"]).run()
    assert "names one person only, '007'" in words(app)
    assert not [one for one in app.button if one.key and "fix_" in one.key]


def test_planned_occasions_are_held_against_what_came(open_page: OpenPage) -> None:
    app = upload(open_page("study"), diary())
    press(app, "Load study")
    (kept,) = studies.list_studies()
    app.number_input(key=f"planned_{kept.id}").set_value(40).run()
    assert "Of 40 planned occasions, 30 % were answered in the median" in words(app)
    assert studies.list_studies()[0].planned == 40


def test_what_names_persons_is_said_before_anything_is_stored(open_page: OpenPage) -> None:
    names = ("Ada Hill", "Ben Ray", "Cem Acar", "Dora Kern", "Eva Lind", "Finn Moe")
    table = diary(names).assign(
        mail="a@b.org", at=lambda t: "2024-03-0" + (t["day"] % 9 + 1).map(str)
    )
    app = upload(open_page("study"), table)
    app.selectbox(key="role_person").select("pid").run()
    said = words(app) + "".join(str(one.value) for one in app.warning)
    assert "pid tells people apart by names" in said
    assert "mail holds e-mail addresses" in said
    assert studies.list_studies() == []
    assert app.checkbox(key="privacy_codes").value
    press(app, "Load study")
    (kept,) = studies.list_studies()
    study, _ = studies.open_study(kept.id)
    assert not set(study.groups) & set(names)
    assert "Save the key of the codes now" in words(app)


def test_what_is_done_about_missing_features_is_chosen_and_counted(open_page: OpenPage) -> None:
    table = diary()
    table.loc[[3, 4, 30], "sleep"] = None
    app = upload(open_page("study"), table)
    app.multiselect(key="role_features").set_value(["sleep"]).run()
    press(app, "Load study")
    (kept,) = studies.list_studies()
    assert "3 missing feature values in 3 rows: they take the mean" in words(app).replace("\\", "")
    app.selectbox(key=f"missing_{kept.id}").set_value("drop").run()
    assert not app.exception
    assert "these rows were left out" in words(app)
    assert studies.list_studies()[0].missing == "drop"


def test_the_same_file_is_remembered(open_page: OpenPage) -> None:
    app = upload(open_page("study"), diary())
    app.selectbox(key="role_outcome").select("sleep").run()
    app.multiselect(key="role_features").set_value(["mood"]).run()
    press(app, "Load study")
    app = upload(open_page("study"), diary())
    assert app.selectbox(key="role_outcome").value == "sleep"
    assert app.multiselect(key="role_features").value == ["mood"]


@pytest.mark.parametrize("view", ["clinician", "researcher"])
def test_where_nothing_else_varies_a_trend_over_time_is_learned(
    open_page: OpenPage, view: str
) -> None:
    rows = [
        (f"p{who}", week, 10 + (7 * who + 3 * week * week) % 11 / 2)
        for who in range(8)
        for week in range(6)
    ]
    settings.set_view(view)
    app = upload(open_page("study"), pd.DataFrame(rows, columns=["id", "week", "score"]))
    if view == "researcher":
        assert app.multiselect(key="role_features").value == ["week"]
    else:
        assert any("Predicted from: week" in one.value for one in app.caption)
    press(app, "Load study")
    (record,) = studies.list_studies()
    study, _ = studies.open_study(record.id)
    assert (study.roles.time, study.feature_names) == ("week", ("week",))


def test_events_are_made_steps_unless_that_is_unticked(open_page: OpenPage) -> None:
    events = [
        (f"v{p}", p, tier, 4 * k, 4 * k + 4, "on" if (k + p) % 3 else "off")
        for p in range(1, 5)
        for tier in ("affect", "speech")
        for k in range(10)
    ]
    bounds = ["Begin Time - ss.msec", "End Time - ss.msec"]
    table = pd.DataFrame(events, columns=["File", "Subject", "Tier", *bounds, "Annotation"])
    app = upload(open_page("study"), table)
    assert app.selectbox(key="role_outcome").value == "affect"
    tick = next(one for one in app.checkbox if one.key.startswith("make_steps"))
    assert tick.value
    tick.uncheck().run()
    assert app.selectbox(key="role_outcome").value == "Annotation"


def test_an_empty_file_is_explained(open_page: OpenPage) -> None:
    app = open_page("study")
    app.file_uploader(key="upload_long").upload("empty.csv", b"", "text/csv").run()
    assert not app.exception
    assert len(app.error) == 1


def test_without_an_outcome_there_is_nothing_to_load(open_page: OpenPage) -> None:
    app = upload(open_page("study"), diary().rename(columns={"mood": "zz"}))
    assert app.selectbox(key="role_outcome").value == "sleep"
    assert "Is 'sleep' the outcome?" in app.info[0].value.replace("\\", "")
    app.selectbox(key="role_outcome").set_value(None).run()
    assert app.button(key="load_study").disabled
    assert "can be loaded, choose the outcome." in words(app)
    app.selectbox(key="role_person").set_value(None).run()
    app.multiselect(key="role_features").set_value([]).run()
    assert "choose the person, the outcome and at least one feature." in words(app)


@pytest.mark.parametrize(
    ("folder", "outcome", "values", "states"),
    [("moodregulation", "state", "0, 1, 2", 3), ("nonverbal", "state_dyad", "0, 1, 2, 3", 4)],
)
def test_numbered_states_get_both_models(
    open_page: OpenPage, shared_data: Path, folder: str, outcome: str, values: str, states: int
) -> None:
    app = upload(open_page("study"), pd.read_csv(shared_data / folder / "long.csv"))
    app.selectbox(key="role_outcome").select(outcome).run()
    assert app.radio(key="outcome_kind").value == "class"
    assert f"only {states} whole numbers ({values})" in words(app)
    app.button(key="load_study").click().run()
    assert not app.exception
    assert not app.error
    (kept,) = studies.list_studies()
    assert kept.outcome_kind == "class"
    study, _ = studies.open_study(kept.id)
    assert len(study.classes) == states
    app.switch_page("pages/model.py").run()
    assert app.radio(key="model_kind").options == ["NME-CRF", "NME-MLP"]


def test_the_outcome_kind_follows_the_outcome_and_the_user(open_page: OpenPage) -> None:
    table = diary().assign(state=lambda t: t["day"] % 3, word=lambda t: t["day"].map("w{}".format))
    app = upload(open_page("study"), table)
    app.selectbox(key="role_outcome").select("state").run()
    assert app.radio(key="outcome_kind").value == "class"
    app.radio(key="outcome_kind").set_value("number").run()
    app.multiselect(key="role_features").set_value(["sleep"]).run()
    assert app.radio(key="outcome_kind").value == "number"
    app.selectbox(key="role_outcome").select("mood").run()
    assert app.radio(key="outcome_kind").value == "number"
    app.selectbox(key="role_outcome").select("word").run()
    assert app.radio(key="outcome_kind").value == "class"
    assert app.radio(key="outcome_kind").disabled
    app.selectbox(key="role_outcome").select("state").run()
    assert app.radio(key="outcome_kind").value == "class"
    app.radio(key="outcome_kind").set_value("number").run()
    app.button(key="load_study").click().run()
    (kept,) = studies.list_studies()
    assert kept.outcome_kind == "number"
    app.switch_page("pages/model.py").run()
    assert app.radio(key="model_kind").options == ["NME-MLP"]
    assert "class (state)" in words(app)


def test_the_name_is_by_day_and_people_never_the_file_s(open_page: OpenPage) -> None:
    app = upload(open_page("study"), diary())
    assert app.text_input(key="study_name").value == ""
    named = app.text_input(key="study_name").placeholder
    assert re.fullmatch(r"Study of \d{1,2} \w{3}, 6 people", named)
    app.text_input(key="study_name").set_value("My *diary*").run()
    app.button(key="load_study").click().run()
    assert [study.name for study in studies.list_studies()] == ["My *diary*"]
    assert r"Report on My \*diary\*" in words(app)
    app = upload(app, diary().assign(sleep=7.0 + diary()["day"]))
    assert app.text_input(key="study_name").value == ""
    app.button(key="load_study").click().run()
    assert {study.name for study in studies.list_studies()} == {"My *diary*", named}


def test_ids_with_markup_never_reach_markdown(open_page: OpenPage) -> None:
    bad = ("<img src=x>", "**b**", "$x$", "[a](http://b.c)", ":red[d]", "`e`")
    table = diary(bad)
    app = upload(open_page("study"), table[(table["pid"] != bad[0]) | (table["day"] < 3)])
    app.checkbox(key="privacy_codes").uncheck().run()
    app.button(key="load_study").click().run()
    shown = "\n".join(str(element.value) for element in [*app.markdown, *app.error, *app.caption])
    assert "img src" in shown
    assert "<img" not in shown.replace(r"\<img", "")


@pytest.mark.parametrize("study", ["20260101-000000-00000000", "../../etc"])
def test_an_unknown_study_says_so(open_page: OpenPage, study: str) -> None:
    app = open_page("study", study=study)
    assert not app.exception
    assert "No study was found at this address" in words(app)


def test_earlier_runs_open_again(open_page: OpenPage, crf_run: str) -> None:
    app = open_page("study")
    (label,) = app.selectbox(key="earlier_run").options
    assert label == "diary, nme-crf, transitions, 2026-01-01 10:00 UTC, finished"
    app.selectbox(key="earlier_run").select(label).run()
    app.button(key="open_run").click().run()
    assert not app.exception
    assert app.title[0].value == "Fit"
    assert app.query_params["run"] == crf_run


def test_a_grouping_factor_and_the_longest_gap_go_to_the_study(open_page: OpenPage) -> None:
    table = diary().assign(clinic=lambda rows: rows["pid"].map(lambda pid: f"c{int(pid) % 2}"))
    table.loc[table["day"] >= 6, "day"] += 10
    app = upload(open_page("study"), table)
    app.selectbox(key="role_group").select("clinic").run()
    assert "clinic" not in app.multiselect(key="role_covariates").options
    app.button(key="load_study").click().run()
    assert not app.exception
    assert not app.error
    (kept,) = studies.list_studies()
    study, _ = studies.open_study(kept.id)
    assert list(study.further_groups) == ["clinic"]
    assert study.sequence_ids.nunique() == 6
    app.text_input(key=f"gap_{kept.id}").set_value("soon").run()
    assert "no duration" in app.error[0].value
    app.text_input(key=f"gap_{kept.id}").set_value("5").run()
    assert not app.error
    study, _ = studies.open_study(kept.id)
    assert study.sequence_ids.nunique() == 12
    assert studies.list_studies()[0].max_gap == "5"


def test_a_table_without_numbers_is_told_so(open_page: OpenPage) -> None:
    answers = pd.DataFrame(
        {"pid": [f"F{k // 5}" for k in range(30)], "said": ["fine", "low", "so so"] * 10}
    )
    app = upload(open_page("study"), answers)
    (warning,) = app.warning
    assert "nothing to predict from" in warning.value
    assert app.button(key="load_study").disabled


def test_nights_still_break_sequences_where_dates_became_days(open_page: OpenPage) -> None:
    beeps = pd.date_range("2024-03-01 10:00", periods=4, freq="3h")
    stamps = [str(beep + pd.Timedelta(days=day)) for day in range(3) for beep in beeps]
    table = diary().assign(at=stamps * 6).drop(columns="day")
    app = upload(open_page("study"), table)
    assert app.selectbox(key="role_time").value == "at"
    app.button(key="load_study").click().run()
    assert not app.exception
    (kept,) = studies.list_studies()
    study, _ = studies.open_study(kept.id)
    assert kept.counts_days
    assert study.sequence_ids.nunique() == 6 * 3


def test_undecided_dates_are_settled_by_a_click_before_they_are_stored(open_page: OpenPage) -> None:
    table = diary().assign(day=lambda rows: (rows["day"] % 12 + 1).map("{}/1/2024".format))
    app = upload(open_page("study"), table)
    app.selectbox(key="role_time").select("day").run()
    fix = next(b for b in app.button if b.label.endswith("as month, day, year"))
    fix.click().run()
    app.button(key="load_study").click().run()
    assert not app.exception
    assert not app.error
    (kept,) = studies.list_studies()
    study, _ = studies.open_study(kept.id)
    assert kept.remedies == ()  # nothing to undo: what is stored are days
    assert [one["kind"] for one in kept.changes] == ["read_dates"]
    assert any("read as month, day, year" in note for note in study.notes)
    assert study.time.max() == 335.0  # 1 January to 1 December, not 12 days


def test_a_clinician_confirms_person_time_and_outcome_and_nothing_else(
    open_page: OpenPage,
) -> None:
    settings.set_view("clinician")
    scores = pd.DataFrame({"pid": diary()["pid"].unique(), "bdi": [3, 9, 14, 2, 20, 31]})
    app = upload(upload(open_page("study"), diary()), scores, "upload_covariates")
    assert [box.key for box in app.selectbox] == ["sample_study", "role_person", "role_time",
                                                  "role_outcome"]  # fmt: skip
    assert not app.multiselect
    assert not app.checkbox
    assert "Predicted from: sleep. Compared with: bdi." in words(app)
    app.button(key="load_study").click().run()
    assert not app.exception
    assert not app.error
    (kept,) = studies.list_studies()
    assert (kept.roles["features"], kept.roles["covariates"]) == (["sleep"], ["bdi"])
    assert [box.key for box in app.text_input] == ["study_name"]
    assert not app.number_input


def test_how_a_table_is_read_can_be_said(open_page: OpenPage) -> None:
    table = diary().rename(columns={"sleep": "s\u0142en"})
    content = table.to_csv(index=False, sep=";").encode("cp1250")
    app = open_page("study")
    app = app.file_uploader(key="upload_long").upload("a.csv", content, "text/csv").run()
    assert "s\u0142en" not in app.selectbox(key="role_outcome").options
    (encoding,) = [one for one in app.selectbox if one.label == "Encoding"]
    encoding.select("cp1250").run()
    assert not app.error
    assert "s\u0142en" in app.selectbox(key="role_outcome").options
    (decimal,) = [one for one in app.selectbox if one.label == "Decimal mark"]
    decimal.select(",").run()
    (delimiter,) = [one for one in app.selectbox if one.label == "Between columns"]
    delimiter.select(",").run()
    assert "cannot part both columns and decimals" in app.error[0].value
    assert [one.label for one in app.selectbox if one.label == "Encoding"]


def test_a_door_takes_a_view_and_opens_a_sample_study(open_page: OpenPage) -> None:
    settings.set_view("clinician")
    app = open_page("study")
    assert "what is each person's own" in words(app)
    assert {"own_clinician", "sample_clinician", "own_researcher"} <= {b.key for b in app.button}
    app.button(key="own_researcher").click().run()
    assert settings.view() == "researcher"
    assert app.radio(key="view").value == "researcher"
    assert app.button(key="sample_researcher")  # still here: nothing was loaded
    app.button(key="sample_clinician").click().run()
    assert not app.exception
    assert settings.view() == "clinician"
    (kept,) = studies.list_studies()
    assert (kept.source, kept.name) == ("sample", "dyads")
    assert app.query_params["study"] == kept.id
    assert "sample_clinician" not in {button.key for button in app.button}
    again = open_page("study")
    again.button(key="sample_researcher").click().run()
    assert studies.list_studies() == [kept]  # the same one is opened again


def test_a_loaded_study_comes_first_with_one_next_step(
    open_page: OpenPage, number_study: str
) -> None:
    app = open_page("study", study=number_study)
    assert not app.exception
    headings = [heading.value for heading in app.header]
    assert headings.index("Report on diary") < headings.index("Your own tables")
    assert [one.label for one in app.expander if one.label == "Load another study"]
    links = [link.proto.label for link in app.get("page_link")]
    assert links == ["Next: choose a model"]


@pytest.mark.parametrize("study", ["number_study", "state_study"])
def test_each_section_of_a_look_at_the_data_says_what_it_shows(
    open_page: OpenPage, request: pytest.FixtureRequest, study: str
) -> None:
    app = open_page("study", study=request.getfixturevalue(study))
    said = {
        "people": "12 people, 240 rows in order of time",
        "distributions": "is most at an end of its scale",
        "relations": "Within and between people differ most for",
        "moments": "The times of this study are no dates",
        "missing": "No value of the outcome or a feature is missing",
    }
    for section, sentence in said.items():
        app.segmented_control(key="look_section").set_value(section).run()
        assert not app.exception
        assert not app.error
        assert sentence in words(app), section
    app.segmented_control(key="look_section").set_value("people").run()
    app.selectbox(key="person").set_value("007").run()
    assert "of person 007, 20 rows" in words(app)


def test_hours_and_weekdays_are_shown_where_dates_were_kept(open_page: OpenPage) -> None:
    times = pd.date_range("2024-01-01 08:00", periods=12, freq="12h").astype(str)
    table = diary().drop(columns="day")
    table["when"] = list(times) * table["pid"].nunique()
    app = upload(open_page("study"), table)
    app.checkbox(key="privacy_dates").uncheck().run()
    app.button(key="load_study").click().run()
    app.segmented_control(key="look_section").set_value("moments").run()
    assert not app.exception
    assert "Most by time varies the mean of mood" in words(app)


@pytest.mark.parametrize("view", ["clinician", "researcher"])
def test_codes_of_states_are_asked_for_words_once(open_page: OpenPage, view: str) -> None:
    settings.set_view(view)
    table = diary().assign(mood=lambda rows: rows["day"] % 3)
    app = upload(open_page("study"), table)
    assert app.radio(key="outcome_kind").value == "class"
    fields = {field.label: field for field in app.text_input if field.label.endswith(" means")}
    assert list(fields) == ["0 means", "1 means", "2 means"]
    fields["0 means"].set_value("calm")
    fields["1 means"].set_value("  very   tense ").run()
    app.button(key="load_study").click().run()
    assert not app.exception
    assert not app.error
    (kept,) = studies.list_studies()
    study, _ = studies.open_study(kept.id)
    assert set(study.classes) == {"calm", "very tense", "2"}
    new, _ = kept.recipe.apply_to_new_rows(table[table["pid"] == "007"])
    assert set(new["mood"].astype(str)) == {"calm", "very tense", "2"}


@pytest.mark.parametrize("states", [["calm", "low", "tense"], [1.25, 2.5, 7.75]])
def test_words_and_amounts_are_not_asked_for_words(open_page: OpenPage, states: list) -> None:
    table = diary().assign(mood=lambda rows: rows["day"].map(lambda day: states[day % 3]))
    app = upload(open_page("study"), table)
    assert not [field for field in app.text_input if field.label.endswith(" means")]


def test_the_outcome_is_called_by_its_label(open_page: OpenPage, number_study: str) -> None:
    assert studies.outcome_words(number_study) == "feeling"
    book = studies.codebook(number_study)
    book.loc[book["name"] == "feeling", "label"] = "How do you feel?"
    studies.keep_codebook(number_study, book)
    app = open_page("model", study=number_study)
    assert r"outcome **How do you feel?**" in words(app)
    book.loc[book["name"] == "feeling", "label"] = "A question that goes on and on and " * 3
    studies.keep_codebook(number_study, book)
    assert studies.outcome_words(number_study) == "feeling"


def test_a_table_that_is_wide_or_of_events_says_what_comes_first(open_page: OpenPage) -> None:
    wide = pd.DataFrame({"id": [f"W{k}" for k in range(8)]})
    for wave in range(1, 5):
        wide[f"anxiety_w{wave}"] = [(k * 3 + wave) % 11 for k in range(8)]
    app = upload(open_page("study"), wide)
    assert "Tick “Make the table long” above" in words(app)
    (box,) = [one for one in app.checkbox if one.label.startswith("Make the table long")]
    box.check().run()
    assert "Tick “Make the table long” above" not in words(app)
    assert app.selectbox(key="role_person").value == "id"
