"""What a session remembers, and its mirror in the address; the only place that knows the keys."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from nme_core.vocabulary.language import ask_session

_RUN = "run"
_STUDY = "study"
_JOB = "job"
_PROPOSED = "nme_proposed"
_OPEN = "nme_proposal_open"
_CHANGES = "nme_changes"
_KEY = "nme_key_of_codes"
_VIEW = "nme_view"
_WAITING = "nme_waiting_tests"
_LANGUAGE = "nme_language"
_CLINICIAN = "clinician"


def restore() -> None:
    """Make session and address agree; the address wins. Called before every page."""
    for key in (_RUN, _STUDY):
        given = st.query_params.get(key)
        if given:
            st.session_state[_slot(key)] = given
        elif remembered := st.session_state.get(_slot(key)):
            st.query_params[key] = remembered
    if person() is None:  # nobody, as some pages allow: the others then begin with the first
        st.session_state.pop("person", None)
    run = run_id()
    if run and (job := st.query_params.get(_JOB)):
        st.session_state[_job_slot(run)] = job
    elif run and (job := kept_job(run)):
        st.query_params[_JOB] = job


def run_id() -> str | None:
    """Id of the run in view; None where none was chosen."""
    return st.session_state.get(_slot(_RUN))


def study_id() -> str | None:
    """Id of the study in view; None where none was chosen."""
    return st.session_state.get(_slot(_STUDY))


def choose_study(identity: str) -> None:
    """Put a study in view and leave the run of another one."""
    _set(_STUDY, identity)
    _set(_RUN, None)
    st.session_state[_OPEN] = False


def choose_run(identity: str, study: str) -> None:
    """Put a run and its study in view."""
    _set(_RUN, identity)
    _set(_STUDY, study)


def leave_run() -> None:
    """Take the run out of view; the study stays."""
    _set(_RUN, None)


def leave_study() -> None:
    """Take study and run out of view."""
    _set(_STUDY, None)
    _set(_RUN, None)


def choose_view(name: str) -> None:
    """Take the view ``clinician`` or ``researcher`` for this session."""
    st.session_state[_VIEW] = name


def switch_view(name: str) -> None:
    """Choose a view before the widget that shows it is drawn."""
    choose_view(name)
    st.session_state["view"] = name


def switched_view() -> str | None:
    """The view that the widget shows; None before it was drawn."""
    return st.session_state.get("view")


def view() -> str | None:
    """The view of this session; None before one was taken."""
    return st.session_state.get(_VIEW)


def researcher() -> bool:
    """Whether everything is to be shown; else the few things that matter, in plain words."""
    return view() != _CLINICIAN


def choose_language(code: str) -> None:
    """Take a language for this session, before the widgets are drawn.

    A browser knows choices by their words, so each widget is told its choice again.
    """
    if code != st.session_state.get(_LANGUAGE):
        chosen = {k: v for k, v in st.session_state.items() if isinstance(v, str | list)}
        st.session_state.update(chosen)
    st.session_state[_LANGUAGE] = code


def switched_language() -> str | None:
    """The language that the widget shows; None before it was drawn."""
    return st.session_state.get("language")


def language() -> str | None:
    """The language of the session at work; None before one was chosen, and outside of a page."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return None
    return st.session_state.get(_LANGUAGE)


ask_session(language)


def keep_job(run: str, job: str) -> None:
    """Remember the adaptation to new persons that was started last on the run in view."""
    st.session_state[_job_slot(run)] = job
    st.query_params[_JOB] = job


def kept_job(run: str) -> str | None:
    """The adaptation to new persons that was started last on a run."""
    return st.session_state.get(_job_slot(run))


def look_at(person: str, section: str | None = None) -> None:
    """Let the pages about one person show this one; with ``section``, Random effects that part.

    Called before the widgets are drawn.
    """
    st.session_state["person"] = person
    if section is not None:
        st.session_state["effect_section"] = section


def person() -> str | None:
    """The person who was chosen last, on whichever page; None before anybody was."""
    return st.session_state.get("person")


def propose(token: str | None, values: dict[str, Any]) -> bool:
    """Set widgets to proposed values whenever ``token`` is another one than before.

    Called before the widgets are drawn; None forgets, so that the next proposal counts again.
    Returns whether no study has been chosen since the proposal.
    """
    if token is not None and token != st.session_state.get(_PROPOSED):
        for key, value in values.items():
            st.session_state[key] = value
        st.session_state[_OPEN] = True
    st.session_state[_PROPOSED] = token
    return is_proposal_open()


def is_proposal_open() -> bool:
    """Whether no study has been chosen since the last proposal."""
    return bool(st.session_state.get(_OPEN))


def changes(token: str) -> tuple[Any, ...]:
    """Changes to the tables of a draft that the user has asked for; of another draft, none."""
    known, made = st.session_state.get(_CHANGES, (None, ()))
    return made if known == token else ()


def set_changes(token: str, made: tuple[Any, ...]) -> None:
    """Remember the changes to a draft."""
    st.session_state[_CHANGES] = (token, made)


def hold_key(study: str, key: bytes) -> None:
    """Hold the key to a study's random codes until the session ends; it is stored nowhere."""
    st.session_state[_KEY] = (study, key)


def key_of(study: str) -> bytes | None:
    """The key to a study's random codes, in the session in which they were made."""
    known, key = st.session_state.get(_KEY, (None, None))
    return key if known == study else None


def waiting_tests(run: str) -> tuple[str, ...]:
    """Covariates of a run that are tested once the tests at work have ended."""
    known, names = st.session_state.get(_WAITING, (None, ()))
    return names if known == run else ()


def let_wait(run: str, names: tuple[str, ...]) -> None:
    """Remember covariates that are to be tested next."""
    st.session_state[_WAITING] = (run, names)


def preset(key: str, token: object, value: Any) -> None:
    """Set one widget to ``value`` whenever ``token`` is another one than before; None forgets.

    So it is where the widget is drawn again: Streamlit drops what a page held that was left.
    """
    remembered = f"nme_preset_{key}"
    known = key in st.session_state and token == st.session_state.get(remembered)
    if token is not None and not known:
        st.session_state[key] = value
    st.session_state[remembered] = token


def address() -> dict[str, str]:
    """Query parameters that a link to another page has to carry."""
    run = run_id()
    values = {_RUN: run, _STUDY: study_id(), _JOB: kept_job(run) if run else None}
    return {key: value for key, value in values.items() if value}


def _slot(key: str) -> str:
    return f"nme_{key}_id"


def _job_slot(run: str) -> str:
    return f"nme_job_{run}"


def _set(key: str, identity: str | None) -> None:
    if key == _RUN and identity != run_id() and _JOB in st.query_params:
        del st.query_params[_JOB]  # it belongs to the run that is left
    st.session_state[_slot(key)] = identity
    if identity:
        st.query_params[key] = identity
    elif key in st.query_params:
        del st.query_params[key]
