"""Sequences of people and the derivatives of their log-likelihoods, a CRF with linear emissions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
    def others(self) -> Tensor:
        """Places in ψ of the numbers that do not differ by person, shape (R − q,)."""
        shared = torch.ones(self.n_parameters, dtype=torch.bool)
        shared[self.places] = False
        return shared.nonzero()[:, 0]

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

    def expected_moves(self, theta: Tensor, eta: Tensor) -> tuple[Tensor, Tensor]:
        """How often each move is expected given x alone, and its slope by ψ.

        Returns
        -------
        Tensor, shape (P, K²), and Tensor, shape (P, K², R).
        """
        chains, n_moves = self.chains, self.n_states**2
        # g is what was seen less what is expected, and H the slope of that, whatever the labels
        chains = chains._replace(
            y=np.zeros_like(chains.y), initial=np.full_like(chains.initial, -1)
        )
        data, parts = replace(self, chains=chains), []
        for people in self.parts():
            _, gradient, curvature = data.derivatives(theta, eta, people)
            parts.append((-gradient[:, -n_moves:], curvature[:, -n_moves:]))
        less, slope = (torch.cat(each) for each in zip(*parts, strict=True))
        seen = np.cumsum([0, *(np.diff(chains.edges) - 1)])[chains.owners]
        less[:, 0] += torch.from_numpy(np.diff(seen))
        return less, slope

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
