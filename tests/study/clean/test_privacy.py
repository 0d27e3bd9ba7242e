import itertools

import numpy as np
import pandas as pd
import pytest

from nme_core.study import Remedy, Study
from nme_core.study.clean.privacy import (
    Privacy,
    deidentify,
    find_personal,
    has_old_ages,
    random_code,
    with_codes,
)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("Vorname", ["Anna", "Ben", "Cem"], "names"),
        ("who", ["Anna Müller", "Ben O'Neil", "Cem de Boer"], "names"),
        ("who", ["Anna Müller", "low", "tense"], None),
        ("contact", ["none", "a.b@c.org", "none"], "e-mail addresses"),
        ("reach", ["+49 170 1234567", "0170/1234567", "030 123 456"], "phone numbers"),
        ("dob", ["1950-02-03", "1961-04-05"], "birth dates"),
        ("geburtsdatum", pd.to_datetime(["1950-02-03", "1961-04-05"]), "birth dates"),
        ("plz", [12345, 54321], "addresses"),
        ("note", ["felt a bit sad today", "ok", "went for a long walk"], "free text"),
        ("state", ["Calm Positive", "tense", "low"], None),
        ("id", ["001", "002", "003"], None),
        ("id", ["0017001", "0017002", "0017003"], None),
        ("when", ["01.02.2024", "02.02.2024", "03.02.2024"], None),
        ("name_count", [1, 2, 3], None),
        ("time", ["2024-03-01 10:00", "2024-03-01 14:00"], None),
        ("empty", [None, None], None),
    ],
)
def test_columns_that_tell_who_somebody_is(name, values, kind):
    found = find_personal(pd.DataFrame({name: values}))
    assert [one.kind for one in found] == ([] if kind is None else [kind])


def tables():
    long = pd.DataFrame(
        {
            "id": ["b", "b", "a", "a", "a", None],
            "at": ["02.01.2024 12:00", "01.01.2024 12:00", "05.01.2024 00:00",
                   "05.01.2024 06:00", None, "01.01.2024 00:00"],
            "visit": ["2024-01-02", "2024-01-01", "2024-01-05", "2024-01-05", "2024-01-06", None],
            "x": [1.0, 2, 3, 4, 5, 6],
        }
    )  # fmt: skip
    covariates = pd.DataFrame(
        {"id": ["a", "b", "c"], "age": [93.0, 41, 999], "since": ["2023-12-26", "2024-01-02", None]}
    )
    return long, covariates


def test_dates_become_days_since_the_persons_first():
    long, covariates = tables()
    done = deidentify(long, covariates, Privacy(), person="id", time="at", sequence="visit")
    assert done.key is None
    np.testing.assert_allclose(done.long["at"], [1, 0, 0, 0.25, np.nan, np.nan])
    assert done.long["visit"].tolist()[:5] == ["1", "0", "0", "0", "1"]
    np.testing.assert_allclose(done.covariates["since"], [-10, 0.5, np.nan])
    assert "2024" not in done.long.to_csv() + done.covariates.to_csv()
    assert long["at"].iloc[0] == "02.01.2024 12:00"  # what was given stays as it is


def test_dates_without_an_origin_are_left_out_and_numbers_stay():
    long, covariates = tables()
    done = deidentify(long.assign(at=range(6)), covariates, Privacy(), person="id", time="at")
    assert list(done.covariates.columns) == ["id", "age"]
    assert list(done.long["at"]) == list(range(6))
    assert any("'since' were left out" in note for note in done.notes)


def test_ages_above_89_are_one_group_and_codes_for_missing_stay():
    long, covariates = tables()
    assert has_old_ages(covariates)
    assert not has_old_ages(long)
    done = deidentify(long, covariates, Privacy(), person="id")
    assert done.covariates["age"].tolist() == [90, 41, 999]


