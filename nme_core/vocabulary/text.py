"""Words put together."""

from __future__ import annotations

from collections.abc import Sequence


def listed(names: Sequence[str], conjunction: str = "and") -> str:
    """``a``, ``a and b``, ``a, b, and c``."""
    if len(names) < 3:
        return f" {conjunction} ".join(names)
    return f"{', '.join(names[:-1])}, {conjunction} {names[-1]}"


def count(n: int, noun: str) -> str:
    """``1 person``, ``1,200 people``, ``11 other people``, ``3 rows``."""
    if n == 1:
        return f"{n:,} {noun}"
    many = f"{noun.removesuffix('person')}people" if noun.endswith("person") else f"{noun}s"
    return f"{n:,} {many}"
