"""The certificate: a linear fit beside that of statsmodels' MixedLM, number by number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nme_core.estimators import NeuralMixedEffects, NMEMLPRegressor
from nme_core.estimators.inputs import read_features, read_groups
from nme_core.estimators.mixedlm import MixedLMFit, fit_mixedlm
from nme_core.estimators.outcomes import numbers
from nme_core.estimators.random_structure import SHORT
from nme_core.exceptions import OptionError, TrainingError
from nme_core.study import Study

#: Relative difference up to which two numbers agree.
TOLERANCE = 1e-3
#: A run is certified on its own where MixedLM takes seconds: rows, and random effects.
MOST_ROWS, MOST_EFFECTS = 20_000, 5

COLUMNS = (
    "quantity", "parameter", "parameter_2", "person",
    "ours", "mixedlm", "relative_difference", "agrees",
)  # fmt: skip


@dataclass(frozen=True)
class Certificate:
    """Our fit and MixedLM's side by side.

    Attributes
    ----------
    table : DataFrame
        ``quantity``: fixed effect, covariance (of the random effects), residual variance, random
        effect, log-likelihood; ``parameter``, ``parameter_2``: features or ``intercept``;
        ``person``: of a random effect the one with the largest difference; ``ours``, ``mixedlm``
        in units of the data; ``relative_difference``; ``agrees``: whether that is at most 1e-3.

        Differences are relative to MixedLM's number; of a fixed effect to its standard error where
        that is larger; of covariances and random effects to the standard deviations of the random
        effects, or to the standard errors of the fixed ones where these are larger.
    notes : tuple of str
        In words, what else has to be known.
    """

    table: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether all numbers agree."""
        return bool(self.table["agrees"].all())

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        worst = self.table.iloc[int(self.table["relative_difference"].argmax())]
        what = " × ".join(str(name) for name in worst[["parameter", "parameter_2"]] if name)
        largest = (
            f"the largest relative difference is {float(worst['relative_difference']):.1e}"
            f" ({worst['quantity']!s}{f' of {what}' if what else ''})"
        )
        if self.agrees:
            return f"The two fits agree to {TOLERANCE:g}: {largest}."
        return f"The two fits do NOT agree to {TOLERANCE:g}: {largest}."

    def lines(self) -> list[str]:
        """The certificate as lines of text for a terminal."""
        lines = [f"{'':<40}{'nme':>14}{'MixedLM':>14}{'rel. diff.':>12}"]
        for row in self.table.itertuples():
            names = " × ".join(str(name) for name in (row.parameter, row.parameter_2) if name)
            person = f" of {row.person!s} (largest)" if row.person else ""
            what = f"{row.quantity!s} {names}{person}".strip()
            numbers_ = f"{row.ours:>14.7g}{row.mixedlm:>14.7g}{row.relative_difference:>12.1e}"
            lines.append(f"{what:<40}{numbers_}{'' if row.agrees else '  differs'}")
        return [*lines, *self.notes, self.verdict]


def certify(
    study: Study, *, placement: str = "all", covariance: str = "full"
) -> tuple[NMEMLPRegressor, Certificate]:
    """Fit the linear mixed model of a study twice, by us and by MixedLM, and compare.

    Parameters
    ----------
    study : Study
        Its outcome has to be a number; rows without one are left out.
    placement : str
        ``all``: random intercept and slopes of all features; ``layers.0.bias``: intercept alone.
    covariance : {"full", "diagonal"}
        Of the random effects.

    Raises
    ------
    OptionError
        If the outcome is a class, or the study has several grouping factors.
    DataError
        If a feature is a combination of others.
    """
    if study.outcome_kind != "number":
        raise OptionError(
            "The certificate is for an outcome that is a number.",
            remedy="Name another outcome, or say --outcome-kind number.",
        )
    if study.roles.groups:
        raise OptionError(
            "The certificate takes one grouping factor.", remedy="Leave out the further groups."
        )
    study = study.with_observed_outcome()
    model = NMEMLPRegressor((), placement, covariance=covariance, estimator="laplace")
    model.fit(study.X, study.y, groups=study.groups)
    return model, compare_with_mixedlm(model, study.X, study.y, study.groups)


def can_be_certified(model: NeuralMixedEffects, n_rows: int) -> bool:
    """Whether a fitted model of a run is linear and small enough to be certified on its own."""
    if not isinstance(model, NMEMLPRegressor) or model.hidden or model.is_count:
        return False
    exact = model.estimator == "laplace" and model.pooling == "partial" and not model.reml
    exact = exact and not np.isfinite(model.residual_autocorrelation_)  # MixedLM knows none
    few = len(model.parameter_names()) <= MOST_EFFECTS and n_rows <= MOST_ROWS
    return exact and few and len(model.factors_) == 1


