"""The language of the words that people read; what files and the command line say stays English.

A text is written in English where it belongs and passed through :func:`tr` where it is used, so
that the language is that of the session at work, not of the process. ``languages/de.json`` and
its like hold the translations by the English text; what is missing there stays English.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from numbers import Number
from pathlib import Path
from string import Formatter
from typing import Any, ParamSpec, TypeVar, cast

T = TypeVar("T")

P = ParamSpec("P")

ENGLISH = "en"
#: Between thousands, and before decimals, where a language does not write numbers as English does.
MARKS = {"de": (".", ",")}
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

    Keys of dictionaries stay as they are. Numbers that a translated text is filled in with are
    written as its language writes them.
    """
    code = language()
    return words if code == ENGLISH else cast(T, _translated(words, translator(code)))


def written(number: str) -> str:
    """A number that is written as in English, as the language wanted now writes it."""
    marks = MARKS.get(language())
    if marks is None:
        return number
    whole = re.sub(r"(?<!\d)\.(?=\d)", "0.", number)  # .05
    return whole.translate(str.maketrans(",.", "".join(marks)))


def span(low: str, high: str) -> str:
    """Both ends in brackets, with another mark between them than before decimals."""
    return f"[{low}; {high}]" if language() in MARKS else f"[{low}, {high}]"


def kept(make: Callable[P, T]) -> Callable[P, T]:
    """A function that is called later, outside of the session, in the language wanted now."""
    code = language()

    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        with speaking(code):
            return make(*args, **kwargs)

    return call


@cache
def translations(code: str) -> dict[str, str]:
    """The texts of a language by the English ones."""
    known: dict[str, str] = json.loads((_FOLDER / f"{code}.json").read_text(encoding="utf-8"))
    return known


def translator(code: str) -> Callable[[str], str]:
    """What says a text in a language; a text without a translation stays English."""
    known = translations(code)
    return lambda text: known.get(text, text)


class _Numbers(Formatter):
    """Fills in a text; numbers are written as the language wanted now writes them."""

    def format_field(self, value: Any, format_spec: str) -> str:
        text = super().format_field(value, format_spec)
        return written(text) if isinstance(value, Number) else text


class _Text(str):
    """A translated text."""

    __slots__ = ()

    def format(self, *args: object, **kwargs: object) -> str:
        return _Numbers().vformat(self, args, kwargs)


def _translated(words: object, say: Callable[[str], str]) -> object:
    if isinstance(words, str):
        return _Text(say(words))
    if isinstance(words, dict):
        return {key: _translated(value, say) for key, value in words.items()}
    if isinstance(words, list | tuple):
        return type(words)(_translated(value, say) for value in words)
    return words
