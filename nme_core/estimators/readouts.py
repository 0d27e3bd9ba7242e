"""What a fitted model says of its parameters, as tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from nme_core.estimators.effects import Effects
from nme_core.estimators.encoding import RowEncoder
from nme_core.estimators.families import Outcome
from nme_core.estimators.posterior import Posterior
from nme_core.estimators.scoring import NotFittedError
from nme_core.estimators.uncertainty import t_quantile
from nme_core.estimators.units import DataUnits
from nme_core.estimators.variance_intervals import COLUMNS, HELD, VarianceIntervals
from nme_core.exceptions import OptionError
from nme_core.training.likelihood import BOUND, Likelihood


class ReadOuts(BaseEstimator):  # type: ignore[misc]
    """Read-outs that all models share."""

    hidden: str | Sequence[int]
    _encoder: RowEncoder
    _posterior: Posterior
    _counts: NDArray[np.int64]
    _likelihood: Likelihood | None
    _variances: VarianceIntervals | None = None

    def _check_fitted(self) -> None:
        if "_encoder" not in vars(self):
            raise NotFittedError(self)

    @property
    def factors_(self) -> dict[str, NDArray[np.str_]]:
        """Groups of each grouping factor, persons first."""
        self._check_fitted()
        return self._encoder.factors

    @property
    def groups_(self) -> NDArray[np.str_]:
        """Persons: the groups of the first factor."""
        return next(iter(self.factors_.values()))

    @property
    def feature_names_in_(self) -> NDArray[np.str_]:
        """Features of the fit, in order."""
        self._check_fitted()
        return np.array(self._encoder.scaler.names)

    @property
    def n_features_in_(self) -> int:
        """Number of features."""
        return len(self.feature_names_in_)

    @property
    def _outcome(self) -> Outcome:
        """What was learned of the outcome."""
        return self._encoder.outcome

    @property
    def _widths(self) -> tuple[int, ...]:
        """Units of each hidden layer of the network that is read off."""
        return tuple(int(width) for width in self.hidden)

    def _units(self) -> DataUnits:
        """Return the map from the network's standardised parameters to the units of the data."""
        layers, scaler = len(self._widths) + 1, self._encoder.scaler
        return DataUnits.of(self._posterior.mixed, layers, scaler, self._outcome)

    def parameter_names(self) -> list[str]:
        """Names of the person-specific numbers, ``<torch name>[indices]``."""
        self._check_fitted()
        return self._units().random_labels()

    def network_ends(self) -> tuple[list[str], list[str]]:
        """What goes into the network, features and indicators of their missing values, and what
        comes out: of classes the log-odds of each against the first; of a number no names.
        """
        self._check_fitted()
        classes = self._outcome.contrasted
        outputs = [f"{one} (against {classes[0]})" for one in classes[1:]]
        return list(self._encoder.scaler.input_names), outputs

    @property
    def fixed_effects_(self) -> pd.Series:
        """φ and θ̄ by parameter; in units of the data for a network without hidden layers.

        The last layer of a model of classes or states is that of the log-odds of the second, third
        … class against the first.
        """
        self._check_fitted()
        return self._units().fixed()

    @property
    def fixed_effects_se_(self) -> pd.Series:
        """Standard errors of `fixed_effects_`, from the information of all persons.

        NaN for a network with hidden layers, whose weights are not unique, where the information
        was not taken, and of features that a linear model leaves out.
        """
        self._check_fitted()
        units, uncertainty = self._units(), self._posterior.uncertainty
        index = pd.Index(units.labels, name="parameter")
        if uncertainty is None or self._widths:
            return pd.Series(np.nan, index=index, name="se")
        errors = np.sqrt(np.diag(units.shared_covariance(uncertainty.shared.numpy())).clip(min=0))
        errors[units.left_out] = np.nan
        return pd.Series(errors, index=index, name="se")

    def fixed_effects_interval(self) -> tuple[pd.Series, pd.Series]:
        """Lower and upper ends of the 95 % intervals of `fixed_effects_`.

        Estimate ± t se with Student's t of as many degrees of freedom as there are persons, less 1.
        Of several grouping factors those with the fewest groups count for what differs by group.
        """
        fixed, fewest = self.fixed_effects_, min(len(levels) for levels in self.factors_.values())
        quantile = np.full(len(fixed), t_quantile(len(self.groups_)))
        quantile[self._units().reported] = t_quantile(fewest)
        half = quantile * self.fixed_effects_se_
        return fixed - half, fixed + half

    def effects(self, factor: str | None = None) -> Effects:
        """Random effects of the groups of one grouping factor, with their standard errors.

        `factor` is a key of ``factors_``; None: the persons.
        """
        number = self._number(factor)
        return Effects.of(self._posterior, self._units(), self._index_of(number), number)

    def covariance_of(self, factor: str | None = None) -> pd.DataFrame:
        """Σ of one grouping factor, parameter × parameter; None: of the persons."""
        number, one = self._number(factor), self._units()
        sigma, names = self._posterior.sigma[number].numpy(), one.random_labels()
        return pd.DataFrame(one.covariance(sigma), index=names, columns=names)

    def variance_intervals(self, factor: str | None = None) -> pd.DataFrame:
        """How certain the diagonal of Σ of one grouping factor is; None: of the persons.

        Columns ``se``, ``low`` and ``high`` (95 %), by parameter: by the profile of the likelihood
        where a variance is near 0 or there are fewer than 30 persons, else on the log scale.
        NaN at the boundary, where no standard error is defined; of an effect in which several of
        the standardised ones come together, such as an intercept beside random slopes of a model
        of classes or counts; and for models whose likelihood is not maximised.
        """
        number, names = self._number(factor), self.parameter_names()
        values = np.full((len(names), len(COLUMNS)), np.nan)
        if self._variances is not None:
            values = self._variances.by_factor[number]
        return pd.DataFrame(values, names, [*COLUMNS, HELD][: values.shape[1]])

    def residual_variance_interval(self) -> pd.Series:
        """Standard error ``se`` and 95 % interval ``low`` to ``high`` of `residual_variance_`."""
        self._check_fitted()
        found = self._variances
        values = np.full(len(COLUMNS), np.nan) if found is None else found.residual
        return pd.Series(values, [*COLUMNS, HELD][: len(values)])

    def n_obs_of(self, factor: str | None = None) -> pd.Series:
        """Rows of each group of one grouping factor; None: of each person."""
        number = self._number(factor)
        places = list(self._encoder.index[number].values())
        return pd.Series(self._counts[places], self._index_of(number), name="n_obs")

    def _index_of(self, number: int) -> pd.Index[str]:
        name, levels = list(self.factors_.items())[number]
        return pd.Index(levels, name=name if number else "person", dtype="str")

    def _number(self, factor: str | None) -> int:
        self._check_fitted()
        names = list(self.factors_)
        if factor is None:
            return 0
        if factor not in names:
            raise OptionError(
                f"No grouping factor is called {factor!r}.", remedy=f"Choose {', '.join(names)}."
            )
        return names.index(factor)

    @property
    def n_obs_(self) -> pd.Series:
        """Rows of each person that the model was fitted on."""
        return self.n_obs_of()

    @property
    def random_effects_(self) -> pd.DataFrame:
        """η̂, person × parameter; units as in `fixed_effects_`."""
        return self.effects().estimate

    @property
    def random_effects_cov_(self) -> pd.DataFrame:
        """Σ of the persons, parameter × parameter."""
        return self.covariance_of()

    @property
    def random_effects_se_(self) -> pd.DataFrame:
        """Posterior standard deviation of η, person × parameter; NaN for ``annealed``."""
        return self.effects().se

    @property
    def reliability_(self) -> pd.DataFrame:
        """1 − S_i[k,k]/Σ[k,k], person × parameter; see `Effects.reliability`."""
        return self.effects().reliability

    @property
    def residual_variance_(self) -> float:
        """σ² in squared units of the outcome; 1 for classes and sequences."""
        self._check_fitted()
        return self._posterior.residual_variance * self._outcome.scale[1] ** 2

    @property
    def log_likelihood_(self) -> float:
        """Log-likelihood of the data in their own units, random effects integrated out.

        For models that are linear in their parameters: ``exact`` for numbers, by Laplace's
        approximation or by quadrature for others (`likelihood_method_`).
        """
        return self._likelihood_found().value

    @property
    def n_parameters_(self) -> int:
        """Free numbers behind `log_likelihood_`: fixed effects, those of Σ, and σ²."""
        return self._likelihood_found().n_parameters

    @property
    def aic_(self) -> float:
        """−2 log L + 2k."""
        return self._likelihood_found().aic

    @property
    def bic_(self) -> float:
        """−2 log L + k log N with N the number of rows, as in R."""
        return self._likelihood_found().bic

    @property
    def likelihood_method_(self) -> str:
        """How `log_likelihood_` was computed: ``exact``, ``laplace`` or ``quadrature``."""
        return self._likelihood_found().method

    @property
    def bound_(self) -> float:
        """What the log-likelihood of a variational model is at least, given Σ, σ² and the priors.

        Not for AIC, BIC or a likelihood-ratio test: by how much it falls short is not known.
        """
        found = self.likelihood()
        if found is None or found.method != BOUND:
            raise OptionError(
                "Only a model of the variational estimator has a bound.",
                remedy="log_likelihood_ is for models that are linear in their parameters.",
            )
        return found.value

    def likelihood(self) -> Likelihood | None:
        """Likelihood or bound, of the data in their own units; None where there is neither."""
        self._check_fitted()
        found = self._likelihood
        return None if found is None else found.in_units(self._outcome.scale[1])

    def _likelihood_found(self) -> Likelihood:
        found = self.likelihood()
        if found is None or found.method == BOUND:
            raise OptionError(
                "Only a model that is linear in its parameters, not shrunk, and without a prior on"
                " its variances has a likelihood.",
                remedy='Fit with hidden=() and shrink="none", without epochs; bound_ is for'
                " networks.",
            )
        return found
