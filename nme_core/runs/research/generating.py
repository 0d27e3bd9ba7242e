"""Studies of new people, drawn from a fitted model.

A new person's η comes from N(0, Σ), moved along a direction with a covariate; rows get features
and outcomes as the model has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from nme_core.estimators import NMECRF, NeuralMixedEffects
from nme_core.exceptions import OptionError
from nme_core.nn.crf import sample_paths
from nme_core.training.boundary import ZERO

Floats = NDArray[np.float64]


def sigma_of(model: NeuralMixedEffects) -> Floats:
    """Σ of people's parameters, (R, R)."""
    sigma: Floats = model._posterior.sigma[0].double().cpu().numpy()
    return np.diag(sigma) if sigma.ndim == 1 else sigma


def root_of(sigma: Floats) -> Floats:
    """A with A Aᵀ = Σ, also where Σ is singular."""
    values, vectors = np.linalg.eigh(sigma)
    return np.asarray(vectors * np.sqrt(values.clip(min=0)))


def remembering(noise: Floats, persons: NDArray[np.intp], at: Floats, rho: float) -> Floats:
    """Residuals of variance 1 that correlate by ρ^Δt from row to row of a person.

    Parameters
    ----------
    noise : array, shape (n,)
        Independent, of variance 1.
    persons : array of int, shape (n,)
    at : array, shape (n,)
        Times.
    rho : float
        Correlation over one unit of time.
    """
    order = np.lexsort((at, persons))
    follows = np.append(False, np.diff(persons[order]) == 0)
    begins = np.maximum.accumulate(np.where(follows, 0, np.arange(len(order))))
    place, found = np.arange(len(order)) - begins, np.array(noise, dtype=np.float64)
    for step in range(1, int(place.max(initial=0)) + 1):
        rows = np.flatnonzero(place == step)
        now, before = order[rows], order[rows - 1]
        tie = np.copysign(abs(rho) ** (at[now] - at[before]), rho)
        found[now] = tie * found[before] + np.sqrt(1 - tie**2) * noise[now]
    return found


