"""Mixed models with several grouping factors, nested or crossed, by maximum likelihood.

    h_j = X_j β + Σ_g Z_gj b_g,l(j),    b_g ~ N(0, Σ_g)

exact for numbers, by Laplace's approximation of the marginal likelihood for all other outcomes (β
is optimised with the determinant, as lme4's nAGQ = 1). See `crossed_gaussian` and
`crossed_laplace`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import torch
from numpy.typing import ArrayLike

from nme_core.training.crossed_gaussian import GaussianLikelihood
from nme_core.training.crossed_laplace import LaplaceLikelihood, RowLikelihood
from nme_core.training.crossed_reading import Reading
from nme_core.training.crossed_variances import CrossedVariances
from nme_core.training.grouping import Codes, Factor, Grouping, Numbers, Terms
from nme_core.training.linear_mixed import CollinearColumnError, NoResidualError, collinear_column
from nme_core.training.minimum import Minimum, find_minimum, with_differences
from nme_core.training.scales import Scale, Scales, State

#: Where the search for Λ starts: numbers, relative to σ, and others.
_START_NUMBERS, _START_OTHERS = 1.0, 0.5
#: A residual variance of less than this share of the outcome's is none: rounding.
_NO_RESIDUAL = 1e-9


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
    draws : tuple of array, shape (n, q), and list of arrays, shape (n, P_g, R_g)
        β and b_g less their estimates, drawn together.
    given : callable
        Takes other Σ_g and returns what `effects_covariance` and `effects_error` would be.
    variances : callable
        Finds out how certain Σ_g and σ² are, with two gradients for each number of theirs.
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
    draws: tuple[Numbers, list[Numbers]]
    given: Callable[[Sequence[Numbers]], tuple[list[Numbers], list[Numbers]]] = field(repr=False)
    variances: Callable[[], CrossedVariances] = field(repr=False)


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
    prior: Numbers | None = None,
    weak: float = 0.0,
    reml: bool = False,
    n_draws: int = 0,
    follow: Callable[[State], None] | None = None,
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
    prior : array, shape (q,), optional
        Precisions of normal priors of β with mean 0, where the rows leave it open; of numbers
        relative to σ². The log-likelihood of all others is without them.
    weak : float
        Precision of half-normal priors of all standard deviations; not of numbers.
    reml : bool
        Restricted likelihood; for numbers only.
    n_draws : int
        Draws of β and all effects, always the same.
    follow : callable, optional
        Called at each step.

    Raises
    ------
    CollinearColumnError
        If a column is a combination of others and has no prior.
    NoResidualError
        If numbers have no residual variance.
    """
    terms = [one if isinstance(one, Terms) else Terms.of(one) for one in random]
    every = Terms.of(range(x.shape[1])) if fixed is None else fixed
    codes = [np.asarray(one, dtype=np.int64) for one in factors]
    outcome = np.asarray(y)
    # The order of rows must not show, not even in how sums are rounded.
    order = np.lexsort((*x.T, outcome, *codes[::-1]))
    size = np.sqrt(np.square(x).mean(0))
    size[size == 0] = 1.0
    rows = x[order] / size
    known = np.zeros(len(every.columns)) if prior is None else prior
    _check_columns(rows, every.columns[known == 0])
    levels = [
        Factor(one[order], int(one.max()) + 1, rows[:, term.columns], term.directions)
        for one, term in zip(codes, terms, strict=True)
    ]
    alone = np.zeros(len(x), dtype=np.int64)
    grouping = Grouping.of(levels, Factor(alone, 1, rows[:, every.columns], every.directions))
    own = grouping.factors[:-1]
    scales = Scales(tuple(Scale.of(one.width, kind, pools) for one in own))
    unit = size[every.columns]
    ridge = known / unit**2
    numbers: GaussianLikelihood | None = None
    if family is None:
        numbers = GaussianLikelihood(
            grouping, scales, outcome[order].astype(np.float64), ridge, reml=reml
        )
        state_of, degrees = numbers.state, len(x) - (len(unit) if reml else 0)
        found, state = _search(state_of, grouping, scales, _START_NUMBERS, follow)
        if not state.residual_variance > _NO_RESIDUAL * float(np.var(outcome)):
            raise NoResidualError
        spread, added = state.factor.fixed_covariance(), 0.0
    else:
        narrow = [weak / np.square(size[terms[g].columns]) for g in grouping.order]
        classes = torch.from_numpy(outcome[order])
        others = LaplaceLikelihood(grouping, scales, family, classes, ridge, narrow)
        begin = np.zeros(len(unit)) if start is None else start * unit
        state_of, root, degrees = *_around(others, scales, begin), 0
        found, state = _search(state_of, grouping, scales, _START_OTHERS, follow, len(root))
        spread = _covariance_of_fixed(found, root)
        added = 0.5 * float(ridge @ state.fixed**2) + others.narrowed(state.matrices)
    units = [1 / size[term.columns] for term in terms]

    @cache
    def variances() -> CrossedVariances:
        lowest = found
        if numbers is not None:  # whose search took something like the curvature
            lowest = with_differences(found, numbers.value_and_slope, scales.rough_errors(grouping))
        return CrossedVariances.of(lowest, scales, grouping, units, state_of, degrees)

    if reml:  # which depends on the units of the columns
        added -= float(np.log(unit).sum())
    read = Reading(grouping, state, spread, units, 1 / unit)
    return CrossedFit(
        **read.estimates(),
        log_likelihood=added - state.value,
        n_parameters=len(every.columns) + scales.n + (family is None),
        converged=found.converged,
        gradient=found.gain,
        draws=read.draws(n_draws),
        given=read.given,
        variances=variances,
    )


