"""How certain a linear mixed model is of Σ and σ², and what that does to all else.

From the observed information at the maximum, half the curvature of −2 log L by ω = (Ψ, log σ²) and
where there is one the residual autocorrelation, taken through Λ so that it holds where Σ is
singular, too: A = cov(ω). By the delta method

    se(Σ), se(σ²)      from ∂Σ/∂ω,
    df(cᵀβ)            = 2 (cᵀV c)² / (gᵀ A g),    g = ∂(cᵀV c)/∂ω,    V = σ² K,

df being those of Satterthwaite (1946). What it does to people's effects is integrated over
(`integrated_covariance`): near a variance of 0 the likelihood is no parabola.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from nme_core.training.linear_curvature import Curvature, Elements
from nme_core.training.linear_likelihood import Point
from nme_core.training.linear_search import FLAT, Maximum
from nme_core.training.sums import Array
from nme_core.training.variance_interval import at_boundary


@dataclass(frozen=True)
class Further:
    """A further parameter of the likelihood, at its maximum.

    Attributes
    ----------
    across : array, shape (q + 1,)
        ∂²(−2 log L) by it and by Λ's elements and log σ².
    curvature : float
        ∂²(−2 log L) by it.
    covariance : array, shape (p, p)
        ∂V by it.
    """

    across: Array
    curvature: float
    covariance: Array


@dataclass(frozen=True)
class VarianceInformation:
    """Covariance of the estimates of Ψ, log σ² and what further parameter there is.

    Attributes
    ----------
    point : Point
        The maximum.
    elements : Elements
        Of Λ.
    curvature : Curvature
        At the maximum.
    covariance : array, shape (q + 1, q + 1) or (q + 2, q + 2)
        A, q being the elements of Ψ.
    further : Further, optional
        The residual autocorrelation.
    """

    point: Point
    elements: Elements
    curvature: Curvature
    covariance: Array
    further: Further | None = None

    @classmethod
    def of(cls, found: Maximum, elements: Elements, further: Further | None = None) -> Self:
        """Take it at a maximum."""
        point, q = found.point, len(elements)
        curvature = found.curvature
        whole = curvature.by_factor(point, elements, point.variance)
        if further is not None:
            edge = further.across[:, None]
            whole = np.block([[whole, edge], [edge.T, np.full((1, 1), further.curvature)]])
        size = np.sqrt(np.abs(np.diag(whole)).clip(min=1e-300))
        values, vectors = np.linalg.eigh(whole / size / size[:, None])
        told = values > FLAT * values.max()
        root = vectors[:, told] / np.sqrt(values[told]) / size[:, None]
        root = np.concatenate([elements.jacobian(point.scale) @ root[:q], root[q:]])
        return cls(point, elements, curvature, 2 * root @ root.T, further)

    @property
    def _sigma(self) -> Array:
        scale = self.point.scale
        matrix: Array = self.point.variance * scale @ scale.T
        return matrix

    @property
    def sigma_se(self) -> Array:
        """Standard errors of Σ's elements, shape (R, R).

        NaN where Σ is at its boundary: of an effect whose variance is 0, and of all where effects
        are perfectly correlated; an interval by the profile of the likelihood holds there, too.
        """
        elements, sigma, variance = self.elements.of_psi, self._sigma, self.point.variance
        q = len(elements)
        slope = np.zeros((q, len(self.covariance)))
        slope[:, :q] = variance * np.eye(q)
        slope[:, q] = sigma[elements.row, elements.column]
        error = np.sqrt(np.einsum("ak,kl,al->a", slope, self.covariance, slope).clip(min=0))
        found = np.zeros_like(sigma)
        found[elements.row, elements.column] = found[elements.column, elements.row] = error
        outside = at_boundary(sigma)
        found[outside] = found[:, outside] = np.nan
        return found

    def variance_se(self, direction: Array) -> float:
        """Standard error of the variance of cᵀb, c of shape (R,); NaN where that is 0."""
        elements, sigma = self.elements.of_psi, self._sigma
        q = len(elements)
        total = float(direction @ sigma @ direction)
        if not total > 0 or at_boundary(sigma)[direction != 0].any():
            return float("nan")
        slope = np.zeros(len(self.covariance))
        own = direction[elements.row] * direction[elements.column]
        slope[:q] = self.point.variance * np.where(elements.on_diagonal, own, 2 * own)
        slope[q] = total
        square = float(slope @ self.covariance @ slope)
        return float(np.sqrt(square)) if square > 0 else float("nan")

    @property
    def residual_variance_se(self) -> float:
        """Standard error of σ²."""
        q = len(self.elements.of_psi)
        return float(self.point.variance * np.sqrt(self.covariance[q, q]))

    @property
    def further_se(self) -> float:
        """Standard error of the further parameter; NaN without one."""
        return float("nan") if self.further is None else float(np.sqrt(self.covariance[-1, -1]))

    def degrees_of_freedom(self, contrasts: Array) -> Array:
        """Satterthwaite's degrees of freedom of cᵀβ for each row of `contrasts`, (m, p) → (m,)."""
        variance, inverse = self.point.variance, self.point.inverse
        turned = contrasts @ inverse
        by_psi = np.einsum("mk,akl,ml->ma", turned, self.curvature.gram, turned, optimize=True)
        own = (turned * contrasts).sum(1)
        parts = [variance * by_psi, variance * own[:, None]]
        if self.further is not None:
            parts.append(
                np.einsum("mk,kl,ml->m", contrasts, self.further.covariance, contrasts)[:, None]
            )
        slope = np.concatenate(parts, axis=1)
        spread = np.einsum("mk,kl,ml->m", slope, self.covariance, slope, optimize=True)
        found: Array = 2 * np.square(variance * own) / spread
        return found
