"""Networks and their parts: person-specific parameters, MLP, linear-chain CRF, outcome families."""

from nme_core.nn.contrasts import against_first, contrasts
from nme_core.nn.counts import COUNTS, NegativeBinomial, Poisson
from nme_core.nn.crf import CRFNetwork, LinearChain
from nme_core.nn.families import (
    Categorical,
    Family,
    Gaussian,
    LikelihoodFamily,
    Ordinal,
    RowFamily,
)
from nme_core.nn.mlp import ACTIVATIONS, MLP, OrdinalMLP
from nme_core.nn.random_effects import MixedEffects

__all__ = [
    "ACTIVATIONS",
    "COUNTS",
    "MLP",
    "CRFNetwork",
    "Categorical",
    "Family",
    "Gaussian",
    "LikelihoodFamily",
    "LinearChain",
    "MixedEffects",
    "NegativeBinomial",
    "Ordinal",
    "OrdinalMLP",
    "Poisson",
    "RowFamily",
    "against_first",
    "contrasts",
]
