from pathlib import Path

import numpy as np
import pytest

from dashboard.services import covariates
from nme_core.exceptions import NMEError
from nme_core.io import RunFolder


def test_every_covariate_tested_on_a_run_counts(crf_run: str, home: Path) -> None:
    assert covariates.kept_tests(crf_run) is None
    first = covariates.run_tests(crf_run, "depression").hsic
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
    made = covariates.run_tests(crf_run, "depression")
    kept = covariates.kept_tests(crf_run)
    assert kept is not None
    np.testing.assert_array_equal(kept.nulls["depression"], made.nulls["depression"])
    assert len(kept.nulls["depression"]) == int(kept.hsic["reps"].iloc[0])


def test_what_cannot_be_tested_says_so_and_leaves_no_trace(crf_run: str) -> None:
    with pytest.raises(NMEError):
        covariates.run_tests(crf_run, "shoe size")
    assert covariates.tested(crf_run) == ()


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
