from pathlib import Path

import pandas as pd
import pytest

from dashboard.components.verdict import (
    comparison_sentence,
    comparison_view,
    difference,
    limits,
    metric_value,
    metrics_view,
    persons_view,
    split_note,
)
from dashboard.services import results
from nme_core.io import RunFolder


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.04, 0.16, "one model for all people does worse"),
        (-0.16, -0.04, "one model for all people does better"),
        (-0.04, 0.16, "the data do not tell the two models apart"),
    ],
)
def test_verdict_on_a_loss(crf_run: str, home: Path, low: float, high: float, verdict: str) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    rows = folder.table("comparison")
    rows.loc[0, ["difference", "ci_low", "ci_high"]] = [(low + high) / 2, low, high]
    folder.write_table("comparison", rows)
    sentence = comparison_sentence(crf_run)
    assert verdict in sentence
    assert "log-loss is 0.700, the generic model's 0.800" in sentence
    assert "mean over 24 people" in sentence


def test_interval_and_p_must_agree_on_a_verdict(crf_run: str, home: Path) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    rows = folder.table("comparison")
    rows.loc[0, "p_adjusted"] = 0.125
    folder.write_table("comparison", rows)
    sentence = comparison_sentence(crf_run)
    assert "the data do not tell the two models apart" in sentence
    assert "[0.040, 0.160], corrected p = .125" in sentence


def test_verdict_on_a_metric_where_more_is_better(crf_run: str, home: Path) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    for name in ("metrics", "comparison"):
        table = folder.table(name)
        folder.write_table(name, table[table["metric"] == "kappa"])
    rows = folder.table("comparison")
    rows.loc[0, ["difference", "ci_low", "ci_high", "p_adjusted"]] = [-0.1, -0.2, -0.05, 0.01]
    folder.write_table("comparison", rows)
    assert "does worse" in comparison_sentence(crf_run)


def test_verdict_without_other_models(crf_run: str, home: Path) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    folder.write_table("comparison", folder.table("comparison").head(0))
    assert comparison_sentence(crf_run).endswith("log-loss is 0.700.")


def test_tables(crf_run: str) -> None:
    shown = metrics_view(crf_run).set_index("model")
    assert shown.loc["generic (one for all)", "log-loss"] == "0.800"
    assert shown.loc["NME (person-specific)", "Cohen's κ"] == "0.400"
    rows = comparison_view(crf_run)
    assert list(rows["p"]) == list(rows["corrected p"]) == ["< .001", ".071"]
    assert list(rows["95 % interval"]) == ["[0.040, 0.160]", "[−0.210, 0.010]"]


def test_a_correlation_next_to_nothing_is_written_out() -> None:
    assert metric_value("ccc", 3.0e-5) == "0.000"
    assert metric_value("mse", 0.04561) == "0.0456"


def test_a_difference_next_to_nothing_has_the_decimals_of_its_metric() -> None:
    assert difference("log_loss", 1.0e-5, 0.694) == "0.000"
    assert limits("log_loss", -4.1e-5, 5.8e-5, 0.694) == "[0.000, 0.000]"
    assert limits("mse", -0.4, 12.04, 130.0) == "[0, 12]"
    assert limits("mse", -1.5e8, 2e9, 1e12) == "[−1.5 × 10⁸, 2.0 × 10⁹]"
    assert metric_value("mse", 1.326, like=0.5895) == "1.326"


def test_means_over_persons_stand_apart_from_metrics_of_all_occasions(
    crf_run: str, home: Path
) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    metrics = folder.table("metrics")
    own = metrics[(metrics["model"] == "nme") & (metrics["metric"] == "kappa")]
    values = [0.0, 0.1, 0.2, 0.3]
    parts = [own.assign(scope="person", person=f"{i}", value=v) for i, v in enumerate(values)]
    folder.write_table("metrics", pd.concat([metrics, *parts]))
    shown = persons_view(crf_run)
    assert shown.columns.tolist() == ["log-loss", "Cohen's κ"]
    assert shown.loc["NME (person-specific)", "log-loss"] == "–"
    assert shown.loc["NME (person-specific)", "Cohen's κ"].startswith("0.150 [")
    rows = folder.table("comparison")
    rows.loc[0, "difference"] = 1e-5
    folder.write_table("comparison", rows)
    tiny = persons_view(crf_run).loc["generic (one for all) minus NME", "log-loss"]
    assert tiny == "0.000 [0.040, 0.160]"
    other = shown.loc["generic (one for all) minus NME"]
    assert other.tolist() == ["+0.100 [0.040, 0.160]", "−0.100 [−0.210, 0.010]"]


def test_a_model_that_found_no_pattern_is_remarked(mlp_run: str, home: Path) -> None:
    assert "remark" not in metrics_view(mlp_run)
    folder = RunFolder(home / "runs" / mlp_run)
    rows = folder.table("predictions")
    rows.loc[rows["model"] == "generic", "predicted"] = 5.0
    folder.write_table("predictions", rows)
    remarks = metrics_view(mlp_run).set_index("model")["remark"]
    assert remarks["generic (one for all)"].startswith("predicts nearly the same number")
    assert remarks["NME (person-specific)"] == ""


def test_persons_in_training_only_are_said(mlp_run: str, home: Path) -> None:
    assert "training only" not in split_note(mlp_run)
    folder = RunFolder(home / "runs" / mlp_run)
    rows = folder.table("predictions")
    rows.loc[rows["person"].isin(["002", "009"]), "split"] = "train"
    folder.write_table("predictions", rows)
    assert "Used for training only: 2 people with fewer than 5 occasions." in (split_note(mlp_run))
    assert "Judged here: 96 occasions" in split_note(mlp_run)


def test_a_run_from_before_the_correction_is_read(crf_run: str, home: Path) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    table = folder.table("comparison")
    folder.write_table("comparison", table.drop(columns="p_adjusted"))
    found = results.table(crf_run, "comparison")
    assert (found["p_adjusted"] >= found["p"]).all()
    assert "95 % interval" in comparison_sentence(crf_run)


def test_warnings_of_the_fits_are_listed(crf_run: str, home: Path) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    note = {"model": "nme", "kind": "BoundaryWarning", "message": "A variance is 0."}
    older = {"model": "generic", "message": "It stopped."}
    folder.write_json("config", {**folder.config, "warnings": [note, older]})
    own, other = results.training_warnings(crf_run)
    assert own == ("nme", "BoundaryWarning", "A variance is 0.")
    assert (own.own, own.alike, own.serious) == (True, True, False)
    assert (other.own, other.kind, other.serious) == (False, "", True)


def test_a_trial_that_only_chose_settings_is_not_serious() -> None:
    trial = results.TrainingWarning("trial 3", "ConvergenceWarning", "It stopped.")
    assert not trial.own
    assert not trial.serious
    assert results.TrainingWarning("nme (all rows)", "ConvergenceWarning", "It stopped.").serious
