"""Text and numbers as the screen shows them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from nme_core.vocabulary.language import span, tr, written

_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:<>&\"'=^])")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
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


def number(value: float | None, digits: int = 3) -> str:
    """A number with two or three significant digits; an en dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if abs(value) >= 1e7:
        return _scientific(value, max(digits - 2, 1))
    if abs(value) >= 10**digits:
        return written(f"{value:,.0f}".replace("-", "−"))
    rounded = float(f"{value:.{digits}g}")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    if decimals > digits + 3:
        return _scientific(value, digits - 2)
    return written(f"{rounded:.{decimals}f}".replace("-", "−"))


def _scientific(value: float, decimals: int) -> str:
    mantissa, exponent = f"{value:.{decimals}e}".split("e")
    return f"{written(mantissa.replace('-', '−'))} × 10{str(int(exponent)).translate(_RAISED)}"


def place(value: float) -> str:
    """A place on the axis of a feature: no more digits than it needs, three at most."""
    return number(value) if abs(value) >= 1000 else written(f"{value:.3g}".replace("-", "−"))


def fixed(value: float | None, decimals: int) -> str:
    """A number with these decimals; an en dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{abs(value):,.{decimals}f}"
    signed = f"−{text}" if value < 0 and float(text.replace(",", "")) else text
    return written(signed)


def p_value(value: float | None) -> str:
    """A p-value to three decimals, or "< .001"."""
    if value is None or not math.isfinite(value):
        return "–"
    if value < 0.001:
        return written("< .001")
    return written(f"{value:.3f}".removeprefix("0") if value < 0.9995 else "1.000")


def p_phrase(value: float) -> str:
    """A p-value inside a sentence: "p = .012" or "p < .001"."""
    text = p_value(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def interval(low: float | None, high: float | None, digits: int = 2) -> str:
    """An interval in brackets, both ends with the same decimals; an en dash where there is none.

    The end further from 0 has ``digits`` significant digits at least. Where that takes few more
    decimals, the nearer one has them too (one more), or a single one (two more).
    """
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return "–"
    near, far = sorted((abs(low), abs(high)))
    if far == 0 or not 1e-5 <= far < 1e6:
        return span(number(low, digits), number(high, digits))
    decimals = max(0, digits - 1 - _magnitude(far))
    if near > 0:
        wanted = digits - 1 - _magnitude(near), -_magnitude(near)
        fitting = [n for n, more in zip(wanted, (1, 2), strict=True) if n <= decimals + more]
        decimals = max([decimals, *fitting[:1]])
    return span(fixed(low, decimals), fixed(high, decimals))


def alike(values: Sequence[float], digits: int = 3) -> list[str]:
    """Numbers of one kind with the same decimals: the largest has ``digits`` significant ones."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if not 1e-4 <= largest < 1e7:
        return [number(value, digits) for value in values]
    decimals = max(0, digits - 1 - _magnitude(largest))
    return [fixed(value, decimals) for value in values]


def estimate(value: float, low: float | None, high: float | None) -> tuple[str, str]:
    """A number and its interval, with the same decimals."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return number(value), "–"
    said, *ends = alike((value, low, high))
    return said, span(*ends)


def _magnitude(value: float) -> int:
    return math.floor(math.log10(value))


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
