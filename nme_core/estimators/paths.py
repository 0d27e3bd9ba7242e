"""What an NME-CRF says of paths: the likeliest, probabilities of states, draws, and losses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.estimators.draws import Draws
from nme_core.estimators.families import Outcome, State
from nme_core.estimators.inputs import check_lengths
from nme_core.estimators.posterior import Posterior
from nme_core.estimators.row_outputs import in_rows
from nme_core.nn import LinearChain
from nme_core.nn.crf import forward_backward, sample_paths, viterbi, with_initial
from nme_core.nn.crf_kernel import add_ahead
from nme_core.nn.random_effects import own
from nme_core.training import ChainRows, is_linear_chain

#: Draws over which the probability of a whole path is averaged.
PATH_DRAWS = 256


@dataclass(frozen=True)
class Paths:
    """Paths of sequences under a posterior; what is said of steps is in the order of their rows.

    Attributes
    ----------
    posterior : Posterior
        Of the network.
    outcome : Outcome
        The states.
    seed : int
        Of the draws from the posterior.
    batches : list of Batch
        The steps.
    level : {"person", "population", "average"}
        Whose paths; see `Draws.at`.
    """

    posterior: Posterior
    outcome: Outcome
    seed: int
    batches: list[Batch]
    level: str

    @property
    def n_rows(self) -> int:
        """Number of steps."""
        return sum(batch.n_rows for batch in self.batches)

    @property
    def states(self) -> NDArray[Any]:
        """Labels of the states."""
        return cast(State, self.outcome).classes

    @property
    def _persons(self) -> bool:
        return self.level == "person"

    @property
    def _draws(self) -> Draws:
        return Draws(self.posterior, self.seed)

    def _outputs(self) -> Iterator[list[Any]]:
        return self._draws.outputs(self.batches, self.level)

    def likeliest(self) -> NDArray[Any]:
        """Most probable path of each sequence at the posterior mean (Viterbi), shape (n,); of all
        people the most probable state of each step.
        """
        if self.level == "average" and self.posterior.mixed.n_random:
            return np.asarray(self.states[self.probabilities().argmax(axis=1)])
        paths = []
        for batch in self.batches:
            output = self.posterior.mean_output(batch, persons=self._persons)
            paths.append(viterbi(*_scores(output, batch), lengths=batch.lengths))
        return self._named(paths)

    def probabilities(self) -> NDArray[np.float64]:
        """Probability of each state at each step, averaged over the posterior, shape (n, K)."""
        if is_linear_chain(self.posterior.mixed):
            marginals = [self._marginals(batch) for batch in self.batches]
            result = torch.zeros(self.n_rows, len(self.states), dtype=torch.float64)
            for batch, some in zip(self.batches, marginals, strict=True):
                result[batch.rows[batch.mask]] = some
            return np.asarray(result.numpy())
        total, n_draws = torch.zeros(()), 0
        for outputs in self._outputs():
            n_draws += 1
            unary = [
                forward_backward(*_scores(output, batch), lengths=batch.lengths).unary
                for batch, output in zip(self.batches, outputs, strict=True)
            ]
            total = total + in_rows(self.batches, unary)
        return np.asarray((total / n_draws).numpy())

    @torch.no_grad()
    def _marginals(self, batch: Batch) -> Tensor:
        """Mean over draws of the probability of each state at each step, (n, K)."""
        rows, n_draws = ChainRows(self.posterior.mixed, batch), 0
        total = torch.zeros(batch.n_rows, len(self.states), dtype=torch.float64)
        for fixed, deviations in self._draws.at(self.level):
            n_draws += 1
            rows.add_marginals(fixed, own(deviations, batch.groups), total)
        return total / n_draws

    @torch.no_grad()
    def ahead(self, y: ArrayLike, steps: Sequence[int]) -> dict[int, NDArray[np.float64]]:
        """Probability of each state at each step given the label so many steps before, averaged
        over the posterior; by number of steps, shape (n, K), NaN where there is none.
        """
        known, rising = self._known(y), np.unique(np.asarray(steps, dtype=np.int64))
        sums = [
            torch.zeros(len(y), len(rising), y.shape[1], len(self.states), dtype=torch.float64)
            for y in known
        ]
        n_draws = 0
        for outputs in self._outputs():
            n_draws += 1
            for batch, output, y, total in zip(self.batches, outputs, known, sums, strict=True):
                emissions, transitions = (np.ascontiguousarray(one.double()) for one in output)
                lengths, labels = batch.lengths.numpy(), y.numpy()
                add_ahead(emissions, transitions, lengths, labels, rising, total.numpy())
        for total in sums:
            total[total.sum(3) == 0] = torch.nan
        found = in_rows(self.batches, [total.transpose(1, 2) for total in sums]) / n_draws
        return dict(zip(rising.tolist(), found.transpose(0, 1).numpy(), strict=True))

    def drawn(self, seed: int) -> Iterator[NDArray[Any]]:
        """Yield states drawn from the model, shape (n,), for each draw of the parameters."""
        generator = torch.Generator().manual_seed(seed)
        for outputs in self._outputs():
            paths = [
                sample_paths(*_scores(output, batch), batch.lengths, generator)
                for batch, output in zip(self.batches, outputs, strict=True)
            ]
            yield self._named(paths)

    def _named(self, paths: list[Tensor]) -> NDArray[Any]:
        return np.asarray(self.states[in_rows(self.batches, paths).long().numpy()])

    @torch.no_grad()
    def losses(self, y: ArrayLike) -> NDArray[np.float64]:
        """Each row's share of −log p(labels of its sequence), shape (n,); see
        `NMECRF.sequence_loss`.
        """
        labels = self._known(y)
        known = [replace(each, y=own) for each, own in zip(self.batches, labels, strict=True)]
        loss = torch.full((self.n_rows,), torch.nan, dtype=torch.float64)
        for batch, mean_log in zip(known, self._log_paths(known), strict=True):
            labelled = batch.y >= 0
            share = -mean_log / labelled.sum(1).clamp_min(1)
            loss[batch.rows[labelled]] = share.unsqueeze(1).expand_as(labelled)[labelled]
        return np.asarray(loss.numpy())

    def _known(self, y: ArrayLike) -> list[Tensor]:
        """Labels by batch, (S, T); −1 where missing and on padding."""
        check_lengths(self.n_rows, y=y)
        labels = torch.from_numpy(self.outcome.encode(y))
        return [torch.where(batch.mask, labels[batch.rows], -1) for batch in self.batches]

    def _log_paths(self, batches: list[Batch]) -> list[Tensor]:
        """log E[p(labels of each sequence)] over the posterior of the parameters, by batch.

        With linear emissions by Laplace's method; else over draws: a path's probability differs
        much more from draw to draw than a step's, and takes more of them.
        """
        posterior = self.posterior
        if is_linear_chain(posterior.mixed):
            return [self._log_path(batch) for batch in batches]
        total = [torch.full((len(batch.x),), -torch.inf, dtype=torch.float64) for batch in batches]
        drawn = self._draws.of_groups(persons=self._persons, n_draws=PATH_DRAWS)
        if not self._persons:
            nobody = torch.zeros_like(posterior.mixed.deviations)
            drawn = ((fixed, nobody) for fixed, _ in drawn)
        n_draws, family = 0, LinearChain()
        for outputs in self._draws.computed(batches, drawn):
            n_draws += 1
            for k, (batch, output) in enumerate(zip(batches, outputs, strict=True)):
                total[k] = torch.logaddexp(total[k], -family.deviance(output, batch).double() / 2)
        return [each - math.log(n_draws) for each in total]

    def _log_path(self, batch: Batch) -> Tensor:
        posterior, mixed = self.posterior, self.posterior.mixed
        rows, fixed = ChainRows(mixed, batch), mixed.fixed()
        deviations = self._own(mixed.deviations, batch)
        if posterior.covariance is None:
            return rows.log_likelihoods(fixed, deviations)

        def covariance(some: slice) -> Tensor:
            groups = batch.groups[some, 0] if self._persons else None
            return posterior.covariance_of_all(groups, some.stop - some.start)

        return rows.log_expected(fixed, deviations, covariance)

    def _own(self, deviations: Tensor, batch: Batch) -> Tensor:
        """Deviations of each sequence's person, 0 for the population."""
        if self._persons:
            return own(deviations, batch.groups)
        return deviations.new_zeros(len(batch.x), self.posterior.mixed.n_random)


def _scores(output: tuple[Tensor, Tensor], batch: Batch) -> tuple[Tensor, Tensor]:
    """Emission scores, with the state before the first step, and transition scores; float64."""
    emissions, transitions = output[0].double(), output[1].double()
    return with_initial(emissions, transitions, batch.initial), transitions
