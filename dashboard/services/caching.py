"""Results kept by the server: for one browser session, or for all that look at the same run.

Each is kept by the language of its words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Any, Literal, ParamSpec, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from nme_core.vocabulary.language import language

P = ParamSpec("P")
R = TypeVar("R")

_KEPT: list[Any] = []


def per_session(max_entries: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep the last results of a function within a session, seen by nobody else.

    For what is not stored yet, as the rows of a file that is being loaded. Callers must not change
    results. Outside of a page (a test, a download's thread) there is no session and nothing is
    kept.
    """
    return _keeping("session", max_entries)


def shared(max_entries: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """As `per_session`, once for all sessions: of stored studies and runs, which all may open."""
    return _keeping("global", max_entries)


def _keeping(
    scope: Literal["session", "global"], max_entries: int
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def spoken(language_: str, *args: P.args, **kwargs: P.kwargs) -> R:
            return function(*args, **kwargs)

        own = signature(function)
        first = Parameter("language_", Parameter.POSITIONAL_OR_KEYWORD)
        spoken.__signature__ = own.replace(parameters=[first, *own.parameters.values()])  # type: ignore[attr-defined]
        keep = st.cache_resource(show_spinner=False, scope=scope, max_entries=max_entries)
        cached = keep(spoken)
        _KEPT.append(cached)

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if get_script_run_ctx(suppress_warning=True) is None:
                return function(*args, **kwargs)
            found: R = cached(language(), *args, **kwargs)
            return found

        return call

    return decorate


def forget() -> None:
    """Let go of everything that is kept for this session and for all, as after a deletion."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return
    for cached in _KEPT:
        cached.clear()
