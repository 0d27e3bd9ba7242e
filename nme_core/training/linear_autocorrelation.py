"""Linear mixed model whose residuals remember: β, Σ, σ² and ρ together by maximum likelihood.

For a given ρ it is the model of `linear_mixed` with whitened rows (`residual_process`); ρ is where
the slope of the profiled likelihood is 0. By the envelope theorem that slope is the one at fixed β,
Σ and σ²: with S_i the whitened products (X, y)ᵀ(X, y) of person i and Ṡ_i their derivative,

    d(−2 log L)/dρ = Σ_i tr T_i Ṡ_i[z, z] + Σ_i c_iᵀ Ṡ_i c_i/σ² + d/dρ Σ_t log(1 − φ_t²)
             (REML: + tr K Σ_i F_iᵀ Ṡ_i[x, x] F_i),

T_i = Λ M_i⁻¹ Λᵀ, c_i = (−β − b̂_i, 1), F_i = I − T_i Z_iᵀX_i.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import chi2

from nme_core.training.linear_curvature import Elements, Structure
from nme_core.training.linear_information import Further, VarianceInformation
from nme_core.training.linear_likelihood import Cross, Point
from nme_core.training.linear_mixed import (
    LinearMixedFit,
    as_fit,
    falling,
    refuse_collinear,
    refuse_perfect,
    refuse_unidentified,
)
from nme_core.training.linear_profiles import Beyond, FixedLikelihood
from nme_core.training.linear_search import Maximum, maximise
from nme_core.training.residual_process import HIGHEST, Correlation, TimedRows
from nme_core.training.sums import Array

#: ρ over one step at which the likelihood is looked at first.
_LOOKS = (-0.8, -0.4, 0.0, 0.3, 0.6, 0.85, 0.97)
#: Step of the parameter of ρ, of numerical derivatives of exact slopes.
#: Moves of a parabola at most, and the least distance of its points.
_MOVES, _LEAST_STEP = 20, 1e-3
_APART = 1e-4


@dataclass(frozen=True)
class AutocorrelatedFit:
    """Maximum-likelihood fit with residual autocorrelation.

    Attributes
    ----------
    fit : LinearMixedFit
        All else; its standard errors count ρ.
    rho : float
        ρ for one unit of time. A negative one, which takes equal steps, is −|ρ_step|^(1/step).
    rho_se : float
        Its standard error; NaN where ρ is 0 or 1 (nearly).
    rho_interval : tuple of float
        95 % interval; NaN likewise.
    step : float
        The usual Δt, in units of time.
    rho_step : float
        ρ over one step.
    log_likelihood_independent : float
        At ρ = 0.
    p_independent : float
        Of the likelihood-ratio test against it; where ρ cannot be negative 0 is a boundary, and the
        reference ½ χ²₀ + ½ χ²₁.
    rows : TimedRows
        What was fitted.
    correlation : Correlation
        ρ as the search has it.
    """

    fit: LinearMixedFit
    rho: float
    rho_se: float
    rho_interval: tuple[float, float]
    step: float
    rho_step: float
    log_likelihood_independent: float
    p_independent: float
    rows: TimedRows
    correlation: Correlation


def fit_autocorrelated(
    rows: TimedRows,
    random: list[int],
    kind: Structure,
    *,
    reml: bool = False,
    prior: Array | None = None,
    follow: Callable[[float, float, float], None] | None = None,
) -> AutocorrelatedFit:
    """Maximise the likelihood over ρ as well; arguments and errors of `fit_linear_mixed_model`.

    Raises
    ------
    ValueError
        If no person has two rows.
    """
    if not len(rows.pairs):
        raise ValueError("No person has two rows, which an autocorrelation takes.")
    search = _Search(rows, random, kind, reml, prior, follow)
    refuse_collinear(rows.sums(_INDEPENDENT), prior)
    refuse_unidentified(search.cross(_INDEPENDENT), search.elements)
    alone = search.at(_INDEPENDENT)
    refuse_perfect(alone.found)
    best = search.best(alone)
    refuse_perfect(best.found)
    ratio = max(alone.deviance - best.deviance, 0.0)
    p = float(chi2.sf(ratio, 1)) * (1.0 if rows.equally_spaced else 0.5)
    rho, se, interval = float("nan"), float("nan"), (float("nan"), float("nan"))
    further, slope = None, 0.0
    rho_step, _ = best.correlation.per_step
    inside = best is not alone and abs(rho_step) < HIGHEST - 1e-9
    if inside:
        further = search.further(best)
    information = VarianceInformation.of(best.found, search.elements, further)
    rho, slope = best.correlation.per_unit(rows.step)
    if inside and math.isfinite(information.further_se):
        se = abs(slope) * information.further_se
        interval = best.correlation.interval(rows.step, information.further_se)
    fit = as_fit(best.found, search.elements)
    return AutocorrelatedFit(
        fit=fit.plus(-0.5 * best.log_determinant, information),
        rho=rho,
        rho_se=se,
        rho_interval=interval,
        step=rows.step,
        rho_step=rho_step,
        log_likelihood_independent=-0.5 * alone.deviance,
        p_independent=p,
        rows=rows,
        correlation=best.correlation,
    )


_INDEPENDENT = Correlation(0.0, True)


@dataclass(frozen=True)
class _At:
    """The maximum at one ρ."""

    correlation: Correlation
    found: Maximum
    log_determinant: float

    @property
    def deviance(self) -> float:
        return self.found.point.deviance + self.log_determinant


class _Search:
    """The profiled likelihood of ρ."""

    def __init__(
        self,
        rows: TimedRows,
        random: list[int],
        kind: Structure,
        reml: bool,
        prior: Array | None,
        follow: Callable[[float, float, float], None] | None,
    ) -> None:
        self.rows, self.random, self.reml, self.prior = rows, random, reml, prior
        self.elements = Elements.of(len(random), kind)
        self._report = None if follow is None else falling(follow)
        self._near: Array | None = None

    def cross(self, correlation: Correlation) -> Cross:
        """Sums at one ρ."""
        sums = self.rows.sums(correlation)
        return Cross.of(sums, self.random, reml=self.reml, prior=self.prior)

    def at(self, correlation: Correlation) -> _At:
        """Maximise all but ρ."""
        found = maximise(self.cross(correlation), self.elements, self._near, self._report)
        self._near = found.point.scale
        return _At(correlation, found, self.rows.log_determinant(correlation))

    def best(self, alone: _At) -> _At:
        """Find the maximum over ρ; `alone`, that at ρ = 0, where there is none above it."""
        direct = self.rows.equally_spaced
        low, high = Correlation.range_of(self.rows)
        if direct:
            values = [low, *_LOOKS, high]
        else:
            looks = [math.log(-math.log(rho)) for rho in _LOOKS if rho > 0]
            inner = [value for value in looks if low < value < high]
            values = [low, *reversed(inner)]
            values += np.linspace(max([*inner, low]), high, 5)[1:].tolist()
        tried = [self.at(Correlation(value, direct)) for value in values[1:-1]]
        tried = [self.at(Correlation(values[0], direct)), *tried]
        tried.append(self.at(Correlation(values[-1], direct)))
        place = int(np.argmin([one.deviance for one in tried]))
        ends = values[max(place - 1, 0)], values[min(place + 1, len(values) - 1)]
        found = self.at(Correlation(self._root(*ends), direct))
        best = min(found, tried[place], key=lambda one: one.deviance)
        return alone if alone.deviance <= best.deviance + 1e-9 else best

    def _root(self, low: float, high: float) -> float:
        """Where the slope by the parameter is 0 between two values, or the lower end."""
        direct = self.rows.equally_spaced

        def slope(value: float) -> float:
            one = self.at(Correlation(value, direct))
            return self.slope(one.found.point, one.correlation, one.found.point.variance)

        left, right = slope(low), slope(high)
        if left < 0 < right:
            return float(brentq(slope, low, high, xtol=1e-12, rtol=1e-14))
        found = minimize_scalar(
            lambda value: self.at(Correlation(value, direct)).deviance,
            bounds=(low, high),
            method="bounded",
            options={"xatol": 1e-9},
        )
        return float(found.x)

    def slope(self, point: Point, correlation: Correlation, variance: float) -> float:
        """Derivative of −2 log L by the parameter of ρ, all else fixed."""
        products, log_determinant = self.rows.slope(correlation)
        relative, random, p = point.scale @ point.scale.T, self.random, len(point.fixed)
        coefficients = np.tile(np.append(-point.fixed, 1.0), (len(products), 1))
        coefficients[:, random] -= (relative @ point.scores).T
        total = log_determinant + float(
            np.einsum("ik,ikl,il->", coefficients, products, coefficients, optimize=True) / variance
        )
        zz, zd = point.cross.zz.transpose(2, 0, 1), point.cross.zd.transpose(2, 0, 1)
        inner = point.scale.T @ zz @ point.scale + np.eye(point.scale.shape[1])
        spread = point.scale @ np.linalg.solve(inner, point.scale.T)  # T_i
        total += float((spread * products[:, random][:, :, random]).sum())
        if self.reml:
            left = np.tile(np.eye(p), (len(products), 1, 1))
            left[:, random] -= spread @ zd[:, :, :p]
            left = left @ np.linalg.cholesky(point.inverse)
            total += float((left * (products[:, :p, :p] @ left)).sum())
        return total

    def further(self, best: _At) -> Further:
        """What the likelihood says of ρ beside all else, from exact slopes on both sides."""
        scale, variance = best.found.point.scale, best.found.point.variance
        elements = self.elements

        def beside(side: float) -> tuple[Array, float, Array]:
            value = best.correlation.value + side * _APART
            correlation = Correlation(value, best.correlation.direct)
            point = self.cross(correlation).at(scale)
            by = elements.of_factor(point.slope_at(variance), scale)
            return (
                np.append(by, point.cross.degrees - point.rest / variance),
                self.slope(point, correlation, variance),
                variance * point.inverse,
            )

        low, high, width = beside(-1), beside(1), 2 * _APART
        return Further(
            across=(high[0] - low[0]) / width,
            curvature=(high[1] - low[1]) / width,
            covariance=(high[2] - low[2]) / width,
        )


class _Valley:
    """The lowest value of a smooth function of one number, near where the last one had its own.

    A parabola through three points, moved until its vertex lies between them; what it costs is
    four values where Brent's method from scratch takes fifteen.
    """

    def __init__(self, ends: tuple[float, float], centre: float) -> None:
        self._low, self._high = ends
        self._step = (self._high - self._low) / 20
        self._centre = centre

    def __call__(self, function: Callable[[float, bool], float], enough: float) -> float:
        """`function` is told whether it counts: the first time, and at the vertex.

        A value below `enough` will do.
        """
        known: dict[float, float] = {}

        def at(x: float) -> float:
            if x not in known:
                known[x] = function(x, not known)
            return known[x]

        for _ in range(_MOVES):
            step = self._step
            middle = min(max(self._centre, self._low + step), self._high - step)
            if at(middle) < enough:
                break
            here, left, right = at(middle), at(middle - step), at(middle + step)
            bend, tilt = left + right - 2 * here, left - right
            apart = 0.5 * step * tilt / bend if bend > 0 else math.copysign(4 * step, tilt)
            apart = min(max(apart, -4 * step), 4 * step)
            self._centre = min(max(middle + apart, self._low), self._high)
            if bend > 0:
                # where −2 log L rises by a quarter: half a standard error
                wide = 0.5 * step * math.sqrt(2 / bend)
                self._step = min(max(wide, _LEAST_STEP), (self._high - self._low) / 4)
                if abs(apart) <= 0.5 * step:
                    known[self._centre] = function(self._centre, True)
                    break
        return min(known.values())


def beyond_autocorrelation(fit: AutocorrelatedFit, random: list[int]) -> Beyond:
    """What makes of a likelihood at one ρ, with something fixed, the highest over every ρ.

    Parameters
    ----------
    fit : AutocorrelatedFit
        The maximum.
    random : list of int
        Columns with a random effect, as it was fitted.
    """
    cross, rows = fit.fit.information.point.cross, fit.rows
    direct = rows.equally_spaced
    centre = fit.rho_step if direct else math.log(-math.log(max(fit.rho_step, 1e-300)))
    least, most = Correlation.range_of(rows)
    centre = min(max(centre, least), most)  # a correlation of next to 0 lies beyond
    reach = 0.5 if direct else 2.0
    ends = (max(least, centre - reach), min(most, centre + reach))

    def highest(fixed: FixedLikelihood) -> Callable[..., float]:
        def deviance(value: float, enough: float | None, parameter: float, first: bool) -> float:
            correlation = Correlation(parameter, direct)
            sums = rows.sums(correlation)
            fixed.use(Cross.of(sums, random, reml=cross.reml, prior=cross.prior))
            constant = rows.log_determinant(correlation)
            asked = None if enough is None else enough + constant / 2
            return constant - 2 * fixed.log_likelihood(value, asked, anew=first)

        lowest_of = _Valley(ends, centre)

        def above(value: float, enough: float | None = None) -> float:
            low = -math.inf if enough is None else -2 * enough
            return -0.5 * lowest_of(partial(deviance, value, enough), low)

        return above

    return Beyond(highest, fit.fit.log_likelihood)
