"""What each kind of model says of its outcome and its network; the other parts build on it."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from nme_core.batches.sequences import Batch
from nme_core.estimators.inputs import Labels
from nme_core.nn import Family, MixedEffects
from nme_core.training import PersonInformation


class Hooks:
    """Answers of a kind of model; those that have no answer here have to be given."""

    #: What a validation tuple may hold after X, y and groups.
    _context: tuple[str, ...] = ()
    #: Whether the order of a person's rows, within a sequence, says something.
    _keeps_order = False
    #: Where the layers of the network start in the names of its parameters.
    _layers = ""

    def _learn_outcome(self, y: ArrayLike) -> None:
        raise NotImplementedError

    def _check_rows(
        self, y: ArrayLike, factors: list[Labels], context: dict[str, ArrayLike | None]
    ) -> None:
        """Raise DataError for a row that cannot be used, by its place in the caller's table."""
        self._learn_outcome(y)

    def _encode_outcome(self, y: ArrayLike) -> NDArray[Any]:
        raise NotImplementedError

    def _no_outcome(self, n: int) -> NDArray[Any]:
        return np.full(n, -1, dtype=np.int64)

    def _outcome_scale(self) -> tuple[float, float]:
        """Mean and sd of the outcome; 0 and 1 where it is not a number."""
        return 0.0, 1.0

    def _state_names(self) -> list[str]:
        return []

    def _scored_classes(self) -> list[str]:
        """Classes or states whose scores the network gives as contrasts; else none."""
        return []

    def _network(self, n_inputs: int) -> nn.Module:
        raise NotImplementedError

    def _mixed(self, network: nn.Module) -> MixedEffects:
        raise NotImplementedError

    def _free(self, mixed: MixedEffects) -> tuple[str, ...]:
        raise NotImplementedError

    def _family(self) -> Family:
        raise NotImplementedError

    def _family_at(self, rho: float) -> Family:
        """The family where the residuals' autocorrelation is this one; NaN: that of the fit."""
        return self._family()

    def _precise_outcome(self, y: ArrayLike) -> NDArray[np.float64] | None:
        """The encoded outcome in double precision; None where it is a class or a count."""
        return None

    def _after_fit(self, batches: list[Batch], information: PersonInformation | None) -> None:
        """Read off what is kept of the rows of a fit."""

    def _after_adapt(
        self, before: Self, batches: list[Batch], information: PersonInformation | None
    ) -> None:
        """Read off what is kept of the rows of new persons."""

    def _outcome_state(self) -> dict[str, Any]:
        raise NotImplementedError

    def _restore_outcome(self, outcome: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        raise NotImplementedError

    def _extra_tensors(self) -> dict[str, Tensor]:
        return {}
