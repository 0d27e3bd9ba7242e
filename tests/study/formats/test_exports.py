"""Exports in the shape that their programs write: read with their roles, events made steps."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from nme_core.cli.app import app
from nme_core.exceptions import OptionError
from nme_core.study import Study, read_any
from nme_core.study.formats.steps import in_steps
from nme_core.study.roles.proposal import propose_study

BORIS = (
    "Observation id,Observation date,Description,Media duration (s),FPS (frame/s),Subject,Behavior,"
    "Behavioral category,Modifiers,Behavior type,Start (s),Stop (s),Duration (s),Comment start\n"
)


def aggregated(events):
    """BORIS's aggregated events: observation, subject, behaviour, start, stop."""
    lines = [
        f"{o},2024-01-03 10:00:00,,60,25,{who},{what},gaze,,"
        f"{'STATE' if b > a else 'POINT'},{a},{b},{b - a},"
        for o, who, what, a, b in events
    ]
    return (BORIS + "\n".join(lines) + "\n").encode()


def tabular(events, *, above=True):
    """BORIS's tabular events of one observation, starts and stops as rows in order of time."""
    rows = []
    for who, what, start, stop in events:
        if stop > start:
            rows += [(start, who, what, "START"), (stop, who, what, "STOP")]
        else:
            rows.append((start, who, what, "POINT"))
    keys = "Observation id\tobs 7\t\t\t\t\t\n\nPlayer #1\tfilm.mp4\n\nTime offset (s)\t0.0\n\n"
    head = "Time\tMedia file path\tSubject\tBehavior\tBehavioral category\tComment\tStatus\n"
    lines = [f"{t:.3f}\tfilm.mp4\t{w}\t{b}\tgaze\t\t{s}" for t, w, b, s in sorted(rows)]
    return ((keys if above else "") + head + "\n".join(lines) + "\n").encode()


EVENTS = [
    (f"dyad {dyad}", who, what, start + dyad / 4, stop + dyad / 4)
    for dyad in range(2)
    for who in ("mother", "child")
    for what, start, stop in [
        ("look", 0.0, 2.0),
        ("away", 2.0, 2.5),
        ("look", 4.0, 6.0),
        ("smile", 5.2, 5.2),
    ]
]


def test_aggregated_events_of_boris_are_rows_until_a_length_is_said():
    reading = read_any(aggregated(EVENTS), "x.csv")
    assert len(reading.frame) == len(EVENTS)
    assert reading.layout == "BORIS"
    assert reading.roles == {
        "person": "Subject",
        "sequence": "Observation id",
        "time": "Start (s)",
        "outcome": "Behavior",
    }
    assert "one length" in reading.notes[-1]
    assert reading.events.step == "0.5s"


def test_events_become_steps_of_a_stated_length():
    reading = read_any(aggregated(EVENTS), "x.csv", step="500 ms")
    mother = reading.frame.query("Subject == 'mother' and `Observation id` == 'dyad 0'")
    assert mother["Start (s)"].tolist() == [k / 2 for k in range(12)]
    assert mother["Behavior"].tolist() == ["look"] * 4 + ["away"] + ["none"] * 3 + ["look"] * 4
    assert mother["n smile"].tolist() == [0] * 10 + [1, 0]
    assert "16 events became" in reading.notes[-1]
    assert "0.5 s" in reading.notes[-1]
    assert reading.how.as_dict()["step"] == "500 ms"
    shifted = reading.frame.query("Subject == 'child' and `Observation id` == 'dyad 1'")
    assert shifted["Behavior"].tolist()[:5] == ["look", "look", "look", "look", "look"]


def test_what_covers_most_of_a_step_is_its_state_and_overlaps_are_counted():
    events = [("o", who, *rest) for who in "ab" for rest in [("x", 0, 1.3), ("y", 1.3, 3)]]
    frame = read_any(aggregated(events), step=1).frame
    assert frame["Behavior"].tolist() == ["x", "y", "y"] * 2
    crossing = [*events, ("o", "a", "z", 0, 0.4)]
    reading = read_any(aggregated(crossing), step=1)
    assert reading.frame["Behavior"].tolist() == ["x", "y", "y"] * 2
    assert "in 1 steps several events" in reading.notes[-1]


