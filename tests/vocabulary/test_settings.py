"""One schema of a fit: what it asks of the shell is what the shell makes of it."""

import inspect
from dataclasses import fields, replace
from typing import Any, get_args

import pytest
import typer

from nme_core.cli.fit import fit
from nme_core.cli.options import takes
from nme_core.exceptions import OptionError
from nme_core.vocabulary.settings import SETTINGS, FitSettings, layers

#: A value of each setting that is not its default.
OTHERS: dict[str, Any] = {
    "placement": "first",
    "family": "poisson",
    "covariance": "full",
    "estimator": "laplace",
    "hidden": (16, 8),
    "activation": "tanh",
    "residual": "ar1",
    "reml": True,
    "shrink": "inputs",
    "quadrature": 7,
    "baselines": (),
    "epochs": 5,
    "seed": 3,
    "device": "auto",
    "refit": "none",
    "tune": 4,
}


def from_shell(words: list[str]) -> FitSettings:
    """What a command that takes the settings gets from these words."""
    got: list[FitSettings] = []
    app = typer.Typer()

    @app.command()
    @takes(FitSettings)
    def command(settings: FitSettings) -> None:
        got.append(settings)

    app(words, standalone_mode=False)
    return got[0]


def test_every_setting_is_tried_here():
    assert [*SETTINGS] == [one.name for one in fields(FitSettings)]
    assert {*OTHERS} == {*SETTINGS} - {"model"}


@pytest.mark.parametrize("name", OTHERS)
def test_words_ask_the_shell_for_the_same(name):
    asked = replace(FitSettings("nme-mlp"), **{name: OTHERS[name]})
    words = asked.words()
    assert words[:2] == ["--model", "nme-mlp"]
    assert f"--{name}" in words
    assert from_shell(words) == asked


def test_defaults_need_no_words():
    assert FitSettings("nme-crf").words() == ["--model", "nme-crf"]
    assert from_shell(["--model", "nme-crf"]) == FitSettings("nme-crf")
    assert from_shell(["--model", "nme-mlp", "--hidden", "none"]).hidden == ()
    assert replace(FitSettings("nme-mlp"), hidden=()).words()[2:] == ["--hidden", "none"]


def test_nme_fit_takes_every_setting_with_its_help():
    options = inspect.signature(fit).parameters
    for name, setting in SETTINGS.items():
        (option,) = get_args(options[name].annotation)[1:]
        assert (option.help, option.min, option.max) == (setting.help, setting.low, setting.high)


@pytest.mark.parametrize("text", ["many", "16,many", "1.5"])
def test_layers_that_are_none_are_refused(text):
    with pytest.raises(OptionError, match="list of numbers"):
        layers(text)


def test_what_a_model_and_an_outcome_take():
    assert SETTINGS["reml"].takes("nme-mlp", "number")
    assert not SETTINGS["reml"].takes("nme-mlp", "class")
    assert not SETTINGS["reml"].takes("nme-crf", "number")
    covariance = SETTINGS["covariance"]
    assert covariance.takes("nme-crf", "class")
    assert [*covariance.choices_of("nme-crf")] == ["auto", "diagonal", "full", "factor", "factor2"]
    assert covariance.choices_of("nme-mlp") == covariance.choices


def test_what_only_a_model_without_hidden_layers_takes():
    for name, value in {"reml": True, "shrink": "inputs", "quadrature": 7}.items():
        asked = replace(FitSettings("nme-mlp"), **{name: value})
        assert asked.only_linear() == [name]
        assert replace(asked, hidden=(8,)).only_linear() == [name]
        assert replace(asked, hidden=()).only_linear() == []
    assert replace(FitSettings("nme-mlp"), covariance="factor").only_linear() == ["covariance"]
    assert replace(FitSettings("nme-mlp", residual="ar1"), covariance="full").only_linear() == []
    assert FitSettings("nme-crf").only_linear() == []
