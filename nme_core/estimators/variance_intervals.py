"""How certain the variances of a fitted model are, in units of the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from nme_core.estimators.units import DataUnits
from nme_core.training.variance_interval import KnowsVariances

#: What is known of a variance, and what is besides where a value was asked about.
COLUMNS, HELD = ("se", "low", "high"), "held"
_FACTORS, _RESIDUAL = "variance_intervals", "residual_interval"


@dataclass(frozen=True)
class Asked:
    """What is asked of a fit instead of everything: whether intervals hold these values.

    Attributes
    ----------
    by_factor : DataFrame, n_factors × names of parameters
        Of every reported person-specific parameter's variance.
    residual : float
        Of σ²; NaN where there is none.
    readouts : tuple of str
        Of transitions, whose intervals are taken.
    """

    by_factor: pd.DataFrame
    residual: float
    readouts: tuple[str, ...] = ()


@dataclass(frozen=True)
class VarianceIntervals:
    """Standard error and ends of the 95 % interval, NaN where there are none.

    Where values were asked about, also whether the interval holds them (1, 0): its ends are then
    only there where they had not to be searched for.

    Attributes
    ----------
    by_factor : array, shape (n_factors, n_reported, 3 or 4)
        Of every reported person-specific parameter's variance.
    residual : array, shape (3 or 4,)
        Of σ².
    """

    by_factor: NDArray[np.float64]
    residual: NDArray[np.float64]

    @classmethod
    def of(
        cls, problem: Any, units: DataUnits, outcome_sd: float, asked: Asked | None = None
    ) -> Self | None:
        """Read them off a trained problem; None where it does not know them."""
        if not isinstance(problem, KnowsVariances):
            return None
        names = COLUMNS if asked is None else (*COLUMNS, HELD)
        asked_factors, asked_residual = None, None
        if asked is not None:
            asked_factors = asked.by_factor[units.random_labels()].to_numpy(dtype=np.float64)
            asked_residual = asked.residual / outcome_sd**2
        factors = problem.variance_intervals(units.directions, asked_factors)
        found = [[[getattr(one, name) for name in names] for one in own] for own in factors]
        of_residual = problem.residual_interval(asked_residual)
        residual = np.full(len(names), np.nan)
        if of_residual is not None:
            one = of_residual.times(outcome_sd**2)
            residual = np.array([getattr(one, name) for name in names])
        shape = len(factors), len(units.directions), len(names)
        return cls(np.array(found, dtype=np.float64).reshape(shape), residual)

    def tensors(self) -> dict[str, Tensor]:
        """What goes into a file."""
        both = {_FACTORS: self.by_factor, _RESIDUAL: self.residual}
        return {name: torch.from_numpy(np.ascontiguousarray(one)) for name, one in both.items()}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self | None:
        """Undo `tensors`; None where a file has none."""
        if _FACTORS not in tensors:
            return None
        return cls(tensors[_FACTORS].numpy(), tensors[_RESIDUAL].numpy())
