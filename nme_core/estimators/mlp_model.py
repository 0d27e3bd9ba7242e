"""What the NME-MLPs for numbers and for classes share: fits, mixtures, outcomes, new people."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from nme_core.estimators.adapting import with_persons
from nme_core.estimators.automatic import check_auto, fit_auto
from nme_core.estimators.base import NeuralMixedEffects
from nme_core.estimators.families import Outcome
from nme_core.estimators.inputs import Table
from nme_core.estimators.mixture import Mixture, refit_mixture
from nme_core.estimators.options import AUTO, COVARIANCES, check_outcome_options
from nme_core.estimators.problems import Plan
from nme_core.estimators.residuals import read_times
from nme_core.estimators.row_outputs import RowOutputs
from nme_core.nn import RowFamily
from nme_core.training import Progress
from nme_core.training.covariance import PATTERNS

#: Smallest density, or probability, whose logarithm is taken.
SMALLEST = 1e-300


class MLPModel(NeuralMixedEffects):
    """What both NME-MLPs share."""

    #: Outcome families by name; the first is the default.
    families: Mapping[str, type[Outcome]]
    covariances = (*COVARIANCES, *PATTERNS)
    family: str | None
    shrink: str
    quadrature: int

    @property
    def _outcomes(self) -> type[Outcome]:
        return self.families[self.family or next(iter(self.families))]

    def _family(self) -> RowFamily:
        return cast(RowFamily, super()._family())

    def _row_outputs(self) -> RowOutputs:
        """What is expected of rows, of one network."""
        self._check_fitted()
        n_hidden, seed = len(self._widths), int(self.random_state)
        return RowOutputs(self._posterior, self._family(), self._outcome, n_hidden, seed)

    def _plan(self) -> Plan:
        points, shrinks = int(self.quadrature), self.shrink == "inputs"
        return replace(super()._plan(), points=points, shrinks=shrinks)

    def _check_options(self) -> None:
        if self._is_auto:
            check_auto(self)
        super()._check_options()
        check_outcome_options(self)

    def fit(
        self,
        X: Table,
        y: ArrayLike,
        *,
        groups: Table,
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
        X: Table,
        y: ArrayLike,
        groups: Table,
        validation: tuple[Any, ...] | None,
        progress: Callable[[Progress], None] | None,
        uncertainty: bool,
        **context: ArrayLike | None,
    ) -> Self:
        """Fit named layers, or a mixture."""
        self._mixture = None
        if not self._is_auto:
            return self._fit(X, y, groups, validation, progress, uncertainty, **context)
        self._check_options()
        if not self.reads_times:  # no candidate may, or they would differ in what they know
            context = {}
        return self._take(
            fit_auto(self, (X, y, groups), validation, progress, uncertainty=uncertainty, **context)
        )

    def refit(
        self,
        X: Table,
        y: ArrayLike,
        *,
        groups: Table,
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
        for name, value in vars(mixture.leader).items():
            if name not in options:
                setattr(self, name, value)
        self._begin_at, self._quick, self._mixture = None, False, mixture
        return self

    def adapt(
        self, X: Table, y: ArrayLike, *, groups: Table, times: ArrayLike | None = None
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
            known = self._times_of_new(times, y, groups)
            return with_persons(self, X, y, groups, times=known)
        adapted = copy.copy(self)
        return adapted._take(
            self._mixture.change(lambda one: one.adapt(X, y, groups=groups, times=times))
        )

    def _times_of_new(
        self, times: ArrayLike | None, y: ArrayLike, groups: Table
    ) -> NDArray[np.float64] | None:
        """Times of the rows of new people, where they count."""
        return None

    def simulate(
        self, X: Table, groups: Table | None = None, *, level: str = "person", seed: int = 0
    ) -> Iterator[NDArray[Any]]:
        """Yield outcomes of these rows drawn from the fitted model, shape (n,), once for each of
        64 draws of the parameters from their posterior; arguments of `predict`.
        """
        if self._mixture is not None:
            yield from self._mixture.draws(
                lambda one: one.simulate(X, groups, level=level, seed=seed)
            )
            return
        yield from self._row_outputs().simulate(self._batches(X, groups, level), level, seed)

    def predict_interval(
        self, X: Table, groups: Table
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Ends of 95 % intervals of persons' expected outcome, shape (n,) or (n, n_classes).

        Mean ± 1.96 SD over the posterior of persons' own parameters and the shared ones; without
        hidden layers also over what Σ and ρ may be, in a mixture over its candidates. In the units
        of ``predict`` (counts held above 0) or ``predict_proba`` (within 0 and 1). How far single
        outcomes lie from what is expected is not part of it. NaN for estimators without a
        posterior.
        """
        if self._mixture is not None:
            centre, spread = self._mixture.moments(lambda one: one._moments(X, groups))
        else:
            centre, spread = self._moments(X, groups)
        half = 1.96 * spread
        return self._shaped(centre - half), self._shaped(centre + half)

    def _moments(self, X: Table, groups: Table) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and SD of the expected outcome over draws, shape (n, 1) or (n, n_classes) each."""
        centre, spread = self._row_outputs().moments(self._batches(X, groups, "person"))
        return centre.numpy(), spread.numpy()

    def _expected(self, X: Table, groups: Table | None, level: str) -> NDArray[np.float64]:
        """Posterior mean of the expected outcome, in the order of the rows, (n, 1) or (n, K)."""
        if self._mixture is not None:
            return self._mixture.mean(lambda one: one._expected(X, groups, level))
        return self._row_outputs().means(self._batches(X, groups, level), level).numpy()

    def _shaped(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Ends of intervals as `predict_interval` returns them."""
        raise NotImplementedError

    def log_score(self, X: Table, y: ArrayLike, groups: Table) -> NDArray[np.float64]:
        """Log density, or probability, that the model gives each outcome, shape (n,)."""
        raise NotImplementedError
