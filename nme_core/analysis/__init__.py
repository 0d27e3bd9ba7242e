"""Read-outs of fitted models, as tables of a run folder."""

from nme_core.analysis.covariates import PersonParameters, person_parameters
from nme_core.analysis.random_effects import (
    covariance_table,
    fixed_effects_table,
    random_effects_table,
)
from nme_core.analysis.response_curves import response_curves
from nme_core.analysis.transitions import transitions_table

__all__ = [
    "PersonParameters",
    "covariance_table",
    "fixed_effects_table",
    "person_parameters",
    "random_effects_table",
    "response_curves",
    "transitions_table",
]
