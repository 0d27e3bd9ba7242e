"""The likelihood of a fitted model, or the bound of it that was maximised, and what follows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import torch

from nme_core.batches.sequences import Batch
from nme_core.nn import Family, Poisson
from nme_core.training.covariance import RandomEffectsCovariance

#: How a log-likelihood was computed.
EXACT, LAPLACE, QUADRATURE, BOUND = "exact", "laplace", "quadrature", "bound"
METHODS = (EXACT, LAPLACE, QUADRATURE, BOUND)


@dataclass(frozen=True)
class Likelihood:
    """Log-likelihood of all rows, the random effects integrated out.

    Attributes
    ----------
    value : float
        log L at the maximum; of `BOUND` what it is at least, given Σ, σ² and the priors.
    n_parameters : int
        Free numbers of the model: fixed effects, Σ and σ²; 0 where they do not count (a bound).
    n_rows : int
        Rows with an outcome.
    method : {"exact", "laplace", "quadrature", "bound"}
        How the random effects were integrated out.
    """

    value: float
    n_parameters: int
    n_rows: int
    method: str

    @property
    def aic(self) -> float:
        """−2 log L + 2k (Akaike 1974); NaN for a bound."""
        return math.nan if self.method == BOUND else 2 * (self.n_parameters - self.value)

    @property
    def bic(self) -> float:
        """−2 log L + k log N (Schwarz 1978); NaN for a bound.

        N is the number of rows, as in R's ``BIC`` of lme4 and nlme; the number of persons would be
        as good a choice and penalises less.
        """
        if self.method == BOUND:
            return math.nan
        return self.n_parameters * math.log(self.n_rows) - 2 * self.value

    def in_units(self, sd: float) -> Likelihood:
        """The same of outcomes in units of which one is 1/sd of the present ones."""
        return replace(self, value=self.value - self.n_rows * math.log(sd))


@runtime_checkable
class HasLikelihood(Protocol):
    """A trained problem that knows its likelihood."""

    def likelihood(self, batches: Sequence[Batch]) -> Likelihood | None:
        """Return it, of these rows, all that it was trained on."""
        ...


def likelihood_of(problem: Any, batches: Sequence[Batch]) -> Likelihood | None:
    """Likelihood of a trained problem; None where the estimator maximises something else."""
    return problem.likelihood(batches) if isinstance(problem, HasLikelihood) else None


def n_observed(batches: Sequence[Batch]) -> int:
    """Rows with an outcome; those of a sequence whose state is missing are none."""
    if not torch.is_floating_point(batches[0].y):
        return sum(int(((batch.y >= 0) & batch.mask).sum()) for batch in batches)
    return sum(batch.n_rows for batch in batches)


def deviance_constant(family: Family, batches: Sequence[Batch]) -> float:
    """log p + ½ D of all rows: what the deviance leaves out, but for that of σ²."""
    if not isinstance(family, Poisson):
        return 0.0
    total = 0.0
    for batch in batches:
        y = batch.y[batch.mask].double()
        total += float(family.left_out(y).sum())
    return total


def n_variances(covariances: Sequence[RandomEffectsCovariance]) -> int:
    """Free numbers in the Σ of all grouping factors."""
    total = 0
    for covariance in covariances:
        size = len(covariance.variances)
        total += size * (size + 1) // 2 if covariance.kind == "full" else covariance.n_pools
    return total
