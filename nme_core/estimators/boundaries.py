"""Warnings of a fitted model whose Σ lies at the boundary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nme_core.estimators.posterior import Posterior
from nme_core.training import Boundary, approached_boundary, exact_boundary, warn_of


def warn_of_boundary(
    posterior: Posterior, names: Sequence[str], *, exact: bool, unique: Sequence[bool]
) -> None:
    """Say which variances between persons, or combinations, are estimated as 0.

    Of several grouping factors, and where the posterior is diagonal or a point, nothing is said.

    Parameters
    ----------
    posterior : Posterior
        Of a training that has converged.
    names : sequence of str
        Of the random effects.
    exact : bool
        Whether Σ is at its maximum to full precision.
    unique : sequence of bool
        Which random effects have a meaning of their own. The units of a hidden layer do not: that
        persons do not differ in the weights of one of them says nothing.
    """
    spread, mixed = posterior.covariance, posterior.mixed
    if spread is None or spread.dim() == 2 or not mixed.n_random or len(mixed.sizes) > 1:
        return
    sigma = posterior.sigma[0]
    found = (
        exact_boundary(sigma)
        if exact
        else approached_boundary(mixed.deviations.detach(), spread, sigma)
    )
    warn_of(_meaningful(found, unique), names, stacklevel=2)


def _meaningful(found: Boundary, unique: Sequence[bool]) -> Boundary:
    own = tuple(k for k in found.at_zero if unique[k])
    combined = tuple(group for group in found.combined if all(unique[k] for k in group))
    return replace(found, at_zero=own, combined=combined)
