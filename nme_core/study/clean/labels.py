"""Labels and ids that are written in several ways: one form of each, and which look alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

#: Letters of other alphabets that look like Latin ones.
_TWINS = str.maketrans(
    "авекмнорстухіјѕαβεικνορτυχАВЕКМНОРСТУХІЈЅΑΒΕΙΚΝΟΡΤΥΧ",
    "abekmhopctyxijsabeikvoptuxABEKMHOPCTYXIJSABEIKVOPTUX",
)

#: Marks between the parts of an id or label.
_MARK = r"[_.,;:/\\\u2010-\u2015\u2212-]+"
_BETWEEN_LETTERS = re.compile(rf"(?<=[^\W\d_]){_MARK}(?=[^\W_])|(?<=\d){_MARK}(?=[^\W\d_])")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[_/\\\u2010-\u2015\u2212-]+(?=\d)")
_SPACE_IN_NUMBER = re.compile(r"(?<=\d) (?=\d)")
_DECIMALS = re.compile(r"(?<=\d)[.,]0+$")
_ZEROS = re.compile(r"(?<![\d.,])0+(?=\d)")


def written(text: str) -> str:
    """A text in one Unicode form (NFKC), without unseen characters, one space between words.

    Texts that this makes equal look the same to a reader.
    """
    if text.isascii() and text.isalnum():
        return text
    seen = (c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    return " ".join("".join(seen).split())


def core(text: str) -> str:
    """What is left of a label without capitals, marks between its parts, and leading zeros.

    ``P-01``, ``p 1`` and ``P01`` have the same core; ``1-11`` and ``11-1`` have not.
    """
    return _without(written(text), _STEPS)


def alike(texts: Iterable[str]) -> list[list[str]]:
    """Groups of different texts with the same core, each in the order given."""
    by_core: dict[str, list[str]] = {}
    for text in dict.fromkeys(texts):
        by_core.setdefault(core(text), []).append(text)
    return [group for group in by_core.values() if len(group) > 1]


def difference(texts: Iterable[str]) -> str:
    """In what texts with the same core differ: "capitals", "spaces and leading zeros" …"""
    given = [written(text) for text in texts]
    needed = [
        name
        for name in _STEPS
        if len({_without(text, [one for one in _STEPS if one != name]) for text in given}) > 1
    ]
    return " and ".join(needed) or "how they are written"


#: What may differ between two ways to write one label, and how it is taken out.
_STEPS: dict[str, Callable[[str], str]] = {
    "spaces": lambda text: "".join(_SPACE_IN_NUMBER.sub("-", text).split()),
    "letters of another alphabet": lambda text: text.translate(_TWINS),
    "capitals": str.casefold,
    "decimals": lambda text: _DECIMALS.sub("", text),
    "marks": lambda text: _BETWEEN_DIGITS.sub("-", _BETWEEN_LETTERS.sub("", text)),
    "leading zeros": lambda text: _ZEROS.sub("", text),
}


def _without(text: str, steps: Iterable[str]) -> str:
    for name in steps:
        text = _STEPS[name](text)
    return text
