"""How a model is fitted: rows checked and arranged, a problem solved, its uncertainty taken."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from nme_core.batches.memory import give_back
from nme_core.batches.scaling import Columns, FeatureScaler
from nme_core.batches.sequences import Batch
from nme_core.estimators.arrangement import natural_order
from nme_core.estimators.boundaries import warn_of_boundary
from nme_core.estimators.encoding import RowEncoder, arranged
from nme_core.estimators.inputs import (
    Labels,
    Table,
    check_lengths,
    needed,
    read_features,
    read_groups,
    refuse_inseparable,
    refuse_moving_sequences,
    sequences_of,
)
from nme_core.estimators.joint import Joint, crossed_uncertainty, take_uncertainty
from nme_core.estimators.posterior import Posterior
from nme_core.estimators.problems import EXACT, AnyProblem, method_of
from nme_core.estimators.threads import one_thread_for_few
from nme_core.estimators.variance_intervals import VarianceIntervals
from nme_core.exceptions import DataError, IdentificationWarning, OptionError
from nme_core.nn import MixedEffects
from nme_core.training import (
    ConstantOutcomeError,
    Crossed,
    ExactChain,
    ExactRows,
    ExpectationMaximisation,
    LinearGaussian,
    NoMovesError,
    Progress,
    SeparateChain,
    Training,
    Verdict,
    likelihood_of,
    train,
    warn_of_collinear,
    warn_of_never,
    warn_of_separation,
    warn_of_start,
)
from nme_core.training.covariance import PATTERNS

if TYPE_CHECKING:
    from nme_core.estimators.base import NeuralMixedEffects

#: Numbers in a table of features up to which exact engines get them in double precision.
MOST_PRECISE = 2**24
Report = Callable[[Progress], None] | None


def fit(
    model: NeuralMixedEffects,
    X: Table,
    y: ArrayLike,
    groups: Table,
    validation: tuple[Any, ...] | None,
    progress: Report,
    uncertainty: bool,
    **context: ArrayLike | None,
) -> None:
    """Fit a model whose options are right; `context` holds times, or sequence ids.

    Of a fit that fails nothing is left.
    """
    needed(X=X, y=y, groups=groups)
    table, names = read_features(X)
    check_lengths(len(table[0]), y=y, groups=groups, **context)
    factors = [factor.sorted() for factor in read_groups(groups)]
    if model.pooling == "none":
        factors = factors[:1]  # a network of one's own leaves nothing to other factors
    model._forget()
    if model.covariance in PATTERNS and len(factors) > 1:
        raise OptionError(
            f'covariance="{model.covariance}" takes one grouping factor.',
            remedy='Leave out the further groups, or use covariance="full".',
        )
    try:
        outcome = model._outcomes.learned(y)
        if outcome.in_sequences:
            codes = np.column_stack([factor.codes for factor in factors])
            sequences = sequences_of(codes[:, 0], context.get("sequence_ids"))
            refuse_moving_sequences(codes, sequences, [factor.name for factor in factors])
        model._check_rows(outcome, factors, context)
        table, y, factors, context = arranged(
            table, y, factors, context, in_order=outcome.in_sequences
        )
        with one_thread_for_few(len(factors[0].codes)):
            _train(model, table, names, y, factors, validation, progress, uncertainty, context)
        _sort_levels(model)
    except BaseException:
        model._forget()
        raise


def _train(
    model: NeuralMixedEffects,
    table: Columns,
    names: tuple[str, ...],
    y: ArrayLike,
    factors: list[Labels],
    validation: tuple[Any, ...] | None,
    progress: Report,
    uncertainty: bool,
    context: dict[str, ArrayLike | None],
) -> None:
    """Learn all that is learned from checked rows."""
    encoder = model._encoder = RowEncoder(
        FeatureScaler.learn(table, names),
        {factor.name: np.array(factor.levels) for factor in factors},
        model._outcomes.learned(y),
        alone=model.pooling == "none",
    )
    if model.pooling != "complete":
        refuse_inseparable(factors, model._family())
    mixed, warm = model._build(), model._warm_start()
    if warm is not None:
        warm.begin_network(mixed)
    device = mixed.deviations.device
    rows = encoder.rows(table, factors, None, **context)
    model._counts = np.bincount(rows.groups.reshape(-1), minlength=mixed.n_groups)
    batches = rows.batches(encoder.outcome.encode(y), device)
    precise = None
    if len(table) * len(table[0]) <= MOST_PRECISE:
        precise = encoder.scaler.inputs(table, precise=True)
    del rows, table  # as large as the batches, as are the codes of the factors
    factors.clear()
    give_back()
    if model.pooling == "partial" and not model.hidden:
        _warn_of_constant_slopes(encoder.scaler.input_names, mixed, batches)
    problem = model._plan().problem(mixed, model._family(), batches)
    if isinstance(problem, LinearGaussian):
        model._prepare(problem, context)
    if warm is not None:
        warm.begin_problem(problem)
    watched = None
    if validation is not None:
        watched = encoder.watched(validation, device)
    elif model.pooling == "none":
        raise OptionError(
            "One network per person can only be stopped early on validation rows.",
            remedy="Call fit(..., validation=(X, y, groups)).",
        )
    if isinstance(problem, EXACT):
        exactly = batches
        if not isinstance(problem, ExactChain):
            own = encoder.outcome.precise(y)
            exactly = [batch.precisely(precise, own) for batch in batches]
        training = _solve(encoder, problem, exactly, progress)
        del exactly
    else:
        training = _trained(model, problem, batches, watched, progress)
    _keep(model, problem, training, batches, uncertainty=uncertainty)
    known = _known(model, problem) if uncertainty and model.pooling == "partial" else None
    del problem, watched  # of many persons as large as what is to come
    give_back()
    joint = None if known is None else _count(model, batches, known)
    model._after_fit(batches, None if joint is None else joint.information)


def _trained(
    model: NeuralMixedEffects,
    problem: Any,
    batches: list[Batch],
    watched: list[Batch] | None,
    progress: Report,
) -> Training:
    if isinstance(problem, SeparateChain):
        return problem.solve(batches, watched or [], progress)
    if isinstance(problem, ExpectationMaximisation) and not model._widths:
        return problem.solve(progress)
    return train(
        problem,
        batches,
        model._plan().schedule(),
        seed=int(model.random_state),
        validation=watched,
        report=progress,
    )


def _keep(
    model: NeuralMixedEffects,
    problem: AnyProblem,
    training: Training,
    batches: list[Batch],
    *,
    uncertainty: bool,
) -> None:
    """Keep what a trained problem says; warn where Σ lies at the boundary."""
    left_out = tuple(sorted(getattr(problem, "collinear", ())))
    scaler = replace(model._encoder.scaler, left_out=left_out)
    outcome = model._outcome.noted(problem)
    model._encoder = replace(model._encoder, scaler=scaler, outcome=outcome)
    if left_out:  # next to 0 by their prior
        with torch.no_grad():
            problem.mixed.fixed()[f"{outcome.layers}layers.0.weight"][:, left_out] = 0.0
    model._posterior, model.method_ = Posterior.of(problem), method_of(problem)
    model._take_note(problem)
    history = pd.DataFrame([vars(row) for row in training.history])
    model.history_ = history.astype({"validation_loss": float})
    model.verdict_, model.n_epochs_ = training.ending, len(history)
    partial = model.pooling == "partial"
    if training.verdict is Verdict.CONVERGED and partial:
        labels = model.parameter_names()
        warn_of_boundary(
            model._posterior,
            labels,
            exact=isinstance(problem, EXACT),
            ran_away=getattr(problem, "ran_away", [()] * len(model.factors_)),
            unique=_own_meaning(model, labels),
            factors=tuple(model.factors_),
        )
    model._likelihood = likelihood_of(problem, batches)
    model._variances = None
    if uncertainty and partial and model._posterior.mixed.n_random:
        sd = model._outcome.scale[1]
        model._variances = VarianceIntervals.of(problem, model._units(), sd, model._asked)
    if uncertainty and isinstance(problem, Crossed):
        counted = crossed_uncertainty(model._posterior, problem)
        model._posterior = replace(model._posterior, uncertainty=counted)


def _own_meaning(model: NeuralMixedEffects, labels: Sequence[str]) -> list[bool]:
    """Whether a random effect has one: no unit of a hidden layer does, nor a feature left out."""
    out = model._units().labels_left_out
    hidden = [bool(model._widths) and "layers." in label for label in labels]
    return [not one and label not in out for one, label in zip(hidden, labels, strict=True)]


def _known(model: NeuralMixedEffects, problem: AnyProblem) -> dict[str, Any]:
    """What a trained problem knows of how certain its numbers are."""
    known: dict[str, Any] = {"precision": problem.shared_precision()}
    if isinstance(problem, LinearGaussian):
        known["curvature"] = problem.person_curvature(model._free(model._posterior.mixed))
    if isinstance(problem, ExactRows | ExactChain):
        known["shared"] = problem.shared_covariance()
    if isinstance(problem, ExactRows | LinearGaussian):
        known["integrated"] = problem.integrated()
    if isinstance(problem, ExactChain):
        known["coordinates"] = problem.coordinates()
    return known


def _count(model: NeuralMixedEffects, batches: list[Batch], known: dict[str, Any]) -> Joint | None:
    """Take the uncertainty of shared and person-specific parameters together."""
    posterior, family = model._posterior, model._family()
    joint = take_uncertainty(
        posterior,
        family,
        batches,
        free=model._free(posterior.mixed),
        widened=not model._widths,
        **known,
    )
    if joint is not None:
        model._posterior = replace(posterior, uncertainty=joint.uncertainty)
        if model._widths and family.has_residual_variance:
            shared = joint.uncertainty.shared
            model._posterior = model._posterior.joined(joint.information, shared)
    return joint


def _sort_levels(model: NeuralMixedEffects) -> None:
    """Put groups, and all that is kept of each, into natural order of their names."""
    factors = model._encoder.factors
    orders = [natural_order(levels.tolist()) for levels in factors.values()]
    pairs = zip(factors.items(), orders, strict=True)
    model._encoder = model._encoder.with_factors(
        {name: levels[order] for (name, levels), order in pairs}
    )
    starts = np.cumsum([0, *map(len, orders)])
    whole: NDArray[np.int64] = np.concatenate(
        [order + start for order, start in zip(orders, starts, strict=False)]
    )
    model._counts = model._counts[whole]
    model._posterior = model._posterior.in_order(torch.from_numpy(whole))
    model._reorder(orders[0])


def _solve(
    encoder: RowEncoder,
    problem: LinearGaussian | ExactRows | ExactChain | Crossed,
    batches: list[Batch],
    progress: Report,
) -> Training:
    """Maximise a likelihood; name the features, and the classes, that the rows leave open."""
    try:
        training = problem.solve(batches, progress)
    except NoMovesError as error:
        raise DataError(
            "There is not a single move from one labelled step to the next: every sequence has"
            " one step, or every second label is missing.",
            remedy="Name another column for sequences, or none, or a longer --max-gap; or fit a"
            " model of classes (nme-mlp).",
        ) from error
    except ConstantOutcomeError as error:
        raise DataError(
            "The outcome never changes within a person, or a group of another factor: how much"
            " they differ has no bound that the rows could tell.",
            remedy="Fit a model for everybody, or take an outcome that varies within people.",
        ) from error
    inputs = [*map(repr, encoder.scaler.input_names), repr("the intercept")]
    for column, others in problem.collinear.items():
        if column >= len(encoder.scaler.names):
            continue  # features are missing together: nothing to leave out
        warn_of_collinear(inputs[column], [inputs[other] for other in others], stacklevel=2)
    if isinstance(problem, LinearGaussian):
        return training
    classes = encoder.outcome.contrasted
    for column, k in problem.separated.items():
        where = f" class {classes[k]!r} from the others" if len(classes) > 2 else " the classes"
        warn_of_separation(inputs[column], where, stacklevel=2)
    if isinstance(problem, ExactChain):
        warn_of_never([(classes[j], classes[k]) for j, k in problem.never], stacklevel=2)
        if problem.unstarted is not None:
            warn_of_start(classes[problem.unstarted], stacklevel=2)
    return training


def _warn_of_constant_slopes(
    names: tuple[str, ...], mixed: MixedEffects, batches: list[Batch]
) -> None:
    """Name features with a slope of each person's own that change within nobody."""
    if not any(name.endswith("weight") for name in mixed.random):
        return
    low = torch.full((mixed.n_groups, len(names)), torch.inf)
    high = -low
    for batch in batches:
        person = batch.groups[:, :1].cpu().expand(-1, len(names))
        x, mask = batch.x.float().cpu(), batch.mask.cpu().unsqueeze(2)
        low.scatter_reduce_(0, person, x.masked_fill(~mask, torch.inf).amin(1), "amin")
        high.scatter_reduce_(0, person, x.masked_fill(~mask, -torch.inf).amax(1), "amax")
    still = (high - low <= 0).logical_or(high < low).all(0)
    constant = [name for name, one in zip(names, still.tolist(), strict=True) if one]
    if constant:
        listed = ", ".join(map(repr, constant[:4])) + (" …" if len(constant) > 4 else "")
        warnings.warn(
            f"{listed} never changes within a person, so that a slope of each person's own"
            " cannot be told from the person's level: how much people differ is divided"
            " arbitrarily between the two. Give people their own intercept only (placement"
            " layers.0.bias), or leave the feature out and test it as a covariate.",
            IdentificationWarning,
            stacklevel=2,
        )
