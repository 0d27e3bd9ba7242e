"""Power of the test of one effect as it follows from theory, in a linear model of a number.

The estimate of a person is the truth and noise of variance τ²(1 − λ)/λ, with λ its reliability. A
covariate z of SD 1 that moves the truth by D τ has with the estimate the correlation

    ρ = D / √(D² + 1/λ)

Spearman's is 6/π arcsin(ρ/2) where both are normal, with variance (1 + ρ_s²/2)/(P − 3) on Fisher's
scale (Bonett & Wright 2000); of two groups Student's t has the noncentrality D √(λ P).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import nct, norm, t

from nme_core.estimators import NMEMLPRegressor
from nme_core.runs.research.generating import People, sigma_of

#: People whose features the reliability is averaged over.
_PEOPLE = 50


def reliability_of(people: People, matrix: NDArray[np.float64], n_rows: int) -> float:
    """Mean reliability of one read-out of people with so many rows; NaN where theory has none."""
    model = people.model
    number = isinstance(model, NMEMLPRegressor) and not model.is_count
    if not number or people.remembers or len(matrix) != 1:
        return float("nan")
    posterior, row = model._posterior, matrix[0]
    mixed, sigma = posterior.mixed, sigma_of(model)
    features = people.features(_PEOPLE, n_rows, np.random.default_rng(0))
    flat = features.reshape(-1, features.shape[-1])
    scaled = model._encoder.scaler.transform([flat[:, k] for k in range(flat.shape[1])])
    x = torch.from_numpy(scaled).reshape(_PEOPLE, n_rows, -1).to(mixed.deviations.dtype)
    zero = mixed.deviations.new_zeros(_PEOPLE, mixed.n_random)
    designs = mixed.jacobian(x, zero)[:, :, 0].double().numpy()
    known = []
    for design in designs:
        noise = design @ sigma @ design.T + posterior.residual_variance * np.eye(n_rows)
        gain = np.linalg.solve(noise, design @ sigma @ row)
        known.append(float(row @ sigma @ design.T @ gain / (row @ sigma @ row)))
    return float(np.mean(known))


def single_power(effect: float, n: int, reliability: float, *, group: bool, alpha: float) -> float:
    """Power of the two-sided test of one effect, by Spearman's ρ or of two groups."""
    critical = float(t.ppf(1 - alpha / 2, n - 2))
    if group:
        away = effect * np.sqrt(reliability * n)
        return float(nct.sf(critical, n - 2, away) + nct.cdf(-critical, n - 2, away))
    rho = effect / np.sqrt(effect**2 + 1 / reliability)
    ranks = 6 / np.pi * np.arcsin(rho / 2)
    edge = np.arctanh(critical / np.sqrt(n - 2 + critical**2))
    spread = np.sqrt((1 + ranks**2 / 2) / (n - 3))
    away = np.arctanh(ranks)
    return float(norm.sf((edge - away) / spread) + norm.cdf((-edge - away) / spread))
