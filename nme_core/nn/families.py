"""Outcome families: deviance, inverse link, information and sampling of an outcome.

A network's output f of one row has shape (..., O). D is the deviance of the row, minus twice its
log-likelihood up to a constant; the information is −½ E ∂²D/∂f² (McCullagh & Nelder 1989), the
curvature the same without the expectation.

| family      | outcome             | O     | inverse link                                  |
|-------------|---------------------|-------|-----------------------------------------------|
| Gaussian    | a number            | 1     | E y = f                                       |
| counts      | a count (`counts`)  | 1     | E y = exp(f + offset)                         |
| Categorical | a class             | K − 1 | p = softmax(B f); two classes: logistic(f)    |
| Ordinal     | an ordered class    | K − 1 | p(y ≤ k) = logistic(f_k), f_k increasing in k |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from nme_core.batches.sequences import Batch
from nme_core.nn.contrasts import contrasts

_SMALLEST = 1e-12


class Family(Protocol):
    """What the training needs to know of an outcome."""

    #: Whether the family has a residual variance σ² (else it is 1).
    has_residual_variance: ClassVar[bool]

    def deviance(self, output: Any, batch: Batch) -> Tensor:
        """D of each unit, summed over its observed rows; shape (n_units,)."""
        ...


class RowFamily(Family, Protocol):
    """A family whose rows are independent given the parameters."""

    def mean(self, output: Tensor) -> Tensor:
        """Inverse link: expected outcome (..., 1), or probability of each class (..., K)."""
        ...

    def information(self, output: Tensor) -> Tensor:
        """−½ E ∂²D/∂f² of each row, shape (..., O, O)."""
        ...

    def sample(
        self, output: Tensor, residual_variance: float, generator: torch.Generator
    ) -> Tensor:
        """Draw an outcome for each row, shape (...)."""
        ...


class LikelihoodFamily(RowFamily, Protocol):
    """A family with a likelihood of its own (σ² = 1) and the derivatives that Newton needs."""

    def log_density(self, output: Tensor, y: Tensor) -> Tensor:
        """log p(y | f) of each row with all constants, shape (...)."""
        ...

    def score(self, output: Tensor, y: Tensor) -> Tensor:
        """∂ log p/∂f of each row, shape (..., O)."""
        ...

    def curvature(self, output: Tensor, y: Tensor) -> Tensor:
        """−∂² log p/∂f² of each row, shape (..., O, O); differentiable."""
        ...


def _row_sums(values: Tensor, batch: Batch) -> Tensor:
    return torch.where(batch.mask, values, 0.0).sum(1)


def _draw_class(probabilities: Tensor, generator: torch.Generator) -> Tensor:
    flat = probabilities.flatten(0, -2)
    return torch.multinomial(flat, 1, generator=generator).view(probabilities.shape[:-1])


class Gaussian:
    """A number: D = (y − f)², with residual variance σ².

    Residuals r may remember: with the correlation φ_t between a row and the one before it in its
    unit, D = Σ_t (r_t − φ_t r_{t−1})²/(1 − φ_t²), the first row of a unit as it is. Units that do
    not know how far apart their rows are have independent residuals.

    Parameters
    ----------
    share : callable, optional
        φ of rows so far apart, Tensor → Tensor of the same shape; 0 at inf. None: independent.
    """

    has_residual_variance: ClassVar[bool] = True

    def __init__(self, share: Callable[[Tensor], Tensor] | None = None) -> None:
        self.share = share

    def deviance(self, output: Tensor, batch: Batch) -> Tensor:
        """Squared error of each unit; output has shape (n_units, n_rows, 1)."""
        return _row_sums(self.whitened(batch.y - output.squeeze(-1), batch) ** 2, batch)

    def whitened(self, values: Tensor, batch: Batch) -> Tensor:
        """(v_t − φ_t v_{t−1})/√(1 − φ_t²) along the rows of each unit, (n_units, n_rows, ...)."""
        if self.share is None or batch.gaps is None:
            return values
        share = self.share(batch.gaps).to(values)
        share = share.reshape(*share.shape, *[1] * (values.dim() - 2))
        before = torch.cat([torch.zeros_like(values[:, :1]), values[:, :-1]], dim=1)
        return (values - share * before) / (1 - share.square()).sqrt()

    def mean(self, output: Tensor) -> Tensor:
        """Identity."""
        return output

    def information(self, output: Tensor) -> Tensor:
        """1, before the division by σ²."""
        return torch.ones_like(output).unsqueeze(-1)

    def sample(
        self, output: Tensor, residual_variance: float, generator: torch.Generator
    ) -> Tensor:
        """Draw from N(f, σ²)."""
        noise = torch.randn(output.shape, generator=generator, dtype=output.dtype)
        drawn: Tensor = output + residual_variance**0.5 * noise
        return drawn.squeeze(-1)


class Categorical:
    """A class: D = −2 log p of the class that was observed, p = softmax(B f) (see `contrasts`).

    Parameters
    ----------
    n_classes : int
        K; the network has K − 1 outputs.
    """

    has_residual_variance: ClassVar[bool] = False

    def __init__(self, n_classes: int) -> None:
        self.n_classes = n_classes
        self._contrasts = contrasts(n_classes)

    def _basis(self, like: Tensor) -> Tensor:
        return self._contrasts.to(like)

    def _log_p(self, output: Tensor) -> Tensor:
        scores = (output @ self._basis(output).T).movedim(-1, 0).contiguous()
        # along the first dimension several rows are worked on at once
        return torch.log_softmax(scores, dim=0).movedim(0, -1)

    def deviance(self, output: Tensor, batch: Batch) -> Tensor:
        """−2 log-likelihood of each unit; output has shape (n_units, n_rows, K − 1)."""
        return _row_sums(-2 * self.log_density(output, batch.y), batch)

    def mean(self, output: Tensor) -> Tensor:
        """Probability of each class."""
        return self._log_p(output).exp()

    def information(self, output: Tensor) -> Tensor:
        """Bᵀ (diag p − p pᵀ) B."""
        if self.n_classes == 2:
            return (torch.sigmoid(output) * torch.sigmoid(-output)).unsqueeze(-1)
        p, basis = self.mean(output), self._basis(output)
        mean, squares = p @ basis, basis.unsqueeze(2) * basis.unsqueeze(1)
        whole = (p @ squares.flatten(1)).view(*p.shape[:-1], *squares.shape[1:])
        result: Tensor = whole - mean.unsqueeze(-1) * mean.unsqueeze(-2)
        return result

    def log_density(self, output: Tensor, y: Tensor) -> Tensor:
        """log p of the class y; of a row without one (−1) that of the first."""
        chosen = y.clamp_min(0).unsqueeze(-1)
        if self.n_classes == 2:
            return functional.logsigmoid(output * (2 * chosen - 1).to(output)).squeeze(-1)
        return self._log_p(output).gather(-1, chosen).squeeze(-1)

    def score(self, output: Tensor, y: Tensor) -> Tensor:
        """Bᵀ (1_y − p)."""
        if self.n_classes == 2:
            return (y.clamp_min(0).unsqueeze(-1) - torch.sigmoid(output)).to(output)
        basis = self._basis(output)
        return basis[y.clamp_min(0)] - self.mean(output) @ basis

    def curvature(self, output: Tensor, y: Tensor) -> Tensor:
        """The information: the link is canonical."""
        return self.information(output)

    def sample(
        self, output: Tensor, residual_variance: float, generator: torch.Generator
    ) -> Tensor:
        """Draw classes."""
        return _draw_class(self.mean(output), generator)


class Ordinal:
    """An ordered class: cumulative logits f_k = threshold_k − score (McCullagh 1980)."""

    has_residual_variance: ClassVar[bool] = False

    def deviance(self, output: Tensor, batch: Batch) -> Tensor:
        """−2 log-likelihood of each unit; output has shape (n_units, n_rows, K − 1)."""
        chosen = self.mean(output).gather(-1, batch.y.clamp_min(0).unsqueeze(-1)).squeeze(-1)
        return _row_sums(-2 * chosen.clamp_min(_SMALLEST).log(), batch)

    def mean(self, output: Tensor) -> Tensor:
        """Probability of each class, as differences that keep their digits in both tails."""
        low, high = output[..., :-1], output[..., 1:]
        middle = torch.sigmoid(high) * torch.sigmoid(-low) * -torch.expm1(low - high)
        return torch.cat(
            [torch.sigmoid(output[..., :1]), middle, torch.sigmoid(-output[..., -1:])], dim=-1
        )

    def information(self, output: Tensor) -> Tensor:
        """Σ_k ∇p_k ∇p_kᵀ / p_k, tridiagonal."""
        slope = torch.sigmoid(output) * torch.sigmoid(-output)
        inverse = self.mean(output).clamp_min(_SMALLEST).reciprocal()
        diagonal = slope.square() * (inverse[..., :-1] + inverse[..., 1:])
        beside = -slope[..., :-1] * slope[..., 1:] * inverse[..., 1:-1]
        return (
            torch.diag_embed(diagonal)
            + torch.diag_embed(beside, offset=1)
            + torch.diag_embed(beside, offset=-1)
        )

    def log_density(self, output: Tensor, y: Tensor) -> Tensor:
        """log p of the class y; −inf where its thresholds are out of order."""
        chosen = self.mean(output).gather(-1, y.clamp_min(0).unsqueeze(-1)).squeeze(-1)
        return torch.where(chosen > 0, chosen.clamp_min(1e-300).log(), -torch.inf)

    def _ends(self, output: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One-hot places of the thresholds above and below y, (..., K − 1) each, and p(y)."""
        k = torch.arange(output.shape[-1], device=output.device)
        y = y.clamp_min(0).unsqueeze(-1)
        p = self.mean(output).gather(-1, y).clamp_min(_SMALLEST)
        return (k == y).to(output), (k == y - 1).to(output), p

    def score(self, output: Tensor, y: Tensor) -> Tensor:
        """Slope of log(F(f_y) − F(f_{y−1}))."""
        above, below, p = self._ends(output, y)
        return (above - below) * torch.sigmoid(output) * torch.sigmoid(-output) / p

    def curvature(self, output: Tensor, y: Tensor) -> Tensor:
        """Minus its second derivative: not the information, for the link is not canonical."""
        above, below, p = self._ends(output, y)
        slope = torch.sigmoid(output) * torch.sigmoid(-output)
        bend = slope * (1 - 2 * torch.sigmoid(output))
        first = (above - below) * slope / p
        second = (above - below) * bend / p
        return first.unsqueeze(-1) * first.unsqueeze(-2) - torch.diag_embed(second)

    def sample(
        self, output: Tensor, residual_variance: float, generator: torch.Generator
    ) -> Tensor:
        """Draw classes."""
        return _draw_class(self.mean(output), generator)
