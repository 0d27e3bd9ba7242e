"""Residuals of a person that remember: correlation ρ^Δt between rows Δt apart.

The continuous-time autoregressive process of order 1 (corCAR1 of nlme; Pinheiro & Bates 2000,
section 5.3). Between neighbouring rows φ_t = ρ^Δt, and

    (r_t − φ_t r_{t−1}) / √(1 − φ_t²),    the first row of a person as it is,

are independent with variance σ²: with rows of X, Z and y taken so, the model is one without
autocorrelation, and Σ_t log(1 − φ_t²) is added to −2 log L.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import norm

from nme_core.batches.sequences import Batch
from nme_core.training.sums import Array, Sums, sums_of_products

#: Relative difference between steps in time up to which they count as equal.
EQUAL = 1e-6
#: Different Δt up to which, and numbers up to which, sums are kept for each of them.
_FEW, _KEPT = 16, 2**25
#: Largest |ρ| between rows one usual step apart.
HIGHEST = 1 - 1e-6
#: Correlation over the shortest step below which there is none.
_NONE = 1e-9


class TiedTimesError(ValueError):
    """Two rows of a person have the same time; `group` is the person's number."""

    def __init__(self, group: int, time: float) -> None:
        super().__init__(f"Person number {group} has two rows at the time {time:g}.")
        self.group, self.time = group, time


