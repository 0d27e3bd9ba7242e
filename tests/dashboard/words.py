"""A language of brackets, in which a text that no translation reaches stands bare."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from docs.untranslated import texts
from nme_core.vocabulary import language, messages

#: Where something is filled into a text.
PLACE = re.compile(r"(?<![%{])\{[^{}]*\}(?!\})")


def bracketed(text: str) -> str:
    """A text in brackets, but for what is filled in, which has to bring its own."""
    return PLACE.sub(r"⟧\g<0>⟦", f"⟦{text}⟧") if text else ""


def outside(text: str) -> str:
    """What of a text, or of a sentence of it, stands outside of the brackets."""
    depth, kept = 0, []
    begun_before = re.match(r"[^⟦]*⟧", text)
    for letter in text[begun_before.end() if begun_before else 0 :]:
        depth = max(depth + (letter == "⟦") - (letter == "⟧"), 0)  # a name may have been cut
        kept.append(letter if depth == 0 and letter != "⟧" else " ")
    return "".join(kept)


@contextmanager
def speaking_brackets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Say everything in brackets."""
    found = {text: bracketed(text) for text in texts()}
    monkeypatch.setattr(language, "translator", lambda _: bracketed)
    monkeypatch.setattr(messages, "translations", lambda _: found)
    with language.speaking("pseudo"):  # AppTest words the options of widgets once more by itself
        yield
    messages._texts.cache_clear()
    messages._templates.cache_clear()
