"""Columns that the rows cannot tell apart, and the weak prior that they get then, and only then.

    β_k ~ N(0, 10²) in standardised units for each column k that those before it explain

so that the effect of a combination is what the rows say of it, and column k itself has none:
the rows are silent on how the two share it, and the standard error of β_k, 10, says so.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from nme_core.exceptions import IdentificationWarning
from nme_core.training.sums import Array

#: Columns whose part that the others do not explain is less than this are collinear.
COLLINEAR = 1e-9
#: So is one that is this much smaller than the largest: rounding of a constant.
_NOTHING = 1e-12
#: Standard deviation of the prior, standardised units.
SPREAD = 10.0


def collinear_columns(xx: Tensor | Array) -> list[int]:
    """Return the columns that those before them explain: a Gram–Schmidt on XᵀX, shape (p, p).

    XᵀX may carry weights, as in the curvature of a generalised linear model. The intercept is best
    put first where a constant column should be named, and not the intercept.
    """
    left = np.asarray(xx).astype(np.float64)
    size, found = np.diag(left).copy(), []
    for k in range(len(left)):
        if left[k, k] <= max(COLLINEAR * size[k], _NOTHING * size.max()):
            found.append(k)
        else:
            left -= np.outer(left[:, k], left[k]) / left[k, k]
    return found


def prior_precision(n_columns: int, columns: Sequence[int]) -> Array:
    """Precision of the prior of each column, shape (n_columns,): 0 but for those in `columns`."""
    precision = np.zeros(n_columns)
    precision[list(columns)] = SPREAD**-2
    return precision


def warn_of_collinear(names: Sequence[str], *, shared: bool = False, stacklevel: int = 1) -> None:
    """Name the columns that got the prior; `shared`: and that nobody has an effect of their own on.

    Warns
    -----
    IdentificationWarning
    """
    own = " Nobody has an effect of their own on it." if shared else ""
    for name in names:
        warnings.warn(
            f"{name} is constant or a combination of other features, so that their effects cannot"
            f" be told apart: it has the weak prior N(0, {SPREAD:g}²) in standardised units, and"
            f" what they say together is counted for the others.{own} Do not interpret it; leave it"
            " out of the features.",
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
