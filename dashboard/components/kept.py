"""What a run that did not come to its end leaves behind, in words."""

from __future__ import annotations

from dashboard.services.runs import kept_models
from dashboard.services.terms import model_name
from dashboard.words.pages import KEPT, NOTHING_KEPT
from nme_core.vocabulary.language import tr


def kept_words(identity: str) -> str:
    """Name the models whose metrics are kept, or say that there are none."""
    names = [model_name(model) for model in kept_models(identity)]
    return tr(KEPT).format(models=" and ".join(names)) if names else tr(NOTHING_KEPT)
