"""Variances, shrinkage and intraclass correlation of a fitted model, as one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor

if TYPE_CHECKING:
    from nme_core.estimators import NeuralMixedEffects
    from nme_core.estimators.posterior import Posterior

#: Rows over which the intraclass correlation is averaged, at most.
MOST_ROWS = 20_000


def summary_table(model: NeuralMixedEffects, X: pd.DataFrame) -> pd.DataFrame:
    """Rows ``group``, ``parameter``, ``quantity``, ``value``.

    Of every person-specific parameter: ``variance`` (the diagonal of Σ), ``sd``, ``shrinkage`` (1 −
    variance of the estimates over persons/Σ: 0 none, 1 all persons at the population's value; empty
    where the variance is 0), ``mean_reliability`` and, where the model maximises a likelihood,
    ``variance_se`` and 95 % intervals ``variance_low``, ``variance_high``, ``sd_low``, ``sd_high``
    (see `variance_intervals` of a model). Of the whole, with an empty parameter: ``n_groups`` and,
    for numbers with Gaussian residuals, ``residual_variance`` with ``residual_variance_low`` and
    ``residual_variance_high``, and ``icc``, see `intraclass_correlation`.

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
        positive = effects.variance.where(effects.differs)
        wide = pd.DataFrame(
            {
                "variance": effects.variance,
                "sd": np.sqrt(effects.variance),
                "shrinkage": (1 - spread / positive).clip(0, 1),
                "mean_reliability": effects.reliability.mean(),
            }
        )
        known = model.variance_intervals(factor)
        if known.notna().to_numpy().any():
            ends = known[["low", "high"]]
            wide[["variance_se", "variance_low", "variance_high"]] = known
            wide[["sd_low", "sd_high"]] = np.sqrt(ends)
        table = wide.rename_axis("parameter").reset_index()
        table = table.melt("parameter", var_name="quantity", value_name="value")
        whole = {"n_groups": float(len(effects.estimate))}
        if factor in icc:
            whole |= {"residual_variance": model.residual_variance_, "icc": icc[factor]}
            around = model.residual_variance_interval()
            if np.isfinite(around["low"]):
                whole["residual_variance_low"] = float(around["low"])
                whole["residual_variance_high"] = float(around["high"])
        below = pd.DataFrame({"quantity": [*whole], "value": [*whole.values()]})
        parts.append(pd.concat([table, below.assign(parameter="")]).assign(group=factor))
    table = pd.concat(parts, ignore_index=True)
    return table[["group", "parameter", "quantity", "value"]]


def intraclass_correlation(model: NeuralMixedEffects, X: pd.DataFrame) -> dict[str, float]:
    """Share of a number's variance, given the features, that lies between groups, by factor.

    ICC = v/(v + σ²) with v = mean over the rows of J_ij M J_ijᵀ (Johnson 2014), J_ij the derivative
    of the prediction by the person-specific parameters at the population's; v + σ² sums over all
    grouping factors. M = mean over the groups of m mᵀ + C, their posterior means and covariances:
    Σ where that is a full matrix, and with the correlations that a diagonal Σ leaves out where it
    is not. Of estimates that are points it is Σ. With a random intercept alone the ICC is
    τ²/(τ² + σ²). Empty for other outcomes, and for networks with hidden layers: their σ² comes out
    too large (.39 of .25 in the simulated study ``mood``), and with it the ICC too small.
    """
    if model.hidden == "auto" or len(model.hidden):
        return {}
    if not model._family().has_residual_variance or not model._posterior.mixed.n_random:
        return {}
    step = -(-len(X) // MOST_ROWS)
    table = model._encoder.select(X.iloc[::step])
    inputs = torch.from_numpy(model._encoder.scaler.transform(table)).unsqueeze(0)
    posterior, mixed = model._posterior, model._posterior.mixed
    slope = mixed.jacobian(inputs, torch.zeros(1, mixed.n_random))[0, :, 0].double()
    between = {
        factor: float(torch.einsum("nr,rs,ns->n", slope, moment, slope).mean())
        for factor, moment in zip(model.factors_, _second_moments(posterior), strict=True)
    }
    total = sum(between.values()) + posterior.residual_variance
    return {factor: value / total for factor, value in between.items()}


def _second_moments(posterior: Posterior) -> list[Tensor]:
    """Mean over the groups of m mᵀ + C, of each factor, shape (R, R); float64."""
    covariances = posterior.marginal_covariance
    if covariances is None:
        sigma = posterior.sigma.double()
        return [one.diag() if one.dim() == 1 else one for one in sigma]
    result = []
    for mean, covariance in zip(
        posterior.mixed.by_factor(posterior.mixed.deviations.detach().double()),
        posterior.mixed.by_factor(covariances),
        strict=True,
    ):
        own = covariance.double().mean(0)
        result.append(mean.T @ mean / len(mean) + (own.diag() if own.dim() == 1 else own))
    return result
