"""NME-CRF: a linear-chain CRF with person-specific transitions and emission network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Self, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.estimators.adapting import with_persons
from nme_core.estimators.base import NeuralMixedEffects
from nme_core.estimators.families import Outcome, State
from nme_core.estimators.inputs import Table
from nme_core.estimators.moves import MODEL_READOUTS, Moves
from nme_core.estimators.options import COVARIANCES, LAYERS
from nme_core.estimators.paths import Paths
from nme_core.estimators.scoring import Scored
from nme_core.exceptions import UnknownPersonError
from nme_core.training import PersonInformation, Progress
from nme_core.training.covariance import FACTORS


class NMECRF(Scored, NeuralMixedEffects):
    """NME-CRF for sequences of states (arXiv 2306.08149).

    Emission scores come from an MLP of the features, transition scores from one matrix per
    person, ``transitions[from, to]``.

    Parameters
    ----------
    hidden : sequence of int
        Units of each hidden layer of the emission network; empty: linear.
    placement : str or sequence of str
        Which parameters are person-specific: ``transitions``, ``first``, ``last`` or ``all``
        layers of the emission network, a layer choice with ``+transitions``, or parameter names.
    covariance : {"diagonal", "full", "factor", "factor2"}
        Structure of Σ. "factor": people differ in one trait, such as inertia, that shows in all
        their numbers, and in each by itself ("factor2": in two); linear emissions only.
    estimator, pooling, epochs, device, random_state
        As in `NMEMLPRegressor`.

    Attributes
    ----------
    classes_ : array
        States, sorted: numbers as they were given, all else as text.
    fixed_effects_, random_effects_, groups_, history_, verdict_ …
        As in `NMEMLPRegressor`.
    """

    covariances = (*COVARIANCES, *FACTORS)
    placements = ("transitions", *LAYERS, *(f"{which}+transitions" for which in LAYERS))
    _moves: Moves
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True, "sequence_ids": True}
    __metadata_request__score: ClassVar[dict[str, bool]] = {"groups": True, "sequence_ids": True}

    def __init__(
        self,
        hidden: Sequence[int] = (),
        placement: str | Sequence[str] = "last+transitions",
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

    def fit(
        self,
        X: Table,
        y: ArrayLike,
        *,
        groups: Table,
        sequence_ids: ArrayLike | None = None,
        validation: tuple[Any, ...] | None = None,
        progress: Callable[[Progress], None] | None = None,
        uncertainty: bool = True,
    ) -> Self:
        """Fit to rows in order of time within each sequence.

        Parameters
        ----------
        y : array, shape (n,)
            State of each step; missing ones are summed out.
        groups, sequence_ids : array, shape (n,)
            Person and sequence of each step. Without ids a person's rows are one sequence.
        validation : tuple (X, y, groups[, sequence_ids[, initial_states]]), optional
            Other steps of the same persons, to watch; ``annealed`` stops early on them.
        X, progress, uncertainty
            As in `NMEMLPRegressor.fit`, as are the errors.
        """
        return self._fit(X, y, groups, validation, progress, uncertainty, sequence_ids=sequence_ids)

    @property
    def classes_(self) -> NDArray[Any]:
        """States, sorted."""
        self._check_fitted()
        return cast(State, self._outcome).classes

    def adapt(
        self, X: Table, y: ArrayLike, *, groups: Table, sequence_ids: ArrayLike | None = None
    ) -> Self:
        """Return a new model that also knows persons it was not fitted on.

        As `NMEMLPRegressor.adapt`; rows stand in order of time within each sequence, and missing
        states are summed out.
        """
        return with_persons(self, X, y, groups, sequence_ids=sequence_ids)

    def predict(
        self,
        X: Table,
        groups: Table | None = None,
        *,
        sequence_ids: ArrayLike | None = None,
        initial_states: ArrayLike | None = None,
        level: str = "person",
    ) -> NDArray[Any]:
        """Most probable path of each sequence (Viterbi), of ``classes_``, shape (n,).

        Parameters
        ----------
        X, groups, sequence_ids
            As in `fit`. Without ids a person's rows are one sequence.
        initial_states : array, shape (n,), optional
            State before each row, read at the first one of a sequence; missing: not known.
        level : {"person", "population", "average"}
            "population" sets η = 0, a typical person, and takes persons that the model has not
            seen; "average" gives the most probable state of each step, on average over all people.
        """
        return self.paths(X, groups, level, sequence_ids, initial_states).likeliest()

    def paths(self, X: Any, groups: Any, level: str, ids: Any = None, initial: Any = None) -> Paths:
        """Read steps once, for several questions; arguments of `predict`, ids of sequences."""
        batches = self._batches(X, groups, level, sequence_ids=ids, initial_states=initial)
        return Paths(self._posterior, self._outcome, int(self.random_state), batches, level)

    def predict_proba(
        self,
        X: Table,
        groups: Table | None = None,
        *,
        sequence_ids: ArrayLike | None = None,
        initial_states: ArrayLike | None = None,
        level: str = "person",
    ) -> NDArray[np.float64]:
        """Marginal probability of each state at each step, shape (n, K), averaged over the
        posterior of the parameters; arguments of `predict`.
        """
        return self.paths(X, groups, level, sequence_ids, initial_states).probabilities()

    def predict_ahead(
        self,
        X: Table,
        y: ArrayLike,
        *,
        groups: Table,
        sequence_ids: ArrayLike | None = None,
        steps: Sequence[int],
    ) -> dict[int, NDArray[np.float64]]:
        """Probability of each state at each step given its sequence's label so many steps before,
        by number of steps, shape (n, K); NaN where there is none. Arguments of `fit`.
        """
        return self.paths(X, groups, "person", sequence_ids).ahead(y, steps)

    def simulate(
        self,
        X: Table,
        groups: Table | None = None,
        *,
        sequence_ids: ArrayLike | None = None,
        level: str = "person",
        seed: int = 0,
    ) -> Iterator[NDArray[Any]]:
        """Yield states of these steps drawn from the fitted model, shape (n,), once for each of 64
        draws of the parameters from their posterior; arguments of `predict`.
        """
        yield from self.paths(X, groups, level, sequence_ids).drawn(seed)

    def sequence_loss(
        self,
        X: Table,
        y: ArrayLike,
        groups: Table | None = None,
        *,
        sequence_ids: ArrayLike | None = None,
        initial_states: ArrayLike | None = None,
        level: str = "person",
    ) -> NDArray[np.float64]:
        """Each row's share of −log p(labels of its sequence), shape (n,): the sum over the labels
        of the whole sequence divided by its number of labels, NaN where the label is missing.

        p is averaged over the posterior of the parameters. Arguments as in `predict`; y holds the
        labels.
        """
        return self.paths(X, groups, level, sequence_ids, initial_states).losses(y)

    def transition_matrix(
        self, person: str | None = None, readout: str = "conditional"
    ) -> pd.DataFrame:
        """Transitions of one person, or of the population, from (rows) × to (columns).

        Parameters
        ----------
        person : str, optional
            None: the population (η = 0).
        readout : {"scores", "conditional", "expected", "observed"}
            ``scores``: A double-centred, so that rows and columns sum to 0 (log-odds; the part of
            A that is unique). ``conditional``: where next from here at the study's average
            features, the person's own chain (`stationary_chain`). ``expected``: the transitions
            that the model expects on the person's rows, row-normalised. ``observed``: those counted
            in the labels, row-normalised; NaN in a row that was never left.
        """
        values, places = self.transition_matrices(readout), self._encoder.index[0]
        if person is not None and str(person) not in places:
            raise UnknownPersonError([person])
        matrix = values[-1 if person is None else places[str(person)]]
        start, end = (pd.Index(self.classes_, name=name) for name in ("from", "to"))
        return pd.DataFrame(matrix, start, end)

    def transition_matrices(self, readout: str) -> NDArray[np.float64]:
        """Transitions of all persons and then the population, shape (P + 1, K, K)."""
        self._check_fitted()
        return self._moves.matrices(self._posterior.mixed, readout)

    def transition_counts(self, readout: str) -> NDArray[np.float64]:
        """Number of transitions, ``expected`` or ``observed``, shape (P + 1, K, K)."""
        self._check_fitted()
        return self._moves.counts(readout)

    def transition_intervals(self, readout: str) -> tuple[NDArray[np.float64], ...]:
        """Lower and upper ends of the 95 % intervals of `transition_matrices`, (P + 1, K, K) each.

        NaN where the model's uncertainty was not taken; ``observed`` has intervals of Wilson's.
        """
        self._check_fitted()
        return tuple(self._moves.intervals[readout])

    def _after_fit(self, batches: list[Batch], information: PersonInformation | None) -> None:
        wanted = MODEL_READOUTS if self._asked is None else self._asked.readouts
        self._moves = Moves.of(
            self._posterior, batches, information, int(self.random_state), wanted
        )

    def _reorder(self, order: NDArray[np.int64]) -> None:
        self._moves = self._moves.in_order(order.tolist())

    def _after_adapt(self, batches: list[Batch], information: PersonInformation | None) -> None:
        self._moves = self._moves.with_people(
            self._posterior, batches, information, int(self.random_state)
        )

    @property
    def _outcomes(self) -> type[Outcome]:
        return State

    def _extra(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        return {}, self._moves.tensors()

    def _restore_extra(self, state: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self._moves = Moves.restored(tensors)
