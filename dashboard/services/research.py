"""Research tools on a finished run: started as jobs, and what they have found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.services import jobs, settings
from dashboard.services.records import StudyRecord, list_studies, tables_of
from dashboard.services.results import run_folder, stamp
from nme_core.exceptions import NMEError
from nme_core.runs.research import answers

TABLES = answers.TABLES


def kind_of(tool: str) -> str:
    """Kind of the job that a tool is."""
    return f"research-{tool}"


def start(identity: str, study: str, tool: str, asked: Mapping[str, Any]) -> None:
    """Let a tool work on a run beside the page; what an earlier one has kept is taken.

    Raises
    ------
    DataError
        The study is no longer there.
    """
    request = {**tables_of(study), "tool": tool, "asked": dict(asked)}
    where = {"jobs": settings.trainings_at_once(), "dask": settings.scheduler()}
    jobs.start(identity, kind_of(tool), **request, **where)


def answer(identity: str, tool: str) -> answers.Answer | None:
    """The latest answer of a tool; None where there is none."""
    return answers.answer(run_folder(identity), tool)


def may_move(identity: str) -> tuple[list[str], str]:
    """What people of a run differ in, by name; or why no tool can tell."""
    return _may_move(identity, stamp(identity))


@st.cache_data(show_spinner=False, max_entries=20)
def _may_move(identity: str, stamp_: int) -> tuple[list[str], str]:
    from nme_core.runs.research import tools

    try:
        return tools.may_move(run_folder(identity)), ""
    except NMEError as error:
        return [], str(error)


def other_studies(study: str) -> list[StudyRecord]:
    """Studies on which a finding of this one may be repeated."""
    return [one for one in list_studies() if one.id != study]
