"""Multilayer perceptron, and its form for ordered classes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class MLP(nn.Module):
    """Fully connected network with ReLU between the layers; without hidden layers it is linear.

    Parameters
    ----------
    n_features : int
        Number of inputs F.
    hidden : sequence of int
        Width of each hidden layer; empty for a linear model.
    n_outputs : int
        Number of outputs O.
    """

    def __init__(self, n_features: int, hidden: Sequence[int], n_outputs: int) -> None:
        super().__init__()
        sizes = [n_features, *hidden, n_outputs]
        self.layers = nn.ModuleList(nn.Linear(n_in, n_out) for n_in, n_out in pairwise(sizes))

    def forward(self, x: Tensor) -> Tensor:
        """Map x, shape (..., n_features), to outputs, shape (..., n_outputs)."""
        *hidden, last = self.layers
        for layer in hidden:
            x = functional.relu(layer(x))
        output: Tensor = last(x)
        return output

    def layer_parameters(self, which: str) -> list[str]:
        """Names of the parameters of the ``first``, the ``last`` or ``all`` layers."""
        chosen = {"first": [0], "last": [len(self.layers) - 1], "all": range(len(self.layers))}
        return [f"layers.{k}.{part}" for k in chosen[which] for part in ("weight", "bias")]


class OrdinalMLP(MLP):
    """MLP of one score, and the thresholds that cut it into ordered classes.

    The first threshold is 0 (the bias of the last layer does its work); each further one lies
    ``exp(gaps)`` above the one before.

    Parameters
    ----------
    n_features, hidden
        As in `MLP`.
    n_classes : int
        Number of classes K.
    """

    def __init__(self, n_features: int, hidden: Sequence[int], n_classes: int) -> None:
        super().__init__(n_features, hidden, 1)
        self.gaps = nn.Parameter(torch.zeros(n_classes - 2))

    def forward(self, x: Tensor) -> Tensor:
        """Map x, shape (..., n_features), to cumulative logits, shape (..., n_classes − 1)."""
        thresholds = functional.pad(torch.cumsum(torch.exp(self.gaps), dim=0), (1, 0))
        return thresholds - super().forward(x)
