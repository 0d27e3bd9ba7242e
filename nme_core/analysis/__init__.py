"""Read-outs of fitted models, as tables of a run folder.

What needs torch is loaded when it is first used, so that reading a run folder does not
import it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nme_core.analysis.approximation import approximations, new_people_approximations
from nme_core.analysis.checks import model_checks
from nme_core.analysis.correlations import effect_correlations
from nme_core.analysis.covariate_tests import CovariateOptions, covariate_tests
from nme_core.analysis.covariates import PersonParameters, person_parameters
from nme_core.analysis.coverage import Coverage, StudyKind, coverage_of
from nme_core.analysis.kept_tests import keep_tests, other_tests
from nme_core.analysis.likelihood import likelihood_row
from nme_core.analysis.moves import Move, headline, moves_beside, n_apart, person_moves, person_rows
from nme_core.analysis.random_effects import (
    covariance_table,
    fixed_effects_table,
    random_effects_table,
)
from nme_core.analysis.response_curves import grids_of, response_curves, typical_features
from nme_core.analysis.summaries import person_summaries
from nme_core.analysis.support import as_matrix, may_lead, supported
from nme_core.analysis.transitions import transitions_table

if TYPE_CHECKING:
    from nme_core.analysis.calibration import class_calibration, number_calibration
    from nme_core.analysis.certificate import (
        Certificate,
        can_be_certified,
        certify,
        compare_with_mixedlm,
    )
    from nme_core.analysis.levels_and_slopes import person_effects
    from nme_core.analysis.summary import intraclass_correlation, summary_table

_HOMES = {
    "Certificate": "nme_core.analysis.certificate",
    "can_be_certified": "nme_core.analysis.certificate",
    "certify": "nme_core.analysis.certificate",
    "class_calibration": "nme_core.analysis.calibration",
    "compare_with_mixedlm": "nme_core.analysis.certificate",
    "intraclass_correlation": "nme_core.analysis.summary",
    "number_calibration": "nme_core.analysis.calibration",
    "person_effects": "nme_core.analysis.levels_and_slopes",
    "summary_table": "nme_core.analysis.summary",
}

__all__ = [
    "Certificate",
    "CovariateOptions",
    "Coverage",
    "Move",
    "PersonParameters",
    "StudyKind",
    "approximations",
    "as_matrix",
    "can_be_certified",
    "certify",
    "class_calibration",
    "compare_with_mixedlm",
    "covariance_table",
    "covariate_tests",
    "coverage_of",
    "effect_correlations",
    "fixed_effects_table",
    "grids_of",
    "headline",
    "intraclass_correlation",
    "keep_tests",
    "likelihood_row",
    "may_lead",
    "model_checks",
    "moves_beside",
    "n_apart",
    "new_people_approximations",
    "number_calibration",
    "other_tests",
    "person_effects",
    "person_moves",
    "person_parameters",
    "person_rows",
    "person_summaries",
    "random_effects_table",
    "response_curves",
    "summary_table",
    "supported",
    "transitions_table",
    "typical_features",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
