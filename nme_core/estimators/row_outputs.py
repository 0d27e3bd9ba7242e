"""What an NME-MLP expects of rows: means, intervals and draws of outcomes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
from numpy.typing import NDArray
from torch import Tensor

from nme_core.batches.sequences import Batch, chunks
from nme_core.estimators.draws import Draws
from nme_core.estimators.expectation import (
    POINTS,
    expected,
    has_closed_expectation,
    over_people,
    whole_variance,
)
from nme_core.estimators.families import NumericOutcome, Outcome
from nme_core.estimators.posterior import Posterior
from nme_core.nn import RowFamily


@dataclass(frozen=True)
class RowOutputs:
    """Expected outcomes of a network whose rows are independent given its output.

    Attributes
    ----------
    posterior : Posterior
        Of the network.
    family : RowFamily
        Link and sampling.
    outcome : Outcome
        Its units.
    n_hidden : int
        Hidden layers.
    seed : int
        Of the draws from the posterior.
    """

    posterior: Posterior
    family: RowFamily
    outcome: Outcome
    n_hidden: int
    seed: int

    @property
    def _draws(self) -> Draws:
        return Draws(self.posterior, self.seed)

    def outputs(self, batches: list[Batch], level: str) -> Iterator[list[Any]]:
        """Yield the network's outputs for each draw from the posterior, the same each time."""
        return self._draws.outputs(batches, level)

    def simulate(self, batches: list[Batch], level: str, seed: int) -> Iterator[NDArray[Any]]:
        """Yield outcomes drawn from the fitted model, shape (n,), for each draw."""
        generator = torch.Generator().manual_seed(seed)
        variance = self.posterior.residual_variance
        for outputs in self.outputs(batches, level):
            drawn = [self.family.sample(one.double(), variance, generator) for one in outputs]
            yield self.outcome.decode(in_rows(batches, drawn).double().numpy())

    def means(self, batches: list[Batch], level: str) -> Tensor:
        """Posterior mean of the expected outcome, in the order of the rows, (n, 1) or (n, K)."""
        mean, straight = self.family.mean, self.is_straight
        if self.is_closed and level == "person":
            means = [expected(self.posterior, mean, b, self.dimensions)[0] for b in batches]
        elif level == "average" and straight and self._averages:
            shared = [self.posterior.mixed.fixed()]
            if self.n_hidden:
                draws = self._draws.of_groups(persons=False)
                shared = [fixed for fixed, _ in draws]
            means = over_people(self.posterior, mean, batches, self.dimensions, shared)
        elif self.takes_means_of_numbers:
            means = self._number_means(batches, persons=level == "person")
        elif self.is_closed:
            outputs = (self.posterior.mean_output(batch, persons=False) for batch in batches)
            means = [mean(output.double()) for output in outputs]
        else:
            sums, n_draws = [torch.zeros(()) for _ in batches], 0
            for drawn in self.outputs(batches, level):
                sums = [s + mean(o.double()) for s, o in zip(sums, drawn, strict=True)]
                n_draws += 1
            means = [one / n_draws for one in sums]
        return in_rows(batches, means)

    def _number_means(self, batches: list[Batch], *, persons: bool) -> list[Tensor]:
        """Expected numbers, standardised, over draws of all layers but the last: the output is
        linear in that one and in people's effects, so that their means are enough.
        """
        deviations = self.posterior.mixed.deviations
        each = deviations if persons else torch.zeros_like(deviations)
        drawn, n_draws = ((fixed, each) for fixed in self.shared_draws()), 0
        sums = [torch.zeros(()) for _ in batches]
        for outputs in self._draws.computed(batches, drawn):
            n_draws += 1
            sums = [s + output.double() for s, output in zip(sums, outputs, strict=True)]
        return [one / n_draws for one in sums]

    def moments(self, batches: list[Batch]) -> tuple[Tensor, Tensor]:
        """Mean and SD of persons' expected outcomes, (n, 1) or (n, K) each, in units of the data.

        The mean is over their own effects, and with hidden layers over shared weights, as that of
        predictions; in a model without, the variance counts the shared parameters, Σ and ρ, where
        the fit took them all together. SD NaN for a point estimate.
        """
        moments = self._moments_over_effects(batches)
        variances = [variance for _, variance in moments]
        if not self.n_hidden:
            several = (
                whole_variance(self.posterior, self._mean_in_units, batch, self.dimensions)
                for batch in batches
            )
            variances = [
                variance if whole is None else whole
                for variance, whole in zip(variances, several, strict=True)
            ]
        middle = in_rows(batches, [mean for mean, _ in moments])
        return middle, in_rows(batches, [variance.sqrt() for variance in variances])

    def _mean_in_units(self, output: Tensor) -> Tensor:
        return self.outcome.in_units(self.family.mean(output))

    def _moments_over_effects(self, batches: list[Batch]) -> list[tuple[Tensor, Tensor]]:
        """Mean and variance, in a model without hidden layers given the shared parameters."""
        mean = self._mean_in_units
        if self.is_closed:
            return [expected(self.posterior, mean, batch, self.dimensions) for batch in batches]
        sums, n_draws = [(torch.zeros(()), torch.zeros(())) for _ in batches], 0
        draws = self.outputs(batches, "person")
        if not self.n_hidden:
            draws = self._draws.own_outputs(batches)
        for outputs in draws:
            values = [mean(output.double()) for output in outputs]
            sums = [(s + v, q + v.square()) for (s, q), v in zip(sums, values, strict=True)]
            n_draws += 1
        unknown = torch.nan if n_draws == 1 else 0.0
        return [
            (s / n_draws, (q / n_draws - (s / n_draws).square()).clamp_min(0) + unknown)
            for s, q in sums
        ]

    def log_density(self, batches: list[Batch], y: Tensor) -> Tensor:
        """Log density of encoded outcomes in their own units, averaged over draws, shape (n,)."""
        outcome, variance = self._numeric, self.posterior.residual_variance
        total, n_draws = torch.full_like(y, -torch.inf), 0
        for outputs in self.outputs(batches, "person"):
            n_draws += 1
            for batch, output in zip(batches, outputs, strict=True):
                rows = batch.rows[batch.mask]
                dense = outcome.log_density(y[rows], output.double()[batch.mask], variance)
                total[rows] = torch.logaddexp(total[rows], dense)
        return total - math.log(n_draws)

    def below(self, batches: list[Batch], y: Tensor) -> Tensor:
        """F(y) of encoded outcomes, averaged over draws, shape (n,); see `probability_integral`."""
        random = torch.Generator().manual_seed(self.seed)
        mixing = torch.rand(len(y), generator=random, dtype=torch.float64)
        outcome, variance = self._numeric, self.posterior.residual_variance
        total, n_draws = torch.zeros_like(y), 0
        for outputs in self.outputs(batches, "person"):
            n_draws += 1
            for batch, output in zip(batches, outputs, strict=True):
                rows = batch.rows[batch.mask]
                mean = self.family.mean(output.double())[batch.mask].squeeze(-1)
                total[rows] += outcome.below(y[rows], mean, variance, mixing[rows])
        return total / n_draws

    def fitted(self, batches: list[Batch]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield encoded outcomes, (n,), and their means at the posterior mean, by batch."""
        for batch in chunks(batches):
            mean = self.family.mean(self.posterior.mean_output(batch, persons=True).double())
            yield batch.y[batch.mask].double(), mean.squeeze(-1)[batch.mask]

    @property
    def _numeric(self) -> NumericOutcome:
        return cast(NumericOutcome, self.outcome)

    @property
    def is_closed(self) -> bool:
        """Whether expectations over persons' effects need no draws."""
        return not self.n_hidden and has_closed_expectation(self.posterior, self.dimensions)

    @property
    def is_straight(self) -> bool:
        """Whether the network's output is linear in people's effects: those of its last layer."""
        return all(name.startswith(self._last_layer) for name in self.posterior.mixed.random)

    @property
    def takes_means_of_numbers(self) -> bool:
        """Whether expected numbers of a network are read at the means of its last layer."""
        return self.family.has_residual_variance and self.is_straight and self.n_hidden > 0

    def shared_draws(self) -> Iterator[dict[str, Tensor]]:
        """Draws of all layers but the last, over which expected numbers are averaged."""
        return self._draws.before(self._last_layer)

    @property
    def _averages(self) -> bool:
        """Whether people's expected outcomes have another mean than a typical person's, and one
        that can be taken without draws of people where the output is linear in their effects.
        """
        bent = not self.family.has_residual_variance and self.posterior.mixed.n_random > 0
        return bent and self.dimensions in POINTS

    @property
    def _last_layer(self) -> str:
        return f"layers.{self.n_hidden}."

    @property
    def dimensions(self) -> int:
        """In how many directions the predictors of a row can vary."""
        return max(1, len(self.outcome.contrasted) - 1)


def in_rows(batches: list[Batch], values: list[Tensor]) -> Tensor:
    """Values of padded units, (U, L, …) each, in the order of the rows, (n, …); float64."""
    n_rows = sum(batch.n_rows for batch in batches)
    result = torch.empty(n_rows, *values[0].shape[2:], dtype=torch.float64)
    for batch, part in zip(batches, values, strict=True):
        result[batch.rows[batch.mask]] = part[batch.mask].double()
    return result
