"""Models in the manner of scikit-learn: NME-MLP for numbers and classes, NME-CRF for sequences."""

from nme_core.estimators.base import NeuralMixedEffects
from nme_core.estimators.baselines import (
    BASELINES,
    GAUSSIAN,
    baseline,
    check_baselines,
    linear_twin,
)
from nme_core.estimators.linear_mixed_model import LinearMixedModel
from nme_core.estimators.nme_crf import NMECRF
from nme_core.estimators.nme_mlp import NMEMLPRegressor
from nme_core.estimators.nme_mlp_classifier import NMEMLPClassifier
from nme_core.estimators.saving import load

__all__ = [
    "BASELINES",
    "GAUSSIAN",
    "NMECRF",
    "LinearMixedModel",
    "NMEMLPClassifier",
    "NMEMLPRegressor",
    "NeuralMixedEffects",
    "baseline",
    "check_baselines",
    "linear_twin",
    "load",
]
