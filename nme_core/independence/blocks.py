"""Persons in blocks, such as clinics: permuted within them, or the blocks as wholes.

Within blocks for a covariate that differs between the persons of a block: what all of a block
share is then no evidence. Whole blocks for a covariate of the block itself (the clinic's
treatment): its values are dealt out anew to the blocks, as chance could have dealt them, so that
blocks may differ in size; the unit that counts is the block.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from nme_core.exceptions import DataError
from nme_core.independence.conditional import u_centred
from nme_core.independence.hsic import (
    MIN_PERSONS,
    HSICResult,
    hsic_statistic,
    permutation_p,
    side_kernel,
)
from nme_core.independence.permutation import permutations, quantile_strata

#: Persons that a stratum within a block should have.
_PERSONS_IN_STRATUM = 5


def strata_within(blocks: pd.Series, values: pd.Series) -> pd.Series:
    """Strata that lie within blocks: of each block's persons, by the quantiles of a number.

    Up to 5 strata a block, of about 5 persons or more.

    Parameters
    ----------
    blocks : Series, index person
        Label of each person's block.
    values : Series, index person
        A number; persons without one are left out.
    """
    both = blocks.index.intersection(values.index)
    parts = []
    for block, members in blocks.loc[both].groupby(blocks.loc[both]):
        n_strata = int(np.clip(len(members) // _PERSONS_IN_STRATUM, 1, 5))
        within = quantile_strata(values.loc[members.index], n_strata)
        parts.append(f"{block}/" + within.astype(str))
    return pd.concat(parts).loc[both].rename(f"{values.name} in {blocks.name}")


def cross(blocks: pd.Series, strata: pd.Series) -> pd.Series:
    """Every combination of block and stratum."""
    both = blocks.index.intersection(strata.index)
    labels = blocks.loc[both].astype(str) + "/" + strata.loc[both].astype(str)
    return labels.rename(f"{strata.name} in {blocks.name}")


def whole_block_test(
    x: pd.DataFrame,
    y: pd.Series,
    blocks: pd.Series,
    *,
    reps: int,
    standardise: bool = True,
    random_state: int = 0,
) -> HSICResult:
    """Test independence with the covariate's values dealt out anew to whole blocks.

    Parameters
    ----------
    x, y, blocks : DataFrame and Series of one index, nothing missing
        Parameters, covariate and block of each person.
    reps, standardise, random_state
        As in `hsic_test`.

    Returns
    -------
    HSICResult
        The statistic is that of `hsic_test`.

    Raises
    ------
    DataError
        Where the covariate differs within a block, or there are fewer than 5 blocks.
    """
    codes, labels = pd.factorize(blocks)
    for code, label in enumerate(labels):
        if y[codes == code].nunique() > 1:
            raise DataError(
                f"It differs between the people of block {label!r} of {blocks.name!r}, so that "
                "whole blocks cannot change places.",
                remedy="Permute within blocks.",
                column=str(y.name),
            )
    if len(labels) < MIN_PERSONS:
        raise DataError(
            f"There are only {len(labels)} blocks of {blocks.name!r}; whole blocks need "
            f"{MIN_PERSONS}.",
            remedy="Permute people.",
        )
    kernel_x, name_x = side_kernel(x, "x", standardise)
    kernel_y, name_y = side_kernel(y.to_frame(), "y", standardise)
    n, first = len(codes), np.array([int(np.argmax(codes == k)) for k in range(len(labels))])
    member = np.equal.outer(np.arange(len(labels)), codes).astype(np.float64)
    sums = member @ u_centred(kernel_x) @ member.T  # shape: (n_blocks, n_blocks)
    within = float(np.trace(sums))  # a block's persons share their value, whatever it is
    np.fill_diagonal(sums, 0.0)
    values = kernel_y[np.ix_(first, first)]
    np.fill_diagonal(values, 0.0)
    drawn = permutations(len(labels), reps, random_state=random_state)
    from nme_core.independence.kernel_sums import permuted_sums

    ones = n / (n - 1)  # what the ones on the diagonals add to each sum: see the module hsic
    sizes = [float(np.square(u_centred(side)).sum()) + ones for side in (kernel_x, kernel_y)]
    scale = np.sqrt(sizes[0] * sizes[1])
    null = (permuted_sums(sums, values, drawn) + within + ones) / scale
    statistic = hsic_statistic(kernel_x, kernel_y)
    return HSICResult(
        statistic=statistic,
        p=permutation_p(statistic, null),
        reps=reps,
        n_persons=n,
        null=null,
        strata="none",
        seed=random_state,
        method=f"hsic {name_x} x {name_y}",
        orders=drawn,
    )
