"""Fixed and random effects and their covariance as long tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nme_core.exceptions import RunFolderError

if TYPE_CHECKING:
    from nme_core.estimators import NeuralMixedEffects

#: Below this median reliability the data hold next to nothing about people in a parameter.
LEARNED = 0.1


def fixed_effects_table(model: NeuralMixedEffects) -> pd.DataFrame:
    """One row per parameter: parameter, estimate, se, ci_low, ci_high (95 %).

    Units as in ``model.fixed_effects_``; the last three are missing where
    ``model.fixed_effects_se_`` is.
    """
    estimate, se = model.fixed_effects_, model.fixed_effects_se_
    low, high = model.fixed_effects_interval()
    return pd.DataFrame(
        {
            "parameter": estimate.index,
            "estimate": estimate.to_numpy(),
            "se": se.to_numpy(),
            "ci_low": low.to_numpy(),
            "ci_high": high.to_numpy(),
        }
    )


def random_effects_table(model: NeuralMixedEffects) -> pd.DataFrame:
    """One row per person and parameter: person, n_obs, parameter, estimate, se, reliability,
    ci_low, ci_high (95 %).

    Units as in ``model.random_effects_``; all after the estimate is missing for point estimates.
    The interval is wider than 1.96 se on each side: it counts how uncertain the shared parameters
    are, which the standard error (that of lme4 and MixedLM) takes as known. With several grouping
    factors the groups of all of them, and ``group``, the factor's name.
    """
    tables = []
    for factor in model.factors_:
        effects = model.effects(factor)
        low, high = effects.interval()
        n_groups, n_parameters = effects.estimate.shape
        table = pd.DataFrame(
            {
                "person": np.repeat(effects.estimate.index.to_numpy(), n_parameters),
                "n_obs": np.repeat(model.n_obs_of(factor).to_numpy(), n_parameters),
                "parameter": np.tile(effects.estimate.columns.to_numpy(), n_groups),
                "estimate": effects.estimate.to_numpy().ravel(),
                "se": effects.se.to_numpy().ravel(),
                "reliability": effects.reliability.to_numpy().ravel(),
                "ci_low": low.to_numpy().ravel(),
                "ci_high": high.to_numpy().ravel(),
            }
        )
        tables.append(table if len(model.factors_) == 1 else table.assign(group=factor))
    return pd.concat(tables, ignore_index=True)


def covariance_table(model: NeuralMixedEffects) -> pd.DataFrame:
    """Σ as rows parameter, parameter_2, value: its diagonal, and what is not 0 above it.

    With several grouping factors the Σ of each, and ``group``, the factor's name.
    """
    tables = []
    for factor in model.factors_:
        sigma = model.covariance_of(factor)
        values, names = sigma.to_numpy(), sigma.index.to_numpy()
        row, column = np.nonzero(np.triu(values != 0) | np.eye(len(values), dtype=bool))
        table = pd.DataFrame(
            {"parameter": names[row], "parameter_2": names[column], "value": values[row, column]}
        )
        tables.append(table if len(model.factors_) == 1 else table.assign(group=factor))
    return pd.concat(tables, ignore_index=True)


def most_informative(effects: pd.DataFrame) -> list[str]:
    """Parameters of the table ``random_effects`` by how much the data say about people, most first.

    That is the median reliability times the spread of the estimates; then the spread alone.
    """
    by_parameter = effects.groupby("parameter", sort=False)
    spread = by_parameter["estimate"].std()
    told = by_parameter["reliability"].median().clip(0, 1) * spread
    order = pd.DataFrame({"told": told, "spread": spread})
    order = order.sort_values(["told", "spread"], ascending=False, kind="stable")
    return [str(name) for name in order.index]


def variance_of(covariance: pd.DataFrame, parameter: str) -> float:
    """The model's variance of one parameter, by the table ``covariance`` of one grouping factor."""
    names = covariance[["parameter", "parameter_2"]]
    own = covariance[(names == parameter).all(axis=1)]
    if own.empty:
        raise RunFolderError(
            f"covariance.csv has no variance of {parameter!r}.", remedy="Train the model again."
        )
    return float(own["value"].iloc[0])
