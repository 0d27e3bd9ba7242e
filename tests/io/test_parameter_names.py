"""Names of parameters in words."""

import pytest

from nme_core.io import parameter_words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("transitions[calm,low]", "calm → low"),
        ("transitions[a,b,c]", "transitions[a,b,c]"),
        ("layers.0.weight[2,0]", "layer 1, input 1 → unit 3"),
        ("emission.layers.1.bias[0]", "layer 2, bias of unit 1"),
        ("other.weight[0,1]", "other.weight[0,1]"),
    ],
)
def test_parameters_are_named_in_words(name, words):
    assert parameter_words(name) == words
