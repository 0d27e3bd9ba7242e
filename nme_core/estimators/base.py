"""What all models have in common: encoding, fitting, read-outs, saving."""

from __future__ import annotations

import copy
import itertools
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from torch import Tensor, nn

from nme_core.data.memory import give_back
from nme_core.data.scaling import Columns, FeatureScaler, TableRows
from nme_core.data.sequences import Batch, chunks
from nme_core.estimators.effects import Effects
from nme_core.estimators.inputs import (
    Labels,
    Rows,
    check_lengths,
    default_names,
    read_features,
    read_groups,
    select_columns,
)
from nme_core.estimators.placement import person_specific
from nme_core.estimators.posterior import Posterior
from nme_core.estimators.saving import read_file, write_file
from nme_core.estimators.uncertainty import Uncertainty, t_quantile
from nme_core.estimators.units import DataUnits
from nme_core.exceptions import (
    ConvergenceWarning,
    DataError,
    MissingColumnError,
    NotFittedError,
    OptionError,
    RunFolderError,
)
from nme_core.nn import Family, MixedEffects
from nme_core.training import (
    Annealed,
    CollinearColumnError,
    ExpectationMaximisation,
    Laplace,
    LinearGaussian,
    Nesting,
    PersonCurvature,
    PersonInformation,
    Problem,
    Progress,
    RandomEffectsCovariance,
    Schedule,
    Separate,
    Training,
    VarianceUncertainty,
    Variational,
    adapt,
    affordable,
    exactly_linear,
    few_effects,
    person_curvature,
    shared_covariance,
    train,
)
from nme_core.training.laplace import LARGEST

ESTIMATORS = ("variational", "laplace", "annealed")
COVARIANCES = ("diagonal", "full")
POOLING = ("partial", "complete", "none", "free")
LEVELS = ("person", "population")
#: Epochs over which the prior on shared parameters comes in.
WARM_UP = 300

_MODELS: dict[str, type[NeuralMixedEffects]] = {}


