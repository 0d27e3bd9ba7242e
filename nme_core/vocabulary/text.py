"""Words put together."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nme_core.vocabulary.language import tr, written

#: Three things or more: the last one after its conjunction.
_MANY = {"and": "{first}, and {last}", "or": "{first}, or {last}"}
_TWO = {"and": "{first} and {last}", "or": "{first} or {last}"}


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


def fixed(value: float, decimals: int = 2) -> str:
    """A number with these decimals and a true minus; a dash where it is not finite."""
    if not math.isfinite(value):
        return "–"
    text = f"{abs(value):.{decimals}f}"
    return f"−{text}" if value < 0 and float(text) else text


def percent(share: float) -> str:
    """``12 %``, ``1,200 %``; never −0."""
    size = f"{abs(100 * share):,.0f}"
    return f"{'−' if share < 0 and size != '0' else ''}{written(size)} %"
