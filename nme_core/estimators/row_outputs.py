"""What an NME-MLP expects of rows: means, intervals and draws of outcomes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.estimators.base import NeuralMixedEffects
from nme_core.estimators.expectation import (
    POINTS,
    expected,
    has_closed_expectation,
    over_people,
    whole_variance,
)
from nme_core.estimators.posterior import DRAWS
from nme_core.nn import RowFamily
from nme_core.nn.random_effects import own


class RowOutputs(NeuralMixedEffects):
    """Expected outcomes of a network whose rows are independent given its output."""

    def _family(self) -> RowFamily:
        return cast(RowFamily, super()._family())

    def simulate(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | pd.DataFrame | None = None,
        *,
        level: str = "person",
        seed: int = 0,
    ) -> Iterator[NDArray[Any]]:
        """Yield outcomes of these rows drawn from the fitted model, shape (n,), once for each of
        64 draws of the parameters from their posterior; arguments of `predict`.
        """
        if self._mixture is not None:
            shares = self._mixture.shares(DRAWS)
            for share, one in zip(shares, self._mixture.candidates, strict=True):
                several = one.model.simulate(X, groups, level=level, seed=seed)
                yield from itertools.islice(several, share)
            return
        batches = self._batches(X, groups, level)
        generator = torch.Generator().manual_seed(seed)
        n_rows, variance = sum(b.n_rows for b in batches), self._posterior.residual_variance
        for outputs in self._outputs(batches, level):
            drawn = torch.empty(n_rows, dtype=torch.float64)
            for batch, output in zip(batches, outputs, strict=True):
                values = self._family().sample(output.double(), variance, generator)
                drawn[batch.rows[batch.mask]] = values[batch.mask].double()
            yield self._outcome.decode(drawn.numpy())

    def predict_interval(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | pd.DataFrame,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Ends of 95 % intervals of persons' expected outcome, shape (n,) or (n, n_classes).

        Mean ± 1.96 SD over the posterior of persons' own parameters and the shared ones; without
        hidden layers also over what Σ and ρ may be, in a mixture over its candidates. In the units
        of ``predict`` or ``predict_proba`` (there held within 0 and 1). How far single outcomes lie
        from what is expected is not part of it. NaN for estimators without a posterior.
        """
        if self._mixture is not None:
            centre, spread = self._mixture.moments(lambda one: one._moments(X, groups))
        else:
            centre, spread = self._moments(X, groups)
        half = 1.96 * spread
        return self._shaped(centre - half), self._shaped(centre + half)

    def _moments(
        self, X: ArrayLike | pd.DataFrame, groups: ArrayLike | pd.DataFrame
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and SD of the expected outcome over draws, shape (n, 1) or (n, n_classes) each.

        SD NaN for point estimates.
        """
        batches = self._batches(X, groups, "person")
        moments = self._own_moments(batches)
        size = sum(batch.n_rows for batch in batches), moments[0][0].shape[-1]
        centre, spread = torch.empty(size).double(), torch.empty(size).double()
        for batch, (middle, variance) in zip(batches, moments, strict=True):
            centre[batch.rows[batch.mask]] = middle[batch.mask]
            spread[batch.rows[batch.mask]] = variance.sqrt()[batch.mask]
        return centre.numpy(), spread.numpy()

    def _own_moments(self, batches: list[Batch]) -> list[tuple[Tensor, Tensor]]:
        """Mean and variance of persons' expected outcomes, (U, L, K) each, in units of the data.

        The mean is over their own effects, and with hidden layers over shared weights, as that of
        predictions; in a model without, the variance counts the shared parameters, Σ and ρ, where
        the fit took them all together. NaN for a point estimate.
        """
        moments = self._moments_over_effects(batches)
        if self.hidden:
            return moments
        several = [
            whole_variance(self._posterior, self._mean_in_units, batch, self._dimensions)
            for batch in batches
        ]
        return [
            (middle, variance if whole is None else whole)
            for (middle, variance), whole in zip(moments, several, strict=True)
        ]

    def _mean_in_units(self, output: Tensor) -> Tensor:
        return self._outcome.in_units(self._family().mean(output))

    def _moments_over_effects(self, batches: list[Batch]) -> list[tuple[Tensor, Tensor]]:
        """As `_own_moments`, in a model without hidden layers given the shared parameters."""
        mean = self._mean_in_units
        if self._is_closed:
            return [expected(self._posterior, mean, batch, self._dimensions) for batch in batches]
        sums, n_draws = [(torch.zeros(()), torch.zeros(())) for _ in batches], 0
        draws = self._outputs(batches, "person")
        if not self._widths:
            draws = self._posterior.own_outputs(batches, seed=self.random_state)
        for outputs in draws:
            values = [mean(output.double()) for output in outputs]
            sums = [(s + v, q + v.square()) for (s, q), v in zip(sums, values, strict=True)]
            n_draws += 1
        unknown = torch.nan if n_draws == 1 else 0.0
        return [
            (s / n_draws, (q / n_draws - (s / n_draws).square()).clamp_min(0) + unknown)
            for s, q in sums
        ]

    @property
    def _is_closed(self) -> bool:
        """Whether expectations over persons' effects need no draws."""
        return not self.hidden and has_closed_expectation(self._posterior, self._dimensions)

    @property
    def _is_straight(self) -> bool:
        """Whether the network's output is linear in people's effects: those of its last layer."""
        return all(name.startswith(self._last_layer) for name in self._posterior.mixed.random)

    @property
    def _takes_means_of_numbers(self) -> bool:
        """Whether expected numbers of a network are read at the means of its last layer."""
        return self._family().has_residual_variance and self._is_straight and bool(self._widths)

    def _shared_draws(self) -> Iterator[dict[str, Tensor]]:
        """Draws of all layers but the last, over which expected numbers are averaged."""
        return self._posterior.draws_before(self._last_layer, int(self.random_state))

    @property
    def _averages(self) -> bool:
        """Whether people's expected outcomes have another mean than a typical person's, and one
        that can be taken without draws of people where the output is linear in their effects.
        """
        bent = not self._family().has_residual_variance and self._posterior.mixed.n_random > 0
        return bent and self._dimensions in POINTS

    @property
    def _last_layer(self) -> str:
        return f"layers.{len(self._widths)}."

    @property
    def _dimensions(self) -> int:
        """In how many directions the predictors of a row can vary."""
        return max(1, len(self._outcome.contrasted) - 1)

    def _shaped(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Ends of intervals as `predict_interval` returns them."""
        raise NotImplementedError

    def _rows_out(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | pd.DataFrame | None,
        level: str,
    ) -> NDArray[np.float64]:
        """Posterior mean of the expected outcome, in the order of the rows, (n, 1) or (n, K)."""
        if self._mixture is not None:
            return self._mixture.mean(lambda one: one._rows_out(X, groups, level))
        batches = self._batches(X, groups, level)
        mean, straight = self._family().mean, self._is_straight
        if self._is_closed and level == "person":
            means = [
                expected(self._posterior, mean, batch, self._dimensions)[0] for batch in batches
            ]
        elif level == "average" and straight and self._averages:
            shared = [self._posterior.mixed.fixed()]
            if self._widths:
                draws = self._posterior.draws(int(self.random_state), persons=False)
                shared = [fixed for fixed, _ in draws]
            means = over_people(self._posterior, mean, batches, self._dimensions, shared)
        elif self._takes_means_of_numbers:
            means = self._number_means(batches, persons=level == "person")
        elif self._is_closed:
            outputs = (self._posterior.mean_output(batch, persons=False) for batch in batches)
            means = [mean(output.double()) for output in outputs]
        else:
            sums, n_draws = [torch.zeros(()) for _ in batches], 0
            for drawn in self._outputs(batches, level):
                sums = [s + mean(o.double()) for s, o in zip(sums, drawn, strict=True)]
                n_draws += 1
            means = [one / n_draws for one in sums]
        result = torch.empty(sum(b.n_rows for b in batches), means[0].shape[-1]).double()
        for batch, part in zip(batches, means, strict=True):
            result[batch.rows[batch.mask]] = part[batch.mask]
        values: NDArray[np.float64] = result.numpy()
        return values

    def _number_means(self, batches: list[Batch], *, persons: bool) -> list[Tensor]:
        """Expected numbers, standardised, over draws of all layers but the last: the output is
        linear in that one and in people's effects, so that their means are enough.
        """
        mixed, n_draws = self._posterior.mixed, 0
        own_effects = mixed.deviations if persons else torch.zeros_like(mixed.deviations)
        sums = [torch.zeros(()) for _ in batches]
        for fixed in self._shared_draws():
            n_draws += 1
            outputs = (
                mixed(batch.x, fixed=fixed, deviations=own(own_effects, batch.groups))
                for batch in batches
            )
            sums = [s + output.double() for s, output in zip(sums, outputs, strict=True)]
        return [one / n_draws for one in sums]