def test_codes_are_the_same_in_both_tables_and_the_key_undoes_them():
    long, covariates = tables()
    done = deidentify(long, covariates, Privacy(codes=True), person="id", time="at")
    back = dict(zip(done.key["code"], done.key["person"], strict=True))
    assert sorted(done.long["id"].map(back).tolist()[:5]) == ["a", "a", "a", "b", "b"]
    assert done.long["id"].isna().tolist() == [False] * 5 + [True]
    assert sorted(done.covariates["id"].map(back)) == ["a", "b", "c"]
    assert len(back) == 3
    other = deidentify(long, covariates, Privacy(codes=True), person="id")
    assert set(other.key["code"]).isdisjoint(done.key["code"])


def test_a_code_that_comes_twice_is_used_once():
    codes = itertools.chain(["A", "A", "B", "A", "C"], map(str, itertools.count()))
    long, covariates = tables()
    done = deidentify(long, covariates, Privacy(codes=True), person="id", code=lambda: next(codes))
    assert done.key["code"].tolist() == ["A", "B", "C"]


def test_random_codes_are_never_numbers():
    made = [random_code() for _ in range(300)]
    assert len(set(made)) == 300
    assert all(len(code) == 8 and code[0].isalpha() for code in made)


def test_nothing_is_done_where_nothing_is_wanted():
    long, covariates = tables()
    done = deidentify(long, covariates, Privacy(dates=False, ages=False), person="id", time="at")
    pd.testing.assert_frame_equal(done.long, long)
    pd.testing.assert_frame_equal(done.covariates, covariates)
    assert done.notes == ()


def test_remedies_name_persons_by_their_codes():
    key = pd.DataFrame({"code": ["X1", "X2"], "person": ["007", "008"]})
    given = (Remedy("exclude_persons", ("id",), ("008", "zz")), Remedy("drop_empty", ("id",)))
    exclude, drop = with_codes(given, key)
    assert exclude.values == ("X2", "zz")
    assert drop == given[1]
    assert with_codes(given, None) == given


def test_the_study_is_the_same_but_for_names_and_days():
    rng = np.random.default_rng(0)
    long = pd.DataFrame(
        {
            "id": np.repeat(["b", "a", "c"], 6),
            "at": np.tile(pd.date_range("2024-03-01", periods=6, freq="7h").astype(str), 3),
            "x": rng.normal(size=18).round(2),
            "mood": rng.normal(size=18).round(2),
        }
    ).sample(frac=1, random_state=0)
    roles = {"person": "id", "time": "at", "outcome": "mood"}
    done = deidentify(long, None, Privacy(codes=True), person="id", time="at")
    before, after = Study.from_frame(long, **roles), Study.from_frame(done.long, **roles)
    back = dict(zip(done.key["code"], done.key["person"], strict=True))
    assert sorted(back[code] for code in after.persons) == ["a", "b", "c"]
    for code in after.persons:
        ours, theirs = after.groups == code, before.groups == back[code]
        np.testing.assert_array_equal(after.y[ours], before.y[theirs])
    steps = after.time.groupby(after.groups).diff().dropna()
    np.testing.assert_allclose(steps, 7 / 24, atol=1e-5)


def test_the_order_of_persons_tells_nothing_after_random_codes():
    ids = [f"p{k:02d}" for k in range(40)]
    long = pd.DataFrame({"id": np.repeat(ids, 2), "t": np.tile([1, 2], 40), "x": np.arange(80.0)})
    second = pd.DataFrame({"id": ids, "age": range(20, 60)})
    kept = deidentify(long, second, Privacy(codes=True), person="id", time="t")
    person_of = dict(zip(kept.key["code"], kept.key["person"], strict=True))
    places = [ids.index(person_of[code]) for code in kept.long["id"].unique()]
    assert sorted(places) == list(range(40))
    assert places != sorted(places)  # by chance once in 40! files
    assert abs(np.corrcoef(places, np.arange(40))[0, 1]) < 0.75  # 5 standard deviations
    assert list(kept.covariates["id"]) == sorted(kept.covariates["id"])
    assert list(kept.key["code"]) == sorted(kept.key["code"])
    assert list(kept.long["t"]) == [1, 2] * 40  # each person's rows stay in their order


