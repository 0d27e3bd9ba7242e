"""What is a person's own, in words: the level, and the average slope of each feature.

For any architecture, and any mixture of them. The *level* is the prediction at the average of all
features, the *slope* of a feature the mean derivative of the prediction over rows of the study (of
a feature with two values: the mean difference between them), on the scale on which the model is
additive: the units of a number, the log of a mean count, log-odds of a class.

Of a person the difference from the population is given, as of any random effect; in a model without
hidden layers it is the random intercept at average features and the random slopes, exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.special import stdtrit

from nme_core.training.boundary import ZERO

if TYPE_CHECKING:
    from nme_core.estimators import NMEMLPClassifier, NMEMLPRegressor
    from nme_core.estimators.mlp_model import MLPModel
    from nme_core.estimators.readouts import ReadOuts

Floats = NDArray[np.float64]

LEVEL, SLOPE = "level", "slope:"
#: Rows of the study over which slopes are averaged, and rows that are computed for one draw.
MOST_ROWS, AT_ONCE = 50, 1_000_000
#: Half a step of a finite difference, in standard deviations of the feature.
STEP = 0.05


@dataclass(frozen=True)
class EffectsRead:
    """E effects of P persons under one network.

    Attributes
    ----------
    population, population_sd : array, shape (E,)
        With η = 0.
    person, person_sd : array, shape (P, E)
        Difference from the population; SD with the uncertainty of the shared parameters.
    reliability : array, shape (P, E)
        1 − var(η | rows)/var(η) of each.
    """

    population: Floats
    population_sd: Floats
    person: Floats
    person_sd: Floats
    reliability: Floats


def person_effects(model: NMEMLPRegressor | NMEMLPClassifier, X: pd.DataFrame) -> pd.DataFrame:
    """Level and slopes of the population, and how each person differs from it.

    Parameters
    ----------
    model : NMEMLPRegressor or NMEMLPClassifier
        Fitted; further grouping factors are at their population value.
    X : DataFrame, shape (n, F)
        Features of the study's rows, in units of the data; their order does not matter.

    Returns
    -------
    DataFrame
        Columns ``person`` ("" for the population), ``effect`` (``level``, ``slope:<feature>``; of
        three classes and more with ``[<class>]``, against the first), ``estimate`` (of a person:
        the difference from the population), ``se``, ``ci_low``, ``ci_high`` (95 %), ``reliability``
        (missing for the population) and ``value``: population and difference together. Errors are
        missing for point estimates, and of a feature that the model leaves out.
    """
    model = model.of_persons()
    grid, left_out = _Grid.of(model, X), model._encoder.scaler.features_left_out
    several = list(model.candidates())
    weights = model.candidates_["weight"].to_numpy()
    reads = [_read(one, grid) for _, one in several] or [_read(model, grid)]
    found = reads[0] if len(reads) == 1 else mixed_reads(weights, reads)
    width = _population_widths(model, grid)
    population = _table([""], grid.names, found.population[None], found.population_sd[None], width)
    persons = _table(model.groups_, grid.names, found.person, found.person_sd, 1.959963984540054)
    population["reliability"] = np.nan
    persons["reliability"] = found.reliability.ravel()
    population["value"] = population["estimate"]
    persons["value"] = (found.population + found.person).ravel()
    table = pd.concat([population, persons], ignore_index=True)
    unknown = np.resize([False, *np.isin(model.feature_names_in_, left_out)], len(table))
    table.loc[unknown, ["se", "ci_low", "ci_high"]] = np.nan
    return table


def _population_widths(model: NMEMLPRegressor | NMEMLPClassifier, grid: _Grid) -> Floats:
    """Half the width of the population's intervals in standard errors, (effects,).

    In a linear model that of the fixed effect which the effect is most made of, so that one number
    has one interval; else Student's t of the number of persons less 1.
    """
    n_persons = len(model.groups_)
    t = float(stdtrit(n_persons - 1, 0.975)) if n_persons > 1 else np.nan
    widths = np.full(len(grid.names), t)
    if list(model.candidates()) or len(model.hidden):
        return widths
    parameters = dict(model._posterior.mixed.fixed())
    made_of = np.abs(_rows(grid, list(_indices(parameters)))).argmax(axis=1)
    low, high = model.fixed_effects_interval()
    half = ((high - low) / (2 * model.fixed_effects_se_)).to_numpy()[made_of]
    return np.where(np.isfinite(half), half, widths)


def _table(
    who: Any, names: list[str], estimate: Floats, sd: Floats, width: Floats | float
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person": np.repeat(np.asarray(who, dtype=object), len(names)),
            "effect": np.tile(names, len(estimate)),
            "estimate": estimate.ravel(),
            "se": sd.ravel(),
            "ci_low": (estimate - width * sd).ravel(),
            "ci_high": (estimate + width * sd).ravel(),
        }
    )


def mixed_reads(weights: Floats, reads: list[EffectsRead]) -> EffectsRead:
    """Effects of a mixture: the spread between candidates is part of their uncertainty."""

    def moments(means: list[Floats], sds: list[Floats]) -> tuple[Floats, Floats]:
        mean = np.tensordot(weights, np.stack(means), axes=1)
        variance = np.square(np.stack(sds)) + np.square(np.stack(means) - mean)
        return mean, np.sqrt(np.tensordot(weights, variance, axes=1))

    population, population_sd = moments(
        [one.population for one in reads], [one.population_sd for one in reads]
    )
    person, person_sd = moments([one.person for one in reads], [one.person_sd for one in reads])
    return EffectsRead(
        population, population_sd, person, person_sd, _reliability(person, person_sd)
    )


def _reliability(person: Floats, sd: Floats) -> Floats:
    """1 − var_i/(mean over persons of estimate² + var): the last is what persons differ by."""
    between = (np.square(person) + np.square(sd)).mean(axis=0)
    share = np.divide(np.square(sd), between, out=np.ones_like(sd), where=between > 0)
    return np.asarray(np.clip(1 - share, 0.0, 1.0))


def _read(model: NMEMLPRegressor | NMEMLPClassifier, grid: _Grid) -> EffectsRead:
    return _of_draws(model, grid) if model._widths else _exact(model, grid)


@dataclass(frozen=True)
class _Grid:
    """Where effects are read.

    Attributes
    ----------
    names : list of str
        E effects: of each output the level, and the slope of each feature.
    steps : array, shape (F,)
        What a unit of each slope is in the network's input: 1/sd, or the difference of two values.
    pairs : list of tuple of array
        Of each feature: inputs above and below, (M, n_inputs) each.
    between : array, shape (F,)
        By what the difference of the outputs is multiplied.
    outputs : array, shape (E/(F + 1), O)
        From the network's outputs to the scale of the effects.
    """

    names: list[str]
    steps: Floats
    pairs: list[tuple[Floats, Floats]]
    between: Floats
    outputs: Floats

    @classmethod
    def of(cls, model: NMEMLPRegressor | NMEMLPClassifier, X: pd.DataFrame) -> _Grid:
        """Choose rows, evenly through all rows in order of their values."""
        scaler, table = model._encoder.scaler, X[list(model.feature_names_in_)].to_numpy(np.float64)
        n_persons, n_features = len(model.groups_), table.shape[1]
        most = int(np.clip(AT_ONCE // max(1, 2 * n_features * (n_persons + 1)), 1, MOST_ROWS))
        order = np.lexsort(table.T[::-1])
        places = (np.arange(min(most, len(table))) + 0.5) * len(table) / min(most, len(table))
        chosen = table[order[places.astype(int)]]
        inputs = scaler.transform([chosen[:, k] for k in range(n_features)]).astype(np.float64)
        pairs, between, steps = [], [], []
        for k in range(n_features):
            high, low = inputs.copy(), inputs.copy()
            values = np.unique(table[:, k][~np.isnan(table[:, k])])
            if len(values) == 2:
                low[:, k], high[:, k] = (values - scaler.mean[k]) / scaler.sd[k]
                between.append(1.0)
                steps.append(float(values[1] - values[0]) / float(scaler.sd[k]))
            else:
                high[:, k] += STEP
                low[:, k] -= STEP
                between.append(1 / (2 * STEP * float(scaler.sd[k])))
                steps.append(1 / float(scaler.sd[k]))
            pairs.append((high, low))
        classes, outputs = scale_of_effects(model)
        marks = [f"[{label}]" for label in classes] if len(classes) > 1 else [""]
        single = [LEVEL, *(f"{SLOPE}{name}" for name in model.feature_names_in_)]
        names = [f"{name}{mark}" for mark in marks for name in single]
        return cls(names, np.array(steps), pairs, np.array(between), outputs)


def scale_of_effects(model: ReadOuts) -> tuple[list[str], Floats]:
    """Classes that effects are of, and the map from the outputs to the scale of the effects."""
    from nme_core.nn import against_first

    classes = model._outcome.contrasted
    if classes:
        return classes[1:], against_first(len(classes)).numpy()
    return [], np.array([[model._outcome.scale[1]]])


def _exact(model: ReadOuts, grid: _Grid) -> EffectsRead:
    """Effects of a model without hidden layers: linear in its parameters."""
    posterior = model._posterior
    mixed, n_persons = posterior.mixed, len(model.groups_)
    parameters = {name: value.detach().double() for name, value in mixed.fixed().items()}
    rows = _rows(grid, list(_indices(parameters)))
    own = _rows(grid, mixed.parameter_indices())
    values = np.concatenate([value.reshape(-1).numpy() for value in parameters.values()])
    population = rows @ values
    shift = model._outcome.scale[0]
    population = population + np.array([shift if name == LEVEL else 0.0 for name in grid.names])
    deviations = mixed.by_factor(mixed.deviations)[0].double().numpy()
    person = deviations @ own.T
    population_sd = np.full(len(population), np.nan)
    sd = np.full(person.shape, np.nan)
    reliability = np.full(person.shape, np.nan)
    spread = posterior.marginal_covariance
    if spread is not None:
        known = _variances(own, mixed.by_factor(spread)[0].double().numpy())
        prior = _variances(own, posterior.sigma[:1].double().numpy())
        unit = _variances(own, np.ones((1, mixed.n_random)))
        # where the variance is 0 nothing is known of a person, whatever rounding leaves
        share = np.divide(known, prior, out=np.ones_like(known), where=prior > ZERO * unit)
        reliability, sd = np.clip(1 - share, 0.0, 1.0), np.sqrt(known)
    if posterior.uncertainty is not None:
        sd = np.sqrt(_variances(own, posterior.uncertainty.effects.numpy()))[:n_persons]
        free = {name: parameters[name] for name in posterior.uncertainty.free}
        shared = _rows(grid, list(_indices(free)))
        covariance = posterior.uncertainty.shared.numpy()
        population_sd = np.sqrt(_variances(shared, covariance[None])[0].clip(min=0))
    return EffectsRead(population, population_sd, person, sd, reliability)


def _indices(parameters: dict[str, torch.Tensor]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for name, value in parameters.items():
        for index in np.ndindex(*value.shape):
            yield name, tuple(index)


def _rows(grid: _Grid, places: list[tuple[str, tuple[int, ...]]]) -> Floats:
    """T, shape (E, n): effects from the weights and biases of the only layer."""
    n_features, n_kinds = len(grid.steps), len(grid.outputs)
    result = np.zeros((n_kinds, n_features + 1, len(places)))
    for column, (name, index) in enumerate(places):
        if name == "layers.0.bias":
            result[:, 0, column] = grid.outputs[:, index[0]]
        elif name == "layers.0.weight" and index[1] < n_features:
            effect = grid.outputs[:, index[0]] * grid.steps[index[1]]
            result[:, index[1] + 1, column] = effect
    return result.reshape(-1, len(places))


def _variances(rows: Floats, covariances: Floats) -> Floats:
    """Diagonals of T C Tᵀ for n covariances, whole or diagonal; shape (n, E)."""
    if covariances.ndim == 2:
        return np.asarray(covariances @ np.square(rows).T)
    return np.asarray(np.einsum("er,prs,es->pe", rows, covariances, rows, optimize=True))


def _of_draws(model: ReadOuts, grid: _Grid) -> EffectsRead:
    """Effects of a network with hidden layers: mean and SD over draws from its posterior."""
    middle = np.zeros((1, grid.pairs[0][0].shape[1]))
    stacked = np.concatenate([middle, *(end for pair in grid.pairs for end in pair)])
    return read_draws(model, torch.from_numpy(stacked), lambda scaled: _effects(scaled, grid))


@torch.no_grad()
def read_draws(model: ReadOuts, x: torch.Tensor, read: Callable[[Floats], Floats]) -> EffectsRead:
    """Read persons and the population off each draw from the posterior.

    Parameters
    ----------
    model : NMEMLPRegressor or NMEMLPClassifier
        One network.
    x : Tensor, shape (M, n_inputs)
        Inputs of the network at which it is read.
    read : callable
        Takes what comes out there on the scale of the effects, (P + 1, M, O), the population last;
        returns (P + 1, E).
    """
    from nme_core.estimators.draws import Draws

    posterior = model._posterior
    mixed, n_persons = posterior.mixed, len(model.groups_)
    shift, (_, outputs) = model._outcome.scale[0], scale_of_effects(model)
    ordered = model._outcome.is_ordered
    x = x.to(mixed.deviations.dtype)

    def at(fixed: dict[str, torch.Tensor], deviations: torch.Tensor) -> Floats:
        own = torch.cat([deviations[:n_persons], deviations.new_zeros(1, mixed.n_random)])
        each = x.unsqueeze(0).expand(len(own), -1, -1)
        scaled = mixed(each, fixed=fixed, deviations=own).double().numpy()
        if ordered:  # of ordered classes: the score above the first threshold
            scaled = -scaled[..., :1]
        return read(scaled @ outputs.T + shift)

    population: list[Floats] = []
    person_sum, person_squares = np.zeros(()), np.zeros(())
    for fixed, deviations in Draws(posterior, int(model.random_state)).of_groups():
        effects = at(fixed, deviations)
        population.append(effects[-1])
        difference = effects[:-1] - effects[-1]
        person_sum = person_sum + difference
        person_squares = person_squares + np.square(difference)
    n = len(population)
    drawn, person = np.stack(population), person_sum / n
    if n == 1:
        unknown = np.full(person.shape, np.nan)
        return EffectsRead(drawn[0], unknown[0], person, unknown, unknown)
    sd = np.sqrt((person_squares / n - np.square(person)).clip(min=0))
    middle, network = drawn.mean(0), cast("MLPModel", model)._row_outputs()
    if network.takes_means_of_numbers:  # as predictions do
        means = np.mean([at(fixed, mixed.deviations) for fixed in network.shared_draws()], axis=0)
        middle, person = means[-1], means[:-1] - means[-1]
    return EffectsRead(middle, drawn.std(0), person, sd, _reliability(person, sd))


def _effects(scaled: Floats, grid: _Grid) -> Floats:
    """Level and slopes of each unit, (P + 1, 1 + 2 M F, O) → (P + 1, E)."""
    level = scaled[:, :1]
    n_features, n_rows = len(grid.steps), len(grid.pairs[0][0])
    ends = scaled[:, 1:].reshape(len(scaled), n_features, 2, n_rows, -1).mean(axis=3)
    slopes = (ends[:, :, 0] - ends[:, :, 1]) * grid.between[:, None]
    return np.asarray(
        np.concatenate([level, slopes], axis=1).swapaxes(1, 2).reshape(len(scaled), -1)
    )
