"""Residuals that remember in a network: ρ is learned beside all else.

Where the network's output is not linear in its parameters there is no likelihood to profile. The
residuals r of a draw from the posterior enter the bound whitened (see `Gaussian`); ρ follows by
Fisher scoring, smoothed over steps as σ² and Σ are. With φ the correlation of a row and the one
before it,

    −2 log L = Σ_t (r_t − φ r_{t−1})²/(σ² (1 − φ²)) + log(1 − φ²),
    E ∂²(−2 log L)/∂φ² = 2 (1 + φ²)/(1 − φ²)².
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import chi2
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.training.linear_autocorrelation import AutocorrelatedFit, fit_autocorrelated
from nme_core.training.residual_process import EQUAL, HIGHEST, Correlation, TimedRows
from nme_core.training.sums import Array
from nme_core.training.weak_prior import collinear_columns, prior_precision

#: Share of a scoring step that is made at each look, and the longest step.
RATE, LONGEST = 0.2, 0.5
#: Least correlation over one of unequal steps at which a search begins, and the least over the
#: shortest one that counts as any.
START, LEAST = 0.1, 1e-3


class ResidualMemory:
    """Correlation ρ^Δt of the residuals of a person's rows.

    Attributes
    ----------
    step : float
        The usual Δt: the median.
    correlation : Correlation
        ρ, over steps.
    """

    def __init__(self, gaps: Tensor, linear: AutocorrelatedFit | None = None) -> None:
        """`gaps`, shape (n,): Δt between all neighbouring rows, at least one; `linear`: a linear
        model of the same rows, at whose ρ the search begins.
        """
        self.step = float(gaps.median())
        self._gaps = gaps
        steps = gaps.double().numpy() / self.step
        direct = bool(np.abs(steps - 1).max() < EQUAL)
        self._lowest = -HIGHEST if direct else math.log(-math.log(HIGHEST))
        self._highest = HIGHEST if direct else math.log(-math.log(LEAST) / float(steps.min()))
        value = 0.0 if linear is None else linear.rho_step
        if not direct:
            value = math.log(-math.log(min(max(value, START), HIGHEST)))
        self.correlation = Correlation(min(max(value, self._lowest), self._highest), direct)
        self._unknown_levels = 1.0  # by what the standard error grows for levels that are learned
        if linear is not None and math.isfinite(linear.rho_se) and self._error > 0:
            known = abs(self.correlation.per_unit(self.step)[1]) * self._error
            self._unknown_levels = max(1.0, linear.rho_se / known) if known else 1.0

    @classmethod
    def of(cls, batches: Sequence[Batch]) -> Self | None:
        """Learn the steps; None where no unit knows them, or has two rows."""
        known = [batch.gaps[batch.gaps.isfinite()] for batch in batches if batch.gaps is not None]
        gaps = torch.cat([torch.zeros(0), *(one.cpu() for one in known)])
        return cls(gaps, _linear(batches)) if len(gaps) else None

    def share(self, gaps: Tensor) -> Tensor:
        """φ of rows so far apart; 0 at inf."""
        return self._at(gaps)[0]

    def _at(self, gaps: Tensor) -> tuple[Tensor, Tensor]:
        """φ and its derivative by the parameter of the correlation."""
        share, slope = self.correlation.at(gaps.double().cpu().numpy() / self.step)
        return torch.from_numpy(share).to(gaps.device), torch.from_numpy(slope).to(gaps.device)

    def log_determinant(self, batches: Sequence[Batch]) -> float:
        """Σ log(1 − φ²)."""
        return sum(
            float(torch.log1p(-self.share(batch.gaps).square()).sum())
            for batch in batches
            if batch.gaps is not None
        )

    def follow(
        self, batches: Sequence[Batch], residuals: Sequence[Tensor], variance: float
    ) -> None:
        """Take one damped scoring step.

        Parameters
        ----------
        residuals : sequence of Tensor, shape (n_units, n_rows)
            Of one draw.
        variance : float
            σ².
        """
        score = information = 0.0
        for batch, rest in zip(batches, residuals, strict=True):
            assert batch.gaps is not None
            share, slope = self._at(batch.gaps[:, 1:])
            rest, left = rest.double(), 1 - share.square()
            before, new = rest[:, :-1], rest[:, 1:] - share * rest[:, :-1]
            by = 2 * (share * new.square() / left - before * new) / (left * variance)
            score += float((slope * (by - 2 * share / left)).sum())
            information += float((slope.square() * 2 * (1 + share.square()) / left.square()).sum())
        if information > 0:
            self._move(-RATE * score / information)

    def _move(self, change: float) -> None:
        """Change the parameter, that of equal steps on Fisher's z."""
        one = self.correlation
        if one.direct:
            change /= 1 - one.value**2
        moved = one.moved(one.free + min(max(change, -LONGEST), LONGEST)).value
        self.correlation = Correlation(min(max(moved, self._lowest), self._highest), one.direct)

    @property
    def rho(self) -> float:
        """ρ for one unit of time."""
        return self.correlation.per_unit(self.step)[0]

    @property
    def rho_se(self) -> float:
        """Its standard error; NaN where the rows say nothing of it."""
        return abs(self.correlation.per_unit(self.step)[1]) * self._error

    @property
    def rho_interval(self) -> tuple[float, float]:
        """95 % interval."""
        return self.correlation.interval(self.step, self._error)

    @property
    def p_independent(self) -> float:
        """Of Wald's test against ρ = 0, which is a boundary where ρ cannot be negative."""
        share, slope = self.correlation.per_step
        p = float(chi2.sf((share / (slope * self._error)) ** 2, 1)) if slope else 1.0
        return p if self.correlation.direct else 0.5 * p

    @property
    def _error(self) -> float:
        """Standard error of the parameter: (Σ φ̇² (1 + φ²)/(1 − φ²)²)^(−1/2), and what is lost."""
        share, slope = self._at(self._gaps)
        left = 1 - share.square()
        information = float((slope.square() * (1 + share.square()) / left.square()).sum())
        return self._unknown_levels * information**-0.5 if information > 0 else math.nan


def _linear(batches: Sequence[Batch]) -> AutocorrelatedFit | None:
    """A linear model with people's own intercepts; None where it cannot be fitted."""
    rows = [_table(batch) for batch in batches if batch.gaps is not None]
    x, y, units, times = (np.concatenate(part) for part in zip(*rows, strict=True))
    groups = np.unique(units, return_inverse=True)[1].astype(np.int64)
    try:
        timed = TimedRows.of(x, y, groups, times)
        prior = prior_precision(x.shape[1], collinear_columns(x.T @ x))
        with np.errstate(all="ignore"):  # rows without residuals have no ρ either
            return fit_autocorrelated(timed, [x.shape[1] - 1], "diagonal", prior=prior)
    except (ValueError, ArithmeticError, np.linalg.LinAlgError):
        return None


def _table(batch: Batch) -> tuple[Array, Array, NDArray[np.int64], Array]:
    """Inputs and 1, outcome, person and time since the first row of each unit; a unit is a person,
    or some rows in order of a person with very many.
    """
    assert batch.gaps is not None
    mask, gaps = batch.mask.cpu(), batch.gaps.cpu().double()
    x = batch.x.cpu()[mask].double().numpy()
    time = torch.where(gaps.isfinite(), gaps, 0.0).cumsum(1)[mask].numpy()
    unit = batch.rows.cpu()[:, :1].expand_as(mask)[mask].long().numpy()
    y = batch.y.cpu()[mask].double().numpy()
    return np.column_stack([x, np.ones(len(x))]), y, unit, time