def named():
    long = pd.DataFrame(
        {
            "patient": ["Anna Meier"] * 6 + ["Ben Roth"] * 6,
            "meeting": ["Anna-0"] * 3 + ["Anna-1"] * 3 + ["Ben Roth 2024"] * 3 + ["Ben-b"] * 3,
            "clinic": ["Haus am See"] * 6 + ["Charité"] * 6,
            "step": [0, 1, 2] * 4,
            "state": ["Anna leads", "calm", "tense", "calm"] * 3,
        }
    )
    second = pd.DataFrame(
        {
            "patient": ["Anna Meier", "Ben Roth"],
            "seen": ["by Ben", "with Anna Meier"],
            "bdi": [3, 9],
        }
    )
    return long, second


def test_codes_reach_every_column_with_a_role():
    long, second = named()
    done = deidentify(
        long, second, Privacy(codes=True), person="patient", time="step", sequence="meeting",
        groups=["clinic"],
    )  # fmt: skip
    stored = done.long.to_csv() + done.covariates.to_csv() + " ".join(done.notes)
    for word in ("Anna", "Meier", "Ben", "Roth", "See", "Charit", "2024"):
        assert word not in stored
    sizes = done.long.groupby(["patient", "meeting"]).size()
    assert sizes.tolist() == [3, 3, 3, 3]
    assert sorted(set(done.long["meeting"])) == ["1", "2"]
    back = done.key.set_index("code")
    assert set(done.long["clinic"].map(back["person"])) == {"Haus am See", "Charité"}
    assert back["column"].value_counts().to_dict() == {"patient": 2, "clinic": 2}
    assert set(done.long["state"]) >= {"calm", "tense"}
    assert set(second["seen"]) == {"by Ben", "with Anna Meier"}  # what was given stays


def test_numbers_of_sessions_and_states_stay_as_they_are():
    long = pd.DataFrame({"id": ["P01"] * 4 + ["P02"] * 4, "night": [1, 1, 2, 2] * 2,
                         "state": ["calm P01b", "low", "1 h", "low"] * 2})  # fmt: skip
    done = deidentify(long, None, Privacy(codes=True), person="id", sequence="night")
    assert sorted(done.long["night"]) == [1, 1, 1, 1, 2, 2, 2, 2]
    assert set(done.long["state"]) == {"calm P01b", "low", "1 h"}


@pytest.mark.parametrize("name", ["dob", "Geburtsdatum", "date_de_naissance"])
def test_a_birth_date_becomes_an_age(name):
    days = ["2024-03-05", "2024-03-09", "2024-03-01", "2024-03-02"]
    long = pd.DataFrame({"id": ["a", "a", "b", "b"], "x": range(4), "at": days})
    second = pd.DataFrame({"id": ["a", "b"], name: ["1980-03-06", "1930-03-01"]})
    done = deidentify(long, second, Privacy(), person="id", time="at")
    assert list(done.covariates.columns) == ["id", "age"]
    assert done.covariates["age"].tolist() == [43, 90]
    assert any("became ages in years" in note for note in done.notes)


def test_a_name_inside_a_cell_goes_whole_whatever_its_marks():
    people = [name for name in ("Anna Berg", "Cem Ak", "Ben Ott") for _ in range(4)]
    files = [f"{name.replace(' ', '_')}_{k}.csv" for k, name in enumerate(people)]
    table = pd.DataFrame({"id": people, "day": [1, 2, 3, 4] * 3, "file": files})
    kept = deidentify(table, None, Privacy(codes=True), person="id", time="day").long
    assert not kept["file"].str.contains("Anna|Berg|Cem|Ak_|Ben|Ott").any()
    assert (kept["file"].str.split("_").str[0] == kept["id"]).all()
