"""From a study to a finished run folder."""

from nme_core.experiment.options import MODELS, FitOptions
from nme_core.experiment.run import ALL_ROWS, run_experiment

__all__ = ["ALL_ROWS", "MODELS", "FitOptions", "run_experiment"]
