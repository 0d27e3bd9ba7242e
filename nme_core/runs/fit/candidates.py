"""What a mixture of networks is made of, and whether it is worth having."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nme_core.estimators import NeuralMixedEffects
from nme_core.estimators.mixture import MATTERS, UNITS
from nme_core.estimators.options import AUTO
from nme_core.exceptions import PredictionWarning
from nme_core.io import TABLES
from nme_core.metrics.skill import skill_of
from nme_core.runs.fit.judging import pooled_loss, validation_loss
from nme_core.runs.fit.rows import StudyRows
from nme_core.study.columns import OutcomeKind

#: Loss of held-back rows over that of training rows, from which on it is told; with a lower limit
#: of its interval over people above `_SURE`.
_FAR, _SURE = 1.5, 1.2
#: The validation loss has risen where it ends so much above its lowest.
RISEN = 0.05


def as_json(hidden: str | Sequence[int]) -> str | list[int]:
    """Hidden layers as ``config.json`` holds them."""
    return hidden if isinstance(hidden, str) else list(hidden)


def methods_of(model: NeuralMixedEffects) -> list[str]:
    """How parameters were found, each way once: of a mixture's candidates in their order."""
    return list(dict.fromkeys(one.method_ for _, one in model.candidates())) or [model.method_]


def named_layers(model: NeuralMixedEffects) -> tuple[int, ...]:
    """Hidden layers from which a search over them starts."""
    return (UNITS,) if model.hidden == AUTO else tuple(int(width) for width in model.hidden)


def candidates_table(
    model: NeuralMixedEffects,
    rows: StudyRows,
    split: pd.Categorical,
    kind: OutcomeKind,
    judged: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """The table ``candidates``: losses are mean squared errors, or log-losses of classes.

    `judged` has the model's own metrics, by part.
    """
    table, several = model.candidates_, list(model.candidates())
    for part in ("validation", "test"):
        held = rows.take(split == part)
        if len(held.y) == 0:
            losses = [np.nan] * max(1, len(several))
        elif several:
            losses = [validation_loss(one, held, kind) for _, one in several]
        else:
            losses = [pooled_loss(judged[part], kind)]
        table[f"{part}_loss"] = losses
    return table[list(TABLES["candidates"])]


def leading_candidate(model: NeuralMixedEffects) -> dict[str, Any]:
    """The candidate with the largest weight, whose parameters the tables hold."""
    table = model.candidates_
    row = table.iloc[int(table["weight"].to_numpy().argmax())]
    widths = [int(width) for width in str(row["hidden"]).split(",") if width]
    return {
        "model": str(row["model"]),
        "hidden": widths,
        "activation": str(row["activation"]) or None,
        "placement": str(row["placement"]),
        "weight": float(row["weight"]),
    }


def warn_of_rise(model: NeuralMixedEffects) -> None:
    """Warn where the validation loss rose in training.

    Warns
    -----
    PredictionWarning
        With the numbers.
    """
    several = list(model.candidates())
    for (name, one), weight in zip(several, model.candidates_["weight"], strict=False):
        if weight > MATTERS:
            _warn_of_rise(one, f"of the candidate {name!r} ")
    if not several:
        _warn_of_rise(model, "")


def _warn_of_rise(model: NeuralMixedEffects, whose: str) -> None:
    """Warn where the validation loss ended well above its lowest value."""
    losses = model.history_["validation_loss"].dropna()
    if len(losses) < 2:
        return
    lowest, last = float(losses.min()), float(losses.iloc[-1])
    if last > (1 + RISEN) * lowest:
        warnings.warn(
            f"The validation loss {whose}rose in training, from {lowest:.4g} to {last:.4g} per"
            " observation (standardised): the network learned what does not hold for later rows.",
            PredictionWarning,
            stacklevel=3,
        )


def warn_of_gap(train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Warn where a model misses held-back rows by far more than those that it learned from.

    Parameters
    ----------
    train, test : DataFrame
        Its rows of the table ``metrics``.

    Warns
    -----
    PredictionWarning
        Where the error on held-back rows is at least half as much again, surely over people.
    """
    metric = "mse" if (test["metric"] == "mse").any() else "log_loss"
    held, learned = (_loss_of_each(part, metric) for part in (test, train))
    both = pd.concat([held, learned], axis=1, join="inner")
    if both.empty:
        return
    less, _, at_most = skill_of(*both.to_numpy(np.float64).T)
    if 1 - less >= _FAR and 1 - at_most >= _SURE:
        error = "squared error" if metric == "mse" else "log-loss"
        warnings.warn(
            f"On held-back rows the {error} is {1 - less:.1f} times that on training rows: people"
            " change in time, or the model learned what holds for the training rows only.",
            PredictionWarning,
            stacklevel=2,
        )


def _loss_of_each(metrics: pd.DataFrame, metric: str) -> pd.Series:
    """Each person's share of the mean loss of all rows."""
    own = metrics[(metrics["scope"] == "person") & (metrics["metric"] == metric)]
    own = own.dropna(subset=["value"]).set_index("person")
    return own["value"] * own["n"] / own["n"].sum()
