"""Words for what a remedy changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from nme_core.study.clean.remedies import Remedy


def columns_of(remedy: Remedy) -> str:
    """Names of a remedy's columns."""
    return " and ".join(repr(name) for name in remedy.columns)


def count_of(rows: pd.Series, noun: str) -> str:
    """How many rows are true."""
    count = int(rows.sum())
    return f"{count} {noun}" if count == 1 else f"{count:,} {noun}s"


def names_of(texts: Sequence[str]) -> str:
    """Texts in quotes."""
    return ", ".join(repr(text) for text in texts)


def some_of(texts: Sequence[str]) -> str:
    """The first texts, in quotes."""
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return names_of(texts[:3]) + more
