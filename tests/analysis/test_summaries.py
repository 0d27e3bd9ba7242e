"""Persons' summaries against counts by hand, and the form in which they are held."""

import numpy as np
import pandas as pd
import pytest

from nme_core.analysis import person_summaries
from nme_core.analysis.summaries import describe, held_summaries


def wide(table, column="value"):
    return table.pivot(index="person", columns="summary", values=column)


def test_states_are_counted_by_hand(chain):
    table = person_summaries(chain["state"], chain["person"], chain["sequence"], "class")
    value, n = wide(table), wide(table, "n")
    # b: calm 4, tense 3, low 2 of 9; 5 pairs in b/1, 1 in b/2 beside the missing label
    assert value.loc["b", "share[calm]"] == pytest.approx(4 / 9)
    assert value.loc["b", "share[low]"] == pytest.approx(2 / 9)
    assert value.loc["b", "switching rate"] == 1
    assert (n.loc["b", "switching rate"], n.loc["b", "share[low]"]) == (6, 9)
    assert value.loc["007", "switching rate"] == pytest.approx(2 / 5)
    held = held_summaries(table)
    assert list(held) == ["log share[low]", "log share[tense]", "log-odds of switching rate"]
    assert held.loc["b", "log share[tense]"] == pytest.approx(np.log(3.5 / 4.5))
    assert held.loc["007", "log-odds of switching rate"] == pytest.approx(np.log(2.5 / 3.5))
    assert "shares" in describe(table)


def test_numbers_have_mean_and_sd():
    y = pd.Series([1.0, 2.0, 6.0, 5.0, 5.0, np.nan, 3.0])
    groups = pd.Series(["b", "b", "b", "a", "a", "a", "c"])
    table = person_summaries(y, groups, groups, "number")
    value = wide(table)
    assert value.loc["b"].to_dict() == pytest.approx({"mean": 3, "sd": np.sqrt(7)})
    assert wide(table, "n")["mean"].to_dict() == {"a": 2, "b": 3, "c": 1}
    held = held_summaries(table)
    assert held.index.tolist() == ["a", "b"]  # c has no spread
    assert held.loc["b", "log sd"] == pytest.approx(np.log(7) / 2)
    assert held.loc["a", "log sd"] == pytest.approx(np.log(np.sqrt(7) / 2))  # 0 has no logarithm
    assert "standard deviation" in describe(table)
