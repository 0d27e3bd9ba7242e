"""Laplace estimator: exact for linear models, a Gaussian at the curvature for all others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor

from nme_core.batches.sequences import Batch, chunks
from nme_core.nn import (
    Family,
    Gaussian,
    LikelihoodFamily,
    LinearChain,
    MixedEffects,
    RowFamily,
)
from nme_core.nn.random_effects import own
from nme_core.training.covariance import in_parts
from nme_core.training.spread import PersonSpread
from nme_core.training.variational import START_STD, Variational

#: Up to this many random effects a person's curvature is taken, and up to this much work for all
#: persons together (persons × effects³).
LARGEST, MOST_WORK = 128, 2**28
#: So many times more rows are computed at once where they form sequences: one step in time is one
#: operation for all of them, so that few sequences would cost as much as many.
SEQUENCES_AT_ONCE = 16
#: Steps from one look at the curvature to the next: so many at first, then this share of all.
LOOK_AFTER, LOOK_SHARE = 25, 0.3
#: Steps after which the spread follows Σ and σ², likewise.
FOLLOW_AFTER, FOLLOW_SHARE = 5, 0.05
#: Numbers in Σ up to which a linear Gaussian model is fitted in closed form by default.
EXACT_UP_TO = 60


def exactly_linear(mixed: MixedEffects, kind: str) -> bool:
    """Whether the bound of a linear Gaussian model should be maximised in closed form.

    With so few numbers in Σ the search of `LinearGaussian` is quick.
    """
    n_numbers = mixed.n_random * (mixed.n_random + 1) // 2 if kind != "diagonal" else mixed.n_random
    if (len(mixed.sizes) > 1 and mixed.n_random) or n_numbers > EXACT_UP_TO:
        return False
    return not mixed.n_random or few_effects(mixed)


def few_effects(mixed: MixedEffects) -> bool:
    """Whether every person can have a whole covariance matrix from the curvature."""
    work = mixed.n_groups * mixed.n_random**3
    return 0 < mixed.n_random <= LARGEST and work <= MOST_WORK and len(mixed.sizes) == 1


class Laplace(Variational):
    """q(η_i) = N(m_i, C_i) with C_i = H_i⁻¹, the inverse curvature at m_i, not a learned one.

        H_i = ½ ∂²(Σ_j D_ij/σ²)/∂η² + Σ⁻¹

    The curvature is that of Gauss and Newton. It is looked at from time to time; in between C_i
    follows Σ and σ². All else is as in `Variational`: the shared parameters see the spread of
    η through its draws (in expectation the trace tr J_i C_i J_iᵀ), Σ ← mean of m mᵀ + C, and the
    prior on the shared parameters prevents overfitting.

    Parameters
    ----------
    batches : sequence of Batch
        All training rows, for the curvature.
    **options
        As in `Variational`.
    """

    def __init__(
        self,
        mixed: MixedEffects,
        *args: Any,
        batches: Sequence[Batch],
        **options: Any,
    ) -> None:
        super().__init__(mixed, *args, **options)
        self._rows = list(batches)
        self._data: Tensor | None = None
        self._next_look = self._next_follow = 0

    def _begin_spread(self, diagonal: bool) -> None:
        self.spread = self._curved = PersonSpread(self.mixed.deviations.detach(), START_STD)

    def snapshot(self) -> Callable[[], None]:
        """Return what goes back to the present state."""
        back, spread = super().snapshot(), self._curved.snapshot()

        def restore() -> None:
            back()
            spread()

        return restore

    def after_epoch(self) -> None:
        """Let the spread follow; look at the curvature from time to time."""
        if self._steps >= self._next_look:
            self._look()
            self._next_look = self._later(LOOK_AFTER, LOOK_SHARE)
        if self._steps >= self._next_follow:
            self._follow()
            self._next_follow = self._later(FOLLOW_AFTER, FOLLOW_SHARE)

    def _later(self, after: int, share: float) -> int:
        """Step after so many more, or after this share of those behind where that is more."""
        return self._steps + max(after, int(share * self._steps))

    def finish(self, *, validated: bool) -> None:
        """Take the spread from the curvature at the end."""
        self._look()
        self._follow()
        self._data = None  # as large as what the spread gives next

    def _look(self) -> None:
        prior = self.covariances[0].precision
        self._data = None  # what is replaced need not be held beside the new
        self._data = self.curvature()
        tolerance = 1e-3 * prior * self.residual_variance
        for some in in_parts(*self._data.shape[:2]):
            self._data[some] = without_negative(self._data[some].double(), tolerance)

    @torch.no_grad()
    def _follow(self) -> None:
        """C = (H_data/σ² + Σ⁻¹)⁻¹."""
        if self._data is not None and self.mixed.n_random:
            self._curved.follow(self._data, self.covariances[0].precision, self.residual_variance)

    def curvature(self) -> Tensor:
        """½ ∂²(Σ_j D_ij)/∂η_i² of every person at m, shape (P, R, R)."""
        return gauss_newton(self.mixed, self.family, self._rows)


@torch.no_grad()
def gauss_newton(
    mixed: MixedEffects, family: Family, batches: Iterable[Batch], *, observed: bool = False
) -> Tensor:
    """½ ∂²(Σ_j D_ij)/∂η_i² of every person, but for the output's own second derivatives.

    The curvature itself where the output is linear in η, as it is for the last layer of a network
    and for transitions. Shape (P, R, R), in the precision of the network: of many persons it is
    large. By the output it is what is expected of such rows, or with `observed` that of these: they
    differ for ordered classes.
    """
    n_random = mixed.n_random
    result = mixed.deviations.new_zeros(mixed.n_groups, n_random, n_random)
    if isinstance(family, LinearChain):
        columns = max(1, n_random // SEQUENCES_AT_ONCE)
        of_units = partial(_of_chains, mixed, family)
    else:
        columns, of_units = n_random, partial(_of_rows, mixed, cast(RowFamily, family), observed)
    for chunk in chunks(batches, columns):
        information = of_units(chunk).to(result.dtype)
        result.index_add_(0, chunk.groups[:, 0], information)
    return result


def _of_rows(mixed: MixedEffects, family: RowFamily, observed: bool, batch: Batch) -> Tensor:
    """Σ_j J_jᵀ I_j J_j of each unit: J the derivative of the output, I its information."""
    eta = own(mixed.deviations, batch.groups)
    output = mixed(batch.x, deviations=eta)
    slope = mixed.jacobian(batch.x, eta)  # (U, L, O, R)
    slope = torch.where(batch.mask[:, :, None, None], slope, 0.0)
    if isinstance(family, Gaussian):
        slope = family.whitened(slope, batch)
    information = family.information(output)
    if observed and not isinstance(family, Gaussian):
        information = cast(LikelihoodFamily, family).curvature(output, batch.y.clamp_min(0))
    weighted = information @ slope
    return slope.flatten(1, 2).transpose(1, 2) @ weighted.flatten(1, 2)


def _of_chains(mixed: MixedEffects, family: LinearChain, batch: Batch) -> Tensor:
    eta = own(mixed.deviations, batch.groups)
    output = mixed(batch.x, deviations=eta)
    emitted = mixed.jacobian(batch.x, eta, lambda output: output[0])  # (U, L, K, R)
    first = batch.x[:, :1]  # the transitions are the same for any rows
    moved = mixed.jacobian(first, eta, lambda output: output[1].flatten(1).unsqueeze(1))
    moved = moved.view(*output[1].shape, mixed.n_random)
    return family.information(output, (emitted, moved), batch)


def in_double(batch: Batch) -> Batch:
    """Return the batch with its numbers in double precision."""
    number = torch.is_floating_point(batch.y)
    return replace(batch, x=batch.x.double(), y=batch.y.double() if number else batch.y)


def without_negative(matrices: Tensor, tolerance: Tensor) -> Tensor:
    """Each matrix, or the nearest without negative eigenvalues where it has any.

    `tolerance` is a small positive definite matrix: what is not negative with it counts as zero.
    """
    broken = torch.linalg.cholesky_ex(matrices + tolerance).info > 0
    if bool(broken.any()):
        values, vectors = torch.linalg.eigh(matrices[broken])
        matrices = matrices.clone()
        matrices[broken] = vectors * values.clamp_min(0).unsqueeze(1) @ vectors.transpose(1, 2)
    return matrices
