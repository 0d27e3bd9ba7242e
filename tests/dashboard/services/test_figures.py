"""The sentence under a figure says the numbers that the figure shows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard.services import covariates, results
from dashboard.services.figures import figure as drawn
from nme_core import figures
from nme_core.figures import of_study
from nme_core.io import RunFolder
from tests.dashboard.conftest import STRATA


def test_transitions_name_the_largest_difference_and_its_direction(
    crf_run: str, home: Path
) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    table = folder.table("transitions")
    chosen = (
        (table["readout"] == "conditional") & (table["from"] == "low") & (table["to"] == "calm")
    )
    table.loc[chosen & (table["person"] == "005"), "value"] = 0.05
    table.loc[chosen & (table["person"] == ""), "value"] = 0.95
    folder.write_table("transitions", table)
    figure = drawn(crf_run, "transitions", person="005", readout="conditional")
    assert figure.sentence.startswith("Person 005 moves from low to calm less often than")
    assert "probability 0.05 against 0.95, all features at their average" in figure.sentence
    numbers = figure.numbers().set_index(["from", "to"])
    assert numbers.loc[("low", "calm"), "difference"] == pytest.approx(-0.9)


def test_observed_shares_are_counts_and_no_model(crf_run: str, home: Path) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    table = folder.table("transitions")
    row = (table["readout"] == "observed") & (table["from"] == "low")
    own = row & (table["person"] == "005")
    table.loc[own, ["value", "count"]] = [[3 / 13, 3], [10 / 13, 10], [0.0, 0]]
    table.loc[row & (table["person"] == ""), "value"] = [0.95, 0.02, 0.03]
    folder.write_table("transitions", table)
    figure = drawn(crf_run, "transitions", person="005", readout="observed")
    assert "no model involved" in figure.sentence
    assert "under the model" not in figure.sentence
    assert "Person 005 moves from low to tense more often than all people" in figure.sentence
    assert "of these moves against 0.02" in figure.sentence
    assert "It was observed 10 of 13 times." in figure.sentence


@pytest.mark.parametrize(
    ("run", "kind", "person", "choices"),
    [
        ("crf_run", "transitions", "005", {"readout": "expected"}),
        ("crf_run", "stays", "005", {}),
        ("crf_run", "groups", None, {"covariate": "clinic"}),
        ("mlp_run", "losses", None, {}),
        ("mlp_run", "differences", None, {}),
        ("mlp_run", "random-effects", None, {"parameter": "layers.1.bias[0]"}),
    ],
)
def test_a_page_shows_the_figure_that_the_shell_and_reports_have(
    request: pytest.FixtureRequest,
    run: str,
    kind: str,
    person: str | None,
    choices: dict[str, str],
) -> None:
    identity = request.getfixturevalue(run)
    whose = {} if person is None else {"person": person}
    shown = drawn(identity, kind, **whose, **choices)
    assert shown is not None
    there = figures.figure(results.run_folder(identity), kind, person, **choices)
    assert (shown.title, shown.sentence) == (there.title, there.sentence)
    assert shown.screen == there.screen


def test_a_parameter_without_information_is_said_to_be_not_learned(
    mlp_run: str, home: Path
) -> None:
    name = "layers.1.weight[0,1]"
    assert "Not learned" not in drawn(mlp_run, "random-effects", parameter=name).sentence
    folder = RunFolder(home / "runs" / mlp_run)
    rows = folder.table("random_effects")
    folder.write_table("random_effects", rows.assign(reliability=0.04))
    assert "Not learned: the data hold next to nothing" in (
        drawn(mlp_run, "random-effects", parameter=name).sentence
    )


def test_equal_counts_are_said_once() -> None:
    figure = of_study.observations(pd.Series([20, 20, 20]))
    assert "3 people with 20 observations each." in figure.sentence


def test_huge_outcomes_have_a_short_sentence() -> None:
    sentence = of_study.outcome(pd.Series([-2e203, 2e203, 6e203]), "number", "y").sentence
    assert "The mean of y is 2.0 × 10²⁰³, the SD 4.0 × 10²⁰³" in sentence
    flat = of_study.outcome(pd.Series([0.0, 0.0]), "number", "y").sentence
    assert "The mean of y is 0, the SD 0" in flat


def test_random_effects_give_both_spreads(mlp_run: str) -> None:
    figure = drawn(mlp_run, "random-effects", parameter="layers.1.weight[0,1]")
    rows = results.random_effect(mlp_run, "layers.1.weight[0,1]")
    sd, model_sd = rows["estimate"].std(), results.variance(mlp_run, "layers.1.weight[0,1]") ** 0.5
    where = "unit 2 on the outcome"
    assert f"Deviations of 24 people in {where} have an SD of {sd:.2f}" in figure.sentence
    assert f"own SD is {model_sd:.1f}" in figure.sentence or f"{model_sd:.2f}" in figure.sentence


def test_response_curves_give_the_height_of_the_population_and_of_persons(mlp_run: str) -> None:
    figure = drawn(mlp_run, "curves", feature="sleep", person="003")
    curves = results.table(mlp_run, "response_curves").query("feature == 'sleep'")
    height = curves[curves["person"] != ""].groupby("person")["value"].agg(np.ptp)
    assert f"the person's curve of the predicted feeling changes by {height['003']:.1f}" in (
        figure.sentence
    )
    assert figure.numbers()["highlighted"].sum() == 7
    assert "The band is the 95 % interval of person 003's expected feeling" in figure.sentence
    nobody = drawn(mlp_run, "curves", feature="sleep", person=None)
    assert "The band" not in nobody.sentence
    assert f"changes by {height.median():.1f} between its" in nobody.sentence


def test_groups_name_where_they_differ_most(mlp_run: str, home: Path) -> None:
    folder = RunFolder(home / "runs" / mlp_run)
    curves = folder.table("response_curves")
    south = folder.covariates.index[folder.covariates["clinic"] == "south"]
    curves["value"] = np.where(curves["person"].isin(south) & (curves["x"] == 9), 4.5, 2.0)
    folder.write_table("response_curves", curves)
    figure = drawn(mlp_run, "curve-groups", covariate="clinic", feature="sleep")
    assert figure is not None
    assert (
        "mean predicted feeling differs most where sleep is 9: 2.00 (clinic: north), "
        "4.50 (clinic: south)." in figure.sentence
    )
    assert "not a test" in figure.sentence
    assert len(figure.numbers()) == 14
    # Where a test finds no more than chance gives, no difference is named.
    within = drawn(mlp_run, "curve-groups", covariate="clinic", feature="sleep", verdict="within")
    assert within is not None
    assert within.sentence.startswith("The differences between these groups lie within")
    assert "4.50" not in within.sentence


def test_two_people_are_compared_where_both_were_often_enough(crf_run: str, home: Path) -> None:
    figure = drawn(crf_run, "pair", first="001", second="002")
    start = figure.sentence.split(" to ")[0].removeprefix("The largest difference is ")
    assert figure.numbers()["other_count"].sum() > 0
    folder = RunFolder(home / "runs" / crf_run)
    rows = folder.table("transitions")
    rows.loc[(rows["person"] == "002") & (rows["from"] == start), "visits"] = 1
    folder.write_table("transitions", rows)
    again = drawn(crf_run, "pair", first="001", second="002")
    assert f"difference is {start} to" not in again.sentence


def test_hsic_gives_p_and_the_number_of_tests(crf_run: str) -> None:
    covariates.run_tests(crf_run, "clinic", STRATA)
    found = covariates.run_tests(crf_run, "depression", STRATA)
    row = found.hsic.set_index("covariate").loc["depression"]
    sentence = drawn(crf_run, "hsic", covariate="depression").sentence
    assert "lies within" in sentence
    assert f"(p = {row['p']:.3f}".replace("0.", ".") in sentence
    assert "corrected for 2 tests" in sentence
    assert "24 people" in sentence


def test_scatter_gives_the_effect_of_its_parameter(crf_run: str) -> None:
    found = covariates.run_tests(crf_run, "depression", STRATA)
    name = found.effects["parameter"].iloc[0]
    figure = drawn(crf_run, "covariates", covariate="depression", parameter=name)
    effect = found.effects.set_index("parameter").loc[name, "effect"]
    assert f"{abs(effect):.2f}"[:3] in figure.sentence
    values = covariates.parameters(crf_run).values[name]
    shown = figure.numbers().set_index("person")["value"]
    pd.testing.assert_series_equal(shown, values, check_names=False)


def test_scatter_of_two_groups_names_the_difference(crf_run: str) -> None:
    found = covariates.run_tests(crf_run, "clinic", STRATA)
    name = found.effects["parameter"].iloc[0]
    sentence = drawn(crf_run, "covariates", covariate="clinic", parameter=name).sentence
    assert "the mean difference (clinic: south minus north) is " in sentence


def test_overview_of_the_data() -> None:
    counts = pd.Series([3, 9, 4], index=["a", "b", "c"])
    assert "3 people with 3 to 9 observations each, 4 in the median" in (
        of_study.observations(counts).sentence
    )
    states = pd.Series(["x", "x", "x", "y", None], name="state")
    sentence = of_study.outcome(states, "class", "state").sentence
    assert "most frequent state is x, 75 % of the rows; missing in 1 row." in sentence
    numbers = pd.Series([1.0, 2.0, 3.0], name="mood")
    assert "mean of mood is 2.00, the SD 1.00; missing in no row" in (
        of_study.outcome(numbers, "number", "mood").sentence
    )


def test_missing_values_name_who_lacks_most() -> None:
    grid = pd.DataFrame([[0.0, 0.5, 1.0], [0.0, 0.0, None]], ["007", "008"], [0.0, 1.0, 2.0])
    figure = of_study.missing(grid, "person", "days")
    assert "missing of 1 of 2 people, most in Person 007: 50 %" in figure.sentence
    assert len(figure.numbers()) == 5


def test_reliability_says_how_it_goes_with_observations_in_these_persons(
    mlp_run: str, home: Path
) -> None:
    parameter = results.parameters(mlp_run)[0]
    figure = drawn(mlp_run, "reliability", parameter=parameter)
    assert "0.80 in the median" in figure.sentence
    assert "the same number of observations or the same reliability" in figure.sentence
    folder = RunFolder(home / "runs" / mlp_run)
    rows = folder.table("random_effects")
    chosen = rows["parameter"] == parameter
    n = int(chosen.sum())
    rows.loc[chosen, "n_obs"] = range(20, 20 + n)
    rows.loc[chosen, "reliability"] = np.linspace(0.9, 0.1, n)
    folder.write_table("random_effects", rows)
    figure = drawn(mlp_run, "reliability", parameter=parameter)
    assert "rank correlation with the number of observations is −1.00" in figure.sentence
