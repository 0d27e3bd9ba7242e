"""The form in which proposed roles are confirmed or changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.components.text import plain
from dashboard.services.drafts import ChosenRoles, Draft, covariate_columns
from dashboard.services.memory import recall, recall_group
from dashboard.services.roles import OutcomeKind, guess_outcome
from dashboard.words.reading import FIRST
from dashboard.words.study import (
    CLINICIAN_ROLES,
    NO_NUMBERS,
    NO_PERSON,
    OUTCOME_KINDS,
    OUTCOME_REASONS,
    ROLES,
)
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

_CHOOSE = "Choose a column"


def role_form(draft: Draft | None) -> ChosenRoles | None:
    """Selectors for every role; None until person, outcome and a feature are chosen."""
    if draft is None:
        state.propose(None, {})
        state.preset("outcome_kind", None, None)
        return None
    fresh = _propose(draft)
    with st.expander(tr("What the columns are"), expanded=fresh):
        for question in draft.guess.questions if draft.source == "upload" else []:
            st.info(plain(question))
        chosen = _selectors(draft) if state.researcher() else _few_selectors(draft)
    if isinstance(chosen, ChosenRoles):
        return chosen
    problem = draft.guess.problem
    if draft.wide is not None and not draft.reshaped:
        st.warning(tr(FIRST)["wide"])
    elif draft.step is not None and "at least one feature" in chosen:
        st.warning(tr(FIRST)["events"])
    elif draft.guess.person is None and "the person" in chosen:
        st.warning(
            tr(NO_PERSON) if problem is None else plain(said(f"{problem.message} {problem.remedy}"))
        )
    elif not draft.guess.features and "at least one feature" in chosen:
        st.warning(tr(NO_NUMBERS))
    *others, last = tr(list(chosen))
    listed = (
        tr("{others} and {last}").format(others=", ".join(others), last=last) if others else last
    )
    st.caption(tr("Before the study can be loaded, choose {listed}.").format(listed=listed))
    return None


def _selectors(draft: Draft) -> ChosenRoles | tuple[str, ...]:
    """The roles as chosen, or what is missing, in words."""
    st.caption(tr("Proposed from the names and values of the columns; change what is wrong."))
    columns = [str(name) for name in draft.long.columns]
    first, second, third, fourth, fifth = st.columns(5)
    person = _needed(first, "person", tr("Person"), columns)
    time = _optional(second, "time", tr("Time"), columns)
    group = _optional(fifth, "group", tr("Grouping"), columns)
    sequence = _optional(third, "sequence", tr("Sequence"), columns)
    outcome = _needed(fourth, "outcome", tr("Outcome"), columns)
    kind = _outcome_kind(draft, outcome)
    taken = {person, time, sequence, outcome, group}
    free = [name for name in columns if name not in taken - {_trend(draft, time)}]
    features = st.multiselect(
        tr("Features"), free, key="role_features", help=tr(ROLES)["features"],
        placeholder=tr("none"),
    )  # fmt: skip
    taken |= set(features)
    possible = [name for name in covariate_columns(draft, person) if name not in taken]
    covariates = st.multiselect(
        tr("Covariates"), possible, key="role_covariates", help=tr(ROLES)["covariates"],
        placeholder=tr("none"),
    )  # fmt: skip
    if draft.source == "upload":
        _why(draft)
    if st.checkbox(tr("Show the first rows"), key="first_rows"):
        st.dataframe(draft.long.head(6), hide_index=True)
        if draft.covariates is not None:
            st.dataframe(draft.covariates.head(4), hide_index=True)
    if person is None or outcome is None or not features:
        return _missing(person, outcome, features)
    return ChosenRoles(
        person, outcome, time, sequence, tuple(features), tuple(covariates), outcome_kind=kind,
        group=group,
    )  # fmt: skip


def _few_selectors(draft: Draft) -> ChosenRoles | tuple[str, ...]:
    """Who, when and what, as confirmed; all else is as proposed."""
    st.caption(tr("Proposed from the names and values of the columns; change what is wrong."))
    columns = [str(name) for name in draft.long.columns]
    first, second, third = st.columns(3)
    person = _needed(first, "person", tr("Person"), columns)
    time = _optional(second, "time", tr("Time"), columns)
    outcome = _needed(third, "outcome", tr("Outcome"), columns)
    kind = _outcome_kind(draft, outcome)
    guess, _ = recall(draft)
    taken = {person, time, outcome}
    sequence = None if guess.sequence in taken else guess.sequence
    features = [name for name in guess.features if name not in {*taken, sequence}]
    features = features or [name for name in [_trend(draft, time)] if name is not None]
    possible = covariate_columns(draft, person)
    used = {*taken, sequence, *features}
    covariates = [name for name in guess.covariates if name in possible and name not in used]
    listed = {"features": features, "covariates": covariates}
    words = {role: plain(", ".join(names)) or tr("nothing") for role, names in listed.items()}
    st.caption(tr(CLINICIAN_ROLES).format(**words))
    if person is None or outcome is None or not features:
        return _missing(person, outcome, features)
    return ChosenRoles(
        person, outcome, time, sequence, tuple(features), tuple(covariates), outcome_kind=kind
    )


def _trend(draft: Draft, time: str | None) -> str | None:
    """The time, where nothing else can be learned from: a trend over it is."""
    return time if draft.guess.features == [time] else None


def _needed(place: DeltaGenerator, role: str, label: str, columns: list[str]) -> str | None:
    """The selector of a role that has to be filled; empty where nothing was proposed."""
    return place.selectbox(
        label, columns, None, key=f"role_{role}", help=tr(ROLES)[role], placeholder=tr(_CHOOSE)
    )


def _optional(place: DeltaGenerator, role: str, label: str, columns: list[str]) -> str | None:
    """The selector of a role that may stay empty."""
    return place.selectbox(
        label, [None, *columns], format_func=_name, key=f"role_{role}", help=tr(ROLES)[role],
        placeholder=tr("none"),
    )  # fmt: skip


def _missing(person: str | None, outcome: str | None, features: Sequence[str]) -> tuple[str, ...]:
    """What still has to be chosen, in words."""
    wanted = {"the person": person, "the outcome": outcome, "at least one feature": features}
    return tuple(words for words, given in wanted.items() if not given)


def _why(draft: Draft) -> None:
    """Why each column was proposed for what it is."""
    guess, _ = recall(draft)
    with st.popover(tr("Why these roles"), type="tertiary", key="why_roles"):
        st.dataframe(
            pd.DataFrame(
                {tr("Column"): list(guess.reasons), tr("Proposed"): list(guess.reasons.values())}
            ),
            hide_index=True,
            width=640,
        )


def _outcome_kind(draft: Draft, outcome: str | None) -> OutcomeKind | None:
    """Number or state, proposed from the column's values; None while there is no outcome."""
    if outcome is None:
        state.preset("outcome_kind", None, None)
        return None
    found = guess_outcome(draft.long[outcome])
    guess, kept = recall(draft)
    kind_now = kept if kept and outcome == guess.outcome and found.reason != "words" else found.kind
    state.preset("outcome_kind", (draft.token, outcome), kind_now)
    place = st.container(gap=None)
    kind = place.radio(
        tr("The outcome is"),
        list(OUTCOME_KINDS),
        format_func=tr(OUTCOME_KINDS).__getitem__,
        key="outcome_kind",
        horizontal=True,
        disabled=found.reason == "words",
        help=tr(ROLES)["outcome_kind"],
    )
    listed = ", ".join(found.values)
    words = {"name": plain(outcome), "n": found.n_values, "values": plain(listed)}
    place.caption(tr(OUTCOME_REASONS)[found.reason].format(**words))
    return "number" if kind == "number" else "class"


def _propose(draft: Draft) -> bool:
    """Set the selectors for a draft that is new; whether it has yet to be loaded."""
    guess, _ = recall(draft)
    return state.propose(
        draft.token,
        {
            "study_name": "",
            "role_person": guess.person,
            "role_time": guess.time,
            "role_sequence": guess.sequence,
            "role_group": recall_group(draft),
            "role_outcome": guess.outcome,
            "role_features": guess.features,
            "role_covariates": guess.covariates,
        },
    )


def _name(column: str | None) -> str:
    return "none" if column is None else column
