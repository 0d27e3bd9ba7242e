"""Training: what is minimised, how Σ and σ² move, and the loop that knows nothing of the model."""

from nme_core.training.adapt import Adaptation, adapt, errors
from nme_core.training.annealed import Annealed
from nme_core.training.boundary import Boundary, approached_boundary, exact_boundary, warn_of
from nme_core.training.chain_rows import ChainRows
from nme_core.training.covariance import RandomEffectsCovariance
from nme_core.training.crossed_problem import Crossed
from nme_core.training.exact import ConstantOutcomeError, ExactRows
from nme_core.training.exact_chain import (
    ExactChain,
    NoMovesError,
    is_linear_chain,
    warn_of_never,
    warn_of_start,
)
from nme_core.training.expectation_maximisation import ExpectationMaximisation
from nme_core.training.information import (
    PersonCurvature,
    PersonInformation,
    affordable,
    person_curvature,
    shared_covariance,
)
from nme_core.training.integrated_covariance import IntegratedCovariance
from nme_core.training.laplace import Laplace, exactly_linear, few_effects
from nme_core.training.likelihood import Likelihood, likelihood_of
from nme_core.training.linear_autocorrelation import AutocorrelatedFit
from nme_core.training.linear_gaussian import LinearGaussian
from nme_core.training.linear_information import VarianceInformation
from nme_core.training.linear_mixed import CollinearColumnError
from nme_core.training.loop import Problem, Schedule, train
from nme_core.training.nesting import Nesting
from nme_core.training.other_fits import OtherFits
from nme_core.training.progress import Progress, Training, Verdict
from nme_core.training.residual_memory import ResidualMemory
from nme_core.training.residual_process import next_expected
from nme_core.training.separate import Separate
from nme_core.training.separate_chain import SeparateChain
from nme_core.training.variance_uncertainty import VarianceUncertainty
from nme_core.training.variational import Variational
from nme_core.training.weak_prior import warn_of_collinear, warn_of_separation

__all__ = [
    "Adaptation",
    "Annealed",
    "AutocorrelatedFit",
    "Boundary",
    "ChainRows",
    "CollinearColumnError",
    "ConstantOutcomeError",
    "Crossed",
    "ExactChain",
    "ExactRows",
    "ExpectationMaximisation",
    "IntegratedCovariance",
    "Laplace",
    "Likelihood",
    "LinearGaussian",
    "Nesting",
    "NoMovesError",
    "OtherFits",
    "PersonCurvature",
    "PersonInformation",
    "Problem",
    "Progress",
    "RandomEffectsCovariance",
    "ResidualMemory",
    "Schedule",
    "Separate",
    "SeparateChain",
    "Training",
    "VarianceInformation",
    "VarianceUncertainty",
    "Variational",
    "Verdict",
    "adapt",
    "affordable",
    "approached_boundary",
    "errors",
    "exact_boundary",
    "exactly_linear",
    "few_effects",
    "is_linear_chain",
    "likelihood_of",
    "next_expected",
    "person_curvature",
    "shared_covariance",
    "train",
    "warn_of",
    "warn_of_collinear",
    "warn_of_never",
    "warn_of_separation",
    "warn_of_start",
]
