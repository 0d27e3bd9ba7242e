"""Sections of the pages Transitions and Random effects."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.components.text import number
from dashboard.services import people, results, settings
from nme_core.io import RunFolder

OpenPage = Callable[..., AppTest]


def words(app: AppTest) -> str:
    shown = [*app.markdown, *app.text, *app.caption, *app.info, *app.warning, *app.error]
    return "\n".join(str(element.value) for element in shown).replace("\\", "")


def assert_sound(app: AppTest) -> None:
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]


def test_every_section_of_transitions(open_page: OpenPage, crf_run: str) -> None:
    app = open_page("transitions", run=crf_run)
    app.segmented_control(key="section").set_value("all").run()
    assert_sound(app)
    assert "Persons 1 to 12 of 24 persons" in words(app)
    app.selectbox(key="order").set_value("depression").run()
    assert_sound(app)
    assert "ordered by depression, lowest first" in words(app)
    for section, said in {
        "groups": "The groups' means differ most in",
        "time": "steps for person 001",
        "two": "for person 002",
        "sequence": "4 steps of person 001",
    }.items():
        app.segmented_control(key="section").set_value(section).run()
        assert_sound(app)
        assert said in words(app)
        assert len(app.get("plotly_chart")) == (2 if section == "time" else 1)


def test_intervals_are_shown_where_there_are_any(
    open_page: OpenPage, crf_run: str, home: Path
) -> None:
    assert "95 % intervals" not in words(open_page("transitions", run=crf_run))
    folder = RunFolder(home / "runs" / crf_run)
    table = folder.table("transitions")
    own = table["person"] != ""
    # Above the population everywhere.
    table.loc[own, "ci_low"], table.loc[own, "ci_high"] = 0.99, 1.0
    folder.write_table("transitions", table)
    folder.write_status(folder.status)
    app = open_page("transitions", run=crf_run)
    assert_sound(app)
    assert "9 of the person's 95 % intervals exclude the population's value" in words(app)


@pytest.mark.parametrize("run", ["crf_run", "mlp_run"])
def test_every_section_of_random_effects(
    open_page: OpenPage, request: pytest.FixtureRequest, run: str
) -> None:
    app = open_page("random-effects", run=request.getfixturevalue(run))
    for section, said, figures in (
        ("parameter", "Reliability is the share", 4),
        ("across", "The largest correlation of persons' estimates is", 2),
        ("persons", "Distance: root mean square", 1),
    ):
        app.segmented_control(key="effect_section").set_value(section).run()
        assert_sound(app)
        assert said in words(app)
        assert len(app.get("plotly_chart")) == figures
    app.selectbox(key="map_colour").set_value("clinic").run()
    assert_sound(app)


def test_correlations_say_what_the_model_expects_of_them(
    open_page: OpenPage, mlp_run: str, home: Path
) -> None:
    folder = RunFolder(home / "runs" / mlp_run)
    table = folder.table("correlations")
    outside = table.assign(simulated_low=1.1, simulated_high=1.2, p_adjusted=0.04)
    points = table.assign(simulated_low=np.nan, simulated_high=np.nan, p_adjusted=np.nan)
    n = len(table)
    for rows, said, figures in (
        (outside, f"{n} of {n} pairs lie outside the band (framed)", 2),
        (outside, f"After correction for all pairs {n} remain", 2),
        (points, "this estimator gives no standard errors", 1),
        (table[:0], "was trained by an earlier version", 0),
    ):
        folder.write_table("correlations", rows)
        folder.write_status(folder.status)
        app = open_page("random-effects", run=mlp_run)
        app.segmented_control(key="effect_section").set_value("across").run()
        assert_sound(app)
        assert said in words(app)
        assert len(app.get("plotly_chart")) == figures


def test_a_further_grouping_factor_is_chosen_and_not_mixed_with_the_persons(
    open_page: OpenPage, mlp_run: str, home: Path
) -> None:
    folder = RunFolder(home / "runs" / mlp_run)
    effects, covariance = (folder.table(name) for name in ("random_effects", "covariance"))
    clinics = effects[effects["person"].isin(["001", "002", "003"])].assign(
        person=lambda rows: rows["person"].map({"001": "north", "002": "south", "003": "west"})
    )
    for name, own, further in (
        ("random_effects", effects, clinics),
        ("covariance", covariance, covariance.assign(value=0.25)),
    ):
        parts = [own.assign(group="pid"), further.assign(group="clinic")]
        folder.write_table(name, pd.concat(parts, ignore_index=True))
    app = open_page("random-effects", run=mlp_run)
    app.segmented_control(key="effect_section").set_value("parameter").run()
    assert_sound(app)
    assert "24 persons' deviations" in words(app)
    app.segmented_control(key="factor").set_value("clinic").run()
    assert_sound(app)
    assert "3 groups of clinic differ in layer 2, input 1 → unit 1 with an SD of 0.50" in words(app)
    assert "Persons differ with an SD of" in words(app)
    assert list(app.dataframe[0].value["clinic"]) == ["north", "south", "west"]


def test_a_clinician_reads_in_what_persons_differ_most_and_goes_there(
    open_page: OpenPage, crf_run: str, home: Path
) -> None:
    settings.set_view("clinician")
    folder = RunFolder(home / "runs" / crf_run)
    person = people.furthest(crf_run, 1)["person"].iloc[0]
    found = results.transitions(crf_run, person, "conditional")
    start, end, own, shared = results.largest_difference(found)
    what = f"stays {end}" if start == end else f"moves from {start} to {end}"
    table = folder.table("transitions")
    cell = (table["person"] == person) & (table["readout"] == "conditional")
    for width, certain in ((0.001, "excludes the value"), (0.999, "this may be chance")):
        table.loc[cell, ["ci_low", "ci_high"]] = np.array(
            [table.loc[cell, "value"] - width, table.loc[cell, "value"] + width]
        ).T
        folder.write_table("transitions", table)
        folder.write_status(folder.status)
        app = open_page("random-effects", run=crf_run)
        assert_sound(app)
        shown = words(app).replace("\\", "")
        (line,) = [text for text in shown.splitlines() if text.startswith(f"**{person}**")]
        way = "more" if own > shared else "less"
        assert f"{what} {way} readily" in line
        assert f"probability {own:.2f}" in line
        assert f"all together {shared:.2f}" in line
        assert certain in line
    assert "five are listed, whether or not they differ by more than chance" in shown
    assert not app.dataframe
    app.button(key=f"look_{person}").click().run()
    assert app.title[0].value == "Transitions"
    assert app.selectbox(key="person").value == person


def test_a_clinician_reads_how_predictions_of_a_network_differ(
    open_page: OpenPage, mlp_run: str
) -> None:
    settings.set_view("clinician")
    app = open_page("random-effects", run=mlp_run)
    app.segmented_control(key="effect_section").set_value("persons").run()
    assert_sound(app)
    person = people.furthest(mlp_run, 1)["person"].iloc[0]
    level = people.level(mlp_run, person)
    way = "higher" if level.difference > 0 else "lower"
    by = number(abs(level.difference), 2)
    assert f"feeling is {way} than that of all persons together, by {by}" in words(app)
    app.button(key=f"look_{person}").click().run()
    assert_sound(app)
    assert app.segmented_control(key="effect_section").value == "curves"
    assert app.selectbox(key="person").value == person
