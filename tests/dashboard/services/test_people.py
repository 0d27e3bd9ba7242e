import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dashboard.services import covariates, people, results
from nme_core.analysis.groups import group_matrices
from nme_core.analysis.people import (
    BY_ID,
    BY_SIMILARITY,
    dwell_times,
    in_order,
    person_map,
    sequences,
)
from nme_core.io import RunFolder


def _value(run: str, person: str) -> float:
    """The person's probability of moving from tense to low."""
    rows = results.table(run, "transitions")
    rows = rows[(rows["person"] == person) & (rows["readout"] == "conditional")]
    return float(rows.set_index(["from", "to"]).at[("tense", "low"), "value"])


def test_orders_hold_everybody_once(crf_run: str) -> None:
    persons, folder = results.persons(crf_run), results.run_folder(crf_run)
    values = results.covariates(crf_run)["depression"]
    by_score = in_order(folder, "depression")
    assert values[by_score].is_monotonic_increasing
    similar = in_order(folder, BY_SIMILARITY)
    assert sorted(similar) == sorted(by_score) == persons == in_order(folder, BY_ID)
    # Neighbours are more alike than persons in any order.
    table = results.table(crf_run, "transitions")
    scores = table[table["readout"] == "scores"].pivot(
        index="person", columns=["from", "to"], values="value"
    )
    along = scores.loc[similar].to_numpy() - scores.loc[similar].to_numpy().mean(0)
    first = np.linalg.svd(along, full_matrices=False)[2][0]
    steps = np.diff(along @ first)
    assert np.all(steps >= -1e-9) or np.all(steps <= 1e-9)


def test_group_means_are_means_of_the_persons(crf_run: str) -> None:
    groups = group_matrices(results.run_folder(crf_run), "conditional", "clinic")
    clinics = results.covariates(crf_run)["clinic"]
    assert groups is not None
    assert list(groups.means) == ["clinic: north", "clinic: south"]
    assert (groups.kind, groups.contrast, groups.n_outside) == ("values", "north − south", 0)
    n, mean = groups.means["clinic: north"]
    own = clinics.index[clinics == "north"]
    assert n == len(own)
    assert (groups.sizes["clinic: north"] == n).all(axis=None)
    values = [_value(crf_run, p) for p in own]
    assert mean.loc["tense", "low"] == pytest.approx(np.mean(values))
    assert list(mean.index) == list(mean.columns) == ["calm", "tense", "low"]
    low, high = (end.loc["tense", "low"] for end in groups.intervals["clinic: north"])
    found = stats.ttest_1samp(values, 0).confidence_interval()
    assert (low, high) == pytest.approx((found.low, found.high))
    others = [_value(crf_run, p) for p in clinics.index.difference(own)]
    welch = stats.ttest_ind(values, others, equal_var=False).confidence_interval()
    ends = [end.loc["tense", "low"] for end in groups.intervals["north − south"]]
    assert ends == pytest.approx([welch.low, welch.high])


def test_persons_in_no_group_are_counted(crf_run: str) -> None:
    folder = RunFolder(results.run_folder(crf_run).path)
    covariates = folder.covariates.astype({"depression": float})
    covariates.loc[["001", "002"], "depression"] = np.nan
    folder.write_covariates(covariates)
    groups = group_matrices(results.run_folder(crf_run), "expected", "depression")
    assert groups is not None
    assert (groups.kind, groups.contrast) == ("thirds", "low − high")
    known = covariates["depression"].dropna()
    low, high = known.quantile([1 / 3, 2 / 3])
    assert (groups.n_persons, groups.n_unknown) == (24, 2)
    assert groups.n_outside == ((known > low) & (known < high)).sum()
    assert next(iter(groups.means)).startswith("depression up to")


def test_stays_are_those_that_the_model_expects_beside_the_observed(crf_run: str) -> None:
    folder = RunFolder(results.run_folder(crf_run).path)
    table = folder.table("transitions")
    staying = (table["from"] == "calm") & (table["to"] == "calm") & (table["person"] == "003")
    for readout, share in (("conditional", 0.9), ("expected", 0.75), ("observed", 1.0)):
        rows = staying & (table["readout"] == readout)
        table.loc[rows, ["value", "ci_low", "ci_high"]] = [share, 0.5, 0.8]
    folder.write_table("transitions", table)
    folder.write_status(folder.status)
    found = dwell_times(folder.table("transitions"), "003").set_index(["state", "who", "how"])
    own = found.loc[("calm", "person 003", "expected")]
    assert own.tolist() == pytest.approx([4, 2, 5])
    # Never left: how long it is kept is not known.
    assert np.isnan(found.loc[("calm", "person 003", "observed"), "steps"])
    assert set(found.index.get_level_values("who")) == {"person 003", "population"}
    assert len(found) == 12


def test_the_map_keeps_distances_in_its_plane(crf_run: str) -> None:
    places, shares = person_map(covariates.parameters(crf_run))
    assert len(places) == 24
    assert 0 < shares[1] <= shares[0] <= 1
    assert np.corrcoef(places["first"], places["second"])[0, 1] == pytest.approx(0, abs=1e-9)


def test_furthest_is_in_units_of_the_model_s_sd(crf_run: str, home: object) -> None:
    rows = results.table(crf_run, "random_effects")
    covariance = results.table(crf_run, "covariance").set_index("parameter")["value"]
    scaled = rows["estimate"] / np.sqrt(rows["parameter"].map(covariance))
    expected = np.sqrt((scaled**2).groupby(rows["person"]).mean()).sort_values(ascending=False)
    found = people.furthest(crf_run, 3)
    assert found["person"].tolist() == expected.index[:3].tolist()
    assert found["distance"].to_numpy() == pytest.approx(expected.to_numpy()[:3])


def test_sequences_come_in_order_of_the_parts(crf_run: str) -> None:
    folder = RunFolder(results.run_folder(crf_run).path)
    table = folder.table("predictions")
    early = table.assign(split="train", time=table["time"] - 10)
    folder.write_table("predictions", pd.concat([table, early], ignore_index=True))
    rows = sequences(folder.table("predictions"), "003")
    assert rows["time"].tolist() == [6, 7, 8, 9, 16, 17, 18, 19]
    # Names have no order: day 10 comes after day 9, as in the study.
    days = [early.assign(sequence="day 9"), table.assign(split="train", sequence="day 10")]
    folder.write_table("predictions", pd.concat(days, ignore_index=True))
    folder.write_status(folder.status)
    rows = sequences(folder.table("predictions"), "003")
    assert rows["sequence"].tolist() == ["day 9"] * 4 + ["day 10"] * 4
