"""Results kept for as long as one browser session, and seen by nobody else."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

P = ParamSpec("P")
R = TypeVar("R")

_KEPT: list[Any] = []


def per_session(max_entries: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep the last results of a function within a session; callers must not change them.

    Outside of a page (a test, a download's thread) there is no session and nothing is kept.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        cached = st.cache_resource(
            function, show_spinner=False, scope="session", max_entries=max_entries
        )

        _KEPT.append(cached)

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if get_script_run_ctx(suppress_warning=True) is None:
                return function(*args, **kwargs)
            return cached(*args, **kwargs)

        return call

    return decorate


def forget() -> None:
    """Let go of everything that is kept for this session, as after a deletion."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return
    for cached in _KEPT:
        cached.clear()
