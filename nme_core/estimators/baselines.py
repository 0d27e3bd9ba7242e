"""Baselines: the same network with everything, nothing, or too much shared; linear mixed models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sklearn.base import clone

from nme_core.estimators.base import NeuralMixedEffects
from nme_core.estimators.linear_mixed_model import LinearMixedModel
from nme_core.estimators.mixture import UNITS
from nme_core.estimators.nme_mlp import NMEMLPRegressor
from nme_core.estimators.options import AUTO
from nme_core.exceptions import OptionError
from nme_core.training.covariance import PATTERNS

#: What each baseline changes in the model; ``lme`` is a model of its own.
BASELINES: dict[str, dict[str, Any]] = {
    "generic": {"pooling": "complete"},
    "specific": {"pooling": "none"},
    "lme": {},
    "mlp-lme": {"placement": "last", "estimator": "em"},
    "unregularised": {"pooling": "free"},
}
#: Baselines with Gaussian residuals.
GAUSSIAN = ("lme", "mlp-lme")


def check_baselines(model: NeuralMixedEffects, names: Iterable[str]) -> None:
    """Raise OptionError for a baseline that does not exist, or not for such a model."""
    for name in names:
        if name not in BASELINES:
            raise OptionError(
                f"No baseline is called {name!r}.",
                remedy=f"Choose from {', '.join(BASELINES)}, or none.",
            )
        numbers = isinstance(model, NMEMLPRegressor) and not model.is_count
        if name in GAUSSIAN and not numbers:
            others = ", ".join(known for known in BASELINES if known not in GAUSSIAN)
            raise OptionError(
                f"The baseline {name!r} is for an NME-MLP whose outcome is a number with Gaussian"
                " residuals; not for sequences, classes or counts.",
                remedy=f"Choose from {others}.",
            )


def baseline(model: NeuralMixedEffects, name: str) -> NeuralMixedEffects | LinearMixedModel:
    """Return an unfitted baseline of the same shape as `model`.

    Parameters
    ----------
    model : NeuralMixedEffects
        Gives the network, the estimator and the seed.
    name : {"generic", "specific", "lme", "mlp-lme", "unregularised"}
        One network for all persons; one for each; the linear mixed model of statsmodels; a linear
        mixed model on the output of the network's last hidden layer, by EM; or the model itself
        without a penalty on the persons' deviations (λ = 0). Of a mixture (``hidden="auto"``)
        ``generic`` is one too, of the same candidates; all others have one layer of 32 units.

    Raises
    ------
    OptionError
        If there is no such baseline for the model.
    """
    check_baselines(model, [name])
    if name == "lme":
        return LinearMixedModel()
    copy: NeuralMixedEffects = clone(model)
    copy.set_params(**BASELINES[name])
    if copy.hidden == AUTO and name != "generic":
        copy.set_params(hidden=(UNITS,))
    if "quadrature" in copy.get_params():
        copy.set_params(quadrature=1)
        if name != "generic":
            copy.set_params(shrink="none")
    if name != "generic" and isinstance(copy, NMEMLPRegressor):
        # what the model asks for and only a linear one has
        copy.set_params(residual="auto" if copy.residual == "ar1" else copy.residual, reml=False)
    if name != "generic" and copy.covariance in PATTERNS:
        copy.set_params(covariance="full")
    return copy


def linear_twin(model: NeuralMixedEffects, n_factors: int = 1) -> NeuralMixedEffects | None:
    """Return `model` without hidden layers, unfitted: what is linear is fitted exactly.

    None for a model that is this already. With several grouping factors (`n_factors`) intercepts
    alone differ, as lme4's users would have it.
    """
    if len(model.hidden) == 0 and model.estimator != "annealed":
        return None
    named = not isinstance(model.placement, str)
    placement = type(model)().placement if named else model.placement
    several = n_factors > 1 and placement != "transitions"
    twin: NeuralMixedEffects = clone(model)
    twin.set_params(
        hidden=(), activation=None, epochs=None, estimator="variational",
        placement=["layers.0.bias"] if several else placement,
    )  # fmt: skip
    return twin
