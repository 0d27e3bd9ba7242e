"""Where the person-specific parameters stand: from a placement to parameter names."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn


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
