"""Linear mixed model by exact maximum likelihood, from sums over each person's rows.

    y_i = X_i β + Z_i b_i + ε_i,    b_i ~ N(0, Σ),    ε ~ N(0, σ²)

with Z a choice of the columns of X. Σ = σ² Λ Λᵀ; β and σ² are profiled out, so that only the
elements of the lower triangular Λ are searched for (Bates et al. 2015, doi 10.18637/jss.v067.i01,
section 3.4). With M_i = Λᵀ Z_iᵀZ_i Λ + I,

    −2 log L = Σ_i log|M_i| + N (1 + log 2πσ²),    σ² = min_β (y − Xβ)ᵀ V⁻¹ (y − Xβ) / N.

Only ZᵀZ, ZᵀX … of every person enter, so that a step costs nothing per row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize
from torch import Tensor

#: Columns whose part that the others do not explain is less than this are collinear.
_COLLINEAR = 1e-9
_ROWS_AT_ONCE = 2**14
#: A diagonal element of Λ below the first lies at 0; the search starts again from the second, and
#: what it finds counts where −2 log L per row is lower by more than the third.
_AT_ZERO, _LIFTED, _BETTER = 1e-3, 0.1, 1e-9
_LIFTS = 2


class CollinearColumnError(ValueError):
    """A column of X is a combination of others; `column` is its number."""

    def __init__(self, column: int) -> None:
        super().__init__(f"Column {column} is a linear combination of other columns.")
        self.column = column


@dataclass(frozen=True)
class Sums:
    """Sums over the rows of each person, float64.

    Attributes
    ----------
    xx : Tensor, shape (P, p, p)
        X_iᵀX_i.
    xy : Tensor, shape (P, p)
        X_iᵀy_i.
    yy : Tensor, shape ()
        yᵀy of all rows.
    n_rows : int
        N.
    """

    xx: Tensor
    xy: Tensor
    yy: Tensor
    n_rows: int

    @classmethod
    def of(cls, x: NDArray[np.float64], y: NDArray[np.float64], groups: NDArray[np.int64]) -> Self:
        """Add up rows x, shape (n, p), and y, (n,), of persons 0 to P − 1."""
        n_groups, p = int(groups.max()) + 1, x.shape[1]
        xx, xy = torch.zeros(n_groups, p, p).double(), torch.zeros(n_groups, p).double()
        for start in range(0, len(x), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            rows, own = torch.from_numpy(x[part]), torch.from_numpy(groups[part])
            xx.index_add_(0, own, rows.unsqueeze(2) * rows.unsqueeze(1))
            xy.index_add_(0, own, rows * torch.from_numpy(y[part]).unsqueeze(1))
        return cls(xx, xy, torch.tensor(float(y @ y), dtype=torch.float64), len(x))


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
        Of all rows, at the maximum.
    converged : bool
        Whether the search ended at a maximum.
    """

    fixed: Tensor
    fixed_covariance: Tensor
    sigma: Tensor
    residual_variance: float
    effects: Tensor
    effects_covariance: Tensor
    log_likelihood: float
    converged: bool


