"""What an NME-CRF says of how people move between states: counts, chains and their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nme_core.batches.sequences import Batch, chunks
from nme_core.estimators.posterior import Posterior
from nme_core.estimators.stationary_chain import log_slope, stationary_chain
from nme_core.estimators.transition_intervals import (
    ModelIntervals,
    emission_slopes,
    observed_intervals,
)
from nme_core.exceptions import OptionError
from nme_core.nn import MixedEffects
from nme_core.nn.crf import forward_backward
from nme_core.training import PersonInformation

Floats = NDArray[np.float64]
MODEL_READOUTS = ("scores", "conditional", "expected")
READOUTS = (*MODEL_READOUTS, "observed")


@dataclass(frozen=True)
class Moves:
    """Transitions of P people and, last, of the population, on the rows of a fit.

    What follows from the network alone is read off `mixed`, the network at the fit.

    Attributes
    ----------
    expected, observed : array, shape (P + 1, K, K)
        Number of transitions that the model expects, and of those in the labels.
    mean_emission : array, shape (K,)
        The population's mean emission score.
    mean_x : Tensor, shape (n_inputs,), or None
        Mean inputs; models of before have none.
    intervals : dict of array, shape (2, P + 1, K, K)
        Ends of 95 % intervals by read-out.
    """

    expected: Floats
    observed: Floats
    mean_emission: Floats
    mean_x: Tensor | None
    intervals: dict[str, Floats]

    @classmethod
    def of(
        cls,
        posterior: Posterior,
        batches: Sequence[Batch],
        information: PersonInformation | None,
        seed: int,
        wanted: Sequence[str] = MODEL_READOUTS,
    ) -> Self:
        """Count transitions, take the population's mean emission score, and the intervals.

        Those of read-outs that are not `wanted` are NaN.
        """
        n_persons = posterior.mixed.sizes[0]
        expected, observed, emission = _count(posterior, batches, n_persons)
        observed[-1] = observed.sum(0)
        n_rows = sum(batch.n_rows for batch in batches)
        totals = [batch.x[batch.mask].double().sum(0).cpu() for batch in batches]
        found = cls(
            expected.numpy(),
            observed.numpy(),
            emission.numpy(),
            torch.stack(totals).sum(0) / n_rows,
            {},
        )
        intervals = found._model_intervals(
            posterior, posterior.mixed, information, batches, seed, wanted
        )
        return replace(
            found, intervals={**intervals, "observed": observed_intervals(found.observed)}
        )

    def with_people(
        self,
        posterior: Posterior,
        batches: Sequence[Batch],
        information: PersonInformation | None,
        seed: int,
    ) -> Self:
        """Add the new people of an adapted model; what is the population's stays.

        Parameters
        ----------
        posterior : Posterior
            Of the adapted model: the people so far, then the new ones.
        batches : sequence of Batch
            Rows of the new people, counted from 0.
        """
        n_old, n_all = len(self.expected) - 1, posterior.mixed.sizes[0]
        moved = [replace(batch, groups=batch.groups + n_old) for batch in batches]
        counts = [part[n_old:-1].numpy() for part in _count(posterior, moved, n_all)[:2]]
        whole = [
            np.concatenate([old[:-1], new, old[-1:]])
            for old, new in zip((self.expected, self.observed), counts, strict=True)
        ]
        found = replace(self, expected=whole[0], observed=whole[1])
        mixed = posterior.mixed.for_groups(n_all - n_old)
        mixed.deviations.data = posterior.mixed.deviations[n_old:].clone()
        mixed.requires_grad_(False)
        new = found._model_intervals(posterior, mixed, information, batches, seed)
        new["observed"] = observed_intervals(found.observed[[*range(n_old, n_all), -1]])
        intervals = {
            name: np.concatenate([old[:, :-1], new[name][:, :-1], old[:, -1:]], axis=1)
            for name, old in self.intervals.items()
        }
        return replace(found, intervals=intervals)

    def in_order(self, order: Sequence[int]) -> Self:
        """Put people into the order of these positions."""
        whole = [*order, -1]
        return replace(
            self,
            expected=self.expected[whole],
            observed=self.observed[whole],
            intervals={name: ends[:, whole] for name, ends in self.intervals.items()},
        )

    def counts(self, readout: str) -> Floats:
        """Number of transitions, ``expected`` or ``observed``, shape (P + 1, K, K)."""
        return {"expected": self.expected, "observed": self.observed}[readout]

    def matrices(self, mixed: MixedEffects, readout: str) -> Floats:
        """A read-out of all people and then the population, shape (P + 1, K, K)."""
        if readout not in READOUTS:
            raise OptionError(
                f"readout={readout!r} does not exist.", remedy=f"Choose from {', '.join(READOUTS)}."
            )
        if readout in ("expected", "observed"):
            counts = self.counts(readout)
            total = counts.sum(axis=2, keepdims=True)
            shares: Floats = np.divide(
                counts, total, out=np.full_like(counts, np.nan), where=total > 0
            )
            return shares
        each = with_population(mixed)
        if readout == "conditional":
            return self.chains_at(mixed, each)
        scores = self.scores(mixed, each)
        scores = scores - scores.mean(axis=1, keepdims=True)
        centred: Floats = scores - scores.mean(axis=2, keepdims=True)
        return centred

    def chains_at(self, mixed: MixedEffects, deviations: Tensor) -> Floats:
        """``conditional`` of people with these deviations, (n, R) → (n, K, K)."""
        scores = self.scores(mixed, deviations)
        return stationary_chain(scores, self.emissions(mixed, deviations))

    def chain_slope(self, mixed: MixedEffects) -> Floats:
        """Derivative of the log-odds of ``conditional`` by η at the population, (K², R)."""
        n_states = len(self.mean_emission)
        zero = mixed.deviations.new_zeros(1, mixed.n_random)
        chain = self.chains_at(mixed, zero)
        slope = np.zeros((n_states**2 + n_states, mixed.n_random))
        moves = [name == "transitions" for name, _ in mixed.parameter_indices()]
        slope[: n_states**2, moves] = np.eye(n_states**2)[:, : sum(moves)]
        if self.mean_x is not None:
            at = self.mean_x.to(zero.dtype).expand(1, 1, -1)
            by_emission = mixed.jacobian(at, zero, lambda output: output[0])[0, 0]
            slope[n_states**2 :] = by_emission.double().numpy()
        found: Floats = log_slope(chain)[0] @ slope
        return np.asarray(found / (1 - np.minimum(chain.reshape(-1, 1), 1 - 1e-9)))

    def scores(self, mixed: MixedEffects, deviations: Tensor) -> Floats:
        """A at these deviations, (n, R) → (n, K, K)."""
        n_states = len(self.mean_emission)
        scores = mixed.fixed()["transitions"].double().expand(len(deviations), -1, -1).clone()
        if "transitions" in mixed.random:
            columns = [name == "transitions" for name, _ in mixed.parameter_indices()]
            own = deviations[:, torch.tensor(columns)].double()
            scores += own.view(-1, n_states, n_states)
        values: Floats = scores.numpy()
        return values

    def emissions(self, mixed: MixedEffects, deviations: Tensor) -> Floats:
        """s at the study's average features and these deviations, (n, R) → (n, K)."""
        if self.mean_x is None:
            return np.tile(self.mean_emission, (len(deviations), 1))
        each = deviations.to(mixed.deviations.dtype)
        rows = self.mean_x.to(each.dtype).expand(len(each), 1, -1)
        with torch.no_grad():
            scores = mixed(rows, deviations=each)[0][:, 0]
        values: Floats = scores.double().numpy()
        return values

    def _model_intervals(
        self,
        posterior: Posterior,
        mixed: MixedEffects,
        information: PersonInformation | None,
        batches: Sequence[Batch],
        seed: int,
        wanted: Sequence[str] = MODEL_READOUTS,
    ) -> dict[str, Floats]:
        """Intervals of the people of `mixed`, the last of this model's, and of the population."""
        n_all = len(self.expected) - 1
        chosen = [*range(n_all - mixed.sizes[0], n_all), -1]
        values = {n: self.matrices(posterior.mixed, n)[chosen] for n in MODEL_READOUTS}
        uncertainty, at = posterior.uncertainty, self.mean_x
        none = {name: np.full((2, *value.shape), np.nan) for name, value in values.items()}
        if information is None or uncertainty is None or at is None:
            return none
        intervals = ModelIntervals(
            mixed,
            information,
            uncertainty.shared,
            [batch.to(torch.device("cpu")) for batch in batches],
            n_fitted=n_all,
            seed=seed,
        )
        slopes = emission_slopes(mixed, uncertainty.free, at)
        given = {"scores": (), "conditional": (slopes,), "expected": ()}
        taken = {name: getattr(intervals, name)(values[name], *given[name]) for name in wanted}
        return {**none, **taken}

    def tensors(self) -> dict[str, Tensor]:
        """What a file keeps."""
        return {
            **({} if self.mean_x is None else {"mean_x": self.mean_x}),
            "mean_emission": torch.from_numpy(self.mean_emission),
            "expected": torch.from_numpy(self.expected),
            "observed": torch.from_numpy(self.observed),
            **{f"interval.{name}": torch.from_numpy(ends) for name, ends in self.intervals.items()},
        }

    @classmethod
    def restored(cls, tensors: dict[str, Tensor]) -> Self:
        """Undo `tensors`; models of before have no intervals."""
        observed = tensors["observed"].numpy()
        unknown = torch.full((2, *observed.shape), torch.nan)
        return cls(
            tensors["expected"].numpy(),
            observed,
            tensors["mean_emission"].numpy(),
            tensors.get("mean_x"),
            {name: tensors.get(f"interval.{name}", unknown).double().numpy() for name in READOUTS},
        )


