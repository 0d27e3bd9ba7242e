"""What all models have in common: options and fitting."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from nme_core.batches.memory import give_back
from nme_core.batches.scaling import Columns, FeatureScaler
from nme_core.batches.sequences import Batch
from nme_core.estimators.arrangement import Arranged, natural_order, taken
from nme_core.estimators.boundaries import warn_of_boundary
from nme_core.estimators.inputs import (
    Labels,
    check_lengths,
    read_features,
    read_groups,
    refuse_inseparable,
)
from nme_core.estimators.joint import crossed_uncertainty, take_uncertainty
from nme_core.estimators.mixture import Mixture, Setting
from nme_core.estimators.options import (
    AUTO,
    COVARIANCES,
    ESTIMATORS,
    POOLING,
    check_choice,
    check_hidden,
    check_numbers,
    check_placement,
    find_device,
)
from nme_core.estimators.placement import person_specific
from nme_core.estimators.posterior import Posterior
from nme_core.estimators.problems import EXACT, Plan, method_of
from nme_core.estimators.saving import Saveable
from nme_core.estimators.threads import one_thread_for_few
from nme_core.estimators.variance_intervals import Asked, VarianceIntervals
from nme_core.estimators.warm_start import WarmStart
from nme_core.exceptions import DataError, IdentificationWarning, OptionError
from nme_core.nn import ACTIVATIONS, MixedEffects
from nme_core.training import (
    ConstantOutcomeError,
    Crossed,
    ExactChain,
    ExactRows,
    ExpectationMaximisation,
    LinearGaussian,
    NoMovesError,
    Progress,
    SeparateChain,
    Training,
    Verdict,
    likelihood_of,
    train,
    warn_of_collinear,
    warn_of_never,
    warn_of_separation,
    warn_of_start,
)
from nme_core.training.covariance import PATTERNS

#: Numbers in a table of features up to which exact engines get them in double precision.
MOST_PRECISE = 2**24
#: What stands between the layers of a network that is named without it.
ACTIVATION = "relu"


class NeuralMixedEffects(Saveable):
    """Base of the models. Its subclasses document the parameters and attributes."""

    #: Placements that the model knows by name.
    placements: tuple[str, ...] = ("first", "last", "all")
    #: Estimators of the random effects.
    estimators: tuple[str, ...] = ESTIMATORS
    #: Structures of Σ.
    covariances: tuple[str, ...] = COVARIANCES

    #: The fitted candidates of ``hidden="auto"``.
    _mixture: Mixture | None = None
    #: A fitted model to begin training at.
    _begin_at: NeuralMixedEffects | None = None
    #: Variances of which only is asked whether intervals hold them.
    _asked: Asked | None = None
    #: Whether to learn a diagonal posterior of each person: as accurate, at half the cost.
    _quick: bool = False

    def __init__(
        self,
        hidden: str | Sequence[int] = (32,),
        placement: str | Sequence[str] = "last",
        *,
        activation: str | None = None,
        covariance: str = "diagonal",
        estimator: str = "variational",
        pooling: str = "partial",
        epochs: int | None = None,
        device: str = "cpu",
        random_state: int = 0,
    ) -> None:
        self.hidden = hidden
        self.placement = placement
        self.activation = activation
        self.covariance = covariance
        self.estimator = estimator
        self.pooling = pooling
        self.epochs = epochs
        self.device = device
        self.random_state = random_state

    def _fit(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        groups: ArrayLike | pd.DataFrame,
        *,
        validation: tuple[Any, ...] | None,
        progress: Callable[[Progress], None] | None,
        uncertainty: bool,
        **context: ArrayLike | None,
    ) -> Self:
        """Fit; `context` holds sequence ids and initial states of a sequence model."""
        self._check_options()
        table, names = read_features(X)
        check_lengths(len(table[0]), y=y, groups=groups, **context)
        factors = [factor.sorted() for factor in read_groups(groups)]
        if self.pooling == "none":
            factors = factors[:1]  # a network of one's own leaves nothing to other factors
        self._forget()
        if self.covariance in PATTERNS and len(factors) > 1:
            raise OptionError(
                f'covariance="{self.covariance}" takes one grouping factor.',
                remedy='Leave out the further groups, or use covariance="full".',
            )
        try:
            self._check_rows(y, factors, context)
            arranged = self._arrange(table, y, factors, context)
            order, table = arranged.order, Arranged(table, arranged.order)
            y, context = taken(y, order), {k: taken(v, order) for k, v in context.items()}
            factors = [factor.arranged(arranged, k) for k, factor in enumerate(factors)]
            with one_thread_for_few(len(order)):
                self._train(table, names, y, factors, validation, progress, uncertainty, context)
            self._sort_levels()
            return self
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
        uncertainty: bool,
        context: dict[str, ArrayLike | None],
    ) -> None:
        """Learn all that is learned from checked rows."""
        self._set_factors({factor.name: factor.levels for factor in factors})
        self._scaler = FeatureScaler.learn(table, names)
        self.feature_names_in_ = np.array(names)
        self.n_features_in_ = len(names)
        self._learn_outcome(y)
        if self.pooling != "complete":
            refuse_inseparable(factors, self._family())
        mixed = self._build()
        warm = self._warm_start()
        if warm is not None:
            warm.begin_network(mixed)
        device = mixed.deviations.device
        rows = self._rows(table, factors, **context)
        self._counts = np.bincount(rows.groups.reshape(-1), minlength=mixed.n_groups)
        batches = rows.batches(self._outcome.encode(y), device)
        precise = None
        if len(table) * len(table[0]) <= MOST_PRECISE:
            precise = self._scaler.inputs(table, precise=True)
        del rows, table  # as large as the batches, as are the codes of the factors
        factors.clear()
        give_back()
        if self.pooling == "partial" and not self.hidden:
            self._warn_of_constant_slopes(mixed, batches)
        plan = self._plan()
        problem = plan.problem(mixed, self._family(), batches)
        if isinstance(problem, LinearGaussian):
            self._prepare(problem, context)
        if warm is not None:
            warm.begin_problem(problem)
        watched = None
        if validation is not None:
            held, held_y = self._validation(validation)
            watched = held.batches(self._outcome.encode(held_y), device)
        elif self.pooling == "none":
            raise OptionError(
                "One network per person can only be stopped early on validation rows.",
                remedy="Call fit(..., validation=(X, y, groups)).",
            )
        if isinstance(problem, EXACT):
            exactly = batches
            if not isinstance(problem, ExactChain):
                own = self._outcome.precise(y)
                exactly = [batch.precisely(precise, own) for batch in batches]
            training = self._solve(problem, exactly, progress)
            del exactly
        elif isinstance(problem, SeparateChain):
            training = problem.solve(batches, watched or [], progress)
        elif isinstance(problem, ExpectationMaximisation) and not self._widths:
            training = problem.solve(progress)
        else:
            training = train(
                problem,
                batches,
                plan.schedule(),
                seed=int(self.random_state),
                validation=watched,
                report=progress,
            )
        self._take_note(problem)
        self._posterior, self.method_ = Posterior.of(problem), method_of(problem)
        history = pd.DataFrame([vars(row) for row in training.history])
        self.history_ = history.astype({"validation_loss": float})
        self.verdict_, self.n_epochs_ = training.ending, len(history)
        if training.verdict is Verdict.CONVERGED and self.pooling == "partial":
            labels, exact = self.parameter_names(), isinstance(problem, EXACT)
            unique = [not self._widths or "layers." not in label for label in labels]
            warn_of_boundary(
                self._posterior, labels, exact=exact, unique=unique, factors=tuple(self.factors_)
            )
        self._likelihood = likelihood_of(problem, batches)
        self._variances = None
        if uncertainty and self.pooling == "partial" and self._posterior.mixed.n_random:
            sd = self._outcome.scale[1]
            self._variances = VarianceIntervals.of(problem, self._units(), sd, self._asked)
        precision, curvature = problem.shared_precision(), None
        known = problem.shared_covariance() if isinstance(problem, ExactRows | ExactChain) else None
        if isinstance(problem, LinearGaussian) and self.pooling == "partial":
            curvature = problem.person_curvature(self._free(self._posterior.mixed))
        integrated = None
        whole = uncertainty and self.pooling == "partial"
        if whole and isinstance(problem, ExactRows | LinearGaussian):
            integrated = problem.integrated()
        coordinates = problem.coordinates() if isinstance(problem, ExactChain) else None
        if uncertainty and isinstance(problem, Crossed):
            counted = crossed_uncertainty(self._posterior, problem)
            self._posterior = replace(self._posterior, uncertainty=counted)
        del problem, watched  # of many persons as large as what is to come
        give_back()
        joint = None
        if whole:
            free = self._free(self._posterior.mixed)
            joint = take_uncertainty(
                self._posterior,
                self._family(),
                batches,
                free=free,
                precision=precision,
                shared=known,
                curvature=curvature,
                integrated=integrated,
                coordinates=coordinates,
                widened=not self._widths,
            )
        if joint is not None:
            self._posterior = replace(self._posterior, uncertainty=joint.uncertainty)
            if self._widths and self._family().has_residual_variance:
                shared = joint.uncertainty.shared
                self._posterior = self._posterior.joined(joint.information, shared)
        self._after_fit(batches, None if joint is None else joint.information)

    def _sort_levels(self) -> None:
        """Put groups, and all that is kept of each, into natural order of their names."""
        orders = [natural_order(levels.tolist()) for levels in self.factors_.values()]
        self._reorder(orders)
        self._set_factors(
            {name: levels[order].tolist()
             for (name, levels), order in zip(self.factors_.items(), orders, strict=True)}
        )  # fmt: skip

    def _reorder(self, orders: list[NDArray[np.int64]]) -> None:
        """Put all that is kept of each group into the order of these positions, by factor."""
        starts = np.cumsum([0, *map(len, orders)])
        whole = np.concatenate(
            [order + start for order, start in zip(orders, starts, strict=False)]
        )
        self._counts = self._counts[whole]
        self._posterior = self._posterior.in_order(torch.from_numpy(whole))

    @property
    def candidates_(self) -> pd.DataFrame:
        """Candidates of ``hidden="auto"``, with their weights; of named layers one row.

        Columns model, hidden, activation, placement, validation_loss (mean squared error or
        log-loss of the rows that were held back), weight, seconds (of processor time).
        """
        self._check_fitted()
        if self._mixture is not None:
            return self._mixture.table()
        placement = self.placement if isinstance(self.placement, str) else "+".join(self.placement)
        activation = self._activation() if self._widths else None
        name = activation or "linear"
        setting = Setting(name, self._widths, activation, placement)
        seconds = float(self.history_["seconds"].max())
        return pd.DataFrame([setting.row(np.nan, 1.0, seconds)])

    def candidates(self) -> Iterator[tuple[str, NeuralMixedEffects]]:
        """Yield name and model of each candidate of a mixture; of named layers nothing."""
        for one in () if self._mixture is None else self._mixture.candidates:
            yield one.setting.name, one.model

    @property
    def covariance_(self) -> str:
        """Structure of Σ."""
        return self.covariance

    def _warm_start(self) -> WarmStart | None:
        """Where training begins, if it is at another model."""
        before = self._begin_at
        if before is None:
            return None
        return WarmStart.of(before._posterior, before.factors_, self.factors_)

    def _plan(self) -> Plan:
        """Return what the options say of training."""
        return Plan(
            estimator=self.estimator,
            covariance=self.covariance_,
            pooling=self.pooling,
            epochs=self.epochs,
            seed=int(self.random_state),
            layers=self._layers,
            n_layers=len(self._widths) + 1,
            factors=tuple(self.factors_),
            quick=self._quick,
        )

    def _activation(self) -> str:
        """What stands between the layers."""
        return self.activation or ACTIVATION

    def _free(self, mixed: MixedEffects) -> tuple[str, ...]:
        """Shared parameters whose uncertainty counts: all but those of hidden layers.

        The weights of a hidden layer are not unique: its units can change places.
        """
        hidden = tuple(f"{self._layers}layers.{k}." for k in range(len(self._widths)))
        return tuple(name for name in mixed.fixed() if not name.startswith(hidden))

    def _solve(
        self,
        problem: LinearGaussian | ExactRows | ExactChain | Crossed,
        batches: list[Batch],
        progress: Callable[[Progress], None] | None,
    ) -> Training:
        """Maximise a likelihood; name the features, and the classes, that the rows leave open."""
        try:
            training = problem.solve(batches, progress)
        except NoMovesError as error:
            raise DataError(
                "There is not a single move from one labelled step to the next: every sequence has"
                " one step, or every second label is missing.",
                remedy="Name another column for sequences, or none, or a longer --max-gap; or fit a"
                " model of classes (nme-mlp).",
            ) from error
        except ConstantOutcomeError as error:
            raise DataError(
                "The outcome never changes within a person, or a group of another factor: how much"
                " they differ has no bound that the rows could tell.",
                remedy="Fit a model for everybody, or take an outcome that varies within people.",
            ) from error
        inputs = [*self._scaler.input_names, "the intercept"]
        warn_of_collinear(
            [repr(inputs[column]) for column in problem.collinear],
            shared=isinstance(problem, LinearGaussian),
            stacklevel=2,
        )
        if isinstance(problem, ExactRows | ExactChain | Crossed):
            self._warn_of_separation(problem)
        return training

    def _warn_of_separation(self, problem: ExactRows | ExactChain | Crossed) -> None:
        classes, inputs = self._outcome.contrasted, [*self._scaler.input_names, "the intercept"]
        for column, k in problem.separated.items():
            where = f" class {classes[k]!r} from the others" if len(classes) > 2 else " the classes"
            warn_of_separation(repr(inputs[column]), where, stacklevel=2)
        if isinstance(problem, ExactChain):
            warn_of_never([(classes[j], classes[k]) for j, k in problem.never], stacklevel=2)
            if problem.unstarted is not None:
                warn_of_start(classes[problem.unstarted], stacklevel=2)

    def _warn_of_constant_slopes(self, mixed: MixedEffects, batches: list[Batch]) -> None:
        """Name features with a slope of each person's own that change within nobody."""
        if not any(name.endswith("weight") for name in mixed.random):
            return
        names = self._scaler.input_names
        low = torch.full((mixed.n_groups, len(names)), torch.inf)
        high = -low
        for batch in batches:
            person = batch.groups[:, :1].cpu().expand(-1, len(names))
            x, mask = batch.x.float().cpu(), batch.mask.cpu().unsqueeze(2)
            low.scatter_reduce_(0, person, x.masked_fill(~mask, torch.inf).amin(1), "amin")
            high.scatter_reduce_(0, person, x.masked_fill(~mask, -torch.inf).amax(1), "amax")
        still = (high - low <= 0).logical_or(high < low).all(0)
        constant = [name for name, one in zip(names, still.tolist(), strict=True) if one]
        if constant:
            listed = ", ".join(map(repr, constant[:4])) + (" …" if len(constant) > 4 else "")
            warnings.warn(
                f"{listed} never changes within a person, so that a slope of each person's own"
                " cannot be told from the person's level: how much people differ is divided"
                " arbitrarily between the two. Give people their own intercept only (placement"
                " layers.0.bias), or leave the feature out and test it as a covariate.",
                IdentificationWarning,
                stacklevel=2,
            )

    @property
    def reads_times(self) -> bool:
        """Whether `fit` has a use for times."""
        return False

    @property
    def _needs_times(self) -> bool:
        """Whether it cannot do without."""
        return False

    def _prepare(self, problem: LinearGaussian, context: dict[str, ArrayLike | None]) -> None:
        """Give a linear model what only such a one has options for."""

    @property
    def is_count(self) -> bool:
        """Whether the outcome is a count."""
        return self._outcomes.is_count

    def _take_note(self, problem: object) -> None:
        """Keep what only some trained problems know."""
        self._outcome = self._outcome.noted(problem)

    def _check_options(self) -> None:
        check_choice("estimator", self.estimator, self.estimators)
        self._check_pattern()
        check_choice("covariance", self.covariance, self.covariances)
        check_choice("pooling", self.pooling, POOLING)
        check_placement(self.placement, self.placements, type(self).__name__)
        if self.hidden != AUTO:
            check_hidden(self.hidden)
        if self.activation is not None:
            check_choice("activation", self.activation, tuple(ACTIVATIONS))
        check_numbers(self.random_state, self.epochs)

    def _check_pattern(self) -> None:
        """Raise OptionError for a structure of Σ that this model is not fitted with."""
        if self.covariance not in PATTERNS:
            return
        if self.covariance not in self.covariances:
            raise OptionError(
                f'covariance="{self.covariance}" is for an NME-MLP without hidden layers.',
                remedy=f"Choose from {', '.join(self.covariances)}.",
            )
        exact = self.estimator in ("variational", "laplace") and self.epochs is None
        exact = exact and self.pooling in ("partial", "complete")
        if not exact or len(self.hidden):
            raise OptionError(
                f'covariance="{self.covariance}" is for a model without hidden layers that is'
                " fitted by its likelihood.",
                remedy='Use hidden=() with estimator="laplace" or "variational", or leave it out.',
            )

    def _forget(self) -> None:
        for name in [name for name in vars(self) if name.endswith("_") and name[0] != "_"]:
            delattr(self, name)

    def _build(self) -> MixedEffects:
        """Make the network on its device, with parameters drawn from the seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(self.random_state))
            network = self._network()
        return self._mixed(network).to(find_device(self.device))

    def _network(self) -> nn.Module:
        names = self._scaler.input_names
        return self._outcome.network(len(names), self._widths, self._activation())

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
