"""Warnings of a fitted model whose Σ lies at the boundary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nme_core.estimators.posterior import Posterior
from nme_core.training import Boundary, approached_boundary, exact_boundary, warn_of
from nme_core.training.boundary import warn_of_runaway


def warn_of_boundary(
    posterior: Posterior,
    names: Sequence[str],
    *,
    exact: bool,
    ran_away: Sequence[Sequence[int]],
    unique: Sequence[bool],
    factors: Sequence[str],
) -> None:
    """Say which variances between persons, or combinations, are estimated as 0, and which ran away.

    Where the estimate is not exact, nothing is said of several grouping factors, of a posterior
    that is diagonal, and of a point.

    Parameters
    ----------
    posterior : Posterior
        Of a training that has converged.
    names : sequence of str
        Of the random effects.
    exact : bool
        Whether Σ is at its maximum to full precision.
    ran_away : sequence of sequence of int
        Random effects whose variance did, by factor.
    unique : sequence of bool
        Which random effects have a meaning of their own. The units of a hidden layer do not: that
        persons do not differ in the weights of one of them says nothing.
    factors : sequence of str
        Names of the grouping factors, persons first.
    """
    spread, mixed = posterior.covariance, posterior.mixed
    if not mixed.n_random:
        return
    if exact:
        groups = ["people", *(f"groups of {name}" for name in factors[1:])]
        for sigma, far, between in zip(posterior.sigma, ran_away, groups, strict=True):
            found = _meaningful(exact_boundary(sigma), unique)
            warn_of(found, names, between=between, stacklevel=2)
            warn_of_runaway(far, names, between=between, stacklevel=2)
    elif spread is not None and spread.dim() == 3 and len(mixed.sizes) == 1:
        found = approached_boundary(mixed.deviations.detach(), spread, posterior.sigma[0])
        warn_of(_meaningful(found, unique), names, stacklevel=2)


def _meaningful(found: Boundary, unique: Sequence[bool]) -> Boundary:
    own = tuple(k for k in found.at_zero if unique[k])
    combined = tuple(group for group in found.combined if all(unique[k] for k in group))
    return replace(found, at_zero=own, combined=combined)
