"""Variances of the priors on inputs' coefficients, learned from the rows: for prediction.

    β_k ~ N(0, τ_k²),    τ_k² ← Σ β_k² / γ_k,    γ_k = Σ (1 − V_kk/τ_k²)

the sums over the coefficients of an input, V the covariance of β given the rows and the priors, and
γ_k how many of them the rows determine: the fixed point is where the likelihood in which β, too, is
integrated out is highest (MacKay 1992, doi 10.1162/neco.1992.4.3.415). An input that says nothing
gets a variance near 0 and leaves the predictions alone; what remains is pulled towards 0, so that
the coefficients are not unbiased estimates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

#: Rounds at most, and the change of log τ² at which they end.
ROUNDS, SETTLED = 20, 0.02
#: Variance of the outcome that all inputs together start with: from more, features that outnumber
#: the rows end up fitting their noise.
START = 0.1
#: Least and largest τ², standardised units, and the least γ that divides.
LEAST, LARGEST, _LEAST_TOLD = 1e-4, 100.0, 1e-3


def learn_variances(
    refit: Callable[[Tensor], tuple[Tensor, Tensor]], inputs: Sequence[Tensor]
) -> Tensor:
    """Find τ² by the fixed point.

    Parameters
    ----------
    refit : callable
        Maximises the rest given τ², (K,); returns the coefficients, (D,), and their variances V,
        (D,).
    inputs : sequence of Tensor of bool, shape (D,)
        The coefficients of each of the K inputs.

    Returns
    -------
    Tensor, shape (K,)
        τ² in squared standardised units.
    """
    start = max(LEAST, START / max(1, len(inputs)))
    variance = torch.full((len(inputs),), start, dtype=torch.float64)
    for _ in range(ROUNDS):
        values, spread = refit(variance)
        before = variance.clone()
        for k, own in enumerate(inputs):
            told = (1 - spread[own] / before[k]).sum().clamp_min(_LEAST_TOLD)
            variance[k] = (values[own].square().sum() / told).clamp(LEAST, LARGEST)
        if bool(((variance / before).log().abs() < SETTLED).all()):
            break
    return variance
