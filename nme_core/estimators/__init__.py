"""Models in the manner of scikit-learn: NME-MLP for numbers and classes, NME-CRF for sequences."""

from nme_core.estimators.base import NeuralMixedEffects, load
from nme_core.estimators.baselines import BASELINES, baseline
from nme_core.estimators.nme_crf import NMECRF
from nme_core.estimators.nme_mlp import NMEMLPClassifier, NMEMLPRegressor

__all__ = [
    "BASELINES",
    "NMECRF",
    "NMEMLPClassifier",
    "NMEMLPRegressor",
    "NeuralMixedEffects",
    "baseline",
    "load",
]