def test_starts_and_stops_of_boris_are_paired():
    events = [event[1:] for event in EVENTS[:8]]
    reading = read_any(tabular(events), "x.tsv")
    assert (reading.layout, reading.roles["time"]) == ("BORIS", "Time")
    assert set(reading.frame["Observation id"]) == {"obs 7"}
    steps = read_any(tabular(events), "x.tsv", step=0.5).frame
    same = read_any(aggregated(EVENTS[:8]), step=0.5).frame
    assert steps["Behavior"].tolist() == same["Behavior"].tolist()
    assert steps["n smile"].tolist() == same["n smile"].tolist()


def test_a_start_without_a_stop_is_told():
    content = tabular([("a", "x", 0, 1), ("b", "x", 0, 1)]).replace(
        b"1.000\tfilm.mp4\tb\tx\tgaze\t\tSTOP\n", b""
    )
    assert any("1 starts have no stop" in note for note in read_any(content, "x.tsv").notes)


ELAN = (
    "Tier\tParticipant\tBegin Time - hh:mm:ss.ms\tBegin Time - ss.msec\tEnd Time - hh:mm:ss.ms\t"
    "End Time - ss.msec\tDuration - ss.msec\tAnnotation\n"
)


@pytest.mark.parametrize("name", ["{tier}@{who}", "{tier}-{who}", "{tier}"])
def test_tiers_of_elan_become_columns_of_steps(name):
    lines = [
        f"{name.format(tier=tier, who=who)}\t{who}\t00:00:{a:06.3f}\t{a}\t00:00:{b:06.3f}\t{b}\t"
        f"{b - a}\t{what}"
        for who in ("A", "B")
        for tier, what, a, b in [
            ("gaze", "here", 0, 2),
            ("gaze", "there", 2, 3),
            ("hands", "up", 1, 2),
        ]
    ]
    content = (ELAN + "\n".join(lines) + "\n").encode()
    reading = read_any(content, "x.txt")
    assert reading.layout == "ELAN"
    assert reading.roles["person"] == "Participant"
    frame = read_any(content, "x.txt", step="1s").frame
    assert frame["gaze"].tolist() == ["here", "here", "there"] * 2
    assert frame["hands"].tolist() == ["none", "up", "none"] * 2


def test_tiers_of_elan_that_are_columns_already():
    head = "Begin Time - msec\tEnd Time - msec\tDuration - msec\tmother\tchild\n"
    rows = "0\t1000\t1000\tlook\t\n500\t2000\t1500\t\tplay\n1000\t2000\t1000\taway\t\n"
    frame = read_any((head + rows).encode(), "x.txt", step="500ms").frame
    assert frame["mother"].tolist() == ["look", "look", "away", "away"]
    assert frame["child"].tolist() == ["none", "play", "play", "play"]


@pytest.mark.parametrize("steps", ["0", "soon", "-1s", "1 week"])
def test_a_length_that_is_none_is_refused(steps):
    with pytest.raises(OptionError, match="no length of steps"):
        read_any(aggregated(EVENTS), step=steps)


def test_steps_need_events_and_have_a_limit():
    with pytest.raises(OptionError, match="no events"):
        read_any(b"id,x\n1,2\n2,3\n", step="1s")
    with pytest.raises(OptionError, match="more than 2,000,000 steps"):
        read_any(aggregated([*EVENTS, ("o", "mother", "look", 0, 10**7)]), step="1s")


def test_nme_check_proposes_steps_and_the_study_remembers_them(tmp_path):
    path = tmp_path / "coded.csv"
    path.write_bytes(aggregated(EVENTS))
    runner = CliRunner()
    result = runner.invoke(app, ["check", str(path)])
    assert result.exit_code == 0, result.output
    assert "--step 0.5s" in result.output.splitlines()[-1]
    assert "--step none" in result.output
    rows = runner.invoke(app, ["check", str(path), "--step", "none"]).output.splitlines()[-1]
    assert "--step none" in rows
    study = Study.from_file(
        path, step="0.5s", person="Subject", outcome="Behavior", time="Start (s)",
        sequence="Observation id", features=["n smile"],
    )  # fmt: skip
    assert study.recipe.read(path).frame.shape == (50, 5)


# REDCap