@dataclass(frozen=True)
class TimedRows:
    """Rows in order of person and time.

    Attributes
    ----------
    rows : array, shape (n, p + 1)
        X and y.
    groups : array of int, shape (n,)
        Person of each row, 0 to P − 1.
    gaps : array, shape (n,)
        Δt from the person's row before, in units of `step`; inf at a person's first row.
    step : float
        The usual Δt: the median.
    n_groups : int
        P.
    """

    rows: Array
    groups: NDArray[np.int64]
    gaps: Array
    step: float
    n_groups: int

    @classmethod
    def of_batches(cls, batches: Sequence[Batch], times: Array, n_groups: int) -> Self:
        """Rows of batches, with a constant last, at `times`, which are by row of the table."""
        n_rows, n_inputs = len(times), batches[0].x.shape[2]
        x, y = np.ones((n_rows, n_inputs + 1)), np.empty(n_rows)
        groups: NDArray[np.int64] = np.empty(n_rows, dtype=np.int64)
        for batch in batches:
            places = batch.rows[batch.mask].cpu().numpy()
            x[places, :-1] = batch.x[batch.mask].cpu().numpy()
            y[places] = batch.y[batch.mask].cpu().numpy()
            own = batch.groups[:, :1].expand(batch.mask.shape)
            groups[places] = own[batch.mask].cpu().numpy()
        return cls.of(x, y, groups, times, n_groups)

    @classmethod
    def of(
        cls,
        x: Array,
        y: Array,
        groups: NDArray[np.int64],
        times: Array,
        n_groups: int | None = None,
    ) -> Self:
        """Sort rows x, shape (n, p), y, (n,), of persons `groups` by `times`, both (n,).

        Raises
        ------
        TiedTimesError
            If two rows of a person have the same time.
        """
        order = np.lexsort((times, groups))
        own, at = groups[order], times[order]
        gaps = np.full(len(own), np.inf)
        inner = np.flatnonzero(own[1:] == own[:-1]) + 1
        gaps[inner] = at[inner] - at[inner - 1]
        tied = inner[gaps[inner] <= 0]
        if len(tied):
            raise TiedTimesError(int(own[tied[0]]), float(at[tied[0]]))
        step = float(np.median(gaps[inner])) if len(inner) else 1.0
        return cls(
            np.column_stack([x, y]).astype(np.float64)[order],
            own,
            gaps / step,
            step,
            int(own.max()) + 1 if n_groups is None else n_groups,
        )

    @property
    def pairs(self) -> Array:
        """Δt between neighbouring rows, in steps."""
        return self.gaps[np.isfinite(self.gaps)]

    @property
    def equally_spaced(self) -> bool:
        """Whether every Δt is one step, so that ρ may be negative."""
        return len(self.pairs) > 0 and bool(np.abs(self.pairs - 1).max() < EQUAL)

    def log_determinant(self, correlation: Correlation) -> float:
        """Σ log(1 − φ²)."""
        share, _ = correlation.at(self.pairs)
        return float(np.log1p(-np.square(share)).sum())

    def sums(self, correlation: Correlation) -> Sums:
        """Sums of the whitened rows."""
        products = self._products(correlation)
        return Sums(
            torch.from_numpy(np.ascontiguousarray(products[:, :-1, :-1])),
            torch.from_numpy(np.ascontiguousarray(products[:, :-1, -1])),
            torch.tensor(float(products[:, -1, -1].sum()), dtype=torch.float64),
            len(self.groups),
        )

    def slope(self, correlation: Correlation) -> tuple[Array, float]:
        """Derivatives of the products (X, y)ᵀ(X, y) of every person, (P, p + 1, p + 1), and of
        `log_determinant`, by the parameter of the correlation.
        """
        share, by = correlation.at(self.pairs)
        log_determinant = float((-2 * share * by / (1 - np.square(share))).sum())
        return self._slopes(correlation), log_determinant

    @cached_property
    def _before(self) -> Array:
        """The row before each, whatever person it is of."""
        return np.concatenate([self.rows[:1], self.rows[:-1]])

    @cached_property
    def _lagged(self) -> tuple[Array, list[tuple[float, Array, Array, Array]]] | None:
        """Where there are few different Δt: sums over first rows, and for each Δt those of r rᵀ,
        r sᵀ + s rᵀ and s sᵀ, with s the row before r; so that another ρ costs nothing per row.
        """
        gaps = np.unique(self.pairs)
        numbers = 3 * len(gaps) * self.n_groups * self.rows.shape[1] ** 2
        if len(gaps) > _FEW or numbers > _KEPT:
            return None
        first = ~np.isfinite(self.gaps)
        found = []
        for gap in gaps:
            chosen = self.gaps == gap
            now, before, own = self.rows[chosen], self._before[chosen], self.groups[chosen]
            found.append(
                (
                    float(gap),
                    sums_of_products(now, own, self.n_groups),
                    sums_of_products(now, own, self.n_groups, before),
                    sums_of_products(before, own, self.n_groups),
                )
            )
        return sums_of_products(self.rows[first], self.groups[first], self.n_groups), found

    def _products(self, correlation: Correlation) -> Array:
        """Σ w wᵀ over the whitened rows w of every person."""
        if self._lagged is None:
            white = self._white(correlation)[0]
            return sums_of_products(white, self.groups, self.n_groups)
        total, parts = self._lagged[0].copy(), self._lagged[1]
        for gap, now, across, before in parts:
            share = float(correlation.at(np.array([gap]))[0][0])
            total += (now - share * across + share**2 * before) / (1 - share**2)
        return total

    def _slopes(self, correlation: Correlation) -> Array:
        """Derivative of `_products` by the parameter."""
        if self._lagged is None:
            white, slope = self._white(correlation)
            return sums_of_products(white, self.groups, self.n_groups, slope)
        total = np.zeros_like(self._lagged[0])
        for gap, now, across, before in self._lagged[1]:
            share, by = (float(part[0]) for part in correlation.at(np.array([gap])))
            rest = 1 - share**2
            inner = 2 * share * (now + before) - (1 + share**2) * across
            total += by * inner / rest**2
        return total

    def _white(self, correlation: Correlation) -> tuple[Array, Array]:
        """Whitened rows and their derivative by the parameter, (n, p + 1) each."""
        share, by = (part[:, None] for part in correlation.at(self.gaps))
        root = 1 / np.sqrt(1 - share * share)
        white = (self.rows - share * self._before) * root
        return white, by * root * (root * share * white - self._before)


