"""Linear mixed model by exact maximum likelihood, from sums over each person's rows.

    y_i = X_i β + Z_i b_i + ε_i,    b_i ~ N(0, Σ),    ε ~ N(0, σ²)

with Z a choice of the columns of X. Σ = σ² Λ Λᵀ; β and σ² are profiled out, so that only the
elements of the lower triangular Λ are searched for (Bates et al. 2015, doi 10.18637/jss.v067.i01,
section 3.4). Only ZᵀZ, ZᵀX … of every person enter, so that a step costs nothing per row. The
restricted likelihood (REML) is that of what the rows say beside β.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from nme_core.exceptions import TrainingError
from nme_core.training.linear_curvature import Elements, Structure
from nme_core.training.linear_information import VarianceInformation
from nme_core.training.linear_likelihood import Cross, Point
from nme_core.training.linear_search import Maximum, NoResidualError, maximise, sizes
from nme_core.training.sums import Array, Sums
from nme_core.training.weak_prior import collinear_columns

__all__ = [
    "CollinearColumnError",
    "LinearMixedFit",
    "NoResidualError",
    "Sums",
    "UnidentifiedError",
    "collinear_column",
    "fit_linear_mixed_model",
]

#: Share of the outcome's mean square below which there is no residual variance.
_NO_RESIDUAL = 1e-12
#: Curvature between Σ and σ², scaled, below which they cannot be told apart.
_UNIDENTIFIED = 1e-8


class CollinearColumnError(ValueError):
    """A column of X is a combination of others; `column` is its number."""

    def __init__(self, column: int) -> None:
        super().__init__(f"Column {column} is a linear combination of other columns.")
        self.column = column


class UnidentifiedError(TrainingError):
    """The rows cannot tell the variances of the random effects from the residual variance."""

    def __init__(self) -> None:
        super().__init__(
            "The variance between people cannot be told from the residual variance: people have"
            " too few rows for effects of their own.",
            remedy="Give people more rows, or fewer effects of their own.",
        )


@dataclass(frozen=True)
class LinearMixedFit:
    """Maximum-likelihood fit.

    Attributes
    ----------
    fixed : Tensor, shape (p,)
        β.
    fixed_covariance : Tensor, shape (p, p)
        σ² (Xᵀ V⁻¹ X)⁻¹.
    sigma : Tensor, shape (R, R)
        Σ.
    residual_variance : float
        σ².
    effects : Tensor, shape (P, R)
        b̂_i, the conditional means.
    effects_covariance : Tensor, shape (P, R, R)
        Conditional covariances of b_i, given β.
    log_likelihood : float
        Of all rows, at the maximum; the restricted one with `reml`.
    converged : bool
        Whether the search ended at a maximum.
    distance : float
        How far from it, in standard errors.
    reml : bool
        Whether the restricted likelihood was maximised.
    information : VarianceInformation
        How certain Σ and σ² are, and what that does to all else.
    """

    fixed: Tensor
    fixed_covariance: Tensor
    sigma: Tensor
    residual_variance: float
    effects: Tensor
    effects_covariance: Tensor
    log_likelihood: float
    converged: bool
    distance: float
    reml: bool
    information: VarianceInformation

    def effects_error(self) -> Tensor:
        """Covariances of b̂_i − b_i that count β, with Σ known; shape (P, R, R)."""
        slope = torch.from_numpy(self.information.point.following)
        return self.effects_covariance + slope @ self.fixed_covariance @ slope.mT

    def plus(self, log_likelihood: float, information: VarianceInformation) -> LinearMixedFit:
        """The same with a constant in the likelihood and with more information."""
        total = self.log_likelihood + log_likelihood
        return replace(self, log_likelihood=total, information=information)


def fit_linear_mixed_model(
    sums: Sums,
    random: list[int],
    kind: Structure,
    *,
    reml: bool = False,
    prior: Array | None = None,
    follow: Callable[[float, float, float], None] | None = None,
) -> LinearMixedFit:
    """Maximise the likelihood.

    Parameters
    ----------
    sums : Sums
        The data.
    random : list of int
        Columns of X that have a random effect, R of them; none: least squares.
    kind : {"diagonal", "full", "factor", "factor2"} or sequence of int
        Structure of Σ.
    reml : bool
        Whether to maximise the restricted likelihood.
    prior : array, shape (p,), optional
        Precisions of β_k ~ N(0, σ²/prior_k), 0 for none; see `weak_prior`.
    follow : callable, optional
        Called at each step with −2 log L per row, σ² and the mean of the variances in Σ.

    Raises
    ------
    CollinearColumnError
        If a column of X is a combination of others and has no prior.
    NoResidualError
        If the model fits every row.
    UnidentifiedError
        If Σ and σ² cannot be told apart.
    """
    refuse_collinear(sums, prior)
    cross = Cross.of(sums, random, reml=reml, prior=prior)
    elements = Elements.of(len(random), kind)
    refuse_unidentified(cross, elements)
    try:
        found = maximise(cross, elements, report=None if follow is None else falling(follow))
    except np.linalg.LinAlgError:
        # X has full rank: XᵀV⁻¹X is singular only where Σ/σ² grows without end.
        raise NoResidualError from None
    refuse_perfect(found)
    return as_fit(found, elements)


def refuse_collinear(sums: Sums, prior: Array | None) -> None:
    """Raise CollinearColumnError for the first column that those before it explain."""
    whole = np.asarray(sums.xx.sum(0))
    found = collinear_columns(whole if prior is None else whole + np.diag(prior))
    if found:
        raise CollinearColumnError(found[0])


def refuse_unidentified(cross: Cross, elements: Elements) -> None:
    """Raise UnidentifiedError where some change of Σ is one of σ² for every person.

    The expected information on Ψ and log σ² is singular then, whatever they are.
    """
    if not len(elements):
        return
    psi = elements.of_psi
    point, q = cross.at(np.diag(1 / sizes(cross))), len(psi)
    whole = np.zeros((q + 1, q + 1))
    whole[q, q] = cross.n_rows
    for some in cross.parts():
        own = point.own(some)
        whole[:q, :q] += psi.traces(own, own)
        whole[:q, q] += psi.of_symmetric(own.sum(2))
    whole[q, :q] = whole[:q, q]
    size = np.sqrt(np.diag(whole).clip(min=1e-300))
    if np.linalg.eigvalsh(whole / size / size[:, None])[0] < _UNIDENTIFIED:
        raise UnidentifiedError


def refuse_perfect(found: Maximum) -> None:
    """Raise NoResidualError where the rows leave no residual variance."""
    point = found.point
    if not point.variance > _NO_RESIDUAL * point.cross.total[-1, -1] / point.cross.n_rows:
        raise NoResidualError


def falling(follow: Callable[[float, float, float], None]) -> Callable[[Point], None]:
    """Tell of every step that lowers −2 log L."""
    lowest = np.inf

    def report(point: Point) -> None:
        nonlocal lowest
        deviance = point.deviance / point.cross.n_rows
        if deviance < lowest:
            lowest = deviance
            share = float(np.square(point.scale).sum()) / max(1, len(point.scale))
            follow(deviance, point.variance, point.variance * share)

    return report


def as_fit(found: Maximum, elements: Elements) -> LinearMixedFit:
    """Read the fit off the maximum."""
    point, variance = found.point, found.point.variance
    return LinearMixedFit(
        fixed=torch.from_numpy(point.fixed),
        fixed_covariance=torch.from_numpy(variance * point.inverse),
        sigma=torch.from_numpy(variance * point.scale @ point.scale.T),
        residual_variance=variance,
        effects=torch.from_numpy(point.effects),
        effects_covariance=torch.from_numpy(point.conditional),
        log_likelihood=-0.5 * point.deviance,
        converged=found.converged,
        distance=found.distance,
        reml=point.cross.reml,
        information=VarianceInformation.of(found, elements),
    )


def collinear_column(xx: Tensor) -> int | None:
    """Return the first column that those before it explain, if any."""
    found = collinear_columns(xx)
    return found[0] if found else None
