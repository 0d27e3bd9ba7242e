"""What is read off a maximum of the likelihood with several grouping factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nme_core.training.block_cholesky import BlockCholesky
from nme_core.training.grouping import Grouping, Numbers
from nme_core.training.scales import State, normal_equations


@dataclass(frozen=True)
class Reading:
    """What is read off a maximum.

    Attributes
    ----------
    spread : array, shape (q, q)
        Covariance of β, relative to σ².
    units, unit : arrays, shapes (R_g,) of each factor, and (q,)
        By which effects are multiplied to be those of the columns as they were given.
    """

    grouping: Grouping
    state: State
    spread: Numbers
    units: list[Numbers]
    unit: Numbers

    def estimates(self) -> dict[str, Any]:
        """Return attributes of a `CrossedFit`; lists in the order of the caller."""
        state, variance = self.state, self.state.residual_variance
        scales = self._scales(state.matrices)
        sigma = [variance * scale @ scale.T for scale in scales]
        effects = [np.empty(0)] * len(scales)
        for place, g in enumerate(self.grouping.order):
            effects[g] = state.spherical[place] @ scales[g].T
        conditional, error = self._covariances(state)
        return {
            "fixed": state.fixed * self.unit,
            "fixed_covariance": variance * self.spread * np.outer(self.unit, self.unit),
            "sigma": sigma,
            "residual_variance": variance,
            "effects": effects,
            "effects_covariance": conditional,
            "effects_error": error,
        }

    def given(self, sigma: Sequence[Numbers]) -> tuple[list[Numbers], list[Numbers]]:
        """Conditional covariances and errors of the effects if these were Σ_g."""
        state, last = self.state, self.grouping.last
        matrices = []
        for g in self.grouping.order:
            relative = sigma[g] / np.outer(self.units[g], self.units[g]) / state.residual_variance
            values, vectors = np.linalg.eigh(relative)
            matrices.append(vectors * np.sqrt(values.clip(0)))
        factor = BlockCholesky(self.grouping, normal_equations(state.products, matrices, last))
        return self._covariances(replace(state, matrices=matrices, factor=factor))

    def _scales(self, matrices: Sequence[Numbers]) -> list[Numbers]:
        """Λ_g in units of the columns, in the order of the caller."""
        places = np.argsort(self.grouping.order)
        pairs = zip(self.units, places, strict=True)
        return [unit[:, None] * matrices[place] for unit, place in pairs]

    def _covariances(self, state: State) -> tuple[list[Numbers], list[Numbers]]:
        given, moves = state.factor.inverse(fixed=False), state.slopes_of_mode(self.grouping)
        scales, variance = self._scales(state.matrices), state.residual_variance
        conditional, error = [np.empty(0)] * len(scales), [np.empty(0)] * len(scales)
        for place, g in enumerate(self.grouping.order):
            counted = moves[place] @ self.spread @ moves[place].transpose(0, 2, 1)
            own, scale = given[place, place], scales[g]
            conditional[g] = variance * scale @ own @ scale.T
            error[g] = variance * scale @ (own + counted) @ scale.T
        return conditional, error

    def draws(self, n: int) -> tuple[Numbers, list[Numbers]]:
        """β ~ N(β̂, V) and v | β ~ N(v̂ + ∂v/∂β (β − β̂), A⁻¹), less their means."""
        rng, state = np.random.default_rng(0), self.state
        if not n:
            return np.zeros((0, len(self.unit))), []
        deviation = state.residual_variance**0.5
        values, vectors = np.linalg.eigh(self.spread)
        root = vectors * np.sqrt(values.clip(0))
        shared = deviation * rng.standard_normal((n, len(self.unit))) @ root.T
        sizes = {
            g: (self.grouping.factors[place].n_levels, self.grouping.factors[place].width)
            for place, g in enumerate(self.grouping.order)
        }
        noise = {g: rng.standard_normal((*sizes[g], n)) for g in sorted(sizes)}
        ordered = [noise[g] for g in self.grouping.order]
        moved = state.factor.spread([*ordered, np.zeros((1, len(self.unit), n))])
        moves = state.slopes_of_mode(self.grouping)
        result, scales = [np.empty(0)] * len(sizes), self._scales(state.matrices)
        for place, g in enumerate(self.grouping.order):
            drawn = deviation * moved[place] + moves[place] @ shared.T  # (P, R, n)
            result[g] = (scales[g] @ drawn).transpose(2, 0, 1)
        return shared * self.unit, result
