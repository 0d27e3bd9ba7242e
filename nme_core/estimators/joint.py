"""Uncertainty of shared and person-specific parameters together, read off a fitted model."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nme_core.batches.memory import give_back
from nme_core.batches.sequences import Batch
from nme_core.estimators.posterior import Posterior
from nme_core.estimators.uncertainty import Uncertainty
from nme_core.nn import Family, MixedEffects
from nme_core.training import (
    Crossed,
    IntegratedCovariance,
    PersonCurvature,
    PersonInformation,
    VarianceUncertainty,
    affordable,
    errors,
    person_curvature,
    shared_covariance,
)
from nme_core.training.covariance import SMALLEST
from nme_core.training.covariance_coordinates import Coordinates, FactorCoordinates
from nme_core.training.integrated_curvature import integrated_by_curvature
from nme_core.training.laplace import few_effects, in_double
from nme_core.training.objective import total_deviance

#: Numbers in the covariances of the shared parameters at other Σ, and with people's effects, up to
#: which they are kept.
LARGEST_KEPT = 2**22


@dataclass(frozen=True)
class Joint:
    """What was found of the persons of some rows.

    Attributes
    ----------
    uncertainty : Uncertainty
        Of the model.
    information : PersonInformation
        Of these persons, with the uncertainty of the variances counted in.
    """

    uncertainty: Uncertainty
    information: PersonInformation


def take_uncertainty(
    posterior: Posterior,
    family: Family,
    batches: Sequence[Batch],
    *,
    free: Sequence[str],
    precision: Mapping[str, Tensor],
    shared: Tensor | None = None,
    curvature: PersonCurvature | None = None,
    integrated: IntegratedCovariance | None = None,
    coordinates: Coordinates | FactorCoordinates | None = None,
    widened: bool = True,
) -> Joint | None:
    """Take the uncertainty at a fit; None where it is too much work or the data leave it open.

    Parameters
    ----------
    posterior : Posterior
        The fit.
    family : Family
        Of the outcome.
    batches : sequence of Batch
        All rows of the fit.
    free : sequence of str
        Shared parameters that do not count as known.
    precision : mapping of str to Tensor
        Of the prior on the shared parameters.
    shared : Tensor, shape (p, p), optional
        Their covariance, where the fit knows it: it may count how uncertain Σ is.
    curvature : PersonCurvature, optional
        What each person's rows say, where the fit knows it.
    integrated : IntegratedCovariance, optional
        People's effects with Σ integrated out, where the fit can do so,
    coordinates : Coordinates, optional
        and of Σ, where it cannot but Σ has the largest likelihood: it is integrated out by the
        curvature then. Else each variance is, for itself,
    widened : bool
        unless many effects share one, as in a network with hidden layers: it counts as known.
    """
    rows = [batch.to(torch.device("cpu")) for batch in batches]
    n_rows = sum(batch.n_rows for batch in rows)
    spread = posterior.covariance
    whole = spread is not None and (spread.dim() == 3 or few_effects(posterior.mixed))
    n_differentiated = 0 if curvature is not None else n_rows
    if not whole or not affordable(posterior.mixed, free, n_differentiated):
        return None
    if curvature is None:
        curvature = _curvature(posterior, family, posterior.mixed, rows, free)
    plain = curvature.given(posterior.sigma[0])
    give_back()
    if shared is None:
        prior = {name: value.cpu() for name, value in precision.items()}
        shared = shared_covariance(plain, prior)
    if shared is None:
        return None
    sigma = posterior.sigma[0]
    at = sigma if sigma.dim() == 1 else sigma.diagonal()
    eta = deviations = posterior.mixed.deviations.detach().double()
    at_zero = at <= 2 * SMALLEST
    by_curvature = integrated is None and coordinates is not None
    slope = eta.new_zeros(0)
    if by_curvature or bool(at_zero.any()):  # a pass over all rows
        slope = _slope(posterior, family, rows)
        # at the small variance that stands for 0, η̂ is that variance times the slope
        deviations = torch.where(at_zero, at * slope, eta)
    variances = VarianceUncertainty.of(deviations, plain.own, at)
    information = plain
    if widened:
        information = _widened(curvature, plain, posterior, deviations, variances)
    names = plain.free
    fits = None
    del plain  # as large as what comes next
    give_back()
    if by_curvature and coordinates is not None:
        integrated = integrated_by_curvature(curvature, coordinates, sigma, eta, slope, shared)
    across = None
    if integrated is not None:
        effects, across = (torch.from_numpy(one) for one in (integrated.error, integrated.across))
        if integrated.fits.shared.numel() <= LARGEST_KEPT:
            fits = integrated.fits
        if by_curvature:
            shared = integrated.fits.whole
    else:
        effects = information.effects_covariance(shared)
        if widened and eta.numel() * len(shared) <= LARGEST_KEPT:
            across = information.across(shared)
    found = Uncertainty(names, shared, effects, variances, across, fits)
    return Joint(found, information)


def _slope(posterior: Posterior, family: Family, batches: Sequence[Batch]) -> Tensor:
    """∂ log p/∂η of every person at the fit, (P, R): Σ⁻¹ η̂ where η̂ is the mode."""
    mixed = copy.deepcopy(posterior.mixed).double()
    leaf = posterior.mixed.deviations.detach().double().clone().requires_grad_()
    with torch.enable_grad():
        rows = [in_double(batch) for batch in batches]
        deviance = total_deviance(mixed, family, rows, deviations=leaf)
        (slope,) = torch.autograd.grad(-0.5 * deviance / posterior.residual_variance, leaf)
    return slope


def crossed_uncertainty(posterior: Posterior, problem: Crossed) -> Uncertainty:
    """Uncertainty at a fit with several grouping factors, each with its own Σ."""
    mixed = posterior.mixed
    sigma = [covariance.matrix for covariance in problem.covariances]
    plain, _ = problem.covariances_given(sigma)
    own = plain.diagonal(dim1=1, dim2=2)
    parts = list(zip(*map(mixed.by_factor, (mixed.deviations.detach(), own)), strict=True))
    found = [
        VarianceUncertainty.of(part[0], part[1], one.diagonal())
        for part, one in zip(parts, sigma, strict=True)
    ]
    pairs = list(zip(found, parts, sigma, strict=True))
    _, error = problem.covariances_given([one.widened(matrix) for one, _, matrix in pairs])
    added = torch.cat([one.added(part[0], part[1]) for one, part, _ in pairs])
    shared = problem.shared_covariance()
    return Uncertainty(tuple(mixed.fixed()), shared, error + torch.diag_embed(added), found[0])


def add_persons(
    posterior: Posterior,
    family: Callable[[float], Family],
    mixed: MixedEffects,
    batches: Sequence[Batch],
) -> Joint | None:
    """Add new persons to a fit, which stays; None where its uncertainty was not taken.

    Parameters
    ----------
    family : callable
        Family of the outcome by the residuals' autocorrelation; that of the fit at NaN.
    mixed : MixedEffects
        Network with the new persons alone.
    batches : sequence of Batch
        Their rows.
    """
    before = posterior.uncertainty
    if before is None:
        return None
    curvature = _curvature(posterior, family(math.nan), mixed, batches, before.free)
    plain = curvature.given(posterior.sigma[0])
    deviations = mixed.deviations.detach()
    information = _widened(curvature, plain, posterior, deviations, before.variances)
    if before.fits is not None:
        found = errors(mixed, family, batches, before.fits, before.free)
    else:
        found = information.effects_covariance(before.shared), information.across(before.shared)
    return Joint(before.with_groups(*found), information)


def _curvature(
    posterior: Posterior,
    family: Family,
    mixed: MixedEffects,
    batches: Sequence[Batch],
    free: Sequence[str],
) -> PersonCurvature:
    variance = posterior.residual_variance
    return person_curvature(mixed, family, batches, free=free, residual_variance=variance)


def _widened(
    curvature: PersonCurvature,
    plain: PersonInformation,
    posterior: Posterior,
    deviations: Tensor,
    variances: VarianceUncertainty,
) -> PersonInformation:
    """Return `plain` with the uncertainty of the variances counted in."""
    added = variances.added(deviations, plain.own)
    return curvature.given(variances.widened(posterior.sigma[0]), added)
