"""Names of a network's parameters, and their way from standardised units to those of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, lil_array

from nme_core.batches.scaling import FeatureScaler
from nme_core.estimators.families import Outcome
from nme_core.nn import MixedEffects, against_first


def label(name: str, index: Sequence[int], states: Sequence[str]) -> str:
    """``<torch name>[indices]``; the indices of ``transitions`` are state names."""
    parts = [states[k] if name == "transitions" else str(k) for k in index]
    return f"{name}[{','.join(parts)}]"


@dataclass(frozen=True)
class DataUnits:
    """Linear map θ_data = M θ + m from the network's parameters to those that are reported.

    It is the identity but for a linear network and for the last layer of a model of classes.

    With inputs (x − μ_x)/s_x and outcome (y − μ_y)/s_y, a linear layer W, b means in the data

        W_data[o,k] = s_y W[o,k]/s_x[k]
        b_data[o] = μ_y + s_y ( b[o] − Σ_k W[o,k] μ_x[k]/s_x[k] )

    and with the K − 1 outputs h of a model of K classes or states, whose scores are B h, the last
    layer is reported as log-odds L h of every other class against the first (see `against_first`).

    Attributes
    ----------
    labels : list of str
        All parameters, in the order of the network.
    values : array, shape (n_parameters,)
        φ and θ̄, standardised.
    matrix : sparse array, shape (n_parameters, n_parameters)
        M.
    offset : array, shape (n_parameters,)
        m.
    random : array of int, shape (n_random,)
        Places of the person-specific parameters.
    reported : array of int
        Places that differ by person in units of the data: `random`, and a bias that a
        person-specific weight moves.
    left_out : array of int
        Places of weights that are 0, of inputs that a linear model leaves out.
    """

    labels: list[str]
    values: NDArray[np.float64]
    matrix: csr_array
    offset: NDArray[np.float64]
    random: NDArray[np.int64]
    reported: NDArray[np.int64]
    left_out: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        mixed: MixedEffects,
        layers: int,
        scaler: FeatureScaler,
        outcome: Outcome,
    ) -> DataUnits:
        """Read the map off a fitted network.

        Of one layer its inputs' units, `scaler`, count; of more only those of the outputs.
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
        last = f"{outcome.layers}layers.{layers - 1}"
        matrix, offset = _identity(len(places)), np.zeros(len(places))
        if layers == 1:
            matrix = _scaled(
                places, last, parameters[f"{last}.weight"].shape, scaler, outcome.scale
            )
            n_outputs = len(parameters[f"{last}.bias"])
            offset[[places[f"{last}.bias", (o,)] for o in range(n_outputs)]] = outcome.scale[0]
        classes = outcome.contrasted
        if len(classes) > 2:
            matrix = _as_log_odds(places, last, len(classes)) @ matrix
        moved = np.flatnonzero(np.diff(csr_array(matrix[:, random]).indptr))
        return cls(
            labels=[label(name, index, classes) for name, index in places],
            values=np.concatenate([value.reshape(-1) for value in parameters.values()]),
            matrix=matrix,
            offset=offset,
            random=random,
            reported=np.concatenate([random, np.setdiff1d(moved, random)]),
            left_out=np.array(
                [
                    place
                    for (name, index), place in places.items()
                    if name == f"{last}.weight" and index[1] in scaler.left_out
                ],
                dtype=np.int64,
            ),
        )

    @property
    def labels_left_out(self) -> set[str]:
        """Labels of these."""
        return {self.labels[place] for place in self.left_out}

    @cached_property
    def _slice(self) -> NDArray[np.float64]:
        """Part of M that maps η to the reported deviations, shape (n_reported, n_random)."""
        part: NDArray[np.float64] = self.matrix[self.reported][:, self.random].toarray()
        return part

    @property
    def directions(self) -> NDArray[np.float64]:
        """c of every reported deviation cᵀη, shape (n_reported, n_random)."""
        return self._slice

    def fixed(self) -> pd.Series:
        """φ and θ̄ by parameter."""
        return pd.Series(
            self.matrix @ self.values + self.offset,
            index=pd.Index(self.labels, name="parameter"),
            name="estimate",
        )

    def shared_covariance(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Covariance of φ and θ̄, all of them, in units of the data."""
        return np.asarray(self.matrix @ (self.matrix @ values).T)

    def random_labels(self) -> list[str]:
        """Labels of the reported person-specific parameters."""
        return [self.labels[place] for place in self.reported]

    def deviations(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """η of groups, (n, n_random) → (n, n_reported)."""
        return values @ self._slice.T

    def covariance(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Covariance of η, given whole or by its diagonal → (n_reported, n_reported)."""
        matrix = np.diag(values) if values.ndim == 1 else values
        return self._slice @ matrix @ self._slice.T

    def variances(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Variances of η from n covariances, whole or diagonal → (n, n_reported)."""
        part = self._slice
        if values.ndim == 2:
            return values @ np.square(part).T
        return np.asarray(np.einsum("kr,prs,ks->pk", part, values, part, optimize=True))


_Places = dict[tuple[str, tuple[int, ...]], int]


def _identity(n: int) -> csr_array:
    return csr_array(eye_array(n, format="csr"))


def _scaled(
    places: _Places,
    layer: str,
    shape: tuple[int, ...],
    scaler: FeatureScaler,
    outcome: tuple[float, float],
) -> csr_array:
    """M of the only layer of a linear network, from standardised units to those of the data."""
    matrix = lil_array(_identity(len(places)))
    flags = shape[1] - len(scaler.mean)
    mean = np.concatenate([scaler.mean, np.zeros(flags)])
    sd = np.concatenate([scaler.sd, np.ones(flags)])
    for o, k in np.ndindex(*shape):
        slope, bias = places[f"{layer}.weight", (o, k)], places[f"{layer}.bias", (o,)]
        matrix[slope, slope] = outcome[1] / sd[k]
        matrix[bias, slope] = -outcome[1] * mean[k] / sd[k]
        matrix[bias, bias] = outcome[1]
    return csr_array(matrix)


def _as_log_odds(places: _Places, layer: str, n_classes: int) -> csr_array:
    """M of the last layer of a model of classes, from contrasts to log-odds."""
    matrix, odds = lil_array(_identity(len(places))), against_first(n_classes).numpy()
    for (name, index), place in places.items():
        if name.startswith(f"{layer}."):
            for other, value in enumerate(odds[index[0]]):
                matrix[place, places[name, (other, *index[1:])]] = value
    return csr_array(matrix)
