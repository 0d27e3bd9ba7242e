"""Multilayer perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

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
