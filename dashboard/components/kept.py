"""What a run that did not come to its end leaves behind, in words."""

from __future__ import annotations

from dashboard.glossary import KEPT, MODEL_NAMES, NOTHING_KEPT
from dashboard.services.runs import kept_models


def kept_words(identity: str) -> str:
    """Name the models whose metrics are kept, or say that there are none."""
    names = [MODEL_NAMES.get(model, model) for model in kept_models(identity)]
    return KEPT.format(models=" and ".join(names)) if names else NOTHING_KEPT
