"""95 % intervals of the transition read-outs of an NME-CRF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, logit
from torch import Tensor

from nme_core.data.sequences import Batch, chunks
from nme_core.estimators.uncertainty import Z, t_quantile
from nme_core.nn import MixedEffects
from nme_core.nn.crf import forward_backward
from nme_core.nn.random_effects import own
from nme_core.training import PersonInformation

#: Draws for ``conditional``, which need no pass over the data, and for ``expected``, which do.
DRAWS, PASSES = 400, 64
#: Probabilities are kept so far from 0 and 1.
_EDGE = 1e-9

Floats = NDArray[np.float64]


def wilson(share: Floats, n: Floats) -> Floats:
    """95 % interval of a share of n independent trials (Wilson 1927), ends first; NaN for n = 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z / (1 + Z**2 / n) * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
        ends = np.stack([centre - half, centre + half])
    return np.where(n > 0, np.clip(ends, 0, 1), np.nan)


def observed_intervals(counts: Floats) -> Floats:
    """Intervals of the shares that were counted, (P + 1, K, K) → (2, P + 1, K, K).

    A person's: Wilson's on the transitions from a state. The population's (the last): Wilson's on
    the number of independent transitions that would leave the share as uncertain as it is over
    persons, n_eff = p(1 − p)/v with v = P/(P − 1) Σ_i (c_i − p n_i)²/(Σ_i n_i)².
    """
    totals = counts.sum(axis=2, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = counts / totals
    n = np.broadcast_to(totals, counts.shape).copy()
    n_persons = len(counts) - 1
    if n_persons > 1:
        rest = counts[:-1] - shares[-1] * totals[:-1]
        variance = n_persons / (n_persons - 1) * (rest**2).sum(axis=0)
        spread = shares[-1] * (1 - shares[-1])
        with np.errstate(invalid="ignore", divide="ignore"):
            effective = spread * totals[-1] ** 2 / variance
        n[-1] = np.where((variance > 0) & (spread > 0), np.minimum(effective, n[-1]), n[-1])
    return wilson(shares, n)


class ModelIntervals:
    """Intervals of what a fitted CRF says of persons' and the population's transitions.

    The joint posterior of shared and person-specific parameters is normal around the fit (see
    `nme_core.training.information`). ``scores`` are linear in it: ± 1.96 standard deviations. For
    ``conditional`` and ``expected`` the standard deviation of the log-odds is taken over draws, and
    the interval is value ± 1.96 of it on that scale. For the population Student's t takes the place
    of 1.96. Persons share the noise of the draws: no interval depends on who else there is.

    Parameters
    ----------
    mixed : MixedEffects
        Network at the fit, deviations of P persons.
    information : PersonInformation
        Of these persons.
    shared : Tensor, shape (p, p)
        V.
    batches : sequence of Batch
        Rows of these persons.
    n_fitted : int
        Persons that the shared parameters were learned from.
    seed : int
        Of the draws.
    """

    def __init__(
        self,
        mixed: MixedEffects,
        information: PersonInformation,
        shared: Tensor,
        batches: Sequence[Batch],
        *,
        n_fitted: int,
        seed: int,
    ) -> None:
        self.mixed, self.information, self.batches = mixed, information, list(chunks(batches))
        self.n_persons = len(information.conditional)
        self.n_states = mixed.fixed()["transitions"].shape[0]
        fixed = mixed.fixed()
        edges = np.cumsum([0, *(fixed[name].numel() for name in information.free)]).tolist()
        spans = (slice(*edge) for edge in pairwise(edges))
        self._places = dict(zip(information.free, spans, strict=True))
        self._shared, self._seed = shared, seed
        self._quantiles = np.full((self.n_persons + 1, 1, 1), Z)
        self._quantiles[-1] = t_quantile(n_fitted)
        names = [name for name, _ in mixed.parameter_indices()]
        self._random = torch.tensor([name == "transitions" for name in names], dtype=torch.bool)

    def _covariance(self, beside: Tensor) -> Tensor:
        """Covariance of A + `beside` φ of all persons, then the population; (P + 1, K², K²).

        `beside` has the shape (K², p).
        """
        slope = beside.clone()
        slope[:, self._places["transitions"]] += torch.eye(self.n_states**2, dtype=slope.dtype)
        slope = slope.expand(self.n_persons + 1, -1, -1).clone()
        own = torch.zeros(self.n_persons + 1, *[self.n_states**2] * 2, dtype=torch.float64)
        if bool(self._random.any()):
            slope[:-1] += self.information.coupling[:, self._random]
            own[:-1] = self.information.conditional[:, self._random][:, :, self._random]
        return own + slope @ self._shared @ slope.transpose(1, 2)

    def scores(self, values: Floats) -> Floats:
        """Of the double-centred scores; (P + 1, K, K) → (2, P + 1, K, K), as the others."""
        centre = torch.eye(self.n_states, dtype=torch.float64) - 1 / self.n_states
        double = torch.kron(centre, centre)
        covariance = self._covariance(self._shared.new_zeros(len(double), len(self._shared)))
        variance = torch.einsum("kr,prs,ks->pk", double, covariance, double).clamp_min(0)
        half = self._quantiles * variance.sqrt().numpy().reshape(values.shape)
        return np.stack([values - half, values + half])

    def conditional(
        self, values: Floats, scores: Floats, emission: Floats, slope: Tensor
    ) -> Floats:
        """Of the softmax of `scores` (A) plus the population's mean `emission` (K,).

        `slope` is that of the emission, see `emission_slope`.
        """
        root = _root(self._covariance(slope.repeat(self.n_states, 1)))
        at = torch.from_numpy(scores + emission)
        generator, spread = torch.Generator().manual_seed(self._seed), _Spread(values)
        for _ in range(DRAWS):
            noise = torch.randn(root.shape[1], 1, generator=generator, dtype=torch.float64)
            spread.add(torch.softmax(at + (root @ noise).view_as(at), dim=2).numpy())
        return spread.interval(self._quantiles)

    def _draws(self, n: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield n draws of what is added to φ, (p,), and to all η_i, (P, R); float32."""
        generator = torch.Generator().manual_seed(self._seed)
        root, coupling = _root(self._shared).float(), self.information.coupling.float()
        own_root = _root(self.information.conditional).float()
        for _ in range(n):
            phi = root @ torch.randn(len(root), generator=generator)
            each = torch.randn(own_root.shape[1], 1, generator=generator)
            yield phi, coupling @ phi + (own_root @ each).squeeze(2)

    @torch.no_grad()
    def expected(self, values: Floats) -> Floats:
        """Of the shares that the model expects on the persons' rows."""
        spread = _Spread(values)
        for phi, eta in self._draws(PASSES):
            fixed = dict(self.mixed.fixed())
            for name, place in self._places.items():
                fixed[name] = fixed[name] + phi[place].view_as(fixed[name])
            deviations = self.mixed.deviations + eta
            counts = torch.zeros(
                self.n_persons + 1, self.n_states, self.n_states, dtype=torch.float64
            )
            for batch in self.batches:
                persons = own(deviations, batch.groups)
                output = self.mixed(batch.x, fixed=fixed, deviations=persons)
                pairwise = forward_backward(output[0], output[1], batch.lengths).pairwise
                counts.index_add_(0, batch.groups[:, 0], pairwise)
                output = self.mixed(batch.x, fixed=fixed, deviations=torch.zeros_like(persons))
                pairwise = forward_backward(output[0], output[1], batch.lengths).pairwise
                counts[-1] += pairwise.sum(0)
            spread.add((counts / counts.sum(2, keepdim=True)).numpy())
        return spread.interval(self._quantiles)


def emission_slope(mixed: MixedEffects, free: Sequence[str], batches: Sequence[Batch]) -> Tensor:
    """Derivative of the population's mean emission score by φ, shape (K, p); float64.

    Parameters
    ----------
    mixed : MixedEffects
        Network at the fit.
    free : sequence of str
        Names of the parameters in φ.
    batches : sequence of Batch
        Rows of the fit.
    """
    fixed = {name: value.detach().clone() for name, value in mixed.fixed().items()}
    n_states, n_rows = fixed["transitions"].shape[0], sum(batch.n_rows for batch in batches)
    rows: list[Tensor] = [torch.zeros(n_states, fixed[name].numel()).double() for name in free]
    with torch.enable_grad():
        leaves = [fixed[name].requires_grad_() for name in free]
        for batch in chunks(batches):
            zero = mixed.deviations.new_zeros(len(batch.groups), mixed.n_random)
            emission = mixed(batch.x, fixed=fixed, deviations=zero)[0]
            total = emission[batch.mask].double().sum(0) / n_rows
            for k in range(n_states):
                parts = torch.autograd.grad(
                    total[k], leaves, retain_graph=True, materialize_grads=True
                )
                for row, part in zip(rows, parts, strict=True):
                    row[k] += part.reshape(-1).double()
    return torch.cat(rows, dim=1)


class _Spread:
    """Standard deviation of log-odds over draws, around those of the values that are shown."""

    def __init__(self, values: Floats) -> None:
        self.at = _log_odds(values)
        self.n, self.sum = 0, np.zeros_like(values)
        self.square = np.zeros_like(values)

    def add(self, values: Floats) -> None:
        """Take in one draw."""
        step = _log_odds(values) - self.at
        self.n += 1
        self.sum += step
        self.square += step**2

    def interval(self, quantiles: Floats) -> Floats:
        """Return the ends of the intervals of ± so many standard deviations, first dimension."""
        variance = (self.square - self.sum**2 / self.n) / (self.n - 1)
        half = quantiles * np.sqrt(np.clip(variance, 0, None))
        return np.stack([expit(self.at - half), expit(self.at + half)])


def _log_odds(values: Floats) -> Floats:
    odds: Floats = logit(np.clip(values, _EDGE, 1 - _EDGE))
    return odds


def _root(covariance: Tensor) -> Tensor:
    """L with L Lᵀ = the covariance, shape (..., n, n), also where it is singular."""
    values, vectors = torch.linalg.eigh(covariance)
    root: Tensor = vectors * values.clamp_min(0).sqrt().unsqueeze(-2)
    return root
