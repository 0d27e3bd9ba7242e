"""How the names of parameters in run folders read."""

from __future__ import annotations

import re

#: Weights and biases of the network; a sequence model's network is called "emission".
_WEIGHT = re.compile(r"(?:emission\.)?layers\.(\d+)\.weight\[(\d+),(\d+)\]")
_BIAS = re.compile(r"(?:emission\.)?layers\.(\d+)\.bias\[(\d+)\]")
_NAME = re.compile(rf"{_WEIGHT.pattern}|{_BIAS.pattern}|transitions\[[^\]]*\]")


def in_words(text: str) -> str:
    """A sentence with the parameters that it names in words."""
    return _NAME.sub(lambda found: parameter_words(found.group()), text)


def parameter_words(name: str) -> str:
    """A parameter as figures, tables and sentences name it; layers, units and inputs from 1.

    Where a state's name holds a comma it cannot be told where the first ends; the name stays, as
    does any name that is not known.

    >>> parameter_words("transitions[calm,low]")
    'calm → low'
    >>> parameter_words("layers.0.weight[2,0]"), parameter_words("layers.1.bias[0]")
    ('layer 1, input 1 → unit 3', 'layer 2, bias of unit 1')
    """
    if found := _WEIGHT.fullmatch(name):
        layer, unit, source = (int(part) + 1 for part in found.groups())
        return f"layer {layer}, input {source} → unit {unit}"
    if found := _BIAS.fullmatch(name):
        layer, unit = (int(part) + 1 for part in found.groups())
        return f"layer {layer}, bias of unit {unit}"
    inner = name.removeprefix("transitions[").removesuffix("]")
    if name != f"transitions[{inner}]" or inner.count(",") != 1:
        return name
    return inner.replace(",", " → ")