class NeuralMixedEffects(BaseEstimator):  # type: ignore[misc]
    """Base of the models. Its subclasses document the parameters and attributes."""

    #: Placements that the model knows by name.
    placements: tuple[str, ...] = ("first", "last", "all")
    #: Estimators of the random effects.
    estimators: tuple[str, ...] = ESTIMATORS
    #: What a validation tuple may hold after X, y and groups.
    _context: tuple[str, ...] = ()
    #: Where the layers of the network start in the names of its parameters.
    _layers = ""

    def __init__(
        self,
        hidden: Sequence[int] = (32,),
        placement: str | Sequence[str] = "last",
        *,
        covariance: str = "diagonal",
        estimator: str = "variational",
        pooling: str = "partial",
        epochs: int | None = None,
        device: str = "cpu",
        random_state: int = 0,
    ) -> None:
        self.hidden = hidden
        self.placement = placement
        self.covariance = covariance
        self.estimator = estimator
        self.pooling = pooling
        self.epochs = epochs
        self.device = device
        self.random_state = random_state

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _MODELS[cls.__name__] = cls

    # What a subclass says of its outcome.

    def _learn_outcome(self, y: ArrayLike) -> None:
        raise NotImplementedError

    def _encode_outcome(self, y: ArrayLike) -> NDArray[Any]:
        raise NotImplementedError

    def _network(self, n_inputs: int) -> nn.Module:
        raise NotImplementedError

    def _family(self) -> Family:
        raise NotImplementedError

    # Fitting.

    def _fit(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        groups: ArrayLike | pd.DataFrame,
        *,
        validation: tuple[Any, ...] | None,
        progress: Callable[[Progress], None] | None,
        **context: ArrayLike | None,
    ) -> Self:
        """Fit; `context` holds sequence ids and initial states of a sequence model."""
        self._check_options()
        table, names = read_features(X)
        check_lengths(len(table[0]), y=y, groups=groups, **context)
        factors = read_groups(groups)
        if self.pooling == "none":
            factors = factors[:1]  # a network of one's own leaves nothing to other factors
        self._forget()
        try:
            return self._train(table, names, y, factors, validation, progress, context)
        except BaseException:
            self._forget()
            raise

    def _train(
        self,
        table: Columns,
        names: tuple[str, ...],
        y: ArrayLike,
        factors: list[Labels],
        validation: tuple[Any, ...] | None,
        progress: Callable[[Progress], None] | None,
        context: dict[str, ArrayLike | None],
    ) -> Self:
        """Learn all that is learned from checked rows."""
        self._set_factors({factor.name: factor.levels for factor in factors})
        self._scaler = FeatureScaler.learn(table, names)
        self.feature_names_in_ = np.array(names)
        self._learn_outcome(y)
        mixed = self._build()
        device = mixed.deviations.device
        rows = self._rows(table, factors, **context)
        self._counts = np.bincount(rows.groups.reshape(-1), minlength=mixed.n_groups)
        batches = rows.batches(self._encode_outcome(y), device)
        del rows, table  # as large as the batches, as are the codes of the factors
        factors.clear()
        give_back()
        problem = self._problem(mixed, batches)
        watched = None
        if validation is not None:
            watched = self._validation(validation).batches(
                self._encode_outcome(validation[1]), device
            )
        elif self.pooling == "none":
            raise OptionError(
                "One network per person can only be stopped early on validation rows.",
                remedy="Call fit(..., validation=(X, y, groups)).",
            )
        self._log_likelihood: float | None = None
        if isinstance(problem, LinearGaussian):
            training = self._solve(problem, batches, progress)
        elif isinstance(problem, ExpectationMaximisation) and not self.hidden:
            training = problem.solve(progress)
            self._log_likelihood = problem.log_likelihood
        else:
            training = train(
                problem,
                batches,
                self._schedule(),
                seed=int(self.random_state),
                validation=watched,
                report=progress,
            )
        self._posterior = Posterior.of(problem)
        history = pd.DataFrame([vars(row) for row in training.history])
        self.history_ = history.astype({"validation_loss": float})
        self.verdict_, self.n_epochs_ = training.verdict.value, len(history)
        precision = problem.shared_precision()
        del problem, watched  # of many persons as large as what is to come
        give_back()
        self._after_fit(batches, self._quantify(precision, batches))
        return self

    def _quantify(
        self, precision: dict[str, Tensor], batches: list[Batch]
    ) -> PersonInformation | None:
        """Take the uncertainty of shared and own parameters together; None where it is not taken.

        `precision` is that of the prior on the shared parameters.
        """
        posterior, rows = self._posterior, [batch.to(torch.device("cpu")) for batch in batches]
        free, n_rows = self._free(posterior.mixed), sum(batch.n_rows for batch in rows)
        whole = posterior.covariance is not None and posterior.covariance.dim() == 3
        if self.pooling != "partial" or not whole or not affordable(posterior.mixed, free, n_rows):
            return None
        curvature = self._curvature(posterior.mixed, rows)
        plain = curvature.given(posterior.sigma[0])
        prior = {name: value.cpu() for name, value in precision.items()}
        shared = shared_covariance(plain, prior)
        if shared is None:
            return None
        sigma = posterior.sigma[0]
        variances = VarianceUncertainty.of(
            posterior.mixed.deviations.detach(),
            plain.conditional.diagonal(dim1=1, dim2=2),
            sigma if sigma.dim() == 1 else sigma.diagonal(),
        )
        information = self._widened(curvature, plain, posterior.mixed, variances)
        uncertainty = Uncertainty(
            plain.free, shared, information.effects_covariance(shared), variances
        )
        self._posterior = replace(posterior, uncertainty=uncertainty)
        return information

    def _widened(
        self,
        curvature: PersonCurvature,
        plain: PersonInformation,
        mixed: MixedEffects,
        variances: VarianceUncertainty,
    ) -> PersonInformation:
        """Return `plain` with the uncertainty of the variances counted in."""
        own = plain.conditional.diagonal(dim1=1, dim2=2)
        added = variances.added(mixed.deviations.detach(), own)
        return curvature.given(variances.widened(self._posterior.sigma[0]), added)

    def _curvature(self, mixed: MixedEffects, batches: list[Batch]) -> PersonCurvature:
        """Return what the rows of the persons of `mixed` say."""
        return person_curvature(
            mixed,
            self._family(),
            batches,
            free=self._free(mixed),
            residual_variance=self._posterior.residual_variance,
        )

    def _free(self, mixed: MixedEffects) -> tuple[str, ...]:
        """Shared parameters whose uncertainty counts: all but those of hidden layers.

        The weights of a hidden layer are not unique: its units can change places.
        """
        hidden = tuple(f"{self._layers}layers.{k}." for k in range(len(self.hidden)))
        return tuple(name for name in mixed.fixed() if not name.startswith(hidden))

    def _adapt(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        groups: ArrayLike | pd.DataFrame,
        **context: ArrayLike | None,
    ) -> Self:
        """Return a model that also knows the persons of these rows; see `NMEMLPRegressor.adapt`."""
        self._check_fitted()
        table = self._select(X)
        check_lengths(len(table[0]), y=y, groups=groups, **context)
        persons = read_groups(groups)
        self._check_adaptable(persons)
        adapted = copy.copy(self)
        (factor,) = self.factors_
        adapted._set_factors({factor: [*self.groups_.tolist(), *persons[0].levels]})
        rows = adapted._rows(table, persons, **context)
        rows = replace(rows, groups=rows.groups - len(self.groups_))  # the new ones alone
        batches = rows.batches(self._encode_outcome(y), torch.device("cpu"))
        found = adapt(
            self._posterior.mixed.for_groups(len(persons[0].levels)),
            self._family(),
            batches,
            sigma=self._posterior.sigma[0],
            residual_variance=self._posterior.residual_variance,
        )
        if not bool(found.arrived.all()):
            names = [persons[0].levels[k] for k in torch.nonzero(~found.arrived)[:, 0].tolist()]
            warnings.warn(
                f"The parameters of {', '.join(map(repr, names[:5]))} were not found to full"
                " precision; look at their rows before you use them.",
                ConvergenceWarning,
                stacklevel=3,
            )
        adapted._posterior = self._posterior.with_groups(found)
        n_new = np.bincount(rows.groups[:, 0], minlength=len(persons[0].levels))
        adapted._counts = np.concatenate([self._counts, n_new])
        information = None
        if self._posterior.uncertainty is not None:
            mixed = self._posterior.mixed.for_groups(len(n_new))
            mixed.deviations.data = found.deviations.to(mixed.deviations.dtype)
            curvature = self._curvature(mixed.requires_grad_(False), batches)
            plain = curvature.given(self._posterior.sigma[0])
            uncertainty = self._posterior.uncertainty
            information = self._widened(curvature, plain, mixed, uncertainty.variances)
            uncertainty = uncertainty.with_groups(information)
            adapted._posterior = replace(adapted._posterior, uncertainty=uncertainty)
        adapted._after_adapt(self, batches, information)
        return adapted

    def of_persons(self) -> Self:
        """Return a model that knows the persons only: all further groups at their population value.

        Of a model with one grouping factor it is the model itself.
        """
        self._check_fitted()
        if len(self.factors_) == 1:
            return self
        alone = copy.copy(self)
        name, persons = next(iter(self.factors_.items()))
        alone._set_factors({name: persons.tolist()})
        alone._posterior = self._posterior.of_first_factor()
        alone._counts = self._counts[: len(persons)]
        return alone

    def _check_adaptable(self, persons: list[Labels]) -> None:
        if len(self.factors_) > 1 or len(persons) > 1:
            raise OptionError(
                "New persons can only be added to a model with one grouping factor.",
                remedy="Fit a model with the persons as its only groups.",
            )
        if self.pooling != "partial" or not self._posterior.mixed.n_random:
            raise OptionError(
                "This model has no random effects that a new person could have.",
                remedy='Adapt a model with pooling="partial".',
            )
        known = [level for level in persons[0].levels if level in self._index[0]]
        if known:
            raise DataError(
                f"The model already knows person {known[0]!r}.",
                remedy="Leave the person's rows out, or fit again with all rows.",
                person=known[0],
            )

    def _after_adapt(
        self, before: Self, batches: list[Batch], information: PersonInformation | None
    ) -> None:
        """Hook for what a subclass reads off the rows of new persons."""

    def _solve(
        self,
        problem: LinearGaussian,
        batches: list[Batch],
        progress: Callable[[Progress], None] | None,
    ) -> Training:
        """Fit a linear model exactly; DataError where a feature is a combination of others."""
        try:
            training = problem.solve(batches, progress)
        except CollinearColumnError as error:
            inputs = self._scaler.input_names
            name = inputs[error.column] if error.column < len(inputs) else "the intercept"
            raise DataError(
                f"{name!r} is constant or a combination of other features, so that their effects"
                " cannot be told apart.",
                remedy="Leave it out of the features.",
                column=name,
            ) from error
        self._log_likelihood = problem.fit.log_likelihood
        return training

    @property
    def log_likelihood_(self) -> float:
        """Log-likelihood of a linear model with ``laplace``, of the data in their own units."""
        self._check_fitted()
        if self._log_likelihood is None:
            raise OptionError(
                "Only a linear model for numbers has an exact likelihood.",
                remedy='Fit with hidden=() and estimator="laplace".',
            )
        n_rows = int(self.n_obs_.sum())
        return float(self._log_likelihood - n_rows * np.log(self._outcome_scale()[1]))

    def _after_fit(self, batches: list[Batch], information: PersonInformation | None) -> None:
        """Hook for what a subclass reads off the rows that it was fitted on."""

    def _check_options(self) -> None:
        for name, value, allowed in (
            ("estimator", self.estimator, self.estimators),
            ("covariance", self.covariance, COVARIANCES),
            ("pooling", self.pooling, POOLING),
        ):
            if value not in allowed:
                raise OptionError(
                    f"{name}={value!r} does not exist.", remedy=f"Choose from {', '.join(allowed)}."
                )
        known = self.placement in self.placements or "." in self.placement  # a parameter's name
        if isinstance(self.placement, str) and not known:
            raise OptionError(
                f"placement={self.placement!r} does not exist for {type(self).__name__}.",
                remedy=f"Choose from {', '.join(self.placements)}, or give parameter names.",
            )
        if np.ndim(self.hidden) != 1:
            raise OptionError(
                f"hidden={self.hidden!r} is no sequence of layers.",
                remedy="Write (32,) for one layer of 32 units, () for none.",
            )
        if any(width < 1 for width in self.hidden):
            raise OptionError("A hidden layer needs at least one unit.")
        if not isinstance(self.random_state, (int, np.integer)):
            raise OptionError(
                f"random_state={self.random_state!r} is no seed.", remedy="Give a whole number."
            )
        if self.epochs is not None and self.epochs < 1:
            raise OptionError("epochs has to be at least 1.")

    def _forget(self) -> None:
        for name in [name for name in vars(self) if name.endswith("_") and name[0] != "_"]:
            delattr(self, name)

    def _build(self) -> MixedEffects:
        """Make the network on its device, with parameters drawn from the seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(self.random_state))
            network = self._network(len(self._scaler.input_names))
        return self._mixed(network).to(_device(self.device))

    def _mixed(self, network: nn.Module) -> MixedEffects:
        sizes = [len(levels) for levels in self.factors_.values()]
        return MixedEffects(network, self._random(network), sizes)

    def _random(self, network: nn.Module) -> list[str]:
        """Names of the person-specific parameters."""
        if self.pooling == "complete":
            return []
        if self.pooling == "none":
            return [name for name, _ in network.named_parameters()]
        return person_specific(network, self.placement, layers=self._layers)

    def _problem(self, mixed: MixedEffects, batches: list[Batch]) -> Problem | LinearGaussian:
        n_rows = sum(batch.n_rows for batch in batches)
        covariances = [
            RandomEffectsCovariance(
                mixed.n_random,
                self.covariance,
                start=1.0 if self.estimator == "annealed" else 0.1,
                device=mixed.deviations.device,
            )
            for _ in mixed.sizes
        ]
        if self.pooling == "none":
            return Separate(mixed, self._family(), covariances, n_rows=n_rows, weight=0.0)
        if self.pooling == "free":
            return Annealed(mixed, self._family(), covariances, n_rows=n_rows, weight=0.0)
        if self.estimator == "em" and mixed.n_random:
            if len(mixed.sizes) > 1:
                raise OptionError(
                    "em takes one grouping factor.", remedy='Use estimator="variational".'
                )
            return ExpectationMaximisation(mixed, covariances, batches=batches, n_rows=n_rows)
        if self.estimator in ("annealed", "em"):
            return Annealed(mixed, self._family(), covariances, n_rows=n_rows)
        first = f"{self._layers}layers.0.weight"
        linear = not self.hidden and self._family().has_residual_variance
        if self.estimator == "laplace":
            self._check_laplace(mixed)
            if linear:
                return LinearGaussian(mixed, covariances)
        # The evidence lower bound of a linear Gaussian model is highest where q(η) is the exact
        # conditional distribution: no draws are needed to get there.
        whole = linear and self.epochs is None
        if whole and exactly_linear(mixed, batches, self.covariance):
            return LinearGaussian(mixed, covariances)
        layers = tuple(n for n in mixed.fixed() if n.startswith(self._layers) and "weight" in n)
        kind: Callable[..., Variational] = Variational
        if few_effects(mixed):
            kind = partial(Laplace, batches=batches)
        return kind(
            mixed,
            self._family(),
            covariances,
            n_rows=n_rows,
            seed=int(self.random_state),
            nesting=Nesting.of(batches, mixed.sizes),
            by_input=() if linear else layers,
            weak=(first, f"{self._layers}layers.0.bias") if linear else (),
            warm_up=WARM_UP if self.epochs is None else min(WARM_UP, self.epochs // 4),
        )

    def _check_laplace(self, mixed: MixedEffects) -> None:
        if mixed.n_random and len(mixed.sizes) > 1:
            raise OptionError(
                f"laplace takes one grouping factor; here are {len(mixed.sizes)}:"
                f" {', '.join(self.factors_)}.",
                remedy='Use estimator="variational", which takes several, or leave out the groups.',
            )
        if mixed.n_random and not few_effects(mixed):
            raise OptionError(
                f"laplace takes at most {LARGEST} random effects, fewer of many persons; here are"
                f" {mixed.n_random} effects of {mixed.n_groups} persons.",
                remedy='Use estimator="variational", or another placement.',
            )

    def _schedule(self) -> Schedule:
        points = self.pooling in ("none", "free")
        decays = self.estimator not in ("annealed", "em") and not points
        longest = 1000 if self.pooling == "none" else 3000
        return Schedule(
            epochs=self.epochs,
            longest=longest,
            decays=decays,
            steady=0.03 if decays else None,
            validate_every=10 if decays else 5,
        )

    # Rows in, rows out.

    def _set_factors(self, factors: dict[str, list[str]]) -> None:
        """Take note of the groups, counted through over all factors."""
        self.factors_ = {name: np.array(levels) for name, levels in factors.items()}
        counter = itertools.count()
        self._index = [
            {level: next(counter) for level in levels} for levels in factors.values()
        ]  # fmt: skip

    @property
    def groups_(self) -> NDArray[np.str_]:
        """Persons: the groups of the first factor."""
        if "factors_" not in vars(self):
            raise NotFittedError(self)
        persons: NDArray[np.str_] = next(iter(self.factors_.values()))
        return persons

    def _levels(self, factor: int) -> pd.Index[str]:
        name, levels = list(self.factors_.items())[factor]
        index: pd.Index[str] = pd.Index(levels, name=name if factor else "person", dtype="str")
        return index

    def _rows(
        self, table: Columns, factors: list[Labels] | None, **context: ArrayLike | None
    ) -> Rows:
        """Encode rows; without factors (the population) every row belongs to person 0."""
        if factors is None:
            codes = np.zeros((len(table[0]), 1), dtype=np.int64)
        else:
            pairs = zip(factors, self._index, strict=True)
            codes = np.column_stack([factor.codes_in(index) for factor, index in pairs])
        return Rows(self._scaler.inputs(table), codes)

    def _read_groups(self, groups: ArrayLike | pd.DataFrame) -> list[Labels]:
        """Grouping factors of new rows, in the order of the fit."""
        expected = list(self.factors_)
        if isinstance(groups, pd.DataFrame):
            columns = [str(name) for name in groups.columns]
            if all(name in columns for name in expected):
                groups = groups.set_axis(columns, axis=1)[expected]
        factors = read_groups(groups)
        if self.pooling == "none":
            factors = factors[:1]
        if len(factors) != len(expected):
            raise DataError(
                f"The model was fitted with {len(expected)} grouping factors; these rows have"
                f" {len(factors)}.",
                remedy=f"It needs {', '.join(expected)}.",
            )
        return factors

    def _validation(self, validation: tuple[Any, ...]) -> Rows:
        if len(validation) < 3:
            raise OptionError(
                f"validation has {len(validation)} parts.", remedy="It needs (X, y, groups)."
            )
        table = self._select(validation[0])
        extra = dict(zip(self._context, validation[3:], strict=False))
        check_lengths(len(table[0]), y=validation[1], groups=validation[2], **extra)
        return self._rows(table, self._read_groups(validation[2]), **extra)

    def _check_names(self, names: tuple[str, ...]) -> None:
        expected = tuple(self.feature_names_in_)
        if len(names) != len(expected):
            raise DataError(
                f"The model was fitted on {len(expected)} features; these rows have {len(names)}.",
                remedy=f"It needs {', '.join(expected)}.",
            )

    def _select(self, X: ArrayLike | pd.DataFrame) -> Columns:
        """Features of new rows, in the order of the fit; a DataFrame is read by column names."""
        expected = [str(name) for name in self.feature_names_in_]
        chosen: Any = X
        if isinstance(X, pd.DataFrame | TableRows):
            try:
                chosen = select_columns(X, expected)
            except MissingColumnError:
                if expected != list(default_names(len(expected))):
                    raise
        features, names = read_features(chosen)
        self._check_names(names)
        return features

    def _batches(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | pd.DataFrame | None,
        level: str,
        **context: ArrayLike | None,
    ) -> list[Batch]:
        """Return new rows in padded units, checked, few enough of them to be computed at once."""
        self._check_fitted()
        if level not in LEVELS:
            raise OptionError(
                f"level={level!r} does not exist.", remedy='Choose "person" or "population".'
            )
        if level == "person" and groups is None:
            raise OptionError(
                "A prediction for persons needs to know whose each row is.",
                remedy='Give groups=..., or ask for the population with level="population".',
            )
        table = self._select(X)
        check_lengths(len(table[0]), groups=groups, **context)
        factors = None
        if groups is not None and level == "person":
            factors = self._read_groups(groups)
        rows = self._rows(table, factors, **context)
        return list(chunks(rows.batches(self._no_outcome(len(rows.groups)), torch.device("cpu"))))

    def _outputs(self, batches: list[Batch], level: str) -> Iterator[list[Any]]:
        """Yield the network's outputs for each draw from the posterior, the same each time."""
        persons, seed = level == "person", int(self.random_state)
        return self._posterior.outputs(batches, persons=persons, seed=seed)

    def _no_outcome(self, n: int) -> NDArray[Any]:
        return np.full(n, -1, dtype=np.int64)

    def _check_fitted(self) -> None:
        if "factors_" not in vars(self):
            raise NotFittedError(self)

    # Read-outs.

    def parameter_names(self) -> list[str]:
        """Names of the person-specific numbers, ``<torch name>[indices]``."""
        self._check_fitted()
        return self._units().random_labels()

    def _state_names(self) -> list[str]:
        return []

    def _units(self) -> DataUnits:
        """Return the map from the network's standardised parameters to the units of the data."""
        return DataUnits.of(
            self._posterior.mixed,
            states=self._state_names(),
            linear=None if self.hidden else f"{self._layers}layers.0",
            scaler=self._scaler,
            outcome=self._outcome_scale(),
        )

    def _outcome_scale(self) -> tuple[float, float]:
        """Mean and sd of the outcome; 0 and 1 where it is not a number."""
        return 0.0, 1.0

    @property
    def fixed_effects_(self) -> pd.Series:
        """φ and θ̄ by parameter; in units of the data for a network without hidden layers."""
        self._check_fitted()
        return self._units().fixed()

    @property
    def fixed_effects_se_(self) -> pd.Series:
        """Standard errors of `fixed_effects_`, from the information of all persons.

        NaN for a network with hidden layers, whose weights are not unique, and where the
        information was not taken.
        """
        fixed = self.fixed_effects_
        uncertainty = self._posterior.uncertainty
        if uncertainty is None or self.hidden:
            return pd.Series(np.nan, index=fixed.index, name="se")
        covariance = self._units().shared_covariance(uncertainty.shared.numpy())
        errors = np.sqrt(np.diag(covariance).clip(min=0))
        return pd.Series(errors, index=fixed.index, name="se")

    def fixed_effects_interval(self) -> tuple[pd.Series, pd.Series]:
        """Lower and upper ends of the 95 % intervals of `fixed_effects_`.

        Estimate ± t se with Student's t of as many degrees of freedom as there are persons, less 1.
        """
        half = t_quantile(len(self.groups_)) * self.fixed_effects_se_
        return self.fixed_effects_ - half, self.fixed_effects_ + half

    def effects(self, factor: str | None = None) -> Effects:
        """Random effects of the groups of one grouping factor, with their standard errors.

        Parameters
        ----------
        factor : str, optional
            Name of the factor, a key of ``factors_``; None: the persons.
        """
        number = self._number(factor)
        return Effects.of(self._posterior, self._units(), self._levels(number), number)

    def covariance_of(self, factor: str | None = None) -> pd.DataFrame:
        """Σ of one grouping factor, parameter × parameter; None: of the persons."""
        number, one = self._number(factor), self._units()
        sigma, names = self._posterior.sigma[number].numpy(), one.random_labels()
        return pd.DataFrame(one.covariance(sigma), index=names, columns=names)

    def n_obs_of(self, factor: str | None = None) -> pd.Series:
        """Rows of each group of one grouping factor; None: of each person."""
        number = self._number(factor)
        start = sum(len(levels) for levels in list(self.factors_.values())[:number])
        levels = self._levels(number)
        return pd.Series(self._counts[start : start + len(levels)], levels, name="n_obs")

    def _number(self, factor: str | None) -> int:
        self._check_fitted()
        names = list(self.factors_)
        if factor is None:
            return 0
        if factor not in names:
            raise OptionError(
                f"There is no grouping factor {factor!r}.", remedy=f"Choose {', '.join(names)}."
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
        return self._posterior.residual_variance * self._outcome_scale()[1] ** 2

    # Saving.

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to one safetensors file (JSON in its header); no pickle."""
        self._check_fitted()
        tensors = self._posterior.tensors()
        tensors["feature_mean"] = torch.from_numpy(self._scaler.mean)
        tensors["feature_sd"] = torch.from_numpy(self._scaler.sd)
        tensors["n_obs"] = torch.from_numpy(self._counts)
        history = self.history_.astype(float)
        tensors["history"] = torch.from_numpy(np.array(history.to_numpy(), order="C"))
        tensors.update(self._extra_tensors())
        content = {
            "model": type(self).__name__,
            "parameters": {**self.get_params(), "hidden": list(self.hidden)},
            "factors": {name: levels.tolist() for name, levels in self.factors_.items()},
            "features": list(self._scaler.names),
            "flagged": list(self._scaler.flagged),
            "residual_variance": self._posterior.residual_variance,
            "verdict": self.verdict_,
            "log_likelihood": self._log_likelihood,
            "history": list(history.columns),
            "outcome": self._outcome_state(),
        }
        write_file(path, content, tensors)

    def _extra_tensors(self) -> dict[str, Tensor]:
        return {}

    def _outcome_state(self) -> dict[str, Any]:
        raise NotImplementedError

    def _restore(self, content: dict[str, Any], tensors: dict[str, Tensor]) -> Self:
        self._set_factors(content["factors"])
        self._scaler = FeatureScaler(
            tuple(content["features"]),
            tensors["feature_mean"].numpy(),
            tensors["feature_sd"].numpy(),
            tuple(content["flagged"]),
        )
        self.feature_names_in_ = np.array(content["features"])
        self._restore_outcome(content["outcome"], tensors)
        network = self._network(len(self._scaler.input_names))
        mixed = self._mixed(network)
        self._posterior = Posterior.from_tensors(
            mixed, tensors, content["residual_variance"], self._free(mixed)
        )
        self._counts = tensors["n_obs"].numpy()
        self._log_likelihood = content["log_likelihood"]
        self.history_ = pd.DataFrame(tensors["history"].numpy(), columns=content["history"])
        self.history_["epoch"] = self.history_["epoch"].astype(int)
        self.verdict_, self.n_epochs_ = content["verdict"], len(self.history_)
        return self

    def _restore_outcome(self, outcome: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        raise NotImplementedError

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a fitted model that `save` wrote; RunFolderError if the file is not one."""
        model = load(path)
        if not isinstance(model, cls):
            raise RunFolderError(
                f"{os.fspath(path)} holds a {type(model).__name__}, not a {cls.__name__}.",
                remedy=f"Use {type(model).__name__}.load.",
            )
        return model


def load(path: str | os.PathLike[str]) -> NeuralMixedEffects:
    """Read a fitted model of any kind; RunFolderError if the file is missing or not a model."""
    content, tensors = read_file(path)
    parameters = {**content["parameters"], "hidden": tuple(content["parameters"]["hidden"])}
    try:
        return _MODELS[content["model"]](**parameters)._restore(content, tensors)
    except KeyError as error:
        raise RunFolderError(
            f"{os.fspath(path)} was written by another version of this software: it lacks {error}.",
            remedy="Fit the model again.",
        ) from error


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise OptionError(
            f"device={name!r} does not exist.", remedy="Choose cpu, cuda or auto."
        ) from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise OptionError("No CUDA device was found.", remedy="Choose cpu or auto.")
    return device
