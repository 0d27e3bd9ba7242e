"""Effects of tests in words: what they are of, and how large."""

from __future__ import annotations

import pandas as pd

from nme_core.vocabulary.language import span, tr
from nme_core.vocabulary.numbers import estimate, fixed
from nme_core.vocabulary.terms import CORRELATIONS

#: Kind of effect: what it is called.
KINDS = CORRELATIONS | {
    "mean difference": "mean difference",
    "adjusted mean difference": "adjusted mean difference",
}


def contrast(covariate: str, group: str) -> str:
    """Which groups were compared: "drug: 1 minus 0"."""
    return f"{covariate}: {group.replace(' - ', tr(' minus '))}"


def effect_name(kind: str, covariate: str, group: str) -> str:
    """What an effect is, in the middle of a sentence."""
    if kind in CORRELATIONS:
        return tr("{kinds} with {covariate}").format(kinds=tr(KINDS)[kind], covariate=covariate)
    return tr("the {kinds} ({contrast})").format(
        kinds=tr(KINDS)[kind], contrast=contrast(covariate, group)
    )


def effect_words(kind: str, value: float, low: float, high: float) -> tuple[str, str]:
    """An effect and its interval as text, with the same decimals: of correlations, two."""
    if kind not in CORRELATIONS:
        return estimate(value, low, high)
    known = pd.notna(low) and pd.notna(high)
    return fixed(value, 2), span(fixed(low, 2), fixed(high, 2)) if known else "–"
