"""Posterior of the person-specific numbers that tests and read-outs use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.estimators.base import NeuralMixedEffects
from nme_core.exceptions import OptionError
from nme_core.training.boundary import ZERO

#: Reliabilities below this are taken for it: a person of whom nothing is known says nothing.
LEAST_RELIABILITY = 0.01

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class PersonPosterior:
    """Normal posterior of linear read-outs T η of every person, deviations from the population.

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
    """

    names: list[str]
    persons: list[str]
    mean: _Array
    covariance: _Array
    prior: _Array
    matrix: _Array

    def estimate(self) -> pd.DataFrame:
        """T η̂, person × read-out."""
        return self._frame(self.mean @ self.matrix.T)

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
        """T η̂ / sqrt(reliability): every person's has the variance T Σ Tᵀ, whatever n_i is."""
        reliability = self.reliability().clip(lower=LEAST_RELIABILITY)
        return self.estimate() / reliability.pow(0.5)

    def draws(self, n: int, seed: int) -> Iterator[pd.DataFrame]:
        """Draws of T η from N(T η̂_i, T C_i Tᵀ), person × read-out."""
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
            yield self._frame((self.mean + moved) @ self.matrix.T)

    def _frame(self, values: _Array) -> pd.DataFrame:
        return pd.DataFrame(values, index=pd.Index(self.persons), columns=self.names)


def person_estimates(model: NeuralMixedEffects, *, centred_transitions: bool) -> pd.DataFrame:
    """T η̂ of every person, as in `PersonPosterior`, for point estimates too."""
    names, own, matrix = _readout(model, centred_transitions)
    mixed = model._posterior.mixed
    mean = mixed.by_factor(mixed.deviations)[0].double().numpy()[:, own]
    return pd.DataFrame(mean @ matrix.T, index=pd.Index(model.groups_.tolist()), columns=names)


def person_posterior(model: NeuralMixedEffects, *, centred_transitions: bool) -> PersonPosterior:
    """Posterior of the persons' parameters of a fitted model.

    Parameters
    ----------
    model : NeuralMixedEffects
        Fitted; with several grouping factors the persons are the first.
    centred_transitions : bool
        The double-centred transition scores; else all person-specific parameters as they are
        reported, divided by the model's standard deviation of each (0 where that is 0).

    Raises
    ------
    OptionError
        For a point estimate, which has no posterior.
    """
    posterior = model._posterior
    spread = posterior.marginal_covariance
    if spread is None:
        raise OptionError(
            "The estimator 'annealed' gives no standard errors, so that there is no posterior.",
            remedy='Guard by "strata", or fit with another estimator.',
        )
    names, own, matrix = _readout(model, centred_transitions)
    mixed = posterior.mixed
    covariance = mixed.by_factor(spread)[0].double().numpy()
    prior = posterior.sigma[0].double().numpy()
    return PersonPosterior(
        names,
        model.groups_.tolist(),
        mixed.by_factor(mixed.deviations)[0].double().numpy()[:, own],
        covariance[:, own] if covariance.ndim == 2 else covariance[:, own][:, :, own],
        prior[own] if prior.ndim == 1 else prior[own][:, own],
        matrix,
    )


def _readout(
    model: NeuralMixedEffects, centred_transitions: bool
) -> tuple[list[str], list[int] | slice, _Array]:
    """Names of the read-outs, the places in η that they are made of, and T."""
    posterior, units = model._posterior, model._units()
    mixed, labels = posterior.mixed, units.random_labels()
    if centred_transitions:
        own = [k for k, (name, _) in enumerate(mixed.parameter_indices()) if name == "transitions"]
        n_states = round(len(own) ** 0.5)
        centre = np.eye(n_states) - 1 / n_states
        return [labels[k] for k in own], own, np.kron(centre, centre)
    matrix = units.deviations(np.eye(mixed.n_random)).T
    variance = _diagonals(matrix, posterior.sigma[:1].double().numpy())[0]
    differs = variance > ZERO * np.square(matrix).sum(axis=1)
    return labels, slice(None), matrix / np.sqrt(np.where(differs, variance, np.inf))[:, None]


def _diagonals(matrix: _Array, covariances: _Array) -> _Array:
    """Diagonals of T C Tᵀ for n covariances, whole (n, R, R) or diagonal (n, R) → (n, d)."""
    if covariances.ndim == 2:
        return np.asarray(covariances @ np.square(matrix).T)
    return np.asarray(np.einsum("kr,prs,ks->pk", matrix, covariances, matrix, optimize=True))
