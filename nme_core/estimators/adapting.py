"""New persons for a fitted model, and a model of its persons alone: without another fit."""

from __future__ import annotations

import copy
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike

from nme_core.estimators.inputs import Labels, check_lengths, read_groups
from nme_core.estimators.joint import add_persons
from nme_core.exceptions import ConvergenceWarning, DataError, OptionError
from nme_core.training import adapt

if TYPE_CHECKING:
    from nme_core.estimators.base import NeuralMixedEffects

_Model = TypeVar("_Model", bound="NeuralMixedEffects")


def with_persons(
    model: _Model,
    X: ArrayLike | pd.DataFrame,
    y: ArrayLike,
    groups: ArrayLike | pd.DataFrame,
    **context: ArrayLike | None,
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
    adapted._posterior = posterior.with_groups(found)
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
    alone._posterior = model._posterior.of_first_factor()
    alone._counts = model._counts[: len(persons)]
    return alone


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
