"""Whether the options of a model exist, and fit together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from nme_core.exceptions import OptionError
from nme_core.nn import ACTIVATIONS
from nme_core.training.covariance import PATTERNS

if TYPE_CHECKING:
    from nme_core.estimators.base import NeuralMixedEffects
    from nme_core.estimators.mlp_model import MLPModel

#: Value of `hidden` that asks for a mixture of networks, and of others that leave the choice to the
#: rows.
AUTO = "auto"
ESTIMATORS = ("variational", "laplace", "annealed")
LAYERS = ("first", "last", "all")
COVARIANCES = ("diagonal", "full")
SHRINK = ("none", "inputs")
#: Most points of quadrature: beyond, weights are lost in rounding.
MOST_POINTS = 100
POOLING = ("partial", "complete", "none", "free")


def check_choice(name: str, value: str, allowed: Sequence[str]) -> None:
    """Raise OptionError for a word that is none of those allowed."""
    if value not in allowed:
        raise OptionError(
            f"{name}={value!r} does not exist.", remedy=f"Choose from {', '.join(allowed)}."
        )


def check_options(model: NeuralMixedEffects) -> None:
    """Raise OptionError for options that all models have, and this one not like that."""
    check_choice("estimator", model.estimator, model.estimators)
    if model.covariance in PATTERNS:
        _check_pattern(model)
    check_choice("covariance", model.covariance, model.covariances)
    check_choice("pooling", model.pooling, POOLING)
    check_placement(model.placement, model.placements, type(model).__name__)
    if model.hidden != AUTO:
        check_hidden(model.hidden)
    if model.activation is not None:
        check_choice("activation", model.activation, tuple(ACTIVATIONS))
    check_numbers(model.random_state, model.epochs)


def _check_pattern(model: NeuralMixedEffects) -> None:
    """Raise OptionError for a structure of Σ that this model is not fitted with."""
    if model.covariance not in model.covariances:
        raise OptionError(
            f'covariance="{model.covariance}" is for an NME-MLP without hidden layers.',
            remedy=f"Choose from {', '.join(model.covariances)}.",
        )
    exact = model.estimator in ("variational", "laplace") and model.epochs is None
    exact = exact and model.pooling in ("partial", "complete")
    if not exact or len(model.hidden):
        raise OptionError(
            f'covariance="{model.covariance}" is for a model without hidden layers that is'
            " fitted by its likelihood.",
            remedy='Use hidden=() with estimator="laplace" or "variational", or leave it out.',
        )


def check_placement(placement: str | Sequence[str], known: Sequence[str], model: str) -> None:
    """Raise OptionError for a word that is neither a placement nor a parameter's name."""
    if isinstance(placement, str) and placement not in known and "." not in placement:
        raise OptionError(
            f"placement={placement!r} does not exist for {model}.",
            remedy=f"Choose from {', '.join(known)}, or give parameter names.",
        )


def check_hidden(hidden: str | Sequence[int]) -> None:
    """Raise OptionError unless every hidden layer has units."""
    if isinstance(hidden, str) or np.ndim(hidden) != 1:
        raise OptionError(
            f"hidden={hidden!r} is no sequence of layers.",
            remedy="Write (32,) for one layer of 32 units, () for none.",
        )
    if any(width < 1 for width in hidden):
        raise OptionError("A hidden layer needs at least one unit.")


def check_numbers(random_state: object, epochs: int | None) -> None:
    """Raise OptionError for a seed that is no whole number, or no epoch at all."""
    if not isinstance(random_state, (int, np.integer)):
        raise OptionError(
            f"random_state={random_state!r} is no seed.", remedy="Give a whole number."
        )
    if epochs is not None and epochs < 1:
        raise OptionError("epochs has to be at least 1.")


def check_outcome_options(model: MLPModel) -> None:
    """Raise OptionError unless shrinkage, quadrature and family exist, and are for this model."""
    check_choice("shrink", model.shrink, SHRINK)
    quadrature = model.quadrature
    if not isinstance(quadrature, (int, np.integer)) or not 1 <= quadrature <= MOST_POINTS:
        raise OptionError(
            f"quadrature={quadrature!r} is no number of points.",
            remedy=f"Give a whole number from 1 (Laplace's approximation) to {MOST_POINTS}.",
        )
    shrinks = model.shrink != "none"
    for given, name in ((shrinks, f'shrink="{model.shrink}"'), (quadrature > 1, "quadrature")):
        if given and len(model.hidden):
            raise OptionError(
                f"{name} is for a model without hidden layers.",
                remedy="Use hidden=(), or leave it out.",
            )
    if model.family is not None and model.family not in model.families:
        raise OptionError(
            f"family={model.family!r} does not exist for {type(model).__name__}.",
            remedy=f"Choose from {', '.join(model.families)}.",
        )
    able = model._outcomes.estimators
    if able and model.estimator not in able:
        raise OptionError(
            f'estimator="{model.estimator}" does not estimate {model._outcomes.learns}.',
            remedy=f'Use estimator="{able[0]}", or another family.',
        )


def find_device(name: str) -> torch.device:
    """Return the device of this name, or of "auto"; OptionError where there is none."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise OptionError(
            f"device={name!r} does not exist.", remedy="Choose cpu, cuda or auto."
        ) from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise OptionError("No CUDA device was found.", remedy="Choose cpu or auto.")
    return device
