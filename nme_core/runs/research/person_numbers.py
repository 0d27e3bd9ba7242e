"""What a covariate is tested against: numbers of people, as `nme hsic` takes them by default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from nme_core.analysis.covariates import wide_effects
from nme_core.analysis.levels_and_slopes import LEVEL, SLOPE, person_effects
from nme_core.estimators import NMECRF, NeuralMixedEffects
from nme_core.estimators.person_posterior import MOVES, move_name, person_posterior, unshrink
from nme_core.exceptions import OptionError

#: All moves from a state to itself.
STAY = "stay"


@dataclass(frozen=True)
class Target:
    """What of people is moved, or claimed.

    Attributes
    ----------
    name : str
        ``level``, ``slope:<feature>``, ``stay`` or ``<state>><state>``.
    parameters : tuple of str
        Columns of `person_numbers`.
    matrix : array, shape (d, R)
        The read-outs as functions of η, standardised.
    feature : int, optional
        Number of the feature whose slope it is.
    """

    name: str
    parameters: tuple[str, ...]
    matrix: NDArray[np.float64]
    feature: int | None = None


def person_numbers(model: Any, X: pd.DataFrame) -> pd.DataFrame:
    """Differences from the population divided by the root of their reliability, by person.

    Moves of a model of sequences, level and slopes of others; see `PersonPosterior.unshrunken`.
    """
    if isinstance(model, NMECRF):
        return person_posterior(model, MOVES).unshrunken()
    table = person_effects(model, X)
    whole = unshrink(*(wide_effects(table, name) for name in ("estimate", "reliability")))
    return whole.loc[:, whole.notna().all()].rename_axis(index=None)


def targets(model: NeuralMixedEffects) -> dict[str, Target]:
    """What people of a model may differ in, by name, what is asked for by default first.

    Raises
    ------
    OptionError
        Where all people share it, or it has no one direction.
    """
    return _of_states(model) if isinstance(model, NMECRF) else _of_rows(model)


def target_of(model: NeuralMixedEffects, name: str | None) -> Target:
    """Find what is named, by default the first of what people may differ in.

    Raises
    ------
    OptionError
        Where there is no such thing, or all people share it.
    """
    known = targets(model)
    if name is None:
        return next(iter(known.values()))
    chosen = known.get(name.replace(" ", "") if isinstance(model, NMECRF) else name)
    chosen = chosen or known.get(name)
    if chosen is None:
        shown = ", ".join(map(repr, [*known][:12])) + (", …" if len(known) > 12 else "")
        raise OptionError(f"People do not differ in {name!r} in this run.",
                          remedy=f"Choose from {shown}.")  # fmt: skip
    return chosen


def _of_states(model: NMECRF) -> dict[str, Target]:
    mixed, states = model._posterior.mixed, [str(one) for one in model.classes_]
    if "transitions" not in mixed.random:
        raise OptionError(
            "All people of this run share its moves.",
            remedy="Fit it with --placement transitions, or last+transitions.",
        )
    every = enumerate(mixed.parameter_indices())
    places = {index: k for k, (name, index) in every if name == "transitions"}
    rows = np.eye(mixed.n_random)
    found = {}
    several = {STAY: [(j, j) for j in range(len(states))]}
    several |= {f"{states[j]}>{states[k]}": [(j, k)] for j, k in places}
    for name, cells in several.items():
        names = tuple(move_name(states[j], states[k]) for j, k in cells)
        found[name] = Target(name, names, rows[[places[cell] for cell in cells]])
    return found


def _of_rows(model: NeuralMixedEffects) -> dict[str, Target]:
    if len(getattr(model, "classes_", ())) > 2 and not model._outcome.is_ordered:
        raise OptionError(
            "A shift of three classes and more has no one direction.",
            remedy="Join classes to two, or take nme-crf for states in sequences.",
        )
    mixed, scaler = model._posterior.mixed, model._encoder.scaler
    n_inputs, n_features = len(scaler.input_names), len(scaler.names)
    x = torch.zeros(1 + n_features, 1, n_inputs, dtype=mixed.deviations.dtype)
    x[torch.arange(1, 1 + n_features), 0, torch.arange(n_features)] = 1.0
    zero = mixed.deviations.new_zeros(len(x), mixed.n_random)
    slopes = mixed.jacobian(x, zero)[:, 0].mean(dim=1).double().numpy()
    if model._outcome.is_ordered:
        slopes = -slopes
    slopes[1:] -= slopes[0]
    names = [LEVEL, *(f"{SLOPE}{feature}" for feature in scaler.names)]
    return {
        name: Target(name, (name,), row[None], k - 1 if k else None)
        for k, (name, row) in enumerate(zip(names, slopes, strict=True))
        if np.abs(row).max(initial=0.0) > 0
    }
