"""Mixed models with several grouping factors, nested or crossed, by maximum likelihood.

    h_j = X_j β + Σ_g Z_gj b_g,l(j),    b_g ~ N(0, Σ_g)

exact for numbers, by Laplace's approximation of the marginal likelihood for all other outcomes (β
is optimised with the determinant, as lme4's nAGQ = 1). See `crossed_gaussian` and
`crossed_laplace`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike

from nme_core.training.block_cholesky import Blocks
from nme_core.training.crossed_gaussian import GaussianLikelihood
from nme_core.training.crossed_laplace import LaplaceLikelihood, RowLikelihood
from nme_core.training.grouping import Codes, Factor, Grouping, Numbers, Terms
from nme_core.training.linear_mixed import CollinearColumnError, collinear_column
from nme_core.training.minimum import Minimum, find_minimum
from nme_core.training.scales import Scale, Scales, State

#: Where the search for Λ starts: numbers, relative to σ, and others.
_START_NUMBERS, _START_OTHERS = 1.0, 0.5


@dataclass(frozen=True)
class CrossedFit:
    """Fit by maximum likelihood; lists follow the factors as they were given.

    Attributes
    ----------
    fixed : array, shape (q,)
        β.
    fixed_covariance : array, shape (q, q)
        Of β: for numbers given Λ, σ² (Xᵀ V⁻¹ X)⁻¹; for others from the curvature of the likelihood
        in β and Λ together.
    sigma : list of arrays, shape (R_g, R_g)
        Σ_g.
    residual_variance : float
        σ²; 1 but for numbers.
    effects : list of arrays, shape (P_g, R_g)
        Conditional means, for others modes, of b_g.
    effects_covariance : list of arrays, shape (P_g, R_g, R_g)
        Their conditional covariances, given β.
    effects_error : list of arrays, shape (P_g, R_g, R_g)
        The same counting that β is estimated.
    log_likelihood : float
        Of all rows; restricted with REML.
    n_parameters : int
        Of β, Λ and σ².
    converged : bool
        Whether one more Newton step would gain less than 1e-8.
    gradient : float
        What it would gain in log-likelihood.
    """

    fixed: Numbers
    fixed_covariance: Numbers
    sigma: list[Numbers]
    residual_variance: float
    effects: list[Numbers]
    effects_covariance: list[Numbers]
    effects_error: list[Numbers]
    log_likelihood: float
    n_parameters: int
    converged: bool
    gradient: float


def fit_crossed(
    x: Numbers,
    y: ArrayLike,
    factors: Sequence[Codes],
    random: Sequence[Terms | Sequence[int]],
    kind: str,
    family: RowLikelihood | None = None,
    *,
    fixed: Terms | None = None,
    pools: Codes | None = None,
    start: Numbers | None = None,
    reml: bool = False,
    follow: Callable[[float], None] | None = None,
) -> CrossedFit:
    """Fit.

    Parameters
    ----------
    x : array, shape (N, p)
        Columns, that of the intercept among them.
    y : array, shape (N,)
        Outcome; classes as 0 to K − 1.
    factors : sequence of arrays of int, shape (N,)
        Level of each row, 0 to P_g − 1, of each factor.
    random : sequence of Terms or of sequences of int
        For each factor, the effects of each level; columns of x for a single output.
    kind : {"diagonal", "full"}
        Structure of every Σ_g.
    family : RowLikelihood, optional
        Likelihood of a row; None: a number with residual variance.
    fixed : Terms, optional
        Fixed effects; None: of all columns, for a single output.
    pools : array of int, shape (R,), optional
        Effects with the same number share a variance, in every factor; a diagonal Σ only.
    start : array, shape (q,), optional
        β to start from where its likelihood is not 0; None: 0. Not needed for numbers.
    reml : bool
        Restricted likelihood; for numbers only.
    follow : callable, optional
        Called at each step with −2 log L.

    Raises
    ------
    CollinearColumnError
        If a column is a combination of others.
    """
    terms = [one if isinstance(one, Terms) else Terms.of(one) for one in random]
    every = Terms.of(range(x.shape[1])) if fixed is None else fixed
    codes = [np.asarray(one, dtype=np.int64) for one in factors]
    outcome = np.asarray(y)
    # The order of rows must not show, not even in how sums are rounded.
    order = np.lexsort((*x.T, outcome, *codes[::-1]))
    size = np.sqrt(np.square(x).mean(0))
    rows = x[order] / np.where(size > 0, size, 1.0)
    _check_columns(rows, every)
    levels = [
        Factor(one[order], int(one.max()) + 1, rows[:, term.columns], term.directions)
        for one, term in zip(codes, terms, strict=True)
    ]
    alone = np.zeros(len(x), dtype=np.int64)
    grouping = Grouping.of(levels, Factor(alone, 1, rows[:, every.columns], every.directions))
    own = grouping.factors[:-1]
    scales = Scales(tuple(Scale.of(one.width, kind, pools) for one in own))
    if family is None:
        numbers = GaussianLikelihood(grouping, scales, outcome[order].astype(np.float64), reml=reml)
        found, state = _search(numbers.state, grouping, scales, _START_NUMBERS, follow)
        read = _Read(state, found, state.factor.inverse(fixed=True))
    else:
        begin = np.zeros(len(every.columns)) if start is None else start * size[every.columns]
        others = LaplaceLikelihood(grouping, scales, family, torch.from_numpy(outcome[order]))
        read = _fit_others(others, grouping, scales, begin, follow)
    result = read.result(grouping, [1 / size[t.columns] for t in terms], 1 / size[every.columns])
    n_parameters = len(every.columns) + scales.n + (family is None)
    log_likelihood = result.log_likelihood
    if reml:  # which depends on the units of the columns
        log_likelihood -= float(np.log(size[every.columns]).sum())
    return replace(result, n_parameters=n_parameters, log_likelihood=log_likelihood)


def _check_columns(rows: Numbers, fixed: Terms) -> None:
    """Refuse columns that others explain; each mean square is 1."""
    columns = np.unique(fixed.columns)
    some = rows[:, columns]
    collinear = collinear_column(torch.from_numpy(some.T @ some / len(some)))
    if collinear is not None:
        raise CollinearColumnError(int(columns[collinear]))


def _search(
    state_of: Callable[..., State],
    grouping: Grouping,
    scales: Scales,
    start: float,
    follow: Callable[[float], None] | None,
    n_before: int = 0,
) -> tuple[Minimum, State]:
    """Minimise over the parameters of Λ, with `n_before` others of unit curvature before them."""
    own = zip(scales.each, grouping.factors, strict=False)
    units = [np.full(scale.n, (2 * one.n_levels) ** -0.5) for scale, one in own]
    diagonal = [np.isin(np.arange(scale.n), scale.on_diagonal) for scale in scales.each]
    signless = np.concatenate([np.zeros(n_before, dtype=bool), *diagonal])

    def function(at: Numbers) -> tuple[float, Numbers]:
        try:
            state = state_of(at)
        except np.linalg.LinAlgError:
            return math.inf, np.zeros(len(at))
        return state.value, state.slope

    def tell(at: Numbers) -> None:
        if follow is not None:
            follow(2 * state_of(at, slope=False).value)

    found = find_minimum(
        function,
        signless * start,
        signless=signless,
        units=np.concatenate([np.ones(n_before), *units]),
        follow=tell,
    )
    return found, state_of(found.x, slope=False)


def _fit_others(
    likelihood: LaplaceLikelihood,
    grouping: Grouping,
    scales: Scales,
    begin: Numbers,
    follow: Callable[[float], None] | None,
) -> _Read:
    """Search for β and Λ together, β in units in which its curvature is about 1."""
    theta = np.concatenate([np.isin(np.arange(s.n), s.on_diagonal) for s in scales.each])
    centre, covariance = likelihood.start(theta * _START_OTHERS, begin)
    root, n = np.linalg.cholesky(covariance), len(centre)

    def state_of(u: Numbers, *, slope: bool = True) -> State:
        state = likelihood.state(np.concatenate([centre + root @ u[:n], u[n:]]), slope=slope)
        return replace(state, slope=np.concatenate([root.T @ state.slope[:n], state.slope[n:]]))

    found, state = _search(state_of, grouping, scales, _START_OTHERS, follow, n)
    kept = np.ix_(found.free, found.free)
    inverse = np.zeros_like(found.curvature)
    inverse[kept] = np.linalg.pinv(found.curvature[kept], hermitian=True)
    spread = root @ inverse[:n, :n] @ root.T
    moves = likelihood.slopes_of_mode(state)
    whole = {
        (g, g): block + moves[g] @ spread @ moves[g].transpose(0, 2, 1)
        for (g, h), block in state.factor.inverse(fixed=False).items()
        if g == h != grouping.last
    }
    return _Read(state, found, {**whole, (grouping.last, grouping.last): spread[None]})


@dataclass(frozen=True)
class _Read:
    """A maximum, and the covariance of v and β there, the uncertainty of β counted."""

    state: State
    found: Minimum
    whole: Blocks

    def result(self, grouping: Grouping, units: list[Numbers], unit: Numbers) -> CrossedFit:
        """Return the fit, in units of the columns."""
        state, last, variance = self.state, grouping.last, self.state.residual_variance
        given = state.factor.inverse(fixed=False)
        sigma, effects, conditional, error = ([np.empty(0)] * last for _ in range(4))
        for place, g in enumerate(grouping.order):
            scale = units[g][:, None] * state.matrices[place]
            sigma[g] = variance * scale @ scale.T
            effects[g] = state.spherical[place] @ scale.T
            conditional[g] = variance * scale @ given[place, place] @ scale.T
            error[g] = variance * scale @ self.whole[place, place] @ scale.T
        return CrossedFit(
            fixed=state.fixed * unit,
            fixed_covariance=variance * self.whole[last, last][0] * np.outer(unit, unit),
            sigma=sigma,
            residual_variance=variance,
            effects=effects,
            effects_covariance=conditional,
            effects_error=error,
            log_likelihood=-state.value,
            n_parameters=0,
            converged=self.found.converged,
            gradient=self.found.gain,
        )
