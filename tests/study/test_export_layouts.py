"""Roles proposed for small tables as programs and clinics export them, in five languages.

Each has its person, its time (or several that are right) and its outcome; what is proposed is also
what `Study` takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from nme_core.study import Study, check_study, find_problems
from nme_core.study.roles.proposal import Proposal, propose_study

RNG = np.random.default_rng(3)
N = 8


class Layout(NamedTuple):
    person: str | None
    time: set[str | None]
    outcome: set[str | None]
    table: pd.DataFrame
    group: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


def ids(n_rows: int, pattern: str = "P{:02d}") -> np.ndarray:
    return np.repeat([pattern.format(k) for k in range(1, N + 1)], n_rows)


def stamps(n_rows: int, every: str = "5h", form: str = "%Y-%m-%d %H:%M:%S") -> np.ndarray:
    own = [
        (pd.Timestamp("2024-03-14 09:00") + pd.Timedelta(days=k) + pd.Timedelta(every) * step)
        for k in range(N)
        for step in range(n_rows)
    ]
    return pd.DatetimeIndex(own).strftime(form).to_numpy()


def scores(n_rows: int, low: int = 0, high: int = 100) -> np.ndarray:
    return RNG.integers(low, high, N * n_rows)


def per_person(values: list[object], n_rows: int) -> np.ndarray:
    return np.repeat(np.resize(np.array(values, dtype=object), N), n_rows)


def steps(n_rows: int, start: int = 1) -> np.ndarray:
    return np.tile(np.arange(start, start + n_rows), N)


def redcap() -> Layout:
    table = pd.DataFrame(
        {
            "record_id": np.repeat(np.arange(1, N + 1), 6),
            "redcap_event_name": "daily_arm_1",
            "redcap_repeat_instrument": "diary",
            "redcap_repeat_instance": steps(6),
            "first_name": per_person(["Anna", "Ben", "Cem", "Eva"], 6),
            "diary_timestamp": stamps(6, "24h"),
            "phq9_total": scores(6, 0, 28),
            "sleep_hours": scores(6, 4, 10) + 0.5,
            "diary_complete": 2,
        }
    )
    return Layout("record_id", {"diary_timestamp"}, {"phq9_total"}, table, never=("first_name",))


def mpath() -> Layout:
    seconds = pd.DatetimeIndex(stamps(10)).astype("int64") // 10**9
    table = pd.DataFrame(
        {
            "connectionId": np.repeat(np.arange(1, N + 1) * 7919, 10),
            "alias": per_person(["Anna M", "Ben R", "Cem K", "Eva L"], 10),
            "timeStampSent": seconds,
            "timeStampStart": seconds + 60,
            "mood_slider": scores(10),
            "stress_slider": scores(10),
        }
    )
    return Layout(
        "connectionId", {"timeStampSent", "timeStampStart"}, {"mood_slider"}, table,
        never=("alias",),
    )  # fmt: skip


def daylio() -> Layout:
    days = pd.date_range("2024-01-01", periods=30)
    table = pd.DataFrame(
        {
            "full_date": days.strftime("%Y-%m-%d"),
            "date": days.strftime("%d %B"),
            "weekday": days.strftime("%A"),
            "mood": RNG.choice(["good", "meh", "bad"], 30),
            "activities": RNG.choice(["work", "rest | music"], 30),
            "note": None,
        }
    )
    return Layout(None, {"full_date"}, {"mood"}, table, never=("weekday", "note"))


def qualtrics() -> Layout:
    table = pd.DataFrame(
        {
            "StartDate": stamps(5, "24h"),
            "EndDate": stamps(5, "24h1min"),
            "IPAddress": RNG.choice(["10.0.0.1", "10.0.0.2", "10.9.0.3"], N * 5),
            "ResponseId": [f"R_{k:05d}x" for k in RNG.permutation(N * 5)],
            "RecipientLastName": per_person(["Meyer", "Roth", "Kaya", "Lind"], 5),
            "ParticipantID": ids(5, "S{:03d}"),
            "Stress": scores(5, 1, 8),
            "Support": scores(5, 1, 8),
        }
    )
    return Layout(
        "ParticipantID", {"StartDate"}, {"Stress"}, table,
        never=("IPAddress", "ResponseId", "RecipientLastName"),
    )  # fmt: skip


def trial() -> Layout:
    table = pd.DataFrame(
        {
            "SUBJID": np.repeat(np.arange(1001, 1001 + N), 5),
            "SITEID": per_person(["Berlin", "Paris"], 5),
            "SEX": per_person(["F", "M"], 5),
            "ARM": per_person(["active", "placebo"], 5),
            "VISITNUM": steps(5),
            "VISITDATE": stamps(5, "672h", "%d.%m.%Y"),
            "MADRS": scores(5, 5, 40),
            "DOSE": scores(5, 0, 4),
        }
    )
    return Layout("SUBJID", {"VISITDATE", "VISITNUM"}, {"MADRS"}, table, never=())


def dyads() -> Layout:
    table = pd.DataFrame(
        {
            "couple": np.repeat(np.arange(1, N // 2 + 1), 12),
            "id": np.repeat(np.arange(2, N + 2), 6),
            "role": per_person([0, 1], 6).astype(int),
            "sent": stamps(6),
            "neg_aff": scores(6),
            "closeness": scores(6),
        }
    )
    return Layout("id", {"sent"}, {"neg_aff"}, table, ("couple",), ("couple",))


def pupils() -> Layout:
    table = pd.DataFrame(
        {
            "Schule": np.repeat(["A", "B"], N * 3),
            "Klasse": np.repeat(np.arange(N // 2), 12),
            "Schüler": ids(6, "K{:02d}"),
            "Woche": steps(6),
            "Stimmung": scores(6, 1, 8),
            "Lärm": scores(6, 40, 90),
        }
    )
    return Layout("Schüler", {"Woche"}, {"Stimmung"}, table)


def ema_german() -> Layout:
    table = pd.DataFrame(
        {
            "VPNr": np.repeat(np.arange(1, N + 1), 8),
            "Wochentag": RNG.choice(["Montag", "Dienstag", "Freitag"], N * 8),
            "Geschlecht": per_person(["w", "m"], 8),
            "Zeitstempel": stamps(8, "3h", "%d.%m.%Y %H:%M"),
            "Ort": RNG.choice(["zu Hause", "Arbeit", "unterwegs"], N * 8),
            "Stimmung": scores(8),
            "Schlaf_h": scores(8, 4, 10),
        }
    )
    return Layout("VPNr", {"Zeitstempel"}, {"Stimmung"}, table, never=("Wochentag",))


def diary_french() -> Layout:
    table = pd.DataFrame(
        {
            "sujet": ids(7, "F{:02d}"),
            "jour": steps(7),
            "sexe": per_person(["femme", "homme"], 7),
            "prénom": per_person(["Jeanne", "Luc", "Marie", "Hugo"], 7),
            "humeur": scores(7, 1, 11),
            "fatigue": scores(7, 1, 11),
        }
    )
    return Layout("sujet", {"jour"}, {"humeur"}, table, never=("prénom",))


def diary_dutch() -> Layout:
    table = pd.DataFrame(
        {
            "deelnemer": ids(7, "D{:02d}"),
            "datum": stamps(7, "24h", "%d-%m-%Y"),
            "achternaam": per_person(["Visser", "Smit", "Bos", "Mulder"], 7),
            "stemming": scores(7, 1, 11),
            "beweging_min": scores(7, 0, 120),
        }
    )
    return Layout("deelnemer", {"datum"}, {"stemming"}, table, never=("achternaam",))


def diary_spanish() -> Layout:
    table = pd.DataFrame(
        {
            "paciente": ids(6, "E{:02d}"),
            "fecha": stamps(6, "24h", "%d/%m/%Y"),
            "apellido": per_person(["García", "López", "Ruiz", "Sanz"], 6),
            "ánimo": scores(6, 1, 11),
            "sueño_horas": scores(6, 4, 10),
        }
    )
    return Layout("paciente", {"fecha"}, {"ánimo"}, table, never=("apellido",))


def sleep_diary() -> Layout:
    table = pd.DataFrame(
        {
            "Subject": ids(9, "SL-{:02d}"),
            "Night": steps(9),
            "Date": stamps(9, "24h", "%Y-%m-%d"),
            "TST_min": scores(9, 240, 520),
            "Awakenings": scores(9, 0, 6),
            "SleepQuality": scores(9, 1, 6),
        }
    )
    return Layout("Subject", {"Date", "Night"}, {"SleepQuality"}, table)


def boris() -> Layout:
    table = pd.DataFrame(
        {
            "Observation id": [f"obs {k // 24}" for k in range(N * 12)],
            "Subject": ids(12, "Cub {}"),
            "Behavior": RNG.choice(["play", "rest", "groom"], N * 12),
            "Start (s)": np.tile(np.arange(12) * 10.5, N),
            "Duration (s)": scores(12, 1, 10) + 0.25,
            "Media file": "/home/anna/video.mp4",
        }
    )
    return Layout("Subject", {"Start (s)"}, {"Behavior"}, table, never=("Media file",))


def actigraph() -> Layout:
    when = pd.date_range("2024-05-01 00:00", periods=120, freq="60s")
    table = pd.DataFrame(
        {
            "Timestamp": when.strftime("%Y-%m-%d %H:%M:%S"),
            "Axis1": RNG.integers(0, 3000, 120),
            "Steps": RNG.integers(0, 40, 120),
            "Lux": RNG.integers(0, 900, 120),
        }
    )
    return Layout(None, {"Timestamp"}, {None}, table)


def days_and_beeps() -> Layout:
    table = pd.DataFrame(
        {
            "user_id": np.repeat(np.arange(11, 11 + N), 12),
            "day": np.tile(np.repeat([1, 2, 3], 4), N),
            "beep": np.tile([1, 2, 3, 4], 3 * N),
            "smiley": RNG.choice(["🙂", "🙁", "😐"], N * 12),
            "happy": scores(12, 1, 8),
            "alone": RNG.choice([0, 1], N * 12),
        }
    )
    return Layout("user_id", {"beep"}, {"happy"}, table, never=("smiley",))


def wide_waves() -> Layout:
    table = pd.DataFrame({"id": [f"W{k}" for k in range(N)], "age": RNG.integers(20, 60, N)})
    for wave in range(1, 5):
        table[f"anxiety_w{wave}"] = RNG.integers(0, 22, N)
        table[f"hours_w{wave}"] = RNG.integers(0, 40, N)
    return Layout("id", {"occasion"}, {"anxiety"}, table)


LAYOUTS: list[Callable[[], Layout]] = [
    redcap, mpath, daylio, qualtrics, trial, dyads, pupils, ema_german, diary_french, diary_dutch,
    diary_spanish, sleep_diary, boris, actigraph, days_and_beeps, wide_waves,
]  # fmt: skip


@pytest.mark.parametrize("make", LAYOUTS, ids=lambda make: make.__name__)
def test_what_a_layout_holds_is_proposed(make):
    layout = make()
    guess, long, _ = propose_study(layout.table)
    assert guess.person == layout.person
    assert guess.time in layout.time
    assert guess.outcome in layout.outcome
    assert set(layout.group) <= set(guess.groups)
    used = {guess.outcome, guess.person, *guess.features, *guess.covariates}
    assert not used & set(layout.never)
    assert not [name for name in guess.features if "id" in name.lower().split("_")]
    if layout.person is None:
        assert "one person only" in guess.problem.message
        assert "Put their tables below each other" in guess.problem.remedy
    else:
        assert_accepted(guess, layout.table, long)


def assert_accepted(guess: Proposal, table: pd.DataFrame, long: pd.DataFrame) -> None:
    roles = {
        "person": guess.person,
        "outcome": guess.outcome,
        "time": guess.time,
        "sequence": guess.sequence,
        "group": guess.groups,
        "features": guess.features,
        "remedies": guess.remedies,
    }
    assert find_problems(table, **roles) == ()
    assert check_study(Study.from_frame(table, **roles)).usable


def test_unsure_is_a_question():
    table = pd.DataFrame(
        {
            "k": np.repeat([101, 102, 103], 6),
            "when": np.tile(range(6), 3),
            "a": scores(6)[:18],
            "b": scores(6)[:18],
        }
    )
    guess = propose_study(table)[0]
    assert (guess.person, guess.outcome) == ("k", "a")
    assert guess.questions[0].startswith("Is 'k' the person? Its name does not say so")
    assert "Is 'a' the outcome?" in guess.questions[1]
    assert "'b' would be the next" in guess.questions[1]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("month", ["January", "February", "March"]),
        ("Wochentag", ["Mo", "Di", "Mi"]),
        ("sex", ["f", "m", "f"]),
        ("feeling", ["🙂", "🙁", "😐"]),
        ("grade", [1, 2, 3]),
        ("clinic", ["north", "south", "west"]),
        ("rating", [1, 2, 3]),
    ],
)
def test_what_repeats_and_is_no_id_is_no_person(name, cells):
    table = pd.DataFrame({name: np.repeat(cells, 8), "x": scores(6)[:24], "mood": scores(6)[:24]})
    assert propose_study(table)[0].person is None
    assert propose_study(table.sample(frac=1, random_state=1))[0].person is None


def test_copies_of_the_outcome_and_empty_columns_are_no_features():
    table = pd.DataFrame(
        {
            "id": ids(6),
            "step": steps(6),
            "state": RNG.choice(["calm", "low", "tense"], N * 6),
            "nothing": np.nan,
            "x": scores(6),
        }
    )
    table["state_code"] = table["state"].map({"calm": 0, "low": 1, "tense": 2})
    table["x_z"] = (table["x"] - 50) / 10
    guess = propose_study(table)[0]
    assert guess.features == ["x"]
    assert guess.reasons["state_code"] == "no role: it is a copy of 'state'."
    assert guess.reasons["x_z"] == "no role: it is a copy of 'x'."
    assert guess.reasons["nothing"] == "no role: it is empty."


def test_a_table_of_one_row_per_person_says_what_is_needed():
    table = pd.DataFrame({"id": range(9), "age": range(20, 29), "score": range(9)})
    guess = propose_study(table)[0]
    assert guess.person is None
    assert "Every row is another person" in guess.problem.message
    assert "mood_1, mood_2, mood_3" in guess.problem.remedy
