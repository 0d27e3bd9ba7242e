"""Numbers as sentences and tables show them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nme_core.vocabulary.language import span, written

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


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
