"""Posterior of the person-specific numbers that tests and read-outs use.

A read-out of a person is linear in η_i, or nearly so around the population: the log-odds of moves.
Reliability goes by its slope there, which is the same for all persons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.special import logit

from nme_core.estimators.base import NeuralMixedEffects
from nme_core.estimators.nme_crf import NMECRF
from nme_core.exceptions import OptionError
from nme_core.training.boundary import ZERO

#: Reliabilities below this are taken for it: a person of whom nothing is known says nothing.
LEAST_RELIABILITY = 0.01

#: Probabilities are kept so far from 0 and 1.
EDGE = 1e-6

_Array = NDArray[np.float64]


class Known(Protocol):
    """What is known of read-outs of every person, differences from the population."""

    def estimate(self) -> pd.DataFrame:
        """Person × read-out."""

    def reliability(self) -> pd.DataFrame:
        """Between 0 and 1, person × read-out."""

    def reliability_together(self, *, standardise: bool) -> float:
        """Of all read-outs, 0 to 1."""

    def unshrunken(self) -> pd.DataFrame:
        """Estimates whose spread does not depend on how often a person was observed."""

    def draws(self, n: int, seed: int) -> Iterator[pd.DataFrame]:
        """Draws from the posterior, person × read-out."""


def unshrink(estimate: pd.DataFrame, reliability: pd.DataFrame) -> pd.DataFrame:
    """Estimates divided by the root of their reliability."""
    return estimate / reliability.clip(lower=LEAST_RELIABILITY).pow(0.5)


@dataclass(frozen=True)
class PersonPosterior:
    """Normal posterior of η, and read-outs T η of every person, deviations from the population.

    Attributes
    ----------
    names : list of str
        The d read-outs.
    persons : list of str
    mean : array, shape (P, R)
        η̂.
    covariance : array, shape (P, R, R), or (P, R) where it is diagonal
        C_i.
    prior : array, shape (R, R), or (R,) where it is diagonal
        Σ.
    matrix : array, shape (d, R)
        T.
    read : callable, optional
        The read-outs at η, (n, R) → (n, d), where they are not linear; T is then their slope at 0.
    """

    names: list[str]
    persons: list[str]
    mean: _Array
    covariance: _Array
    prior: _Array
    matrix: _Array
    read: Callable[[_Array], _Array] | None = None

    def estimate(self) -> pd.DataFrame:
        """The read-outs at η̂, person × read-out."""
        return self._frame(self._at(self.mean))

    def reliability(self) -> pd.DataFrame:
        """1 − (T C_i Tᵀ)_kk / (T Σ Tᵀ)_kk, between 0 and 1, person × read-out; 0 where Σ is."""
        left = _diagonals(self.matrix, self.covariance)
        prior = _diagonals(self.matrix, self.prior[None])
        differs = prior > ZERO * np.square(self.matrix).sum(axis=1)
        share = np.divide(
            left, prior, out=np.ones_like(left), where=np.broadcast_to(differs, left.shape)
        )
        return self._frame(np.clip(1 - share, 0.0, 1.0))

    def reliability_together(self, *, standardise: bool) -> float:
        """Reliability in the directions in which persons' estimates differ, 0 to 1.

        Along each principal direction u of the covariance of T η̂ over persons, of variance v, it is
        1 − uᵀ C u / uᵀ S u with C the mean of T C_i Tᵀ and S = T Σ Tᵀ; the directions are weighted
        by v. Numbers that a person's rows cannot tell apart, such as the weights of a layer, can be
        unreliable one by one and reliable in what they make together. NaN where estimates do not
        differ.

        Parameters
        ----------
        standardise : bool
            Whether each read-out is divided by its standard deviation over persons first.
        """
        covariances = (
            np.atleast_2d(np.cov(self.mean.T, ddof=0)),
            self.covariance.mean(0),
            self.prior,
        )
        seen, left, prior = (self._read_out(one) for one in covariances)
        if standardise:
            sd = np.sqrt(np.diag(seen))
            scale = np.divide(1.0, sd, out=np.zeros_like(sd), where=sd > 0)
            seen, left, prior = (scale[:, None] * one * scale for one in (seen, left, prior))
        variance, directions = np.linalg.eigh(seen)
        kept = variance > 1e-12 * variance.max(initial=0.0)
        variance, directions = variance[kept], directions[:, kept]
        if not len(variance):
            return np.nan
        unknown, all_ = (
            np.einsum("rk,rs,sk->k", directions, one, directions) for one in (left, prior)
        )
        single = np.clip(1 - unknown / all_, 0.0, 1.0)
        return float(np.average(single, weights=variance))

    def _read_out(self, covariance: _Array) -> _Array:
        """T C Tᵀ of one covariance, whole or by its diagonal, shape (d, d)."""
        left = self.matrix * covariance if covariance.ndim == 1 else self.matrix @ covariance
        return np.asarray(left @ self.matrix.T)

    def unshrunken(self) -> pd.DataFrame:
        """Estimate / sqrt(reliability): everybody's has the variance T Σ Tᵀ, whatever n_i is."""
        return unshrink(self.estimate(), self.reliability())

    def draws(self, n: int, seed: int) -> Iterator[pd.DataFrame]:
        """Draws of the read-outs at η from N(η̂_i, C_i), person × read-out."""
        rng = np.random.default_rng(seed)
        if self.covariance.ndim == 2:
            root = np.sqrt(self.covariance)
        else:
            size = np.maximum(np.einsum("prr->p", self.covariance), 1e-30)
            jitter = 1e-10 * size[:, None, None] * np.eye(self.covariance.shape[1])
            root = np.linalg.cholesky(self.covariance + jitter)
        for _ in range(n):
            noise = rng.standard_normal(self.mean.shape)
            moved = root * noise if root.ndim == 2 else np.einsum("prs,ps->pr", root, noise)
            yield self._frame(self._at(self.mean + moved))

    def _at(self, deviations: _Array) -> _Array:
        return deviations @ self.matrix.T if self.read is None else self.read(deviations)

    def _frame(self, values: _Array) -> pd.DataFrame:
        return pd.DataFrame(values, index=pd.Index(self.persons), columns=self.names)


