"""The tables of a run folder: their columns, and which of these are text."""

from __future__ import annotations

from collections.abc import Sequence

#: Stands for the population in the column ``person`` of tables.
POPULATION = ""
#: Columns of every table of a run folder, in order. ``predictions`` also has one column
#: ``p_<class>`` for each class. Text columns are read as text, so that ids stay as they are.
TABLES: dict[str, tuple[str, ...]] = {
    "history": (
        "model", "epoch", "train_loss", "validation_loss",
        "residual_variance", "mean_random_variance", "seconds",
    ),
    "metrics": ("model", "split", "scope", "person", "metric", "value", "n"),
    "comparison": (
        "model", "reference", "metric", "difference", "ci_low", "ci_high", "p", "n_persons",
    ),
    "predictions": (
        "model", "person", "sequence", "time", "split",
        "observed", "predicted", "population_predicted",
    ),
    "fixed_effects": ("parameter", "estimate"),
    "random_effects": ("person", "n_obs", "parameter", "estimate", "se", "reliability"),
    "covariance": ("parameter", "parameter_2", "value"),
    "correlations": (
        "parameter", "parameter_2", "correlation", "model_correlation",
        "simulated_mean", "simulated_low", "simulated_high", "p_adjusted",
    ),
    "transitions": (
        "person", "readout", "from", "to", "value", "ci_low", "ci_high", "count", "visits",
    ),
    "hsic": (
        "covariate", "parameters", "n_persons", "statistic", "p", "p_adjusted",
        "reps", "strata", "method", "seed",
    ),
    "effects": (
        "covariate", "parameter", "effect", "ci_low", "ci_high", "p", "p_adjusted", "kind",
    ),
    "hsic_log": (
        "covariate", "strata", "guard", "blocks", "permute", "given", "incremental",
        "parameters", "n_persons", "statistic", "p", "reps", "seed",
    ),
    "groups": ("person", "factor", "group"),
    "codebook": ("name", "label", "type", "unit", "range", "missing", "role"),
    "findings": ("severity", "column", "message", "remedy"),
    "stability": ("parameter", "split_half", "n_persons", "seed_agreement"),
    "person_summaries": ("person", "summary", "value", "n"),
    "tuning": ("trial", "options", "validation_loss", "seconds", "chosen"),
    "certificate": (
        "quantity", "parameter", "parameter_2", "person",
        "ours", "mixedlm", "relative_difference", "agrees",
    ),
    "response_curves": ("person", "feature", "class", "x", "value"),
    "summary": ("group", "parameter", "quantity", "value"),
    "checks": (
        "check", "statistic", "person",
        "observed", "simulated_mean", "simulated_low", "simulated_high",
    ),
    "candidates": (
        "model", "hidden", "activation", "placement",
        "validation_loss", "weight", "test_loss", "seconds",
    ),
    "person_effects": (
        "person", "effect", "estimate", "se", "ci_low", "ci_high", "reliability", "value",
    ),
    "skill": (
        "model", "reference", "metric", "scope", "horizon", "skill", "ci_low", "ci_high",
        "n_persons",
    ),
    "likelihood": ("model", "log_likelihood", "n_parameters", "aic", "bic", "method"),
    "covariance_models": (
        "covariance", "log_likelihood", "n_parameters", "aic", "test_loss", "chosen",
    ),
    "calibration_study": (
        "quantity", "parameter", "coverage", "ci_low", "ci_high", "status", "n_reps",
        "n_intervals", "mean_width", "bias",
    ),
    "calibration": (
        "model", "split", "kind", "class", "low", "high",
        "expected", "observed", "ci_low", "ci_high", "n",
    ),
}  # fmt: skip

_TEXT_COLUMNS = {
    "model", "split", "scope", "person", "metric", "reference", "sequence", "parameter",
    "parameter_2", "readout", "from", "to", "covariate", "parameters", "strata", "method", "kind",
    "group", "feature", "class", "factor", "summary", "guard", "blocks", "permute", "given",
    "options", "note", "covariance",
    "status", "quantity", "check", "hidden", "activation", "placement",
    "reliability_kind", "halves",
}  # fmt: skip

# Columns that are text in one table and numbers in another.
_TEXT_IN = {
    "checks": {"statistic"},
    "codebook": set(TABLES["codebook"]),
    "findings": set(TABLES["findings"]),
    "person_effects": {"effect"},
}

# Columns that hold class labels where the outcome is a class, else numbers.
_LABELS = ("observed", "predicted", "population_predicted")


def text_columns(name: str, header: Sequence[str]) -> list[str]:
    """Columns of a table that are text; of predictions of classes, their labels are."""
    words = _TEXT_COLUMNS | _TEXT_IN.get(name, set())
    if name == "predictions" and any(column.startswith("p_") for column in header):
        words = words | {*_LABELS}
    return [column for column in header if column in words]


def in_order(name: str, header: Sequence[str]) -> list[str]:
    """Columns of a table: those that `TABLES` names, then any extra ones."""
    columns = TABLES[name]
    missing = [column for column in columns if column not in header]
    if missing:
        raise ValueError(f"table {name!r} lacks the columns {missing}")
    return [*columns, *(column for column in header if column not in columns)]
