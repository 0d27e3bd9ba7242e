"""Numbers as sentences and tables show them, in the language wanted now."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nme_core.vocabulary import text
from nme_core.vocabulary.language import span, written


def number(value: float | None, digits: int = 3, *, sign: bool = False) -> str:
    """A number with two or three significant digits; see `text.number`."""
    return written(text.number(value, digits, sign=sign))


def place(value: float) -> str:
    """A place on the axis of a feature: no more digits than it needs, three at most."""
    return written(text.place(value))


def fixed(value: float | None, decimals: int) -> str:
    """A number with these decimals; an en dash where there is none."""
    return written(text.fixed(value, decimals))


def p_value(value: float | None) -> str:
    """A p-value to three decimals, or "< .001"."""
    return written(text.p_value(value))


def p_phrase(value: float) -> str:
    """A p-value inside a sentence: "p = .012" or "p < .001"."""
    return written(text.p_phrase(value))


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
    """Numbers of one kind with the same decimals; see `text.alike`."""
    return [*map(written, text.alike(values, digits))]


def estimate(value: float, low: float | None, high: float | None) -> tuple[str, str]:
    """A number and its interval, with the same decimals."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return number(value), "–"
    said, *ends = alike((value, low, high))
    return said, span(*ends)


def _magnitude(value: float) -> int:
    return math.floor(math.log10(value))
