"""The form in which proposed roles are confirmed or changed."""

from __future__ import annotations

import hashlib

import streamlit as st

from dashboard import state
from dashboard.glossary import ROLES
from dashboard.services.studies import ChosenRoles, Draft, covariate_columns

_CHOOSE = "Choose a column"


def role_form(draft: Draft | None) -> ChosenRoles | None:
    """Selectors for every role; None until person, outcome and a feature are chosen."""
    if draft is None:
        state.propose(None, {})
        return None
    fresh = _propose(draft)
    with st.expander("What the columns are", expanded=fresh):
        return _selectors(draft)


def _selectors(draft: Draft) -> ChosenRoles | None:
    st.caption("Proposed from the names and values of the columns; change what is wrong.")
    columns = [str(name) for name in draft.long.columns]
    optional = [None, *columns]
    first, second, third, fourth = st.columns(4)
    person = first.selectbox(
        "Person", columns, None, key="role_person", help=ROLES["person"], placeholder=_CHOOSE
    )
    time = second.selectbox(
        "Time", optional, format_func=_name, key="role_time", help=ROLES["time"], placeholder="none"
    )
    sequence = third.selectbox(
        "Sequence",
        optional,
        format_func=_name,
        key="role_sequence",
        help=ROLES["sequence"],
        placeholder="none",
    )
    outcome = fourth.selectbox(
        "Outcome", columns, None, key="role_outcome", help=ROLES["outcome"], placeholder=_CHOOSE
    )
    taken = {person, time, sequence, outcome}
    free = [name for name in columns if name not in taken]
    features = st.multiselect("Features", free, key="role_features", help=ROLES["features"])
    taken |= set(features)
    possible = [name for name in covariate_columns(draft, person) if name not in taken]
    covariates = st.multiselect(
        "Covariates", possible, key="role_covariates", help=ROLES["covariates"]
    )
    if st.checkbox("Show the first rows", key="first_rows"):
        st.dataframe(draft.long.head(6), hide_index=True)
        if draft.covariates is not None:
            st.dataframe(draft.covariates.head(4), hide_index=True)
    if person is None or outcome is None or not features:
        st.caption("Choose the person, the outcome and at least one feature.")
        return None
    return ChosenRoles(person, outcome, time, sequence, tuple(features), tuple(covariates))


def _propose(draft: Draft) -> bool:
    """Set the selectors for a draft that is new; whether it has yet to be loaded."""
    content = draft.long_bytes + b"|" + (draft.covariate_bytes or b"")
    guess = draft.guess
    return state.propose(
        hashlib.sha256(content).hexdigest(),
        {
            "role_person": guess.person,
            "role_time": guess.time,
            "role_sequence": guess.sequence,
            "role_outcome": guess.outcome,
            "role_features": guess.features,
            "role_covariates": guess.covariates,
        },
    )


def _name(column: str | None) -> str:
    return "none" if column is None else column
