"""``hidden="auto"``: which options it takes, and which rows its candidates are weighed by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin

from nme_core.estimators.inputs import check_lengths, needed
from nme_core.estimators.mixture import Mixture, Report, fit_mixture, refit_mixture
from nme_core.estimators.options import check_placement
from nme_core.estimators.stacking import hold_back
from nme_core.exceptions import OptionError
from nme_core.training import Progress

if TYPE_CHECKING:
    from nme_core.estimators.mlp_model import MLPModel

#: X, y and groups, as `fit` takes them.
_Rows = tuple[Any, Any, Any]
#: Part of the way that is behind once the candidates are weighed.
_WEIGHED = 0.6


def check_auto(model: MLPModel) -> None:
    """Raise OptionError for options that a mixture cannot have."""
    if model.pooling not in ("partial", "complete") or model.estimator == "em":
        raise OptionError(
            'hidden="auto" is for pooling="partial" or "complete", and not for em.',
            remedy="Name the layers, such as hidden=(32,).",
        )
    if model.activation is not None or not isinstance(model.placement, str):
        raise OptionError(
            'hidden="auto" has candidates of both activations and of whole layers.',
            remedy="Name the layers as well, such as hidden=(32,).",
        )
    if model.placement not in model.placements:
        check_placement(model.placement, model.placements, type(model).__name__)
        raise OptionError(
            'hidden="auto" takes whole layers as placement.',
            remedy=f"Choose from {', '.join(model.placements)}, or name the layers.",
        )


def fit_auto(
    model: MLPModel,
    rows: _Rows,
    validation: tuple[Any, ...] | None,
    progress: Report | None,
    *,
    uncertainty: bool,
    times: Any = None,
) -> Mixture:
    """Fit the candidates and weigh them by the validation rows.

    Without such rows they are weighed by the last rows of each person, and then fitted again to all
    rows. Parameters, warnings and errors as in `fit_mixture`.
    """
    if validation is not None:
        held = validation[:3]
        return fit_mixture(
            model, rows, held, progress=progress, uncertainty=uncertainty, times=times
        )
    first, later, earlier = _held_back(model, *rows, times)
    mixture = fit_mixture(
        model, first, later, progress=_share(progress, 0, _WEIGHED), uncertainty=False,
        times=earlier,
    )  # fmt: skip
    return refit_mixture(
        mixture, rows, progress=_share(progress, _WEIGHED, 1), uncertainty=uncertainty, times=times
    )


def _held_back(
    model: MLPModel, X: Any, y: Any, groups: Any, times: Any
) -> tuple[_Rows, _Rows | None, Any]:
    """Rows to fit the candidates to, the last of each person to weigh them by, and the times of
    the first.
    """
    needed(X=X, y=y, groups=groups)
    table = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X))
    outcome = y if isinstance(y, pd.Series) else pd.Series(y)
    factors = groups
    if not isinstance(factors, pd.DataFrame | pd.Series):
        factors = pd.DataFrame(np.asarray(groups))
    check_lengths(len(table), y=outcome, groups=factors)
    wide = factors.to_frame() if isinstance(factors, pd.Series) else factors
    held = hold_back(outcome, wide, classes=isinstance(model, ClassifierMixin))
    if not held.any():
        return (X, y, groups), None, times
    return (
        (table[~held], outcome[~held], factors[~held]),
        (table[held], outcome[held], factors[held]),
        None if times is None else np.asarray(times)[~held],
    )


def _share(progress: Report | None, low: float, high: float) -> Callable[[Progress], None] | None:
    """Return what reports a fit as the part of the way from `low` to `high`."""
    if progress is None:
        return None

    def report(now: Progress) -> None:
        progress(replace(now, fraction=low + (high - low) * now.fraction))

    return report
