"""What all models have in common: options, what is fitted, and what is kept of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from nme_core.batches.sequences import Batch
from nme_core.estimators import saving
from nme_core.estimators.adapting import of_first_factor
from nme_core.estimators.families import Outcome
from nme_core.estimators.fitting import fit
from nme_core.estimators.inputs import Labels, Table
from nme_core.estimators.mixture import Mixture, Setting
from nme_core.estimators.options import COVARIANCES, ESTIMATORS, LAYERS, check_options, find_device
from nme_core.estimators.placement import person_specific
from nme_core.estimators.problems import Plan
from nme_core.estimators.readouts import ReadOuts
from nme_core.estimators.variance_intervals import Asked
from nme_core.estimators.warm_start import WarmStart
from nme_core.exceptions import RunFolderError
from nme_core.nn import Family, MixedEffects
from nme_core.training import LinearGaussian, PersonInformation, Progress

#: What stands between the layers of a network that is named without it.
ACTIVATION = "relu"


class NeuralMixedEffects(ReadOuts):
    """Base of the models. Its subclasses document the parameters and attributes."""

    placement: str | Sequence[str]
    activation: str | None
    covariance: str
    estimator: str
    pooling: str
    epochs: int | None
    device: str
    random_state: int
    history_: pd.DataFrame
    verdict_: str
    method_: str
    n_epochs_: int

    #: Placements that the model knows by name.
    placements: tuple[str, ...] = LAYERS
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

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        saving.MODELS[cls.__name__] = cls

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to one safetensors file (JSON in its header); no pickle."""
        saving.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a fitted model that `save` wrote; RunFolderError if the file is not one."""
        model = saving.load(path)
        if not isinstance(model, cls):
            raise RunFolderError(
                f"{os.fspath(path)} holds a {type(model).__name__}, not a {cls.__name__}.",
                remedy=f"Use {type(model).__name__}.load.",
            )
        return model

    def of_persons(self) -> Self:
        """Return a model that knows the persons only: all further groups at their population value.

        Of a model with one grouping factor it is the model itself.
        """
        return self if len(self.factors_) == 1 else of_first_factor(self)

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

    @property
    def reads_times(self) -> bool:
        """Whether `fit` has a use for times."""
        return False

    @property
    def is_count(self) -> bool:
        """Whether the outcome is a count."""
        return self._outcomes.is_count

    def _fit(
        self,
        X: Table,
        y: ArrayLike,
        groups: Table,
        validation: tuple[Any, ...] | None,
        progress: Callable[[Progress], None] | None,
        uncertainty: bool,
        **context: ArrayLike | None,
    ) -> Self:
        """Fit; `context` holds times, or sequence ids and initial states of a sequence model."""
        self._check_options()
        fit(self, X, y, groups, validation, progress, uncertainty, **context)
        return self

    def _batches(
        self, X: Table, groups: Table | None, level: str, **context: ArrayLike | None
    ) -> list[Batch]:
        self._check_fitted()
        return self._encoder.batches(X, groups, level, **context)

    def _forget(self) -> None:
        for name in [name for name in vars(self) if name.endswith("_") or name == "_encoder"]:
            delattr(self, name)

    def _check_options(self) -> None:
        """Raise OptionError where options do not exist, or do not fit together."""
        check_options(self)

    @property
    def _outcomes(self) -> type[Outcome]:
        """The kind of outcome that the options ask for."""
        raise NotImplementedError

    def _family(self) -> Family:
        return self._outcome.family()

    def _family_at(self, rho: float) -> Family:
        """The family where the residuals' autocorrelation is this one; NaN: that of the fit."""
        return self._family()

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
            layers=self._outcomes.layers,
            n_layers=len(self._widths) + 1,
            factors=tuple(self.factors_),
            quick=self._quick,
        )

    def _activation(self) -> str:
        """What stands between the layers."""
        return self.activation or ACTIVATION

    def _build(self) -> MixedEffects:
        """Make the network on its device, with parameters drawn from the seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(self.random_state))
            return self._mixed().to(find_device(self.device))

    def _mixed(self) -> MixedEffects:
        n_inputs = len(self._encoder.scaler.input_names)
        network = self._outcome.network(n_inputs, self._widths, self._activation())
        sizes = [len(levels) for levels in self.factors_.values()]
        return MixedEffects(network, self._random(network), sizes)

    def _random(self, network: nn.Module) -> list[str]:
        """Names of the person-specific parameters."""
        if self.pooling == "complete":
            return []
        if self.pooling == "none":
            return [name for name, _ in network.named_parameters()]
        return person_specific(network, self.placement, layers=self._outcome.layers)

    def _free(self, mixed: MixedEffects) -> tuple[str, ...]:
        """Shared parameters whose uncertainty counts: all but those of hidden layers.

        The weights of a hidden layer are not unique: its units can change places.
        """
        hidden = tuple(f"{self._outcome.layers}layers.{k}." for k in range(len(self._widths)))
        return tuple(name for name in mixed.fixed() if not name.startswith(hidden))

    # What only some kinds of models know.

    def _check_rows(
        self, outcome: Outcome, factors: list[Labels], context: dict[str, ArrayLike | None]
    ) -> None:
        """Raise an error for rows that cannot be used, by their place in the caller's table."""

    def _prepare(self, problem: LinearGaussian, context: dict[str, ArrayLike | None]) -> None:
        """Give a linear model what only such a one has options for."""

    def _take_note(self, problem: object) -> None:
        """Keep what only some trained problems know."""

    def _after_fit(self, batches: list[Batch], information: PersonInformation | None) -> None:
        """Read off what is kept of the rows of a fit."""

    def _after_adapt(self, batches: list[Batch], information: PersonInformation | None) -> None:
        """Read off what is kept of the rows of new persons."""

    def _reorder(self, order: NDArray[np.int64]) -> None:
        """Put what is kept of each person into the order of these positions."""

    def _extra(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """What a file keeps besides: JSON, and tensors by name."""
        return {}, {}

    def _restore_extra(self, state: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Undo `_extra`."""
