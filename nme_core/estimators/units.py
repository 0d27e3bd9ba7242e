"""Names of a network's parameters, and their way from standardised units to those of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.data.scaling import FeatureScaler
from nme_core.nn import MixedEffects


def label(name: str, index: Sequence[int], states: Sequence[str]) -> str:
    """``<torch name>[indices]``; the indices of ``transitions`` are state names."""
    parts = [states[k] if name == "transitions" else str(k) for k in index]
    return f"{name}[{','.join(parts)}]"


@dataclass(frozen=True)
class DataUnits:
    """Linear map θ_data = M θ + m, which is the identity but for the layer of a linear network.

    With inputs (x − μ_x)/s_x and outcome (y − μ_y)/s_y, a linear layer W, b means in the data

        W_data[o,k] = s_y W[o,k]/s_x[k]
        b_data[o] = μ_y + s_y ( b[o] − Σ_k W[o,k] μ_x[k]/s_x[k] )

    Attributes
    ----------
    labels : list of str
        All parameters, in the order of the network.
    values : array, shape (n_parameters,)
        φ and θ̄, standardised.
    matrix, offset : arrays, shapes (n_parameters, n_parameters) and (n_parameters,), or None
        M and m; None where nothing changes.
    random : array of int, shape (n_random,)
        Places of the person-specific parameters.
    reported : array of int
        Places that differ by person in units of the data: `random`, and a bias that a
        person-specific weight moves.
    """

    labels: list[str]
    values: NDArray[np.float64]
    matrix: NDArray[np.float64] | None
    offset: NDArray[np.float64] | None
    random: NDArray[np.int64]
    reported: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        mixed: MixedEffects,
        *,
        states: Sequence[str],
        linear: str | None,
        scaler: FeatureScaler,
        outcome: tuple[float, float],
    ) -> DataUnits:
        """Read the map off a network.

        Parameters
        ----------
        mixed : MixedEffects
            Fitted network.
        states : sequence of str
            Names of the states of a CRF.
        linear : str, optional
            Name of the only layer; None for a network with hidden layers.
        scaler : FeatureScaler
            Mean and sd of the inputs.
        outcome : tuple of float
            Mean and sd of the outcome.
        """
        parameters = {k: v.detach().double().numpy() for k, v in mixed.fixed().items()}
        places = {
            (name, index): place
            for place, (name, index) in enumerate(
                (name, index)
                for name, value in parameters.items()
                for index in product(*(range(size) for size in value.shape))
            )
        }
        random = np.array([places[key] for key in mixed.parameter_indices()], dtype=np.int64)
        matrix, offset, reported = None, None, random
        if linear is not None:
            matrix, offset = np.eye(len(places)), np.zeros(len(places))
            weight = parameters[f"{linear}.weight"]
            flags = weight.shape[1] - len(scaler.mean)
            mean = np.concatenate([scaler.mean, np.zeros(flags)])
            sd = np.concatenate([scaler.sd, np.ones(flags)])
            for o, k in np.ndindex(*weight.shape):
                slope = places[f"{linear}.weight", (o, k)]
                bias = places[f"{linear}.bias", (o,)]
                matrix[slope, slope] = outcome[1] / sd[k]
                matrix[bias, slope] = -outcome[1] * mean[k] / sd[k]
                matrix[bias, bias] = outcome[1]
                offset[bias] = outcome[0]
            moved = np.flatnonzero((matrix[:, random] != 0).any(axis=1))
            reported = np.concatenate([random, np.setdiff1d(moved, random)])
        return cls(
            labels=[label(name, index, states) for name, index in places],
            values=np.concatenate([value.reshape(-1) for value in parameters.values()]),
            matrix=matrix,
            offset=offset,
            random=random,
            reported=reported,
        )

    @property
    def _slice(self) -> NDArray[np.float64] | None:
        """Part of M that maps η to the reported deviations, shape (n_reported, n_random)."""
        if self.matrix is None:
            return None
        return self.matrix[np.ix_(self.reported, self.random)]

    def fixed(self) -> pd.Series:
        """φ and θ̄ by parameter."""
        values = self.values
        if self.matrix is not None and self.offset is not None:
            values = self.matrix @ values + self.offset
        return pd.Series(
            values,
            index=pd.Index(self.labels, name="parameter"),
            name="estimate",
        )

    def shared_covariance(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Covariance of φ and θ̄, all of them, in units of the data."""
        return values if self.matrix is None else self.matrix @ values @ self.matrix.T

    def random_labels(self) -> list[str]:
        """Labels of the reported person-specific parameters."""
        return [self.labels[place] for place in self.reported]

    def deviations(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """η of groups, (n, n_random) → (n, n_reported)."""
        part = self._slice
        return values if part is None else values @ part.T

    def covariance(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Covariance of η, given whole or by its diagonal → (n_reported, n_reported)."""
        matrix = np.diag(values) if values.ndim == 1 else values
        part = self._slice
        return matrix if part is None else part @ matrix @ part.T

    def variances(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Variances of η from n covariances, whole or diagonal → (n, n_reported)."""
        part = self._slice
        if values.ndim == 2:
            return values if part is None else values @ np.square(part).T
        if part is None:
            return np.diagonal(values, axis1=1, axis2=2)
        return np.asarray(np.einsum("kr,prs,ks->pk", part, values, part, optimize=True))
