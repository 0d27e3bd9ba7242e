"""Neural Mixed Effects: person-specific parameters in neural networks, held together by a prior.

The public names are loaded when they are first used, so that reading a study or a run folder does
not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nme_core import _moved

if TYPE_CHECKING:
    from nme_core.estimators import NMECRF, NMEMLPClassifier, NMEMLPRegressor
    from nme_core.independence import hsic_test
    from nme_core.nn import MixedEffects
    from nme_core.study import Study

__version__ = "0.2.0"

_HOMES = {
    "Study": "nme_core.study",
    "NMECRF": "nme_core.estimators",
    "NMEMLPClassifier": "nme_core.estimators",
    "NMEMLPRegressor": "nme_core.estimators",
    "hsic_test": "nme_core.independence",
    "MixedEffects": "nme_core.nn",
}

__all__ = [
    "NMECRF",
    "MixedEffects",
    "NMEMLPClassifier",
    "NMEMLPRegressor",
    "Study",
    "hsic_test",
]

_moved.follow()


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
