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

#: Letters that other keyboards write as two.
_AS_TWO = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae"}
_UMLAUTS = str.maketrans(_AS_TWO | {one.upper(): two.title() for one, two in _AS_TWO.items()})
#: Letters beside a digit that are taken for one.
_ZERO, _ONE = re.compile(r"[oO](?=\d)|(?<=\d)[oO]"), re.compile(r"[lI](?=\d)|(?<=\d)[lI]")
#: A number with or without letters in front, by its `core`.
_PREFIXED = re.compile(r"([^\W\d]*)[-#]?(\d+)")

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


def cores(texts: Iterable[str]) -> dict[str, str]:
    """The core of each text; without the letters in front where some have them and others not.

    Among ``P01``, ``P02``, ``1`` and ``2`` the core of ``P01`` is ``1``.
    """
    found = {text: core(text) for text in dict.fromkeys(texts)}
    parts = {text: match for text in found if (match := _PREFIXED.fullmatch(found[text]))}
    prefixes = {match[1] for match in parts.values()}
    if len(prefixes) == 2 and "" in prefixes:
        found |= {text: match[2] for text, match in parts.items()}
    return found


def alike(texts: Iterable[str]) -> list[list[str]]:
    """Groups of different texts with the same core (see `cores`), each in the order given."""
    by_core: dict[str, list[str]] = {}
    for text, its_core in cores(texts).items():
        by_core.setdefault(its_core, []).append(text)
    return [group for group in by_core.values() if len(group) > 1]


def abbreviations(texts: Iterable[str]) -> dict[str, str]:
    """Single letters with which exactly one of the words begins, and that word: f and female."""
    by_core = {core(text): text for text in texts}
    words = [one for one in by_core if one.isalpha() and len(one) > 3]
    found = {}
    for letter in (one for one in by_core if len(one) == 1 and one.isalpha()):
        longer = [word for word in words if word.startswith(letter)]
        if len(longer) == 1:
            found[by_core[letter]] = by_core[longer[0]]
    return found


def difference(texts: Iterable[str]) -> str:
    """In what texts with the same core differ: "capitals", "spaces and leading zeros" …"""
    given = [written(text) for text in texts]
    needed = [
        name
        for name in _STEPS
        if len({_without(text, [one for one in _STEPS if one != name]) for text in given}) > 1
    ]
    if len({core(text) for text in given}) > 1:
        return "the letters in front"
    return " and ".join(needed) or "how they are written"


#: What may differ between two ways to write one label, and how it is taken out.
_STEPS: dict[str, Callable[[str], str]] = {
    "spaces": lambda text: "".join(_SPACE_IN_NUMBER.sub("-", text).split()),
    "letters of another alphabet": lambda text: text.translate(_TWINS),
    "accents": lambda text: _plain(text.translate(_UMLAUTS)),
    "letters that look like digits": lambda text: _ONE.sub("1", _ZERO.sub("0", text)),
    "capitals": str.casefold,
    "decimals": lambda text: _DECIMALS.sub("", text),
    "marks": lambda text: _BETWEEN_DIGITS.sub("-", _BETWEEN_LETTERS.sub("", text)),
    "leading zeros": lambda text: _ZEROS.sub("", text),
}


def _plain(text: str) -> str:
    """Text without the marks on its letters."""
    parts = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def _without(text: str, steps: Iterable[str]) -> str:
    for name in steps:
        text = _STEPS[name](text)
    return text
