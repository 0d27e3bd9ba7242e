"""Text as the screen shows it."""

from __future__ import annotations

import re

from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import number

_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:<>&\"'=^])")
#: Where a sentence ends: after a point, before a capital letter, a quotation or "3 of 10".
_ENDS = re.compile(r"(?<=[a-z0-9)%”\]]\.)\s+(?=[A-Z“]|[\d,]+ of )")
#: What a line is not to break within, and by what it stays together: 5 %, p = .05, 95-%-Intervall.
_TOGETHER = (
    (re.compile(r"(?<=\d) %"), "\u00a0%"),
    (re.compile(r"\b(p|n|r|ρ) ([=<]) (?=[\d.,−])"), "\\1\u00a0\\2\u00a0"),
    (re.compile(r"-%-"), "\u2011%\u2011"),
)
_LINKS = re.compile(r"(?i)(https?|ftp|mailto|www)(?=[.:])|@")


def plain(text: object) -> str:
    """Text from a file or a user, safe inside a Markdown sentence: shown as it is."""
    flat = " ".join(str(text).split())
    for pattern, kept in _TOGETHER:
        flat = pattern.sub(kept, flat)
    # An invisible word joiner keeps addresses from becoming links.
    flat = _LINKS.sub(lambda match: match.group(0) + "\u2060", flat)
    return _MARKUP.sub(r"\\\1", flat)


def duration(seconds: float) -> str:
    """A rough length of time in words."""
    if seconds < 10:
        return tr("a few seconds")
    if seconds < 90:
        return tr("about {seconds} seconds").format(seconds=round(seconds / 5) * 5)
    if seconds < 5400:
        return tr("about {seconds} minutes").format(seconds=round(seconds / 60))
    return tr("about {seconds} hours").format(seconds=number(seconds / 3600, 2))


def durations(least: float, most: float) -> str:
    """A range of rough lengths of time in words."""
    first, last = duration(least), duration(most)
    return (
        first
        if first == last
        else tr("{first} to {last}").format(first=first, last=last.removeprefix(tr("about ")))
    )


def sentences(text: str) -> list[str]:
    """The sentences of a text of the app; the first one stands alone under a figure."""
    return _ENDS.split(text) if text else [""]


def slug(text: str) -> str:
    """Text as part of a file name: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "figure"
