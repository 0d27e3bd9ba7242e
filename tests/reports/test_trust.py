"""What a run can be trusted with: tables and sentences from numbers that are set by hand."""

import numpy as np
import pandas as pd
import pytest

from nme_core.io import TABLES
from nme_core.reports import result_tables, words
from nme_core.reports.methods import methods

CHECKS = ["check", "statistic", "person", "observed", "simulated_mean", "simulated_low",
          "simulated_high"]  # fmt: skip
CALIBRATION = ["model", "split", "kind", "class", "low", "high", "expected", "observed", "ci_low",
               "ci_high", "n"]  # fmt: skip


@pytest.fixture
def judged(run):
    """The run with summary, checks, calibration, certificate, and the numbers of what was read."""
    run.write_json("data", {**run.data, "n_rows_read": 1500, "n_persons_read": 9})
    summary = [
        ("person", "a", "variance", 4.0), ("person", "a", "sd", 2.0),
        ("person", "a", "shrinkage", 0.25), ("person", "a", "mean_reliability", 0.75),
        ("person", "b", "variance", 9.0), ("person", "b", "sd", 3.0),
        ("person", "b", "shrinkage", 0.75), ("person", "b", "mean_reliability", 0.125),
        ("person", "", "n_groups", 8.0), ("person", "", "icc", 0.314),
    ]  # fmt: skip
    columns = ["group", "parameter", "quantity", "value"]
    run.write_table("summary", pd.DataFrame(summary, columns=columns))
    checks = [
        ("share", "low", "", 0.5, 0.49, 0.45, 0.55),
        ("dwell", "low", "", 3.5, 2.0, 1.5, 2.5),
        ("person", "share", "P1", 0.9, 0.1, 0.0, 0.2),
    ]
    run.write_table("checks", pd.DataFrame(checks, columns=CHECKS))
    calibration = [
        ("nme", "test", "probability", "low", 0.0, 0.1, 0.05, 0.06, 0.01, 0.1, 40),
        ("nme", "test", "probability", "low", 0.9, 1.0, 0.95, 0.7, 0.6, 0.8, 50),
        ("generic", "test", "probability", "low", 0.9, 1.0, 0.95, 0.1, 0.0, 0.2, 50),
        ("nme", "validation", "probability", "low", 0.9, 1.0, 0.95, 0.1, 0.0, 0.2, 50),
    ]
    run.write_table("calibration", pd.DataFrame(calibration, columns=CALIBRATION))
    certificate = pd.DataFrame(
        {
            "quantity": ["fixed effect", "random effect"], "parameter": "a", "parameter_2": "",
            "person": ["", "P1"], "ours": [1.0, 2.0], "mixedlm": [1.0, 2.1],
            "relative_difference": [1e-9, 0.05], "agrees": [True, False],
        }
    )  # fmt: skip
    run.write_table("certificate", certificate)
    pairs = [("a", "b", 0.1, 0.0, 0.0, -0.2, 0.2, 0.8), ("a", "c", 0.6, 0.0, 0.1, -0.1, 0.3, 0.012)]
    run.write_table("correlations", pd.DataFrame(pairs, columns=TABLES["correlations"]))
    return run


def test_every_table_says_what_the_run_holds(judged):
    tables = {table.name: table.cells for table in result_tables(judged)}
    flow = tables["flow"].set_index("Step")
    assert flow.loc["Read from the file"].tolist() == ["9", "1,500"]
    assert flow.iloc[1].tolist() == ["1", "300"]
    assert flow.loc["Analysed"].tolist() == ["8", "1,200"]
    assert flow.loc["Test: the last 20%"].tolist() == ["8", "240"]
    assert tables["summary"]["Parameter"].tolist() == ["b", "a"]
    assert tables["summary"].iloc[0].tolist() == ["b", "9.00", "3.00", ".75", ".12"]
    assert tables["checks"]["Within"].tolist() == ["yes", "no"]
    assert tables["calibration"][["Predicted", "Observed", "95% CI"]].to_numpy().tolist() == [
        ["0.0 to 0.1", ".06", "[.01, .10]"], ["0.9 to 1.0", ".70", "[.60, .80]"],
    ]  # fmt: skip
    assert tables["correlations"].iloc[0].tolist() == ["a", "c", ".60", "[−.10, .30]", ".012"]
    assert tables["certificate"]["Of"].tolist() == ["a of P1", "a"]


