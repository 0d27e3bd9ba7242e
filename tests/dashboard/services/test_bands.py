from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard.services import covariates
from nme_core.analysis import bands
from nme_core.analysis.groups import band_of_persons, group_matrices
from nme_core.exceptions import NMEError
from nme_core.io import RunFolder
from nme_core.study.questionnaires import proposed
from tests.dashboard.conftest import STRATA


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        ("PHQ9", "PHQ-9"), ("phq_9_sum", "PHQ-9"), ("bdi_ii", "BDI-II"), ("BDI", "BDI"),
        ("ces-d total", "CES-D"), ("madrs", "MADRS"), ("abdication", None), ("depression", None),
    ],
)  # fmt: skip
def test_a_questionnaire_is_known_by_the_name_of_its_column(name: str, preset: str | None) -> None:
    assert proposed(name) == preset


def test_bands_hold_both_of_their_limits() -> None:
    values = pd.Series([0.0, 4, 5, 14, 27, np.nan, -1], list("abcdefg"), name="phq9")
    found = bands.by_band(values, bands.PRESETS["PHQ-9"].bands)
    assert found.to_dict() == {
        "a": "minimal (0 to 4)", "b": "minimal (0 to 4)", "c": "mild (5 to 9)",
        "d": "moderate (10 to 14)", "e": "severe (20 and more)",
    }  # fmt: skip
    assert bands.by_band(values + 0.5, ((0, "low"), (5, "high"))).iloc[0] == "low (0 to below 5)"


def test_bands_of_item_means_and_of_what_fits_no_scale() -> None:
    preset = bands.PRESETS["CES-D"].bands
    means = pd.Series([0.0, 0.75, 0.8, 2.8, 1.35, 0.1], list("abcdef"), name="cesd")
    assert bands.by_band(means, preset).to_dict() == {
        "a": "below the cut-off (item mean 0 to below 0.8)",
        "f": "below the cut-off (item mean 0 to below 0.8)",
        "b": "below the cut-off (item mean 0 to below 0.8)",
        "c": "from the cut-off (item mean 0.8 and more)",
        "e": "from the cut-off (item mean 0.8 and more)",
        "d": "from the cut-off (item mean 0.8 and more)",
    }
    assert bands.usual(means) == ((0, "below the cut-off"), (0.8, "from the cut-off"))
    standardised = pd.Series([-1.5, -1.0, 0.0, 0.2, 1.0, 1.5], list("abcdef"), name="cesd")
    assert bands.usual(standardised) == ()
    thirds = bands.by_band(standardised, preset)
    assert [text.split(" (")[0] for text in thirds] == [
        "lowest third", "lowest third", "middle third", "middle third",
        "highest third", "highest third",
    ]  # fmt: skip


def test_own_bands_group_and_colour_and_leave_the_test_alone(crf_run: str, home: Path) -> None:
    run = RunFolder(home / "runs" / crf_run)
    score = run.covariates["depression"]
    before = covariates.run_tests(crf_run, "depression", STRATA).hsic
    assert band_of_persons(run, "depression") is None
    bands.keep(run, "depression", [(20, "more"), (0, "less")])
    groups = group_matrices(run, "conditional", "depression")
    assert groups is not None
    assert list(groups.means) == ["less (0 to 19)", "more (20 and more)"]
    assert groups.means["less (0 to 19)"][0] == (score < 20).sum()
    coloured = band_of_persons(run, "depression")
    assert coloured is not None
    assert (coloured == "more (20 and more)").sum() == (score >= 20).sum()
    after = covariates.run_tests(crf_run, "depression").hsic
    pd.testing.assert_frame_equal(before, after)
    bands.keep(run, "depression", [])
    assert band_of_persons(run, "depression") is None


def test_a_small_band_is_not_a_group(crf_run: str, home: Path) -> None:
    run = RunFolder(home / "runs" / crf_run)
    highest = run.covariates["depression"].max()
    bands.keep(run, "depression", [(0, "a"), (15, "b"), (highest, "c")])
    groups = group_matrices(run, "conditional", "depression")
    assert groups is not None
    assert [name[0] for name in groups.means] == ["a", "b"]


@pytest.mark.parametrize(
    "wrong",
    [
        [(0, "a")], [(0, "a"), (1, "a")], [(0, "a"), (0, "b")], [(0, "a"), (1, " ")],
        [(np.nan, "a"), (1, "b")], [(i, str(i)) for i in range(9)],
    ],
)  # fmt: skip
def test_bands_without_sense_are_refused(
    crf_run: str, home: Path, wrong: list[tuple[float, str]]
) -> None:
    run = RunFolder(home / "runs" / crf_run)
    with pytest.raises(NMEError):
        bands.keep(run, "depression", wrong)
    assert not (run.path / "bands.json").exists()