def test_repeating_instruments_of_redcap_are_the_occasions():
    lines = ["record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,age,mood"]
    for person in range(1, 6):
        lines.append(f"{person},base_arm_1,,,{30 + person},")
        lines += [f"{person},diary_arm_1,diary,{k},,{3 + k % 3}" for k in range(1, 5)]
        lines.append(f"{person},diary_arm_1,medication,1,,")
    reading = read_any("\n".join(lines).encode(), "x.csv")
    assert reading.layout == "REDCap"
    assert reading.roles == {"person": "record_id", "time": "redcap_repeat_instance"}
    assert len(reading.frame) == 20
    assert reading.frame["age"].tolist() == [30 + k // 4 + 1 for k in range(20)]
    told = " ".join(reading.notes)
    assert "10 other rows were left out" in told
    assert "'medication'" in told
    assert "'age'" in told


def test_repeating_instruments_of_redcap_may_be_numbers_or_empty():
    lines = ["record_id,redcap_repeat_instrument,redcap_repeat_instance,mood"]
    rows = [f"{person},2,{k},{k % 3}" for person in range(1, 5) for k in range(1, 5)]
    reading = read_any("\n".join([*lines, "1,,,", *rows]).encode(), "x.csv")
    assert reading.instruments == ("2", "none")
    assert len(reading.frame) == 16
    empty = [f"{person},,{k},{k % 3}" for person in range(1, 5) for k in range(1, 5)]
    assert read_any("\n".join([*lines, *empty]).encode(), "x.csv").frame.shape[0] == 16


def redcap_with_two_instruments(*, diary=range(1, 6), medication=range(1, 4), people=range(1, 6)):
    lines = ["record_id,redcap_repeat_instrument,redcap_repeat_instance,sex,mood,sleep,dose"]
    for person in people:
        lines.append(f"{person},,,{person % 2},,,")
        lines += [f"{person},diary,{k},,{3 + (k * person) % 4},{6 + k % 3}," for k in diary]
        lines += [f"{person},medication,{k},,,,{10 * k + person}" for k in medication if person < 5]
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("instrument", "rows", "columns"),
    [(None, 25, {"mood", "sleep"}), ("medication", 12, {"dose"}), ("none", 5, {"sex"})],
)
def test_the_instrument_whose_rows_are_the_occasions_can_be_chosen(instrument, rows, columns):
    reading = read_any(redcap_with_two_instruments(), "x.csv", instrument=instrument)
    assert reading.instruments == ("diary", "medication", "none")
    assert reading.how.instrument == (instrument or "diary")
    assert len(reading.frame) == rows
    known = {"record_id", "redcap_repeat_instrument", "redcap_repeat_instance", "sex"}
    assert set(reading.frame.columns) - known == columns - {"sex"}
    told = " ".join(reading.notes)
    others = {"diary", "medication"} - {reading.how.instrument}
    assert all(f"'{other}' (" in told for other in others)
    assert ("1 person who has none" in told) is (instrument == "medication")


def test_an_instrument_that_is_not_there_is_refused_and_one_of_another_file_is_told():
    with pytest.raises(
        OptionError, match=r"no repeating instrument 'diry'.*diary, medication, none"
    ):
        read_any(redcap_with_two_instruments(), "x.csv", instrument="diry")
    reading = read_any(b"id,mood\nA,1\nB,2\n", "x.csv", instrument="diary")
    assert "'diary' was not looked for" in " ".join(reading.notes)
    assert reading.how.instrument is None


def test_new_rows_are_those_of_the_instrument_that_the_study_has(tmp_path):
    path, new = tmp_path / "long.csv", tmp_path / "new.csv"
    path.write_bytes(redcap_with_two_instruments())
    new.write_bytes(redcap_with_two_instruments(diary=[8], medication=range(4, 9), people=[1, 2]))
    study = Study.from_file(
        path, person="record_id", outcome="mood", time="redcap_repeat_instance", features=["sleep"]
    )
    assert study.recipe.read(new).frame["redcap_repeat_instance"].tolist() == [8, 8]
    other = tmp_path / "plain.csv"
    other.write_text("record_id,redcap_repeat_instance,sleep\n1,9,7\n", encoding="utf-8")
    assert len(study.recipe.read(other).frame) == 1


def test_check_asks_which_instrument_the_occasions_are_of(tmp_path):
    path = tmp_path / "long.csv"
    path.write_bytes(redcap_with_two_instruments())
    output = CliRunner().invoke(app, ["check", str(path)]).output
    assert "Not sure: Are the rows of 'diary' the occasions?" in output
    assert "--instrument diary" in output.splitlines()[-1]
    chosen = CliRunner().invoke(app, ["check", str(path), "--instrument", "medication"]).output
    assert "the occasions?" not in chosen