@dataclass(frozen=True)
class MarginalPosterior:
    """Read-outs of every person that are known by their estimates and standard errors alone.

    Attributes
    ----------
    values : DataFrame, person × read-out
        Differences from the population.
    se, single : DataFrame, person × read-out
        Standard errors, and reliability.
    """

    values: pd.DataFrame
    se: pd.DataFrame
    single: pd.DataFrame

    def estimate(self) -> pd.DataFrame:
        """As `Known`."""
        return self.values

    def reliability(self) -> pd.DataFrame:
        """As `Known`."""
        return self.single

    def reliability_together(self, *, standardise: bool) -> float:
        """The mean over persons, weighted by how much each read-out differs between them."""
        spread = self.values.var(ddof=0)
        weight = (spread > 0).astype(float) if standardise else spread
        known = self.single.mean()
        return float((weight * known).sum() / weight.sum()) if weight.sum() > 0 else np.nan

    def unshrunken(self) -> pd.DataFrame:
        """As `Known`."""
        return unshrink(self.values, self.single)

    def draws(self, n: int, seed: int) -> Iterator[pd.DataFrame]:
        """Draws of each read-out by itself: how errors of two go together is not known."""
        rng = np.random.default_rng(seed)
        for _ in range(n):
            yield self.values + self.se * rng.standard_normal(self.values.shape)


#: What of a person is read off: log-odds of moves, double-centred scores, or all that is fitted.
MOVES, SCORES, WEIGHTS = "moves", "scores", "weights"


def person_estimates(model: NeuralMixedEffects, of: str) -> pd.DataFrame:
    """Read-outs of every person, as in `PersonPosterior`, for point estimates too."""
    one = _readout(model, of)
    values = _means(model)[:, one.own]
    found = values @ one.matrix.T if one.read is None else one.read(values)
    return pd.DataFrame(found, index=pd.Index(model.groups_.tolist()), columns=one.names)


