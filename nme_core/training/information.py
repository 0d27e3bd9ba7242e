"""Information on shared and person-specific parameters together, and the covariance it gives.

With φ the shared parameters that are free and θ̄ among them, half the second derivative of minus
twice the log joint density is an arrow: persons meet only in φ. Its blocks are

    H_φφ = Σ_i ½ ∂²D_i/∂φ²/σ² + T⁻¹,   H_iφ = ½ ∂²D_i/∂η_i∂φ/σ²,   H_ii = ½ ∂²D_i/∂η_i²/σ² + Σ⁻¹

so that, by the Schur complement,

    V = (H_φφ − Σ_i H_φi H_ii⁻¹ H_iφ)⁻¹,   C_i = H_ii⁻¹,   G_i = ∂η̂_i/∂φ = −C_i H_iφ,
    cov(φ) = V,   cov(η_i) = C_i + G_i V G_iᵀ,   cov(η_i, φ) = G_i V.

For a linear model with Gaussian outcome V is σ² (Xᵀ V_y⁻¹ X)⁻¹, the covariance of the fixed
effects, and cov(η_i) that of η̂_i − η_i (Henderson 1975). Σ, σ² and T count as known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from nme_core.batches.sequences import Batch, chunks
from nme_core.nn import Family, MixedEffects
from nme_core.training.covariance import in_parts
from nme_core.training.exact_chain import chain_data, chain_places, is_linear_chain
from nme_core.training.laplace import gauss_newton, in_double, without_negative

#: Numbers in the information of all persons together, up to which it is taken,
LARGEST_INFORMATION = 2**26
#: and rows times parameters.
MOST_DIFFERENTIATED = 2**27


@dataclass(frozen=True)
class PersonCurvature:
    """½ ∂²D_i/∂(φ, η_i)²/σ² of every person.

    Attributes
    ----------
    free : tuple of str
        Names of the parameters in φ.
    matrix : Tensor, shape (P, q, q)
        By all numbers of φ and η together.
    phi, eta : Tensor of int, shapes (p,) and (R,)
        Places of φ and of η among them; those of θ̄ are both.
    """

    free: tuple[str, ...]
    matrix: Tensor
    phi: Tensor
    eta: Tensor

    def given(self, sigma: Tensor, added: Tensor | None = None) -> PersonInformation:
        """Return the blocks for this Σ, shape (R, R), or (R,) where it is diagonal.

        `added`, shape (P, R), is put on the diagonals of the C_i.
        """
        whole = sigma.double().diag() if sigma.dim() == 1 else sigma.double()
        return PersonInformation(self, torch.linalg.inv(whole), added)


@dataclass(frozen=True)
class PersonInformation:
    """What each person's rows say of η_i and φ; computed when it is asked for.

    Attributes
    ----------
    curvature : PersonCurvature
        Of the rows alone.
    prior : Tensor, shape (R, R)
        Σ⁻¹.
    added : Tensor, shape (P, R), optional
        Put on the diagonals of the C_i.
    """

    curvature: PersonCurvature
    prior: Tensor
    added: Tensor | None = None

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the parameters in φ; p numbers, in the order of these names."""
        return self.curvature.free

    @property
    def shared(self) -> Tensor:
        """Σ_i (½ ∂²D_i/∂φ²/σ² − H_φi H_ii⁻¹ H_iφ), what all persons together say of φ; (p, p)."""
        return self._totals[0]

    @property
    def own(self) -> Tensor:
        """Diagonals of the C_i, shape (P, R)."""
        return self._totals[1]

    @property
    def conditional(self) -> Tensor:
        """C_i, shape (P, R, R)."""
        return self._blocks[0]

    @property
    def coupling(self) -> Tensor:
        """G_i, shape (P, R, p)."""
        return self._blocks[1]

    def effects_covariance(self, covariance: Tensor) -> Tensor:
        """C_i + G_i V G_iᵀ of every person for this V, shape (P, R, R)."""
        return self._over_parts(
            lambda conditional, coupling: conditional + coupling @ covariance @ coupling.mT
        )

    def across(self, covariance: Tensor) -> Tensor:
        """G_i V of every person, its covariance with φ, shape (P, R, p)."""
        return self._over_parts(lambda _, coupling: coupling @ covariance)

    def _over_parts(self, read: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """Read C_i and G_i of some persons at a time."""
        return torch.cat([read(*blocks) for _, *blocks in self._parts()])

    def _parts(self) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Yield some people at a time, their C_i and their G_i: many are never held at once."""
        first, *others = in_parts(*self.curvature.matrix.shape[:2])
        yield (first, *(self._part(first) if others else self._only))
        for some in others:
            yield (some, *self._part(some))

    @cached_property
    def _only(self) -> tuple[Tensor, Tensor]:
        """C_i and G_i of the people of a study that is one part."""
        return self._part(slice(None))

    def _part(self, some: slice) -> tuple[Tensor, Tensor]:
        phi, eta = self.curvature.phi, self.curvature.eta
        matrix = self.curvature.matrix[some][:, eta]
        inner = matrix[:, :, eta] + self.prior
        lower, info = torch.linalg.cholesky_ex(inner)
        positive = not bool(info.any())
        conditional = torch.cholesky_inverse(lower) if positive else torch.linalg.inv(inner)
        coupling = -conditional @ matrix[:, :, phi]
        if self.added is not None:
            conditional = conditional + torch.diag_embed(self.added[some])
        return conditional, coupling

    @cached_property
    def _totals(self) -> tuple[Tensor, Tensor]:
        phi, eta, matrix = self.curvature.phi, self.curvature.eta, self.curvature.matrix
        shared, own = matrix.sum(0)[phi][:, phi], matrix.new_empty(len(matrix), len(eta))
        for some, conditional, coupling in self._parts():
            own[some] = conditional.diagonal(dim1=1, dim2=2)
            across = matrix[some][:, eta][:, :, phi]
            shared += torch.einsum("prk,prl->kl", across, coupling)
        return shared, own

    @cached_property
    def _blocks(self) -> tuple[Tensor, Tensor]:
        conditional, coupling = zip(*(part[1:] for part in self._parts()), strict=True)
        return torch.cat(conditional), torch.cat(coupling)


def affordable(mixed: MixedEffects, free: Sequence[str], n_rows: int) -> bool:
    """Whether the information of all persons fits into memory and time; one grouping factor."""
    numbers = sum(mixed.fixed()[name].numel() for name in {*free, *mixed.random})
    return (
        len(mixed.sizes) == 1
        and mixed.n_groups * numbers**2 <= LARGEST_INFORMATION
        and n_rows * numbers <= MOST_DIFFERENTIATED
    )


def person_curvature(
    mixed: MixedEffects,
    family: Family,
    batches: Sequence[Batch],
    *,
    free: Sequence[str],
    residual_variance: float,
) -> PersonCurvature:
    """Take the curvature of Gauss and Newton at the present parameters; float64.

    Parameters
    ----------
    mixed : MixedEffects
        Network with one grouping factor; it is not changed.
    family : Family
        Of the outcome.
    batches : sequence of Batch
        Rows of all groups.
    free : sequence of str
        Names of the shared parameters that are not taken as known.
    residual_variance : float
        σ².
    """
    both = mixed.with_free(free)
    phi, eta = both.places_of(free), both.places_of(mixed.random)
    if is_linear_chain(mixed):
        information = _of_chains(mixed, batches, both.random)
        return PersonCurvature(tuple(free), information, phi, eta)
    rows = map(in_double, chunks(batches))  # part by part, not all rows a second time
    information = gauss_newton(both, family, rows)
    tiny = 1e-9 * torch.eye(both.n_random, dtype=torch.float64)
    for some in in_parts(*information.shape[:2]):
        information[some] = without_negative(information[some], tiny) / residual_variance
    return PersonCurvature(tuple(free), information, phi, eta)


def _of_chains(mixed: MixedEffects, batches: Sequence[Batch], names: Sequence[str]) -> Tensor:
    """Curvature of the parameters of these names of a CRF with linear emissions."""
    data, places = chain_data(mixed, batches), chain_places(mixed)
    order = torch.cat([places[name] for name in names])
    theta = torch.zeros(data.n_parameters, dtype=torch.float64)
    for name, value in mixed.fixed().items():
        theta[places[name]] = value.detach().double().reshape(-1)
    eta = mixed.deviations.detach().double()
    parts = []
    for people in data.parts():
        curvature = data.derivatives(theta, eta, people)[2]
        curvature = curvature[:, order][:, :, order]
        if data.missing:
            tiny = 1e-9 * torch.eye(len(order), dtype=torch.float64)
            curvature = without_negative(curvature, tiny)
        parts.append(curvature)
    return torch.cat(parts)


def shared_covariance(
    information: PersonInformation, precision: Mapping[str, Tensor]
) -> Tensor | None:
    """V from what the persons say of φ and the prior's precisions, shape (p, p).

    None where the two together leave a combination of φ open.

    Parameters
    ----------
    precision : mapping of str to Tensor
        Diagonal of T⁻¹ by name of the parameter; 0 for those that it does not name.
    """
    total = information.shared.clone()
    if precision:
        prior = [precision[name].double().reshape(-1) for name in information.free]
        total = total + torch.cat(prior).diag()
    scale = total.diagonal().clamp_min(1e-30).sqrt()
    values, vectors = torch.linalg.eigh(total / scale / scale.unsqueeze(1))
    if float(values[0]) <= 1e-10:
        return None
    inverse: Tensor = (vectors / values) @ vectors.T / scale / scale.unsqueeze(1)
    return (inverse + inverse.T) / 2