@dataclass(frozen=True)
class People:
    """People of whom a study is drawn.

    Attributes
    ----------
    model : NeuralMixedEffects
        Fitted, without hidden layers, with one grouping factor.
    remembers : bool
        Whether residuals are autocorrelated, in rows one unit of time apart.
    per_sequence : int
        Rows of a sequence, of a model of sequences; 0: all rows of a person.
    table : DataFrame, optional
        Features of real rows, index: person, in order of time; new people take those of real ones.
        Without it features are drawn one by one with the mean and SD that the model has of them.
    """

    model: NeuralMixedEffects
    remembers: bool = False
    per_sequence: int = 0
    table: pd.DataFrame | None = None

    def direction(self, matrix: Floats) -> Floats:
        """What moves the mean of some read-outs by one SD of people, and nothing else, (R,).

        Parameters
        ----------
        matrix : array, shape (d, R)
            The read-outs that are moved, all alike.

        Raises
        ------
        OptionError
            Where people do not differ in them.
        """
        sigma = sigma_of(self.model)
        mean = matrix.mean(axis=0)
        variance = float(mean @ sigma @ mean)
        if variance <= ZERO * float(mean @ mean):
            raise OptionError(
                "People do not differ in this, as the model has it: its variance is 0.",
                remedy="Name another one (--on), or fit with another --placement.",
            )
        move = np.linalg.pinv(matrix) @ np.ones(len(matrix))
        return np.asarray(move * np.sqrt(variance))

    def draw(
        self, covariate: Floats, direction: Floats, n_rows: int, rng: np.random.Generator
    ) -> dict[str, Any]:
        """Rows of new people, as `fit` takes them.

        Parameters
        ----------
        covariate : array, shape (P,)
            Of each person, in SD.
        direction : array, shape (R,)
            How far η moves with one SD of it.
        n_rows : int
            Of each person.
        rng : Generator
            Source of chance.
        """
        root, n = root_of(sigma_of(self.model)), len(covariate)
        moved = rng.standard_normal((n, len(root))) @ root.T + np.outer(covariate, direction)
        own = torch.from_numpy(moved).to(self.model._posterior.mixed.deviations.dtype)
        features = self.features(n, n_rows, rng)
        flat = features.reshape(-1, features.shape[-1])
        scaled = self.model._encoder.scaler.transform([flat[:, k] for k in range(flat.shape[1])])
        x = torch.from_numpy(scaled).double().reshape(n, n_rows, -1)
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        groups = pd.Series(np.repeat([f"P{i + 1:04d}" for i in range(n)], n_rows), dtype="str")
        names = [str(name) for name in self.model.feature_names_in_]
        rows = {"X": pd.DataFrame(flat, columns=names), "groups": groups}
        if isinstance(self.model, NMECRF):
            return {**rows, **self._states(x, own, groups, generator)}
        outcome = pd.Series(self._outcomes(x, own, generator))
        if not self.remembers:
            return {**rows, "y": outcome}
        return {**rows, "y": outcome, "times": np.tile(np.arange(float(n_rows)), n)}

    def features(self, n: int, n_rows: int, rng: np.random.Generator) -> Floats:
        """Features of n people, (n, n_rows, F)."""
        if self.table is not None:
            return self._of_real_rows(n, n_rows, rng)
        scaler = self.model._encoder.scaler
        drawn = scaler.mean + scaler.sd * rng.standard_normal((n, n_rows, len(scaler.mean)))
        for k, share in self.two_valued().items():
            high = rng.random((n, n_rows)) < share
            drawn[..., k] = np.where(high, scaler.high[k], scaler.low[k])
        return np.asarray(drawn, dtype=np.float64)

    def two_valued(self) -> dict[int, float]:
        """Features with two values, by their mean and SD, and the share of the higher one."""
        scaler = self.model._encoder.scaler
        low, high, mean, sd = scaler.low, scaler.high, scaler.mean, scaler.sd
        room = (mean - low) * (high - mean)
        return {
            k: float((mean[k] - low[k]) / (high[k] - low[k]))
            for k in range(len(mean))
            if high[k] > low[k] and abs(room[k] - sd[k] ** 2) < 1e-6 * sd[k] ** 2
        }

    def _of_real_rows(self, n: int, n_rows: int, rng: np.random.Generator) -> Floats:
        assert self.table is not None
        names = [str(name) for name in self.model.feature_names_in_]
        real = [one.to_numpy(np.float64) for _, one in self.table[names].groupby(level=0)]
        drawn = np.empty((n, n_rows, len(names)))
        for i, which in enumerate(rng.integers(len(real), size=n)):
            rows = real[which]
            start = rng.integers(len(rows))
            drawn[i] = rows[(start + np.arange(n_rows)) % len(rows)]
        return drawn

    @torch.no_grad()
    def _outcomes(self, x: torch.Tensor, own: torch.Tensor, generator: torch.Generator) -> Any:
        posterior = self.model._posterior
        output = posterior.mixed(x, deviations=own).double()
        variance = posterior.residual_variance
        if self.remembers:
            rho = float(self.model.residual_autocorrelation_)
            n, n_rows = output.shape[:2]
            noise = torch.randn(n * n_rows, generator=generator, dtype=torch.float64).numpy()
            persons, at = np.repeat(np.arange(n), n_rows), np.tile(np.arange(float(n_rows)), n)
            own = torch.from_numpy(remembering(noise, persons, at, rho)).reshape(n, n_rows)
            drawn = output[..., 0] + variance**0.5 * own
        else:
            family: Any = self.model._family()
            drawn = family.sample(output, variance, generator)
        return self.model._outcome.decode(drawn.double().reshape(-1).numpy())

    @torch.no_grad()
    def _states(
        self, x: torch.Tensor, own: torch.Tensor, groups: pd.Series, generator: torch.Generator
    ) -> dict[str, pd.Series]:
        n, n_rows = x.shape[:2]
        size = min(self.per_sequence or n_rows, n_rows)
        emissions, transitions = self.model._posterior.mixed(x, deviations=own)
        paths = np.empty((n, n_rows), dtype=np.int64)
        for start in range(0, n_rows, size):
            piece = emissions[:, start : start + size]
            lengths = torch.full((n,), piece.shape[1], dtype=torch.int64)
            found = sample_paths(piece.double(), transitions.double(), lengths, generator)
            paths[:, start : start + size] = found.numpy()
        ids = groups + "/" + pd.Series(np.tile(np.arange(n_rows) // size, n)).astype("str")
        states = pd.Series(self.model.classes_[paths.reshape(-1)])
        return {"y": states, "sequence_ids": ids}