def person_posterior(model: NeuralMixedEffects, of: str) -> PersonPosterior:
    """Posterior of the persons' parameters of a fitted model.

    Parameters
    ----------
    model : NeuralMixedEffects
        Fitted; with several grouping factors the persons are the first.
    of : {"moves", "scores", "weights"}
        The log-odds of where next from each state at average features; the double-centred
        transition scores; or all person-specific parameters as they are reported, divided by the
        model's standard deviation of each (0 where that is 0).

    Raises
    ------
    OptionError
        For a point estimate, which has no posterior; for scores that all persons share.
    """
    posterior = model._posterior
    spread = posterior.marginal_covariance
    if spread is None:
        raise OptionError(
            "The estimator 'annealed' gives no standard errors, so it has no posterior.",
            remedy='Guard by "strata", or fit with another estimator.',
        )
    one = _readout(model, of)
    covariance = posterior.mixed.by_factor(spread)[0].double().numpy()
    prior, own = posterior.sigma[0].double().numpy(), one.own
    return PersonPosterior(
        one.names,
        model.groups_.tolist(),
        _means(model)[:, own],
        covariance[:, own] if covariance.ndim == 2 else covariance[:, own][:, :, own],
        prior[own] if prior.ndim == 1 else prior[own][:, own],
        one.matrix,
        one.read,
    )


@dataclass(frozen=True)
class _ReadOut:
    """Names of read-outs, the places in η that they are made of, T, and what is not linear."""

    names: list[str]
    own: list[int] | slice
    matrix: _Array
    read: Callable[[_Array], _Array] | None = None


def _means(model: NeuralMixedEffects) -> _Array:
    mixed = model._posterior.mixed
    return np.asarray(mixed.by_factor(mixed.deviations.detach())[0].double().numpy())


def _readout(model: NeuralMixedEffects, of: str) -> _ReadOut:
    if of == MOVES and isinstance(model, NMECRF):
        return _moves(model)
    posterior, units = model._posterior, model._units()
    mixed, labels = posterior.mixed, units.random_labels()
    if of == SCORES:
        own = [k for k, (name, _) in enumerate(mixed.parameter_indices()) if name == "transitions"]
        if not own:
            raise OptionError(
                "All people share the transition scores of this model.",
                remedy='Read off "moves", or fit with transitions of everybody\'s own.',
            )
        n_states = round(len(own) ** 0.5)
        centre = np.eye(n_states) - 1 / n_states
        return _ReadOut([labels[k] for k in own], own, np.kron(centre, centre))
    matrix = units.deviations(np.eye(mixed.n_random)).T
    variance = _diagonals(matrix, posterior.sigma[:1].double().numpy())[0]
    differs = variance > ZERO * np.square(matrix).sum(axis=1)
    scaled = matrix / np.sqrt(np.where(differs, variance, np.inf))[:, None]
    return _ReadOut(labels, slice(None), scaled)


def _moves(model: NMECRF) -> _ReadOut:
    """Log-odds of where next from each state, less the population's."""
    moves, mixed = model._moves, model._posterior.mixed
    shared = _log_odds(moves.chains_at(mixed, torch.zeros(1, mixed.n_random)))

    def read(deviations: _Array) -> _Array:
        return _log_odds(moves.chains_at(mixed, torch.from_numpy(deviations))) - shared

    names = [move_name(start, end) for start in model.classes_ for end in model.classes_]
    return _ReadOut(names, slice(None), moves.chain_slope(mixed), read)


def move_name(start: str, end: str) -> str:
    """What the log-odds of a move are called in tables."""
    return f"{MOVES}[{start},{end}]"


def _log_odds(chains: _Array) -> _Array:
    return np.asarray(logit(np.clip(chains, EDGE, 1 - EDGE)).reshape(len(chains), -1))


def _diagonals(matrix: _Array, covariances: _Array) -> _Array:
    """Diagonals of T C Tᵀ for n covariances, whole (n, R, R) or diagonal (n, R) → (n, d)."""
    if covariances.ndim == 2:
        return np.asarray(covariances @ np.square(matrix).T)
    return np.asarray(np.einsum("kr,prs,ks->pk", matrix, covariances, matrix, optimize=True))
