"""Messages that were put together in English, said in the language wanted now.

Errors, warnings, notes, answers and reports are made in English, and may be stored so in a run.
A surface that shows one passes it through :func:`said`, which finds the text that it was made
from, ``The {table} has no column {column}.``, among the translations and fills in what it says:
the whole message first, else sentence by sentence, else what stands between commas. What matches
nothing stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from string import Formatter

from nme_core.vocabulary.language import ENGLISH, language, span, translations, written

#: Where a sentence ends, and what stands between things in a row.
_ENDS = re.compile(r"(?<=[.!?…])(?<!\b[A-Z]\.)\s+(?=[A-ZΣ“\"'(\d])")
_MARKS = re.compile(r"((?:, and |, or |, | and | or | und | oder |; )(?![^\[(]*[\])]))")
_CUTS = re.compile(rf"{_MARKS.pattern}|: ")
_SEMICOLONS = re.compile(r"(; )(?![^\[(]*[\])])")
#: What stands before a colon or brackets, and behind or in them.
_PARTED = re.compile(r"([^:(]+)(: .+| \(.+\))", re.DOTALL)
_NUMBER = re.compile(r"\d+(?:\.\d+){2,}|(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:e[-+−]?\d+)?")
_SPAN = re.compile(r"\[([^\s,;\[\]]+), ([^\s,;\[\]]+)\]")
#: Numbers alone, with their signs and intervals; and after a letter or two that they are of.
_NUMBERS = re.compile(r"(?=.*\d)[-−+–<>=×^%\d.,\[\]() ⁻⁰¹²³⁴-⁹]*(e[-+−]?\d+)?[%\])]*")
_EQUAL = re.compile(r"([^=<]+)( [=<] )([-−+]?[\d.,]+)")
#: A number of something, and something with a number.
_COUNT = re.compile(r"(\d[\d,]*) (.+)", re.DOTALL)
_ENDED = re.compile(r"(.+) ([-−+]?[\d.,]+(?: %)?)", re.DOTALL)
#: What may stand at a place: brackets are never cut.
_PLACE = r"((?:[^\[\]]|\[[^\[\]]*\])*?)"
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
#: Letters that a text has beside its places, so that it can be told at all; letters in all, with
#: which a headed one begins, or of a sentence, so that it is told whatever stands at its places.
_LEAST, _NAMING, _TELLING, _BEGINS_WITH, _OF_SENTENCE = 2, 7, 10, 4, 5
#: How much longer a text counts as that begins with words of its own.
_BEGINNING = 12
#: Letters at one place of a text that is told only by what stands there; pieces of a message
#: between marks that are looked at together.
_SHORT, _PIECES = 40, 9


@dataclass(frozen=True)
class _Template:
    """A text with places to fill in.

    Attributes
    ----------
    parts : tuple of str
        What stands before, between and after the places.
    names : tuple of str
        Of the places.
    translation : str
        With the same names.
    """

    parts: tuple[str, ...]
    names: tuple[str, ...]
    translation: str

    @cached_property
    def begins(self) -> bool:
        """Whether it begins with words of its own."""
        return _letters(self.parts[0]) >= _BEGINS_WITH

    @cached_property
    def telling(self) -> bool:
        """Whether it can be told whatever stands at its places."""
        letters = _letters("".join(self.parts))
        sentence = letters >= _OF_SENTENCE and self.parts[-1].endswith(".")
        headed = self.begins and any(": " in part or ". " in part for part in self.parts)
        return letters >= _TELLING or sentence or headed

    @cached_property
    def names_itself(self) -> bool:
        """Whether it can be told where little stands at its places."""
        return self.telling or _letters("".join(self.parts)) >= _NAMING

    @cached_property
    def size(self) -> int:
        """How much it says by itself."""
        return len("".join(self.parts)) + _BEGINNING * self.begins

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Places with nothing between them are one."""
        # A point is no decimal point.
        first, *others, last = (
            re.sub(r"^\\\.", r"\\.(?!\\d)", re.escape(part)) for part in self.parts
        )
        return re.compile(
            first + "".join(_PLACE + part if part else "" for part in others) + _PLACE + last,
            re.DOTALL,
        )

    def fields(self, text: str) -> list[str] | None:
        """What stands at its places where a text was made from this one."""
        if not (text.startswith(self.parts[0]) and text.endswith(self.parts[-1])):
            return None
        found = self.pattern.fullmatch(text)
        if found is None:
            return None
        given = found.groups()
        again = [part for part in self.parts[1:-1] if _letters(part) >= _BEGINS_WITH]
        if any(part in one for one in given for part in again):
            return None  # several such texts in a row
        if not self.telling and any(len(one) > _SHORT or _CUTS.search(one) for one in given):
            return None
        in_order, last = iter(given), len(self.names) - 1
        return [
            next(in_order) if part or at == last else "" for at, part in enumerate(self.parts[1:])
        ]

    def filled(self, fields: Sequence[str]) -> str:
        """The translation with these fields."""
        named = dict(zip(self.names, fields, strict=True))
        pieces = Formatter().parse(self.translation)
        return "".join(
            before + ("" if name is None else named[name]) for before, name, _, _ in pieces
        )


