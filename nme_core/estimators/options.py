"""Whether the options of a model exist."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from nme_core.exceptions import OptionError

#: Value of `hidden` that asks for a mixture of networks, and of others that leave the choice to the
#: rows.
AUTO = "auto"
ESTIMATORS = ("variational", "laplace", "annealed")
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


def check_linear_options(hidden: str | Sequence[int], shrink: str, quadrature: object) -> None:
    """Raise OptionError unless shrinkage and points exist, and the model has no hidden layer."""
    check_choice("shrink", shrink, SHRINK)
    if not isinstance(quadrature, (int, np.integer)) or not 1 <= quadrature <= MOST_POINTS:
        raise OptionError(
            f"quadrature={quadrature!r} is no number of points.",
            remedy=f"Give a whole number from 1 (Laplace's approximation) to {MOST_POINTS}.",
        )
    for given, name in ((shrink != "none", f'shrink="{shrink}"'), (quadrature > 1, "quadrature")):
        if given and len(hidden):
            raise OptionError(
                f"{name} is for a model without hidden layers.",
                remedy="Use hidden=(), or leave it out.",
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
