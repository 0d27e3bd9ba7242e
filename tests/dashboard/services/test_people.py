import numpy as np
import pandas as pd
import pytest

from dashboard.services import people, results
from nme_core.io import RunFolder


def test_orders_hold_everybody_once(crf_run: str) -> None:
    persons = results.persons(crf_run)
    values = results.covariates(crf_run)["depression"]
    by_score = people.order(crf_run, "depression")
    assert values[by_score].is_monotonic_increasing
    similar = people.order(crf_run, people.BY_SIMILARITY)
    assert sorted(similar) == sorted(by_score) == persons == people.order(crf_run, people.BY_ID)
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
    groups = people.group_matrices(crf_run, "conditional", "clinic")
    clinics = results.covariates(crf_run)["clinic"]
    assert list(groups) == ["clinic: north", "clinic: south"]
    n, mean = groups["clinic: north"]
    own = clinics.index[clinics == "north"]
    assert n == len(own)
    values = [
        results.transitions(crf_run, p, "conditional").person.loc["tense", "low"] for p in own
    ]
    assert mean.loc["tense", "low"] == pytest.approx(np.mean(values))
    assert list(mean.index) == list(mean.columns) == ["calm", "tense", "low"]


def test_the_map_keeps_distances_in_its_plane(crf_run: str) -> None:
    places, shares = people.person_map(crf_run)
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
    rows = people.sequences(crf_run, "003")
    assert rows["time"].tolist() == [6, 7, 8, 9, 16, 17, 18, 19]
    assert people.intervals(crf_run, "003", "conditional") is None
