"""Effects of people and shared parameters with Σ integrated out, from the curvature at the fit.

Around the fit log p(y_i | φ, η) is nearly quadratic, with the slope r_i by η and curvature H_i in φ
and η; over all people its slope by φ is 0. With c_i = H_i,ηη η̂_i + r_i, M_i = H_i,ηη + Σ⁻¹ and
G_i = −M_i⁻¹ H_i,ηφ another Σ then means

    b = Σ_i G_iᵀ (r_i − Σ⁻¹ η̂_i),   S = Σ_i (H_i,φφ + H_i,φη G_i) + T⁻¹,   φ̂(Σ) − φ̂ = S⁻¹ b,
    η̂_i(Σ) = M_i⁻¹ c_i + G_i S⁻¹ b,   V(Σ) = S⁻¹,   V_i(Σ) = M_i⁻¹ + G_i S⁻¹ G_iᵀ,
    log p(y | Σ) = ½ Σ_i (c_iᵀ M_i⁻¹ c_i − log|M_i| − log|Σ|) + ½ bᵀ S⁻¹ b − ½ log|S|,

exact for a Gaussian outcome and good for long chains: no pass over the rows is needed. Where the
estimates leave a combination of φ at a fixed value, V has no extent there, and S none either.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nme_core.training.covariance_coordinates import Coordinates, FactorCoordinates
from nme_core.training.information import PersonCurvature
from nme_core.training.integrated_covariance import GivenCovariance, IntegratedCovariance
from nme_core.training.sums import Array

#: Numbers of Σ, and people times numbers² of their effects, up to which it is done.
MOST_NUMBERS, MOST_WORK = 20, 2**17


def integrated_by_curvature(
    curvature: PersonCurvature,
    coordinates: Coordinates | FactorCoordinates,
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
    across = curvature.matrix[:, curvature.eta][:, :, curvature.phi]
    of_shared = curvature.matrix.sum(0)[curvature.phi][:, curvature.phi]
    told = (own @ effects.unsqueeze(2)).squeeze(2) + slope
    estimate = sigma.double().diag() if sigma.dim() == 1 else sigma.double()
    kept = _range(shared)

    def inside(gram: Tensor) -> Tensor:
        """S without a prior, where it has any extent, by Σ_i H_i,φη M_i⁻¹ H_i,ηφ."""
        return kept.T @ (of_shared - gram) @ kept

    def roots(inverse: Tensor, *right: Tensor) -> tuple[Tensor, Tensor] | None:
        """Roots L_i of all M_i, and all L_i⁻¹ (H_i,ηφ, right)."""
        lower, failed = torch.linalg.cholesky_ex(own + inverse)
        beside = torch.cat([across, *(one.unsqueeze(2) for one in right)], dim=2)
        white = torch.linalg.solve_triangular(lower, beside, upper=False)
        return None if bool(failed.any()) else (lower, white)

    found = roots(torch.linalg.inv(estimate))
    assert found is not None
    flat = found[1].flatten(0, 1)
    prior = torch.linalg.inv(kept.T @ shared @ kept) - inside(flat.T @ flat)

    def given(matrix: Array, _: Array) -> GivenCovariance | None:
        whole = torch.from_numpy(matrix)
        inverse = torch.linalg.inv(whole)
        found = roots(inverse, told, slope - effects @ inverse)
        if found is None:
            return None
        lower, white = found
        flat = white.flatten(0, 1)
        gram = flat.T @ flat
        root, failed = torch.linalg.cholesky_ex(inside(gram[:-2, :-2]) + prior)
        if bool(failed):
            return None
        pull = -kept.T @ gram[:-2, -1]
        step = torch.cholesky_solve(pull.unsqueeze(1), root).squeeze(1)
        value = 0.5 * gram[-2, -2] - lower.diagonal(dim1=1, dim2=2).log().sum()
        value = value - 0.5 * n_people * torch.linalg.slogdet(whole)[1]
        value = value + 0.5 * pull @ step - root.diagonal().log().sum()

        def follows() -> tuple[Tensor, Tensor]:
            """η̂_i(Σ) and G_i."""
            back = torch.linalg.solve_triangular(lower.mT, white[:, :, :-1], upper=True)
            coupling = -back[:, :, :-1]
            return back[:, :, -1] + coupling @ (kept @ step), coupling

        def read() -> tuple[Array, Array, Array]:
            own, coupling = follows()
            return own.numpy(), torch.cholesky_inverse(lower).numpy(), coupling.numpy()

        def read_shared() -> tuple[Array, Array]:
            covariance = kept @ torch.cholesky_inverse(root) @ kept.T
            return (kept @ step).numpy(), covariance.numpy()

        def moments() -> tuple[Tensor, Tensor]:
            """η̂_i(Σ), and a root of G_i V G_iᵀ."""
            own, coupling = follows()
            apart = torch.linalg.solve_triangular(
                root, (coupling @ kept).flatten(0, 1).T, upper=False
            )
            return own, apart.T.reshape(n_people, n_random, -1)

        def by_sigma() -> Array:
            """Fisher's identity: ½ Σ⁻¹ Σ_i (E ηηᵀ − Σ) Σ⁻¹."""
            own, apart = moments()
            second = torch.cholesky_inverse(lower).sum(0)
            second = second + torch.einsum("prk,psk->rs", apart, apart)
            second = second + own.T @ own - n_people * whole
            return np.asarray(0.5 * inverse @ second @ inverse)

        def information() -> Array:
            """2 E q − cov q of the q_r = Σ_i η_ir²/σ_r² (Louis 1982)."""
            sd = whole.diagonal().sqrt()
            own, apart = moments()
            own, apart = own / sd, apart / sd.unsqueeze(1)
            alone = torch.cholesky_inverse(lower) / sd / sd.unsqueeze(1)
            shared = apart @ apart.mT
            squares = ((alone + shared).square() - shared.square()).sum(0)
            gram = torch.einsum("prk,prl->rkl", apart, apart).flatten(1)
            pull = torch.einsum("pr,prk->rk", own, apart)
            linear = torch.einsum("pr,prs,ps->rs", own, alone, own) + pull @ pull.T
            expected = (alone + shared).diagonal(dim1=1, dim2=2) + own.square()
            spread = 2 * (squares + gram @ gram.T) + 4 * linear
            return np.asarray(2 * expected.sum(0).diag() - spread)

        return GivenCovariance(
            float(value), read, read_shared, matrix, by_sigma=by_sigma, information=information
        )

    return IntegratedCovariance.of(given, coordinates, np.asarray(estimate), effects.numpy())


def _range(covariance: Tensor) -> Tensor:
    """Orthonormal basis of where a covariance has any extent, (p, k)."""
    values, vectors = torch.linalg.eigh(covariance)
    found: Tensor = vectors[:, values > 1e-10 * values.max()] if len(values) else vectors
    return found
