"""What is learned, checked and predicted where residuals are Gaussian and may remember."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from nme_core.estimators.inputs import Labels, Table, check_lengths, read_groups
from nme_core.estimators.options import AUTO, check_choice
from nme_core.estimators.residuals import (
    RESIDUALS,
    ResidualProcess,
    read_times,
    restored,
    rows_before,
    usable,
)
from nme_core.estimators.units import DataUnits
from nme_core.exceptions import FallbackWarning, OptionError
from nme_core.training import LinearGaussian, Variational, next_expected
from nme_core.training.structure_choice import StructureChoice

if TYPE_CHECKING:
    from nme_core.estimators.exact_linear import ExactLinear

_DEGREES = "degrees_of_freedom"


@dataclass(frozen=True)
class GaussianFit:
    """What a fit tells of a model with Gaussian residuals besides its posterior.

    Attributes
    ----------
    process : ResidualProcess
        Whether residuals remember.
    degrees : array, shape (n_parameters,), or None
        Satterthwaite's degrees of freedom of the fixed effects.
    choice : StructureChoice, optional
        Which structure of Σ the rows chose, where that was asked for.
    """

    process: ResidualProcess = field(default_factory=ResidualProcess)
    degrees: NDArray[np.float64] | None = None
    choice: StructureChoice | None = None

    @classmethod
    def of(cls, problem: object, units: DataUnits) -> Self:
        """Read it off a trained problem."""
        if isinstance(problem, Variational):
            return cls(ResidualProcess.of(problem.memory))
        if not isinstance(problem, LinearGaussian):
            return cls()
        degrees, information = None, problem.fit.information
        if information is not None:
            degrees = information.degrees_of_freedom(units.matrix.toarray())
        return cls(ResidualProcess.of(problem.process), degrees, problem.choice)

    def packed(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """What a file keeps: JSON, and tensors by name."""
        choice = None if self.choice is None else vars(self.choice)
        tensors = {}
        if self.degrees is not None:
            tensors[_DEGREES] = torch.from_numpy(np.ascontiguousarray(self.degrees))
        return {"residuals": vars(self.process), "structure": choice}, tensors

    @classmethod
    def unpacked(cls, state: dict[str, Any], tensors: dict[str, Tensor]) -> Self:
        """Undo `packed`."""
        choice, degrees = state.get("structure"), tensors.get(_DEGREES)
        return cls(
            restored(state),
            None if degrees is None else degrees.numpy(),
            None if choice is None else StructureChoice(**choice),
        )


def check_gaussian(model: ExactLinear) -> None:
    """Raise OptionError where `residual`, `reml` or "em" is not for a model like this one."""
    check_choice("residual", model.residual, RESIDUALS)
    likely = model.estimator in ("variational", "laplace") and not model.is_count
    likely = likely and model.pooling in ("partial", "complete")
    linear = likely and len(model.hidden) == 0 and model.epochs is None
    if model.residual == "ar1" and not likely:
        raise OptionError(
            'residual="ar1" is for a number with Gaussian residuals.',
            remedy="Leave residual out: counts have no such residuals."
            if model.is_count
            else 'Use estimator="laplace" or "variational", or residual="auto".',
        )
    if model.reml and not linear:
        raise OptionError(
            "reml=True is for a linear model of a number with Gaussian residuals.",
            remedy='Use hidden=() with estimator="laplace" or "variational", or leave it out.',
        )
    if model.estimator == "em" and (model.is_count or model.placement != "last"):
        raise OptionError(
            "em is for Gaussian residuals and a person-specific last layer.",
            remedy='Use placement="last" without a family, or estimator="variational".',
        )


def check_factors(model: ExactLinear, factors: Sequence[Labels], times: Any) -> None:
    """Raise OptionError where residuals that remember, or REML, cannot have these rows."""
    needed = model.residual == "ar1"
    if needed and times is None:
        raise OptionError(
            'residual="ar1" needs to know when each row was taken.',
            remedy="Say it by times (--time).",
        )
    if needed and len(factors) > 1:
        raise OptionError(
            'residual="ar1" takes one grouping factor.',
            remedy='Leave out the further groups, or use residual="iid".',
        )
    if model.reml and len(factors) > 1:
        raise OptionError(
            "reml=True takes one grouping factor.",
            remedy="Leave out the further groups, or use reml=False.",
        )


def prepare(model: ExactLinear, problem: LinearGaussian, times: ArrayLike | None) -> None:
    """Give a linear model the times of its rows, and what only such a one has options for."""
    problem.times = None if times is None else np.asarray(times, dtype=np.float64)
    problem.reml, problem.chooses = bool(model.reml), model.covariance == AUTO
    # Σ_k log s_k: XᵀV⁻¹X of the restricted likelihood is in units of the features
    scaler = model._encoder.scaler
    sd = np.concatenate([scaler.sd, np.ones(len(scaler.flagged)), np.ones(1)])
    problem.log_units = float(np.log(model._outcome.scale[1])) - np.log(sd)


def times_of_new(
    process: ResidualProcess, times: ArrayLike | None, y: ArrayLike, groups: Any
) -> NDArray[np.float64] | None:
    """Times of the rows of new persons, where they count; warn where they should, and are not."""
    known = read_times(times)
    if not np.isfinite(process.rho) or process.rho == 0:
        return None
    if known is None:
        warnings.warn(
            "Rows of the new people count as independent although residuals are"
            f" autocorrelated ({process.rho:.2g} over one unit of time): intervals of"
            " their values are too narrow. Give the times of the rows to have it counted.",
            FallbackWarning,
            stacklevel=3,
        )
        return None
    check_lengths(len(known), y=y, groups=groups)
    factor = read_groups(groups)[0]
    return known if usable(known, factor.codes, factor.levels, needed=False) else None


def predict_ahead(
    models: Sequence[tuple[float, ExactLinear]],
    X: Table,
    y: ArrayLike,
    groups: Table,
    times: ArrayLike,
    steps: Sequence[int],
) -> dict[int, NDArray[np.float64]]:
    """E[y_t | y_{t−k}] of weighted models, by number of steps k; see `predict_next`."""
    expected = [(weight, one, cast(Any, one).predict(X, groups=groups)) for weight, one in models]
    outcome, at = np.asarray(y, dtype=np.float64), read_times(times)
    check_lengths(len(expected[0][2]), y=outcome, times=at, groups=groups)
    assert at is not None
    persons = read_groups(groups)[0].codes
    found = {}
    for number in steps:
        before = rows_before(persons, at, number)
        known = before >= 0
        previous = np.where(known, outcome[before], np.nan)
        gap = np.where(known, at - at[before], np.nan)
        found[number] = np.zeros(len(outcome))
        for weight, one, f in expected:
            rho = float(np.nan_to_num(one._gaussian.process.rho))
            found[number] += weight * next_expected(f, previous, f[before], rho, gap)
    return found
