"""Sections of the pages Transitions and Random effects."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import people, results, settings
from dashboard.services.figures import figure
from nme_core.io import RunFolder
from nme_core.vocabulary.numbers import number

OpenPage = Callable[..., AppTest]


def words(app: AppTest) -> str:
    shown = [*app.markdown, *app.text, *app.caption, *app.info, *app.warning, *app.error]
    return "\n".join(str(element.value) for element in shown).replace("\\", "").replace("\xa0", " ")


def assert_sound(app: AppTest) -> None:
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]


def test_every_section_of_transitions(open_page: OpenPage, crf_run: str) -> None:
    app = open_page("transitions", run=crf_run)
    app.segmented_control(key="section").set_value("all").run()
    assert_sound(app)
    assert "People 1 to 12 of 24 people" in words(app)
    app.selectbox(key="order").set_value("depression").run()
    assert_sound(app)
    assert "ordered by depression, lowest first" in words(app)
    for section, said in {
        "groups": "The groups' means of the conditional probability differ most in",
        "time": "observed for person 001",
        "two": "for person 002",
        "sequence": "4 steps of person 001",
    }.items():
        app.segmented_control(key="section").set_value(section).run()
        assert_sound(app)
        assert said in words(app)
        assert len(app.get("plotly_chart")) == (2 if section == "time" else 1)


def test_nobody_chosen_on_one_page_is_the_first_person_on_the_next(
    open_page: OpenPage, crf_run: str
) -> None:
    """It was "Person None"."""
    app = open_page("study", run=crf_run)
    app.segmented_control(key="look_section").set_value("people").run()
    assert app.selectbox(key="person").value is None
    app.segmented_control(key="look_section").set_value("distributions").run()
    app.switch_page("pages/transitions.py").run()
    app.segmented_control(key="section").set_value("two").run()
    assert_sound(app)
    assert app.selectbox(key="person").value == "001"
    assert "None" not in words(app)


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
    for readout, said in {
        "conditional": "fewer than one in twenty would, as estimates are pulled",
        "scores": "fewer than one in twenty would, as estimates are pulled",
        "expected": "also reflect the features that the person had",
        "observed": "of a person who moves like all together about one in twenty would",
    }.items():
        app.selectbox(key="readout").select(readout).run()
        assert_sound(app)
        assert said in words(app)


def test_arrows_say_what_they_are_drawn_by(open_page: OpenPage, crf_run: str) -> None:
    app = open_page("transitions", run=crf_run)
    app.segmented_control(key="section").set_value("time").run()
    for readout, said in {
        "conditional": "Drawn by the conditional probability:",
        "observed": "Drawn by the observed share:",
        "scores": "Drawn by the conditional probability, as scores are no probabilities:",
    }.items():
        app.selectbox(key="readout").select(readout).run()
        assert_sound(app)
        assert said in words(app)


def test_a_clinician_sees_where_a_person_goes_next(open_page: OpenPage, crf_run: str) -> None:
    settings.set_view("clinician")
    app = open_page("transitions", run=crf_run)
    assert_sound(app)
    assert "Where does this person go next?" in words(app)
    assert "often than the population: probability" in words(app)
    assert "It was observed" in words(app)
    app.segmented_control(key="section").set_value("time").run()
    assert "Drawn by the conditional probability:" in words(app)


def test_nothing_is_said_of_a_state_that_a_person_was_never_in(
    open_page: OpenPage, crf_run: str, home: Path
) -> None:
    settings.set_view("clinician")
    folder = RunFolder(home / "runs" / crf_run)
    table, person = folder.table("transitions"), results.persons(crf_run)[0]
    rows = (table["person"] == person) & (table["from"] == "low")
    table.loc[rows, "visits"] = 0
    far = rows & (table["readout"] == "conditional")
    table.loc[far, ["value", "ci_low", "ci_high"]] = [0.999, 0.998, 1.0]  # the furthest of all
    folder.write_table("transitions", table)
    folder.write_status(folder.status)
    app = open_page("transitions", run=crf_run)
    assert_sound(app)
    assert "This person was never in low, so nothing is shown for it (grey rows)." in words(app)
    assert "moves from low" not in words(app)
    assert "stays in low" not in words(app)
    assert figure(crf_run, "transitions", person=person).arguments["person"].loc["low"].isna().all()
    table.loc[table["person"] == person, "visits"] = 4
    folder.write_table("transitions", table)
    folder.write_status(folder.status)
    app = open_page("transitions", run=crf_run)
    assert "in no state often enough to name a largest difference" in words(app)
    move = people.largest_move(crf_run, person, "conditional")
    assert move is None
    assert person not in set(people.furthest(crf_run, 99)["person"])


def test_persons_outside_the_groups_are_not_passed_over(open_page: OpenPage, crf_run: str) -> None:
    app = open_page("transitions", run=crf_run)
    app.segmented_control(key="section").set_value("groups").run()
    app.selectbox(key="covariate").set_value("depression").run()
    assert_sound(app)
    assert re.search(
        r"In no group shown: \d of 24 people, neither in the lowest nor in the highest third",
        words(app),
    )
    assert re.search(r"low − high is −?0\.\d\d \(95 % interval ", words(app))


def test_all_sequences_stand_one_after_the_other(
    open_page: OpenPage, crf_run: str, home: Path
) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    table = folder.table("predictions")
    folder.write_table(
        "predictions",
        pd.concat([table.assign(split="train", sequence="day 1"), table.assign(sequence="day 2")]),
    )
    folder.write_status(folder.status)
    app = open_page("transitions", run=crf_run)
    app.segmented_control(key="section").set_value("sequence").run()
    assert_sound(app)
    said = "8 steps of person 001 in 2 sequences one after the other, thin lines between them; the "
    assert f"{said}model was not fitted to the last 4, from the dotted line on." in words(app)
    assert "readout" not in [one.key for one in app.selectbox]
    folder.write_table("predictions", table.assign(split="train"))
    folder.write_status(folder.status)
    app = open_page("transitions", run=crf_run)
    app.segmented_control(key="section").set_value("sequence").run()
    assert "4 steps of person 001; the model was fitted to all of them." in words(app)


@pytest.mark.parametrize("run", ["crf_run", "mlp_run"])
def test_every_section_of_random_effects(
    open_page: OpenPage, request: pytest.FixtureRequest, run: str
) -> None:
    app = open_page("random-effects", run=request.getfixturevalue(run))
    for section, said, figures in (
        ("parameter", "Reliability is the share", 4),
        ("estimates", "how much people differ from it", 0),
        ("across", "The largest correlation of people's estimates is", 2),
        ("persons", "Distance: root mean square", 1),
    ):
        app.segmented_control(key="effect_section").set_value(section).run()
        assert_sound(app)
        assert said in words(app)
        assert len(app.get("plotly_chart")) == figures
    app.selectbox(key="map_colour").set_value("clinic").run()
    assert_sound(app)


def test_estimates_are_those_of_the_run(open_page: OpenPage, mlp_run: str, home: Path) -> None:
    folder = RunFolder(home / "runs" / mlp_run)
    names = list(folder.table("random_effects")["parameter"].unique())
    rows = [(name, 1.5, np.nan, np.nan, np.nan) for name in names]
    rows += [("layers.0.bias[0]", 2.0, 0.1, 1.8, 2.2), ("layers.0.bias[1]", *[np.nan] * 4)]
    columns = ["parameter", "estimate", "se", "ci_low", "ci_high"]
    folder.write_table("fixed_effects", pd.DataFrame(rows, columns=columns))
    whole = [("person", "", "residual_variance", 0.25), ("person", "", "icc", 0.4)]
    columns = ["group", "parameter", "quantity", "value"]
    folder.write_table("summary", pd.DataFrame(whole, columns=columns))
    folder.write_status(folder.status)
    app = open_page("random-effects", run=mlp_run)
    app.segmented_control(key="effect_section").set_value("estimates").run()
    assert_sound(app)
    (shown,) = (element.value for element in app.dataframe)
    shown = shown.set_index("parameter")
    assert list(shown.index) == [
        "unit 1 on the outcome", "unit 2 on the outcome", "intercept", "layer 1, bias of unit 1",
    ]  # fmt: skip
    variances = folder.table("covariance").set_index("parameter")["value"]
    assert float(shown["SD between people"].iloc[0]) == pytest.approx(
        variances[names[0]] ** 0.5, rel=0.01
    )
    assert shown["95 % interval"].tolist() == ["–", "–", "–", "[1.80, 2.20]"]
    assert shown["mean reliability"].tolist() == ["0.80", "0.80", "0.80", "–"]
    assert "Residual SD: 0.500. Intraclass correlation given the features: 0.40." in words(app)


def test_correlations_say_what_the_model_expects_of_them(
    open_page: OpenPage, mlp_run: str, home: Path
) -> None:
    folder = RunFolder(home / "runs" / mlp_run)
    table = folder.table("correlations")
    outside = table.assign(simulated_low=1.1, simulated_high=1.2, p_adjusted=0.04)
    points = table.assign(simulated_low=np.nan, simulated_high=np.nan, p_adjusted=np.nan)
    n = len(table)
    for rows, said, figures in (
        (outside, f"such correlations: {n} of {n} pairs, where chance", 2),
        (outside, f"after correction for all pairs {n}.", 2),
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
    assert "Deviations of 24 people" in words(app)
    app.segmented_control(key="factor").set_value("clinic").run()
    assert_sound(app)
    assert "3 groups of clinic differ in unit 1 on the outcome with an SD of 0.50" in words(app)
    assert "People differ with an SD of" in words(app)
    assert list(app.dataframe[0].value["clinic"]) == ["north", "south", "west"]


def test_a_clinician_reads_in_what_persons_differ_most_and_goes_there(
    open_page: OpenPage, crf_run: str, home: Path
) -> None:
    settings.set_view("clinician")
    folder = RunFolder(home / "runs" / crf_run)
    person = people.furthest(crf_run, 1)["person"].iloc[0]
    found = people.largest_move(crf_run, person, "conditional")
    start, end, own, shared = found.start, found.end, found.own, found.shared
    what = f"stays in {end}" if start == end else f"moves from {start} to {end}"
    table = folder.table("transitions")
    cell = (table["person"] == person) & (table["readout"] == "conditional")
    for width, certain in (
        (0.001, "excludes the population's value"),
        (0.999, "this may be chance"),
    ):
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
        assert f"{what} {way} often" in line
        assert f"probability {own:.2f} [" in line
        assert f"against {shared:.2f}" in line
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
    person = people.furthest_in_level(mlp_run, 1)["person"].iloc[0]
    level = people.level(mlp_run, person)
    everybody = results.table(mlp_run, "random_effects")["person"].unique()
    gaps = [abs(people.level(mlp_run, one).difference) for one in everybody]
    assert abs(level.difference) == pytest.approx(max(gaps))  # listed by what is said of them
    way = "higher" if level.difference > 0 else "lower"
    by = number(abs(level.difference), 2)
    assert f"feeling is {way} than that of all people together, by {by}" in words(app)
    app.button(key=f"look_{person}").click().run()
    assert_sound(app)
    assert app.segmented_control(key="effect_section").value == "curves"
    assert app.selectbox(key="person").value == person
