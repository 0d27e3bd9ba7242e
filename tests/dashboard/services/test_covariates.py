from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard.services import covariates
from nme_core.analysis.groups import group_curves, groups_by_value
from nme_core.exceptions import NMEError
from nme_core.io import RunFolder
from tests.dashboard.conftest import STRATA


def test_every_covariate_tested_on_a_run_counts(crf_run: str, home: Path) -> None:
    assert covariates.kept_tests(crf_run) is None
    first = covariates.run_tests(crf_run, "depression", STRATA).hsic
    assert list(first["n_tests"]) == [1]
    both = covariates.run_tests(crf_run, "clinic").hsic.set_index("covariate")
    assert list(both.index) == ["depression", "clinic"]
    assert list(both["n_tests"]) == [2, 2]
    assert both.loc["depression", "p"] == first["p"].iloc[0]
    assert both["p_adjusted"].min() >= both["p"].min()
    assert covariates.tested(crf_run) == ("depression", "clinic")
    kept = RunFolder(home / "runs" / crf_run).table("hsic")
    assert list(kept["p"]) == pytest.approx(list(both["p"]))


def test_kept_tests_are_the_ones_made(crf_run: str) -> None:
    made = covariates.run_tests(crf_run, "depression", STRATA)
    kept = covariates.kept_tests(crf_run)
    assert kept is not None
    np.testing.assert_array_equal(kept.nulls["depression"], made.nulls["depression"])
    assert len(kept.nulls["depression"]) == int(kept.hsic["reps"].iloc[0])


def test_what_cannot_be_tested_says_so_and_leaves_no_trace(crf_run: str) -> None:
    with pytest.raises(NMEError):
        covariates.run_tests(crf_run, "shoe size", STRATA)
    assert covariates.tested(crf_run) == ()


def test_groups_are_the_lowest_and_the_highest_third_with_ties_together() -> None:
    persons = [f"{i:02d}" for i in range(18)]
    score = pd.Series([0.0] * 8 + list(range(1, 11)), persons, name="bdi")
    groups = groups_by_value(score)
    assert groups is not None
    assert list(groups[groups == "bdi up to 0"].index) == persons[:8]
    assert list(groups[groups == "bdi from 5"].index) == persons[12:]
    assert len(groups) == 14


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([0.0] * 6 + [1.0] * 6, ["drug: 0", "drug: 1"]),
        (["a"] * 5 + ["b"] * 7, ["drug: a", "drug: b"]),
        (["a"] * 4 + ["b"] * 8, None),
        (list("abcdefg") * 6, None),
        ([1.0] * 9 + [2.0, 3.0, np.nan], None),
    ],
)
def test_groups_by_value(values: list[object], names: list[str] | None) -> None:
    series = pd.Series(values, [f"{i:02d}" for i in range(len(values))], name="drug")
    groups = groups_by_value(series)
    assert names == (None if groups is None else list(dict.fromkeys(groups)))


def test_curves_of_a_group_are_means_where_half_of_it_was_observed(
    mlp_run: str, home: Path
) -> None:
    folder = RunFolder(home / "runs" / mlp_run)
    curves = folder.table("response_curves")
    score = folder.covariates["depression"]
    low = score[score <= score.quantile(1 / 3)].index
    gone = curves["person"].isin(low[: len(low) // 2 + 1]) & (curves["x"] > 8)
    curves = curves[~gone]
    folder.write_table("response_curves", curves)
    found = group_curves(folder, "depression", curves[curves["feature"] == "sleep"])
    assert found is not None
    first, last = found["group"].unique()
    assert first.startswith("depression up to ")
    assert found.loc[found["group"] == first, "x"].max() == 8
    assert found.loc[found["group"] == last, "x"].max() == 10
    own = curves[(curves["feature"] == "sleep") & (curves["x"] == 7) & curves["person"].isin(low)]
    at = found[(found["group"] == first) & (found["x"] == 7)].iloc[0]
    assert at["value"] == pytest.approx(own["value"].mean())
    assert at["n_persons"] == len(low)


def test_compliance_is_seen(crf_run: str, home: Path) -> None:
    assert covariates.compliance(crf_run, "depression") is None
    folder = RunFolder(home / "runs" / crf_run)
    effects = folder.table("random_effects")
    score = folder.covariates["depression"]
    effects["n_obs"] = 100 - effects["person"].map(score)
    folder.write_table("random_effects", effects)
    found = covariates.compliance(crf_run, "depression")
    assert found is not None
    assert found.rho == pytest.approx(-1)
    assert found.n_persons == 24
    assert covariates.compliance(crf_run, "clinic") is None
