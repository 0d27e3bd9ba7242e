"""Mixed models with several grouping factors, nested or crossed, by maximum likelihood.

    h_j = X_j β + Σ_g Z_gj b_g,l(j),    b_g ~ N(0, Σ_g)

exact for numbers, by Laplace's approximation of the marginal likelihood for all other outcomes (β
is optimised with the determinant, as lme4's nAGQ = 1). See `crossed_likelihood`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike

from nme_core.training.block_cholesky import Blocks
from nme_core.training.crossed_likelihood import (
    GaussianLikelihood,
    LaplaceLikelihood,
    RowLikelihood,
    Scale,
    Scales,
    State,
)
from nme_core.training.grouping import Codes, Factor, Grouping, Numbers, Terms
from nme_core.training.maximise import Minimum, find_minimum

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
    FactorError
        If a factor cannot have effects of its own.
    CollinearColumnError
        If a column is a combination of others.
    """
    every = fixed if fixed is not None else Terms.of(range(x.shape[1]))
    terms = [one if isinstance(one, Terms) else Terms.of(one) for one in random]
    codes = [np.asarray(one, dtype=np.int64) for one in factors]
    outcome = np.asarray(y)
    # The order of rows must not show, not even in how sums are rounded.
    order = np.lexsort((*x.T, outcome, *codes[::-1]))
    x, outcome, codes = x[order], outcome[order], [one[order] for one in codes]
    size = np.sqrt(np.square(x).mean(0))
    scaled = x / size
    sizes = [int(one.max()) + 1 for one in codes]
    parts = [
        Factor(one, n, scaled[:, term.columns], term.directions)
        for one, n, term in zip(codes, sizes, terms, strict=True)
    ]
    shared = np.zeros(len(x), dtype=np.int64)
    grouping = Grouping.of(parts, Factor(shared, 1, scaled[:, every.columns], every.directions))
    scales = Scales(tuple(Scale.of(grouping.factors[g].width, kind, pools) for g in range(grouping.last)))
    units = np.concatenate(
        [
            np.full(scale.n, (2 * one.n_levels) ** -0.5)
            for scale, one in zip(scales.each, grouping.factors, strict=False)
        ]
    )
    bounded = np.concatenate([np.isin(np.arange(s.n), s.on_diagonal) for s in scales.each])
    if family is None:
        gaussian = GaussianLikelihood(grouping, scales, outcome.astype(np.float64), reml=reml)
        found, state = _search(gaussian.state, bounded * _START_NUMBERS, bounded, units, follow)
        covariance, slopes = None, None
    else:
        laplace = LaplaceLikelihood(grouping, scales, family, torch.from_numpy(outcome))
        theta = bounded * _START_OTHERS
        begin = np.zeros(len(every.columns)) if start is None else start * size[every.columns]
        beta, covariance = laplace.start(theta, begin)
        root = np.linalg.cholesky(covariance)
        n = len(beta)

        def state_of(u: Numbers, *, slope: bool = True) -> State:
            one = laplace.state(np.concatenate([beta + root @ u[:n], u[n:]]), slope=slope)
            own = np.concatenate([root.T @ one.slope[:n], one.slope[n:]])
            return State(**{**vars(one), "slope": own})

        found, state = _search(
            state_of,
            np.concatenate([np.zeros(n), theta]),
            np.concatenate([np.zeros(n, dtype=bool), bounded]),
            np.concatenate([np.ones(n), units]),
            follow,
        )
        free = found.free
        inverse = np.zeros_like(found.curvature)
        inverse[np.ix_(free, free)] = np.linalg.pinv(found.curvature[np.ix_(free, free)], hermitian=True)
        covariance = root @ inverse[:n, :n] @ root.T
        slopes = laplace.slopes_of_mode(state)
    return _result(grouping, state, found, covariance, slopes, size, terms, every, reml)


def _search(state_of, start, bounded, units, follow):
    def function(at):
        try:
            one = state_of(at)
        except np.linalg.LinAlgError:
            return np.inf, np.zeros(len(at))
        return one.value, one.slope

    def told(at):
        if follow is not None:
            follow(2 * state_of(at, slope=False).value)

    found = find_minimum(function, start, bounded=bounded, units=units, follow=told if follow else None)
    return found, state_of(found.x, slope=False)


def _result(grouping, state, found, covariance, slopes, size, terms, every, reml):
    last, variance = grouping.last, state.residual_variance
    given = state.factor.inverse(fixed=False)
    sigma, effects, conditional, error = {}, {}, {}, {}
    if covariance is None:
        whole = state.factor.inverse(fixed=True)
        covariance = variance * whole[last, last][0]
    for place, g in enumerate(grouping.order):
        m, scale = state.matrices[place], 1 / size[terms[g].columns]
        around = np.outer(scale, scale)
        sigma[g] = variance * m @ m.T * around
        effects[g] = state.spherical[place] @ m.T * scale
        conditional[g] = variance * (m @ given[place, place] @ m.T) * around
        if slopes is None:
            error[g] = variance * (m @ whole[place, place] @ m.T) * around
        else:
            moved = slopes[place] @ covariance @ slopes[place].transpose(0, 2, 1)
            error[g] = conditional[g] + moved * around
    scale = 1 / size[every.columns]
    factors = range(last)
    return CrossedFit(
        fixed=state.fixed * scale,
        fixed_covariance=covariance * np.outer(scale, scale),
        sigma=[sigma[g] for g in factors],
        residual_variance=variance,
        effects=[effects[g] for g in factors],
        effects_covariance=[conditional[g] for g in factors],
        effects_error=[error[g] for g in factors],
        log_likelihood=-state.value,
        n_parameters=0,
        converged=found.converged,
        gradient=found.gain,
    )
