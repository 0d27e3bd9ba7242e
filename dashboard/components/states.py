"""What the codes of states mean, asked once, before the study is loaded."""

from __future__ import annotations

import re

import streamlit as st

from dashboard.components.text import plain
from dashboard.services.drafts import ChosenRoles, Draft, Remedy
from dashboard.services.roles import outcome_codes
from dashboard.words.study import STATE_NAMES
from nme_core.vocabulary.language import tr

_A_ROW = 4
_SPACES = re.compile(r"\s+")


def ask_states(draft: Draft, roles: ChosenRoles | None) -> tuple[Remedy, ...]:
    """A field for each code of the outcome; what was entered, as changes to the table."""
    if roles is None:
        return ()
    codes = outcome_codes(draft.long[roles.outcome], roles.outcome_kind)
    if not codes:
        return ()
    named = {}
    with st.container(border=True, key="state_names"):
        st.markdown(tr(STATE_NAMES)["ask"].format(outcome=plain(roles.outcome)))
        for start in range(0, len(codes), _A_ROW):
            for place, code in zip(st.columns(_A_ROW), codes[start : start + _A_ROW], strict=False):
                named[code] = place.text_input(
                    tr(STATE_NAMES)["code"].format(code=code),
                    draft.labels.values.get(roles.outcome, {}).get(code, ""),
                    max_chars=40,
                    key=f"state_{draft.token[:12]}_{roles.outcome}_{code}",
                    placeholder=tr(STATE_NAMES)["as_it_is"].format(code=code),
                )
    said = {code: _SPACES.sub(" ", name).strip() for code, name in named.items()}
    return tuple(
        Remedy("merge_states", (roles.outcome,), (code,), name)
        for code, name in said.items()
        if name and name != code
    )
