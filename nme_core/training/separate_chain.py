"""One CRF with linear emissions per person, nothing shared: the baseline ``specific``, exactly."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.nn import LinearChain, MixedEffects
from nme_core.training.chain_data import ChainData
from nme_core.training.covariance import RandomEffectsCovariance
from nme_core.training.exact_chain import chain_data
from nme_core.training.progress import Progress, Training, Verdict

#: Precisions λ of the ridge, from strong to weak, that the validation rows choose from.
RIDGES = tuple(10.0 ** (k / 2) for k in range(4, -8, -1))
#: So many weaker ones in a row that bring no gain end the search.
_PATIENCE = 2
#: Newton steps at most, and halvings of one.
LONGEST, HALVINGS = 100, 40
#: Largest change of a parameter in one step.
LARGEST = 4.0
#: A person has arrived where a step promises less than the first of log p, on the way, or the
#: second, at the end.
_NEAR, _TOLERANCE = 1e-2, 1e-14


class SeparateChain:
    """Each person's log p(y_i | ψ_i) − ½ λ|ψ_i|², concave, by Newton's method.

    Without a ridge a person's maximum is infinite as soon as a state or a move is missing. One λ
    holds for everybody: the one with the least loss on the validation rows.

    Parameters
    ----------
    mixed : MixedEffects
        A CRF with linear emissions and one grouping factor, all of whose parameters are
        person-specific; filled in place, its shared parameters with 0.
    covariances : sequence of RandomEffectsCovariance
        Not used: there is no Σ.

    Attributes
    ----------
    ridge : float
        λ, after `solve`.
    """

    dependence = None
    residual_variance = 1.0

    def __init__(self, mixed: MixedEffects, covariances: Sequence[RandomEffectsCovariance]) -> None:
        self.mixed, self.family, self.covariances = mixed, LinearChain(), list(covariances)
        self.ridge = float("nan")

    def solve(
        self,
        batches: Sequence[Batch],
        validation: Sequence[Batch],
        report: Callable[[Progress], None] | None,
    ) -> Training:
        """Fit; people without validation rows have the λ of the others."""
        here = torch.device("cpu")
        data = chain_data(self.mixed, [batch.to(here) for batch in batches])
        held = chain_data(self.mixed, [batch.to(here) for batch in validation])
        theta = torch.zeros(data.n_parameters, dtype=torch.float64)
        eta = torch.zeros(data.n_people, data.n_parameters, dtype=torch.float64)
        history: list[Progress] = []
        start, best, kept = time.monotonic(), float("inf"), eta
        for ridge in RIDGES:
            eta = newton(data, theta, eta, ridge, _NEAR)
            loss, train = (
                -2 * float(one.log_likelihoods(theta, eta).sum()) / len(one.chains.y)
                for one in (held, data)
            )
            step = len(history) + 1
            seconds = time.monotonic() - start
            history.append(Progress(step, step / len(RIDGES), train, loss, 1.0, 0.0, seconds))
            if report is not None:
                report(history[-1])
            if loss < best:
                best, kept, self.ridge, waited = loss, eta, ridge, 0
                continue
            waited += 1
            if waited == _PATIENCE:
                break
        self._fill(newton(data, theta, kept, self.ridge, _TOLERANCE))
        return Training(tuple(history), Verdict.CONVERGED)

    @torch.no_grad()
    def _fill(self, eta: Tensor) -> None:
        self.mixed.cpu().double()
        for value in self.mixed.fixed().values():
            value.zero_()
        self.mixed.deviations.copy_(eta)

    # What `Problem` offers after training.

    def posterior_covariance(self) -> None:
        """A point estimate has none."""

    def shared_spread(self) -> dict[str, Tensor]:
        """Nothing is shared."""
        return {}

    def shared_precision(self) -> dict[str, Tensor]:
        """Nothing is shared."""
        return {}


def newton(data: ChainData, theta: Tensor, eta: Tensor, ridge: float, tolerance: float) -> Tensor:
    """Mode of log p_i(θ + η_i) − ½ λ|η_i|² of every person from η, (P, R); all of ψ is their own.

    Parameters
    ----------
    tolerance : float
        A person whose step promises less is left alone after that step.
    """
    eta = eta.clone()
    for people in data.parts():
        for _ in range(LONGEST):
            value, gradient, curvature = data.derivatives(theta, eta, people)
            own = eta[people]
            slope = gradient[:, data.places] - ridge * own
            across = _convex(curvature[:, data.places][:, :, data.places], data.missing)
            across.diagonal(dim1=1, dim2=2).add_(ridge)
            lower = torch.linalg.cholesky(across)
            step = torch.cholesky_solve(slope.unsqueeze(2), lower).squeeze(2)
            promised = (slope * step).sum(1)
            value = value - 0.5 * ridge * own.square().sum(1)
            length = (LARGEST / step.abs().amax(1).clamp_min(1e-300)).clamp_max(1.0)
            for _ in range(HALVINGS):
                eta[people] = own + length.unsqueeze(1) * step
                moved = data.derivatives(theta, eta, people, order=0)[0]
                moved -= 0.5 * ridge * eta[people].square().sum(1)
                short = ~(moved >= value + 1e-4 * length * promised - 1e-12 * (1 + value.abs()))
                if not bool(short.any()):
                    break
                length = torch.where(short, length / 2, length)
            if float(promised.max()) < tolerance:
                break
    return eta


def _convex(curvature: Tensor, missing: bool) -> Tensor:
    """Curvatures without what is negative, as those of missing labels can be."""
    if not missing:
        return curvature
    values, vectors = torch.linalg.eigh(curvature)
    result: Tensor = vectors * values.clamp_min(0).unsqueeze(1) @ vectors.transpose(1, 2)
    return result
