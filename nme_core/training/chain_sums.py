"""A CRF with linear emissions, person by person: what a step of Newton's method needs of it.

With u the shared parameters, η_i those of a person, and of −log p_i the gradient −g_i and the
curvature H_i in all of them (see `nme_core.nn.chain_kernel`),

    M_i = H_i[η,η] + Σ⁻¹,   G_i = H_i[η,u],   S = Σ_i ( H_i[u,u] − G_iᵀ M_i⁻¹ G_i ).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.nn import chain_kernel, chain_third
from nme_core.nn.chain_kernel import LANES, Chains
from nme_core.nn.crf_kernel import share

#: Numbers of the curvatures of people that are worked on at once.
AT_ONCE = 2**21


@dataclass(frozen=True)
class ChainData:
    """Sequences of P people, and which parameters differ between them.

    ψ holds the emission layer output by output, each its weights and then its bias, and then the
    transition scores row by row: R numbers.

    Attributes
    ----------
    chains : Chains
        The sequences.
    basis : array, shape (K, M)
        Scores of the states by outputs of the layer.
    places : Tensor of int, shape (q,)
        Places in ψ of the numbers that differ by person.
    """

    chains: Chains
    basis: NDArray[np.float64]
    places: Tensor

    @classmethod
    def of(cls, batches: Sequence[Batch], n_people: int, basis: Tensor, places: Tensor) -> Self:
        """Lay padded sequences end to end, person by person."""
        owner = torch.cat([batch.groups[:, 0] for batch in batches])
        length = torch.cat([batch.lengths for batch in batches])
        initial = torch.cat([batch.initial for batch in batches])
        order = torch.argsort(owner, stable=True)
        edges = np.concatenate([[0], np.cumsum(length[order].numpy())])
        begins = torch.empty_like(order)
        begins[order] = torch.from_numpy(edges[:-1])
        x = np.empty((int(edges[-1]), batches[0].x.shape[2]), dtype=np.float32)
        y = np.empty(len(x), dtype=np.int64)
        first = 0
        for batch in batches:
            own = begins[first : first + len(batch.x)]
            rows = (own.unsqueeze(1) + torch.arange(batch.mask.shape[1]))[batch.mask].numpy()
            x[rows], y[rows] = batch.x[batch.mask].numpy(), batch.y[batch.mask].numpy()
            first += len(batch.x)
        owners = np.searchsorted(owner[order].numpy(), np.arange(n_people + 1))
        chains = Chains(x, y, edges.astype(np.int64), initial[order].numpy(), owners)
        return cls(chains, np.ascontiguousarray(basis.double().numpy()), places)

    @property
    def n_people(self) -> int:
        """P."""
        return len(self.chains.owners) - 1

    @property
    def n_states(self) -> int:
        """K."""
        return len(self.basis)

    @property
    def n_emission(self) -> int:
        """Numbers of ψ before the transition scores, M (F + 1)."""
        return int(self.basis.shape[1] * (self.chains.x.shape[1] + 1))

    @property
    def n_parameters(self) -> int:
        """R."""
        return self.n_emission + self.n_states**2

    @property
    def missing(self) -> bool:
        """Whether a label is missing."""
        return bool((self.chains.y < 0).any())

    def gram(self) -> Tensor:
        """XᵀX of all steps, the constant last; shape (F + 1, F + 1)."""
        x = self.chains.x
        result = np.zeros((x.shape[1] + 1, x.shape[1] + 1))
        for start in range(0, len(x), 2**16):
            rows = np.pad(x[start : start + 2**16], ((0, 0), (0, 1)), constant_values=1)
            result += rows.T.astype(np.float64) @ rows
        return torch.from_numpy(result)

    def counts(self) -> Tensor:
        """Moves between labels that are there, [from, to]; shape (K, K)."""
        y, edges = self.chains.y, self.chains.edges
        inside = np.ones(len(y), dtype=bool)
        inside[edges[:-1]] = False
        before, after = y[:-1][inside[1:]], y[1:][inside[1:]]
        known = self.chains.initial >= 0
        before = np.concatenate([before, self.chains.initial[known]])
        after = np.concatenate([after, y[edges[:-1]][known]])
        seen = (before >= 0) & (after >= 0)
        counts = np.bincount(before[seen] * self.n_states + after[seen], minlength=self.n_states**2)
        return torch.from_numpy(counts).view(self.n_states, self.n_states)

    def parts(self) -> Iterator[slice]:
        """People, some at a time."""
        size = max(1, AT_ONCE // self.n_parameters**2)
        for start in range(0, self.n_people, size):
            yield slice(start, min(start + size, self.n_people))

    def _work(self, people: slice) -> NDArray[np.int64]:
        """Steps of each of these people, in units of one that shares the work of states² well."""
        edges = self.chains.edges[self.chains.owners[people.start : people.stop + 1]]
        work: NDArray[np.int64] = np.diff(edges) * self.n_parameters
        return work

    def run(self, kernel: Any, people: slice, *given: Any) -> None:
        """Run a kernel over some people, in as many threads as pay."""
        share(
            lambda first, last: kernel(*given, people.start + first, people.start + last),
            (),
            self._work(people),
            self.n_states,
        )

    def derivatives(
        self, theta: Tensor, eta: Tensor, people: slice, *, order: int = 2
    ) -> tuple[Tensor, Tensor, Tensor]:
        """log p_i (n,), from order 1 g_i (n, R) and from order 2 H_i (n, R, R) of some people."""
        n, r = people.stop - people.start, self.n_parameters
        value = np.zeros(n)
        gradient = np.zeros((n, r) if order > 0 else (n, 0))
        filled = -(-r // LANES) * LANES
        curvature = np.zeros((n, r, filled) if order > 1 else (n, 0, 0))
        given = (theta.numpy(), eta.numpy(), self.places.numpy(), self.basis, order, people.start)
        kernel = partial(chain_kernel.derivatives, self.chains)
        self.run(kernel, people, *given, value, gradient, curvature)
        half = torch.from_numpy(curvature)[:, :, :r]
        return torch.from_numpy(value), torch.from_numpy(gradient), half + half.transpose(1, 2)

    def log_likelihoods(self, theta: Tensor, eta: Tensor) -> Tensor:
        """log p_i of all people, shape (P,)."""
        return self.derivatives(theta, eta, slice(0, self.n_people), order=0)[0]

    def curvature_slopes(self, theta: Tensor, eta: Tensor, roots: Tensor, people: slice) -> Tensor:
        """∂ log|M_i|/∂ψ, shape (n, R), from roots (n, q, q) of the M_i⁻¹."""
        result = np.zeros((people.stop - people.start, self.n_parameters))
        given = (theta.numpy(), eta.numpy(), self.places.numpy(), self.basis)
        kernel = partial(chain_third.curvature_slopes, self.chains)
        roots = roots.contiguous()
        self.run(kernel, people, *given, roots.numpy(), people.start, result)
        return torch.from_numpy(result)


@dataclass
class Sums:
    """What the people add up to at (u, η) and Σ. R shared and q own parameters, float64.

    Attributes
    ----------
    log_likelihood, penalty, log_determinant, promised, tilt : float
        Σ_i of log p_i, ½ ηᵀΣ⁻¹η, ½ log|M_i|, ½ aᵀM_i⁻¹a with a = g_i[η] − Σ⁻¹η_i, and aᵀM_i⁻¹t_i
        with t_i as below.
    total, curvature : Tensor, shape (R, R)
        Σ_i H_i and S.
    score : Tensor, shape (R,)
        Σ_i (g_i − G_iᵀ M_i⁻¹ a).
    bent : Tensor, shape (R,)
        Half the slope of Σ_i log|M_i| by u, η at its mode; 0 where it was not taken.
    own : Tensor, shape (P, q)
        M_i⁻¹ a.
    coupling : Tensor, shape (P, q, R)
        M_i⁻¹ G_i; float32.
    bend : Tensor, shape (P, q)
        C_i t_i with t_i the slope of log|M_i| by η and C_i = M_i⁻¹; 0 where it was not taken.
    spread : Tensor, shape (q, q)
        Σ_i C_i.
    squares : Tensor, shape (q, q)
        Σ_i of the squares of the elements of 1 − D C_i D, D² the diagonal of Σ⁻¹.
    conditional : Tensor, shape (P, q, q), optional
        C_i.
    """

    log_likelihood: float
    penalty: float
    log_determinant: float
    promised: float
    tilt: float
    total: Tensor
    curvature: Tensor
    score: Tensor
    bent: Tensor
    own: Tensor
    coupling: Tensor
    bend: Tensor
    spread: Tensor
    squares: Tensor
    conditional: Tensor | None = field(default=None)

    @classmethod
    def at(
        cls,
        data: ChainData,
        theta: Tensor,
        eta: Tensor,
        precision: Tensor,
        *,
        exact: bool,
        keep: bool = False,
    ) -> Self:
        """Add up.

        Parameters
        ----------
        precision : Tensor, shape (q, q)
            Σ⁻¹.
        exact : bool
            Whether the slopes of log|M_i| count, as they do at the maximum of the marginal
            likelihood; else they are left out.
        keep : bool
            Whether every C_i is kept.
        """
        p, q, r = data.n_people, len(data.places), data.n_parameters
        zeros = partial(torch.zeros, dtype=torch.float64)
        result = cls(
            0.0, 0.0, 0.0, 0.0, 0.0, zeros(r, r), zeros(r, r), zeros(r), zeros(r), zeros(p, q),
            torch.zeros(p, q, r), zeros(p, q), zeros(q, q), zeros(q, q),
            zeros(p, q, q) if keep else None,
        )  # fmt: skip
        for people in data.parts():
            result._add(data, theta, eta, precision, people, exact=exact)
        return result

    def among(self, moving: Tensor, variances: Tensor) -> Sums:
        """The same of all effects, those that did not count being 0 with these variances, (q,)."""
        n, variance = len(self.own), torch.where(moving, 0.0, variances)
        places = moving.nonzero()[:, 0]

        def across(values: Tensor, *dims: int, rest: Tensor | None = None) -> Tensor:
            for dim in dims:
                shape = list(values.shape)
                shape[dim] = len(moving)
                values = values.new_zeros(shape).index_copy_(dim, places, values)
            return values if rest is None else values + rest

        spread = variance.diag()
        known = self.conditional
        return replace(
            self,
            log_determinant=self.log_determinant - 0.5 * n * float(variances[~moving].log().sum()),
            own=across(self.own, 1),
            coupling=across(self.coupling, 1),
            bend=across(self.bend, 1),
            spread=across(self.spread, 0, 1, rest=n * spread),
            squares=across(self.squares, 0, 1),
            conditional=None if known is None else across(known, 1, 2, rest=spread),
        )

    def _add(
        self,
        data: ChainData,
        theta: Tensor,
        eta: Tensor,
        precision: Tensor,
        people: slice,
        *,
        exact: bool,
    ) -> None:
        value, gradient, hessian = data.derivatives(theta, eta, people)
        self.log_likelihood += float(value.sum())
        self.total += hessian.sum(0)
        self.score += gradient.sum(0)
        if not len(data.places):
            self.curvature += hessian.sum(0)
            return
        places, own = data.places, eta[people]
        hessian, lower = _factored(hessian, places, precision)
        across = hessian[:, places]  # G_i, (n, q, R)
        pull = own @ precision
        ahead = gradient[:, places] - pull
        step = torch.cholesky_solve(ahead.unsqueeze(2), lower).squeeze(2)
        coupling = torch.cholesky_solve(across, lower)
        self.penalty += 0.5 * float((own * pull).sum())
        self.log_determinant += float(lower.diagonal(dim1=1, dim2=2).log().sum())
        self.promised += 0.5 * float((ahead * step).sum())
        flat = across.flatten(0, 1)
        self.curvature += hessian.sum(0) - flat.T @ coupling.flatten(0, 1)
        self.score -= flat.T @ step.flatten()
        self.own[people], self.coupling[people] = step, coupling.float()
        conditional = torch.cholesky_inverse(lower)
        self.spread += conditional.sum(0)
        scale = precision.diagonal().sqrt()
        eye = torch.eye(len(scale), dtype=torch.float64)
        self.squares += (eye - scale * conditional * scale.unsqueeze(1)).square().sum(0)
        if self.conditional is not None:
            self.conditional[people] = conditional
        if exact:
            eye = eye.expand_as(lower)
            roots = torch.linalg.solve_triangular(lower, eye, upper=False).transpose(1, 2)
            slope = data.curvature_slopes(theta, eta, roots, people)
            bend = torch.einsum("nqs,ns->nq", conditional, slope[:, places])
            self.bent += 0.5 * (slope.sum(0) - flat.T @ bend.flatten())
            self.bend[people] = bend
            self.tilt += float((ahead * bend).sum())


def _factored(hessian: Tensor, places: Tensor, precision: Tensor) -> tuple[Tensor, Tensor]:
    """Curvatures, and Cholesky factors of the M_i; where labels are missing −log p need not be
    convex, and what is negative of a curvature is left out where M_i would not be positive.
    """
    lower, info = torch.linalg.cholesky_ex(hessian[:, places][:, :, places] + precision)
    broken = info > 0
    if bool(broken.any()):
        values, vectors = torch.linalg.eigh(hessian[broken])
        hessian[broken] = vectors * values.clamp_min(0).unsqueeze(1) @ vectors.transpose(1, 2)
        lower = torch.linalg.cholesky(hessian[:, places][:, :, places] + precision)
    return hessian, lower
