"""How well predictions fit: per row, per person, and between models over persons."""

from nme_core.metrics.classification import (
    accuracy,
    alpha,
    balanced_accuracy,
    confusion,
    kappa,
    log_loss,
    macro_f1,
)
from nme_core.metrics.comparison import compare, person_means
from nme_core.metrics.evaluation import evaluate
from nme_core.metrics.regression import ccc, crps, mae, mse, pearson

__all__ = [
    "accuracy",
    "alpha",
    "balanced_accuracy",
    "ccc",
    "compare",
    "confusion",
    "crps",
    "evaluate",
    "kappa",
    "log_loss",
    "macro_f1",
    "mae",
    "mse",
    "pearson",
    "person_means",
]
