"""Names of parameters in words."""

import pytest

from nme_core.io import ParameterNames, parameter_words


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


FEATURES = ("sleep", "stress (missing)")


@pytest.mark.parametrize(
    ("names", "name", "words"),
    [
        (ParameterNames(FEATURES, ("outcome",)), "layers.0.weight[0,1]", "stress (missing)"),
        (ParameterNames(FEATURES, ("outcome",)), "layers.0.bias[0]", "intercept"),
        (ParameterNames(FEATURES, ("calm", "low")), "layers.0.bias[1]", "intercept of low"),
        (
            ParameterNames(FEATURES, ("calm", "low")),
            "emission.layers.0.weight[1,0]",
            "sleep on low",
        ),
        (ParameterNames(FEATURES, ("1", "2"), last=1), "layers.0.weight[0,0]", "sleep on unit 1"),
        (
            ParameterNames(FEATURES, ("1", "2"), last=1),
            "layers.0.bias[0]",
            "layer 1, bias of unit 1",
        ),
        (ParameterNames(FEATURES, ("1", "2"), last=1), "layers.1.weight[0,6]", "unit 7 on 1"),
        (
            ParameterNames(FEATURES, ("outcome",), last=2),
            "layers.2.weight[0,0]",
            "unit 1 on the outcome",
        ),
        (
            ParameterNames(FEATURES, ("outcome",), last=2),
            "layers.1.weight[3,0]",
            "layer 2, input 1 → unit 4",
        ),
        (ParameterNames(FEATURES, ("calm",)), "transitions[calm,low]", "calm → low"),
        (ParameterNames(FEATURES), "layers.0.weight[0,9]", "layer 1, input 10 → unit 1"),
    ],
)
def test_what_goes_in_and_comes_out_has_its_own_name(names, name, words):
    assert names.words(name) == words


def test_a_sentence_names_its_parameters_in_words():
    raw = "The variance of emission.layers.0.weight[0,1], transitions[a,b] and 3 more."
    said = "The variance of layer 1, input 2 → unit 1, a → b and 3 more."
    assert ParameterNames().in_text(raw) == said
    named = ParameterNames.of(
        {"hidden": [], "network_inputs": ["sleep", "stress"], "network_outputs": ["a", "b"]}
    )
    assert named.in_text(raw) == "The variance of stress on a, a → b and 3 more."


def test_older_runs_do_not_name_the_ends_of_their_network():
    assert ParameterNames.of({"hidden": [8]}) == ParameterNames(last=1)
