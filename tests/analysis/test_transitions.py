"""The table of transitions against counts made by hand."""

import numpy as np
import pytest

from nme_core.analysis import transitions_table
from nme_core.estimators.moves import with_population
from nme_core.estimators.stationary_chain import stationary_chain
from nme_core.io import TABLES

STATES = ["calm", "low", "tense"]


@pytest.fixture(scope="module")
def table(crf):
    return transitions_table(crf)


def matrix(table, person, readout, column="value"):
    """From (rows) × to (columns)."""
    chosen = table[(table["person"] == person) & (table["readout"] == readout)]
    wide = chosen.pivot(index="from", columns="to", values=column)
    return wide.loc[STATES, STATES].to_numpy()


# Without the pairs around the missing label and between the two sequences of b.
COUNTS = {
    "b": [[0, 0, 3], [1, 0, 0], [1, 1, 0]],
    "007": [[2, 1, 0], [0, 1, 1], [0, 0, 0]],
}
COUNTS[""] = (np.array(COUNTS["b"]) + np.array(COUNTS["007"])).tolist()


@pytest.mark.parametrize("person", ["b", "007", ""])
def test_observed_transitions_are_those_counted_by_hand(table, person):
    counts = np.array(COUNTS[person], dtype=float)
    assert matrix(table, person, "observed", "count").tolist() == counts.tolist()
    total = counts.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, counts / np.maximum(total, 1), np.nan)
    assert matrix(table, person, "observed") == pytest.approx(shares, nan_ok=True)


def test_every_person_and_the_population_has_every_readout(table):
    assert list(table.columns) == list(TABLES["transitions"])
    assert len(table) == 3 * 4 * 9
    assert not table.duplicated(["person", "readout", "from", "to"]).any()
    assert set(table["person"]) == {"b", "007", ""}


@pytest.mark.parametrize("person", ["b", "007", ""])
def test_scores_are_double_centred(table, person):
    scores = matrix(table, person, "scores")
    assert scores.sum(axis=0) == pytest.approx(0, abs=1e-6)
    assert scores.sum(axis=1) == pytest.approx(0, abs=1e-6)
    assert np.abs(scores).max() > 0.01


@pytest.mark.parametrize("readout", ["conditional", "expected"])
@pytest.mark.parametrize("person", ["b", "007", ""])
def test_rows_of_probabilities_sum_to_one(table, person, readout):
    shares = matrix(table, person, readout)
    assert shares.sum(axis=1) == pytest.approx(1)
    assert (shares >= 0).all()


def test_expected_counts_add_up_to_the_steps(table):
    # pairs of consecutive rows, labelled or not: b has 5 + 3, 007 has 5
    for person, pairs in (("b", 8), ("007", 5), ("", 13)):
        assert matrix(table, person, "expected", "count").sum() == pytest.approx(pairs)


def test_counts_stand_only_where_something_was_counted(table):
    counted = table["readout"].isin(["expected", "observed"])
    assert table.loc[counted, "count"].notna().all()
    assert table.loc[~counted, "count"].isna().all()


def test_intervals_hold_what_is_shown(table):
    shown = table[table["value"].notna()]
    assert (shown["ci_low"] <= shown["value"]).all()
    assert (shown["value"] <= shown["ci_high"]).all()
    assert table.loc[table["value"].isna(), ["ci_low", "ci_high"]].isna().all(axis=None)
    shares = shown[shown["readout"] != "scores"]
    assert (shares["ci_low"] >= 0).all()
    assert (shares["ci_high"] <= 1).all()


def test_from_and_to_are_not_mixed_up(table, crf):
    # calm → tense is the commonest transition of b, tense → calm is rare
    for readout in ("conditional", "expected", "observed"):
        shares = matrix(table, "b", readout)
        frame = crf.transition_matrix("b", readout)
        assert frame.loc["calm", "tense"] == pytest.approx(shares[0, 2])
        assert frame.loc["tense", "calm"] == pytest.approx(shares[2, 0])
        assert shares[0, 2] != pytest.approx(shares[2, 0])
    assert shares[0, 2] > 1.1 * shares[2, 0]


def test_conditional_follows_from_scores_and_emissions(table, crf):
    person = crf.groups_.tolist().index("b")
    mixed = crf._posterior.mixed
    everybody = with_population(mixed)
    emission = crf._moves.emissions(mixed, everybody)[person]
    scores = crf._moves.scores(mixed, everybody)[[person]]
    raw = scores[0] + emission
    shares = stationary_chain(scores, emission[None])[0]
    assert matrix(table, "b", "conditional") == pytest.approx(shares)
    # centring takes nothing away that sets two to-states of two from-states apart
    scores = matrix(table, "b", "scores")
    contrast = raw - raw.mean(axis=0) - raw.mean(axis=1)[:, None] + raw.mean()
    assert scores == pytest.approx(contrast)
