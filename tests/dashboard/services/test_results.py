from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard.services import results
from dashboard.services.figures import figure
from nme_core.exceptions import RunFolderError
from nme_core.io import RunFolder


def test_matrices_are_from_rows_to_columns(crf_run: str) -> None:
    rows = results.table(crf_run, "transitions")
    found = figure(crf_run, "transitions", person="007", readout="expected").arguments
    for start, end in (("calm", "low"), ("low", "calm")):
        wanted = rows[
            (rows["person"] == "007")
            & (rows["readout"] == "expected")
            & (rows["from"] == start)
            & (rows["to"] == end)
        ].iloc[0]
        assert found["person"].loc[start, end] == wanted["value"]
        assert found["counts"].loc[start, end] == wanted["count"]
    assert list(found["population"].index) == ["calm", "tense", "low"]


def test_counts_are_the_observed_ones_whatever_the_readout(crf_run: str) -> None:
    folder = RunFolder(results.run_folder(crf_run).path)
    table = folder.table("transitions")
    expected = table["readout"] == "expected"
    table.loc[expected, "count"] = table.loc[expected, "count"] + 0.4
    folder.write_table("transitions", table)
    folder.write_status(folder.status)
    for kind, name in (("transitions", "counts"), ("pair", "other_counts")):
        who = {"person": "007"} if kind == "transitions" else {"first": "001", "second": "007"}
        drawn = [figure(crf_run, kind, readout=one, **who) for one in ("observed", "expected")]
        counted, others = (one.arguments[name] for one in drawn)
        pd.testing.assert_frame_equal(counted, others)
        rows = table[(table["person"] == "007") & (table["readout"] == "observed")]
        assert counted.to_numpy().sum() == rows["count"].sum() > 0


def test_person_ids_stay_text_and_the_population_is_none_of_them(crf_run: str) -> None:
    assert results.persons(crf_run)[:2] == ["001", "002"]
    assert len(results.persons(crf_run)) == 24


def test_parameters_that_the_data_say_most_about_come_first(mlp_run: str, home: Path) -> None:
    narrow, wide, bias = results.parameters(mlp_run)
    assert results.informative_parameters(mlp_run) == [wide, bias, narrow]
    assert results.informative_parameters(mlp_run, most=1) == [wide]
    folder = RunFolder(home / "runs" / mlp_run)
    rows = folder.table("random_effects")
    rows.loc[rows["parameter"] == wide, "reliability"] = 0.05
    rows.loc[rows["parameter"] == bias, "reliability"] = np.nan
    folder.write_table("random_effects", rows)
    assert results.informative_parameters(mlp_run) == [narrow, wide, bias]
    assert [results.is_learned(mlp_run, name) for name in (narrow, wide, bias)] == [
        True,
        False,
        True,
    ]


def test_a_run_without_a_variance_is_an_error(mlp_run: str) -> None:
    assert results.variance(mlp_run, results.parameters(mlp_run)[1]) > 0
    with pytest.raises(RunFolderError, match="unheard"):
        results.variance(mlp_run, "unheard")


def test_largest_gap_is_over_all_persons(crf_run: str) -> None:
    for readout in ("scores", "observed"):
        drawn = [
            figure(crf_run, "transitions", person=person, readout=readout).arguments
            for person in results.persons(crf_run)
        ]
        found = [(one["person"] - one["population"]).abs().max(axis=None) for one in drawn]
        assert [one["limit"] for one in drawn] == pytest.approx([max(found)] * len(found))
        assert min(found) < max(found)


def test_persons_without_a_test_part_are_counted(mlp_run: str, home: Path) -> None:
    assert results.training_only(mlp_run) == 0
    folder = RunFolder(home / "runs" / mlp_run)
    rows = folder.table("predictions")
    rows.loc[rows["person"].isin(["002", "009"]), "split"] = "train"
    folder.write_table("predictions", rows)
    assert results.training_only(mlp_run) == 2


@pytest.mark.parametrize(("run", "same"), [("mlp_run", 5.0), ("crf_run", "low")])
def test_a_model_that_predicts_the_same_for_everybody(
    request: pytest.FixtureRequest, home: Path, run: str, same: object
) -> None:
    identity = request.getfixturevalue(run)
    assert results.flat_models(identity) == set()
    folder = RunFolder(home / "runs" / identity)
    rows = folder.table("predictions")
    rows.loc[rows["model"] == "generic", "predicted"] = same
    folder.write_table("predictions", rows)
    assert results.flat_models(identity) == {"generic"}


def test_metrics_are_models_by_metrics_on_the_test_part(mlp_run: str) -> None:
    table = results.metrics_table(mlp_run)
    assert table.loc["generic", "mse"] == pytest.approx(0.8)
    assert list(table.columns) == ["mse", "pearson"]
    assert results.metrics_table(mlp_run, "train").empty


def test_a_run_that_is_gone_is_an_error(home: object) -> None:
    with pytest.raises(RunFolderError):
        results.table("20260101-000000-00000000", "metrics")
