"""From a study to a finished run folder."""

from nme_core.runs.fit.options import MODELS, FitOptions
from nme_core.runs.fit.run import ALL_ROWS, run_experiment

__all__ = ["ALL_ROWS", "MODELS", "FitOptions", "run_experiment"]