def compare_with_mixedlm(
    model: NMEMLPRegressor, X: ArrayLike | pd.DataFrame, y: ArrayLike, groups: ArrayLike
) -> Certificate:
    """Compare a linear model fitted with ``laplace`` with MixedLM on the same rows.

    MixedLM starts on its own, without knowing our estimate. Where it stops below the maximum of the
    likelihood, as it does at times near a boundary, a note says so and it starts again from ours.

    Raises
    ------
    OptionError
        If the model is not linear, or MixedLM finds nothing.
    """
    ours = model.log_likelihood_  # OptionError where the model is not linear
    columns, _ = read_features(X)
    inputs = model._encoder.scaler.transform(columns).astype(np.float64)
    design = np.column_stack([inputs, np.ones(len(inputs))])
    mean, sd = model._outcome.scale
    outcome = (numbers(y) - mean) / sd
    mixed = model._posterior.mixed
    random = [
        index[1] if name.endswith("weight") else inputs.shape[1]
        for name, index in mixed.parameter_indices()
    ]
    codes = read_groups(groups)[0].codes_in(model._encoder.index[0])
    constant = len(outcome) * float(np.log(sd))
    sigma = model._posterior.sigma[0].numpy()
    start = (np.diag(sigma) if sigma.ndim == 1 else sigma) / model._posterior.residual_variance
    options: dict[str, Any] = {"correlated": model.covariance_ == "full"}
    found, notes = _search(design, outcome, codes, random, ours + constant, start, options)
    return Certificate(_table(model, found, found.log_likelihood - constant), notes)


def _search(
    design: NDArray[np.float64],
    outcome: NDArray[np.float64],
    codes: NDArray[np.int64],
    random: list[int],
    maximum: float,
    start: NDArray[np.float64],
    options: dict[str, Any],
) -> tuple[MixedLMFit, tuple[str, ...]]:
    """Fit by MixedLM on its own; from our estimate where that falls short, with a note."""
    try:
        found = fit_mixedlm(design, outcome, codes, random, **options)
        short = maximum - found.log_likelihood
        if short < SHORT:
            return found, ()
        why = f"stopped with a log-likelihood {short:.3g} below ours"
    except TrainingError as error:
        why = f"broke off ({error})"
    try:
        found = fit_mixedlm(design, outcome, codes, random, start=start, **options)
    except TrainingError as error:
        raise OptionError(
            f"Nothing to compare with: {error}", remedy="Take fewer random effects."
        ) from error
    return found, (f"MixedLM on its own {why}; it was started again from our estimate.",)


def _table(model: NMEMLPRegressor, found: MixedLMFit, log_likelihood: float) -> pd.DataFrame:
    """Rows of the certificate, in units of the data."""
    table = pd.DataFrame(_rows(model, found, log_likelihood), columns=list(COLUMNS[:-1]))
    return table.assign(agrees=table["relative_difference"] <= TOLERANCE)


def _rows(
    model: NMEMLPRegressor, found: MixedLMFit, log_likelihood: float
) -> Iterator[tuple[str, str, str, str, float, float, float]]:
    units, friendly = model._units(), _friendly(model)
    peers = replace(units, values=found.fixed).fixed().to_numpy()
    errors = np.nan_to_num(model.fixed_effects_se_.to_numpy())
    fixed = model.fixed_effects_
    for key, ours, peer, error in zip(fixed.index, fixed, peers, errors, strict=True):
        yield ("fixed effect", friendly[key], "", "", *_pair(ours, peer, max(abs(peer), error)))

    names = [friendly[key] for key in units.random_labels()]
    own, other = model.random_effects_cov_.to_numpy(), units.covariance(found.sigma)
    spread = np.sqrt(np.maximum(np.diag(other), errors[units.reported] ** 2))
    for i, j in zip(*np.tril_indices(len(names)), strict=True):
        pair = _pair(own[i, j], other[i, j], spread[i] * spread[j])
        yield ("covariance", names[i], names[j], "", *pair)

    variance = found.residual_variance * model._outcome.scale[1] ** 2
    pair = _pair(model.residual_variance_, variance, variance)
    yield ("residual variance", "", "", "", *pair)

    effects, peers = model.random_effects_.to_numpy(), units.deviations(found.effects)
    for k, i in enumerate(np.abs(effects - peers).argmax(axis=0)):
        pair = _pair(effects[i, k], peers[i, k], spread[k])
        yield ("random effect", names[k], "", str(model.groups_[i]), *pair)

    ours = model.log_likelihood_
    yield ("log-likelihood", "", "", "", *_pair(ours, log_likelihood, max(abs(log_likelihood), 1)))


def _pair(ours: float, peer: float, size: float) -> tuple[float, float, float]:
    difference = abs(ours - peer)
    return float(ours), float(peer), float(difference / size) if difference else 0.0


def _friendly(model: NMEMLPRegressor) -> dict[str, str]:
    """Features, and ``intercept``, by the names of the network's parameters."""
    inputs = model._encoder.scaler.input_names
    names = {f"layers.0.weight[0,{k}]": name for k, name in enumerate(inputs)}
    return {**names, "layers.0.bias[0]": "intercept"}