def test_events_of_redcap_are_numbered_in_their_order():
    events = ["baseline_arm_1", "week_4_arm_1", "follow_up_arm_1"]
    lines = ["study_id,redcap_event_name,sex,phq9"]
    lines += [
        f"S{p},{event},{p % 2 if k == 0 else ''},{(p * 3 + k) % 20}"
        for p in range(5)
        for k, event in enumerate(events)
    ]
    reading = read_any("\n".join(lines).encode(), "x.csv")
    assert reading.roles == {"person": "study_id", "time": "event_number"}
    assert reading.frame["event_number"].tolist() == [0, 1, 2] * 5
    assert reading.frame["sex"].notna().all()
    proposal, *_ = propose_study(reading.frame, None, reading.roles)
    assert (proposal.person, proposal.time, proposal.outcome) == (
        "study_id", "event_number", "phq9",
    )  # fmt: skip


# Qualtrics


def qualtrics(person):
    names = f"StartDate,EndDate,Status,Progress,ResponseId,DistributionChannel,{person},Q1,Q2"
    words = f"Start Date,End Date,Response Type,Progress,Response ID,Channel,{person},Calm?,Slept?"
    ids = ",".join(f'"{{""ImportId"":""QID{k}""}}"' for k in range(9))
    rows = [
        f"2024-03-0{day} 09:11:00,2024-03-0{day} 09:12:00,IP Address,100,R_{who}x{day},anonymous,"
        f"p{who},{day % 5},{who % 4}"
        for who in range(1, 5)
        for day in range(1, 6)
    ]
    return "\n".join([names, words, ids, *rows]).encode()


@pytest.mark.parametrize("person", ["ExternalReference", "participant_id", "PID"])
def test_a_survey_of_qualtrics_knows_who_answered_and_when(person):
    reading = read_any(qualtrics(person), "x.csv")
    assert reading.layout == "Qualtrics"
    assert reading.roles == {"person": person, "time": "StartDate"}
    assert reading.labels.columns["Q1"] == "Calm?"
    assert reading.frame["Q1"].dtype.kind == "i"


def test_a_response_id_that_never_repeats_is_no_person_and_previews_are_told():
    content = qualtrics("code").replace(b"09:12:00,IP Address", b"09:12:00,Survey Preview", 2)
    reading = read_any(content, "x.csv")
    assert "person" not in reading.roles
    assert any("2 rows are previews" in note for note in reading.notes)


# Daylio, actigraphs, sleep diaries


@pytest.mark.parametrize(
    ("head", "rows"),
    [
        ("full_date,date,weekday,time,mood,activities,note_title,note",
         ["2024-02-02,2 Feb,Friday,11:54 pm,rad,run,,", "2024-02-02,2 Feb,Friday,9:05 am,bad,,,"]),
        ("full_date,date,weekday,time,mood,activities,note",
         ["2024-02-02,2 Feb,Friday,23:54,rad,run,", "2024-02-02,2 Feb,Friday,9:05,bad,,"]),
        ("year,date,weekday,time,mood,activities,note",
         ["2024,2 February,Friday,23:54,rad,run,", "2024,2 February,Friday,09:05,bad,,"]),
    ],
)  # fmt: skip
def test_date_and_time_of_daylio_are_one_time(head, rows):
    reading = read_any("\n".join([head, *rows]).encode(), "daylio_export.csv")
    assert reading.layout == "Daylio"
    assert reading.roles == {"time": "date_time", "outcome": "mood"}
    people = reading.frame.assign(person=["a", "a"], x=[1, 2])
    twice = people.assign(person="b")
    import pandas as pd

    study = Study.from_frame(
        pd.concat([people, twice]), person="person", outcome="mood", time="date_time",
        features=["x"],
    )  # fmt: skip
    assert study.X["x"].tolist() == [2, 1, 2, 1]


