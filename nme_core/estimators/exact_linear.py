"""What a model with Gaussian residuals has: residuals that remember, REML, exact df."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Self, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.estimators.base import NeuralMixedEffects
from nme_core.estimators.inputs import Labels, check_lengths, read_groups
from nme_core.estimators.options import AUTO, check_choice
from nme_core.estimators.residuals import (
    RESIDUALS,
    ResidualProcess,
    read_times,
    restored,
    rows_before,
    usable,
)
from nme_core.exceptions import FallbackWarning, OptionError
from nme_core.nn import Family, RowFamily
from nme_core.training import (
    LinearGaussian,
    PersonInformation,
    VarianceInformation,
    Variational,
    next_expected,
)
from nme_core.training.structure_choice import DIAGONAL, StructureChoice

_DEGREES = "degrees_of_freedom"


class ExactLinear(NeuralMixedEffects):
    """Residuals that remember; options and read-outs of `LinearGaussian`, in units of the data."""

    residual: str
    reml: bool
    family: str | None
    _process = ResidualProcess()
    _degrees: NDArray[np.float64] | None = None
    _information: VarianceInformation | None = None
    _choice: StructureChoice | None = None

    @property
    def covariance_(self) -> str:
        """Structure of Σ: that of the option, or what ``covariance="auto"`` chose."""
        if self.covariance != AUTO:
            return self.covariance
        return DIAGONAL if self._choice is None else self._choice.kind

    @property
    def covariance_choice_(self) -> StructureChoice | None:
        """What ``covariance="auto"`` chose, and why; None where there was nothing to choose."""
        return self._choice

    def _check_linear(self) -> None:
        """Raise OptionError where an option is not for a model like this one."""
        check_choice("residual", self.residual, RESIDUALS)
        likely = self.estimator in ("variational", "laplace") and not self.is_count
        likely = likely and self.pooling in ("partial", "complete")
        linear = likely and len(self.hidden) == 0 and self.epochs is None
        if self.residual == "ar1" and not likely:
            raise OptionError(
                'residual="ar1" is for a number with Gaussian residuals.',
                remedy="Leave residual out: counts have no such residuals."
                if self.is_count
                else 'Use estimator="laplace" or "variational", or residual="auto".',
            )
        if self.reml and not linear:
            raise OptionError(
                "reml=True is for a linear model of a number with Gaussian residuals.",
                remedy='Use hidden=() with estimator="laplace" or "variational", or leave it out.',
            )

    def _check_rows(
        self, y: ArrayLike, factors: list[Labels], context: dict[str, ArrayLike | None]
    ) -> None:
        needed = self.residual == "ar1"
        if needed and context.get("times") is None:
            raise OptionError(
                'residual="ar1" needs to know when each row was taken.',
                remedy="Say it by times (--time).",
            )
        if needed and len(factors) > 1:
            raise OptionError(
                'residual="ar1" takes one grouping factor.',
                remedy='Leave out the further groups, or use residual="iid".',
            )
        if self.reml and len(factors) > 1:
            raise OptionError(
                "reml=True takes one grouping factor.",
                remedy="Leave out the further groups, or use reml=False.",
            )
        super()._check_rows(y, factors, context)

    @property
    def _needs_times(self) -> bool:
        return self.residual == "ar1"

    def _prepare(self, problem: LinearGaussian, context: dict[str, ArrayLike | None]) -> None:
        times = context.get("times")
        problem.times = None if times is None else np.asarray(times, dtype=np.float64)
        problem.reml, problem.chooses = bool(self.reml), self.covariance == AUTO
        # Σ_k log s_k: XᵀV⁻¹X of the restricted likelihood is in units of the features
        sd = np.concatenate([self._scaler.sd, np.ones(len(self._scaler.flagged)), np.ones(1)])
        problem.log_units = float(np.log(self._outcome.scale[1])) - np.log(sd)

    def _take_note(self, problem: object) -> None:
        super()._take_note(problem)
        if isinstance(problem, LinearGaussian):
            self._process = ResidualProcess.of(problem.process)
            self._information, self._choice = problem.fit.information, problem.choice
        elif isinstance(problem, Variational):
            self._process = ResidualProcess.of(problem.memory)

    def _forget(self) -> None:
        super()._forget()
        self._process, self._degrees, self._information = ResidualProcess(), None, None
        self._choice = None

    def _after_fit(self, batches: list[Batch], information: PersonInformation | None) -> None:
        super()._after_fit(batches, information)
        if self._information is not None:
            contrasts = self._units().matrix.toarray()
            self._degrees = self._information.degrees_of_freedom(contrasts)
            self._information = None  # of many persons large

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
        if self._mixture is None:
            return self._process
        several = [(one.weight, one.model) for one in self._mixture.candidates]
        return ResidualProcess.mixed(
            [(weight, cast(ExactLinear, model)._process) for weight, model in several]
        )

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
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        *,
        groups: ArrayLike | pd.DataFrame,
        times: ArrayLike,
        steps: Sequence[int],
    ) -> dict[int, NDArray[np.float64]]:
        """As `predict_next`, from the outcome so many rows before; by number of steps."""
        if not np.isfinite(self.residual_autocorrelation_):
            raise OptionError(
                "This model has no residual autocorrelation, so that it has nothing to say of one"
                " step ahead.",
                remedy='Fit it with times; a network needs residual="ar1" as well.',
            )
        if self._mixture is not None:
            models = [
                (one.weight, cast(ExactLinear, one.model)) for one in self._mixture.candidates
            ]
        else:
            models = [(1.0, self)]
        expected = [(weight, one, one.predict(X, groups=groups)) for weight, one in models]
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
                rho = float(np.nan_to_num(one._process.rho))
                found[number] += weight * next_expected(f, previous, f[before], rho, gap)
        return found

    def _adapt(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        groups: ArrayLike | pd.DataFrame,
        **context: ArrayLike | None,
    ) -> Self:
        self._check_fitted()
        times = read_times(context.get("times"))
        if not np.isfinite(self._process.rho) or self._process.rho == 0:
            times = None
        elif times is not None:
            check_lengths(len(times), y=y, groups=groups)
            factor = read_groups(groups)[0]
            times = times if usable(times, factor.codes, factor.levels, needed=False) else None
        else:
            warnings.warn(
                "Rows of the new people count as independent although residuals are"
                f" autocorrelated ({self._process.rho:.2g} over one unit of time): intervals of"
                " their values are too narrow. Give the times of the rows to have it counted.",
                FallbackWarning,
                stacklevel=3,
            )
        context["times"] = times
        return super()._adapt(X, y, groups, **context)

    def predict(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | pd.DataFrame | None = None,
        *,
        level: str = "person",
    ) -> NDArray[np.float64]:
        """Predict the outcome, shape (n,)."""
        raise NotImplementedError

    def _family_at(self, rho: float) -> Family:
        remembers = np.isfinite(rho) and np.isfinite(self._process.rho)
        return ResidualProcess(rho).family if remembers else self._family()

    def _family(self) -> RowFamily:
        family = cast(RowFamily, super()._family())
        return self._process.family if family.has_residual_variance else family

    def _extra_state(self) -> dict[str, Any]:
        choice = None if self._choice is None else vars(self._choice)
        known = {"residuals": vars(self._process), "structure": choice}
        return {**super()._extra_state(), **known}

    def _restore_extra(self, outcome: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        super()._restore_extra(outcome, tensors)
        self._process, choice = restored(outcome), outcome.get("structure")
        self._choice = None if choice is None else StructureChoice(**choice)
        degrees = tensors.get(_DEGREES)
        self._degrees = None if degrees is None else degrees.numpy()

    def _extra_tensors(self) -> dict[str, Tensor]:
        extra = super()._extra_tensors()
        if self._degrees is not None:
            extra[_DEGREES] = torch.from_numpy(np.ascontiguousarray(self._degrees))
        return extra