def said(text: str, names: Collection[str] = ()) -> str:
    """A message of the library in the language wanted now; `names` in it stay as they are."""
    code = language()
    return text if code == ENGLISH or not text else _Translation(code, names).filled(text)


class _Translation:
    """A message in a language; what was looked up once for it is kept as long as it takes."""

    def __init__(self, code: str, names: Collection[str]) -> None:
        self._texts = _texts(code)
        self._templates = _templates(code)
        self._known: dict[str, str | None] = {name: name for name in names}

    def filled(self, text: str) -> str:
        """A message, or what stands at a place of one: numbers, or somebody's own words."""
        if not text or _QUOTED.fullmatch(text):
            return text
        if _NUMBERS.fullmatch(text):
            return _written(text)
        if equal := _EQUAL.fullmatch(text):
            return f"{self.message(equal[1])}{equal[2]}{_written(equal[3])}"
        return self.message(text)

    def message(self, text: str) -> str:
        """All of a message, or of a text within it."""
        known = self._all(text)
        if known is not None:
            return known
        sentences = _ENDS.split(text)
        if len(sentences) > 1:
            return " ".join(self._runs(sentences, " ", self._one))
        return self._one(text)

    def _all(self, text: str) -> str | None:
        """The translation of a text, or of what it was made from; None where that is not known."""
        if text not in self._known:
            self._known[text] = self._whole(text) or self._made(text)
        return self._known[text]

    def _whole(self, text: str) -> str | None:
        """The translation of a text with no place, which may begin with a capital or not."""
        known = self._texts.get(text)
        if known is None and (" " in text or text[:1].isupper()):
            other = self._texts.get(text[:1].swapcase() + text[1:])
            return None if other is None else other[:1].upper() + other[1:]
        return known

    def _one(self, text: str) -> str:
        return self._made(text, whatever=True) or self._row(text)

    def _runs(
        self, pieces: Sequence[str], between: str, otherwise: Callable[[str], str]
    ) -> Iterator[str]:
        """As many pieces at once as are known together; one by one where they are not."""
        first = 0
        while first < len(pieces):
            for last in range(min(len(pieces), first + _PIECES), first, -1):
                known = self._all(between.join(pieces[first:last]))
                if known is not None or last == first + 1:
                    yield known or otherwise(pieces[first])
                    first = last
                    break

    def _made(self, text: str, *, whatever: bool = False) -> str | None:
        """The translation of what a text was made from.

        Several sentences at a place only with `whatever`, or after words that head them.
        """
        short = len(text) <= _SHORT * 3
        for most, template in self._templates:
            possible = most in text and (short or template.telling)
            fields = template.fields(text) if possible else None
            if fields is None:
                continue
            headed = template.begins and not template.parts[-1]
            single = fields[:-1] if headed else fields
            if not whatever and any(map(_ENDS.search, single)):
                continue
            filled = [
                field if before[-1:] + after[:1] in ('""', "''") else self.filled(field)
                for field, (before, after) in zip(fields, pairwise(template.parts), strict=True)
            ]
            if template.names_itself or all(map(_is_settled, fields, filled)):
                return template.filled(filled)
        return None

    def _row(self, text: str) -> str:
        """A number of things, things in a row, or a known text with a capital; else the text."""
        counted, ended = _COUNT.fullmatch(text), _ENDED.fullmatch(text)
        if counted and counted[2] in self._texts:
            return f"{written(counted[1])} {self._texts[counted[2]]}"
        if ended and (thing := self._all(ended[1])) is not None:
            return f"{thing} {_written(ended[2])}"
        if " " in text or text[:1].isupper():
            other = self._made(text[:1].swapcase() + text[1:])
            if other is not None:
                return other[:1].upper() + other[1:]
        if "; " in text and (row := self._each(text, _SEMICOLONS)):
            return row
        parted = _PARTED.fullmatch(text)
        if parted and (parted[2].startswith(":") or not _MARKS.search(text)):
            before, behind = self.filled(parted[1]), self._behind(parted[2])
            if (before, behind) != (parted[1], parted[2]):
                return before + behind
        if text.endswith(".") and not text.endswith(".."):
            return f"{self.message(text[:-1])}."
        return self._each(text, _MARKS) or text

    def _each(self, text: str, marks: re.Pattern[str]) -> str:
        """The things in a row; nothing where it is no row, or all of it somebody's own words."""
        pieces = marks.split(text)
        if len(pieces) == 1:
            return ""
        row = "".join(self._runs(pieces, "", self._piece))
        same = "".join(one if at % 2 == 0 else self._piece(one) for at, one in enumerate(pieces))
        own = row == same and not all(map(_is_plain, pieces[::2]))
        return "" if own else row

    def _behind(self, text: str) -> str:
        """What stands behind a colon, or in brackets."""
        known = self._all(text)
        if known is not None:
            return known
        end = -1 if text.startswith(" (") else len(text)
        return text[:2] + self.filled(text[2:end]) + text[end:]

    def _piece(self, text: str) -> str:
        if not _MARKS.fullmatch(text):
            return self.filled(text)
        word = text.strip(" ,;")
        return f" {self._texts.get(word, word)} " if word else text


