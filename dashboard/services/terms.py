"""What models and effects are called, in the words that reports use as well."""

from __future__ import annotations

from nme_core.io.parameter_names import MOVE
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.terms import BASELINES, CORRELATIONS, MODELS, short_model_name
from nme_core.vocabulary.text import listed

__all__ = ["BASELINES", "CORRELATIONS", "MODEL_WORDS", "MOVE", "model_name", "placement_words"]

#: Model: what it is, in plain words.
MODEL_WORDS = {name: term.what for name, term in MODELS.items()}

_PLACES = {
    "first": "first layer",
    "last": "last layer",
    "all": "all layers",
    "transitions": "transitions",
    "layers.0.bias": "level alone",
}


def placement_words(placement: str) -> str:
    """Where persons differ, in few words: "last layer and transitions"."""
    words = tr(_PLACES)
    return listed([words.get(part, part) for part in placement.split("+")])


def model_name(model: str) -> str:
    """A model as tables and legends name it."""
    return short_model_name(model)
