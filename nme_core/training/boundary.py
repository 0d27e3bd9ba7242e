"""Whether Σ lies at the boundary of what a covariance can be: a variance at 0, or a combination's.

Along a direction u in which Σ has the variance s = λ, a person's rows say of uᵀη_i what one
observation b_i ~ N(uᵀη_i, v_i) would. The slope of the log-likelihood of s at s = 0 is

    ½ Σ_i ( (b_i/v_i)² − 1/v_i ),    b_i/v_i = uᵀη̂_i / uᵀC_iu,    1/v_i = 1/uᵀC_iu − 1/λ,

all else in Σ as it is (the update of rank one of Σ, by Woodbury's identity). Where it is not
positive the likelihood is highest at 0: the rows show no more differences between persons along u
than noise makes. An estimate of Σ that approaches 0 slowly, as that of EM does, need not be there.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nme_core.exceptions import BoundaryWarning, IdentificationWarning, SingularWarning
from nme_core.training.variance_interval import FAR

#: Mean precision 1/v from which on the rows say anything of a direction, standardised units.
_TELLS = 1e-3
#: Share of a direction that lies on one parameter, from which on it is that parameter's own.
_ALONE = 0.9
#: An exact estimate of a variance below this, standardised, is 0, as is a combination's below this
#: share of its members', which no search tells from 0; so do two effects that correlate by more.
ZERO, _ZERO_SHARE, _PERFECT = 1e-7, 1e-5, 0.999
#: A variance of log-odds or logarithms beyond this, standardised, an SD of 5, that the rows do not
#: tell has run away; precision of the prior on Σ then: standard deviations are half-normal, 2.5.
RUNS_AWAY, WEAK = 25.0, 0.16
#: Parameters that are named.
_NAMED = 4


@dataclass(frozen=True)
class Boundary:
    """What of Σ is at the boundary.

    Attributes
    ----------
    at_zero : tuple of int
        Random effects whose own variance is 0.
    combined : tuple of tuple of int
        Further directions of variance 0, each by the random effects that it combines.
    everything : bool
        Whether that is all of Σ that the rows say anything of.
    """

    at_zero: tuple[int, ...]
    combined: tuple[tuple[int, ...], ...] = ()
    everything: bool = False


def slope_at_zero(effects: Tensor, conditional: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """Σ_i (b_i/v_i)² − Σ_i 1/v_i of every random effect, and the mean of 1/v_i; shape (R,) each.

    Parameters
    ----------
    effects, conditional : Tensor, shape (P, R)
        η̂ and the diagonals of C_i.
    variances : Tensor, shape (R,)
        λ.
    """
    precision = (1 / conditional - 1 / variances).clamp_min(0)
    return ((effects / conditional).square() - precision).sum(0), precision.mean(0)


def exact_boundary(sigma: Tensor, zero: float = ZERO) -> Boundary:
    """What of an exact estimate of Σ, shape (R, R) or (R,), is 0: variances up to `zero`."""
    matrix = sigma.double().diag() if sigma.dim() == 1 else sigma.double()
    variances = matrix.diagonal()
    left = torch.nonzero(variances > zero)[:, 0]
    at_zero = torch.nonzero(variances <= zero)[:, 0].tolist()
    sd = variances[left].sqrt()
    correlations = matrix[left][:, left] / sd / sd.unsqueeze(1)
    values, axes = torch.linalg.eigh(correlations)
    combined = [_members(axes[:, k], left) for k in torch.nonzero(values <= _ZERO_SHARE)[:, 0]]
    perfect = torch.nonzero((correlations.abs() > _PERFECT).triu(1))
    pairs = [tuple(left[pair].tolist()) for pair in perfect]
    combined += [pair for pair in pairs if not any({*pair} <= {*one} for one in combined)]
    return Boundary(tuple(at_zero), tuple(combined), not len(left))


def approached_boundary(effects: Tensor, conditional: Tensor, sigma: Tensor) -> Boundary:
    """Where the rows' likelihood has its slope down from 0 along an axis of a diagonal Σ, or along
    a principal axis of the correlations of a full one.

    Parameters
    ----------
    effects : Tensor, shape (P, R)
        η̂.
    conditional : Tensor, shape (P, R, R)
        C_i given Σ.
    sigma : Tensor, shape (R, R), or (R,) where it is diagonal
    """
    effects, conditional, sigma = effects.double(), conditional.double(), sigma.double()
    if sigma.dim() == 1:
        slope, precision = slope_at_zero(effects, conditional.diagonal(dim1=1, dim2=2), sigma)
        told = precision > _TELLS
        flat = told & (slope <= 0)
        found = tuple(torch.nonzero(flat)[:, 0].tolist())
        return Boundary(found, everything=bool(told.any()) and bool((flat == told).all()))
    sd, every = sigma.diagonal().sqrt(), torch.arange(len(sigma))
    variances, axes = torch.linalg.eigh(sigma / sd / sd.unsqueeze(1))
    turned = axes / sd.unsqueeze(1)  # (R, direction)
    spread = torch.einsum("rk,prs,sk->pk", turned, conditional, turned)
    slope, precision = slope_at_zero(effects @ turned, spread, variances)
    told = precision > _TELLS
    flat = told & (slope <= 0)
    members = [_members(axes[:, k], every) for k in torch.nonzero(flat)[:, 0]]
    return Boundary(
        tuple(sorted(one[0] for one in members if len(one) == 1)),
        tuple(one for one in members if len(one) > 1),
        bool(told.any()) and bool((flat == told).all()),
    )


def _members(direction: Tensor, among: Tensor) -> tuple[int, ...]:
    """Random effects that a direction of length 1 is made of."""
    share = direction.square()
    largest = int(share.argmax())
    if float(share[largest]) > _ALONE:
        return (int(among[largest]),)
    return tuple(among[share > 1 - _ALONE].tolist())


def warn_of(
    found: Boundary, names: Sequence[str], *, between: str = "people", stacklevel: int = 1
) -> None:
    """Say what is at the boundary, by the names of the random effects, and what to do.

    `between` is who has the effects.

    Warns
    -----
    BoundaryWarning, SingularWarning
    """
    if found.at_zero and not found.everything:
        warnings.warn(
            f"The variance between {between} of {_listed(found.at_zero, names)} cannot be told from"
            " 0, the boundary: the rows show no more differences in it than noise makes. Do not"
            " interpret their values of it; fewer person-specific parameters, or more rows of"
            " each, help.",
            BoundaryWarning,
            stacklevel=stacklevel + 1,
        )
    if found.everything:
        warnings.warn(
            f"No variance between {between} can be told from 0, the boundary: the rows show no"
            " more differences between them than noise makes. Do not interpret their values;"
            " a model without them says as much.",
            BoundaryWarning,
            stacklevel=stacklevel + 1,
        )
    elif found.combined:
        warnings.warn(
            "The covariance of the random effects is singular: a combination of"
            f" {_listed(found.combined[0], names)} has the variance 0, so that they count as"
            " perfectly correlated. Do not interpret their correlations; covariance='diagonal',"
            " fewer person-specific parameters, or more people help.",
            SingularWarning,
            stacklevel=stacklevel + 1,
        )


def ran_away(variances: Sequence[float], error: Callable[[int], float]) -> tuple[int, ...]:
    """Random effects whose variance, of log-odds or logarithms, is as large as the likelihood is
    flat; `error` returns the standard error of one, NaN where it is not known.
    """
    large = [k for k, variance in enumerate(variances) if variance > RUNS_AWAY]
    return tuple(k for k in large if not variances[k] >= FAR * error(k))


def warn_of_runaway(
    effects: Sequence[int], names: Sequence[str], *, between: str = "people", stacklevel: int = 1
) -> None:
    """Name the random effects whose variances ran away, and what was done.

    Warns
    -----
    IdentificationWarning
    """
    if effects:
        warnings.warn(
            f"The rows do not tell how much {between} differ in {_listed(effects, names)}: features"
            f" and {between} nearly settle the outcome, and the likelihood hardly falls beyond a"
            f" standard deviation of {RUNS_AWAY**0.5:g} in log-odds or logarithms. All standard"
            f" deviations between {between} have a weak prior, half-normal with scale"
            f" {WEAK**-0.5:g}: they have no interval, and there is no likelihood to compare models"
            " by. Fewer person-specific parameters, fewer features, or more rows of each help.",
            IdentificationWarning,
            stacklevel=stacklevel + 1,
        )


def _listed(effects: Sequence[int], names: Sequence[str]) -> str:
    shown, more = ", ".join(names[k] for k in effects[:_NAMED]), len(effects) - _NAMED
    return f"{shown} and {more} more" if more > 0 else shown
