"""Names of columns taken apart: CamelCase, snake_case and spaces, without accents and capitals."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: Characters of a name that are looked at.
_LOOKED_AT = 1000

#: Letters that are no others with an accent.
LETTERS = str.maketrans(
    {"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ı": "i", "İ": "I", "æ": "ae", "Æ": "Ae",
     "œ": "oe", "đ": "d", "ð": "d", "þ": "th"}
)  # fmt: skip

_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def word_set(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


@lru_cache(1 << 15)  # each is asked for some ten times
def words_of(name: str) -> tuple[str, ...]:
    """The words and numbers in a name: ``"RecipientFirstName"`` → recipient, first, name."""
    return tuple(part.lower() for part in _PARTS.findall(_ascii(name)))


def joined(name: str) -> str:
    """A name as one word, so that ``last_name``, ``Last Name`` and ``lastname`` are the same."""
    return "".join(words_of(name))


def _ascii(name: str) -> str:
    flat = unicodedata.normalize("NFKD", name[:_LOOKED_AT].translate(LETTERS))
    return "".join(letter for letter in flat if not unicodedata.combining(letter))
