"""Do persons' parameters depend on a covariate? HSIC with permutations, and effects beside it."""

from nme_core.independence.correction import adjust_p, needed_reps
from nme_core.independence.covariates import CovariateTests, test_covariates
from nme_core.independence.effects import effects_table
from nme_core.independence.hsic import HSICResult, hsic_statistic, hsic_test
from nme_core.independence.kernels import category_kernel, gaussian_kernel, is_categorical
from nme_core.independence.permutation import permutations, quantile_strata
from nme_core.independence.report import effects_lines, hsic_lines

__all__ = [
    "CovariateTests",
    "HSICResult",
    "adjust_p",
    "category_kernel",
    "effects_lines",
    "effects_table",
    "gaussian_kernel",
    "hsic_lines",
    "hsic_statistic",
    "hsic_test",
    "is_categorical",
    "needed_reps",
    "permutations",
    "quantile_strata",
    "test_covariates",
]
