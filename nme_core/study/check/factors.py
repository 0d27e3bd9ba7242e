"""Grouping factors that cannot carry effects of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from nme_core.study.check.report import Finding
from nme_core.vocabulary.language import tr

#: Two factors have nearly the same groups where this share of the rows lies in a group of each that
#: are the same but for a few rows: more than half of both.
NEARLY_THE_SAME = 0.9
#: … or where no more pairs of their groups than these differ: two people in one clinic.
FEW_APART = 2


def find_inseparable(factors: Mapping[str, NDArray[np.int64]], outcome: str) -> Iterator[Finding]:
    """Find factors whose effects the data cannot tell apart, from each other or from noise.

    Parameters
    ----------
    factors : mapping of str to array of int, shape (n_rows,)
        Group of each row by each factor, the persons among them.
    outcome : {"number", "count", "class", "sequence"}
        What the outcome is. A group for each row is one thing with a count (it lets counts vary
        more than Poisson's), and not estimable otherwise.
    """
    sizes = {name: len(np.unique(codes)) for name, codes in factors.items()}
    for name, codes in factors.items():
        if sizes[name] == 1:
            yield Finding(
                "stop",
                tr("{name!r} has a single group, so how groups differ cannot be known.").format(
                    name=name
                ),
                name,
                tr("Leave it out of the groups."),
            )
        elif sizes[name] == 2 and name != next(iter(factors)):
            yield Finding(
                "look",
                tr(
                    "{name!r} has two groups only, which tell next to nothing of how much "
                    "groups differ."
                ).format(name=name),
                name,
                tr("Take it as a covariate, or as a feature of 0 and 1."),
            )
        elif sizes[name] == len(codes) and outcome in ("number", "class"):
            rest = tr("the residual") if outcome == "number" else tr("chance")
            yield Finding(
                "stop",
                tr(
                    "{name!r} has another group in every row, so that its effects cannot be "
                    "told apart from {rest}."
                ).format(name=name, rest=rest),
                name,
                tr(
                    "Leave it out of the groups; only a count (Poisson) can have an effect per row."
                ),
            )
    for one, other in combinations(factors, 2):
        if sizes[one] > 1 and sizes[other] > 1:
            yield from _find_same(one, other, factors[one], factors[other])


def _find_same(
    one: str, other: str, first: NDArray[np.int64], second: NDArray[np.int64]
) -> Iterator[Finding]:
    pairs, rows = np.unique(np.stack([first, second]), axis=1, return_counts=True)
    alone = [np.isin(codes, _once(codes)) for codes in pairs]
    same = alone[0] & alone[1]
    if same.all():
        yield Finding(
            "stop",
            tr(
                "{other!r} has the same groups as {one!r}, so that their effects cannot be "
                "told apart."
            ).format(other=other, one=one),
            other,
            tr("Leave one of them out."),
        )
    elif rows[_mostly_same(pairs, rows)].sum() >= NEARLY_THE_SAME * rows.sum() or (
        (~same).sum() <= min(FEW_APART, same.sum())
    ):
        yield Finding(
            "look",
            tr(
                "{other!r} has nearly the same groups as {one!r}: {sum} groups are the same, "
                "so that their effects can hardly be told apart."
            ).format(other=other, one=one, sum=int(same.sum())),
            other,
            tr("Leave one of them out, or read their variances together."),
        )


def _mostly_same(pairs: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Pairs of groups that share more than half of the rows of both."""
    sizes = [np.bincount(np.unique(codes, return_inverse=True)[1], rows) for codes in pairs]
    where = [np.unique(codes, return_inverse=True)[1] for codes in pairs]
    return (2 * rows > sizes[0][where[0]]) & (2 * rows > sizes[1][where[1]])


def _once(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Codes that occur once."""
    values, counts = np.unique(codes, return_counts=True)
    return np.asarray(values[counts == 1])