def with_population(mixed: MixedEffects) -> Tensor:
    """Deviations of all people and, last, of the population, (P + 1, R)."""
    own = mixed.by_factor(mixed.deviations)[0].detach()
    return torch.cat([own, own.new_zeros(1, own.shape[1])])


def _count(
    posterior: Posterior, batches: Sequence[Batch], n_persons: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Transitions expected and observed, (P + 1, K, K), and the population's mean emission.

    The last of the expected ones are the population's; there are none of the observed ones.
    """
    n_states = len(posterior.mixed.fixed()["transitions"])
    expected = torch.zeros(n_persons + 1, n_states, n_states, dtype=torch.float64)
    observed = torch.zeros_like(expected)
    emission, n_rows = torch.zeros(n_states, dtype=torch.float64), 0
    for stack in chunks(batches):
        batch = stack.to(torch.device("cpu"))
        own = posterior.mean_output(batch, persons=True)
        shared = posterior.mean_output(batch, persons=False)
        persons = batch.groups[:, 0]
        pairwise = forward_backward(own[0], own[1], batch.lengths).pairwise
        expected.index_add_(0, persons, pairwise)
        expected[-1] += forward_backward(shared[0], shared[1], batch.lengths).pairwise.sum(0)
        before, after = batch.y[:, :-1], batch.y[:, 1:]
        seen = (before >= 0) & (after >= 0)
        who = persons.unsqueeze(1).expand_as(before)
        observed.index_put_(
            (who[seen], before[seen], after[seen]),
            torch.ones(int(seen.sum()), dtype=torch.float64),
            accumulate=True,
        )
        emission += shared[0][batch.mask].double().sum(0)
        n_rows += batch.n_rows
    return expected, observed, emission / n_rows
