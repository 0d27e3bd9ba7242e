"""How certain the variances of a fitted model are, in units of the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nme_core.estimators.units import DataUnits
from nme_core.training.variance_interval import KnowsVariances

_FACTORS, _RESIDUAL = "variance_intervals", "residual_interval"


@dataclass(frozen=True)
class VarianceIntervals:
    """Standard error and ends of the 95 % interval, NaN where there are none.

    Attributes
    ----------
    by_factor : array, shape (n_factors, n_reported, 3)
        Of every reported person-specific parameter's variance.
    residual : array, shape (3,)
        Of σ².
    """

    by_factor: NDArray[np.float64]
    residual: NDArray[np.float64]

    @classmethod
    def of(cls, problem: Any, units: DataUnits, outcome_sd: float) -> Self | None:
        """Read them off a trained problem; None where it does not know them."""
        if not isinstance(problem, KnowsVariances):
            return None
        factors = problem.variance_intervals(units.directions)
        found = [[[one.se, one.low, one.high] for one in factor] for factor in factors]
        of_residual = problem.residual_interval()
        residual = np.full(3, np.nan)
        if of_residual is not None:
            one = of_residual.times(outcome_sd**2)
            residual = np.array([one.se, one.low, one.high])
        shape = len(factors), len(units.directions), 3
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
