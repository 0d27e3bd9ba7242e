import numpy as np
import pandas as pd
import pytest

from dashboard.services.roles import guess_outcome, guess_roles


def test_person_and_covariates_come_from_the_second_table() -> None:
    long = pd.DataFrame(
        {
            "score": [1.0, 2, 3, 4],
            "subject_nr": [7, 7, 9, 9],
            "day": [1, 2, 1, 2],
            "sex": ["f", "f", "m", "m"],
            "x": [0.1, 0.2, 0.3, 0.4],
        }
    )
    second = pd.DataFrame({"subject_nr": [7, 9], "bdi": [10, 20]})
    guess = guess_roles(long, second)
    assert (guess.person, guess.time, guess.sequence) == ("subject_nr", "day", None)
    assert guess.outcome == "score"
    assert guess.features == ["x"]
    assert guess.covariates == ["bdi", "sex"]


def test_a_state_in_words_is_the_outcome_where_no_name_says_so() -> None:
    long = pd.DataFrame(
        {
            "dyad": list("aaabbb"),
            "session": [1, 1, 2, 1, 1, 2],
            "step": [1, 2, 1, 1, 2, 1],
            "gaze": [0.1, 0.4, 0.2, 0.5, 0.3, 0.6],
            "what": ["x", "y", "x", "y", "x", "y"],
        }
    )
    guess = guess_roles(long)
    assert guess.person == "dyad"
    assert guess.sequence == "session"
    assert guess.time == "step"
    assert guess.outcome == "what"
    assert guess.features == ["gaze"]


def test_a_column_that_names_the_split_has_no_role() -> None:
    long = pd.DataFrame(
        {
            "person": [1, 1, 2, 2],
            "t": [1, 2, 1, 2],
            "part": ["train", "test", "train", "test"],
            "height": [1.1, 1.2, 1.3, 1.5],
        }
    )
    guess = guess_roles(long)
    assert guess.outcome is None
    assert guess.features == ["height"]
    assert guess.covariates == []


def test_nothing_is_claimed_where_nothing_fits() -> None:
    guess = guess_roles(pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}))
    assert guess.person is None
    assert guess.outcome is None


@pytest.mark.parametrize(
    ("values", "kind", "reason", "shown"),
    [
        ([0, 1, 2, np.nan], "class", "few whole numbers", ("0", "1", "2")),
        ([5, 1, 3, 2, 4], "class", "few whole numbers", ("1", "2", "3", "4", "5")),
        ([0.0, 1.0], "class", "two values", ("0", "1")),
        ([0, 1, 2, 3, 4, 5], "number", "numbers", ()),
        ([0.5, 1, 2], "number", "numbers", ("0.5", "1", "2")),
        (["calm", "low", None], "class", "words", ()),
        (["1", "2", "3", "n/a"], "number", "unclear", ()),
        ([3, 3, 3], "number", "unclear", ()),
    ],
)
def test_few_whole_numbers_are_proposed_as_states(
    values: list[object], kind: str, reason: str, shown: tuple[str, ...]
) -> None:
    found = guess_outcome(pd.Series(values, name="y"))
    assert (found.kind, found.reason, found.values) == (kind, reason, shown)
