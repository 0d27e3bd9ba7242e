"""Numbers as a journal in APA style (7th edition, 6.36 and 6.44) prints them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from nme_core.vocabulary.text import alike, fixed, number

DASH = "\u2013"


def bounded(value: float, decimals: int = 2) -> str:
    """A number that cannot exceed 1 in size (p, r, share of variance): no zero before the point."""
    text = fixed(value, decimals)
    return text.replace("0.", ".", 1) if abs(float(f"{value:.{decimals}f}")) < 1 else text


def bounded_limits(low: float, high: float) -> str:
    """``[.12, .48]``; a dash where there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return DASH
    return f"[{bounded(low)}, {bounded(high)}]"


def limits(low: float, high: float, decimals: int | None = None) -> str:
    """``[0.120, 0.480]``, both ends with these decimals, or with three digits of the larger."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return DASH
    if decimals is not None:
        return f"[{fixed(low, decimals)}, {fixed(high, decimals)}]"
    largest = max(abs(low), abs(high))
    if largest and not 1e-4 <= largest < 1e7:
        return f"[{number(low)}, {number(high)}]"
    exponent = math.floor(math.log10(largest)) if largest else 0
    decimals = max(2 - exponent, 0)
    return f"[{fixed(low, decimals)}, {fixed(high, decimals)}]"


def estimate(value: float, low: float, high: float) -> tuple[str, str]:
    """A number and its interval, with the same decimals."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return number(value), DASH
    said, *ends = alike((value, low, high))
    return said, f"[{', '.join(ends)}]"


def intervals(
    low: Iterable[float],
    high: Iterable[float],
    write: Callable[[float, float], str] = limits,
) -> list[str]:
    """Intervals of a column of a table, each as `limits` or `bounded_limits` writes it."""
    return [write(*ends) for ends in zip(low, high, strict=True)]
