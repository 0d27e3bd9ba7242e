"""Text and numbers as figures show them.

Names of persons, states and columns come from data: they are shown as they are and never read as
markup. plotly would read a part of HTML, matplotlib would read ``$...$`` as mathematics.
"""

from __future__ import annotations

import html
import math
import unicodedata
from collections.abc import Iterable
from textwrap import wrap

import numpy as np

from nme_core.io import parameter_words as parameter_words
from nme_core.vocabulary.language import tr, written

MINUS = "\u2212"
ELLIPSIS = "\u2026"
_UNSEEN = {"Cc", "Cf", "Cs", "Co"}
_JOINERS = {"\u200c", "\u200d"}
#: Width of a letter of a printed title, in millimetres.
_MM_A_LETTER = 1.7


def clean(text: object, limit: int | None = None) -> str:
    """One line without control characters; with `limit`, cut in the middle to that length."""
    spaced = " ".join(str(text).split())
    line = "".join(c for c in spaced if c in _JOINERS or unicodedata.category(c) not in _UNSEEN)
    line = line or tr("(blank)")
    if limit is None or len(line) <= limit:
        return line
    tail = (limit - 1) // 3
    return line[: limit - 1 - tail].rstrip() + ELLIPSIS + line[len(line) - tail :].lstrip()


def distinct(texts: list[str], limit: int) -> list[str]:
    """`clean` for several labels that must stay different after they were cut."""
    short = [clean(text, limit) for text in texts]
    return [
        f"{label[: limit - 3]} {short[: i + 1].count(label)}" if short.count(label) > 1 else label
        for i, label in enumerate(short)
    ]


def for_screen(text: object, limit: int | None = None) -> str:
    """Text for plotly, which reads HTML tags and entities, and TeX between dollar signs."""
    return html.escape(clean(text, limit), quote=False).replace("$", "&#36;")


def all_for_screen(texts: Iterable[object]) -> np.ndarray:
    """Texts as `for_screen` gives them."""
    return np.array([for_screen(text) for text in texts], dtype=object)


def for_print(text: object, limit: int | None = None) -> str:
    """Text for matplotlib, which reads TeX between dollar signs and hides ``_`` from legends."""
    line = clean(text, limit).replace("$", r"\$")
    return f" {line}" if line.startswith("_") else line


def title_lines(title: object, width_mm: float) -> str:
    """A printed panel's title, in lines that are no wider than this."""
    lines = wrap(clean(title, 40), max(8, int(width_mm / _MM_A_LETTER)))
    return "\n".join(map(for_print, lines))


def cell(value: float, *, sign: bool = False, compact: bool = False) -> str:
    """A matrix cell: two decimals; `compact`: two digits, without the zero before the point."""
    if not math.isfinite(value):
        return "\u2013"
    decimals = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    if compact and abs(value) >= 0.995:
        decimals = max(decimals - 1, 0)
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0:
        return written(".00" if compact else "0.00")
    if compact and text.startswith("0."):
        text = text[1:]
    return _signed(text, value, sign)


def tally(n: float) -> str:
    """A count, which may be an expected one: ``1,204`` or ``12.3``."""
    return written(f"{n:,.0f}" if float(n).is_integer() else f"{n:,.1f}")


def _signed(text: str, value: float, sign: bool) -> str:
    text = written(text)
    if value < 0:
        return MINUS + text
    return f"+{text}" if sign else text
