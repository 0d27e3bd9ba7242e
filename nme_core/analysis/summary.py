"""Variances, shrinkage and intraclass correlation of a fitted model, as one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

if TYPE_CHECKING:
    from nme_core.estimators import NeuralMixedEffects

#: Rows over which the intraclass correlation is averaged, at most.
MOST_ROWS = 20_000


def summary_table(model: NeuralMixedEffects, X: pd.DataFrame) -> pd.DataFrame:
    """Rows ``group``, ``parameter``, ``quantity``, ``value``.

    Of every person-specific parameter: ``variance`` (the diagonal of Σ), ``sd``, ``shrinkage`` (1 −
    variance of the estimates over persons/Σ: 0 none, 1 all persons at the population's value) and
    ``mean_reliability``. Of the whole, with an empty parameter: ``n_groups`` and, for numbers with
    Gaussian residuals, ``residual_variance`` and ``icc``, see `intraclass_correlation`.

    Parameters
    ----------
    model : NeuralMixedEffects
        Fitted, with person-specific parameters.
    X : DataFrame
        Features of the rows that it was fitted on.
    """
    icc = intraclass_correlation(model, X)
    parts = []
    for factor in model.factors_:
        effects = model.effects(factor)
        spread = effects.estimate.var(ddof=0)
        positive = effects.variance.where(effects.variance > 0)
        wide = pd.DataFrame(
            {
                "variance": effects.variance,
                "sd": np.sqrt(effects.variance),
                "shrinkage": (1 - spread / positive).clip(0, 1),
                "mean_reliability": effects.reliability.mean(),
            }
        )
        table = wide.rename_axis("parameter").reset_index()
        table = table.melt("parameter", var_name="quantity", value_name="value")
        whole = {"n_groups": float(len(effects.estimate))}
        if factor in icc:
            whole |= {"residual_variance": model.residual_variance_, "icc": icc[factor]}
        below = pd.DataFrame({"quantity": [*whole], "value": [*whole.values()]})
        parts.append(pd.concat([table, below.assign(parameter="")]).assign(group=factor))
    table = pd.concat(parts, ignore_index=True)
    return table[["group", "parameter", "quantity", "value"]]


def intraclass_correlation(model: NeuralMixedEffects, X: pd.DataFrame) -> dict[str, float]:
    """Share of a number's variance, given the features, that lies between groups, by factor.

    ICC = v/(v + σ²) with v = mean over the rows of J_ij Σ J_ijᵀ (Johnson 2014), J_ij the derivative
    of the prediction by the person-specific parameters at the population's; v + σ² sums over all
    grouping factors. With a random intercept alone it is τ²/(τ² + σ²). Empty for other outcomes.
    """
    if not model._family().has_residual_variance or not model._posterior.mixed.n_random:
        return {}
    step = -(-len(X) // MOST_ROWS)
    table = model._select(X.iloc[::step])
    inputs = torch.from_numpy(model._scaler.transform(table)).unsqueeze(0)
    mixed = model._posterior.mixed
    slope = mixed.jacobian(inputs, torch.zeros(1, mixed.n_random))[0, :, 0].double()
    between = {}
    for number, factor in enumerate(model.factors_):
        sigma = model._posterior.sigma[number].double()
        sigma = sigma.diag() if sigma.dim() == 1 else sigma
        between[factor] = float(torch.einsum("nr,rs,ns->n", slope, sigma, slope).mean())
    total = sum(between.values()) + model._posterior.residual_variance
    return {factor: value / total for factor, value in between.items()}
