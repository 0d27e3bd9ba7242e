"""NME-CRF: a linear-chain CRF with person-specific transitions and emission network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from nme_core.batches.scaling import Columns
from nme_core.batches.sequences import Batch
from nme_core.estimators.base import NeuralMixedEffects
from nme_core.estimators.families import Outcome, State
from nme_core.estimators.inputs import Labels, Rows, check_lengths, read_groups, read_ids
from nme_core.estimators.moves import MODEL_READOUTS, READOUTS, Moves
from nme_core.estimators.options import COVARIANCES
from nme_core.estimators.scoring import Scored
from nme_core.exceptions import DataError, OptionError, UnknownPersonError
from nme_core.nn import LinearChain
from nme_core.nn.crf import forward_backward, sample_paths, viterbi, with_initial
from nme_core.nn.random_effects import own
from nme_core.training import ChainRows, PersonInformation, Progress, is_linear_chain
from nme_core.training.covariance import FACTORS

#: Draws over which the probability of a whole path is averaged.
PATH_DRAWS = 256


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
    classes_ : array of str
        States, sorted.
    fixed_effects_, random_effects_, random_effects_cov_, random_effects_se_, reliability_,
    groups_, n_obs_, history_, verdict_
        As in `NMEMLPRegressor`.
    """

    covariances = (*COVARIANCES, *FACTORS)
    placements = (
        "transitions",
        "first",
        "last",
        "all",
        "first+transitions",
        "last+transitions",
        "all+transitions",
    )
    _context = ("sequence_ids", "initial_states")
    _layers = "emission."
    _keeps_order = True
    _outcome: State
    _moves: Moves

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

    def fit(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        *,
        groups: ArrayLike | pd.DataFrame,
        sequence_ids: ArrayLike | None = None,
        validation: tuple[Any, ...] | None = None,
        progress: Callable[[Progress], None] | None = None,
        uncertainty: bool = True,
    ) -> Self:
        """Fit to rows in order of time within each sequence.

        Parameters
        ----------
        X : array or DataFrame, shape (n, F)
            Features, NaN where missing.
        y : array, shape (n,)
            State of each step; missing ones are summed out.
        groups, sequence_ids : array, shape (n,)
            Person and sequence of each step. Without ids a person's rows are one sequence.
        validation : tuple (X, y, groups[, sequence_ids[, initial_states]]), optional
            Other steps of the same persons, to watch; ``annealed`` stops early on them.
        progress : callable, optional
            Called with a `Progress` after each epoch; what it raises stops the fit.
        uncertainty : bool
            Whether to take the uncertainty of shared and person-specific parameters together, from
            which intervals come. Predictions and ``random_effects_se_`` do without.

        Raises
        ------
        DataError, OptionError, TrainingError
            As in `NMEMLPRegressor.fit`.
        """
        return self._fit(
            X,
            y,
            groups,
            validation=validation,
            progress=progress,
            uncertainty=uncertainty,
            sequence_ids=sequence_ids,
        )

    def adapt(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        *,
        groups: ArrayLike | pd.DataFrame,
        sequence_ids: ArrayLike | None = None,
    ) -> Self:
        """Return a new model that also knows persons it was not fitted on.

        As `NMEMLPRegressor.adapt`; rows stand in order of time within each sequence, and missing
        states are summed out.
        """
        return self._adapt(X, y, groups, sequence_ids=sequence_ids)

    # Predictions. `initial_states` holds, for each row, the state before it where that is known
    # (read at the first row of each sequence only).

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True, "sequence_ids": True}
    __metadata_request__score: ClassVar[dict[str, bool]] = {"groups": True, "sequence_ids": True}

    def score(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        groups: ArrayLike | pd.DataFrame | None = None,
        *,
        sequence_ids: ArrayLike | None = None,
        level: str = "person",
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """Share of steps whose state is right on the most probable path (Viterbi).

        Parameters, errors: as in `NMEMLPClassifier.score`.
        """
        return self._score(X, y, groups, level, sample_weight, sequence_ids=sequence_ids)

    def predict(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | pd.DataFrame | None = None,
        *,
        sequence_ids: ArrayLike | None = None,
        initial_states: ArrayLike | None = None,
        level: str = "person",
    ) -> NDArray[np.str_]:
        """Most probable path of each sequence (Viterbi), shape (n,), as text.

        Parameters
        ----------
        X, groups, sequence_ids
            As in `fit`. Without ids a person's rows are one sequence.
        initial_states : array, shape (n,), optional
            State just before each row; read at the first row of every sequence, missing where it
            is not known.
        level : {"person", "population", "average"}
            "population" sets η = 0, a typical person, and takes persons that the model has not
            seen; "average" gives the most probable state of each step, on average over all people.
        """
        self._check_fitted()
        if level == "average" and self._posterior.mixed.n_random:
            chances = self.predict_proba(
                X, groups, sequence_ids=sequence_ids, initial_states=initial_states, level=level
            )
            likeliest: NDArray[np.str_] = self.classes_[chances.argmax(axis=1)]
            return likeliest
        batches = self._steps(X, groups, sequence_ids, initial_states, level)
        codes = np.empty(sum(batch.n_rows for batch in batches), dtype=np.int64)
        for batch in batches:
            path = viterbi(
                *_scores(self._posterior.mean_output(batch, persons=level == "person"), batch),
                lengths=batch.lengths,
            )
            codes[batch.rows[batch.mask].numpy()] = path[batch.mask].numpy()
        states: NDArray[np.str_] = self.classes_[codes]
        return states

    def predict_proba(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | pd.DataFrame | None = None,
        *,
        sequence_ids: ArrayLike | None = None,
        initial_states: ArrayLike | None = None,
        level: str = "person",
    ) -> NDArray[np.float64]:
        """Marginal probability of each state at each step, shape (n, K), averaged over the
        posterior of the parameters; arguments of `predict`.
        """
        batches = self._steps(X, groups, sequence_ids, initial_states, level)
        n = sum(batch.n_rows for batch in batches)
        result = torch.zeros(n, len(self.classes_), dtype=torch.float64)
        if is_linear_chain(self._posterior.mixed):
            for batch in batches:
                result[batch.rows[batch.mask]] = self._marginals(batch, level)
            return result.numpy()
        n_draws = 0
        for outputs in self._outputs(batches, level):
            n_draws += 1
            for batch, output in zip(batches, outputs, strict=True):
                unary = forward_backward(*_scores(output, batch), lengths=batch.lengths).unary
                result[batch.rows[batch.mask]] += unary[batch.mask]
        probabilities: NDArray[np.float64] = (result / n_draws).numpy()
        return probabilities

    @torch.no_grad()
    def _marginals(self, batch: Batch, level: str) -> Tensor:
        """Mean over draws of the probability of each state at each step, (n, K)."""
        rows, n_draws = ChainRows(self._posterior.mixed, batch), 0
        total = torch.zeros(batch.n_rows, len(self.classes_), dtype=torch.float64)
        for fixed, deviations in self._posterior.draws_at(level, int(self.random_state)):
            n_draws += 1
            rows.add_marginals(fixed, own(deviations, batch.groups), total)
        return total / n_draws

    def simulate(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | pd.DataFrame | None = None,
        *,
        sequence_ids: ArrayLike | None = None,
        level: str = "person",
        seed: int = 0,
    ) -> Iterator[NDArray[np.str_]]:
        """Yield states of these steps drawn from the fitted model, shape (n,), once for each of 64
        draws of the parameters from their posterior; arguments of `predict`.
        """
        batches = self._steps(X, groups, sequence_ids, None, level)
        generator = torch.Generator().manual_seed(seed)
        codes = np.empty(sum(batch.n_rows for batch in batches), dtype=np.int64)
        for outputs in self._outputs(batches, level):
            for batch, output in zip(batches, outputs, strict=True):
                path = sample_paths(*_scores(output, batch), batch.lengths, generator)
                codes[batch.rows[batch.mask].numpy()] = path[batch.mask].numpy()
            states: NDArray[np.str_] = self.classes_[codes]
            yield states

    @torch.no_grad()
    def sequence_loss(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        groups: ArrayLike | pd.DataFrame | None = None,
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
        batches = self._steps(X, groups, sequence_ids, initial_states, level)
        check_lengths(sum(batch.n_rows for batch in batches), y=y)
        codes = torch.from_numpy(self._outcome.encode(y))
        loss = torch.full((len(codes),), torch.nan, dtype=torch.float64)
        known = [
            replace(batch, y=torch.where(batch.mask, codes[batch.rows], -1)) for batch in batches
        ]
        for batch, mean_log in zip(known, self._log_paths(known, level), strict=True):
            labelled = batch.y >= 0
            share = -mean_log / labelled.sum(1).clamp_min(1)
            loss[batch.rows[labelled]] = share.unsqueeze(1).expand_as(labelled)[labelled]
        values: NDArray[np.float64] = loss.numpy()
        return values

    def _log_paths(self, batches: list[Batch], level: str) -> list[Tensor]:
        """log E[p(labels of each sequence)] over the posterior of the parameters, by batch.

        With linear emissions by Laplace's method; else over draws: a path's probability differs
        much more from draw to draw than a step's, and takes more of them.
        """
        persons, posterior = level == "person", self._posterior
        if is_linear_chain(posterior.mixed):
            return [self._log_path(batch, persons) for batch in batches]
        total = [torch.full((len(batch.x),), -torch.inf, dtype=torch.float64) for batch in batches]
        n_draws, family = 0, LinearChain()
        draws = posterior.draws(int(self.random_state), persons=persons, n_draws=PATH_DRAWS)
        for fixed, deviations in draws:
            n_draws += 1
            for k, batch in enumerate(batches):
                drawn = self._own(deviations, batch, persons)
                output = posterior.mixed(batch.x, fixed=fixed, deviations=drawn)
                total[k] = torch.logaddexp(total[k], -family.deviance(output, batch).double() / 2)
        return [each - math.log(n_draws) for each in total]

    def _log_path(self, batch: Batch, persons: bool) -> Tensor:
        posterior, mixed = self._posterior, self._posterior.mixed
        rows, fixed = ChainRows(mixed, batch), mixed.fixed()
        deviations = self._own(mixed.deviations, batch, persons)
        if posterior.covariance is None:
            return rows.log_likelihoods(fixed, deviations)

        def covariance(some: slice) -> Tensor:
            groups = batch.groups[some, 0] if persons else None
            return posterior.covariance_of_all(groups, some.stop - some.start)

        return rows.log_expected(fixed, deviations, covariance)

    def _own(self, deviations: Tensor, batch: Batch, persons: bool) -> Tensor:
        """Deviations of each sequence's person, 0 for the population."""
        if persons:
            return own(deviations, batch.groups)
        return deviations.new_zeros(len(batch.x), self._posterior.mixed.n_random)

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
        self._check_fitted()
        if readout not in READOUTS:
            raise OptionError(
                f"readout={readout!r} does not exist.", remedy=f"Choose from {', '.join(READOUTS)}."
            )
        values = self.transition_matrices(readout)
        if person is None:
            matrix = values[-1]
        elif str(person) in self._index[0]:
            matrix = values[self._index[0][str(person)]]
        else:
            raise UnknownPersonError([person])
        return pd.DataFrame(
            matrix,
            index=pd.Index(self.classes_, name="from"),
            columns=pd.Index(self.classes_, name="to"),
        )

    def transition_matrices(self, readout: str) -> NDArray[np.float64]:
        """Transitions of all persons and then the population, shape (P + 1, K, K)."""
        self._check_fitted()
        return self._moves.matrices(self._posterior.mixed, readout)

    def chains_at(self, deviations: Tensor) -> NDArray[np.float64]:
        """``conditional`` of people with these deviations, (n, R) → (n, K, K)."""
        return self._moves.chains_at(self._posterior.mixed, deviations)

    def chain_slope(self) -> NDArray[np.float64]:
        """Derivative of the log-odds of ``conditional`` by η at the population, (K², R)."""
        return self._moves.chain_slope(self._posterior.mixed)

    def transition_counts(self, readout: str) -> NDArray[np.float64]:
        """Number of transitions, ``expected`` or ``observed``, shape (P + 1, K, K)."""
        self._check_fitted()
        return self._moves.counts(readout)

    def transition_intervals(self, readout: str) -> tuple[NDArray[np.float64], ...]:
        """Lower and upper ends of the 95 % intervals of `transition_matrices`, (P + 1, K, K) each.

        NaN where the model's uncertainty was not taken; ``observed`` has intervals of Wilson's.
        """
        self._check_fitted()
        low, high = self._moves.intervals[readout]
        return low, high

    def _after_fit(self, batches: list[Batch], information: PersonInformation | None) -> None:
        super()._after_fit(batches, information)
        wanted = MODEL_READOUTS if self._asked is None else self._asked.readouts
        self._moves = Moves.of(
            self._posterior, batches, information, int(self.random_state), wanted
        )

    def _reorder(self, orders: list[NDArray[np.int64]]) -> None:
        super()._reorder(orders)
        self._moves = self._moves.in_order(orders[0].tolist())

    def _after_adapt(
        self, before: Self, batches: list[Batch], information: PersonInformation | None
    ) -> None:
        self._moves = before._moves.with_people(
            self._posterior, batches, information, int(self.random_state)
        )

    def _steps(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | pd.DataFrame | None,
        sequence_ids: ArrayLike | None,
        initial_states: ArrayLike | None,
        level: str,
    ) -> list[Batch]:
        return self._batches(
            X,
            groups,
            level,
            sequence_ids=sequence_ids,
            owners=groups,
            initial_states=initial_states,
        )

    def _rows(
        self,
        table: Columns,
        factors: list[Labels] | None,
        **context: ArrayLike | None,
    ) -> Rows:
        rows = super()._rows(table, factors)
        # A population prediction has no person codes, but a sequence still belongs to one person.
        owners = context.get("owners")
        whose = rows.groups[:, 0] if owners is None else read_groups(owners)[0].codes
        sequences = _sequences(whose, context.get("sequence_ids"))
        _refuse_moving_sequences(rows.groups, sequences, list(self.factors_))
        initial = context.get("initial_states")
        before = None if initial is None else self._outcome.encode(initial)
        return Rows(rows.x, rows.groups, sequences, before)

    def _check_rows(
        self, y: ArrayLike, factors: list[Labels], context: dict[str, ArrayLike | None]
    ) -> None:
        super()._check_rows(y, factors, context)
        groups = np.column_stack([factor.codes for factor in factors])
        sequences = _sequences(groups[:, 0], context.get("sequence_ids"))
        _refuse_moving_sequences(groups, sequences, [factor.name for factor in factors])

    @property
    def _outcomes(self) -> type[Outcome]:
        return State

    def _learn_outcome(self, y: ArrayLike) -> None:
        super()._learn_outcome(y)
        self.classes_ = self._outcome.classes

    def _state_names(self) -> list[str]:
        return self._outcome.contrasted

    def _extra_tensors(self) -> dict[str, Tensor]:
        return {**super()._extra_tensors(), **self._moves.tensors()}

    def _restore_extra(self, outcome: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        super()._restore_extra(outcome, tensors)
        self.classes_, self._moves = self._outcome.classes, Moves.restored(tensors)


def _sequences(persons: NDArray[np.int64], ids: ArrayLike | None) -> NDArray[np.int64]:
    """Sequence of each row as a number; without ids a person's rows are one."""
    if ids is None:
        return persons
    labels = read_ids(ids, "sequence_ids")
    return persons * len(labels.levels) + labels.codes


def _refuse_moving_sequences(
    groups: NDArray[np.int64], sequences: NDArray[np.int64], factors: list[str]
) -> None:
    """Raise DataError for a sequence that changes its group of a further grouping factor."""
    for name, column in zip(factors[1:], groups.T[1:], strict=False):
        table = pd.DataFrame({"sequence": sequences, "group": column}).drop_duplicates()
        twice = table["sequence"].duplicated()
        if twice.any():
            row = int(table.index[twice][0])
            raise DataError(
                f"{name!r} changes within a sequence, in row {row} (counted from 0).",
                remedy="Give each stay a sequence of its own (sequence_ids).",
                row=row,
                column=name,
            )


def _scores(output: tuple[Tensor, Tensor], batch: Batch) -> tuple[Tensor, Tensor]:
    """Emission scores, with the state before the first step, and transition scores; float64."""
    emissions, transitions = output[0].double(), output[1].double()
    return with_initial(emissions, transitions, batch.initial), transitions
