"""Ids and times that stand only in the first of their rows."""

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import DataError
from nme_core.study import Remedy, Study, find_problems
from nme_core.study.clean.given_once import fill_given_once
from nme_core.study.roles.proposal import propose_study

ROLES = {"person": "id", "outcome": "mood", "time": "beep", "sequence": "date"}
FILL_ID, FILL_DATE = (Remedy("fill_down", (name,)) for name in ("id", "date"))


def diary(ids=("P1", "P2", "P3"), *, once=()):
    """Four beeps on each of three days; columns in `once` are empty below their first row."""
    rng = np.random.default_rng(0)
    days = [f"2024-03-0{day}" for day in (1, 2, 3)]
    frame = pd.DataFrame(
        [(name, day, beep) for name in ids for day in days for beep in range(1, 5)],
        columns=["id", "date", "beep"],
    ).assign(sleep=rng.normal(7, 1, 12 * len(ids)), mood=rng.normal(4, 1, 12 * len(ids)))
    frame.index = pd.RangeIndex(2, len(frame) + 2, name="line")
    for name, rows in (("id", 12), ("date", 4)):
        if name in once:
            frame[name] = frame[name].mask(np.arange(len(frame)) % rows > 0)
    return frame


@pytest.mark.parametrize("ids", [("P1", "P2", "P3"), (7.0, 8.0, 9.0), ("Anna", "Ben", "Cem")])
def test_ids_in_the_first_row_only_are_filled_down_and_no_row_is_lost(ids):
    frame = diary(ids, once=("id",))
    (found,) = find_problems(frame, **ROLES)
    assert "33 of 36 rows have no person in column 'id' (the first is line 3)" in found.message
    assert found.fixes == (FILL_ID,)
    assert "33 cells filled" in found.effects[0]
    with pytest.raises(DataError, match="each value stands only in the first of its rows"):
        Study.from_frame(frame, **ROLES)
    study = Study.from_frame(frame, **ROLES, remedies=[FILL_ID])
    assert (study.n_rows, study.n_persons) == (36, 3)


def test_dates_in_the_first_row_only_are_filled_down_before_rows_are_left_out():
    (found,) = find_problems(diary(once=("date",)), **ROLES)
    assert "27 of 36 rows have no sequence in column 'date'" in found.message
    assert found.fixes == (FILL_DATE, Remedy("drop_empty", ("date",)))
    study = Study.from_frame(diary(once=("date",)), **ROLES, remedies=[FILL_DATE])
    assert study.sequence_ids.nunique() == 9


@pytest.mark.parametrize("name", ["id", "Kürzel"])
def test_a_proposal_fills_down_first_and_is_a_study(name):
    frame = diary(once=("id", "date")).rename(columns={"id": name})
    proposal, long, _ = propose_study(frame)
    assert proposal.person == name
    assert proposal.remedies[:2] == (Remedy("fill_down", (name,)), FILL_DATE)
    assert long[[name, "date"]].notna().all().all()


def test_some_empty_cells_are_not_filled_from_the_row_above():
    frame = diary()
    frame.loc[[5, 9], "id"] = None
    assert fill_given_once(frame)[1] == ()
    (found,) = find_problems(frame, **ROLES)
    assert found.fixes == (Remedy("drop_empty", ("id",)),)