WATCH = (
    '"File Name:","C:\\x.csv"\n\n"Identity:","P03"\n"Age:","34"\n\n"--- Statistics ---"\n\n'
    '"Interval Type","Interval#","Start Date","Duration","Efficiency"\n'
    '"REST","1","1/2/2024","480.0","88.0"\n"REST","2","1/3/2024","470.0","80.0"\n\n'
    '"Column Title","Units"\n"Date","mm/dd/yyyy"\n\n'
    '"Line","Date","Time","Off-Wrist Status","Activity","White Light","Sleep/Wake",\n'
)


def test_epochs_of_an_actiwatch_below_their_blocks():
    rows = [
        f'"{k}","1/2/2024","1:{k:02}:00 PM","0","{k * 3}","{k / 7:.2f}","{k % 2}",'
        for k in range(50)
    ]
    reading = read_any((WATCH + "\n".join(rows) + "\n").encode(), "p03.csv")
    frame = reading.frame
    assert len(frame) == 50
    assert reading.roles == {"person": "identity", "time": "date_time", "outcome": "Sleep/Wake"}
    assert set(frame["identity"]) == {"P03"}
    assert frame["date_time"].iloc[7] == "2024-01-02 1:07:00 PM"
    assert not any("P03" in note or "x.csv" in note for note in reading.notes)
    np.testing.assert_array_equal(frame["Activity"], np.arange(50) * 3)


GRAPH = (
    "------------ Data File Created By ActiGraph GT3X+ ActiLife v6 date format {form} --------\n"
    "Serial Number: NEO1F15\nStart Time 12:00:00\nStart Date 2/3/2024\n"
    "Epoch Period (hh:mm:ss) 00:01:00\nDownload Time 10:19:19\nDownload Date 9/3/2024\n"
    "Current Memory Address: 0\nCurrent Battery Voltage: 4.06     Mode = 12\n"
    "--------------------------------------------------\n"
)


@pytest.mark.parametrize(("form", "month"), [("M/d/yyyy", 2), ("dd/MM/yyyy", 3)])
@pytest.mark.parametrize("head", ["", "Axis1,Axis2,Steps\n", "Date,Time,Axis1\n"])
def test_epochs_of_an_actigraph(form, month, head):
    rows = [
        f"2/3/2024,12:{k:02}:00,{k * 7 % 90}"
        if "Date" in head
        else f"{k * 7 % 90},{k * 5 % 30},{k}"
        for k in range(40)
    ]
    content = GRAPH.format(form=form) + head + "\n".join(rows) + "\n"
    reading = read_any(content.encode(), "x.csv")
    assert reading.layout == "ActiGraph"
    assert len(reading.frame) == 40
    assert reading.roles["person"] == "identity"
    times = reading.frame["date_time"].astype("str")
    assert times.iloc[5] == f"2024-{month:02}-{5 - month:02} 12:05:00"


def test_an_actigraph_with_one_axis_and_no_names_loses_no_epoch():
    content = GRAPH.format(form="M/d/yyyy") + "\n".join(str(k * 7 % 90) for k in range(40))
    assert len(read_any(content.encode(), "x.csv").frame) == 40


def test_a_sleep_diary_needs_no_mapping():
    lines = ["participant;date;bedtime;sleep latency (min);wake-ups;quality (1-5)"]
    lines += [
        f"VP{p:02};{day:02}.03.2024;22:{30 + day};{5 + p};{day % 3};{1 + (p + day) % 5}"
        for p in range(1, 6)
        for day in range(10, 17)
    ]
    reading = read_any("\n".join(lines).encode(), "diary.csv")
    proposal, *_ = propose_study(reading.frame, None, reading.roles)
    assert (reading.layout, proposal.person, proposal.time) == (None, "participant", "date")


@pytest.mark.parametrize(
    "content",
    [
        "id,activity,mood\n1,walk,3\n1,sit,4\n2,walk,5\n",
        "id,Date,Time,mood\n1,2024-01-01,10:00,3\n1,2024-01-02,10:00,4\n",
        "id,behavior,start\n1,look,3\n1,play,4\n",
        "id,weekday,mood\n1,Monday,good\n1,Friday,bad\n",
    ],
)
def test_ordinary_tables_are_no_exports(content):
    assert read_any(content.encode(), "x.csv").layout is None


def test_events_of_boris_without_a_subject_are_read():
    content = tabular([("a", "x", 0, 1), ("", "x", 2, 3), ("b", "x", 4, 5)])
    reading = read_any(content, "x.tsv")
    assert reading.layout == "BORIS"
    assert reading.frame["Subject"].isna().sum() == 2


