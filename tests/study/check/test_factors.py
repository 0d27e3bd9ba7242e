"""Grouping factors that cannot carry effects of their own."""

import numpy as np
import pandas as pd
import pytest

from nme_core.study import Study, check_study
from nme_core.study.check.factors import find_inseparable

PERSON = np.repeat(np.arange(20), 5)


def found(outcome: str = "number", **factors: np.ndarray) -> list[tuple[str, str | None]]:
    return [(one.severity, one.column) for one in find_inseparable(factors, outcome)]


def test_nested_and_crossed_factors_are_fine():
    clinic, day = PERSON // 5, np.tile(np.arange(5), 20)
    assert found(person=PERSON, clinic=clinic, day=day) == []


def test_the_same_groups_by_other_names():
    renamed = np.random.default_rng(0).permutation(20)[PERSON]
    assert found(person=PERSON, clinic=renamed) == [("stop", "clinic")]


def test_nearly_the_same_groups():
    clinic = np.where(PERSON == 19, 18, PERSON)
    (finding,) = find_inseparable({"person": PERSON, "clinic": clinic}, "number")
    assert finding.severity == "look"
    assert "18 groups are the same" in finding.message


@pytest.mark.parametrize("n_people", [5, 10])
def test_groups_that_differ_in_one_pair_of_people(n_people):
    person = np.repeat(np.arange(n_people), 6)
    clinic = np.where(person == 1, 0, person)
    assert found(person=person, clinic=clinic) == [("look", "clinic")]
    assert found(person=person, couple=person // 2) == []


def test_two_groups_say_next_to_nothing_of_their_variance():
    assert found(person=PERSON, clinic=PERSON // 10) == [("look", "clinic")]
    assert found(person=np.repeat([0, 1], 5)) == []


def test_a_single_group():
    assert found(person=PERSON, clinic=np.zeros(100, dtype=int)) == [("stop", "clinic")]


@pytest.mark.parametrize(
    ("outcome", "says"),
    [("number", "the residual"), ("class", "chance"), ("count", None), ("sequence", None)],
)
def test_a_group_for_each_row_is_for_counts_only(outcome, says):
    findings = list(find_inseparable({"person": PERSON, "row": np.arange(100)}, outcome))
    assert [says in one.message for one in findings] == ([] if says is None else [True])


def test_the_report_of_a_study_stops_at_them():
    table = pd.DataFrame(
        {
            "id": [f"p{k}" for k in PERSON],
            "clinic": [f"c{k}" for k in PERSON],
            "x": np.tile(np.arange(5.0), 20),
            "y": np.random.default_rng(0).normal(size=100),
        }
    )
    study = Study.from_frame(table, person="id", outcome="y", features=["x"], group=["clinic"])
    (finding,) = (one for one in check_study(study).findings if one.column == "clinic")
    assert finding.severity == "stop"
    assert "'clinic' has the same groups as 'id'" in finding.message


def test_groups_that_differ_in_a_few_rows_only():
    clinic = PERSON.copy()
    clinic[[3, 40]] = [7, 12]
    assert found(person=PERSON, clinic=clinic) == [("look", "clinic")]
    uneven = np.where(np.arange(100) % 5 == 0, PERSON // 2 * 2 + 1, PERSON)
    assert found(person=PERSON, couple=uneven // 2) == []
