import pytest
import torch
from torch.nn import functional

from nme_core.nn import MLP


@pytest.mark.parametrize(("name", "bend"), [("relu", functional.relu), ("tanh", torch.tanh)])
def test_network_is_linear_layers_with_an_activation_between(name, bend):
    network = MLP(3, (5, 4), 2, name)
    x = torch.randn(6, 3)
    first, second, last = network.layers
    by_hand = last(bend(second(bend(first(x)))))
    torch.testing.assert_close(network(x), by_hand)


def test_no_hidden_layer_is_a_linear_model():
    network = MLP(3, (), 1)
    x, z = torch.randn(6, 3), torch.randn(6, 3)
    bias = network(torch.zeros(3))
    torch.testing.assert_close(network(x + z), network(x) + network(z) - bias)
