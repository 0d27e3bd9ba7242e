"""New persons for a fitted model, and a model of its persons alone."""

from __future__ import annotations

import copy
import warnings
from dataclasses import replace
from typing import Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike

from nme_core.estimators.inputs import Labels, check_lengths, read_groups
from nme_core.estimators.joint import add_persons
from nme_core.estimators.readouts import ReadOuts
from nme_core.exceptions import ConvergenceWarning, DataError, OptionError
from nme_core.training import adapt


class Adaptable(ReadOuts):
    """Makes new models of a fitted one without fitting it again."""

    def _adapt(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        groups: ArrayLike | pd.DataFrame,
        **context: ArrayLike | None,
    ) -> Self:
        """Return a model that also knows the persons of these rows; see `NMEMLPRegressor.adapt`."""
        self._check_fitted()
        table = self._select(X)
        check_lengths(len(table[0]), y=y, groups=groups, **context)
        persons = read_groups(groups)
        self._check_adaptable(persons)
        adapted = copy.copy(self)
        (factor,) = self.factors_
        adapted._set_factors({factor: [*self.groups_.tolist(), *persons[0].levels]})
        rows = adapted._rows(table, persons, **context)
        rows = replace(rows, groups=rows.groups - len(self.groups_))  # the new ones alone
        batches = rows.batches(self._outcome.encode(y), torch.device("cpu"))
        found = adapt(
            self._posterior.mixed.for_groups(len(persons[0].levels)),
            self._family(),
            batches,
            sigma=self._posterior.sigma[0],
            residual_variance=self._posterior.residual_variance,
        )
        if not bool(found.arrived.all()):
            names = [persons[0].levels[k] for k in torch.nonzero(~found.arrived)[:, 0].tolist()]
            warnings.warn(
                f"The parameters of {', '.join(map(repr, names[:5]))} were not found to full"
                " precision; look at their rows before you use them.",
                ConvergenceWarning,
                stacklevel=3,
            )
        adapted._posterior = self._posterior.with_groups(found)
        n_new = np.bincount(rows.groups[:, 0], minlength=len(persons[0].levels))
        adapted._counts = np.concatenate([self._counts, n_new])
        mixed = self._posterior.mixed.for_groups(len(n_new))
        mixed.deviations.data = found.deviations.to(mixed.deviations.dtype)
        joint = add_persons(self._posterior, self._family_at, mixed.requires_grad_(False), batches)
        if joint is not None:
            adapted._posterior = replace(adapted._posterior, uncertainty=joint.uncertainty)
        adapted._after_adapt(self, batches, None if joint is None else joint.information)
        return adapted

    def of_persons(self) -> Self:
        """Return a model that knows the persons only: all further groups at their population value.

        Of a model with one grouping factor it is the model itself.
        """
        self._check_fitted()
        if len(self.factors_) == 1:
            return self
        alone = copy.copy(self)
        name, persons = next(iter(self.factors_.items()))
        alone._set_factors({name: persons.tolist()})
        alone._posterior = self._posterior.of_first_factor()
        alone._counts = self._counts[: len(persons)]
        return alone

    def _check_adaptable(self, persons: list[Labels]) -> None:
        if len(self.factors_) > 1 or len(persons) > 1:
            raise OptionError(
                "New people can only be added to a model with one grouping factor.",
                remedy="Fit a model with the people as its only groups.",
            )
        if self.pooling != "partial" or not self._posterior.mixed.n_random:
            raise OptionError(
                "This model has no random effects that a new person could have.",
                remedy='Adapt a model with pooling="partial".',
            )
        known = [level for level in persons[0].levels if level in self._index[0]]
        if known:
            raise DataError(
                f"The model already knows person {known[0]!r}.",
                remedy="Leave the person's rows out, or fit again with all rows.",
                person=known[0],
            )
