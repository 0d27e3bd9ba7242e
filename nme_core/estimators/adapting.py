"""New persons for a fitted model, and a model of its persons alone: without another fit."""

from __future__ import annotations

import copy
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike

from nme_core.estimators.inputs import Labels, Table, check_lengths, read_groups
from nme_core.estimators.joint import add_persons
from nme_core.estimators.posterior import Posterior
from nme_core.exceptions import ConvergenceWarning, DataError, OptionError
from nme_core.training import Adaptation, adapt
from nme_core.training.link import Link

if TYPE_CHECKING:
    from nme_core.estimators.base import NeuralMixedEffects

_Model = TypeVar("_Model", bound="NeuralMixedEffects")


def with_persons(
    model: _Model, X: Table, y: ArrayLike, groups: Table, **context: ArrayLike | None
) -> _Model:
    """Return a model that also knows the persons of these rows; see `NMEMLPRegressor.adapt`."""
    model._check_fitted()
    before, posterior = model._encoder, model._posterior
    table = before.select(X)
    check_lengths(len(table[0]), y=y, groups=groups, **context)
    persons = read_groups(groups)
    _check_adaptable(model, persons)
    adapted = copy.copy(model)
    (factor,) = before.factors
    known = before.factors[factor].tolist()
    adapted._encoder = before.with_factors({factor: [*known, *persons[0].levels]})
    rows = adapted._encoder.rows(table, persons, None, **context)
    rows = replace(rows, groups=rows.groups - len(known))  # the new ones alone
    batches = rows.batches(before.outcome.encode(y), torch.device("cpu"))
    found = adapt(
        posterior.mixed.for_groups(len(persons[0].levels)),
        model._family(),
        batches,
        sigma=posterior.sigma[0],
        residual_variance=posterior.residual_variance,
    )
    if not bool(found.arrived.all()):
        names = [persons[0].levels[k] for k in torch.nonzero(~found.arrived)[:, 0].tolist()]
        warnings.warn(
            f"The parameters of {', '.join(map(repr, names[:5]))} were not found to full"
            " precision; look at their rows before you use them.",
            ConvergenceWarning,
            stacklevel=3,
        )
    adapted._posterior = _with_groups(posterior, found)
    n_new = np.bincount(rows.groups[:, 0], minlength=len(persons[0].levels))
    adapted._counts = np.concatenate([model._counts, n_new])
    mixed = posterior.mixed.for_groups(len(n_new))
    mixed.deviations.data = found.deviations.to(mixed.deviations.dtype)
    joint = add_persons(posterior, model._family_at, mixed.requires_grad_(False), batches)
    if joint is not None:
        adapted._posterior = replace(adapted._posterior, uncertainty=joint.uncertainty)
    adapted._after_adapt(batches, None if joint is None else joint.information)
    return adapted


def of_first_factor(model: _Model) -> _Model:
    """Return a model that knows the groups of the first factor only; see `of_persons`."""
    alone = copy.copy(model)
    name, persons = next(iter(model._encoder.factors.items()))
    alone._encoder = model._encoder.with_factors({name: persons})
    alone._posterior = _of_first_factor(model._posterior)
    alone._counts = model._counts[: len(persons)]
    return alone


def _with_groups(posterior: Posterior, adaptation: Adaptation) -> Posterior:
    """The posterior with new groups behind those that it has; one grouping factor."""
    mixed = posterior.mixed.for_groups(posterior.mixed.n_groups + len(adaptation.deviations))
    new = adaptation.deviations.to(posterior.mixed.deviations.dtype)
    mixed.deviations.data = torch.cat([posterior.mixed.deviations.detach(), new])
    covariance = posterior.covariance
    if covariance is not None:
        spread = adaptation.covariance
        if covariance.dim() == 2:
            spread = spread.diagonal(dim1=1, dim2=2)
        covariance = torch.cat([covariance, spread.to(covariance.dtype)])
    return replace(
        posterior,
        mixed=mixed.eval().requires_grad_(False),
        covariance=covariance,
        n_added=posterior.n_added + len(new),
        link=_link_with(posterior, adaptation),
    )


def _link_with(posterior: Posterior, adaptation: Adaptation) -> Link | None:
    """The link with new groups, which follow the shared values of their own numbers alone."""
    if posterior.link is None:
        return None
    sigma = posterior.sigma[0].diag() if posterior.sigma[0].dim() == 1 else posterior.sigma[0]
    shrunk = torch.linalg.solve(sigma.double(), adaptation.covariance, left=False)
    root, response = posterior.link
    first = sum(value.numel() for value in posterior.mixed.fixed().values()) - len(root)
    places = posterior.by_place() - first  # the link has the last shared numbers
    own = places >= 0
    added = response.new_zeros(len(shrunk), *response.shape[1:])
    eye = torch.eye(len(sigma), dtype=shrunk.dtype)
    added[:, :, places[own]] = (shrunk - eye)[:, :, own].to(response.dtype)
    return root, torch.cat([response, added])


def _of_first_factor(posterior: Posterior) -> Posterior:
    """The posterior of the first factor's groups, those of all others at η = 0."""
    n_groups = posterior.mixed.sizes[0]
    mixed = posterior.mixed.for_groups(n_groups)
    mixed.deviations.data = posterior.mixed.deviations[:n_groups].detach().clone()
    covariance, uncertainty = posterior.marginal_covariance, posterior.uncertainty
    places, joint = posterior.places, posterior.joint
    return replace(
        posterior,
        mixed=mixed.eval().requires_grad_(False),
        sigma=posterior.sigma[:1],
        covariance=None if covariance is None else covariance[:n_groups],
        dependence=None,
        uncertainty=None if uncertainty is None else uncertainty.chosen(slice(n_groups)),
        joint=None if joint is None else (joint[0], joint[1][:, :n_groups]),
        places=None if places is None else places[:n_groups],
        link=None,
    )


def _check_adaptable(model: NeuralMixedEffects, persons: list[Labels]) -> None:
    if len(model.factors_) > 1 or len(persons) > 1:
        raise OptionError(
            "New people can only be added to a model with one grouping factor.",
            remedy="Fit a model with the people as its only groups.",
        )
    if model.pooling != "partial" or not model._posterior.mixed.n_random:
        raise OptionError(
            "This model has no random effects that a new person could have.",
            remedy='Adapt a model with pooling="partial".',
        )
    known = [level for level in persons[0].levels if level in model._encoder.index[0]]
    if known:
        raise DataError(
            f"The model already knows person {known[0]!r}.",
            remedy="Leave the person's rows out, or fit again with all rows.",
            person=known[0],
        )
