"""Columns that the rows cannot tell apart: those that others explain are left out.

    β_k ~ N(0, 10⁻⁸) in standardised units for each column k that those before it explain,

which is β_k = 0, so that all else is as in a model without the column, however it was left out; the
model has no standard error of β_k. What tells a class apart without error has N(0, 10²).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence

import numpy as np
from torch import Tensor

from nme_core.exceptions import IdentificationWarning
from nme_core.training.sums import Array

#: Columns whose part that the others do not explain is less than this are collinear.
COLLINEAR = 1e-9
#: So is one that is this much smaller than the largest: rounding of a constant.
_NOTHING = 1e-12
#: Standard deviation of the prior of what tells a class apart, standardised units; and precision of
#: that of columns that are left out.
SPREAD, LEFT_OUT = 10.0, 1e8
#: Share of a column, in its own units, from which on another is one of those that explain it.
_EXPLAINS = 1e-6


def collinear_columns(xx: Tensor | Array) -> list[int]:
    """Return the columns that those before them explain: a Gram–Schmidt on XᵀX, shape (p, p).

    XᵀX may carry weights, as in the curvature of a generalised linear model.
    """
    left = np.asarray(xx).astype(np.float64)
    size, found = np.diag(left).copy(), []
    for k in range(len(left)):
        if left[k, k] <= max(COLLINEAR * size[k], _NOTHING * size.max()):
            found.append(k)
        else:
            left -= np.outer(left[:, k], left[k]) / left[k, k]
    return found


def explained_inputs(xx: Tensor | Array) -> dict[int, tuple[int, ...]]:
    """Return the inputs that the constant and those before them explain, each with these.

    Parameters
    ----------
    xx : Tensor or array, shape (p, p)
        XᵀX of (inputs, 1). A constant is explained by nothing: the intercept is no input.
    """
    whole = np.roll(np.asarray(xx).astype(np.float64), 1, (0, 1))
    found, explained = collinear_columns(whole), {}
    size = np.sqrt(np.diag(whole))
    for k in found:
        before = [j for j in range(k) if j not in found]
        weights = np.linalg.lstsq(whole[np.ix_(before, before)], whole[before, k])[0]
        share = np.abs(weights) * size[before] > _EXPLAINS * size[k]
        explained[k - 1] = tuple(j - 1 for j, one in zip(before, share, strict=True) if one and j)
    return explained


def prior_precision(n_columns: int, columns: Iterable[int]) -> Array:
    """Precision of the prior of each column, shape (n_columns,): 0 but for those left out."""
    precision = np.zeros(n_columns)
    precision[list(columns)] = LEFT_OUT
    return precision


def warn_of_collinear(name: str, by: Sequence[str], *, stacklevel: int = 1) -> None:
    """Name a column that is left out, and the columns that explain it.

    Warns
    -----
    IdentificationWarning
    """
    if by:
        why = (
            f"{name} is a combination of {', '.join(by)}, so that their effects cannot be told"
            " apart"
        )
    else:
        why = f"{name} is constant, so that its effect cannot be told from the intercept"
    warnings.warn(
        f"{why}. The model leaves it out: its effect is 0 for everybody, without an interval, and"
        " all else is as in a model without it. Leave it, or another of them, out of the features.",
        IdentificationWarning,
        stacklevel=stacklevel + 1,
    )


def warn_of_separation(name: str, what: str, *, stacklevel: int = 1) -> None:
    """Name a feature that tells `what` apart without error.

    Warns
    -----
    IdentificationWarning
    """
    warnings.warn(
        f"{name} tells{what} apart without error in these rows (separation), so that its effect"
        f" has no bound: it has the weak prior N(0, {SPREAD:g}²) in standardised units. Do not"
        " interpret its size; leave the feature out, or join rare classes.",
        IdentificationWarning,
        stacklevel=stacklevel + 1,
    )
