"""Names of a network's parameters, and their way from standardised units to those of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

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
    matrix, offset : arrays, shapes (n_parameters, n_parameters) and (n_parameters,)
        M and m.
    random : array of int, shape (n_random,)
        Places of the person-specific parameters.
    reported : array of int
        Places that differ by person in units of the data: `random`, and a bias that a
        person-specific weight moves.
    deviations : array, shape (n_persons, n_random)
        η̂, standardised.
    """

    labels: list[str]
    values: NDArray[np.float64]
    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]
    random: NDArray[np.int64]
    reported: NDArray[np.int64]
    deviations: NDArray[np.float64]

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
        n = len(places)
        matrix, offset = np.eye(n), np.zeros(n)
        if linear is not None:
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
        random = np.array([places[key] for key in mixed.parameter_indices()], dtype=np.int64)
        moved = set(np.flatnonzero((matrix[:, random] != 0).any(axis=1)).tolist())
        reported = [*random.tolist(), *sorted(moved - set(random.tolist()))]
        return cls(
            labels=[label(name, index, states) for name, index in places],
            values=np.concatenate([value.reshape(-1) for value in parameters.values()]),
            matrix=matrix,
            offset=offset,
            random=random,
            reported=np.array(reported, dtype=np.int64),
            deviations=mixed.deviations.detach().double().numpy(),
        )

    @property
    def _names(self) -> list[str]:
        return [self.labels[place] for place in self.reported]

    @property
    def _slice(self) -> NDArray[np.float64]:
        """Part of M that maps η to the reported deviations, shape (n_reported, n_random)."""
        return self.matrix[np.ix_(self.reported, self.random)]

    def fixed(self) -> pd.Series:
        """φ and θ̄ by parameter."""
        return pd.Series(
            self.matrix @ self.values + self.offset,
            index=pd.Index(self.labels, name="parameter"),
            name="estimate",
        )

    def random_labels(self) -> list[str]:
        """Labels of the reported person-specific parameters."""
        return self._names

    def random_effects(self, persons: pd.Index[str]) -> pd.DataFrame:
        """η̂, person × parameter."""
        return pd.DataFrame(self.deviations @ self._slice.T, index=persons, columns=self._names)

    def covariance(self, sigma: NDArray[np.float64]) -> pd.DataFrame:
        """Σ, parameter × parameter."""
        part = self._slice
        return pd.DataFrame(part @ sigma @ part.T, index=self._names, columns=self._names)

    def standard_errors(self, posterior: Tensor | None, persons: pd.Index[str]) -> pd.DataFrame:
        """Square roots of the diagonals of M S_i Mᵀ, person × parameter; NaN without a posterior.

        `posterior` has shape (n_persons, n_random, n_random).
        """
        if posterior is None:
            values = np.full((len(persons), len(self._names)), np.nan)
        else:
            part = self._slice
            values = np.sqrt(
                np.einsum("kr,prs,ks->pk", part, posterior.numpy(), part, optimize=True)
            )
        return pd.DataFrame(values, index=persons, columns=self._names)
