"""Times of day on both sides of midnight as a feature or an outcome."""

import pytest

from nme_core.study import Study, check_study, read_any


@pytest.fixture
def looks(tmp_path):
    return lambda cells, **how: _looks(tmp_path / "x.csv", cells, **how)


def _looks(path, cells, *, name="bedtime", role="feature", **made):
    lines = [f"id;day;{name};mood"]
    lines += [
        f"P{who};{day};{cells[(who + day) % len(cells)]};{(2 * who + day) % 5}.5"
        for who in range(4)
        for day in range(6)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    roles = {"outcome": "mood"} if role == "feature" else {"outcome": name, "features": ["mood"]}
    study = Study.from_file(path, person="id", time="day", **roles, **made)
    return study, [one for one in check_study(study).findings if "midnight" in one.message]


@pytest.mark.parametrize("role", ["feature", "outcome"])
def test_times_of_day_that_pass_midnight_are_looked_at_and_can_count_on(looks, role):
    cells = ["22:30", "23:15", "0:20", "23:50", "1:05"]
    _, (found,) = looks(cells, role=role)
    assert f"The {role} 'bedtime' holds times of day on both sides of midnight" in found.message
    assert "23:50 and 0:20 are 23.5 hours apart" in found.message
    study, none = looks(cells, role=role, remedies=found.fixes)
    hours = study.X["bedtime"] if role == "feature" else study.y
    assert not [one for one in none if one.severity == "look"]
    assert sorted(set(hours.round(3))) == [22.5, 23.25, 23.833, 24.333, 25.083]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("woken", ["6:30", "7:15", "8:20", "5:50"]),
        ("awake", ["0:30", "1:15", "8:20", "9:50"]),  # durations
        ("clock", ["0:30", "4:15", "8:20", "12:50", "16:20", "20:45", "23:10"]),  # all day long
    ],
)
def test_other_times_and_durations_are_none(looks, name, cells):
    assert looks(cells, name=name)[1] == []


@pytest.mark.parametrize(
    ("times", "unit", "steps"),
    [
        ([20, 21, 22, 23, 0, 1], "h", {1}),
        ([22.25, 23.25, 0.25, 1.25], "h", {1}),
        ([5, 6, 7, 1, 2, 3], "d", {1}),
        ([363, 364, 365, 1, 2], None, set()),
        ([2200, 2300, 0, 100], None, set()),
    ],
)
def test_a_time_that_falls_once_in_the_file_is_looked_at(tmp_path, times, unit, steps):
    path = tmp_path / "x.csv"
    rows = [f"P{who},{time},{k % 3}.5,{(who + k) % 4}" for who in range(4)
            for k, time in enumerate(times)]  # fmt: skip
    path.write_text("\n".join(["id,t,x,mood", *rows]), encoding="utf-8")
    roles = {"person": "id", "time": "t", "outcome": "mood", "features": ["x"]}
    report = check_study(Study.from_file(path, **roles))
    (found,) = [one for one in report.findings if "order of the file" in one.message]
    assert f"one fall in 4 of 4 people or sequences, such as from {max(times):g}" in found.message
    assert [fix.to for fix in found.fixes] == ([unit] if unit else [])
    if unit:
        assert "which the rows pass 4 times" in found.effects[0]
        study = Study.from_file(path, **roles, remedies=found.fixes)
        assert set(study.time.groupby(study.groups).diff().dropna().round(6)) == steps


def test_times_in_order_in_disorder_or_anew_in_each_session_are_not_looked_at(tmp_path):
    for times in ([1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1], [1, 4, 2, 6, 3, 5], [1, 2, 5, 3, 4, 6]):
        path = tmp_path / "x.csv"
        rows = [
            f"P{who},{time},{(who + k) % 4}" for who in range(4) for k, time in enumerate(times)
        ]
        path.write_text("\n".join(["id,t,mood", *rows]), encoding="utf-8")
        report = check_study(Study.from_file(path, person="id", time="t", outcome="mood"))
        assert not [one for one in report.findings if "order of the file" in one.message]


def test_a_night_with_the_date_of_its_evening_is_looked_at(tmp_path):
    def messages(clocks):
        path = tmp_path / "x.csv"
        rows = [f"P{who},2024-03-{day:02d} {clock},{(who + k) % 4}" for who in range(3)
                for day in (1, 2, 3) for k, clock in enumerate(clocks)]  # fmt: skip
        path.write_text("\n".join(["id,t,mood", *rows]), encoding="utf-8")
        frame = read_any(path).frame.assign(x=range(len(rows)))
        study = Study.from_frame(frame, person="id", time="t", outcome="mood", features=["x"])
        return [str(one) for one in check_study(study).findings if "small hours" in one.message]

    (found,) = messages(["21:00", "22:30", "00:30"])
    assert "falls 9 times" in found
    assert "from 2024-03-01 22:30 to 00:30 (line 4)" in found
    assert messages(["08:00", "12:00", "22:30"]) == []
    assert messages(["22:30", "12:00", "08:00"]) == []
