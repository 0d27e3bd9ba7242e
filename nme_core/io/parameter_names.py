"""How the names of parameters in run folders read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said

#: What comes out of a network whose outcome is a number, a count or an ordered class.
OUTCOME = "outcome"
#: Weights and biases of the network; a sequence model's network is called "emission".
_WEIGHT = re.compile(r"(?:emission\.)?layers\.(\d+)\.weight\[(\d+),(\d+)\]")
_BIAS = re.compile(r"(?:emission\.)?layers\.(\d+)\.bias\[(\d+)\]")
#: Transition scores, and log-odds of moves.
MOVE = re.compile(r"(?:transitions|moves)\[([^\]]*)\]")
#: Logarithms of the distances between thresholds of ordered classes.
_GAP = re.compile(r"gaps\[(\d+)\]")
_NAME = re.compile(rf"{_WEIGHT.pattern}|{_BIAS.pattern}|{_GAP.pattern}|{MOVE.pattern}")


def hidden_layers(config: Mapping[str, Any]) -> list[int]:
    """Units of each hidden layer of the network that is read off; of a mixture its leader's."""
    hidden = config["hidden"]
    if isinstance(hidden, str):
        hidden = config.get("candidate", {}).get("hidden")
    return list(hidden or ())


@dataclass(frozen=True)
class ParameterNames:
    """Words for the parameters of one model, by what goes into its network and comes out of it.

    Attributes
    ----------
    inputs : tuple of str
        Features, and indicators of their missing values; empty where they are not known.
    outputs : tuple of str
        Classes, or `OUTCOME`; empty where they are not known.
    last : int
        Number of the last layer, from 0.
    """

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    last: int = 0

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """What a run's ``config.json`` says of its network; older ones do not name its ends."""
        inputs, outputs = (config.get(f"network_{end}", ()) for end in ("inputs", "outputs"))
        return cls(tuple(inputs), tuple(outputs), len(hidden_layers(config)))

    def words(self, name: str) -> str:
        """A parameter as figures, tables and sentences name it; layers, units and inputs from 1.

        Where a state's name holds a comma it cannot be told where the first ends; the name stays,
        as does any name that is not known.

        >>> linear = ParameterNames(("sleep",), ("outcome",))
        >>> linear.words("layers.0.weight[0,0]"), linear.words("layers.0.bias[0]")
        ('sleep', 'intercept')
        >>> deep = ParameterNames(("sleep",), ("calm", "low"), last=1)
        >>> deep.words("layers.0.weight[2,0]"), deep.words("layers.1.weight[1,2]")
        ('sleep on unit 3', 'unit 3 on low')
        >>> linear.words("gaps[0]")
        'log distance of thresholds 1 and 2'
        """
        if found := _WEIGHT.fullmatch(name):
            return self._weight(*map(int, found.groups()))
        if found := _BIAS.fullmatch(name):
            layer, unit = map(int, found.groups())
            to = self._output(layer, unit)
            if to is None:
                return tr("layer {layer}, bias of unit {unit}").format(
                    layer=layer + 1, unit=unit + 1
                )
            return tr("intercept") if to == OUTCOME else tr("intercept of {to}").format(to=to)
        if found := _GAP.fullmatch(name):
            below = int(found.group(1)) + 1
            return tr("log distance of thresholds {below} and {below_2}").format(
                below=below, below_2=below + 1
            )
        if (found := MOVE.fullmatch(name)) and found[1].count(",") == 1:
            return found[1].replace(",", " → ")
        if name.startswith("curve:"):
            return name.removeprefix("curve:").replace("=", " = ")
        if name == "level":
            return tr("level")
        if name.startswith("slope:"):
            return tr("slope of {name}").format(name=name.removeprefix("slope:"))
        return name

    def in_text(self, text: str) -> str:
        """A sentence with the parameters that it names in words."""
        return _NAME.sub(lambda found: self.words(found.group()), text)

    def _weight(self, layer: int, unit: int, source: int) -> str:
        to = self._output(layer, unit)
        known = layer == 0 and source < len(self.inputs)
        given = said(self.inputs[source]) if known else None
        if to is None and given is None:
            return tr("layer {layer}, input {source} → unit {unit}").format(
                layer=layer + 1, source=source + 1, unit=unit + 1
            )
        if to == OUTCOME and given is not None:
            return given
        to = {OUTCOME: tr("the outcome"), None: tr("unit {unit}").format(unit=unit + 1)}.get(to, to)
        return tr("{given} on {to}").format(
            given=given or tr("unit {unit}").format(unit=source + 1), to=to
        )

    def _output(self, layer: int, unit: int) -> str | None:
        known = layer == self.last and unit < len(self.outputs)
        return said(self.outputs[unit]) if known else None


def parameter_words(name: str) -> str:
    """A parameter of a network of which no more than the name is known.

    >>> parameter_words("transitions[calm,low]")
    'calm → low'
    >>> parameter_words("layers.0.weight[2,0]"), parameter_words("layers.1.bias[0]")
    ('layer 1, input 1 → unit 3', 'layer 2, bias of unit 1')
    """
    return ParameterNames().words(name)