def _is_settled(field: str, filled: str) -> bool:
    return field != filled or _is_plain(field)


def _is_plain(text: str) -> bool:
    """Whether something is a number or stands in quotes."""
    return bool(_NUMBERS.fullmatch(text) or _QUOTED.fullmatch(text))


def _written(numbers: str) -> str:
    """Numbers as the language wanted now writes them, each by itself."""
    marked = _SPAN.sub(lambda ends: span(ends[1], ends[2]), numbers)
    return _NUMBER.sub(lambda one: one[0] if one[0].count(".") > 1 else written(one[0]), marked)


@cache
def _texts(code: str) -> dict[str, str]:
    """The texts of a language; a sentence that follows others may stand alone."""
    known = translations(code)
    following = (text for text in known if re.match(r" ([A-Z]|\{.*\.$)", text))
    return {text[1:]: known[text].replace(" ", "", 1) for text in following} | known


@cache
def _templates(code: str) -> list[tuple[str, _Template]]:
    """The texts of a language that have places, by their longest part; the longest text first."""
    made = []
    for text, translation in _texts(code).items():
        parts, names = _pieces(text)
        if names and _letters("".join(parts)) >= _LEAST:
            made.append(_Template(parts, names, translation))
    made.sort(key=lambda one: (-one.size, len(one.names)))
    return [(max(one.parts, key=len), one) for one in made]


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _pieces(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What stands around the places of a text, and their names; no names where it has none."""
    parts, names = [""], []
    try:
        for before, name, _, _ in Formatter().parse(text):
            parts[-1] += before
            if name is not None:
                names.append(name)
                parts.append("")
    except ValueError:  # braces that are no places
        return (text,), ()
    told = all(name.isidentifier() or not name for name in names)
    return (tuple(parts), tuple(names)) if told else ((text,), ())
