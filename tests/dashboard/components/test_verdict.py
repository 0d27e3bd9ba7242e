from pathlib import Path

import pytest

from dashboard.components.verdict import comparison_sentence, comparison_view, metrics_view
from nme_core.io import RunFolder


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.04, 0.16, "one model for all persons does worse"),
        (-0.16, -0.04, "one model for all persons does better"),
        (-0.04, 0.16, "the difference to one model for all persons is within chance"),
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
    assert "mean over 24 persons" in sentence


def test_verdict_on_a_metric_where_more_is_better(crf_run: str, home: Path) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    for name in ("metrics", "comparison"):
        table = folder.table(name)
        folder.write_table(name, table[table["metric"] == "kappa"])
    rows = folder.table("comparison")
    rows.loc[0, ["difference", "ci_low", "ci_high"]] = [-0.1, -0.2, -0.05]
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
    assert list(rows["p"]) == ["< .001", ".071"]
    assert list(rows["95 % interval"]) == ["[0.040, 0.16]", "[−0.21, 0.010]"]
