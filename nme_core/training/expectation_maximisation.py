"""Expectation–maximisation of a network whose last layer carries linear random effects."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from nme_core.batches.sequences import Batch, chunks
from nme_core.exceptions import ConvergenceWarning
from nme_core.nn import MLP, Family, Gaussian, MixedEffects
from nme_core.training.covariance import RandomEffectsCovariance
from nme_core.training.likelihood import EXACT, Likelihood, n_observed, n_variances
from nme_core.training.linear_mixed import Sums
from nme_core.training.objective import group_divergence, sum_over_groups
from nme_core.training.progress import Progress, SearchSteps, Training
from nme_core.training.snapshot import snapshot

#: Rounds of E- and M-step in an epoch: they cost nothing per row.
ROUNDS = 5
#: Without hidden layers: converged when −2 log L per row falls by less than this in 100 rounds.
TOLERANCE, MOST_ROUNDS = 1e-7, 3_000


class ExpectationMaximisation:
    """Linear mixed model on the last hidden layer's output h, with the network below it trained.

        y_ij = (h_ij, 1)ᵀ (β + b_i) + ε_ij,    b_i ~ N(0, Σ),    ε ~ N(0, σ²),    h = h(x; φ)

    E-step, exact: C_i = (H_iᵀH_i/σ² + Σ⁻¹)⁻¹, b̂_i = C_i H_iᵀ(y_i − H_i β)/σ². M-step: Σ and σ² in
    closed form; β by generalised least squares, which maximises the likelihood itself for these Σ
    and σ² (ECME, Liu and Rubin 1994); for φ a step of gradient descent on the expected deviance

        Σ_ij (y_ij − h_ijᵀ(β + b̂_i))² + h_ijᵀ C_i h_ij,

    so that −2 log L falls (a generalised EM, as of Xiong et al. 2019, MeNets). Nothing holds φ back
    but validation rows, on which the best state is chosen.

    Parameters
    ----------
    mixed : MixedEffects
        An MLP with one output whose last layer is person-specific, one grouping factor; trained in
        place.
    covariances : sequence of RandomEffectsCovariance
        Σ, one.
    batches : sequence of Batch
        All training rows, for the sums of the E-step.
    n_rows : int
        N, the rows of one epoch.
    """

    dependence = None

    def __init__(
        self,
        mixed: MixedEffects,
        covariances: Sequence[RandomEffectsCovariance],
        *,
        batches: Sequence[Batch],
        n_rows: int,
    ) -> None:
        self.mixed, self.covariances, self.n_rows = mixed, list(covariances), n_rows
        self.family: Family = Gaussian()
        self.residual_variance = 1.0
        self.log_likelihood: float | None = None
        self._rows = list(batches)
        self._activation = cast(MLP, mixed.module).activation
        self._lower = torch.eye(mixed.n_random, dtype=torch.float64, device=mixed.deviations.device)
        self._lower = self._lower.repeat(mixed.n_groups, 1, 1)
        for one in (mixed.deviations, *(mixed.fixed()[name] for name in mixed.random)):
            one.requires_grad_(False)
        self._best_loss, self._best = math.inf, self.snapshot()
        self._rounds(ROUNDS)

    def parameters(self) -> list[nn.Parameter]:
        """What the optimiser adjusts: the network below the last layer."""
        return [one for one in self.mixed.parameters() if one.requires_grad]

    def hidden(self, x: Tensor, fixed: Mapping[str, Tensor] | None = None) -> Tensor:
        """(h, 1) of rows x, shape (U, L, R), in the order of the columns of the deviations."""
        values = dict(self.mixed.fixed() if fixed is None else fixed)
        for k in range(len(values) // 2 - 1):
            x = self._activation(x @ values[f"layers.{k}.weight"].T + values[f"layers.{k}.bias"])
        return torch.cat([x, torch.ones_like(x[..., :1])], dim=-1)

    def loss(self, batches: list[Batch]) -> Tensor:
        """Return the part of −2 log L/N, less the constant, that lies in these batches.

        Exact after an E-step; an upper bound of it as φ moves on.
        """
        deviance = torch.zeros((), dtype=torch.float64, device=self.mixed.deviations.device)
        fixed = self.mixed.fixed()
        for chunk in chunks(batches, columns=self.mixed.n_random):
            # what lies between input and loss is computed again for the gradient, not kept
            part: Tensor = checkpoint(
                self._expected, chunk, fixed, use_reentrant=False, preserve_rng_state=False
            )
            deviance = deviance + part
        own = (self.mixed.deviations.double(), self._log_diagonal(), self._lower)
        divergence = sum_over_groups(batches, group_divergence(*own, self.covariances[0]))
        rows = sum(batch.n_rows for batch in batches)
        constant = rows * math.log(self.residual_variance)
        return (deviance / self.residual_variance + divergence + constant) / self.n_rows

    def _log_diagonal(self) -> Tensor:
        return self._lower.diagonal(dim1=1, dim2=2).log()

    def _expected(self, chunk: Batch, fixed: Mapping[str, Tensor]) -> Tensor:
        """E Σ_ij (y_ij − h_ijᵀ(β + b_i))² of a chunk, over b_i ~ N(b̂_i, C_i)."""
        h, person = self.hidden(chunk.x, fixed), chunk.groups[:, 0]
        own = self.mixed.fixed_vector() + self.mixed.deviations[person]
        error = chunk.y - torch.einsum("ulr,ur->ul", h, own)
        spread = (h @ self._lower[person].to(h.dtype)).square().sum(2)
        return torch.where(chunk.mask, error.square() + spread, 0.0).double().sum()

    def after_step(self) -> None:
        """Nothing to do: the E-step looks at all rows."""

    def after_epoch(self) -> None:
        """Some rounds of E- and M-step for the network as it now is."""
        self._rounds(ROUNDS)

    @torch.no_grad()
    def _sums(self) -> Sums:
        """Sums of (h, 1) and the outcome over each person's rows."""
        size, n_groups = self.mixed.n_random, self.mixed.n_groups
        like = self._lower
        hh, hy, yy = like.new_zeros(n_groups, size, size), like.new_zeros(n_groups, size), 0.0
        for chunk in chunks(self._rows, columns=size):
            h = torch.where(chunk.mask.unsqueeze(2), self.hidden(chunk.x), 0.0).double()
            y = torch.where(chunk.mask, chunk.y, 0.0).double()
            hh.index_add_(0, chunk.groups[:, 0], h.transpose(1, 2) @ h)
            hy.index_add_(0, chunk.groups[:, 0], torch.einsum("ulr,ul->ur", h, y))
            yy += float(y.square().sum())
        return Sums(hh, hy, like.new_tensor(yy), self.n_rows)

    @torch.no_grad()
    def _rounds(self, n_rounds: int) -> float:
        """Rounds of E- and M-step; ends with an E-step. Returns −2 log L/N, less the constant."""
        sums, beta = self._sums(), self.mixed.fixed_vector().double()
        (covariance,) = self.covariances
        for _ in range(n_rounds):
            mean, spread, _ = self._expect(sums, beta)
            covariance.update((mean.T @ mean + spread.sum(0)) / len(mean))
            own = beta + mean
            fitted = torch.einsum("pr,prs,ps->", own, sums.xx, own)
            error = sums.yy - 2 * (own * sums.xy).sum() + fitted + (sums.xx * spread).sum()
            self.residual_variance = max(float(error) / self.n_rows, 1e-8)
            beta = self._generalised_least_squares(sums, beta)
        mean, _, deviance = self._expect(sums, beta)
        values, sizes = self.mixed.fixed(), [math.prod(s) for s in self.mixed.shapes.values()]
        for name, part in zip(self.mixed.random, torch.split(beta, sizes), strict=True):
            values[name].copy_(part.view_as(values[name]))
        self.mixed.deviations.copy_(mean)
        return deviance / self.n_rows

    def _generalised_least_squares(self, sums: Sums, beta: Tensor) -> Tensor:
        """β = (Xᵀ V⁻¹ X)⁻¹ Xᵀ V⁻¹ y; V the covariance of y where Σ and σ² now are."""
        mean, spread, _ = self._expect(sums, beta)
        weighted = sums.xx - sums.xx @ spread @ sums.xx / self.residual_variance
        right = sums.xy - sums.xx @ beta - torch.einsum("prs,ps->pr", sums.xx, mean)
        # A column that is 0 everywhere (a unit that is off) leaves its β where it is.
        inverse: Tensor = torch.linalg.pinv(weighted.sum(0), hermitian=True)
        return beta + inverse @ right.sum(0)

    def _expect(self, sums: Sums, beta: Tensor) -> tuple[Tensor, Tensor, float]:
        """E-step: b̂_i, C_i, and −2 log L less its constant, where Σ, σ² and β now are."""
        (covariance,), variance = self.covariances, self.residual_variance
        precision = sums.xx / variance + covariance.precision
        # L⁻ᵀ of the precision L Lᵀ is a root of C, but upper triangular: so factor C reversed.
        flipped = torch.linalg.cholesky(precision.flip(1, 2))
        eye = torch.eye(precision.shape[1], dtype=precision.dtype, device=precision.device)
        root = torch.linalg.solve_triangular(flipped, eye, upper=False)
        self._lower = root.transpose(1, 2).flip(1, 2)
        spread = self._lower @ self._lower.transpose(1, 2)
        right = sums.xy - sums.xx @ beta
        mean = torch.einsum("prs,ps->pr", spread, right) / variance
        error = sums.yy - 2 * (beta * sums.xy.sum(0)).sum() + beta @ sums.xx.sum(0) @ beta
        explained = (right * mean).sum()
        determinant = 2 * flipped.diagonal(dim1=1, dim2=2).log().sum()
        determinant = determinant + len(mean) * covariance.log_determinant
        deviance = (error - explained) / variance + determinant + self.n_rows * math.log(variance)
        return mean, spread, float(deviance)

    def solve(self, report: Callable[[Progress], None] | None) -> Training:
        """Without hidden layers there is nothing but E and M: go on until they have converged."""
        steps, before = SearchSteps(report, 0.05), math.inf
        while True:
            deviance = self._rounds(100)
            self.log_likelihood = -0.5 * self.n_rows * (deviance + math.log(2 * math.pi))
            between = float(self.covariances[0].variances.mean())
            steps.add(deviance, self.residual_variance, between)
            if before - deviance < TOLERANCE:
                return steps.ended(converged=True)
            if 100 * len(steps.taken) >= MOST_ROUNDS:
                warnings.warn(
                    f"EM had not converged after {MOST_ROUNDS} rounds; remove random effects that"
                    " the data cannot tell apart.",
                    ConvergenceWarning,
                    stacklevel=2,
                )
                return steps.ended(converged=False)
            before = deviance

    def likelihood(self, batches: Sequence[Batch]) -> Likelihood | None:
        """Return the likelihood of a model without hidden layers; None of a network."""
        if self.log_likelihood is None:
            return None
        fixed = sum(value.numel() for value in self.mixed.fixed().values())
        n_parameters = fixed + n_variances(self.covariances) + 1
        return Likelihood(self.log_likelihood, n_parameters, n_observed(batches), EXACT)

    @property
    def settled(self) -> bool:
        """Whether training may stop: always."""
        return True

    def observe(self, losses: Tensor, rows: Tensor) -> bool:
        """Keep the state if the validation loss, per row over all persons, is the best so far."""
        loss = float(losses.sum() / rows.sum())
        if loss >= self._best_loss:
            return False
        self._best_loss, self._best = loss, self.snapshot()
        return True

    def finish(self, *, validated: bool) -> None:
        """Go back to the best state."""
        if validated and math.isfinite(self._best_loss):
            self._best()

    def snapshot(self) -> Callable[[], None]:
        """Return what goes back to the present state."""
        back, lower = snapshot(self, self.mixed.parameters()), self._lower

        def restore() -> None:
            back()
            self._lower = lower

        return restore

    def shared_spread(self) -> dict[str, Tensor]:
        """Nothing: shared parameters are points."""
        return {}

    def shared_precision(self) -> dict[str, Tensor]:
        """Nothing: the shared parameters have no prior."""
        return {}

    def posterior_covariance(self) -> Tensor:
        """C_i of every person, shape (P, R, R)."""
        return self._lower @ self._lower.transpose(1, 2)
