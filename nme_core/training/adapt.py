"""Random effects of new groups, with everything that was learned before held fixed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from nme_core.batches.sequences import Batch, chunks
from nme_core.nn import Family, Gaussian, MixedEffects
from nme_core.nn.random_effects import own
from nme_core.training.chain_data import ChainData
from nme_core.training.exact_chain import chain_data, chain_theta, is_linear_chain
from nme_core.training.laplace import gauss_newton, in_double, without_negative
from nme_core.training.objective import total_deviance
from nme_core.training.other_fits import OtherFits

#: Newton steps at most, and halvings of one step.
LONGEST, HALVINGS = 200, 40
#: Numbers of the matrices of new groups that are worked on at once.
MOST_AT_ONCE = 2**22
#: A group has arrived where a Newton step promises, or brings, less than this of −2 log density.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Adaptation:
    """Mode and spread of the deviations of new groups.

    Attributes
    ----------
    deviations : Tensor, shape (P, R)
        η at the mode, float64.
    covariance : Tensor, shape (P, R, R)
        C, the inverse curvature at the mode, float64.
    arrived : Tensor of bool, shape (P,)
        Whether the mode was reached.
    """

    deviations: Tensor
    covariance: Tensor
    arrived: Tensor


def adapt(
    mixed: MixedEffects,
    family: Family,
    batches: Sequence[Batch],
    *,
    sigma: Tensor,
    residual_variance: float,
) -> Adaptation:
    """Find the mode of every group's η given its rows; φ, θ̄, Σ and σ² stay as they are.

        η̂_i = argmin  D_i(η)/σ² + ηᵀ Σ⁻¹ η,    C_i = (H_i/σ² + Σ⁻¹)⁻¹,    H_i = ½ ∂²D_i/∂η²

    by Newton's method for all groups at once, each with a step length of its own. H is that of
    Gauss and Newton for rows, and exact (by differences) for sequences. It works on u = L⁻¹η with
    Σ = L Lᵀ, so that a variance of 0 is no special case.

    Parameters
    ----------
    mixed : MixedEffects
        Network for the new groups, one grouping factor; it is not changed.
    family : Family
        Of the outcome.
    batches : sequence of Batch
        Rows of the new groups.
    sigma : Tensor, shape (R, R), or (R,) where it is diagonal
        Σ.
    residual_variance : float
        σ², standardised.
    """
    search = _Search(
        copy.deepcopy(mixed).double(),
        family,
        [in_double(batch) for batch in batches],
        torch.zeros(mixed.n_groups, mixed.n_random, dtype=torch.float64),
        _root(sigma.double()).expand(mixed.n_groups, -1, -1),
        torch.full((mixed.n_groups,), residual_variance, dtype=torch.float64),
    )
    return search.run()[0]


def errors(
    mixed: MixedEffects,
    family: Callable[[float], Family],
    batches: Sequence[Batch],
    fits: OtherFits,
    free: Sequence[str],
) -> tuple[Tensor, Tensor]:
    """How far new groups' η̂ may be off, Σ, σ², ρ and the shared parameters φ not taken as known.

    A new group is one of the fit that says nothing of Σ (see `integrated_covariance`): its mode,
    C_i and G_i are taken at each of the fits, all of them at once.

    Parameters
    ----------
    mixed : MixedEffects
        Network with the new groups at their modes; it is not changed.
    family : callable
        Family of the outcome by ρ.
    batches : sequence of Batch
        Rows of the new groups.
    fits : OtherFits
        Of the fit.
    free : sequence of str
        Names of the shared parameters in φ, in order.

    Returns
    -------
    Tensor, shapes (P, R, R) and (P, R, p)
        cov(η − η̂) and cov(η − η̂, φ − φ̂).
    """
    both = mixed.with_free(free)
    at_once = max(1, MOST_AT_ONCE // max(1, mixed.n_groups * both.n_random**2))
    places = both.places_of(free), both.places_of(mixed.random)
    found = [
        _errors(both, family, batches, fits.some(slice(k, k + at_once)), *places)
        for k in range(0, len(fits.weight), at_once)
    ]
    own, across = zip(*found, strict=True)
    return sum(own, start=torch.zeros(())), sum(across, start=torch.zeros(()))


def _errors(
    mixed: MixedEffects,
    family: Callable[[float], Family],
    batches: Sequence[Batch],
    fits: OtherFits,
    phi: Tensor,
    eta: Tensor,
) -> tuple[Tensor, Tensor]:
    """The part of `errors` of some fits; `mixed` has φ among its deviations, at these places."""
    n, n_fits, n_both = mixed.n_groups, len(fits.weight), mixed.n_random
    offset = torch.zeros(n_fits, n, n_both, dtype=torch.float64)
    offset[:, :, phi] = fits.shift.unsqueeze(1)
    root = torch.zeros(n_fits, n, n_both, len(eta), dtype=torch.float64)
    root[:, :, eta] = _root(fits.sigma).unsqueeze(1)
    search = _Search(
        mixed.for_groups(n * n_fits),
        _with_shares(family),
        [in_double(_at_each(batch, fits, family, n)) for batch in batches],
        offset.flatten(0, 1),
        root.flatten(0, 1),
        fits.variance.repeat_interleave(n),
    )
    there, information = search.run()
    given = there.covariance[:, eta][:, :, eta]
    coupling = (-given @ information[:, eta][:, :, phi]).view(n_fits, n, len(eta), len(phi))
    moved = there.deviations.view(offset.shape) - offset
    apart = (moved - mixed.deviations.detach())[:, :, eta]
    pull = coupling @ fits.shared.unsqueeze(1)
    each = given.view(n_fits, n, len(eta), len(eta)) + pull @ coupling.mT
    each = each + apart.unsqueeze(3) * apart.unsqueeze(2)
    across = pull + apart.unsqueeze(3) * fits.shift[:, None, None]
    return (
        torch.einsum("k,kprs->prs", fits.weight, each),
        torch.einsum("k,kprs->prs", fits.weight, across),
    )


def _at_each(
    batch: Batch, fits: OtherFits, family: Callable[[float], Family], n_groups: int
) -> Batch:
    """The batch once for every fit, with groups of its own; gaps become correlations."""
    n_fits, n_units = len(fits.weight), len(batch.x)
    several = {
        name: getattr(batch, name).repeat(n_fits, *[1] * (getattr(batch, name).dim() - 1))
        for name in ("x", "y", "mask", "groups", "initial", "share", "rows")
    }
    fit = torch.arange(n_fits).repeat_interleave(n_units)
    several["groups"] = several["groups"] + n_groups * fit.unsqueeze(1)
    if batch.gaps is not None:
        shares = [getattr(family(rho), "share", None) for rho in fits.rho.tolist()]
        none = torch.zeros_like(batch.gaps)
        several["gaps"] = torch.cat(
            [none if share is None else share(batch.gaps).to(none) for share in shares]
        )
    return Batch(**several)


def _with_shares(family: Callable[[float], Family]) -> Family:
    """The family where gaps are correlations already."""
    known = family(0.0)
    return Gaussian(lambda gaps: gaps) if isinstance(known, Gaussian) else known


@dataclass(frozen=True)
class _Search:
    """Newton's method in u for all groups, whose deviations are offset + root u.

    Attributes
    ----------
    mixed : MixedEffects
        Network with q deviations, float64.
    family : Family
    batches : list of Batch
        Float64.
    offset, root : Tensor, shapes (P, q) and (P, q, R)
    variance : Tensor, shape (P,)
        σ².
    """

    mixed: MixedEffects
    family: Family
    batches: list[Batch]
    offset: Tensor
    root: Tensor
    variance: Tensor

    def run(self) -> tuple[Adaptation, Tensor]:
        """Return modes and C, and ½ ∂²D/∂η²/σ² there, shape (P, q, q)."""
        n, _, n_random = self.root.shape
        u = torch.zeros(n, n_random, dtype=torch.float64)
        eye = torch.eye(n_random, dtype=torch.float64)
        arrived = torch.zeros(n, dtype=torch.bool)
        for _ in range(LONGEST):
            slope, information = self._slope_and_curvature(u)
            gradient = (self.root.mT @ slope.unsqueeze(2)).squeeze(2) + u  # half the gradient
            precision = self.root.mT @ information @ self.root + eye
            step = -torch.linalg.solve(precision, gradient)
            promised = -2 * (gradient * step).sum(1)  # the first-order change of −2 log density
            arrived = arrived | (promised < TOLERANCE)
            if bool(arrived.all()):
                break
            before = self._value(u)
            u = _shorter_where_worse(self._value, u, step, promised, ~arrived)
            # The mode may lie at a kink of a rectified unit, where every step promises too much.
            arrived = arrived | (before - self._value(u) < TOLERANCE)
        covariance = self.root @ torch.linalg.inv(precision) @ self.root.mT
        symmetric = (covariance + covariance.mT) / 2
        return Adaptation(self._at(u), symmetric, arrived), information

    def _at(self, u: Tensor) -> Tensor:
        return self.offset + (self.root @ u.unsqueeze(2)).squeeze(2)

    def _value(self, u: Tensor) -> Tensor:
        """−2 log density of every group at u, shape (P,)."""
        if self._chains is not None:
            deviance = -2 * self._chains.log_likelihoods(chain_theta(self.mixed), self._at(u))
        else:
            deviance = _deviances(self.mixed, self.family, self.batches, self._at(u))
        return deviance / self.variance + u.square().sum(1)

    @cached_property
    def _chains(self) -> ChainData | None:
        """The rows for the kernels, where the network is a CRF with linear emissions."""
        known = is_linear_chain(self.mixed)
        return chain_data(self.mixed, self.batches, len(self.offset)) if known else None

    def _slope_and_curvature(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """½ ∂D/∂η/σ², shape (P, q), and ½ ∂²D/∂η²/σ², shape (P, q, q)."""
        at, chains = self._at(u), self._chains
        if chains is not None:
            slope, information = self._of_chains(chains, at)
        else:
            leaf = at.requires_grad_()
            half = total_deviance(self.mixed, self.family, self.batches, deviations=leaf) / 2
            (slope,) = torch.autograd.grad(half, leaf)
            with torch.no_grad():
                self.mixed.deviations.copy_(leaf)
            information = gauss_newton(self.mixed, self.family, self.batches, observed=True)
        tiny = 1e-9 * torch.eye(at.shape[1], dtype=torch.float64)
        information = without_negative(information, tiny) / self.variance.view(-1, 1, 1)
        return slope / self.variance.unsqueeze(1), information

    def _of_chains(self, chains: ChainData, eta: Tensor) -> tuple[Tensor, Tensor]:
        theta, places = chain_theta(self.mixed), chains.places
        slope, information = torch.empty_like(eta), eta.new_empty(*eta.shape, len(places))
        for some in chains.parts():
            _, gradient, curvature = chains.derivatives(theta, eta, some)
            slope[some] = -gradient[:, places]
            information[some] = curvature[:, places][:, :, places]
        return slope, information


def _shorter_where_worse(
    value: Callable[[Tensor], Tensor],
    u: Tensor,
    step: Tensor,
    promised: Tensor,
    moving: Tensor,
) -> Tensor:
    """Go each group's step, halved until its value falls as it should (Armijo)."""
    before, length = value(u), moving.double()
    for _ in range(HALVINGS):
        moved = u + length.unsqueeze(1) * step
        enough = value(moved) <= before - 1e-4 * length * promised + 1e-12 * before.abs()
        if bool(enough.all()):
            return moved
        length = torch.where(enough, length, length / 2)
    return u + torch.where(enough, length, 0.0).unsqueeze(1) * step


@torch.no_grad()
def _deviances(
    mixed: MixedEffects, family: Family, batches: Sequence[Batch], deviations: Tensor
) -> Tensor:
    """D of every group, shape (P,)."""
    result = torch.zeros(len(deviations), dtype=torch.float64)
    for chunk in chunks(batches):
        output = mixed(chunk.x, deviations=own(deviations, chunk.groups))
        result.index_add_(0, chunk.groups[:, 0], family.deviance(output, chunk).double())
    return result


def _root(sigma: Tensor) -> Tensor:
    """L with L Lᵀ = Σ, also where Σ is singular; shape (..., R, R), of a diagonal (R,) as well."""
    if sigma.dim() == 1:
        return sigma.clamp_min(0).sqrt().diag()
    values, vectors = torch.linalg.eigh(sigma)
    root: Tensor = vectors * values.clamp_min(0).sqrt().unsqueeze(-2)
    return root
