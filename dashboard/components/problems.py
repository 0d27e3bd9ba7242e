"""What keeps a draft from being loaded, with what mends it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard import state
from dashboard.components.changes import show_changes, show_findings
from dashboard.services.drafts import ChosenRoles, Draft, Remedy, people_of, problems_of
from dashboard.words.study import CHANGES
from nme_core.vocabulary.language import tr

_PREFIX = "draft_"


def show_problems(draft: Draft, roles: ChosenRoles | None) -> tuple[tuple[Remedy, ...], bool]:
    """Show what stops the draft and what was changed; the changes, and whether something stops."""
    made: tuple[Remedy, ...] = state.changes(draft.token)
    change = partial(state.set_changes, draft.token)
    if state.is_proposal_open():  # once loaded, the report lists them
        show_changes(made, change, prefix=_PREFIX)
    problems = () if roles is None else problems_of(draft, roles, made)
    if roles is not None:
        if problems:
            st.markdown(tr(CHANGES)["problems"])
            show_findings(problems, made, change, prefix=_PREFIX)
        elif state.is_proposal_open() and (people := people_of(draft, roles, made)):
            st.markdown(tr(CHANGES)["people"])
            show_findings(people, made, change, prefix=_PREFIX)
    return made, bool(problems)
