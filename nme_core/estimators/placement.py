"""Where the person-specific parameters stand: from a placement to parameter names."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nme_core.nn import MixedEffects


def person_specific(
    network: nn.Module, placement: str | Sequence[str], *, layers: str
) -> list[str]:
    """Names of the person-specific parameters of a network.

    Parameters
    ----------
    network : torch.nn.Module
        Its layers are called ``<layers>layers.0``, ``<layers>layers.1`` …
    placement : str or sequence of str
        ``first``, ``last`` or ``all`` layers, the name of a parameter, or several of these joined
        by ``+``; or a sequence of parameter names.
    layers : str
        What the names of the layers start with.
    """
    if not isinstance(placement, str):
        return list(placement)
    names = [name for name, _ in network.named_parameters()]
    owner = {name: name.rsplit(".", 1)[0] for name in names}
    # in the order of the network, each once
    stack = list(dict.fromkeys(owner[n] for n in names if n.startswith(f"{layers}layers.")))
    chosen = {"first": stack[:1], "last": stack[-1:], "all": stack}
    random: list[str] = []
    for part in placement.split("+"):
        if part in chosen:
            random += [name for name in names if owner[name] in chosen[part]]
        else:
            random.append(part)
    return random


def shared_variances(mixed: MixedEffects, layers: str) -> Tensor:
    """Which deviations share a variance in a network with hidden layers, shape (n_random,).

    In the first layer those of one input, in every further one those of all weights, in each
    layer those of all biases: a unit has no meaning that would set it apart. Any other parameter,
    such as transitions, has a variance for each of its numbers.
    """
    keys: dict[tuple[object, ...], int] = {}
    pools = []
    for name, index in mixed.parameter_indices():
        key: tuple[object, ...] = (name, index)
        if name.startswith(f"{layers}layers."):
            first = name == f"{layers}layers.0.weight"
            key = (name, index[1]) if first else (name,)
        pools.append(keys.setdefault(key, len(keys)))
    return torch.tensor(pools, dtype=torch.int64)


def class_pools(mixed: MixedEffects, layer: str) -> Tensor:
    """Which random effects share a variance, so that all classes are treated alike; shape (R,).

    Those of the contrasts of one input (or of the constant) of the layer of this name, which gives
    the scores of classes or states; all others have variances of their own.
    """
    keys = [
        (name, index[1:] if name.startswith(f"{layer}.") else index)
        for name, index in mixed.parameter_indices()
    ]
    places = {key: k for k, key in enumerate(dict.fromkeys(keys))}
    return torch.tensor([places[key] for key in keys], dtype=torch.int64)
