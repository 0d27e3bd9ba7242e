"""What each kind of model says of its outcome and its network; the other parts build on it."""

from __future__ import annotations

from typing import Any, Self

from numpy.typing import ArrayLike
from torch import Tensor, nn

from nme_core.batches.sequences import Batch
from nme_core.estimators.families import Outcome
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

    #: What was learned of the outcome.
    _outcome: Outcome

    @property
    def _outcomes(self) -> type[Outcome]:
        """The kind of outcome that the options ask for."""
        raise NotImplementedError

    def _learn_outcome(self, y: ArrayLike) -> None:
        self._outcome = self._outcomes.learned(y)

    def _check_rows(
        self, y: ArrayLike, factors: list[Labels], context: dict[str, ArrayLike | None]
    ) -> None:
        """Raise DataError for a row that cannot be used, by its place in the caller's table."""
        self._learn_outcome(y)

    def _state_names(self) -> list[str]:
        return []

    def _network(self) -> nn.Module:
        raise NotImplementedError

    def _mixed(self, network: nn.Module) -> MixedEffects:
        raise NotImplementedError

    def _free(self, mixed: MixedEffects) -> tuple[str, ...]:
        raise NotImplementedError

    def _family(self) -> Family:
        return self._outcome.family()

    def _family_at(self, rho: float) -> Family:
        """The family where the residuals' autocorrelation is this one; NaN: that of the fit."""
        return self._family()

    def _after_fit(self, batches: list[Batch], information: PersonInformation | None) -> None:
        """Read off what is kept of the rows of a fit."""

    def _after_adapt(
        self, before: Self, batches: list[Batch], information: PersonInformation | None
    ) -> None:
        """Read off what is kept of the rows of new persons."""

    def _extra_state(self) -> dict[str, Any]:
        """What a file keeps beside the outcome's state."""
        return {}

    def _restore_extra(self, outcome: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Undo `_extra_state` and `_extra_tensors`."""

    def _extra_tensors(self) -> dict[str, Tensor]:
        return {}
