"""Small exports in the habits of other programs and languages: what is read, asked and proposed."""

import pandas as pd
import pytest

from nme_core.study import Remedy, Study, read_any
from nme_core.study.check.checks import check_study
from nme_core.study.roles.proposal import propose_study
from nme_core.study.time.dates import parse_dates
from nme_core.study.time.occasions import read_occasions


def proposed(lines, name="x.csv"):
    reading = read_any("\n".join(lines).encode(), name)
    return propose_study(reading.frame, None, reading.roles)[0], reading


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("25-03-2024 kl. 10.23", "2024-03-25 10:23"),
        ("25.03.2024 klokken 09:05", "2024-03-25 09:05"),
        ("25/03/2024 alle ore 10:30", "2024-03-25 10:30"),
        ("25/03/2024 às 10h30", "2024-03-25 10:30"),
        ("4. marts 2024 kl. 10.23", "2024-03-04 10:23"),
        ("4 marzo 2024", "2024-03-04"),
        ("4 Mayıs 2024", "2024-05-04"),
        ("٢٠٢٤/٠٣/٠٤ ١٠:٢٣", "2024-03-04 10:23"),
        ("2024年3月4日", "2024-03-04"),
        ("2024년 3월 4일", "2024-03-04"),
    ],
)
def test_dates_as_they_are_written_elsewhere(cell, moment):
    assert parse_dates(pd.Series([cell])).tolist() == [pd.Timestamp(moment)]


def test_digits_of_another_script_are_numbers_and_it_is_said():
    digits = str.maketrans("0123456789.", "٠١٢٣٤٥٦٧٨٩٫")
    lines = ["id,sleep,steps"]
    lines += [f"{k % 5},{6 + k / 4},{1000 + k}".translate(digits) for k in range(20)]
    reading = read_any("\n".join(lines).encode(), "x.csv")
    assert reading.frame["sleep"].tolist()[:3] == [6, 6.25, 6.5]
    assert reading.frame["steps"].iloc[-1] == 1019
    assert "Digits of another script were read as numbers" in " ".join(reading.notes)
    devanagari = read_any("id,x\n१,२.५\n२,३.५\n".encode(), "x.csv")
    assert devanagari.frame["x"].tolist() == [2.5, 3.5]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["Screening", "V1", "V2", "V10"], [0, 1, 2, 10]),
        (["Screening", "Baseline", "Visit 1", "Visit 2"], [-1, 0, 1, 2]),
        (["Baseline", "T1", "T2"], [0, 1, 2]),
        (["screening", "Week 2", "Week 4"], [0, 2, 4]),
    ],
)
def test_visits_with_a_screening_have_an_order(cells, numbers):
    found = read_occasions(cells)
    assert found is not None
    assert list(found.numbers) == numbers


def test_clock_times_that_go_on_after_midnight_belong_to_the_day_before():
    lines = ["subj,day,clock,state,coffee"]
    lines += [
        f"S{p},{day},{hour}:{10 + p},{'on' if (hour + day + p) % 3 else 'off'},{(p * hour) % 4}"
        for p in range(1, 6) for day in (1, 2, 3) for hour in (20, 22, 24, 26)
    ]  # fmt: skip
    proposal, reading = proposed(lines)
    assert (proposal.time, proposal.features) == ("day", ["coffee"])
    study = Study.from_frame(
        reading.frame,
        person="subj",
        outcome="state",
        time="day",
        features=["coffee"],
        max_gap="none",
    )
    hours = study.time[study.groups == "S1"].round(3)
    assert hours.tolist()[:5] == [20.183, 22.183, 24.183, 26.183, 44.183]


def test_what_became_of_a_prompt_is_no_outcome_and_a_scale_in_words_is_asked_about():
    words = ["very bad", "bad", "so so", "good", "very good"]
    lines = ["Participant ID,Issued Time,Status,Counter,Alias,[Q1] How do you feel?,Hours"]
    for p in range(1, 7):
        for day in range(1, 9):
            step = (p * day) % 5
            answer = f"({step + 1}) {words[step]}" if day % 4 else ""
            status = "Completed" if day % 4 else "Expired"
            lines.append(f"{p},2024-03-{day:02d},{status},{day},QX{p:03d},{answer},{5 + day % 3}")
    proposal, reading = proposed(lines)
    assert proposal.outcome == "[Q1] How do you feel?"
    assert proposal.features == ["Hours"]
    assert "counts the rows of each person" in proposal.reasons["Counter"]
    assert "another id" in proposal.reasons["Alias"]
    assert any("stand on a scale?" in question for question in proposal.questions)
    study = Study.from_frame(
        reading.frame, person="Participant ID", outcome=proposal.outcome, time="Issued Time",
        features=["Hours"],
    )  # fmt: skip
    look = next(one for one in check_study(study).findings if "stand on a scale" in one.message)
    assert look.fixes == (Remedy("read_numbers", (proposal.outcome,)),)
    numbers = Study.from_frame(
        reading.frame, person="Participant ID", outcome=proposal.outcome, time="Issued Time",
        features=["Hours"], remedies=look.fixes,
    )  # fmt: skip
    assert numbers.outcome_kind == "number"
    assert set(numbers.y.dropna()) <= {1, 2, 3, 4, 5}


@pytest.mark.parametrize(
    ("header", "roles"),
    [
        ("Deltager,Dato,Humør,Søvn", ("Deltager", "Dato", "Humør")),
        ("katılımcı no,tarih,ruh hali,uyku", ("katılımcı no", "tarih", "ruh hali")),
        ("partecipante,giorno,umore,sonno", ("partecipante", "giorno", "umore")),
    ],
)
def test_names_of_other_languages_say_their_roles(header, roles):
    lines = [header]
    lines += [
        f"{p},2024-03-{d:02d},{(p + d) % 6},{6 + d % 3}" for p in range(1, 7) for d in range(1, 8)
    ]
    proposal, _ = proposed(lines)
    assert (proposal.person, proposal.time, proposal.outcome) == roles
    assert not [one for one in proposal.questions if "outcome" in one]
