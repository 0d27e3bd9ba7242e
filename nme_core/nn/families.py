"""Outcome families: deviance, inverse link, information and sampling of an outcome.

A network's output f of one row has shape (..., O). D is the deviance of the row, minus twice its
log-likelihood up to a constant; the information is −½ E ∂²D/∂f² (McCullagh & Nelder 1989).

| family      | outcome             | O     | inverse link                                  |
|-------------|---------------------|-------|-----------------------------------------------|
| Gaussian    | a number            | 1     | E y = f                                       |
| Poisson     | a count             | 1     | E y = exp(f + offset)                         |
| Categorical | a class             | K     | p = softmax(f); two classes: Bernoulli        |
| Ordinal     | an ordered class    | K − 1 | p(y ≤ k) = logistic(f_k), f_k increasing in k |
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from nme_core.data.sequences import Batch

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


def _row_sums(values: Tensor, batch: Batch) -> Tensor:
    return torch.where(batch.mask, values, 0.0).sum(1)


def _draw_class(probabilities: Tensor, generator: torch.Generator) -> Tensor:
    flat = probabilities.flatten(0, -2)
    return torch.multinomial(flat, 1, generator=generator).view(probabilities.shape[:-1])


class Gaussian:
    """A number: D = (y − f)², with residual variance σ²."""

    has_residual_variance: ClassVar[bool] = True

    def deviance(self, output: Tensor, batch: Batch) -> Tensor:
        """Squared error of each unit; output has shape (n_units, n_rows, 1)."""
        return _row_sums((batch.y - output.squeeze(-1)) ** 2, batch)

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


class Poisson:
    """A count: log E y = f + offset, D = 2 (y log(y/μ) − y + μ).

    Parameters
    ----------
    offset : float
        Log of the mean count, so that the network starts from there.
    """

    has_residual_variance: ClassVar[bool] = False

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def deviance(self, output: Tensor, batch: Batch) -> Tensor:
        """Deviance of each unit; output has shape (n_units, n_rows, 1)."""
        log_mean = output.squeeze(-1) + self.offset
        saturated = torch.xlogy(batch.y, batch.y) - batch.y
        return _row_sums(2 * (saturated - batch.y * log_mean + log_mean.exp()), batch)

    def mean(self, output: Tensor) -> Tensor:
        """Expected count."""
        log_mean: Tensor = output + self.offset
        return log_mean.exp()

    def information(self, output: Tensor) -> Tensor:
        """μ."""
        return self.mean(output).unsqueeze(-1)

    def sample(
        self, output: Tensor, residual_variance: float, generator: torch.Generator
    ) -> Tensor:
        """Draw counts."""
        return torch.poisson(self.mean(output).squeeze(-1), generator=generator)


class Categorical:
    """A class: D = −2 log p of the class that was observed, p = softmax of the output."""

    has_residual_variance: ClassVar[bool] = False

    def deviance(self, output: Tensor, batch: Batch) -> Tensor:
        """−2 log-likelihood of each unit; output has shape (n_units, n_rows, n_classes)."""
        loss = functional.cross_entropy(
            output.flatten(0, 1), batch.y.clamp_min(0).flatten(), reduction="none"
        ).view_as(batch.mask)
        return _row_sums(2 * loss, batch)

    def mean(self, output: Tensor) -> Tensor:
        """Probability of each class."""
        return torch.softmax(output, dim=-1)

    def information(self, output: Tensor) -> Tensor:
        """Diag p − p pᵀ."""
        p = self.mean(output)
        return torch.diag_embed(p) - p.unsqueeze(-1) * p.unsqueeze(-2)

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

    def sample(
        self, output: Tensor, residual_variance: float, generator: torch.Generator
    ) -> Tensor:
        """Draw classes."""
        return _draw_class(self.mean(output), generator)
