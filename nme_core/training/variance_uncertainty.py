"""How uncertain the variances of random effects are, for intervals that count it.

A person's rows alone would estimate η_ik by b_i with error variance v_i: b_i ~ N(0, s + v_i) with
s = Σ_kk. From few persons, or from persons with little to say, s is known only roughly, and most
of its likelihood lies above its maximum: intervals that take it as known are too narrow (Laird &
Louis 1987). Here s is integrated out, under a half-Cauchy prior on √s (Gelman 2006) of scale 1, a
wide one in standardised units:

    E(η_ik − η̂_ik)² = E[s] v_i/(E[s] + v_i) + b_i² v_i² var[s]/(E[s] + v_i)⁴
                      + b_i² ( E[s]/(E[s] + v_i) − ŝ/(ŝ + v_i) )²,

the second term being var_s[ b_i s/(s + v_i) ] by the delta method, and the third how far the
estimate at ŝ lies from its mean over s: where ŝ is 0 the estimates of all persons are 0 too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from nme_core.training.covariance import AT_ONCE

#: Points of the grid of s.
POINTS = 80
#: Ends of the grid of s, standardised.
LOWEST, HIGHEST = 1e-6, 25.0
#: Weights below this do not matter.
SMALLEST = 1e-8
#: Estimates further out than so many standard deviations are taken as that far.
FURTHEST = 4.0


@dataclass(frozen=True)
class VarianceUncertainty:
    """Posterior of the variances of the random effects.

    Attributes
    ----------
    at : Tensor, shape (R,)
        Diagonal of Σ.
    mean, variance : Tensor, shape (R,)
        E[s] and var[s] of every random effect.
    """

    at: Tensor
    mean: Tensor
    variance: Tensor

    @classmethod
    def of(cls, deviations: Tensor, conditional: Tensor, at: Tensor) -> VarianceUncertainty:
        """Integrate over every variance, each for itself.

        Parameters
        ----------
        deviations : Tensor, shape (P, R)
            η̂.
        conditional : Tensor, shape (P, R)
            Diagonals of C_i, at Σ.
        at : Tensor, shape (R,)
            Diagonal of Σ.
        """
        at = at.double()
        b, v = _alone(deviations, conditional, at)
        mean, variance = torch.zeros_like(at), torch.zeros_like(at)
        for k in range(len(at)):
            s, weight = _posterior(b[:, k], v[:, k], (LOWEST, HIGHEST))
            # again, where there is weight
            likely = torch.nonzero(weight > SMALLEST)[:, 0]
            first, last = max(int(likely[0]) - 1, 0), min(int(likely[-1]) + 1, POINTS - 1)
            s, weight = _posterior(b[:, k], v[:, k], (float(s[first]), float(s[last])))
            mean[k] = weight @ s
            variance[k] = weight @ (s - mean[k]).square()
        return cls(at, mean, variance)

    def widened(self, sigma: Tensor) -> Tensor:
        """Σ with these means for its variances and its own correlations, shape as Σ."""
        if sigma.dim() == 1:
            return self.mean
        ratio = (self.mean / self.at).sqrt()
        return sigma.double() * ratio * ratio.unsqueeze(1)

    def added(self, deviations: Tensor, conditional: Tensor) -> Tensor:
        """What the variances' uncertainty adds to each person's; `conditional` as in `of`."""
        b, v = _alone(deviations, conditional, self.at)
        slope = v / (self.mean + v).square()
        shift = self.mean / (self.mean + v) - self.at / (self.at + v)
        return b.square() * (slope.square() * self.variance + shift.square())


def _posterior(b: Tensor, v: Tensor, ends: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Return a grid of s, even in log s, and its weights: likelihood × prior × √s."""
    steps = torch.linspace(math.log(ends[0]), math.log(ends[1]), POINTS, dtype=torch.float64)
    s = steps.exp()
    squares, fit = b.square(), torch.empty_like(s)
    at_once = max(1, AT_ONCE // len(v))  # of many persons not all points
    for start in range(0, POINTS, at_once):
        total = s[start : start + at_once].unsqueeze(1) + v  # (points, P)
        fit[start : start + at_once] = -0.5 * (total.log() + squares / total).sum(1)
    return s, torch.softmax(fit - torch.log1p(s) + 0.5 * s.log(), dim=0)


def _alone(deviations: Tensor, conditional: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
    """b and v of every person's rows alone, shape (P, R) each."""
    precision = (1 / conditional.double() - 1 / at).clamp_min(1e-12 / at)
    v = 1 / precision
    reach = FURTHEST * (at + v).sqrt()
    b = deviations.double() * (1 + v / at)
    return torch.minimum(torch.maximum(b, -reach), reach), v
