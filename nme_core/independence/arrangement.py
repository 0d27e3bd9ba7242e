"""One test of parameters against one covariate: who may change places, and what is held."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from nme_core.independence.blocks import whole_block_test
from nme_core.independence.conditional import conditional_test
from nme_core.independence.hsic import HSICResult, hsic_test, side_kernel
from nme_core.independence.single import Single, p_of_both, single_test
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


@dataclass(frozen=True)
class Tested:
    """Tests of one set of parameters against one covariate.

    Attributes
    ----------
    hsic : HSICResult
        Of all parameters together.
    strength : Strength
        Of that dependence.
    single : Single
        The largest association of one parameter.
    p : float
        Of both, `p_of_both`.
    """

    hsic: HSICResult
    strength: Strength
    single: Single
    p: float


def arranged_test(
    x: pd.DataFrame, y: pd.Series, arrangement: Arrangement, *, reps: int, random_state: int
) -> Tested:
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
    how: dict[str, Any] = {
        "reps": reps,
        "standardise": one.standardise,
        "random_state": random_state,
    }
    given = None
    if one.given is not None and not one.given.columns.empty and persons:
        given = one.given.loc[persons]
        result, size = conditional_test(inner, label, given, strata=strata, **how)
    else:
        if one.whole_blocks is None:
            result = hsic_test(inner, label, strata=strata, **how)
        else:
            blocks = pd.Series(one.whole_blocks.loc[persons])
            result = whole_block_test(inner, label, blocks, **how)
            inner, label = of_blocks(inner, blocks), label.groupby(blocks, sort=False).first()
            inner = inner.loc[label.index]  # in the order of `result.orders`
        kernel_x, _ = side_kernel(inner, "x", one.standardise)
        kernel_y, _ = side_kernel(label.to_frame(), "y", one.standardise)
        size = strength(kernel_x, kernel_y)
    single = single_test(inner, label, result.orders, strata=strata, given=given)
    p = p_of_both((result.statistic, single.statistic), (result.null, single.null))
    return Tested(result, size, single, p)


def over_draws(
    draws: Sequence[pd.DataFrame],
    y: pd.Series,
    arrangement: Arrangement,
    *,
    reps: int,
    random_state: int,
) -> Tested:
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
    Tested
        That of the draw that has the median p; an odd number of draws has one. Each p of it is
        twice the median of its own over all draws.
    """
    tests = [
        arranged_test(draw, y, arrangement, reps=reps, random_state=random_state) for draw in draws
    ]
    one = sorted(tests, key=lambda test: test.p)[(len(tests) - 1) // 2]
    each = pd.concat([test.single.each for test in tests], axis=1).median(axis=1)
    return Tested(
        replace(
            one.hsic,
            p=_twice(test.hsic.p for test in tests),
            method=f"{one.hsic.method} of {len(tests)} draws",
        ),
        one.strength,
        replace(
            one.single,
            p=_twice(test.single.p for test in tests),
            each=(DRAWS_FACTOR * each).clip(upper=1.0),
        ),
        _twice(test.p for test in tests),
    )


def _twice(p: Iterable[float]) -> float:
    """Twice the lower median, at most 1."""
    ordered = sorted(p)
    return min(1.0, DRAWS_FACTOR * ordered[(len(ordered) - 1) // 2])


def of_blocks(x: pd.DataFrame, blocks: pd.Series) -> pd.DataFrame:
    """Mean of every block's persons, index block."""
    return x.groupby(blocks).mean()
