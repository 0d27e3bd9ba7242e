"""Multilayer perceptron, and its form for ordered classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

#: What stands between the layers, by name.
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": functional.relu, "tanh": torch.tanh}
#: SD of the biases of hidden layers at the start, so that the units bend at different places.
START_BIAS = 0.3
#: SD of the output of a hidden network at the start, for units of SD 1.
START_OUTPUT = 0.6


class MLP(nn.Module):
    """Fully connected network; without hidden layers it is linear.

    Parameters
    ----------
    n_features : int
        Number of inputs F.
    hidden : sequence of int
        Width of each hidden layer; empty for a linear model.
    n_outputs : int
        Number of outputs O.
    activation : {"relu", "tanh"}
        What stands between the layers.
    """

    def __init__(
        self, n_features: int, hidden: Sequence[int], n_outputs: int, activation: str = "relu"
    ) -> None:
        super().__init__()
        sizes = [n_features, *hidden, n_outputs]
        self.layers = nn.ModuleList(nn.Linear(n_in, n_out) for n_in, n_out in pairwise(sizes))
        self.activation = ACTIVATIONS[activation]
        if hidden:
            self._start()

    @torch.no_grad()
    def _start(self) -> None:
        """Draw weights that keep the size of what goes through."""
        *hidden, last = (layer for layer in self.layers if isinstance(layer, nn.Linear))
        for layer in hidden:
            layer.weight.normal_(0, 1 / math.sqrt(layer.in_features))
            layer.bias.normal_(0, START_BIAS)
        last.weight.normal_(0, START_OUTPUT / math.sqrt(last.in_features))
        last.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Map x, shape (..., n_features), to outputs, shape (..., n_outputs)."""
        *hidden, last = self.layers
        for layer in hidden:
            x = self.activation(layer(x))
        output: Tensor = last(x)
        return output


class OrdinalMLP(MLP):
    """MLP of one score, and the thresholds that cut it into ordered classes.

    The first threshold is 0 (the bias of the last layer does its work); each further one lies
    ``exp(gaps)`` above the one before.

    Parameters
    ----------
    n_features, hidden, activation
        As in `MLP`.
    n_classes : int
        Number of classes K.
    """

    def __init__(
        self, n_features: int, hidden: Sequence[int], n_classes: int, activation: str = "relu"
    ) -> None:
        super().__init__(n_features, hidden, 1, activation)
        self.gaps = nn.Parameter(torch.zeros(n_classes - 2))

    def forward(self, x: Tensor) -> Tensor:
        """Map x, shape (..., n_features), to cumulative logits, shape (..., n_classes − 1)."""
        thresholds = functional.pad(torch.cumsum(torch.exp(self.gaps), dim=0), (1, 0))
        return thresholds - super().forward(x)
