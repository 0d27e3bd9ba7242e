"""Marginal likelihood of a model with one random effect, by adaptive Gauss–Hermite quadrature.

    ∫ p(y_i | b) φ(b) db  ≈  Σ_k ω_k √2 τ_i exp(z_k²) p(y_i | b_ik) φ(b_ik)

with b_ik = b̂_i + √2 τ_i z_k; z, ω the points and weights of Hermite's polynomials, b̂_i the mode
and τ_i² the inverse curvature there (Pinheiro & Bates 1995; glmer with nAGQ > 1). The derivative is
that of the sum, whose points move with the parameters: of few points the derivative of the integral
is another, by which the search for the maximum of the sum would never arrive.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nme_core.training.marginal import Evaluation, LaplaceMarginal, Modes
from nme_core.training.person_rows import Rows


class QuadratureMarginal(LaplaceMarginal):
    """ℓ(u, Λ) by so many points; else as `LaplaceMarginal`.

    Parameters
    ----------
    *args
        As in `LaplaceMarginal`.
    points : int
        Points of each person, at least 2.
    """

    def __init__(self, *args: Any, points: int) -> None:
        super().__init__(*args)
        nodes, weights = np.polynomial.hermite.hermgauss(points)
        self._nodes = torch.from_numpy(nodes)
        self._log_weights = torch.from_numpy(np.log(weights)) + self._nodes.square()

    def __call__(self, u: Tensor, scale: Tensor) -> Evaluation:
        """Evaluate at u, (D,), and Λ, (1, 1)."""
        found = super().__call__(u, scale)  # leaves the modes, and how curved the rows are there
        value, slope_u = self.log_prior(u, scale), -self.ridge * u
        slope_scale = -self.weak * scale[0, 0]
        for place, block in self._blocks():
            modes = self._modes(block, u, scale, self._b[place])
            width = math.sqrt(2) / modes.lower[:, :, 0]  # √2 τ, (P, 1)
            at = modes.b + width * self._nodes  # (P, points)
            terms, gradients = [], []
            for b in at.unbind(1):
                weights = self._weights(u, scale, b.unsqueeze(1))
                terms.append(self._log_density(block, weights) - 0.5 * b.square())
                gradients.append(self._gradient(block, weights))
            logs = torch.stack(terms, 1) + self._log_weights + width.log()
            total = torch.logsumexp(logs, 1)
            value = value + (total - 0.5 * math.log(2 * math.pi)).sum()
            share = torch.exp(logs - total.unsqueeze(1))
            gradient = torch.stack(gradients, 1)  # (P, points, D)
            own = gradient[:, :, int(self.layout.random)]
            mode, log_width = self._moves(block, modes, scale)
            # how the points move with (u, λ), and what log p(y | b) − ½ b² gains by that
            moved = mode.unsqueeze(1) + (at - modes.b).unsqueeze(2) * log_width.unsqueeze(1)
            gained = share * (scale[0, 0] * own - at)
            slope = (gained.unsqueeze(2) * moved).sum((0, 1)) + log_width.sum(0)
            slope_u = slope_u + (share.unsqueeze(2) * gradient).sum((0, 1)) + slope[:-1]
            slope_scale = slope_scale + (share * own * at).sum() + slope[-1]
        return replace(found, value=float(value), shared=slope_u, scale=slope_scale.view(1, 1))

    def _moves(self, block: list[Rows], modes: Modes, scale: Tensor) -> tuple[Tensor, Tensor]:
        """∂b̂/∂(u, λ) and ∂ log τ/∂(u, λ) of each person, (P, D + 1)."""
        own = int(self.layout.random)
        inverse = scale[0, 0] / modes.lower[:, 0].square()  # λ/K, (P, 1)
        spread = (scale[0, 0] * inverse).unsqueeze(2)
        g, t, across, _ = self._all_terms(block, modes.seen, spread)
        across, h = across[:, :, 0], across[:, own]
        by_scale = g[:, own : own + 1] / modes.lower[:, 0].square() - inverse * h * modes.b
        mode = torch.cat([-inverse * across, by_scale], 1)
        bent = t[:, own : own + 1]  # ½ ∂ log K/∂η
        explicit = torch.cat([t, bent * modes.b + h * inverse], 1)
        return mode, -explicit - scale[0, 0] * bent * mode

    def _gradient(self, block: list[Rows], weights: Tensor) -> Tensor:
        """∂ log p/∂ψ of each person, (P, D)."""
        n, m, p = weights.shape
        g = weights.new_zeros(n, m * p)
        for rows in block:
            score = self._score(self._predict(rows, weights), rows)
            g.index_add_(0, rows.person, (score.transpose(1, 2) @ rows.x).flatten(1))
        return g[:, self._places]