def test_sentences_count_what_is_off(judged):
    found = words(judged).findings
    assert "31% of the outcome's variance lay between people" in found["summary"]
    assert ".50 in the median over 2 parameters (.25 to .75)" in found["summary"]
    assert "Of 2 statistics of the data, 1 lay outside the middle 95%" in found["checks"]
    assert "mean length of a stay, rows: low. There the model does not" in found["checks"]
    assert "Of 2 shares that the model predicts" in found["calibration"]
    assert "1 lay outside" in found["calibration"]
    assert found["certificate"].startswith("1 of 2 quantities differ from MixedLM (random effect)")
    assert ": 1 of 2, where chance gives" in found["correlations"]
    assert "1 after correction for all. The model takes" in found["correlations"]
    assert any("Gelman" in one.text for one in words(judged).references)


def test_coverage_of_intervals_of_numbers(judged):
    rows = [("nme", "test", "interval", "", np.nan, np.nan, 0.9, 0.5, 0.4, 0.6, 30)]
    judged.write_table("calibration", pd.DataFrame(rows, columns=CALIBRATION))
    table = {table.name: table for table in result_tables(judged)}["calibration"]
    assert table.cells.iloc[0].tolist() == ["90%", ".90", ".50", "[.40, .60]", "30"]
    assert "inside the prediction interval" in table.note


def test_tables_without_a_row_are_left_out(judged):
    rows = [("nme", "test", "pit", "", 0.0, 0.1, 0.1, 0.1, 0.0, 0.2, 30)]
    judged.write_table("calibration", pd.DataFrame(rows, columns=CALIBRATION))
    assert "calibration" not in {table.name for table in result_tables(judged)}
    assert "calibration" not in words(judged).findings


@pytest.mark.parametrize(
    ("known", "said", "not_said"),
    [
        ((0.72, "split-half", 1), "was .72 (split-half", "most of how people differ is noise"),
        ((0.2, "posterior", 2), "most of how people differ is noise", "split-half"),
        ((0.2, "posterior", 2), "not taken from halves of the data", "split-half"),
        ((np.nan, "", 0), "The tests show association", "reliability"),
    ],
)
def test_methods_say_how_reliable_what_was_tested_is(run, known, said, not_said):
    table = run.table("hsic")
    table["reliability"], table["reliability_kind"], table["n_unreliable"] = known
    run.write_table("hsic", table)
    text = methods(run)[-1]
    assert said in text
    assert not_said not in text


@pytest.mark.parametrize("older", [False, True])
def test_stability_is_a_table_of_its_own_with_all_parameters_first(run, older):
    """Older runs have neither intervals nor what the halves were."""
    names = [f"transitions[a,{k}]" for k in range(30)]
    table = pd.DataFrame({"parameter": [*names, "all"], "split_half": 0.5, "n_persons": 8})
    table = table.assign(seed_agreement=1.0)
    if not older:
        table = table.assign(ci_low=0.2, ci_high=0.7, halves="odd and even days")
    run.write_table("stability", table)
    (found,) = (one for one in words(run).tables if one.name == "stability")
    assert found.cells["Parameter"].tolist()[:2] == ["All of them together", "a → 0"]
    assert len(found.cells) == 21
    assert ("95% CI" in found.cells) == ("(odd and even days)" in found.note) == (not older)
    assert "10 further parameters stand in stability.csv." in found.note
