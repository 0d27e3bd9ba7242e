"""What a model with Gaussian residuals has: residuals that remember, REML, exact df."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit
from torch import Tensor

from nme_core.estimators.base import NeuralMixedEffects
from nme_core.estimators.families import Outcome
from nme_core.estimators.gaussian_fit import (
    GaussianFit,
    check_factors,
    check_gaussian,
    predict_ahead,
    prepare,
    times_of_new,
)
from nme_core.estimators.inputs import Labels, Table
from nme_core.estimators.options import AUTO
from nme_core.estimators.residuals import ResidualProcess, usable_times
from nme_core.exceptions import OptionError
from nme_core.nn import Family, RowFamily
from nme_core.training import LinearGaussian
from nme_core.training.structure_choice import DIAGONAL, StructureChoice


class ExactLinear(NeuralMixedEffects):
    """Residuals that remember; options and read-outs of `LinearGaussian`, in units of the data."""

    residual: str
    reml: bool
    _gaussian = GaussianFit()

    @property
    def covariance_(self) -> str:
        """Structure of Σ: that of the option, or what ``covariance="auto"`` chose."""
        if self.covariance != AUTO:
            return self.covariance
        choice = self._gaussian.choice
        return DIAGONAL if choice is None else choice.kind

    @property
    def covariance_choice_(self) -> StructureChoice | None:
        """What ``covariance="auto"`` chose, and why; None where there was nothing to choose."""
        return self._gaussian.choice

    @property
    def reads_times(self) -> bool:
        """Whether `fit` has a use for times.

        Networks estimate ρ where they are asked to: on real studies it can cost accuracy a block
        ahead (gratitude, 32 units: squared error .43 without, .45 with ρ). A network for all
        people would take their levels for memory.
        """
        if self.residual == "iid":
            return False
        if self.is_count:
            return super().reads_times
        if len(self.hidden) == 0:
            return True
        partial = self.pooling == "partial" and self.estimator in ("variational", "laplace")
        return self.residual == "ar1" and partial

    @property
    def residual_autocorrelation_(self) -> float:
        """ρ for one unit of time, one day where times are dates; NaN where it was not estimated.

        Residuals of a person Δt apart have the correlation ρ^Δt. A negative ρ, which only equal
        steps allow, is −|ρ_step|^(1/step).
        """
        return self.residual_process().rho

    def residual_process(self) -> ResidualProcess:
        """ρ with its standard error, interval and test; of a mixture that of all candidates."""
        self._check_fitted()
        return ResidualProcess.mixed([(w, one._gaussian.process) for w, one in self._weighted()])

    def _weighted(self) -> list[tuple[float, ExactLinear]]:
        """The model, or the candidates of a mixture, with their weights."""
        if self._mixture is None:
            return [(1.0, self)]
        return [(one.weight, cast(ExactLinear, one.model)) for one in self._mixture.candidates]

    @property
    def fixed_effects_df_(self) -> pd.Series:
        """Satterthwaite's degrees of freedom of `fixed_effects_`; NaN where they are not known."""
        index, values = self.fixed_effects_.index, self._gaussian.degrees
        return pd.Series(np.nan if values is None else values, index=index, name="df")

    def fixed_effects_interval(self) -> tuple[pd.Series, pd.Series]:
        """Lower and upper ends of the 95 % intervals of `fixed_effects_`.

        Estimate ± t se with Student's t of Satterthwaite's degrees of freedom; where these are not
        known, of as many as there are persons, less 1.
        """
        if self._gaussian.degrees is None:
            return super().fixed_effects_interval()
        half = stdtrit(self.fixed_effects_df_, 0.975) * self.fixed_effects_se_
        return self.fixed_effects_ - half, self.fixed_effects_ + half

    def predict_next(
        self, X: Table, y: ArrayLike, *, groups: Table, times: ArrayLike
    ) -> NDArray[np.float64]:
        """Predict each row one step ahead, from the person's row before it in time; shape (n,).

            E[y_t | y_{t−1}] = f_t + ρ^Δt (y_{t−1} − f_{t−1})

        with f the prediction of `predict`; in a mixture the mean of the candidates'. A person's
        first row has none before it, and stays f_t.

        Parameters
        ----------
        X, groups : as in `predict`
        y : array, shape (n,)
            Outcome; NaN where it is not known, so that the next row goes without.
        times : array, shape (n,)
            When, in the units of the fit.

        Raises
        ------
        OptionError
            If the model has no residual autocorrelation.
        """
        return self.predict_ahead(X, y, groups=groups, times=times, steps=(1,))[1]

    def predict_ahead(
        self, X: Table, y: ArrayLike, *, groups: Table, times: ArrayLike, steps: Sequence[int]
    ) -> dict[int, NDArray[np.float64]]:
        """As `predict_next`, from the outcome so many rows before; by number of steps."""
        if not np.isfinite(self.residual_autocorrelation_):
            raise OptionError(
                "This model has no residual autocorrelation, so that it has nothing to say of one"
                " step ahead.",
                remedy='Fit it with times; a network needs residual="ar1" as well.',
            )
        return predict_ahead(self._weighted(), X, y, groups, times, steps)

    def _family(self) -> RowFamily:
        family = cast(RowFamily, super()._family())
        return self._gaussian.process.family if family.has_residual_variance else family

    def _family_at(self, rho: float) -> Family:
        remembers = np.isfinite(rho) and np.isfinite(self._gaussian.process.rho)
        return ResidualProcess(rho).family if remembers else self._family()

    def _check_options(self) -> None:
        super()._check_options()
        check_gaussian(self)

    def _check_rows(
        self, outcome: Outcome, factors: list[Labels], context: dict[str, ArrayLike | None]
    ) -> None:
        times = context.get("times")
        check_factors(self, factors, times)
        context["times"] = usable_times(
            times if self.reads_times else None,
            factors,
            needed=self.residual == "ar1",
            quiet=len(self.hidden) > 0 or not outcome.family().has_residual_variance,
        )

    def _prepare(self, problem: LinearGaussian, context: dict[str, ArrayLike | None]) -> None:
        prepare(self, problem, context.get("times"))

    def _times_of_new(
        self, times: ArrayLike | None, y: ArrayLike, groups: Table
    ) -> NDArray[np.float64] | None:
        known = times if self.reads_times else None
        return times_of_new(self._gaussian.process, known, y, groups)

    def _take_note(self, problem: object) -> None:
        self._gaussian = GaussianFit.of(problem, self._units())

    def _forget(self) -> None:
        super()._forget()
        self._gaussian = GaussianFit()

    def _extra(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        return self._gaussian.packed()

    def _restore_extra(self, state: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self._gaussian = GaussianFit.unpacked(state, tensors)
