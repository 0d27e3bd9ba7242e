"""What rows show before any model, against the definitions written out person by person."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nme_core.study import Study
from nme_core.study.descriptives import by_moment, correlations, describe_columns, describe_states


def study(n_people=6, n_rows=9, **columns) -> tuple[Study, pd.DataFrame]:
    rng = np.random.default_rng(1)
    n = n_people * n_rows
    level = np.repeat(rng.normal(0, 2, n_people), n_rows)
    frame = pd.DataFrame(
        {
            "id": np.repeat([f"P{k}" for k in range(n_people)], n_rows),
            "t": np.tile(np.arange(n_rows, dtype=float), n_people),
            "sleep": rng.normal(7, 1, n),
            "mood": level + rng.normal(0, 1, n),
            **columns,
        }
    )
    frame.loc[[3, 20, 21], "sleep"] = np.nan
    roles = {"person": "id", "time": "t", "outcome": "mood", "features": ["sleep"]}
    return Study.from_frame(frame, **roles), frame


def test_people_and_occasions_are_told_apart():
    made, frame = study()
    table = describe_columns(made)
    assert list(table.index) == ["mood", "sleep"]
    for name in table.index:
        own = frame.groupby("id")[name]
        centred = frame[name] - own.transform("mean")
        known = frame[name].notna()
        within = (centred**2).sum() / (known.sum() - 6)
        sizes = known.groupby(frame["id"]).sum()
        between = (sizes * (own.mean() - frame[name].mean()) ** 2).sum() / 5
        size = (sizes.sum() - (sizes**2).sum() / sizes.sum()) / 5
        icc = (between - within) / (between + (size - 1) * within)
        before = centred.groupby(frame["id"]).shift()
        pairs = pd.DataFrame({"now": centred, "before": before}).dropna()
        r = (pairs["now"] * pairs["before"]).sum() / np.sqrt(
            (pairs["now"] ** 2).sum() * (pairs["before"] ** 2).sum()
        )
        row = table.loc[name]
        assert row["sd_between"] == pytest.approx(own.mean().std())
        assert row["sd_within"] == pytest.approx(np.sqrt(within))
        assert row["icc"] == pytest.approx(max(icc, 0))
        assert row["autocorrelation"] == pytest.approx(r)
        assert row["missing"] == pytest.approx(1 - known.mean())
    assert table.loc["mood", "icc"] > 0.5 > table.loc["sleep", "icc"]


def test_floor_and_ceiling_are_shares_of_the_ends():
    made, _ = study(mood=np.tile([0, 0, 0, 0, 0, 0, 5, 7, 10], 6))
    row = describe_columns(made).loc["mood"]
    assert (row["floor"], row["ceiling"]) == (pytest.approx(6 / 9), pytest.approx(1 / 9))


def test_a_step_into_another_sequence_is_no_step():
    rng = np.random.default_rng(2)
    blocks = np.tile(np.repeat([0, 1, 2], 3), 6)
    _, frame = study()
    frame = frame.assign(s=blocks, mood=rng.normal(size=54) + 9 * blocks)
    roles = {"person": "id", "time": "t", "outcome": "mood", "features": ["sleep"]}
    apart = Study.from_frame(frame, **roles, sequence="s")
    together = Study.from_frame(frame, **roles)
    assert (
        describe_columns(apart).loc["mood", "autocorrelation"]
        > describe_columns(together).loc["mood", "autocorrelation"]
    )


def test_correlations_within_can_contradict_those_between():
    rng = np.random.default_rng(3)
    level = np.repeat(np.arange(30.0), 20)
    occasion = rng.normal(size=600)
    frame = pd.DataFrame(
        {
            "id": np.repeat([f"P{k}" for k in range(30)], 20),
            "x": level + occasion + rng.normal(0, 0.1, 600),
            "mood": level - occasion,
        }
    )
    made = Study.from_frame(frame, person="id", outcome="mood", features=["x"])
    within, between = correlations(made)
    assert within.loc["x", "mood"] < -0.95
    assert between.loc["x", "mood"] > 0.95


def test_states_are_counted_by_people_and_by_steps():
    states = ["calm", "calm", "tense", "tense", "calm", "calm", "calm", "low", None]
    made, _ = study(mood=np.tile(np.array(states, dtype=object), 6))
    table = describe_states(made)
    assert table.loc["calm", "share"] == pytest.approx(5 / 8)
    assert table["people"].tolist() == [6, 6, 6]
    assert table.loc["calm", "stay"] == pytest.approx(3 / 5)
    assert table.loc["tense", "stay"] == pytest.approx(1 / 2)
    assert np.isnan(table.loc["low", "stay"])  # what follows it is not known
    assert table.loc["calm", ["low", "high"]].tolist() == pytest.approx([5 / 8, 5 / 8])


def test_hours_and_weekdays_need_dates_and_count_each_person_once():
    assert by_moment(study()[0]).empty
    start = pd.Timestamp("2024-01-01 08:00")  # a Monday
    times = [start + pd.Timedelta(hours=12 * k) for k in range(9)] * 6
    made, frame = study(t=times)
    table = by_moment(made)
    hours = table[table["unit"] == "hour"].set_index("at")
    assert list(hours.index) == [8, 20]
    evening = frame[frame["t"].dt.hour == 20].groupby("id")["mood"].mean()
    assert hours.loc[20, "value"] == pytest.approx(evening.mean())
    half = 1.96 * evening.sem()
    assert hours.loc[20, "ci_high"] == pytest.approx(evening.mean() + half)
    assert table[table["unit"] == "weekday"]["at"].tolist() == [0, 1, 2, 3, 4]
    dates, _ = study(t=[pd.Timestamp("2024-01-01") + pd.Timedelta(days=k) for k in range(9)] * 6)
    assert set(by_moment(dates)["unit"]) == {"weekday"}
