"""95 % intervals of the transition read-outs of an NME-CRF."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, logit
from torch import Tensor

from nme_core.batches.sequences import Batch, chunks
from nme_core.estimators.stationary_chain import log_slope
from nme_core.estimators.uncertainty import Z, t_quantile
from nme_core.nn import MixedEffects
from nme_core.nn.crf import forward_backward
from nme_core.nn.random_effects import own
from nme_core.training import PersonInformation
from nme_core.training.exact_chain import chain_data, chain_places, chain_theta, is_linear_chain

#: Draws for ``expected``, each of which needs a pass over the data.
PASSES = 64
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
    `nme_core.training.information`). ``scores`` are linear in it: ± 1.96 standard deviations. Of
    ``conditional`` and ``expected`` the interval is ± 1.96 standard deviations of the log-odds, by
    the delta method; those of ``expected`` with hidden layers over draws, whose noise people share:
    no interval depends on who else there is. For the population Student's t takes the place of
    1.96.

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

    def _covariance(self, emission: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Covariance of A, and of s behind it, of all persons, then the population; (P + 1, n, n).

        `emission` holds the slopes of s, see `emission_slopes`; n = K², with them K² + K.
        """
        n_moves, n_random = self.n_states**2, self.information.conditional.shape[1]
        rows, n_phi = n_moves + (0 if emission is None else self.n_states), len(self._shared)
        phi = torch.zeros(self.n_persons + 1, rows, n_phi, dtype=torch.float64)
        eta = torch.zeros(self.n_persons, rows, n_random, dtype=torch.float64)
        eye = torch.eye(n_moves, dtype=torch.float64)
        phi[:, :n_moves, self._places["transitions"]] = eye
        if bool(self._random.any()):
            eta[:, :n_moves, self._random] = eye
        if emission is not None:
            phi[:, n_moves:], eta[:, n_moves:] = emission[0], emission[1][:-1]
        phi[:-1] += eta @ self.information.coupling
        result = phi @ self._shared @ phi.transpose(1, 2)
        result[:-1] += eta @ self.information.conditional @ eta.transpose(1, 2)
        return result

    def scores(self, values: Floats) -> Floats:
        """Of the double-centred scores; (P + 1, K, K) → (2, P + 1, K, K), as the others."""
        centre = torch.eye(self.n_states, dtype=torch.float64) - 1 / self.n_states
        double = torch.kron(centre, centre)
        covariance = self._covariance()
        variance = torch.einsum("kr,prs,ks->pk", double, covariance, double).clamp_min(0)
        half = self._quantiles * variance.sqrt().numpy().reshape(values.shape)
        return np.stack([values - half, values + half])

    def conditional(self, values: Floats, emission: tuple[Tensor, Tensor]) -> Floats:
        """Of the stationary chains, on the scale of log-odds, by the delta method.

        `emission` holds the slopes of the emission scores, see `emission_slopes`.
        """
        slope, covariance = log_slope(values), self._covariance(emission).numpy()
        variance = np.einsum("pkr,prs,pks->pk", slope, covariance, slope, optimize=True)
        return self._about(values, variance)

    def _about(self, values: Floats, variance: Floats) -> Floats:
        """Intervals of shares the logs of which have these variances, (P + 1, K²)."""
        kept = np.clip(values, _EDGE, 1 - _EDGE)
        half = np.sqrt(np.clip(variance, 0, None)).reshape(values.shape) / (1 - kept)
        half, at = self._quantiles * half, logit(kept)
        return np.stack([expit(at - half), expit(at + half)])

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
        """Of the shares that the model expects on the people's rows: by the delta method where the
        emissions are linear, else by draws.
        """
        if is_linear_chain(self.mixed):
            return self._about(values, self._variance_of_expected())
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

    def _variance_of_expected(self) -> Floats:
        """Of the logs of the shares, (P + 1, K²)."""
        mixed, n = self.mixed, self.n_states
        data, theta = chain_data(mixed, self.batches, self.n_persons), chain_theta(mixed)
        eta = mixed.deviations.detach().double()
        people = data.expected_moves(theta, eta)
        everybody = data.expected_moves(theta, torch.zeros_like(eta))
        counts, slope = (
            torch.cat([own, each.sum(0, keepdim=True)]).view(-1, n, n, *each.shape[2:])
            for own, each in zip(people, everybody, strict=True)
        )
        leave = slope.sum(2, keepdim=True) / counts.sum(2, keepdim=True).unsqueeze(3)
        slope = (slope / counts.clamp_min(_EDGE).unsqueeze(3) - leave).flatten(1, 2)
        places = chain_places(mixed)
        by_name = [places[name] for name in self.information.free]
        phi, own = slope[:, :, torch.cat(by_name)], slope[:-1, :, data.places]
        phi[:-1] += own @ self.information.coupling
        variance = torch.einsum("pkr,rs,pks->pk", phi, self._shared, phi)
        variance[:-1] += ((own @ self.information.conditional) * own).sum(2)
        found: Floats = variance.numpy()
        return found


def emission_slopes(mixed: MixedEffects, free: Sequence[str], x: Tensor) -> tuple[Tensor, Tensor]:
    """Derivatives of the emission scores at features x, (F,), of every person, then the population.

    Returns
    -------
    by φ, Tensor, shape (P + 1, K, p), and by η, Tensor, shape (P + 1, K, R); float64.
    """
    names = tuple(dict.fromkeys([*free, *mixed.random]))
    sizes = [mixed.fixed()[name].numel() for name in names]
    both = MixedEffects(copy.deepcopy(mixed.module), names, mixed.n_groups).double()
    given, n_groups = mixed.by_parameter(mixed.deviations.detach().double()), mixed.n_groups
    parts = [
        given.get(name, torch.zeros(n_groups, size, dtype=torch.float64))
        for name, size in zip(names, sizes, strict=True)
    ]
    each = torch.cat([torch.cat(parts, dim=1), torch.zeros(1, sum(sizes), dtype=torch.float64)])
    rows = x.double().expand(len(each), 1, -1)
    slopes = both.jacobian(rows, each, lambda output: output[0])[:, 0]
    by_name = dict(zip(names, torch.split(slopes, sizes, dim=2), strict=True))
    none = slopes[:, :, :0]
    return (
        torch.cat([none, *(by_name[name] for name in free)], dim=2),
        torch.cat([none, *(by_name[name] for name in mixed.random)], dim=2),
    )


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
