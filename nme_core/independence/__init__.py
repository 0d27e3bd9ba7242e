"""Do persons' parameters depend on a covariate? HSIC with permutations, and effects beside it."""

from nme_core.independence.arrangement import Arrangement, arranged_test, over_draws
from nme_core.independence.blocks import strata_within, whole_block_test
from nme_core.independence.conditional import conditional_test
from nme_core.independence.correction import adjust_p, needed_reps
from nme_core.independence.covariates import CovariateTests, Doubt, test_covariates
from nme_core.independence.effects import effects_table
from nme_core.independence.hsic import HSICResult, hsic_statistic, hsic_test
from nme_core.independence.kernels import category_kernel, gaussian_kernel, is_categorical
from nme_core.independence.permutation import permutations, quantile_strata
from nme_core.independence.report import (
    STRENGTH_NOTE,
    both_lines,
    counts_line,
    effects_lines,
    hsic_lines,
    note_lines,
    stability_lines,
)
from nme_core.independence.strength import Strength, strength

__all__ = [
    "STRENGTH_NOTE",
    "Arrangement",
    "CovariateTests",
    "Doubt",
    "HSICResult",
    "Strength",
    "adjust_p",
    "arranged_test",
    "both_lines",
    "category_kernel",
    "conditional_test",
    "counts_line",
    "effects_lines",
    "effects_table",
    "gaussian_kernel",
    "hsic_lines",
    "hsic_statistic",
    "hsic_test",
    "is_categorical",
    "needed_reps",
    "note_lines",
    "over_draws",
    "permutations",
    "quantile_strata",
    "stability_lines",
    "strata_within",
    "strength",
    "test_covariates",
    "whole_block_test",
]
