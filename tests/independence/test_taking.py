"""How a covariate is taken, on how many people; what no test can say anything about."""

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import DataError
from nme_core.independence import test_covariates as run_tests
from nme_core.independence.report import hsic_lines
from nme_core.independence.taking import take

N = 14
IDS = [f"P{i:02d}" for i in range(1, N + 1)]
X = pd.DataFrame(np.random.default_rng(0).normal(size=(N, 2)), index=IDS, columns=["a", "b"])


def outcome_of(**columns):
    table = pd.DataFrame(columns, index=IDS)
    return run_tests(X, table, parameters="effects", strata="none", reps=199)


@pytest.mark.parametrize(
    ("values", "kind", "groups", "n"),
    [
        (np.arange(14.0), "number", "", 14),
        (["A"] * 7 + ["B"] * 7, "2 groups", "A 7; B 7", 14),
        ([1.0, 2.0] * 7, "2 groups", "1 7; 2 7", 14),
        (["A"] * 7 + ["B"] * 6 + ["C"], "2 groups", "A 7; B 6", 13),
        (["A"] * 5 + ["B"] * 5 + ["C"] * 3 + [None], "3 groups", "A 5; B 5; C 3", 13),
        ([True] * 4 + [False] * 10, "2 groups", "False 10; True 4", 14),
    ],
)
def test_how_a_covariate_was_taken(values, kind, groups, n):
    found = outcome_of(c=values)
    row = found.hsic.iloc[0]
    assert row[["taken_as", "groups", "n_persons"]].tolist() == [kind, groups, n]
    assert set(found.effects["taken_as"]) == {kind}
    assert set(found.effects["n_persons"]) == {n}
    assert f"{n} people" in found.notes[0]
    assert kind in "\n".join(hsic_lines(found.hsic))


def test_who_is_alone_is_left_out_by_name():
    found = outcome_of(arm=["A"] * 6 + ["B"] * 6 + ["C", "D"])
    assert found.hsic["n_left_out"].iloc[0] == 2
    assert found.notes == (
        "arm: taken as 2 groups (A 6; B 6), 12 people. Left out, alone in their group: 'P13' in "
        "'C', 'P14' in 'D'.",
    )
    assert not found.effects["group"].str.contains("C|D").any()


def test_a_group_of_two_is_said_to_tell_little():
    found = outcome_of(arm=["A"] * 12 + ["B"] * 2)
    assert "Two people tell hardly anything of a group: 'B'." in found.notes[0]
    assert found.hsic[["strength_low", "strength_high"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (["A"] * 13 + ["B"], "the group 'B' has one person"),
        ([0.0] * 13 + [5.0], "the group '5' has one person"),
        (["A"] * 12 + ["B", "C"], "the groups 'B', 'C' have one person each"),
        (IDS, "14 different labels among 14 people"),
        (list("ABCDEFG") * 2, "7 different labels among 14 people"),
        ([f"{i},5" for i in range(12)] + ["1,5", "2,5"], "12 different labels among 14 people"),
    ],
)
def test_what_says_nothing_is_refused_with_the_true_reason(values, why):
    with pytest.raises(DataError, match=why) as caught:
        outcome_of(c=values)
    assert caught.value.column == "c"


def test_what_cannot_be_tested_is_not_counted():
    age = np.random.default_rng(1).normal(size=N)
    found = outcome_of(arm=["A"] * 13 + ["B"], age=age)
    assert list(found.hsic["covariate"]) == ["age"]
    assert set(found.hsic["n_tests"]) == {1}
    assert found.hsic["p"].iloc[0] == outcome_of(age=age).hsic["p"].iloc[0]
    assert "'arm' cannot be tested" in str(found.doubts[0])


def test_a_p_that_cannot_be_small_is_refused():
    arm = pd.Series(["A", "A", "B", "B", "B"], index=IDS[:5], name="arm")
    with pytest.raises(DataError, match=r"only 10 ways, so that p cannot fall below 0\.10"):
        take(arm, IDS[:5])
    arm = pd.Series(["A"] * 4 + ["B"] * 4, index=IDS[:8], name="arm")
    assert take(arm, IDS[:8]).kind == "2 groups"  # 35 ways


def test_a_nearly_constant_score_is_said():
    note = outcome_of(score=[0.0] * 12 + [3.0, 5.0]).notes[0]
    assert note.endswith("12 of them have the same value (0): the test rests on the other 2.")
