"""Two or more runs of the same rows beside each other."""

from nme_core.runs.comparing.likelihood_ratio import LikelihoodRatio, boundary_p, likelihood_ratio
from nme_core.runs.comparing.runs import RunComparison, compare_runs
from nme_core.runs.comparing.structure import Structure, nesting

__all__ = [
    "LikelihoodRatio",
    "RunComparison",
    "Structure",
    "boundary_p",
    "compare_runs",
    "likelihood_ratio",
    "nesting",
]
