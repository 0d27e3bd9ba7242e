"""One test of parameters against one covariate: who may change places, and what is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from nme_core.independence.blocks import whole_block_test
from nme_core.independence.conditional import conditional_test
from nme_core.independence.hsic import HSICResult, hsic_test, side_kernel
from nme_core.independence.strength import Strength, strength

#: Twice the median p: see `over_draws`.
DRAWS_FACTOR = 2


@dataclass(frozen=True)
class Arrangement:
    """What a permutation may do.

    Attributes
    ----------
    strata : Series, index person, optional
        Persons change places only with those of the same label.
    whole_blocks : Series, index person, optional
        Blocks whose covariate is dealt out anew, as wholes, instead of the persons'.
    given : DataFrame, index person, optional
        Numbers and categories that are held.
    standardise : bool
        See `hsic_test`.
    """

    strata: pd.Series | None = None
    whole_blocks: pd.Series | None = None
    given: pd.DataFrame | None = None
    standardise: bool = True

    def persons(self, x: pd.DataFrame, y: pd.Series) -> list[str]:
        """Persons of whom everything is known, sorted."""
        known = x.index.intersection(y.dropna().index)
        for part in (self.strata, self.whole_blocks, self.given):
            if part is not None:
                known = known.intersection(part.dropna().index)
        return sorted(known, key=str)


def arranged_test(
    x: pd.DataFrame, y: pd.Series, arrangement: Arrangement, *, reps: int, random_state: int
) -> tuple[HSICResult, Strength]:
    """Test of independence under an arrangement, and the strength of the dependence.

    Parameters
    ----------
    x : DataFrame, index person
        Parameters.
    y : Series, index person
        Covariate; persons for whom something is missing are left out.
    arrangement : Arrangement
        Who may change places, and what is held.
    reps, random_state : int
        Number of permutations, and their seed.
    """
    one = arrangement
    persons = one.persons(x, y)
    inner, label = x.loc[persons], y.loc[persons]
    strata = None if one.strata is None else one.strata.loc[persons]
    if one.given is not None and not one.given.columns.empty and len(persons):
        return conditional_test(
            inner,
            label,
            one.given.loc[persons],
            reps=reps,
            strata=strata,
            standardise=one.standardise,
            random_state=random_state,
        )
    if one.whole_blocks is None:
        result = hsic_test(
            inner,
            label,
            reps=reps,
            strata=strata,
            standardise=one.standardise,
            random_state=random_state,
        )
    else:
        blocks = one.whole_blocks.loc[persons]
        result = whole_block_test(
            inner,
            label,
            blocks,
            reps=reps,
            standardise=one.standardise,
            random_state=random_state,
        )
        inner, label = of_blocks(inner, blocks), label.groupby(blocks).first()
    kernel_x, _ = side_kernel(inner, "x", one.standardise)
    kernel_y, _ = side_kernel(label.to_frame(), "y", one.standardise)
    return result, strength(kernel_x, kernel_y)


def over_draws(
    draws: Sequence[pd.DataFrame],
    y: pd.Series,
    arrangement: Arrangement,
    *,
    reps: int,
    random_state: int,
) -> tuple[HSICResult, Strength]:
    """Test draws of the parameters from their posterior; p is twice the median of their p-values.

    Where the model is right, one draw has the distribution N(0, Σ) whatever the number of a
    person's observations, so that shrinkage cannot look like dependence: every draw's own p is
    valid. The draws of one study depend on each other, in a way that is not known; twice the median
    is valid however they do (Meinshausen, Meier and Bühlmann 2009): if it is at most α, half of the
    p-values are at most α/2, and the chance of that is at most 2 · α/2 by Markov's inequality. It
    is conservative. Averaging the statistic over the draws instead would bring the shrunken mean
    back, and the trap with it.

    Returns
    -------
    HSICResult, Strength
        Those of the draw that has the median p, with p doubled; an odd number of draws has one.
    """
    tests = [
        arranged_test(draw, y, arrangement, reps=reps, random_state=random_state) for draw in draws
    ]
    tests.sort(key=lambda test: test[0].p)
    result, size = tests[(len(tests) - 1) // 2]
    p = min(1.0, DRAWS_FACTOR * result.p)
    return replace(result, p=p, method=f"{result.method} of {len(tests)} draws"), size


def of_blocks(x: pd.DataFrame, blocks: pd.Series) -> pd.DataFrame:
    """Mean of every block's persons, index block."""
    return x.groupby(blocks).mean()
