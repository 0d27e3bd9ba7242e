"""What the NME-MLPs for numbers and for classes share: options, fits, mixtures, new people."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from torch import Tensor

from nme_core.estimators.automatic import check_auto, fit_auto
from nme_core.estimators.families import Outcome
from nme_core.estimators.inputs import Labels
from nme_core.estimators.mixture import Mixture, refit_mixture
from nme_core.estimators.options import AUTO, COVARIANCES, check_linear_options
from nme_core.estimators.problems import Plan
from nme_core.estimators.residuals import read_times, usable
from nme_core.estimators.row_outputs import RowOutputs
from nme_core.exceptions import FallbackWarning, OptionError
from nme_core.training import Progress
from nme_core.training.covariance import PATTERNS

#: Smallest density, or probability, whose logarithm is taken.
SMALLEST = 1e-300


class MLPModel(RowOutputs):
    """What both NME-MLPs share."""

    #: Outcome families by name; the first is the default.
    families: Mapping[str, type[Outcome]]
    covariances = (*COVARIANCES, *PATTERNS)

    def __init__(
        self,
        hidden: str | Sequence[int] = AUTO,
        placement: str | Sequence[str] = "last",
        *,
        activation: str | None = None,
        family: str | None = None,
        covariance: str = "diagonal",
        estimator: str = "variational",
        pooling: str = "partial",
        epochs: int | None = None,
        shrink: str = "none",
        quadrature: int = 1,
        device: str = "cpu",
        random_state: int = 0,
    ) -> None:
        super().__init__(
            hidden,
            placement,
            activation=activation,
            covariance=covariance,
            estimator=estimator,
            pooling=pooling,
            epochs=epochs,
            device=device,
            random_state=random_state,
        )
        self.family = family
        self.shrink = shrink
        self.quadrature = quadrature

    @property
    def _outcomes(self) -> type[Outcome]:
        return self.families[self.family or next(iter(self.families))]

    def _plan(self) -> Plan:
        points, shrinks = int(self.quadrature), self.shrink == "inputs"
        return replace(super()._plan(), points=points, shrinks=shrinks)

    def _check_options(self) -> None:
        if self._is_auto:
            check_auto(self)
        super()._check_options()
        check_linear_options(self.hidden, self.shrink, self.quadrature)
        if self.family is not None and self.family not in self.families:
            raise OptionError(
                f"family={self.family!r} does not exist for {type(self).__name__}.",
                remedy=f"Choose from {', '.join(self.families)}.",
            )
        able = self._outcomes.estimators
        if able and self.estimator not in able:
            raise OptionError(
                f'estimator="{self.estimator}" does not estimate {self._outcomes.learns}.',
                remedy=f'Use estimator="{able[0]}", or another family.',
            )

    def _check_rows(
        self, y: ArrayLike, factors: list[Labels], context: dict[str, ArrayLike | None]
    ) -> None:
        super()._check_rows(y, factors, context)
        times = context.get("times")
        known = times is not None and self.reads_times and len(factors) == 1
        if known:
            own = factors[0]
            linear = len(self.hidden) == 0 and self._family().has_residual_variance
            with warnings.catch_warnings():
                if not linear:  # beeps of several days at one time are no fault of theirs
                    warnings.simplefilter("ignore", FallbackWarning)
                at = np.asarray(times)
                known = usable(at, own.codes, own.levels, needed=self._needs_times)
        context["times"] = times if known else None

    def fit(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        *,
        groups: ArrayLike | pd.DataFrame,
        validation: tuple[Any, ...] | None = None,
        progress: Callable[[Progress], None] | None = None,
        uncertainty: bool = True,
    ) -> Self:
        """Fit to rows X, (n, F) (NaN: missing), outcome y, (n,), persons groups, (n,) or (n, G).

        Parameters
        ----------
        validation : tuple (X, y, groups), optional
            Other rows of the same persons, to watch; ``annealed`` stops early on them.
        progress : callable, optional
            Called with a `Progress` after each epoch; what it raises stops the fit.
        uncertainty : bool
            Whether to take the uncertainty of shared and person-specific parameters together, from
            which intervals come. Predictions and ``random_effects_se_`` do without.

        Raises
        ------
        DataError
            If the rows cannot be used as they are.
        OptionError
            If the model's options do not fit together.
        TrainingError
            If the loss stops being a finite number.
        """
        return self._fit_any(X, y, groups, validation, progress, uncertainty)

    def _fit_any(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        groups: ArrayLike | pd.DataFrame,
        validation: tuple[Any, ...] | None,
        progress: Callable[[Progress], None] | None,
        uncertainty: bool,
        **context: ArrayLike | None,
    ) -> Self:
        """Fit named layers, or a mixture."""
        self._mixture = None
        if not self._is_auto:
            return self._fit(
                X, y, groups, validation=validation, progress=progress, uncertainty=uncertainty,
                **context,
            )  # fmt: skip
        self._check_options()
        if not self.reads_times:  # no candidate may, or they would differ in what they know
            context = {}
        return self._take(
            fit_auto(self, (X, y, groups), validation, progress, uncertainty=uncertainty, **context)
        )

    def refit(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        *,
        groups: ArrayLike | pd.DataFrame,
        times: ArrayLike | None = None,
        progress: Callable[[Progress], None] | None = None,
        uncertainty: bool = True,
    ) -> Self:
        """Return a new model, fitted to these rows, with the weights of this fitted mixture.

        A model with named layers is fitted anew. Arguments as in `fit`.
        """
        self._check_fitted()
        new: Self = clone(self)
        if self._mixture is None:
            given: dict[str, Any] = {} if times is None else {"times": times}
            return new.fit(X, y, groups=groups, progress=progress, uncertainty=uncertainty, **given)
        rows, when = (X, y, groups), read_times(times) if self.reads_times else None
        return new._take(
            refit_mixture(
                self._mixture, rows, progress=progress, uncertainty=uncertainty, times=when
            )
        )

    @property
    def _is_auto(self) -> bool:
        return isinstance(self.hidden, str) and self.hidden == AUTO

    @property
    def _widths(self) -> tuple[int, ...]:
        if self._mixture is not None:
            return self._mixture.leader._widths
        return super()._widths

    def _take(self, mixture: Mixture) -> Self:
        """Keep a mixture; what is read off one network is read off its leader."""
        self._forget()
        options = self.get_params()
        state = {name: value for name, value in vars(mixture.leader).items() if name not in options}
        for name, value in state.items():
            setattr(self, name, value)
        self._begin_at, self._quick, self._mixture = None, False, mixture
        return self

    def _packed(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        if self._mixture is None:
            return super()._packed()
        candidates, tensors = self._mixture.packed()
        content = {"model": type(self).__name__, "parameters": self.get_params()}
        return {**content, "candidates": candidates}, tensors

    def _restore(self, content: dict[str, Any], tensors: dict[str, Tensor]) -> Self:
        if "candidates" not in content:
            return super()._restore(content, tensors)
        return self._take(Mixture.unpacked(content["candidates"], tensors))

    def of_persons(self) -> Self:
        """As in `Adaptable`."""
        alone = super().of_persons()
        if self._mixture is not None and alone is not self:
            alone._mixture = self._mixture.change(lambda one: one.of_persons())
        return alone

    def log_score(
        self, X: ArrayLike | pd.DataFrame, y: ArrayLike, groups: ArrayLike | pd.DataFrame
    ) -> NDArray[np.float64]:
        """Log density, or probability, that the model gives each outcome, shape (n,)."""
        raise NotImplementedError

    def _held_out_scores(
        self, candidates: Sequence[MLPModel], held: tuple[Any, Any, Any]
    ) -> NDArray[np.float64]:
        """What candidates are weighed by, shape (n, n_candidates)."""
        return np.column_stack([one.log_score(*held) for one in candidates])

    def validation_loss(
        self, X: ArrayLike | pd.DataFrame, y: ArrayLike, groups: ArrayLike | pd.DataFrame
    ) -> float:
        """Mean squared error, or log-loss of classes, of these rows."""
        raise NotImplementedError

    def adapt(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        *,
        groups: ArrayLike | pd.DataFrame,
        times: ArrayLike | None = None,
    ) -> Self:
        """Return a new model that also knows persons it was not fitted on.

        Each new person's η is the mode given the person's rows, with all that was learned from the
        others – φ, θ̄, Σ, σ² – held fixed; its standard error comes from the curvature there.
        Intervals count how uncertain all that is, as those of people of the fit do; of networks
        with hidden layers Σ and σ² count as known. This model stays as it is.

        Parameters
        ----------
        X : array or DataFrame, shape (n, F)
            Features of the new persons' rows.
        y : array, shape (n,)
            Outcome.
        groups : array, shape (n,)
            Person of each row.
        times : array, shape (n,), optional
            When each row was taken, for a model whose residuals are autocorrelated.

        Raises
        ------
        DataError
            If the model knows one of the persons already, or the rows cannot be used.
        OptionError
            If the model has no random effects, or several grouping factors.

        Warns
        -----
        ConvergenceWarning
            If the mode of a person was not reached.
        """
        if self._mixture is None:
            return self._adapt(X, y, groups, times=times if self.reads_times else None)
        adapted = copy.copy(self)
        return adapted._take(
            self._mixture.change(lambda one: one.adapt(X, y, groups=groups, times=times))
        )