def fit_linear_mixed_model(
    sums: Sums,
    random: list[int],
    kind: str,
    *,
    follow: Callable[[float, float, float], None] | None = None,
) -> LinearMixedFit:
    """Maximise the likelihood.

    Parameters
    ----------
    sums : Sums
        The data.
    random : list of int
        Columns of X that have a random effect, R of them; none: least squares.
    kind : {"diagonal", "full"}
        Structure of Σ.
    follow : callable, optional
        Called at each step with −2 log L per row, σ² and the mean of the variances in Σ.

    Raises
    ------
    CollinearColumnError
        If a column of X is a combination of others.
    """
    collinear = collinear_column(sums.xx.sum(0))
    if collinear is not None:
        raise CollinearColumnError(collinear)
    n_random = len(random)
    row, column = np.tril_indices(n_random)
    if kind == "diagonal":
        row = column = np.arange(n_random)
    on_diagonal = row == column

    def factor(theta: Tensor) -> Tensor:
        flat = theta.new_zeros(n_random * n_random)
        places = torch.from_numpy(row * n_random + column)
        return flat.index_add(0, places, theta).view(n_random, n_random)

    def objective(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        free = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
        value = _profile(sums, random, factor(free)).deviance
        (slope,) = torch.autograd.grad(value, free)
        return float(value.detach()) / sums.n_rows, slope.numpy() / sums.n_rows

    lowest = math.inf

    def report(theta: NDArray[np.float64]) -> None:
        nonlocal lowest
        if follow is not None:
            scale = factor(torch.from_numpy(np.asarray(theta)))
            now = _profile(sums, random, scale)
            deviance = float(now.deviance) / sums.n_rows
            if deviance < lowest:
                lowest = deviance
                variance = float(now.residual_variance)
                share = float(scale.square().sum()) / n_random if n_random else 0.0
                follow(deviance, variance, variance * share)

    def search(theta: NDArray[np.float64]) -> OptimizeResult[Any]:
        # From where the first search ends a second one starts afresh: the curvature that the first
        # has gathered is often poor near a boundary.
        for _ in range(2):
            found = minimize(  # type: ignore[call-overload]
                objective,
                theta,
                jac=True,
                method="L-BFGS-B",
                bounds=[(0.0, None) if own else (None, None) for own in on_diagonal],
                options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 500, "maxls": 40},
                callback=report,
            )
            theta = np.asarray(found.x, dtype=np.float64)
        return cast("OptimizeResult[Any]", found)

    theta, converged = on_diagonal.astype(np.float64), True
    report(theta)
    if n_random:
        best = search(theta)
        for _ in range(_LIFTS):
            at_zero = on_diagonal & (best.x < _AT_ZERO)
            if not at_zero.any():
                break
            # The likelihood is even in a diagonal element of Λ: its slope at 0 is 0, whether 0 is
            # the maximum or not.
            again = search(np.where(at_zero, _LIFTED, best.x))
            if again.fun > best.fun - _BETTER:
                break
            best = again
        theta = np.asarray(best.x, dtype=np.float64)
        slope = np.where(on_diagonal & (theta == 0), np.minimum(best.jac, 0), best.jac)
        converged = bool(np.abs(slope).max() < 1e-5)
    scale = factor(torch.from_numpy(theta))
    final = _profile(sums, random, scale)
    variance = float(final.residual_variance)
    inverse = torch.linalg.inv(final.precision)
    spread = scale @ torch.cholesky_solve(scale.T.expand_as(final.lower), final.lower)
    return LinearMixedFit(
        fixed=final.fixed,
        fixed_covariance=variance * inverse,
        sigma=variance * scale @ scale.T,
        residual_variance=variance,
        effects=torch.einsum("prs,ps->pr", spread, final.residual),
        effects_covariance=variance * spread,
        log_likelihood=-0.5 * float(final.deviance),
        converged=converged,
    )


@dataclass(frozen=True)
class _Profile:
    """The profiled likelihood at one Λ, and what it is made of."""

    deviance: Tensor
    residual_variance: Tensor
    fixed: Tensor
    precision: Tensor  # Xᵀ V⁻¹ X
    lower: Tensor  # Cholesky factors of M_i
    residual: Tensor  # Z_iᵀ (y_i − X_i β)


def _profile(sums: Sums, random: list[int], scale: Tensor) -> _Profile:
    zz, zx = sums.xx[:, random][:, :, random], sums.xx[:, random]
    zy = sums.xy[:, random]
    inner = scale.T @ zz @ scale + torch.eye(len(random), dtype=scale.dtype)
    lower = torch.linalg.cholesky(inner)
    right = scale.T @ torch.cat([zx, zy.unsqueeze(2)], dim=2)  # (P, R, p + 1)
    white = torch.linalg.solve_triangular(lower, right, upper=False)
    explained = torch.einsum("prk,prl->kl", white, white)
    p = zx.shape[2]
    precision = sums.xx.sum(0) - explained[:p, :p]
    moment = sums.xy.sum(0) - explained[:p, p]
    fixed = torch.linalg.solve(precision, moment)
    rest = sums.yy - explained[p, p] - fixed @ moment
    variance = rest / sums.n_rows
    determinant = 2 * lower.diagonal(dim1=1, dim2=2).log().sum()
    deviance = determinant + sums.n_rows * (1 + torch.log(2 * math.pi * variance))
    residual = zy - zx @ fixed
    return _Profile(deviance, variance, fixed, precision, lower, residual)


def collinear_column(xx: Tensor) -> int | None:
    """Return the first column that those before it explain, if any: a Gram–Schmidt on XᵀX."""
    left = xx.clone()
    for k in range(len(xx)):
        if float(left[k, k]) <= _COLLINEAR * max(float(xx[k, k]), 1.0):
            return k
        left = left - torch.outer(left[:, k], left[k]) / left[k, k]
    return None
