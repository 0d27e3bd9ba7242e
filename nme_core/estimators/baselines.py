"""Baselines: the same network, with everything or nothing shared."""

from __future__ import annotations

from sklearn.base import clone

from nme_core.estimators.base import NeuralMixedEffects

#: Name of each baseline and the pooling that makes it.
BASELINES = {"generic": "complete", "specific": "none"}


def baseline(model: NeuralMixedEffects, name: str) -> NeuralMixedEffects:
    """Return an unfitted baseline of the same shape as `model`.

    Parameters
    ----------
    model : NeuralMixedEffects
        Gives the network, the estimator and the seed.
    name : {"generic", "specific"}
        One network for all persons, or one for each.
    """
    copy: NeuralMixedEffects = clone(model)
    copy.set_params(pooling=BASELINES[name])
    return copy
