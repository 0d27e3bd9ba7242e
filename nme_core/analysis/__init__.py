"""Read-outs of fitted models, as tables of a run folder."""

from nme_core.analysis.approximation import approximations
from nme_core.analysis.calibration import class_calibration, number_calibration
from nme_core.analysis.certificate import (
    Certificate,
    can_be_certified,
    certify,
    compare_with_mixedlm,
)
from nme_core.analysis.checks import model_checks
from nme_core.analysis.covariate_tests import CovariateOptions, covariate_tests
from nme_core.analysis.covariates import PersonParameters, person_parameters
from nme_core.analysis.random_effects import (
    covariance_table,
    fixed_effects_table,
    random_effects_table,
)
from nme_core.analysis.response_curves import response_curves
from nme_core.analysis.summaries import person_summaries
from nme_core.analysis.summary import intraclass_correlation, summary_table
from nme_core.analysis.transitions import transitions_table

__all__ = [
    "Certificate",
    "CovariateOptions",
    "PersonParameters",
    "approximations",
    "can_be_certified",
    "certify",
    "class_calibration",
    "compare_with_mixedlm",
    "covariance_table",
    "covariate_tests",
    "fixed_effects_table",
    "intraclass_correlation",
    "model_checks",
    "number_calibration",
    "person_parameters",
    "person_summaries",
    "random_effects_table",
    "response_curves",
    "summary_table",
    "transitions_table",
]
