"""Names of parameters in words."""

import pytest

from nme_core.io import in_words, parameter_words


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


def test_a_sentence_names_its_parameters_in_words():
    raw = "The variance of emission.layers.0.weight[0,1], transitions[a,b] and 3 more."
    assert in_words(raw) == "The variance of layer 1, input 2 → unit 1, a → b and 3 more."
