"""What only a linear model with Gaussian residuals has: REML, residuals that remember, exact df."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.estimators.base import NeuralMixedEffects
from nme_core.estimators.inputs import Labels, check_lengths, read_groups
from nme_core.estimators.options import check_choice
from nme_core.estimators.residuals import (
    RESIDUALS,
    ResidualProcess,
    read_times,
    restored,
    usable,
)
from nme_core.exceptions import FallbackWarning, OptionError
from nme_core.training import LinearGaussian, PersonInformation, VarianceInformation, next_expected
from nme_core.training.covariance import BLOCKS

_DEGREES = "degrees_of_freedom"


class ExactLinear(NeuralMixedEffects):
    """Options and read-outs of `LinearGaussian`, in units of the data."""

    residual: str
    reml: bool
    family: str | None
    _process = ResidualProcess()
    _degrees: NDArray[np.float64] | None = None
    _information: VarianceInformation | None = None

    def _check_linear(self) -> None:
        """Raise OptionError where an option is for a linear model with Gaussian residuals alone."""
        check_choice("residual", self.residual, RESIDUALS)
        linear = len(self.hidden) == 0 and self.family != "poisson" and self.epochs is None
        linear = linear and self.pooling in ("partial", "complete")
        linear = linear and self.estimator in ("variational", "laplace")
        asked = {
            'residual="ar1"': self.residual == "ar1",
            "reml=True": bool(self.reml),
            'covariance="blocks"': self.covariance == BLOCKS,
        }
        for name, given in asked.items():
            if given and not linear:
                raise OptionError(
                    f"{name} is for a linear model of a number with Gaussian residuals.",
                    remedy='Use hidden=() with estimator="laplace" or "variational", or leave it'
                    " out.",
                )

    def _check_rows(
        self, y: ArrayLike, factors: list[Labels], context: dict[str, ArrayLike | None]
    ) -> None:
        super()._check_rows(y, factors, context)
        times, needed = context.get("times"), self.residual == "ar1"
        if needed and times is None:
            raise OptionError(
                'residual="ar1" needs to know when each row was taken.',
                remedy="Give fit(..., times=...), or --time on the command line.",
            )
        if needed and len(factors) > 1:
            raise OptionError(
                'residual="ar1" takes one grouping factor.',
                remedy='Leave out the further groups, or use residual="iid".',
            )
        if (self.reml or self.covariance == BLOCKS) and len(factors) > 1:
            name, other = ("reml=True", "reml=False") if self.reml else (
                'covariance="blocks"', 'covariance="full"'
            )  # fmt: skip
            raise OptionError(
                f"{name} takes one grouping factor.",
                remedy=f"Leave out the further groups, or use {other}.",
            )
        if times is not None and self.reads_times:
            levels = factors[0].levels
            if not usable(np.asarray(times), factors[0].codes, levels, needed=needed):
                context["times"] = None
        else:
            context["times"] = None

    def _prepare(self, problem: LinearGaussian, context: dict[str, ArrayLike | None]) -> None:
        times = context.get("times")
        problem.times = None if times is None else np.asarray(times, dtype=np.float64)
        problem.reml = bool(self.reml)
        # Σ_k log s_k: XᵀV⁻¹X of the restricted likelihood is in units of the features
        sd = np.concatenate([self._scaler.sd, np.ones(len(self._scaler.flagged)), np.ones(1)])
        problem.log_units = float(np.log(self._outcome_scale()[1])) - np.log(sd)

    def _take_note(self, problem: LinearGaussian) -> None:
        self._process = ResidualProcess.of(problem.process)
        self._information = problem.fit.information

    def _forget(self) -> None:
        super()._forget()
        self._process, self._degrees, self._information = ResidualProcess(), None, None

    def _after_fit(self, batches: list[Batch], information: PersonInformation | None) -> None:
        super()._after_fit(batches, information)
        if self._information is not None:
            contrasts = self._units().matrix.toarray()
            self._degrees = self._information.degrees_of_freedom(contrasts)
            self._information = None  # of many persons large

    @property
    def reads_times(self) -> bool:
        """Whether `fit` has a use for times."""
        return len(self.hidden) == 0 and self.residual != "iid" and self.family != "poisson"

    @property
    def residual_autocorrelation_(self) -> float:
        """ρ for one unit of time, one day where times are dates; NaN where it was not estimated.

        Residuals of a person Δt apart have the correlation ρ^Δt. A negative ρ, which only equal
        steps allow, is −|ρ_step|^(1/step).
        """
        self._check_fitted()
        return self._process.rho

    def residual_process(self) -> ResidualProcess:
        """ρ with its standard error, interval and test."""
        self._check_fitted()
        return self._process

    @property
    def fixed_effects_df_(self) -> pd.Series:
        """Satterthwaite's degrees of freedom of `fixed_effects_`; NaN where they are not known."""
        index = self.fixed_effects_.index
        values = np.full(len(index), np.nan) if self._degrees is None else self._degrees
        return pd.Series(values, index=index, name="df")

    def fixed_effects_interval(self) -> tuple[pd.Series, pd.Series]:
        """Lower and upper ends of the 95 % intervals of `fixed_effects_`.

        Estimate ± t se with Student's t of Satterthwaite's degrees of freedom; where these are not
        known, of as many as there are persons, less 1.
        """
        if self._degrees is None:
            return super().fixed_effects_interval()
        half = stdtrit(self.fixed_effects_df_, 0.975) * self.fixed_effects_se_
        return self.fixed_effects_ - half, self.fixed_effects_ + half

    def predict_next(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        *,
        groups: ArrayLike | pd.DataFrame,
        times: ArrayLike,
    ) -> NDArray[np.float64]:
        """Predict each row one step ahead, from the person's row before it in time; shape (n,).

            E[y_t | y_{t−1}] = f_t + ρ^Δt (y_{t−1} − f_{t−1})

        with f the prediction of `predict`. A person's first row has none before it, and stays f_t.

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
        rho = self.residual_autocorrelation_
        if not np.isfinite(rho):
            raise OptionError(
                "This model has no residual autocorrelation, so that it has nothing to say of one"
                " step ahead.",
                remedy='Fit with hidden=() and times, and residual="auto" or "ar1".',
            )
        expected = self.predict(X, groups=groups)
        outcome, at = np.asarray(y, dtype=np.float64), read_times(times)
        check_lengths(len(expected), y=outcome, times=at, groups=groups)
        assert at is not None
        persons = read_groups(groups)[0].codes
        order = np.lexsort((at, persons))
        before = np.full(len(order), -1)
        same = persons[order][1:] == persons[order][:-1]
        before[order[1:][same]] = order[:-1][same]
        last = np.where(before < 0, 0, before)
        gap = np.where(before < 0, np.nan, at - at[last])
        previous = np.where(before < 0, np.nan, outcome[last])
        return next_expected(expected, previous, expected[last], rho, gap)

    def _adapt(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        groups: ArrayLike | pd.DataFrame,
        **context: ArrayLike | None,
    ) -> Self:
        adapted = super()._adapt(X, y, groups, **context)
        if np.isfinite(self._process.rho) and self._process.rho != 0:
            warnings.warn(
                "Rows of the new people count as independent although residuals are"
                f" autocorrelated ({self._process.rho:.2g} over one unit of time): intervals of"
                " their values are too narrow. A fit with their rows counts it.",
                FallbackWarning,
                stacklevel=3,
            )
        return adapted

    def predict(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | pd.DataFrame | None = None,
        *,
        level: str = "person",
    ) -> NDArray[np.float64]:
        """Predict the outcome, shape (n,)."""
        raise NotImplementedError

    def _process_state(self) -> dict[str, Any]:
        """What a file keeps of the residuals."""
        return {"residuals": vars(self._process)}

    def _restore_process(self, outcome: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self._process = restored(outcome)
        degrees = tensors.get(_DEGREES)
        self._degrees = None if degrees is None else degrees.numpy()

    def _extra_tensors(self) -> dict[str, Tensor]:
        extra = super()._extra_tensors()
        if self._degrees is not None:
            extra[_DEGREES] = torch.from_numpy(np.ascontiguousarray(self._degrees))
        return extra
