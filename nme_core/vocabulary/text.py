"""Words put together, and numbers as English writes them (`numbers`: as the language does)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nme_core.vocabulary.language import tr, written

#: Three things or more: the last one after its conjunction.
_MANY = {"and": "{first}, and {last}", "or": "{first}, or {last}"}
_TWO = {"and": "{first} and {last}", "or": "{first} or {last}"}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
#: What is less is 0 up to rounding.
_ZERO = 1e-15


def listed(names: Sequence[str], conjunction: str = "and") -> str:
    """``a``, ``a and b``, ``a, b, and c``."""
    if len(names) < 2:
        return "".join(names)
    words = tr(_TWO if len(names) == 2 else _MANY)
    return words[conjunction].format(first=", ".join(names[:-1]), last=names[-1])


def count(n: int, noun: str) -> str:
    """``1 person``, ``1,200 people``, ``11 other people``, ``3 rows``."""
    return f"{written(f'{n:,}')} {tr(noun if n == 1 else plural(noun))}"


def plural(noun: str) -> str:
    """``people``, ``other people``, ``rows``."""
    return f"{noun.removesuffix('person')}people" if noun.endswith("person") else f"{noun}s"


def number(value: float | None, digits: int = 3, *, sign: bool = False) -> str:
    """A number with so many significant digits, all before the point; an en dash for none.

    Very large and very small ones are written as a power, and 0 up to rounding as 0. `sign`: with
    a plus before one above 0.
    """
    if sign and value is not None and value >= _ZERO:
        return f"+{number(value, digits)}"
    if value is None or not math.isfinite(value):
        return "–"
    if abs(value) < _ZERO:
        return "0"
    if 1e-4 <= abs(value) < 1e7:
        power = int(f"{value:.{digits - 1}e}".split("e")[1])
        return fixed(value, max(digits - 1 - power, 0))
    mantissa, exponent = f"{value:.{max(digits - 2, 1)}e}".split("e")
    return f"{mantissa.replace('-', '−')} × 10{str(int(exponent)).translate(_RAISED)}"


def place(value: float) -> str:
    """A place on the axis of a feature: no more digits than it needs, three at most."""
    return number(value) if abs(value) >= 1000 else f"{value:.3g}".replace("-", "−")


def fixed(value: float | None, decimals: int = 2) -> str:
    """A number with these decimals and a true minus; an en dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{abs(value):,.{decimals}f}"
    return f"−{text}" if value < 0 and text.strip("0.") else text


def alike(values: Sequence[float], digits: int = 3) -> list[str]:
    """Numbers of one kind with the same decimals: the largest has ``digits`` significant ones."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if not 1e-4 <= largest < 1e7:
        return [number(value, digits) for value in values]
    decimals = max(0, digits - 1 - math.floor(math.log10(largest)))
    return [fixed(value, decimals) for value in values]


def p_value(value: float | None) -> str:
    """A p-value to three decimals, "< .001", or an en dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return "< .001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def p_phrase(value: float | None) -> str:
    """A p-value inside a sentence: "p = .012" or "p < .001"."""
    text = p_value(value)
    return f"p = {text}" if text[0] in ".1" else f"p {text}"


def percent(share: float) -> str:
    """``12 %``, ``1,200 %``; never −0."""
    size = f"{abs(100 * share):,.0f}"
    return f"{'−' if share < 0 and size != '0' else ''}{written(size)} %"