def _check_columns(rows: Numbers, columns: Codes) -> None:
    """Refuse columns that others explain; each mean square is 1."""
    some = np.unique(columns)
    collinear = collinear_column(torch.from_numpy(rows[:, some].T @ rows[:, some] / len(rows)))
    if collinear is not None:
        raise CollinearColumnError(int(some[collinear]))


def _search(
    state_of: Callable[..., State],
    grouping: Grouping,
    scales: Scales,
    start: float,
    follow: Callable[[State], None] | None,
    n_before: int = 0,
) -> tuple[Minimum, State]:
    """Minimise over the parameters of Λ, with `n_before` others of unit curvature before them."""
    diagonal = [np.isin(np.arange(scale.n), scale.on_diagonal) for scale in scales.each]
    signless = np.concatenate([np.zeros(n_before, dtype=bool), *diagonal])
    latest: dict[bytes, State] = {}  # its curvature is asked for right after its value

    def seen(at: Numbers) -> State:
        key = at.tobytes()
        if key not in latest:
            state = state_of(at)
            latest.clear()
            latest[key] = state
        return latest[key]

    def function(at: Numbers) -> tuple[float, Numbers]:
        try:
            state = seen(at)
        except np.linalg.LinAlgError:
            return math.inf, np.zeros(len(at))
        return state.value, state.slope

    def curvature(at: Numbers) -> Numbers:
        found = seen(at).curvature
        assert found is not None  # asked for where there is one
        return found

    def tell(at: Numbers) -> None:
        if follow is not None:
            follow(seen(at))

    tell(signless * start)
    found = find_minimum(
        function,
        signless * start,
        signless=signless,
        units=np.concatenate([np.ones(n_before), scales.rough_errors(grouping)]),
        curvature=curvature if seen(signless * start).curvature is not None else None,
        follow=tell,
    )
    return found, state_of(found.x, slope=False)


def _around(
    likelihood: LaplaceLikelihood, scales: Scales, begin: Numbers
) -> tuple[Callable[..., State], Numbers]:
    """The state by β and Λ, β in units in which its curvature is about 1; and these units."""
    theta = np.concatenate([np.isin(np.arange(s.n), s.on_diagonal) for s in scales.each])
    centre, covariance = likelihood.start(theta * _START_OTHERS, begin)
    root: Numbers = np.linalg.cholesky(covariance).astype(np.float64)
    n = len(centre)

    def state_of(u: Numbers, *, slope: bool = True) -> State:
        state = likelihood.state(np.concatenate([centre + root @ u[:n], u[n:]]), slope=slope)
        return replace(state, slope=np.concatenate([root.T @ state.slope[:n], state.slope[n:]]))

    return state_of, root


def _covariance_of_fixed(found: Minimum, root: Numbers) -> Numbers:
    """That of β, from the curvature in β and Λ."""
    kept, n = np.ix_(found.free, found.free), len(root)
    inverse = np.zeros_like(found.curvature)
    inverse[kept] = np.linalg.pinv(found.curvature[kept], hermitian=True)
    return np.asarray(root @ inverse[:n, :n] @ root.T)
