"""One model on the split: fitted on training rows, and what it says of rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.analysis import class_calibration, number_calibration
from nme_core.batches.memory import give_back
from nme_core.estimators import (
    NMECRF,
    LinearMixedModel,
    NeuralMixedEffects,
    NMEMLPRegressor,
)
from nme_core.estimators.draws import DRAWS
from nme_core.metrics import crps, evaluate
from nme_core.runs.fit.rows import StudyRows
from nme_core.study.columns import OutcomeKind
from nme_core.training import Progress

#: Name in the metrics of predictions that know the row before.
ONE_STEP = "nme (one step ahead)"


def fit_split(
    model: NeuralMixedEffects | LinearMixedModel,
    rows: StudyRows,
    split: pd.Categorical,
    progress: Callable[[Progress], None],
    *,
    uncertainty: bool = False,
) -> None:
    """Fit on the training rows, watched on the validation rows.

    Only what is interpreted needs `uncertainty`: judging takes the predictions.
    """
    give_back()
    times = rows.take(split == "train").times_for(model)
    rows = replace(rows, time=None)
    train, validation = rows.take(split == "train"), rows.take(split == "validation")
    model.fit(
        train.X,
        train.y,
        **train.fit_arguments,
        **times,
        **({} if isinstance(model, LinearMixedModel) else {"uncertainty": uncertainty}),
        validation=validation.as_validation,
        progress=progress,
    )


def one_step_ahead(
    model: NeuralMixedEffects | LinearMixedModel, rows: StudyRows, chosen: NDArray[np.bool_]
) -> pd.DataFrame | None:
    """Metrics of the chosen rows, each predicted from the person's row before it, too.

    None for a model without residual autocorrelation.
    """
    if not isinstance(model, NMEMLPRegressor) or rows.time is None:
        return None
    if not np.isfinite(model.residual_autocorrelation_):
        return None
    ahead = model.predict_next(rows.X, rows.y, groups=rows.groups, times=rows.time)
    table = pd.DataFrame(
        {
            "model": ONE_STEP,
            "split": "test",
            "person": rows.persons[chosen],
            "observed": rows.y[chosen],
            "predicted": ahead[chosen],
        }
    )
    return evaluate(table.reset_index(drop=True), "number")


def predict(
    model: NeuralMixedEffects | LinearMixedModel, rows: StudyRows, name: str, part: str
) -> pd.DataFrame:
    """Predictions for the rows of one part: the run folder's columns, and ``loss``."""
    table = pd.DataFrame(
        {
            "model": pd.Categorical([name]).repeat(len(rows.y)),
            "split": pd.Categorical([part]).repeat(len(rows.y)),
            "person": rows.persons,
            "sequence": rows.sequence_ids,
            "time": rows.time if rows.time is not None else np.nan,
            "observed": rows.y,
        },
        index=rows.y.index,
    ).reset_index(drop=True)
    values: dict[str, np.ndarray[Any, Any]] = {}
    for chosen, some in rows.in_parts():
        for column, found in _predict(model, some).items():
            values.setdefault(column, np.empty(len(table), found.dtype))[chosen] = found
    for column, found in values.items():
        table[column] = found
    return table


def _predict(
    model: NeuralMixedEffects | LinearMixedModel, rows: StudyRows
) -> dict[str, np.ndarray[Any, Any]]:
    """Columns of a table of predictions that the model gives."""
    arguments: dict[str, Any] = rows.predict_arguments
    found = {"population_predicted": model.predict(rows.X, **arguments, level="average")}
    if isinstance(model, NMECRF):
        paths = model.paths(rows.X, rows.groups, "person", rows.sequence_ids, rows.before)
        found |= {"predicted": paths.likeliest(), "loss": paths.losses(rows.y)}
        probabilities = paths.probabilities()
    else:
        found["predicted"] = model.predict(rows.X, **arguments)
        if not hasattr(model, "predict_proba"):
            return found
        probabilities = model.predict_proba(rows.X, **arguments)
    return found | {f"p_{label}": probabilities[:, k] for k, label in enumerate(model.classes_)}


def validation_loss(model: NeuralMixedEffects, rows: StudyRows, outcome_kind: OutcomeKind) -> float:
    """Mean squared error, or log-loss, of the validation rows, all persons pooled."""
    return pooled_loss(
        evaluate(predict(model, rows, "nme", "validation"), outcome_kind), outcome_kind
    )


def pooled_loss(metrics: pd.DataFrame, outcome_kind: OutcomeKind) -> float:
    """The same, of a table of metrics of one part."""
    metric = "mse" if outcome_kind == "number" else "log_loss"
    pooled = metrics[(metrics["scope"] == "pooled") & (metrics["metric"] == metric)]
    return float(pooled["value"].iloc[0])


def with_spread(
    model: NeuralMixedEffects | LinearMixedModel, rows: StudyRows, predictions: pd.DataFrame
) -> pd.DataFrame:
    """Add what the predictive distribution of a number is worth: ``crps`` and ``integral``."""
    if not isinstance(model, NMEMLPRegressor):
        return predictions
    score = np.empty(len(predictions))
    for chosen, some in rows.in_parts():
        score[chosen] = crps(some.y, _draws(model, some))
    integral = model.probability_integral(rows.X, rows.y, rows.groups)
    return predictions.assign(crps=score, integral=integral)


def _draws(model: NMEMLPRegressor, rows: StudyRows) -> NDArray[np.float32]:
    """Outcomes drawn from the predictive distribution, shape (n_draws, n)."""
    seeds = itertools.count()  # a model without a posterior draws one outcome a seed
    several = (model.simulate(rows.X, groups=rows.groups, seed=seed) for seed in seeds)
    drawn = itertools.islice(itertools.chain.from_iterable(several), DRAWS)
    return np.stack([one.astype(np.float32) for one in drawn])


def calibration(model: NeuralMixedEffects, predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the table ``calibration`` of the rows that were held back."""
    if isinstance(model, NMEMLPRegressor):
        integral = predictions["integral"].to_numpy(np.float64)
        name, split = str(predictions["model"].iloc[0]), str(predictions["split"].iloc[0])
        return number_calibration(integral, model=name, split=split)
    return class_calibration(predictions)
