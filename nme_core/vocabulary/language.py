"""The language of the words that people read; what files and the command line say stays English.

A text is written in English where it belongs and passed through :func:`tr` where it is used, so
that the language is that of the session at work, not of the process. ``languages/de.json`` and
its like hold the translations by the English text; what is missing there stays English.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

T = TypeVar("T")

ENGLISH = "en"
_FOLDER = Path(__file__).parent / "languages"
_chosen: ContextVar[str | None] = ContextVar("language", default=None)
_sessions: list[Callable[[], str | None]] = []


def language() -> str:
    """The language in which words are wanted now: ``en`` unless somebody chose another."""
    said = (ask() for ask in _sessions)
    return _chosen.get() or next((code for code in said if code), ENGLISH)


def ask_session(chosen: Callable[[], str | None]) -> None:
    """Let a surface say which language its session at work has chosen."""
    _sessions[:] = [chosen]


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Words in this language within the block, whatever a session has chosen."""
    token = _chosen.set(code)
    try:
        yield
    finally:
        _chosen.reset(token)


def tr(words: T) -> T:
    """A text, or the texts that a dictionary, list or tuple holds, in the language wanted now.

    Keys of dictionaries stay as they are.
    """
    code = language()
    return words if code == ENGLISH else cast(T, _translated(words, translator(code)))


@cache
def translator(code: str) -> Callable[[str], str]:
    """What says a text in a language; a text without a translation stays English."""
    known = json.loads((_FOLDER / f"{code}.json").read_text(encoding="utf-8"))
    return lambda text: known.get(text, text)


def _translated(words: object, say: Callable[[str], str]) -> object:
    if isinstance(words, str):
        return say(words)
    if isinstance(words, dict):
        return {key: _translated(value, say) for key, value in words.items()}
    if isinstance(words, list | tuple):
        return type(words)(_translated(value, say) for value in words)
    return words