@dataclass(frozen=True)
class Correlation:
    """ρ, by a parameter that has no bounds worth speaking of.

    Attributes
    ----------
    value : float
        ρ itself where `direct`; log of the rate κ else, φ = exp(−κ Δt), so that the likelihood is
        smooth whatever the steps are.
    direct : bool
        Whether all Δt are one step.
    """

    value: float
    direct: bool

    def at(self, gaps: Array) -> tuple[Array, Array]:
        """φ and its derivative by the parameter, at Δt in steps; 0 at inf."""
        apart = np.isfinite(gaps)
        if self.direct:
            return np.where(apart, self.value, 0.0), np.where(apart, 1.0, 0.0)
        rate = math.exp(self.value) * np.where(apart, gaps, 0.0)
        share = np.where(apart, np.exp(-rate), 0.0)
        return share, -rate * share

    @property
    def per_step(self) -> tuple[float, float]:
        """ρ over one step, and its derivative by the parameter."""
        share, slope = self.at(np.ones(1))
        return float(share[0]), float(slope[0])

    def per_unit(self, step: float) -> tuple[float, float]:
        """ρ for one unit of time where a step is so long, and its derivative by the parameter."""
        if not self.direct:
            rate = math.exp(self.value) / step
            return math.exp(-rate), -rate * math.exp(-rate)
        if self.value == 0:
            return 0.0, 1.0
        rho = math.copysign(abs(self.value) ** (1 / step), self.value)
        return rho, rho / (step * self.value)

    def interval(self, step: float, error: float) -> tuple[float, float]:
        """95 % interval of ρ for one unit, on Fisher's z or on the log of the rate.

        `error` is the standard error of the parameter.
        """
        half = float(norm.ppf(0.975)) * error
        if self.direct:
            half /= 1 - self.value**2
        ends = [self.moved(self.free + side * half).per_unit(step)[0] for side in (-1, 1)]
        return min(ends), max(ends)

    @property
    def free(self) -> float:
        """Fisher's z of ρ over one step, or the log of the rate: without bounds."""
        return math.atanh(self.value) if self.direct else self.value

    def moved(self, free: float) -> Correlation:
        """Undo `free`."""
        return Correlation(math.tanh(free) if self.direct else free, self.direct)

    @property
    def log_prior(self) -> float:
        """Log density of `free` where ρ over one step is even on its range."""
        if self.direct:
            return math.log1p(-(self.value**2))
        return self.value - math.exp(self.value)

    @staticmethod
    def range_of(rows: TimedRows) -> tuple[float, float]:
        """Lowest and highest value of the parameter."""
        if rows.equally_spaced:
            return -HIGHEST, HIGHEST
        shortest = float(rows.pairs.min())
        return math.log(-math.log(HIGHEST)), math.log(-math.log(_NONE) / shortest)


def next_expected(
    predicted: Array, previous: Array, previous_predicted: Array, rho: float, gap: Array
) -> Array:
    """E[y_t | y_{t−1}] = f_t + ρ^Δt (y_{t−1} − f_{t−1}).

    Parameters
    ----------
    predicted, previous_predicted : array, shape (n,)
        f_t and f_{t−1}: what the model expects without the row before.
    previous : array, shape (n,)
        y_{t−1}; NaN for a row without one before, which then stays as it is.
    rho : float
        ρ for one unit of time; a negative one takes steps of one unit alone.
    gap : array, shape (n,)
        Δt in units of time.
    """
    known = np.isfinite(previous) & np.isfinite(gap)
    share = np.zeros(len(predicted))
    share[known] = np.sign(rho) * np.abs(rho) ** gap[known]
    rest = np.where(known, previous - previous_predicted, 0.0)
    return np.asarray(predicted + share * rest)
