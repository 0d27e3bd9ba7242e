import numpy as np
import pandas as pd
import pytest

from nme_core.study import read_any
from nme_core.study.roles.proposal import column_type, propose_roles, propose_study


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
    guess = propose_roles(long, second)
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
    guess = propose_roles(long)
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
    guess = propose_roles(long)
    assert "part of the data" in guess.reasons["part"]
    assert (guess.time, guess.outcome, guess.features) == ("t", "height", ["t"])  # a trend
    assert guess.covariates == []
    assert guess.questions == ["Is 'height' the outcome? No column has the name of one."]


def test_nothing_is_claimed_where_nothing_fits() -> None:
    guess = propose_roles(pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}))
    assert guess.person is None
    assert guess.outcome is None


def diary() -> pd.DataFrame:
    """Nine persons in blocks, with names that say nothing."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "z9": rng.integers(0, 5, 90),
            "k": np.repeat(np.arange(9) + 100, 10),
            "c": np.tile(np.arange(10), 9) * 3 + 1,
            "w": rng.choice(["calm", "low"], 90),
            "q": rng.normal(size=90).round(2),
            "g": np.repeat(["f", "m", "f"], 30),
        }
    )


def test_structure_speaks_where_names_do_not() -> None:
    guess = propose_roles(diary())
    assert (guess.person, guess.time, guess.outcome) == ("k", "c", "w")
    assert guess.features == ["z9", "q"]
    assert guess.covariates == ["g"]
    assert (
        guess.reasons["k"] == "person: it repeats; 9 different values, 10 rows each in the median."
    )
    assert guess.reasons["c"] == "time: it rises from row to row within every person."
    assert set(guess.reasons) == set(diary().columns)
    assert guess.options() == ["--person", "k", "--outcome", "w", "--time", "c",
                               "--features", "z9,q"]  # fmt: skip


def test_dates_order_and_what_the_layout_knows_comes_first() -> None:
    frame = diary().assign(
        c=lambda rows: pd.to_datetime("2024-03-01") + rows["c"] * pd.Timedelta("1h")
    )
    assert propose_roles(frame).time == "c"
    frame["c"] = frame["c"].dt.strftime("%d.%m.%Y %H:%M")
    assert propose_roles(frame).time == "c"
    known = {"time": "q", "person": "k", "outcome": "zz"}
    assert propose_roles(frame.assign(q=np.arange(90.0)), known=known).time == "q"


def test_columns_that_name_persons_have_no_role_and_words_among_numbers_keep_theirs() -> None:
    frame = diary().assign(mail=lambda rows: rows["k"].map("a{}@b.org".format))
    frame["q"] = frame["q"].astype("str").mask(frame.index == 4, "k.A.")
    second = pd.DataFrame({"k": np.arange(9) + 100, "surname": list("abcdefghi"), "bdi": range(9)})
    guess = propose_roles(frame, second)
    assert guess.covariates == ["bdi", "g"]
    assert "q" in guess.features
    assert guess.reasons["mail"] == "no role: it holds e-mail addresses."
    assert guess.reasons["surname"] == "no role: it holds names."
    assert "mostly numbers" in guess.reasons["q"]


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("x", [1.5, 2.5, 3.25], "number"),
        ("x", range(40), "number"),
        ("x", [1, 2, 3, 4, 5], "ordinal"),
        ("x", [10, 200, 3000], "number"),
        ("x", [0, 1, 1], "category"),
        ("x", [True, False], "category"),
        ("x", ["a", "b"], "category"),
        ("x", ["2024-01-01", "2024-01-02"], "date-time"),
        ("x", pd.to_datetime(["2024-01-01", "2024-01-02"]), "date-time"),
        ("sleep_minutes", [410, 395, 500], "duration"),
        ("x", ["felt a bit sad today", "went for a long walk"], "text"),
    ],
)
def test_types_of_columns(name: str, values: object, kind: str) -> None:
    assert column_type(pd.Series(values, name=name)) == kind


def test_a_unit_makes_a_duration() -> None:
    assert column_type(pd.Series([1, 2, 3]), unit="hours") == "duration"


def test_a_clock_beside_the_date_is_one_time_with_it() -> None:
    frame = diary().assign(
        date=np.tile([f"2024-03-0{day}" for day in (1, 1, 2, 2, 3, 3, 4, 4, 5, 5)], 9),
        clock=np.tile(["09:00", "21:00"], 45),
    )
    found = propose_roles(frame[["k", "w", "date", "clock"]].assign(x=np.arange(90.0) % 7))
    assert found.time in ("date", "clock")
    assert found.features == ["x"]
    (other,) = {"date", "clock"} - {found.time}
    assert "together with the time" in found.reasons[other]


def test_a_column_without_a_name_that_numbers_the_rows_has_no_role():
    lines = [";koodi;päivä;mieliala;uni"]
    lines += [
        f"{k};k{p};{day};{(3 * p + day) % 7 + 0.5};{6 + (p + day) % 4}"
        for k, (p, day) in enumerate((p, day) for p in range(1, 6) for day in range(1, 7))
    ]
    frame = read_any("\n".join(lines).encode(), "x.csv").frame
    guess = propose_study(frame)[0]
    assert (guess.person, guess.time, guess.outcome) == ("koodi", "päivä", "mieliala")
    assert guess.features == ["uni"]
    assert guess.reasons["column 1"] == "no role: it counts the rows of the table."


def test_a_code_goes_before_an_address_as_the_person() -> None:
    frame = diary().drop(columns=["k", "c"])
    frame.insert(0, "IPAddress", np.repeat([f"10.0.0.{k}" for k in range(9)], 10))
    frame["Q3"] = np.repeat([f"AB{k}" for k in range(9)], 10)
    guess = propose_roles(frame)
    assert guess.person == "Q3"
    assert guess.reasons["IPAddress"] == "no role: it holds IP addresses."


def test_the_session_is_what_stays_the_same_from_row_to_row() -> None:
    frame = diary().drop(columns="c")
    frame["wave"] = np.tile(np.repeat([1, 2], 5), 9)
    frame["day"] = np.tile(np.arange(1, 6), 18)
    guess = propose_roles(frame)
    assert (guess.time, guess.sequence) == ("day", "wave")


def test_what_a_check_refuses_is_not_proposed() -> None:
    frame = diary()[["k", "q"]].rename(columns={"q": "mood"})
    frame["day"] = pd.date_range("2024-03-01", periods=10).strftime("%Y-%m-%d").tolist() * 9
    guess = propose_roles(frame)
    assert guess.time == "day"
    assert guess.problem is not None
    assert "No feature is left" in guess.problem.message


def test_an_age_is_no_time_where_no_person_is_known() -> None:
    frame = pd.DataFrame({"id": range(8), "age": range(20, 28), "a": range(8), "b": range(8)})
    assert propose_roles(frame).time != "age"
