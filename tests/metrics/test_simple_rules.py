"""Simple rules against loops that do what their names say, row by row."""

import numpy as np
import pandas as pd
import pytest

from nme_core.metrics.simple_rules import ClassRules, Histories, NumberRules


def numbers(y, person, time=None):
    y, person = pd.Series(y, dtype=float), pd.Series(person)
    when = None if time is None else pd.Series(time)
    return Histories.of(y, person, person, when, None)


def classes(y, person, sequence=None):
    person = pd.Series(person)
    own = person if sequence is None else pd.Series(sequence)
    return Histories.of(pd.Series(y, dtype=object), person, own, None, ["a", "b", "c"])


Y = [1.0, 3.0, np.nan, 8.0, 5.0, 6.0, 10.0, 20.0, 40.0, 10.0]
WHO = ["p"] * 6 + ["q"] * 4
EARLIER = np.array([True] * 4 + [False] * 2 + [True] * 2 + [False] * 2)


def test_mean_and_last_are_of_the_known_rows_alone():
    histories = numbers(Y, WHO)
    rules = NumberRules(histories, EARLIER)
    rows = np.flatnonzero(~EARLIER)
    origin = histories.last_before(~EARLIER)[rows]
    assert origin.tolist() == [3, 3, 7, 7]
    assert rules.predict("mean", rows, origin).tolist() == [4, 4, 15, 15]
    assert rules.predict("last", rows, origin).tolist() == [8, 8, 20, 20]
    at_missing = rules.predict("last", np.array([3]), np.array([2]))
    assert at_missing.tolist() == [3]  # the last one that is known


def test_nobody_before_leaves_the_mean_of_everybody():
    rules = NumberRules(numbers(Y, WHO), EARLIER)
    none = rules.predict("ar1", np.array([0]), np.array([-1]))
    assert none == pytest.approx(np.mean([1, 3, 8, 10, 20]))


def test_ewma_is_the_recursion_with_the_weight_that_predicts_best():
    rng = np.random.default_rng(0)
    level = rng.normal(size=(6, 60)).cumsum(1)
    y = (level + 0.7 * rng.normal(size=level.shape)).ravel()
    who = np.repeat(np.arange(6), 60)
    histories = numbers(y, who)
    rules = NumberRules(histories, np.ones(360, dtype=bool))

    def recursion(weight):
        total = np.empty(60)
        weights = (1 - weight) ** np.arange(60)
        for t in range(60):
            past = y[: t + 1][::-1]
            total[t] = weights[: t + 1] @ past / weights[: t + 1].sum()
        return total

    found = rules.predict("ewma", np.arange(60), np.arange(60))
    candidates = [recursion(w) for w in (0.1, 0.2, 0.35, 0.5, 0.7, 0.9)]
    close = [np.allclose(found, one) for one in candidates]
    assert close.index(True) in (2, 3, 4)


def test_ar1_goes_back_to_the_mean_by_the_time_that_passed():
    rng = np.random.default_rng(1)
    n, phi = 400, 0.6
    rows = []
    for _ in range(5):
        e = rng.normal(size=n)
        for t in range(1, n):
            e[t] = phi * e[t - 1] + np.sqrt(1 - phi**2) * e[t]
        rows.append(e)
    y, who = np.concatenate(rows), np.repeat(np.arange(5), n)
    day = np.tile(np.arange(n) * 2.0, 5)
    day[n - 1] += 4  # two usual steps more
    histories = numbers(y, who, day)
    rules = NumberRules(histories, np.ones(5 * n, dtype=bool))
    origin = np.array([n - 2])
    mean, last = rules.predict("mean", origin, origin)[0], y[n - 2]
    found = rules.predict("ar1", np.array([n - 1]), origin)[0]
    own = np.corrcoef(y[: n - 1], y[1:n])[0, 1]
    assert (found - mean) / (last - mean) == pytest.approx(own**3, abs=0.02)


def test_moves_are_counted_within_sequences_and_pulled_to_everybodys():
    y = ["a", "b", "a", "b", "c", "c"]
    histories = classes(y, ["p"] * 4 + ["q"] * 2, ["p1", "p1", "p2", "p2", "q1", "q1"])
    rules = ClassRules(histories, np.ones(6, dtype=bool))
    total = np.array([[0, 2, 0], [0, 0, 0], [0, 0, 1]]) + 0.5
    usual = total / total.sum(1, keepdims=True)
    expected = (np.array([0, 2, 0]) + 3 * usual[0]) / 5
    np.testing.assert_allclose(rules.tables["markov"][0, 0], expected)
    for table in rules.tables.values():
        np.testing.assert_allclose(table.sum(2), 1)


def test_chances_are_powers_of_the_table_and_begin_anew_with_a_sequence():
    y = ["a", "b", "b", "a", "a", "c", "b", "a"]
    histories = classes(y, ["p"] * 8, ["1"] * 6 + ["2"] * 2)
    learned = np.arange(8) < 3
    rules = ClassRules(histories, learned)
    rows = np.arange(3, 8)
    origin = histories.last_before(~learned)[rows]
    found = rules.chances("markov", rows, origin)
    table = rules.tables["markov"][0]
    for k in range(3):
        np.testing.assert_allclose(found[k], np.linalg.matrix_power(table, k + 1)[1])
    np.testing.assert_allclose(found[3:], np.tile(rules.shares[0], (2, 1)))
    last = rules.predict("last", rows, origin, rules.chances("last", rows, origin))
    assert last.tolist() == [1] * 5


@pytest.mark.parametrize("rule", ["frequent", "last", "markov"])
def test_losses_of_a_path_are_those_of_all_paths_that_fill_its_gaps(rule):
    y = ["a", "b", None, "a", "c"]
    histories = classes(y, ["p"] * 5)
    chosen = np.array([False, True, True, True, True])
    rules = ClassRules(histories, np.array([True, True, False, True, True]))
    table = rules.tables[rule][0]
    expected = sum(table[0, 1] * table[1, k] * table[k, 0] * table[0, 2] for k in range(3))
    losses = rules.path_losses(rule, chosen)
    assert np.isnan(losses[[0, 2]]).all()
    assert np.nansum(losses) == pytest.approx(-np.log(expected))
