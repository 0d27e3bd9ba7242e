"""People's effects with Σ integrated out, from the curvature of what each one's rows say.

Around the fit log p(y_i | η) is nearly r_iᵀ(η − η̂_i) − ½ (η − η̂_i)ᵀ H_i (η − η̂_i), r_i its slope.
With c_i = H_i η̂_i + r_i and M_i = H_i + Σ⁻¹ another Σ then means

    log p(y_i | Σ) = ½ c_iᵀ M_i⁻¹ c_i − ½ log|M_i| − ½ log|Σ|,    η̂_i(Σ) = M_i⁻¹ c_i,
    V_i(Σ) = M_i⁻¹ + G_i V G_iᵀ,

exact for a Gaussian outcome and good for long chains: no pass over the rows is needed.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nme_core.training.information import PersonCurvature
from nme_core.training.integrated_covariance import (
    Coordinates,
    GivenCovariance,
    IntegratedCovariance,
)
from nme_core.training.sums import Array

#: Numbers of Σ, and people times numbers² of their effects, up to which it is done.
MOST_NUMBERS, MOST_WORK = 20, 2**17


def integrated_by_curvature(
    curvature: PersonCurvature,
    coordinates: Coordinates,
    sigma: Tensor,
    effects: Tensor,
    slope: Tensor,
    shared: Tensor,
) -> IntegratedCovariance | None:
    """Integrate; None where that is too much work.

    Parameters
    ----------
    curvature : PersonCurvature
        What each person's rows say at the fit.
    coordinates : Coordinates
        Of Σ.
    sigma : Tensor, shape (R, R), or (R,) where it is diagonal
        Σ̂.
    effects, slope : Tensor, shape (P, R)
        η̂_i and r_i.
    shared : Tensor, shape (p, p)
        V.
    """
    n_people, n_random = effects.shape
    if coordinates.n > MOST_NUMBERS or n_people * n_random**2 > MOST_WORK:
        return None
    own = curvature.matrix[:, curvature.eta][:, :, curvature.eta]
    told = (own @ effects.unsqueeze(2)).squeeze(2) + slope

    def given(matrix: Array, _: Array) -> GivenCovariance | None:
        whole = torch.from_numpy(matrix)
        lower, failed = torch.linalg.cholesky_ex(own + torch.linalg.inv(whole))
        if bool(failed.any()):
            return None
        moved = torch.cholesky_solve(told.unsqueeze(2), lower).squeeze(2)
        value = 0.5 * (told * moved).sum() - lower.diagonal(dim1=1, dim2=2).log().sum()
        value = value - 0.5 * n_people * torch.linalg.slogdet(whole)[1]

        def read() -> tuple[Array, Array]:
            error = curvature.given(whole).effects_covariance(shared)
            return moved.numpy(), error.numpy()

        return GivenCovariance(float(value), read)

    at = sigma.double().diag() if sigma.dim() == 1 else sigma.double()
    return IntegratedCovariance.of(given, coordinates, np.asarray(at), effects.numpy())