# what is proposed for them


def roles_of(content, name="x.csv", **said):
    reading = read_any(content, name, **said)
    return propose_study(reading.frame, None, reading.roles)[0]


def test_a_time_stamp_goes_before_the_number_of_the_instance_in_redcap():
    lines = ["record_id,redcap_repeat_instrument,redcap_repeat_instance,ema_timestamp,mood,stress"]
    lines += [
        f"{who},ema,{k},2024-03-0{k} {8 + who}:15:00,{(who * k) % 5},{(who + k) % 7}"
        for who in range(1, 6)
        for k in range(1, 7)
    ]
    proposal = roles_of("\n".join(lines).encode())
    assert (proposal.person, proposal.time) == ("record_id", "ema_timestamp")
    assert proposal.features == ["stress"]


def test_axes_of_an_actigraph_are_no_occasions_and_the_clock_is_no_feature():
    lines = ["- Data File Created By ActiGraph GT3X date format M/d/yyyy -", "Serial Number: X1"]
    lines += ["Date,Time,Axis1,Axis2,Axis3,Steps"]
    lines += [
        f"5/14/2024,10:{k:02d}:00,{k * 7 % 50},{k * 3 % 40},{k % 9},{k % 4}" for k in range(40)
    ]
    proposal = roles_of("\n".join(lines).encode())
    assert (proposal.time, proposal.outcome) == ("date_time", "Axis1")
    assert set(proposal.features) == {"Axis2", "Axis3", "Steps"}


def test_the_outcome_of_a_layout_is_the_only_one():
    reading = read_any(aggregated(EVENTS), step="1s")
    reasons = propose_study(reading.frame, None, reading.roles)[0].reasons
    assert sum(reason.startswith("outcome") for reason in reasons.values()) == 1


def test_files_of_elan_are_sequences_of_seconds_and_parts_may_be_people():
    head = ELAN.rstrip("\n") + "\tFile Path\n"
    lines = [
        f"gaze\t{who}\t00:00:{a:06.3f}\t{a}\t00:00:{b:06.3f}\t{b}\t{b - a}\t{what}\tdyad{file}.eaf"
        for file in (1, 2, 3)
        for who in ("Mutter", "Kind")
        for what, a, b in [("zu", 0, 2), ("weg", 2, 5), ("zu", 5, 9)]
    ]
    content = (head + "\n".join(lines) + "\n").encode()
    reading = read_any(content, "x.txt", step="1s")
    assert reading.roles["sequence"] == "File Path"
    proposal = propose_study(reading.frame, None, reading.roles)[0]
    assert any(
        "'Mutter', 'Kind' in 'Participant' stand in several 'File Path'" in one
        for one in proposal.questions
    )
    study = Study.from_frame(
        reading.frame, person="Participant", sequence="File Path", time=reading.roles["time"],
        outcome=reading.roles["outcome"],
    )  # fmt: skip
    assert study.time_unit == "s"


def test_labels_of_their_own_and_days_of_the_study_have_no_role():
    lines = ["connectionId,alias,when,day,beep,happy,tired"]
    lines += [
        f"{who},nick name {who},2024-03-0{day} {9 + 4 * beep}:0{who},{day},{beep},"
        f"{(who * day) % 6},{(who + beep) % 5}"
        for who in range(1, 7)
        for day in (1, 2, 3)
        for beep in (1, 2, 3)
    ]
    proposal = roles_of("\n".join(lines).encode())
    assert (proposal.time, proposal.outcome, proposal.features) == ("when", "happy", ["tired"])
    assert proposal.covariates == []


def test_when_an_event_ends_is_no_feature():
    reading = read_any(aggregated(EVENTS))
    proposal = propose_study(reading.frame, None, reading.roles)[0]
    assert "Stop (s)" not in proposal.features
    assert proposal.reasons["Stop (s)"] == "no role: it says when, as the time does."


@pytest.mark.parametrize("step", ["500ms", "none"])
def test_events_that_were_read_become_steps_without_reading_them_again(step):
    later = in_steps(read_any(aggregated(EVENTS), "x.csv"), step)
    once = read_any(aggregated(EVENTS), "x.csv", step=step)
    pd.testing.assert_frame_equal(later.frame, once.frame)
    assert (later.how, later.notes, later.roles) == (once.how, once.notes, once.roles)
